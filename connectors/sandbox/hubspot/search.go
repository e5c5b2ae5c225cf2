package hubspot

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The limits of searches.
// https://developers.hubspot.com/docs/api-reference/search/guide#limits
const (
	maxFound        = 10_000 // how far paging goes
	maxFoundPerPage = 200
	maxGroups       = 5
	maxFilters      = 6 // a group
	maxAllFilters   = 18
	maxQuery        = 3000
)

func (p *Portal) searchRoutes(mux *http.ServeMux, v version) {
	p.handle(mux, v, "POST "+v.path("objects")+"/{object}/search", p.search)
}

// searchBody is a search as a client sends it.
type searchBody struct {
	FilterGroups []filterGroup  `json:"filterGroups"`
	Sorts        []order        `json:"sorts"`
	Properties   []string       `json:"properties"`
	Query        string         `json:"query"`
	Limit        *int           `json:"limit"`
	After        jsontext.Value `json:"after"` // a number, as text or not
}

// order is a property to sort by: "name", "-name" or an object.
type order struct {
	Property   string
	Descending bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *order) UnmarshalJSON(b []byte) error {
	if jsontext.Value(b).Kind() == '"' {
		if err := json.Unmarshal(b, &o.Property); err != nil {
			return err
		}
		o.Property, o.Descending = strings.CutPrefix(o.Property, "-")
		return nil
	}
	var object struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	}
	if err := json.Unmarshal(b, &object); err != nil {
		return err
	}
	*o = order{object.Property, object.Direction == "DESCENDING"}
	return nil
}

type found struct {
	Total   int      `json:"total"`
	Results []answer `json:"results"`
	Paging  *page    `json:"paging,omitzero"`
}

func (p *Portal) search(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "read")
	if err != nil {
		return 0, nil, err
	}
	var body searchBody
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	limit, offset, err := body.span()
	if err != nil {
		return 0, nil, err
	}
	list := found{Results: []answer{}}
	err = p.read(func() error {
		s, err := body.selection(o)
		if err != nil {
			return err
		}
		s.From, s.Limit, s.Offset = p.index(o), limit, offset
		if err := p.db.GetContext(r.Context(), &list.Total, "SELECT count(*) FROM "+s.From+" WHERE "+s.Where, s.Args...); err != nil {
			return err
		}
		if limit == 0 {
			return nil
		}
		list.Results, err = o.answers(r.Context(), p.db, s, wanted{Properties: body.Properties})
		return err
	})
	if next := offset + limit; next < list.Total {
		list.Paging = nextPage(strconv.Itoa(next), "")
	}
	return http.StatusOK, list, err
}

// span returns which of the records that match are wanted.
func (b *searchBody) span() (limit, offset int, err error) {
	limit = 10
	if b.Limit != nil {
		limit = *b.Limit
	}
	if limit < 0 || limit > maxFoundPerPage {
		return 0, 0, invalid("The limit must be from 0 to %d, not %d", maxFoundPerPage, limit)
	}
	if text := strings.Trim(string(b.After), `"`); text != "" && text != "null" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 {
			return 0, 0, invalid("Invalid paging cursor %q", text)
		}
	}
	if offset > maxFound || offset+limit > maxFound {
		return 0, 0, invalid("Paging beyond %d results is not supported: after %d, limit %d", maxFound, offset, limit)
	}
	return limit, offset, nil
}

// index returns what searches of an object see: its table, with the changes left out that are not in the index yet.
func (p *Portal) index(o *object) string {
	now := p.now()
	if !p.lagUntil.After(now) {
		return o.Name
	}
	at := strconv.FormatInt(now.UnixMilli(), 10)
	return "(SELECT * FROM " + o.Name + " WHERE _indexed_at <= " + at + " UNION ALL SELECT * FROM " + o.indexed() + " WHERE _indexed_at > " + at + ")"
}
