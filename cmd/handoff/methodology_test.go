package main

import (
	"slices"
	"strings"
	"testing"

	"handoff/crm"
)

func TestMethodology(t *testing.T) { overBoth(t, testMethodology) }

// testMethodology keeps the need of a deal where BANT teams do: it counts once the configuration names the methodology.
func testMethodology(t *testing.T, connection string) {
	s := newScene(t, connection)
	object, field := "Opportunity", "BANT_Need__c"
	if connection == "hubspot" {
		object, field = "deals", "bant_need"
		s.property("POST", "", `{"name": "bant_need", "label": "BANT: need", "groupName": "dealinformation", "type": "string", "fieldType": "textarea"}`)
	} else {
		s.createField(field, `{"label": "BANT: need", "type": "LongTextArea", "length": 1000, "visibleLines": 3}`)
	}
	run := func() {
		t.Helper()
		if exit, text := s.exec("run", "--once", "--connection", connection); exit != exitDone {
			t.Fatalf("run: exit %d:\n%s", exit, text)
		}
	}
	points := func(id string) string {
		deals := s.crm.records(crm.DealObject)
		return deals[slices.IndexFunc(deals, func(r record) bool { return r.id == id })].values["item_1_2"]
	}
	run()
	deals := s.crm.records(crm.DealObject)
	i := slices.IndexFunc(deals, func(r record) bool { return r.values["item_1_2"] == "0" || r.values["item_1_2"] == "1" })
	if i < 0 {
		t.Fatal("every deal says what the problem was")
	}
	id, before := deals[i].id, deals[i].values["item_1_2"]
	s.editRecord(object, id, map[string]any{field: "In May two lorries went to the same house by mistake, and a customer left over it: 40,000 EUR a year."})
	run()
	if got := points(id); got != before {
		t.Errorf("item 1.2 is %s without the methodology, want %s", got, before)
	}
	s.configure("methodology", `"bant"`)
	run()
	if got := points(id); got != "2" {
		t.Errorf("item 1.2 is %s with the methodology, want 2", got)
	}
	if exit, text := s.exec("explain", connection+":"+id); exit != exitDone || !strings.Contains(text, "two lorries") {
		t.Errorf("explain: exit %d:\n%s", exit, text)
	}
}
