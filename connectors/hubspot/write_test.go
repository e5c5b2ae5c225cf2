package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

var testSpecs = []crm.FieldSpec{
	{Object: crm.DealObject, Name: "score", Label: "Handoff Score", Type: crm.Number, Help: "Points in all"},
	{Object: crm.DealObject, Name: "rating", Label: "Handoff Rating", Type: crm.Picklist, Options: []string{"Excellent", "Incomplete"}},
	{Object: crm.AccountObject, Name: "health", Label: "Handoff Health", Type: crm.Picklist, Options: []string{"Green"}},
}

// portal answers what describes a portal; update answers batch updates.
func portal(t *testing.T, update func(w http.ResponseWriter, ids []string, body string)) *stub {
	return newStub(t, func(w http.ResponseWriter, r *http.Request, body string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/batch/update"):
			var sent struct{ Inputs []struct{ ID string } }
			if err := json.Unmarshal([]byte(body), &sent); err != nil {
				t.Error(err)
			}
			var ids []string
			for _, i := range sent.Inputs {
				ids = append(ids, i.ID)
			}
			update(w, ids, body)
		case strings.HasSuffix(r.URL.Path, "/properties/2026-09/deals"):
			say(w, 200, `{"results":[{"name":"handoff_score","type":"number","fieldType":"number"},
				{"name":"handoff_rating","type":"enumeration","fieldType":"select","options":[{"label":"Excellent","value":"Excellent"},{"label":"Incomplete","value":"Incomplete"}]}]}`)
		case strings.HasSuffix(r.URL.Path, "/properties/2026-09/companies"):
			say(w, 200, `{"results":[{"name":"handoff_health","type":"enumeration","fieldType":"radio","options":[{"label":"Green","value":"Green"}]}]}`)
		default:
			say(w, 200, `{"results":[]}`)
		}
	})
}

func accepted(ids []string) string {
	var rows []string
	for _, id := range ids {
		rows = append(rows, fmt.Sprintf(`{"id":%q,"properties":{}}`, id))
	}
	return `"status":"COMPLETE","results":[` + strings.Join(rows, ",") + `]`
}

func scores(n int) []crm.Update {
	var updates []crm.Update
	for i := range n {
		updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: fmt.Sprint(i + 1)}, Values: crm.Values{"score": "1"}})
	}
	return updates
}

// TestBadRowIsIsolated: HubSpot refuses a batch whole; the rows beside the bad ones are written all the same.
func TestBadRowIsIsolated(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
	}{
		{"a rule", 400, `{"status":"error","message":"Missing required properties","category":"VALIDATION_ERROR"}`},
		{"a conflict", 409, `{"status":"error","message":"The record is being changed","category":"CONFLICT"}`},
		{"a conflict without a category", 409, `{"status":"error","message":"The record is being changed"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := []string{"7", "61"}
			written := map[string]int{}
			calls := 0
			s := portal(t, func(w http.ResponseWriter, ids []string, _ string) {
				calls++
				if slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(bad, id) }) {
					say(w, tc.status, tc.body)
					return
				}
				for _, id := range ids {
					written[id]++
				}
				say(w, 200, "{"+accepted(ids)+"}")
			})
			outcomes, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), scores(100))
			if err != nil || len(outcomes) != 100 || len(written) != 98 {
				t.Fatalf("%d outcomes, %d written, %v", len(outcomes), len(written), err)
			}
			for i, o := range outcomes {
				id := fmt.Sprint(i + 1)
				if o.Ref.ID != id || slices.Contains(bad, id) != (o.Err != nil && errors.Is(o.Err, connectors.ErrPark)) || written[id] > 1 {
					t.Errorf("%+v, written %d times", o, written[id])
				}
				if o.Err != nil && o.Err.Remedy == "" {
					t.Errorf("%s: it does not say what to do", id)
				}
			}
			if calls > 2*2*7+1 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

// TestOutcomes: what is certain beforehand is not sent, and each row of a mixed answer has its own outcome.
func TestOutcomes(t *testing.T) {
	var bodies []string
	s := portal(t, func(w http.ResponseWriter, ids []string, body string) {
		bodies = append(bodies, body)
		if !slices.Contains(ids, "1") {
			say(w, 200, "{"+accepted(ids)+"}")
			return
		}
		say(w, 207, "{"+accepted([]string{"1", "777"})+`,"numErrors":1,"errors":[
			{"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some DEAL objects","context":{"ids":["2"]}}]}`)
	})
	deal := func(id string, v crm.Values) crm.Update {
		return crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: id}, Values: v}
	}
	updates := []crm.Update{
		deal("1", crm.Values{"score": "31", "rating": ""}),
		deal("2", crm.Values{"score": "1"}),
		deal("3", crm.Values{"score": "1"}), // merged into 777
		deal("4", crm.Values{"score": "many"}),
		deal("5", crm.Values{"rating": "Purple"}),
		deal("6", crm.Values{"unknown": "1"}),
		deal("1", crm.Values{"score": "32"}),
		{Ref: crm.Ref{Object: crm.AccountObject, ID: "9"}, Values: crm.Values{"health": "Green"}},
	}
	want := []error{nil, connectors.ErrDrop, connectors.ErrPark, connectors.ErrPark, connectors.ErrPark, connectors.ErrConfig, nil, nil}
	got, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), updates)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d outcomes, %v", len(got), err)
	}
	for i, o := range got {
		if o.Ref != updates[i].Ref || (want[i] == nil) != (o.Err == nil) || want[i] != nil && !errors.Is(o.Err, want[i]) {
			t.Errorf("outcome %d: %+v, want %v", i, o, want[i])
		}
	}
	sent := []string{
		`{"inputs":[{"id":"1","properties":{"handoff_rating":"","handoff_score":"31"}},{"id":"2","properties":{"handoff_score":"1"}},{"id":"3","properties":{"handoff_score":"1"}}]}`,
		`{"inputs":[{"id":"1","properties":{"handoff_score":"32"}}]}`,
		`{"inputs":[{"id":"9","properties":{"handoff_health":"Green"}}]}`,
	}
	if diff := cmp.Diff(sent, bodies); diff != "" {
		t.Errorf("sent, -want +got:\n%s", diff)
	}
}

// TestNothingWritten: HubSpot calls a batch complete and lists no row of it: none is taken for written.
// https://github.com/HubSpot/hubspot-api-nodejs/issues/26
func TestNothingWritten(t *testing.T) {
	s := portal(t, func(w http.ResponseWriter, _ []string, _ string) { say(w, 200, "{"+accepted(nil)+"}") })
	outcomes, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), scores(3))
	if err != nil || len(outcomes) != 3 {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for _, o := range outcomes {
		if o.Err == nil || !errors.Is(o.Err, connectors.ErrPark) || o.Err.Remedy == "" {
			t.Errorf("%s: %v", o.Ref.ID, o.Err)
		}
	}
}

// TestWriteBreaksOff: when a call fails in an unknown state, the outcomes of those before it are still told.
func TestWriteBreaksOff(t *testing.T) {
	calls := 0
	s := portal(t, func(w http.ResponseWriter, ids []string, _ string) {
		if calls++; calls == 2 {
			panic(http.ErrAbortHandler)
		}
		say(w, 200, "{"+accepted(ids)+"}")
	})
	updates := scores(250)
	updates[240].Values = crm.Values{"score": "many"}
	outcomes, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), updates)
	s.calls()
	if !errors.Is(err, connectors.ErrRetry) || len(outcomes) != 101 || calls != 2 {
		t.Errorf("%d outcomes after %d calls, %v; want those of the first call, and the row that is never sent", len(outcomes), calls, err)
	}
}

// TestMissingScopeOfWrites: nothing of the batch is wrong, the token is.
func TestMissingScopeOfWrites(t *testing.T) {
	s := portal(t, func(w http.ResponseWriter, _ []string, _ string) { say(w, 403, noScope) })
	_, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), scores(1))
	if !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "crm.objects.deals.read") {
		t.Errorf("got %v", err)
	}
}

// TestCompaniesHidden: deals are written all the same, and the row of a company says why it is not.
func TestCompaniesHidden(t *testing.T) {
	s := portal(t, func(w http.ResponseWriter, ids []string, _ string) { say(w, 200, "{"+accepted(ids)+"}") })
	answer := s.answer
	s.answer = func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.Contains(r.URL.Path, "companies") {
			say(w, 403, noScope)
			return
		}
		answer(w, r, body)
	}
	updates := append(scores(1), crm.Update{Ref: crm.Ref{Object: crm.AccountObject, ID: "9"}, Values: crm.Values{"health": "Green"}})
	outcomes, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Write(t.Context(), updates)
	if err != nil || outcomes[0].Err != nil || outcomes[1].Err == nil || outcomes[1].Err.Code != missingScopes {
		t.Errorf("%+v, %v", outcomes, err)
	}
}

// TestUnwritableProperty: a property that HubSpot refuses, or that cannot hold what we write, is told with the key that names it.
func TestUnwritableProperty(t *testing.T) {
	s := portal(t, func(w http.ResponseWriter, _ []string, _ string) {
		say(w, 400, strings.NewReplacer("INVALID_OPTION", "READ_ONLY_VALUE", "handoff_health", "own_score").Replace(badOption))
	})
	answer := s.answer
	s.answer = func(w http.ResponseWriter, r *http.Request, body string) {
		if strings.HasSuffix(r.URL.Path, "/properties/2026-09/deals") {
			say(w, 200, `{"results":[{"name":"own_score","type":"number","fieldType":"number"},{"name":"handoff_rating","type":"string","fieldType":"text"}]}`)
			return
		}
		answer(w, r, body)
	}
	updates := append(scores(1), crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: "2"}, Values: crm.Values{"rating": "Excellent"}})
	c := s.client(t, func(c *Config) { c.Specs, c.HandoffFields = testSpecs, map[string]string{"score": "own_score"} })
	outcomes, err := c.Write(t.Context(), updates)
	if err != nil || len(outcomes) != 2 {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	for i, setting := range []string{"handoff_fields.score", "handoff_fields.rating"} {
		if e := outcomes[i].Err; e == nil || e.Setting != setting || !errors.Is(e, connectors.ErrConfig) || e.Remedy == "" {
			t.Errorf("outcome %d: %+v, want one at %s", i, e, setting)
		}
	}
}
