package hubspot

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors"
)

// TestKeyset: each page of a search is a query of its own, behind the last id; offsets end at 10,000.
func TestKeyset(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		if strings.Contains(body, `"value":"11"`) {
			say(w, 200, `{"total":1,"results":[{"id":"20","properties":{}}]}`)
			return
		}
		say(w, 200, `{"total":3,"results":[{"id":"11","properties":{}},{"id":10,"properties":{}}]}`) // fewer than asked for, unordered, and a number
	})
	c := s.client(t)
	q := &search{op: opTest, object: deals, properties: []string{"x"}, groups: []group{
		{{Property: "a", Operator: "EQ", Value: "1"}}, {{Property: "b", Operator: "IN", Values: []string{"2"}}}}}
	var found []string
	for p, err := range c.pages(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, ids(p.Results)...)
	}
	if diff := cmp.Diff([]string{"10", "11", "20"}, found); diff != "" {
		t.Errorf("found, -want +got:\n%s", diff)
	}
	const path = "POST /crm/objects/2026-09/deals/search "
	want := []string{
		path + `{"after":"0","filterGroups":[{"filters":[{"propertyName":"a","operator":"EQ","value":"1"},{"propertyName":"hs_object_id","operator":"GT","value":"0"}]},{"filters":[{"propertyName":"b","operator":"IN","values":["2"]},{"propertyName":"hs_object_id","operator":"GT","value":"0"}]}],"limit":200,"properties":["hs_object_id","x"],"sorts":["hs_object_id"]}`,
		path + `{"after":"0","filterGroups":[{"filters":[{"propertyName":"a","operator":"EQ","value":"1"},{"propertyName":"hs_object_id","operator":"GT","value":"11"}]},{"filters":[{"propertyName":"b","operator":"IN","values":["2"]},{"propertyName":"hs_object_id","operator":"GT","value":"11"}]}],"limit":200,"properties":["hs_object_id","x"],"sorts":["hs_object_id"]}`,
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("asked, -want +got:\n%s", diff)
	}
	q.last = "99"
	if _, err := c.next(t.Context(), q); !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("a search that goes back: %v", err)
	}
}

// TestBatch: ids go in parts that HubSpot takes; a record that is gone is absent.
func TestBatch(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		say(w, 207, `{"status":"COMPLETE","results":[{"id":"1","properties":{"a":null,"b":"x","c":7}}],"numErrors":1,
			"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some DEAL objects","context":{"ids":["2"]}}]}`)
	})
	c := s.client(t)
	found, err := c.batch(t.Context(), opTest, deals, []string{"1", "2"}, []string{"a", "b", "c"}, nil)
	if err != nil || len(found) != 1 || found["1"].text("a") != "" || found["1"].text("b") != "x" || found["1"].text("c") != "7" {
		t.Errorf("%v, %v", found, err)
	}
	want := `POST /crm/objects/2026-09/deals/batch/read {"inputs":[{"id":"1"},{"id":"2"}],"properties":["a","b","c"],"propertiesWithHistory":[]}`
	if s.asked[0] != want {
		t.Errorf("asked %s", s.asked[0])
	}
	for history, calls := range map[string]int{"": 2, "dealstage": 3} {
		s.asked = nil
		if _, err := c.batch(t.Context(), opTest, deals, make([]string, 150), nil, strings.Fields(history)); err != nil || len(s.asked) != calls {
			t.Errorf("150 ids with history %q: %d calls, %v", history, len(s.asked), err)
		}
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ string) { // a merged record is dropped without a word
		say(w, 200, `{"results":[{"id":"1","properties":{}}]}`)
	}
	if found, err := c.batch(t.Context(), opTest, deals, []string{"1", "2"}, nil, nil); err != nil || len(found) != 1 {
		t.Errorf("a merged record: %v, %v", found, err)
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		say(w, 207, `{"results":[],"errors":[{"category":"INTERNAL_ERROR","message":"oops"}]}`)
	}
	if _, err := c.batch(t.Context(), opTest, deals, []string{"1"}, nil, nil); !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("another error of a row: %v", err)
	}
}

// TestAssociations: each record's list is followed to its end; none is no failure.
// https://github.com/HubSpot/hubspot-api-python/issues/135
func TestAssociations(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		switch {
		case strings.Contains(body, `"after":"2"`):
			say(w, 200, `{"results":[{"from":{"id":"1"},"to":[{"toObjectId":"13","associationTypes":[]}]}]}`)
		case strings.Contains(body, `"id":"3"`):
			say(w, 200, `{"results":[{"from":{"id":"3"},"to":[],"paging":{"next":{"after":"9"}}}]}`)
		default:
			say(w, 207, `{"results":[{"from":{"id":1},"to":[
				{"toObjectId":11,"associationTypes":[{"typeId":3,"label":null},{"typeId":70,"label":"Champion"},{"typeId":71,"label":"Champion"}]},
				{"toObjectId":"12","associationTypes":[{"typeId":3}]}],"paging":{"next":{"after":2}}}],
				"errors":[{"subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND","context":{"fromObjectId":["2"]}}]}`)
		}
	})
	c := s.client(t)
	links, err := c.associations(t.Context(), opTest, deals, contacts, []string{"1", "2"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]link{"1": {{"11", []string{"Champion"}}, {"12", nil}, {"13", nil}}}
	if diff := cmp.Diff(want, links, cmp.AllowUnexported(link{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s.asked[1] != `POST /crm/associations/2026-09/deals/contacts/batch/read {"inputs":[{"id":"1","after":"2"}]}` {
		t.Errorf("asked %s", s.asked[1])
	}
	if _, err := c.associations(t.Context(), opTest, deals, contacts, []string{"3"}); !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("a list without end: %v", err)
	}
	s.asked = nil
	if _, err := c.associations(t.Context(), opTest, deals, contacts, make([]string, 1001)); err != nil || len(s.asked) != 2 {
		t.Errorf("1001 deals: %d calls, %v", len(s.asked), err)
	}
}

// TestListOfOwners: those who have left are listed, too.
// https://github.com/airbytehq/airbyte/issues/27799
func TestListOfOwners(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case r.URL.Query().Get("archived") == "true":
			say(w, 200, `{"results":[{"id":"9","userIdIncludingInactive":99,"firstName":"Old","lastName":"Hand","email":"old@x.example"}]}`)
		case r.URL.Query().Get("after") == "":
			say(w, 200, `{"results":[{"id":"1","userIdIncludingInactive":11,"firstName":"Dana","lastName":"Ruiz"}],"paging":{"next":{"after":"1"}}}`)
		default:
			say(w, 200, `{"results":[{"id":"2","userIdIncludingInactive":22,"firstName":"","lastName":"Park"}]}`)
		}
	})
	all, err := s.client(t).listOwners(t.Context())
	p := newPeople(all)
	if err != nil || p.byID["1"].name() != "Dana Ruiz" || p.byID["2"].name() != "Park" || p.byUser["99"].Email != "old@x.example" || len(p.byID) != 3 {
		t.Errorf("%v, %v", p, err)
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		say(w, 200, `{"results":[],"paging":{"next":{"after":"1"}}}`)
	}
	if _, err := s.client(t).listOwners(t.Context()); !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("a list without end: %v", err)
	}
}

// TestLongNames: what does not fit into an address is asked for in a body.
// https://github.com/airbytehq/airbyte/issues/33528
func TestLongNames(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if n := len(r.URL.RequestURI()); n > 8000 {
			t.Errorf("an address of %d bytes", n)
		}
		say(w, 200, `{"id":"1","properties":{}}`)
	})
	r := &reader{Client: s.client(t), schema: &schema{}}
	for columns, alone := range map[int]bool{50: true, 100: false} {
		_, links, err := r.singly(t.Context(), []string{"1"}, slices.Repeat([]string{strings.Repeat("x", 99)}, columns), nil, &news{})
		if err != nil || (links != nil) != alone {
			t.Errorf("%d columns: read alone: %v, want %v; %v", columns, links != nil, alone, err)
		}
	}
}
