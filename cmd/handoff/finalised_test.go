package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"handoff/crm"
)

// TestFinalisedWhileAnOptionIsMissing: the card is frozen with the health that its points give, and the field gets it once it
// offers the option again.
func TestFinalisedWhileAnOptionIsMissing(t *testing.T) {
	t.Parallel()
	s := newScene(t, "hubspot")
	s.runs(exitDone)
	const option = `{"label": %q, "value": %[1]q, "displayOrder": 0, "hidden": false}`
	offer := func(values ...string) {
		var options []string
		for _, v := range values {
			options = append(options, fmt.Sprintf(option, v))
		}
		s.property("PATCH", "/handoff_health", `{"options": [`+strings.Join(options, ", ")+`]}`)
	}
	offer("Green", "Yellow")
	deals := s.crm.records(crm.DealObject)
	at := slices.IndexFunc(deals, func(r record) bool { return r.values["health"] != "Red" })
	if at < 0 {
		t.Fatal("every deal is Red already")
	}
	id, was := deals[at].id, deals[at].values["health"]
	edits := map[string]any{"handoff_finalised": "true"}
	for field := range deals[at].values {
		if strings.HasPrefix(field, "item_") && field != "item_notes" {
			edits["handoff_"+field] = "0"
		}
	}
	s.editRecord("deals", id, edits)
	health := func() string {
		for _, r := range s.crm.records(crm.DealObject) {
			if r.id == id {
				return r.values["health"]
			}
		}
		return ""
	}
	s.runs(exitIssue)
	if got := health(); got != was {
		t.Errorf("without the option Red, health is %q, want %q", got, was)
	}
	offer("Green", "Yellow", "Red")
	s.runs(exitDone)
	if got := health(); got != "Red" {
		t.Errorf("health is %q, want Red", got)
	}
}

// runs runs the connection once and wants an exit code.
func (s *scene) runs(want int) {
	s.t.Helper()
	if exit, text := s.exec("run", "--once", "--connection", s.connection); exit != want {
		s.t.Fatalf("run: exit %d, want %d: %s", exit, want, text)
	}
}
