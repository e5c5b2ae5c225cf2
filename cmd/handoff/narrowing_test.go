package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

func TestNarrowedFilter(t *testing.T) { overBoth(t, testNarrowedFilter) }

// testNarrowedFilter scores deals without writing, and then narrows a filter before anything is written: only the deals that
// it still passes are, until it is widened again.
func testNarrowedFilter(t *testing.T, connection string) {
	s := newScene(t, connection)
	run := func(want string) {
		t.Helper()
		if exit, text := s.exec("run", "--once", "--connection", connection); exit != exitDone || !strings.Contains(text, want) {
			t.Fatalf("run: exit %d, want %q:\n%s", exit, want, text)
		}
	}
	written := func(object crm.Object, field string) []string {
		var names []string
		for _, r := range s.crm.records(object) {
			if r.values[field] != "" {
				names = append(names, r.name)
			}
		}
		slices.Sort(names)
		return names
	}
	s.configure("write_back", "false")
	run("4 scored, 0 written")
	if got := written(crm.DealObject, "score"); len(got) > 0 {
		t.Fatalf("written without write_back: %q", got)
	}
	object, field, existing := "Opportunity", "Type", "Existing Business"
	if connection == "hubspot" {
		object, field, existing = "deals", "dealtype", "existingbusiness"
	}
	for _, r := range s.crm.records(crm.DealObject)[:2] {
		s.editRecord(object, r.id, map[string]any{field: existing})
	}
	s.configure("deal_types", fmt.Sprintf("[%q]", existing))
	s.configure("write_back", "true")
	run("2 written")
	all := written(crm.DealObject, "score")
	if len(all) != 2 {
		t.Errorf("written: %q, want the two deals of the type", all)
	}
	if accounts := written(crm.AccountObject, "health"); len(accounts) != 2 {
		t.Errorf("accounts written: %q, want those of the two deals", accounts)
	}
	run("0 written")
	s.configure("deal_types", "[]")
	run("2 written")
	if diff := cmp.Diff(4, len(written(crm.DealObject, "score"))); diff != "" {
		t.Errorf("widened again, deals -want +written: %s", diff)
	}
}
