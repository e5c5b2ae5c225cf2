package salesforce_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
)

// budgetDeals are so many that they are read in bulk. `make budgets` counts what whole runs over 10,000 cost.
const budgetDeals = 2200

const (
	bodiesRoute = "GET /services/data/…/sobjects/ContentVersion/…/VersionData"
	pollsRoute  = "GET /services/data/…/jobs/query/…"
	dropRoute   = "DELETE /services/data/…/jobs/query/…"

	compositeRoute = "POST /services/data/…/composite"
)

// longNotes counts the notes of won deals that are longer than their preview.
func (l *lab) longNotes(t *testing.T) int {
	t.Helper()
	linked := map[string]bool{}
	for _, link := range l.query(t, "SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Opportunity WHERE IsWon = true)") {
		linked[link.ContentDocumentID] = true
	}
	long := 0
	for _, n := range l.query(t, "SELECT Id, TextPreview FROM ContentNote") {
		if linked[n.ID] && len([]rune(n.TextPreview)) == 255 {
			long++
		}
	}
	return long
}

type found struct {
	ID                string `json:"Id"`
	ContentDocumentID string `json:"ContentDocumentId"`
	LinkedEntityID    string `json:"LinkedEntityId"`
	TextPreview       string
}

// query returns all rows that a query finds.
func (l *lab) query(t *testing.T, soql string) []found {
	t.Helper()
	var all []found
	for path := "/services/data/v62.0/query?q=" + url.QueryEscape(soql); path != ""; {
		var page struct {
			Next    string `json:"nextRecordsUrl"`
			Records []found
		}
		if err := json.Unmarshal(l.call(t, http.MethodGet, path, nil), &page); err != nil {
			t.Fatal(err)
		}
		all, path = append(all, page.Records...), page.Next
	}
	return all
}

// calls returns the API calls of do by route, as the sandbox counts them, those for tokens left out.
func (l *lab) calls(t *testing.T, do func()) (total int, byRoute map[string]int) {
	t.Helper()
	l.control(t, http.MethodDelete, "requests", nil)
	do()
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	l.control(t, http.MethodGet, "requests", &counts)
	delete(counts.ByRoute, "POST /services/oauth2/token")
	for _, n := range counts.ByRoute {
		total += n
	}
	return total, counts.ByRoute
}

// heal removes all faults.
func (l *lab) heal(t *testing.T) {
	t.Helper()
	l.control(t, http.MethodDelete, "faults", nil)
}

// control calls the sandbox's own endpoints.
func (l *lab) control(t *testing.T, method, what string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+"/_sandbox/"+what, nil)
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
	m := newMemory()
	l := newLab(t, deals.Generate(budgetDeals, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)), func(c *salesforce.Config) { c.Memory, c.Sleep = m, hurried })
	long := l.longNotes(t)
	_, routes := l.calls(t, func() { m.pull(t, l.client) })
	if got := routes[bodiesRoute]; got != long {
		t.Errorf("%d bodies of notes are read, want one for each of the %d that are longer than a preview", got, long)
	}
	inBulk := routes[jobsRoute] + routes[resultsRoute] + routes[dropRoute]
	if inBulk > 4*bulkObjects {
		t.Errorf("the first pull of %d deals takes %d calls in bulk, want %d at most: %v", len(m.snapshots), inBulk, 4*bulkObjects, routes)
	}
	// One call describes, one lists, and one reads the present values of our fields on a thousand deals.
	if got, want := routes[compositeRoute], 2+(len(m.snapshots)+999)/1000; got > want {
		t.Errorf("%d composites, want %d at most", got, want)
	}
	t.Logf("first pull of %d deals: %d calls in bulk, %d polls, %d composites, %d bodies", len(m.snapshots), inBulk, routes[pollsRoute], routes[compositeRoute], long)

	l.clock.Advance(time.Hour)
	m.pull(t, l.client)
	l.clock.Advance(time.Hour)
	quiet, routes := l.calls(t, func() { m.pull(t, l.client) })
	if quiet > 3 {
		t.Errorf("a pull without news: %d calls, want 3 at most: %v", quiet, routes)
	}

	l.clock.Advance(time.Hour)
	l.token = "" // has expired
	var deal string
	for id, s := range m.snapshots {
		if len(s.Notes) > 2 && len(s.Contacts) > 2 {
			deal = id
		}
	}
	if err := l.fixture(t).AddNote(deal, strings.Repeat("A long note. ", 30)); err != nil {
		t.Fatal(err)
	}
	var changed []connectors.Record
	note, routes := l.calls(t, func() { changed = m.pull(t, l.client) })
	if len(changed) != 1 {
		t.Fatalf("%d deals come", len(changed))
	}
	if note > quiet+5 {
		t.Errorf("one new note: %d calls, want 5 more than %d at most: %v", note, quiet, routes)
	}
	t.Logf("without news: %d calls; one new note: %d", quiet, note)
}
