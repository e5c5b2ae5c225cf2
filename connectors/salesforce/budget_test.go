package salesforce_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// budgetDeals are as many as the budgets are promised for.
const budgetDeals = 10_000

// calls returns the API calls of do by route, as the sandbox counts them, those for tokens left out.
func (l *lab) calls(t *testing.T, do func()) (total int, byRoute map[string]int) {
	t.Helper()
	l.control(t, http.MethodDelete, nil)
	do()
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	l.control(t, http.MethodGet, &counts)
	delete(counts.ByRoute, "POST /services/oauth2/token")
	for _, n := range counts.ByRoute {
		total += n
	}
	return total, counts.ByRoute
}

// control asks the sandbox for its counts, or sets them to zero.
func (l *lab) control(t *testing.T, method string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+"/_sandbox/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// TestCallBudget counts what pulls cost: calls are what an org shares between all its integrations.
func TestCallBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("loads a large org")
	}
	l := newLab(t, deals.Generate(budgetDeals, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	var records []connectors.Record
	var marks crm.Watermarks
	records, marks = pull(t, l.client, nil)

	l.clock.Advance(time.Hour)
	_, marks = pull(t, l.client, marks)
	l.clock.Advance(time.Hour)
	quiet, routes := l.calls(t, func() { _, marks = pull(t, l.client, marks) })
	if quiet > 3 {
		t.Errorf("a pull without news: %d calls, want 3 at most: %v", quiet, routes)
	}

	l.clock.Advance(time.Hour)
	f := l.fixture(t)
	with := slices.IndexFunc(records, func(r connectors.Record) bool { return len(r.Snapshot.Notes) == 0 })
	if err := f.AddNote(records[with].Snapshot.ID, strings.Repeat("A long note. ", 30)); err != nil {
		t.Fatal(err)
	}
	var changed []connectors.Record
	note, routes := l.calls(t, func() { changed, _ = pull(t, l.client, marks) })
	if len(changed) != 1 {
		t.Fatalf("%d deals come", len(changed))
	}
	if note > quiet+5 {
		t.Errorf("one new note: %d calls, want 5 more than %d at most: %v", note, quiet, routes)
	}
}
