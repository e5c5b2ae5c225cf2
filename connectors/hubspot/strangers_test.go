package hubspot_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
)

// TestStrangersAreNoNews: contacts and companies that are on no deal cost nothing, however many of them change.
func TestStrangersAreNoNews(t *testing.T) {
	l := newLab(t, deals.Demo()[:3], func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "company.description"} })
	n := pull(t, l.client, nil)
	deal := n.records[0].Snapshot
	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks)
	l.requests(t)
	quiet := pull(t, l.client, n.marks)
	want := l.requests(t)
	for object, names := range map[string]string{"contacts": "lastname", "companies": "name"} {
		for batch := range 3 {
			var inputs []any
			for i := range 100 {
				inputs = append(inputs, map[string]any{"properties": map[string]string{names: strconv.Itoa(100*batch + i)}})
			}
			if _, err := l.call(t, http.MethodPost, "/crm/objects/2026-09/"+object+"/batch/create", map[string]any{"inputs": inputs}); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.requests(t)
	again := pull(t, l.client, quiet.marks)
	got := l.requests(t)
	for route := range got {
		if got[route] != want[route] {
			t.Errorf("%s: %d calls, want %d as before they changed", route, got[route], want[route])
		}
	}
	if len(again.records) > 0 {
		t.Errorf("%d deals come", len(again.records))
	}
	l.clock.Advance(time.Hour)
	if err := l.fixture(t).EditRecord(t, "contacts", deal.Contacts[0].ID, map[string]any{"jobtitle": "CTO"}); err != nil {
		t.Fatal(err)
	}
	if n = pull(t, l.client, again.marks); len(n.records) != 1 || n.records[0].Snapshot.ID != deal.ID {
		t.Errorf("%d deals come when a contact of one changed", len(n.records))
	}
}
