package salesforce

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors"
)

// Limits of one composite request.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
const (
	maxParts   = 25
	maxQueries = 5 // of these parts
)

const (
	maxIDs      = 400  // ids in one IN: an address holds them, and what five such queries find is a page of rows
	maxWide     = 200  // ids in one IN of a query for several long texts, of which a page holds no more rows
	maxRestarts = 3    // of a query whose cursor was lost
	pageSize    = 2000 // rows of a page at most
)

// lenient reads what Salesforce may send: text from people may hold broken Unicode.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// part is one request inside a composite, and where its answer goes.
type part interface {
	path(base string) string // below the instance; "": there is nothing to ask for
	query() bool             // counts as a query
	reset()                  // forgets what take took

	// take reads one page and returns the path of the next; "": there is none.
	take(body []byte) (next string, err error)

	// refuse is told that Salesforce refuses this part alone, for good: permissions, an object that does not exist.
	refuse(*connectors.Error)
}

// narrower is a part that may ask for less where Salesforce runs out of time, which is told to refuse then.
type narrower interface{ canNarrow() bool }

// ownAffair reports whether what Salesforce refuses a part with leaves the other parts alone.
func ownAffair(p part, err *connectors.Error) bool {
	n, ok := p.(narrower)
	return errors.Is(err, connectors.ErrConfig) || ok && n.canNarrow() && err.Code == queryTimeout
}

// selection is a SOQL statement and the rows that it found.
type selection[T any] struct {
	soql  string // "": nothing is selected
	all   bool   // deleted records, as long as they are in the recycle bin, and archived activities count as well
	rows  []T
	total int // rows that there are, those of COUNT() too

	// narrows: where Salesforce runs out of time, this part alone counts as refused, and its reader asks for less.
	narrows bool
	err     *connectors.Error // refused; nil: read
}

func (s *selection[T]) path(base string) string {
	if s.soql == "" {
		return ""
	}
	resource := "/query?q="
	if s.all {
		resource = "/queryAll?q="
	}
	return base + resource + url.QueryEscape(s.soql)
}

func (s *selection[T]) query() bool { return true }
func (s *selection[T]) reset()      { s.rows, s.err = nil, nil }

func (s *selection[T]) refuse(err *connectors.Error) { s.err = err }

// timedOut reports whether Salesforce ran out of time.
func (s *selection[T]) timedOut() bool { return s.err != nil && s.err.Code == queryTimeout }

func (s *selection[T]) canNarrow() bool { return s.narrows }

func (s *selection[T]) take(body []byte) (string, error) {
	var page struct {
		TotalSize int    `json:"totalSize"`
		Done      bool   `json:"done"`
		Next      string `json:"nextRecordsUrl"`
		Records   []T    `json:"records"`
	}
	if err := json.Unmarshal(body, &page, lenient); err != nil {
		return "", err
	}
	s.rows = append(s.rows, page.Records...)
	s.total = page.TotalSize
	if page.Done {
		return "", nil
	}
	if page.Next == "" {
		return "", errors.New("a page that is not the last names no next one")
	}
	return page.Next, nil
}

// read fetches all parts with all their pages, in as few calls as the limits allow, and returns when the first call was
// answered, by Salesforce's clock. What is refused to one part alone is that part's own affair.
func (c *Client) read(ctx context.Context, op string, parts ...part) (answered time.Time, err error) {
	for restarts := 0; len(parts) > 0; restarts++ {
		var lost []part
		for _, batch := range pack(parts, c.base) {
			at, cut, err := c.readBatch(ctx, op, batch)
			if err != nil {
				return answered, err
			}
			if answered.IsZero() {
				answered = at
			}
			lost = append(lost, cut...)
		}
		if restarts == maxRestarts && len(lost) > 0 {
			return answered, &connectors.Error{Op: op, CRM: crmName, Class: connectors.ErrRetry, Code: invalidLocator,
				Message: "Salesforce keeps losing its place in a long result"}
		}
		parts = lost
	}
	return answered, nil
}

// pack splits parts into composites, in order, leaving out those that ask for nothing.
func pack(parts []part, base string) [][]part {
	var batches [][]part
	queries := 0
	for _, p := range parts {
		if p.path(base) == "" {
			continue
		}
		full := len(batches) == 0 || len(batches[len(batches)-1]) == maxParts || p.query() && queries == maxQueries
		if full {
			batches, queries = append(batches, nil), 0
		}
		if p.query() {
			queries++
		}
		batches[len(batches)-1] = append(batches[len(batches)-1], p)
	}
	return batches
}

// readBatch sends one composite and follows the pages of its parts. It returns those parts whose cursor was lost.
func (c *Client) readBatch(ctx context.Context, op string, parts []part) (answered time.Time, lost []part, err error) {
	next := make([]string, len(parts))
	err = c.composite(ctx, op, parts, func(header http.Header, answers []answer) error {
		if answered, err = http.ParseTime(header.Get("Date")); err != nil {
			return &connectors.Error{Op: op, CRM: crmName, Class: connectors.ErrConfig, Message: "the answer does not say when it was given",
				Remedy: "Let the proxy before Salesforce pass the Date header"}
		}
		for i, a := range answers {
			parts[i].reset()
			if a.err != nil {
				parts[i].refuse(a.err)
			} else if next[i], err = parts[i].take(a.body); err != nil {
				return connectors.Garbled(crmName, op, err)
			}
		}
		return nil
	})
	if err != nil {
		return answered, nil, err
	}
	for i, p := range parts {
		for next[i] != "" {
			page := call{op: op, method: http.MethodGet, path: next[i], repeatable: true}
			err := c.do(ctx, page, func(_ http.Header, body []byte) (err error) {
				if next[i], err = p.take(body); err != nil {
					return connectors.Garbled(crmName, op, err)
				}
				return nil
			})
			if code(err) == invalidLocator {
				lost = append(lost, p)
				break
			}
			if err != nil {
				return answered, nil, err
			}
		}
	}
	return answered, lost, nil
}

// answer is what a composite says about one part.
type answer struct {
	body []byte
	err  *connectors.Error
}

// composite sends the parts as one call. A part that failed for a while, or for want of quota, fails them all: they are
// reads, and sent again together.
func (c *Client) composite(ctx context.Context, op string, parts []part, accept func(http.Header, []answer) error) error {
	type request struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		ReferenceID string `json:"referenceId"`
	}
	requests := make([]request, len(parts))
	for i, p := range parts {
		requests[i] = request{http.MethodGet, p.path(c.base), reference(i)}
	}
	body, err := json.Marshal(map[string]any{"allOrNone": false, "compositeRequest": requests}, json.Deterministic(true))
	if err != nil {
		return err
	}
	send := call{op: op, method: http.MethodPost, path: c.base + "/composite", body: body, repeatable: true}
	return c.do(ctx, send, func(header http.Header, body []byte) error {
		answers, err := readComposite(op, body, len(parts))
		if err != nil {
			return err
		}
		for i, a := range answers {
			if a.err != nil && !ownAffair(parts[i], a.err) {
				return a.err
			}
		}
		return accept(header, answers)
	})
}

type response struct {
	Body      jsontext.Value `json:"body"`
	Status    int            `json:"httpStatusCode"`
	Reference string         `json:"referenceId"`
}

func reference(i int) string { return "r" + strconv.Itoa(i) }

func readComposite(op string, body []byte, parts int) ([]answer, error) {
	var reply struct {
		Responses []response `json:"compositeResponse"`
	}
	if err := json.Unmarshal(body, &reply, lenient); err != nil {
		return nil, connectors.Garbled(crmName, op, err)
	}
	answers := make([]answer, parts)
	for i := range answers {
		at := slices.IndexFunc(reply.Responses, func(r response) bool { return r.Reference == reference(i) })
		if at < 0 {
			return nil, connectors.Garbled(crmName, op, errors.New("a part of it is missing"))
		}
		r := reply.Responses[at]
		answers[i].body = r.Body
		if r.Status/100 == 2 {
			continue
		}
		answers[i].err = refusal(op, r.Status, http.Header{"Content-Type": {"application/json"}}, r.Body)
	}
	return answers, nil
}
