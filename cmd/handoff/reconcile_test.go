package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"handoff/crm"
)

// reconciled is a line of `run --once --job reconcile --json`.
type reconciled struct {
	Connection                                      string
	Compared, Gone, Pulled, Written, Flagged, Calls int
	Left                                            string
}

// reconcile runs the reconciliation of the scene's connection.
func (s *scene) reconcile(exit int) reconciled {
	s.t.Helper()
	code, text := s.exec("run", "--once", "--job", "reconcile", "--connection", s.connection, "--json")
	lines := slices.Collect(strings.Lines(text))
	var r reconciled
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || code != exit {
		s.t.Fatalf("reconcile: exit %d, want %d: %s", code, exit, text)
	}
	return r
}

// once runs the scene's connection.
func (s *scene) once() {
	s.t.Helper()
	if code, text := s.exec("run", "--once", "--connection", s.connection); code != exitDone {
		s.t.Fatalf("run: exit %d: %s", code, text)
	}
}

// why returns what `deals` says of a deal.
func (s *scene) why(id string) (why string, flagged bool) {
	s.t.Helper()
	_, text := s.exec("deals", "--json")
	for line := range strings.Lines(text) {
		var row struct {
			ID, Why string
			Flagged bool
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			s.t.Fatal(err)
		}
		if row.ID == id {
			return row.Why, row.Flagged
		}
	}
	s.t.Fatalf("no deal %s: %s", id, text)
	return "", false
}

// TestReconcileDeleted: a deal that is deleted keeps its card, says so, is not flagged and not written to.
func TestReconcileDeleted(t *testing.T) {
	overBoth(t, func(t *testing.T, connection string) {
		s := newScene(t, connection)
		s.once()
		deals := s.crm.records(crm.DealObject)
		gone := deals[slices.IndexFunc(deals, func(r record) bool { return r.values["score"] != "" })]
		if connection == "salesforce" {
			s.salesforce("DELETE", "/sobjects/Opportunity/"+gone.id, "", nil)
		} else {
			s.call("DELETE", "/crm/objects/2026-09/deals/"+gone.id, hubspotToken, "", "", nil)
		}
		before := len(s.writes())
		if got := s.reconcile(exitDone); got.Gone != 1 || got.Compared < 2 || got.Calls == 0 {
			t.Errorf("did %+v", got)
		}
		if why, flagged := s.why(gone.id); why != "deleted in the CRM" || flagged {
			t.Errorf("%q, flagged %t", why, flagged)
		}
		if _, text := s.exec("explain", connection+":"+gone.id); !strings.Contains(text, "deleted in the CRM; the card is kept as it was") {
			t.Error(text)
		}
		if got := s.reconcile(exitDone); got.Gone != 0 || got.Written != 0 {
			t.Errorf("the second time it did %+v", got)
		}
		s.once()
		for c := range s.writes() {
			if c.record == gone.id && len(s.writes()) > before {
				t.Errorf("written to the deal that is gone: %s", c.field)
			}
		}
	})
}

// TestReconcileMerged: of two deals that are merged, the third has what people set, as theirs, and what we wrote, as ours.
func TestReconcileMerged(t *testing.T) {
	t.Parallel()
	s := newScene(t, "hubspot")
	s.once()
	deals := slices.DeleteFunc(s.crm.records(crm.DealObject), func(r record) bool { return r.values["score"] == "" })
	a, b := deals[0].id, deals[1].id
	other := func(item string) string { // points that neither has
		for _, points := range []string{"0", "1"} {
			if points != deals[0].values[item] && points != deals[1].values[item] {
				return points
			}
		}
		return "2"
	}
	s.crm.edit(a, map[string]any{"item_1_1": other("item_1_1")})
	s.crm.edit(b, map[string]any{"item_3_1": other("item_3_1")})
	s.once()
	var made struct{ ID string }
	s.call("POST", "/crm/objects/2026-09/deals/merge", hubspotToken, "application/json", fmt.Sprintf(`{"primaryObjectId": %q, "objectIdToMerge": %q}`, a, b), &made)

	code, text := s.exec("run", "--once", "--connection", "hubspot")
	if code != exitIssue || !strings.Contains(text, "what people had set on 1 merged deal is not on the deals that they were merged into: `handoff explain` of each shows it ("+b+")") {
		t.Errorf("exit %d: %s", code, text)
	}
	for _, id := range []string{a, b} {
		if why, flagged := s.why(id); why != "merged into deal "+made.ID || flagged {
			t.Errorf("%s: %q, flagged %t", id, why, flagged)
		}
	}
	_, text = s.exec("explain", "hubspot:"+made.ID, "--json")
	var e struct {
		Edits map[string]struct{ Value string }
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Edits) != 1 || e.Edits["item_1_1"].Value != other("item_1_1") {
		t.Errorf("edits of the merged deal: %v, want that of %s alone", e.Edits, a)
	}
	if got := s.reconcile(exitDone); got.Gone != 0 || got.Pulled != 0 || got.Left != "" {
		t.Errorf("the reconciliation after it did %+v", got)
	}
}
