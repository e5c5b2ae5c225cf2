package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors/sandbox/control"
)

// api calls a portal through its control endpoints, by a clock that moves only when a test moves it.
type api struct {
	t      *testing.T
	portal *Portal
	h      http.Handler
	token  string

	mu  sync.Mutex
	now time.Time
}

// The records of a new api.
const (
	annID, bobID          = "10000000001", "10000000002"
	wonID, lostID, openID = "30000000001", "30000000002", "30000000003"
	repID, formerID       = "70000002", "70000003"
	repUser               = 5_000_002
	nowhere               = "999999999999001"
	dealRecords           = "/crm/objects/2026-09/deals"
	dealsToContacts       = "/crm/associations/2026-09/deals/contacts"
	dealProperties        = "/crm/properties/2026-09/deals"
)

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{t: t, token: Token, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	p, err := New(func() time.Time {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.now
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.load(t.Context(), fixture); err != nil {
		t.Fatal(err)
	}
	p.NoLimits()
	a.portal, a.h = p, control.New(p.Control(), control.Options{})
	return a
}

func fixture(ctx context.Context, t *tx) error {
	day := func(n int) time.Time { return time.Date(2026, 10, n, 9, 0, 0, 0, time.UTC) }
	rep, user := t.addOwner(newOwner{Email: "rep@sandbox.example", FirstName: "Rea", LastName: "Rep"})
	former, _ := t.addOwner(newOwner{Email: "old@sandbox.example", FirstName: "Olga", LastName: "Former", Former: true})
	records := []newRecord{
		{Object: "contacts", Properties: map[string]string{"email": "Ann@example.com", "firstname": "Ann", "hs_buying_role": "CHAMPION;END_USER"}, Created: day(1)},
		{Object: "contacts", Properties: map[string]string{"email": "bob@example.org"}, Created: day(2)},
		{Object: "deals", Created: day(1), CreatedBy: user, Modified: day(3), ModifiedBy: user,
			Properties: map[string]string{"dealname": "Acme GmbH - Platform", "amount": "48000", ownerProperty: rep, "closedate": "2026-10-02"},
			History:    map[string][]change{"dealstage": {{"qualifiedtobuy", day(1), user}, {"closedwon", day(2), user}}}},
		{Object: "deals", Created: day(2), Properties: map[string]string{"dealname": "beta", "amount": "9000", ownerProperty: former, "dealstage": "closedlost"}},
		{Object: "deals", Created: day(4), Properties: map[string]string{"dealname": "Gamma", "dealstage": "contractsent"}},
	}
	for _, r := range records {
		if _, err := t.insert(ctx, r); err != nil {
			return err
		}
	}
	if err := t.associate(ctx, ref{"deals", wonID}, ref{"contacts", annID}, "Decision maker"); err != nil {
		return err
	}
	return t.associate(ctx, ref{"deals", wonID}, ref{"contacts", bobID})
}

// wait moves the clock.
func (a *api) wait(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

// call makes a call and returns its answer.
func (a *api) call(method, path, body string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	return w
}

// get makes a call that must be answered with status, and decodes the answer.
func get[T any](a *api, status int, method, path, body string) T {
	a.t.Helper()
	w := a.call(method, path, body)
	if w.Code != status {
		a.t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		a.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	return v
}

// values returns properties of a deal, "<nil>" for one without a value.
func (a *api) values(id string, names ...string) []string {
	a.t.Helper()
	got := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+id+"?properties="+strings.Join(names, ","), "")
	var values []string
	for _, name := range names {
		if v := got.Properties[name]; v != nil {
			values = append(values, *v)
		} else {
			values = append(values, "<nil>")
		}
	}
	return values
}

// refusal makes a call that must be refused, and returns status, category and message.
func (a *api) refusal(method, path, body string) string {
	a.t.Helper()
	w := a.call(method, path, body)
	var e apiError
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Status != "error" || len(e.CorrelationID) != 36 {
		a.t.Fatalf("%s %s: status %d, not an error of HubSpot's form: %s", method, path, w.Code, w.Body)
	}
	return fmt.Sprintf("%d %s %s", w.Code, e.Category, e.Message)
}

func (a *api) fault(body string) {
	a.t.Helper()
	if w := a.call("POST", "/_sandbox/faults", body); w.Code != http.StatusNoContent {
		a.t.Fatalf("fault: %d %s", w.Code, w.Body)
	}
}

// fuzzed is the portal of all runs of a fuzz test: a new one for each would be slow.
var fuzzed = sync.OnceValues(func() (*Portal, error) {
	p, err := New(func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) })
	if err != nil {
		return nil, err
	}
	p.NoLimits()
	return p, p.load(context.Background(), fixture)
})

func fuzzAPI(t *testing.T) *api {
	t.Helper()
	p, err := fuzzed()
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, portal: p, token: Token, h: p.Handler()}
}

// quote writes a text as JSON.
func quote(s string) string {
	b, err := json.Marshal(s, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// cut returns part where s holds it, and the whole of s elsewhere.
func cut(s, part string) string {
	if strings.Contains(s, part) {
		return part
	}
	return s
}
