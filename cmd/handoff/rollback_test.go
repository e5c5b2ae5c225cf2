package main

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// TestRollback takes back a run over HTTP: the CRM is as before it, but for what a person has changed since; runs after that
// change nothing until they may.
func TestRollback(t *testing.T) { overBoth(t, testRollback) }

func testRollback(t *testing.T, connection string) {
	l := newLab(t, connection, "--generate", "250", "--seed", "7", "--no-limits")
	l.handoff(0, "setup", "--apply")
	before := state(l)
	l.run()
	after := state(l)
	edited := l.crm.records(crm.DealObject)[0]
	for _, r := range l.crm.records(crm.DealObject) {
		if r.values["score"] != "" {
			edited = r
		}
	}
	l.crm.edit(edited.id, map[string]any{"item_2_1": 1})
	if edited.values["item_2_1"] == "1" {
		l.crm.edit(edited.id, map[string]any{"item_2_1": 2})
	}

	lines := strings.Split(strings.TrimSpace(l.handoff(0, "rollback", "1", "--json")), "\n")
	var sum struct{ Restored, Left, Stuck int }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Restored != len(lines)-1 || sum.Restored < 250 || sum.Left != 1 || sum.Stuck != 0 {
		t.Errorf("%d lines, and %s", len(lines), lines[len(lines)-1])
	}
	back := state(l)
	key := string(crm.DealObject) + " " + edited.name
	item := maps.Clone(back[key])["item_2_1"]
	before[key]["item_2_1"] = item
	if diff := cmp.Diff(before, back); diff != "" {
		t.Errorf("rolled back (-before the run +now):\n%s", diff)
	}

	l.handoff(1, "run", "--once", "--connection", connection)
	if diff := cmp.Diff(back, state(l)); diff != "" {
		t.Errorf("a run wrote to records that are held (-held +now):\n%s", diff)
	}
	l.crm.edit(edited.id, map[string]any{"item_2_1": nil})
	l.handoff(0, "rollback", "1", "--release")
	l.run()
	if diff := cmp.Diff(after, state(l)); diff != "" {
		t.Errorf("let go (-after the run +now):\n%s", diff)
	}
}
