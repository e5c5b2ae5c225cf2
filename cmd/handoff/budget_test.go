package main

import "testing"

// TestCallBudget counts the calls of whole runs on HubSpot, each in a process of its own: one without news takes eight, and a note
// that changed five more, beside the write that it leads to.
func TestCallBudget(t *testing.T) {
	l := newLab(t, "hubspot", "--generate", "250", "--seed", "3")
	l.handoff(0, "setup", "--apply", "--connection", l.connection)
	l.resetRequests()
	first := l.run()
	sent := l.requests()
	deals, companies := sent["POST /crm/objects/…/deals/batch/update"], sent["POST /crm/objects/…/companies/batch/update"]
	if want := (first.Written + 99) / 100; deals != want || companies > want { // no more companies than deals
		t.Errorf("%d deals are written by %d calls, and their companies by %d", first.Written, deals, companies)
	}
	quiet := l.run()
	for tries := 0; quiet.Calls > 8 && tries < 10; tries++ { // the overlap brings our own writes once more
		quiet = l.run()
	}
	if quiet.Calls > 8 {
		t.Errorf("a run without news takes %d calls, want 8", quiet.Calls)
	}
	var notes struct{ Results []struct{ ID string } }
	l.call("GET", "/crm/objects/2026-09/notes?limit=1", hubspotToken, "", "", &notes)
	l.editRecord("notes", notes.Results[0].ID, map[string]any{"hs_note_body": "<p>Go-live is on 9 November 2026, agreed with their IT.</p>"})
	l.resetRequests()
	changed := l.run()
	sent = l.requests()
	writes := sent["POST /crm/objects/…/deals/batch/update"] + sent["POST /crm/objects/…/companies/batch/update"]
	if changed.Pulled != 1 || changed.Calls-writes > 8+5 || writes > 2 {
		t.Errorf("a changed note: %+v, %d of them writes: %v", changed, writes, sent)
	}
}
