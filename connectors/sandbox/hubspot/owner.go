package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

// owner is a user to whom records belong, in the form of the API.
type owner struct {
	ID        string `json:"id"`
	Email     string `json:"email,omitempty"`
	Type      string `json:"type"` // "PERSON"
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	// A former user has no UserID any more.
	UserID                  int64  `json:"userId,omitzero"`
	UserIDIncludingInactive int64  `json:"userIdIncludingInactive"`
	CreatedAt               string `json:"createdAt"`
	UpdatedAt               string `json:"updatedAt"`
	Archived                bool   `json:"archived"`
}

// newOwner is an owner to add.
type newOwner struct {
	Email, FirstName, LastName string
	Former                     bool // the user is gone
}

// The first ids of owners and of their users, which differ in a portal. All owners' have the same length: they sort as text.
const (
	firstOwner = 70_000_001
	firstUser  = 5_000_001
)

// pageUser is the user who edits on the record pages and for /_sandbox/records: never the integration.
const pageUser = firstUser

const (
	pageUserFirst, pageUserLast = "Casey", "CSM"
	pageUserName                = pageUserFirst + " " + pageUserLast
)

// addOwner adds an owner and returns its id and its user's.
func (t *tx) addOwner(n newOwner) (id string, user int64) {
	serial := int64(len(t.portal.owners))
	o := &owner{ID: strconv.FormatInt(firstOwner+serial, 10), Email: n.Email, Type: "PERSON", FirstName: n.FirstName, LastName: n.LastName,
		UserID: firstUser + serial, UserIDIncludingInactive: firstUser + serial, CreatedAt: moment(t.now), UpdatedAt: moment(t.now), Archived: n.Former}
	if n.Former {
		o.UserID = 0
	}
	t.portal.owners = append(t.portal.owners, o)
	return o.ID, o.UserIDIncludingInactive
}

func (p *Portal) ownerRoutes(mux *http.ServeMux, v version) {
	p.handle(mux, v, "GET "+v.path("owners"), p.listOwners)
	p.handle(mux, v, "GET "+v.path("owners")+"/{id}", p.getOwner)
}

const ownerScope = "crm.objects.owners.read"

func (p *Portal) listOwners(r *request) (int, any, error) {
	if err := r.scopes.need(ownerScope); err != nil {
		return 0, nil, err
	}
	q := r.URL.Query()
	limit, err := r.limit(100, 500)
	if err != nil {
		return 0, nil, err
	}
	archived := q.Get("archived") == "true"
	answer := struct {
		Results []*owner `json:"results"`
		Paging  *page    `json:"paging,omitzero"`
	}{Results: []*owner{}}
	err = p.read(func() error {
		for _, o := range p.owners {
			if o.Archived != archived || q.Get("after") >= o.ID || q.Has("email") && o.Email != q.Get("email") {
				continue
			}
			if len(answer.Results) == limit {
				after := answer.Results[limit-1].ID
				answer.Paging = nextPage(after, r.link(after))
				return nil
			}
			answer.Results = append(answer.Results, o)
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func (p *Portal) getOwner(r *request) (int, any, error) {
	if err := r.scopes.need(ownerScope); err != nil {
		return 0, nil, err
	}
	archived := r.URL.Query().Get("archived") == "true"
	key := func(o *owner) string { return o.ID }
	if r.URL.Query().Get("idProperty") == "userId" {
		key = func(o *owner) string { return strconv.FormatInt(o.UserIDIncludingInactive, 10) }
	}
	var found *owner
	err := p.read(func() error {
		i := slices.IndexFunc(p.owners, func(o *owner) bool { return key(o) == r.PathValue("id") && o.Archived == archived })
		if i < 0 {
			return notFound("resource not found")
		}
		found = p.owners[i]
		return nil
	})
	return http.StatusOK, found, err
}
