package hubspot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

// Limits of one call.
const (
	maxRecords      = 100             // of a batch
	maxWithHistory  = 50              // of a batch that asks for history
	maxAssociations = 1000            // records whose associations are asked for
	maxDeals        = maxAssociations // that are read together: so that few calls ask for less than they may
	searchPage      = 200
	listPage        = 100
)

// page is an answer of any of HubSpot's lists and batches.
type page[T any] struct {
	Total   int        `json:"total"`
	Results []T        `json:"results"`
	Errors  []reported `json:"errors"` // of single rows
	Paging  paging     `json:"paging"`

	answered time.Time // by HubSpot's clock
}

type paging struct {
	Next struct {
		After text `json:"after"`
	} `json:"next"`
}

// fetch sends a call that is answered by a page.
func fetch[T any](ctx context.Context, c *Client, r call) (*page[T], error) {
	var p *page[T]
	err := c.send(ctx, r, func(header http.Header, body []byte) (err error) {
		p = &page[T]{}
		if err := json.Unmarshal(body, p, lenient); err != nil {
			return connectors.Garbled(crmName, r.op, err)
		}
		if p.Results == nil {
			return connectors.Garbled(crmName, r.op, errors.New("it holds no results"))
		}
		for _, e := range p.Errors {
			if r.repeatable && e.Category != notFound && !e.unassociated() { // a read of which a row fails is sent again
				return e.at(r.op, http.StatusMultiStatus)
			}
		}
		if p.answered, err = http.ParseTime(header.Get("Date")); err != nil {
			return &connectors.Error{Op: r.op, CRM: crmName, Class: connectors.ErrConfig, Message: "the answer does not say when it was given",
				Remedy: "Let the proxy before HubSpot pass the Date header"}
		}
		return nil
	})
	return p, err
}

// list reads all pages of a list.
func list[T any](ctx context.Context, c *Client, op, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", strconv.Itoa(listPage))
	for {
		p, err := fetch[T](ctx, c, call{op: op, method: http.MethodGet, path: path, query: query, repeatable: true})
		if err != nil {
			return nil, err
		}
		all = append(all, p.Results...)
		after := string(p.Paging.Next.After)
		if after == "" {
			return all, nil
		}
		if after == query.Get("after") {
			return nil, connectors.Garbled(crmName, op, errors.New("a list does not come to its end"))
		}
		query.Set("after", after)
	}
}

// filter is one condition of a search.
type filter struct {
	Property string   `json:"propertyName"`
	Operator string   `json:"operator"`
	Value    string   `json:"value,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// group is a set of conditions that hold together.
type group []filter

func (g group) with(more ...filter) group { return append(slices.Clone(g), more...) }

type filters struct {
	Filters group `json:"filters"`
}

// query is a search as it is sent.
type query struct {
	After      string    `json:"after"` // an offset
	Groups     []filters `json:"filterGroups"`
	Limit      int       `json:"limit"`
	Properties []string  `json:"properties"`
	Sorts      []string  `json:"sorts"` // "-" before a name: descending
}

func (c *Client) search(op, object string, q query) call {
	return call{op: op, method: http.MethodPost, path: c.api("objects", object+"/search"), body: q, repeatable: true, search: true}
}

const recordID = "hs_object_id"

// search is a listing of records in order of their ids, page by page, each by a query of its own: offsets end at 10,000.
// https://developers.hubspot.com/docs/api-reference/search/guide#limitations
type search struct {
	op         string
	object     string
	groups     []group // one of them holds
	properties []string
	last       string // the id that was reached; "": none
}

// pages yields what a search finds, page by page; an error ends it.
func (c *Client) pages(ctx context.Context, s *search) iter.Seq2[*page[object], error] {
	return func(yield func(*page[object], error) bool) {
		for {
			p, err := c.next(ctx, s)
			if !yield(p, err) || err != nil {
				return
			}
			if n := len(p.Results); n == 0 || n >= p.Total {
				return
			}
		}
	}
}

func (c *Client) next(ctx context.Context, s *search) (*page[object], error) {
	last := cmp.Or(s.last, atStart)
	q := query{Sorts: []string{recordID}, Properties: append([]string{recordID}, s.properties...), Limit: searchPage, After: "0"}
	for _, g := range s.groups {
		q.Groups = append(q.Groups, filters{g.with(filter{Property: recordID, Operator: "GT", Value: last})})
	}
	p, err := fetch[object](ctx, c, c.search(s.op, s.object, q))
	if err != nil {
		return nil, err
	}
	if len(p.Results) == 0 && p.Total > 0 {
		return nil, connectors.Garbled(crmName, s.op, fmt.Errorf("a search of %d rows brings none", p.Total))
	}
	slices.SortFunc(p.Results, func(a, b object) int { return compareIDs(string(a.ID), string(b.ID)) })
	if n := len(p.Results); n > 0 {
		if compareIDs(string(p.Results[0].ID), last) <= 0 {
			return nil, connectors.Garbled(crmName, s.op, errors.New("a search goes back"))
		}
		s.last = string(p.Results[n-1].ID)
	}
	return p, nil
}

// batch reads records by id, with the history of some of their properties. A record that is gone is absent.
func (c *Client) batch(ctx context.Context, op, kind string, ids, properties, history []string) (map[string]object, error) {
	return c.batchOf(ctx, op, kind, nil, ids, properties, history)
}

// batchOf is batch with a query that says what records are meant.
func (c *Client) batchOf(ctx context.Context, op, kind string, query url.Values, ids, properties, history []string) (map[string]object, error) {
	size := maxRecords
	if len(history) > 0 {
		size = maxWithHistory
	}
	found := make(map[string]object, len(ids))
	for chunk := range slices.Chunk(ids, size) {
		body := map[string]any{"inputs": inputs(chunk), "properties": properties, "propertiesWithHistory": append([]string{}, history...)}
		p, err := fetch[object](ctx, c, call{op: op, method: http.MethodPost, path: c.api("objects", kind+"/batch/read"), query: query, body: body, repeatable: true})
		if err != nil {
			return nil, err
		}
		for _, o := range p.Results {
			found[string(o.ID)] = o
		}
	}
	return found, nil
}

type input struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"` // where to go on in its associations
}

func inputs(ids []string) []input {
	all := make([]input, len(ids))
	for i, id := range ids {
		all[i] = input{ID: id}
	}
	return all
}

// link is an association with a record.
type link struct {
	id     string
	labels []string // "Primary", or what the portal calls the record's part in it
}

// associations reads which records of one type belong to those of another, by the id of the latter.
func (c *Client) associations(ctx context.Context, op, from, to string, ids []string) (map[string][]link, error) {
	type association struct {
		From struct {
			ID text `json:"id"`
		} `json:"from"`
		To []struct {
			ID    text `json:"toObjectId"` // documented as a string, sent as a number
			Types []struct {
				Label string `json:"label"`
			} `json:"associationTypes"`
		} `json:"to"`
		Paging paging `json:"paging"`
	}
	links := map[string][]link{}
	for open := inputs(ids); len(open) > 0; {
		asked := open[:min(len(open), maxAssociations)]
		open = open[len(asked):]
		p, err := fetch[association](ctx, c, call{op: op, method: http.MethodPost, path: c.api("associations", from+"/"+to+"/batch/read"),
			body: map[string]any{"inputs": asked}, repeatable: true})
		if err != nil {
			return nil, err
		}
		for _, a := range p.Results {
			id := string(a.From.ID)
			for _, t := range a.To {
				l := link{id: string(t.ID)}
				for _, kind := range t.Types {
					if kind.Label != "" && !slices.Contains(l.labels, kind.Label) {
						l.labels = append(l.labels, kind.Label)
					}
				}
				links[id] = append(links[id], l)
			}
			if after := string(a.Paging.Next.After); after != "" {
				if slices.Contains(asked, input{id, after}) {
					return nil, connectors.Garbled(crmName, op, errors.New("a list of associations does not come to its end"))
				}
				open = append(open, input{id, after})
			}
		}
	}
	return links, nil
}

// targets are the records that any of the links lead to, sorted.
func targets(links map[string][]link) []string {
	seen := map[string]bool{}
	for _, list := range links {
		for _, l := range list {
			seen[l.id] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), compareIDs)
}
