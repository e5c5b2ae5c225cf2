package hubspot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
)

// This file holds what users of other connectors lose, for a search is an index that lags behind, ends at 10,000 rows and moves
// while it is read. Each test names a report of it.

func usualOverlap(c *hubspot.Config) { c.Overlap = hubspot.DefaultOverlap }

// lateInSearches makes what changes on a path appear in searches so much later.
func (l *lab) lateInSearches(t *testing.T, path string, by time.Duration) {
	t.Helper()
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": path, "lag_ms": by.Milliseconds()})
}

func (l *lab) patch(t *testing.T, kind, id string, properties map[string]string) {
	t.Helper()
	l.must(t, http.MethodPatch, "/crm/objects/2026-09/"+kind+"/"+id, map[string]any{"properties": properties})
}

// TestIndexLag: a search is behind; what it did not find yet is found by the pull after it.
// https://github.com/airbytehq/airbyte/issues/69203
// https://github.com/airbytehq/airbyte/issues/31176
// https://github.com/estuary/connectors/issues/1861
func TestIndexLag(t *testing.T) {
	l := newLab(t, deals.Demo()[:3], usualOverlap)
	f := l.fixture(t)
	n := pull(t, l.client, nil)
	id := n.records[0].Snapshot.ID
	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks)
	l.lateInSearches(t, "/crm/objects/2026-09/notes", 10*time.Minute)
	if err := f.AddNote(id, "They go live on 9 November."); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	if n = pull(t, l.client, n.marks); len(n.records) != 0 {
		t.Fatalf("%d deals come although the index lags", len(n.records))
	}
	l.clock.Advance(15 * time.Minute)
	if n = pull(t, l.client, n.marks); len(n.records) != 1 {
		t.Errorf("%d deals come once the index knows", len(n.records))
	}
}

// TestIndexLagOfFirstPull: a deal that was won just before the first pull is in no list of it, and in that of the next.
func TestIndexLagOfFirstPull(t *testing.T) {
	l := newLab(t, deals.Demo()[:3], usualOverlap)
	id := pull(t, l.client, nil).records[0].Snapshot.ID
	l.patch(t, "deals", id, map[string]string{"dealstage": "closedlost", "pipeline": "default"})
	l.clock.Advance(time.Hour)
	l.lateInSearches(t, "/crm/objects/2026-09/deals/.*", 10*time.Minute)
	l.patch(t, "deals", id, map[string]string{"dealstage": "closedwon", "pipeline": "default"})
	l.clock.Advance(time.Minute)
	n := pull(t, l.client, nil)
	if len(n.records) != 2 {
		t.Fatalf("%d deals come although the index lags", len(n.records))
	}
	l.clock.Advance(15 * time.Minute)
	if n = pull(t, l.client, n.marks); len(n.records) != 1 || n.records[0].Snapshot.ID != id {
		t.Errorf("%d deals come once the index knows", len(n.records))
	}
}

// TestStaleIndex: a search that still shows a deal as won is not believed; the deal has left when the search knows.
func TestStaleIndex(t *testing.T) {
	l := newLab(t, deals.Demo()[:3], usualOverlap)
	n := pull(t, l.client, nil)
	id := n.records[0].Snapshot.ID
	l.clock.Advance(time.Hour)
	l.lateInSearches(t, "/crm/objects/2026-09/deals/.*", 10*time.Minute)
	l.patch(t, "deals", id, map[string]string{"dealstage": "closedlost", "pipeline": "default"})
	l.must(t, http.MethodDelete, "/_sandbox/faults", nil)
	if err := l.fixture(t).AddNote(id, "They left."); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	n = pull(t, l.client, n.marks)
	left := n.left
	if len(n.records) != 0 {
		t.Errorf("%d deals come", len(n.records))
	}
	l.clock.Advance(15 * time.Minute)
	n = pull(t, l.client, n.marks)
	if left = append(left, n.left...); !slices.Contains(left, id) || len(n.records) != 0 {
		t.Errorf("%d deals come, left %v", len(n.records), left)
	}
}

// TestSearchBringsOthers: a search for recent changes brings rows that did not change; they are no news.
func TestSearchBringsOthers(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	var rows []any
	for _, r := range n.records {
		rows = append(rows, map[string]any{"id": r.Snapshot.ID, "properties": map[string]string{"hs_lastmodifieddate": "2026-10-01T00:00:00Z", "hs_is_closed_won": "true"}})
	}
	body := map[string]any{"total": len(rows), "results": rows}
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/crm/objects/2026-09/deals/search", "body": body})
	if n = pull(t, l.client, n.marks); len(n.records) != 0 {
		t.Errorf("%d deals come", len(n.records))
	}
}

// TestSearchBringsLater: a search brings a row that changed after it began; the next pull begins where this one did all the same.
// https://github.com/estuary/connectors/pull/2210
func TestSearchBringsLater(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	n := pull(t, l.client, nil)
	early, late := n.records[0].Snapshot.ID, n.records[1].Snapshot.ID
	for _, deal := range []string{early, late} {
		if err := l.fixture(t).AddNote(deal, "They go live on 9 November."); err != nil {
			t.Fatal(err)
		}
	}
	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks)
	l.clock.Advance(time.Hour)
	row := map[string]any{"id": l.ids(t, late, "notes")[0], "properties": map[string]string{"hs_lastmodifieddate": l.clock.Now().Add(time.Hour).Format(time.RFC3339)}}
	body := map[string]any{"total": 1, "results": []any{row}}
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/crm/objects/2026-09/notes/search", "times": 1, "body": body})
	n = pull(t, l.client, n.marks)
	if len(n.records) != 1 || n.records[0].Snapshot.ID != late {
		t.Fatalf("%d deals", len(n.records))
	}
	l.clock.Advance(time.Minute)
	l.patch(t, "notes", l.ids(t, early, "notes")[0], map[string]string{"hs_note_body": "They go live on 10 November."})
	l.clock.Advance(time.Minute)
	if n = pull(t, l.client, n.marks); len(n.records) != 1 || n.records[0].Snapshot.ID != early {
		t.Errorf("after it, %d deals", len(n.records))
	}
}

// TestOverlapBringsAgain: what the overlap brings once more comes once in a pull, as it was, and not for ever.
// https://github.com/singer-io/tap-hubspot/issues/161
func TestOverlapBringsAgain(t *testing.T) {
	l := newLab(t, deals.Demo()[:3], usualOverlap)
	n := pull(t, l.client, nil)
	deal := n.records[0].Snapshot.ID
	l.clock.Advance(time.Hour)
	if err := l.fixture(t).AddNote(deal, "They go live on 9 November."); err != nil {
		t.Fatal(err)
	}
	l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+deal, map[string]any{"description": "news"})
	var first string
	for i := range 3 {
		l.clock.Advance(time.Minute)
		n = pull(t, l.client, n.marks)
		if len(n.records) != 1 || n.records[0].Snapshot.ID != deal {
			t.Fatalf("pull %d: %d deals", i, len(n.records))
		}
		hash := n.records[0].Snapshot.Hash()
		if first == "" {
			first = hash
		}
		if hash != first {
			t.Errorf("pull %d: the deal is another one", i)
		}
	}
	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks) // reaches back from the pull before it
	if n = pull(t, l.client, n.marks); len(n.records) != 0 {
		t.Errorf("%d deals come again", len(n.records))
	}
}

// TestSearchEndsEarly: a search that brings nothing, and says that there is something, is not taken for its end.
// https://github.com/airbytehq/airbyte/issues/23630
func TestSearchEndsEarly(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	body := map[string]any{"total": 7, "results": []any{}}
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/crm/objects/2026-09/deals/search", "times": 1, "body": body})
	if n, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("%d deals, %v", len(n.records), err)
	}
	if n := pull(t, l.client, nil); len(n.records) != 3 {
		t.Errorf("after it, %d deals", len(n.records))
	}
}

// TestManyChanges: what is listed does not end at 10,000 rows, nor what belongs to one record at a page.
// https://github.com/airbytehq/airbyte/issues/26365
// https://github.com/HubSpot/hubspot-api-python/issues/187
// https://github.com/HubSpot/hubspot-api-nodejs/issues/132
func TestManyChanges(t *testing.T) {
	const many = 10_100
	l := newLab(t, deals.Demo()[:2])
	n := pull(t, l.client, nil)
	id, before := n.records[0].Snapshot.ID, len(n.records[0].Snapshot.Notes)
	l.clock.Advance(time.Hour)
	types := []associationType{{"HUBSPOT_DEFINED", 214}}
	for from := 0; from < many; from += 100 {
		var inputs []any
		for i := range 100 {
			inputs = append(inputs, map[string]any{
				"properties":   map[string]string{"hs_note_body": fmt.Sprint("Note ", from+i), "hs_timestamp": l.clock.Now().Format(time.RFC3339)},
				"associations": []any{map[string]any{"to": map[string]string{"id": id}, "types": types}},
			})
		}
		l.must(t, http.MethodPost, "/crm/objects/2026-09/notes/batch/create", map[string]any{"inputs": inputs})
		l.clock.Advance(time.Second)
	}
	l.clock.Advance(time.Minute)
	n = pull(t, l.client, n.marks)
	if len(n.records) != 1 || len(n.records[0].Snapshot.Notes) != before+many {
		t.Errorf("%d deals, %d notes, want %d", len(n.records), len(n.records[0].Snapshot.Notes), before+many)
	}
}

// TestSearchMoves: what is deleted or changed between two pages of a search shifts no other row out of it.
func TestSearchMoves(t *testing.T) {
	l := newLab(t, deals.Generate(450, 1, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	want := map[string]bool{}
	for _, r := range pull(t, l.client, nil).records {
		want[r.Snapshot.ID] = true
	}
	var first string
	for id := range want {
		if first == "" || id < first {
			first = id
		}
	}
	pages := 0
	c := l.again(t, func(c *hubspot.Config) {
		c.Sleep = func(ctx context.Context, d time.Duration) error { // between two searches
			l.clock.Advance(d)
			if pages++; pages == 1 {
				l.must(t, http.MethodDelete, "/crm/objects/2026-09/deals/"+first, nil)
			}
			return ctx.Err()
		}
	})
	for _, r := range pull(t, c, nil).records {
		delete(want, r.Snapshot.ID)
	}
	delete(want, first)
	if pages == 0 || len(want) > 0 {
		t.Errorf("missing, after %d waits: %v", pages, want)
	}
}

// TestChangedDuringPull: what changes while a pull reads is news for the next.
// https://github.com/singer-io/tap-hubspot/issues/226
func TestChangedDuringPull(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	var n news
	err := l.client.Pull(t.Context(), nil, func(b connectors.Batch) error {
		if len(b.Records) > 0 {
			n.records = b.Records
			l.clock.Advance(time.Minute)
			l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+b.Records[0].Snapshot.ID, map[string]any{"description": "news"})
			l.clock.Advance(time.Hour)
		}
		if b.Watermarks != nil {
			n.marks = b.Watermarks
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	id := n.records[0].Snapshot.ID
	if n = pull(t, l.client, n.marks); len(n.records) != 1 || n.records[0].Snapshot.ID != id {
		t.Errorf("%d deals", len(n.records))
	}
}
