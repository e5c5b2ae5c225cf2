package hubspot_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// names returns what the portal holds of a list of definitions.
func (l *lab) names(t *testing.T, path string) []string {
	t.Helper()
	answer, err := l.call(t, http.MethodGet, "/crm/properties/2026-09/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Results []struct {
			Name string `json:"name"`
		} `json:"results"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list.Results {
		names = append(names, r.Name)
	}
	return names
}

func removal(t *testing.T, c *hubspot.Client) ([]string, []string) {
	t.Helper()
	plan, err := c.PlanRemoval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range plan.Steps {
		steps = append(steps, strings.Join([]string{string(rune(s.Change)), s.What, s.Target, s.Detail}, " "))
		if err := c.Apply(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s.Target, err)
		}
	}
	return steps, plan.ByHand
}

// TestRemovalLeavesThePortalAsItWas, seen through HubSpot's API.
func TestRemovalLeavesThePortalAsItWas(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	lists := []string{"deals", "deals/groups", "companies", "companies/groups"}
	before := map[string][]string{}
	for _, path := range lists {
		before[path] = l.names(t, path)
	}
	setUp(t, l)
	steps, byHand := removal(t, l.client)
	want := []string{
		"- property deals.handoff_gaps Handoff Gaps",
		"- property deals.handoff_ghost Ghost Handoff",
		"- property deals.handoff_health Handoff Health",
		"- property deals.handoff_item_1_1 1.1 Use case",
		"- property deals.handoff_next_action Handoff Next Action",
		"- property deals.handoff_score Handoff Score",
		"- property deals.handoff_scored_at Handoff Scored At",
		"- property group deals.handoff Handoff",
		"- property companies.handoff_health Handoff Health",
		"- property group companies.handoff Handoff",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps, -want +got:\n%s", diff)
	}
	for _, path := range lists {
		if diff := cmp.Diff(before[path], l.names(t, path)); diff != "" {
			t.Errorf("%s, -before +after:\n%s", path, diff)
		}
	}
	if len(byHand) != 2 || !strings.Contains(byHand[0], "Ghost or incomplete handoffs") || !strings.Contains(byHand[1], "tab Archived properties") {
		t.Errorf("by hand: %q", byHand)
	}
	if steps, byHand = removal(t, l.client); len(steps)+len(byHand) > 0 {
		t.Errorf("again: %q, by hand %q", steps, byHand)
	}
}

// TestRemovalUnderAnotherMapping: what was made under other names goes, and with it the group; a clone of it stays.
func TestRemovalUnderAnotherMapping(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	earlier := l.again(t, func(c *hubspot.Config) { c.HandoffFields = map[string]string{"score": "onb_score"} })
	plan, err := earlier.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Steps {
		if err := earlier.Apply(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	l.must(t, http.MethodPost, "/crm/properties/2026-09/deals", map[string]any{"name": "my_score", "label": "My score", "description": "Made by handoff.", "groupName": "handoff", "type": "number", "fieldType": "number"})
	steps, byHand := removal(t, l.client)
	if text := strings.Join(steps, "\n"); !strings.Contains(text, "- property deals.onb_score Handoff Score") || strings.Contains(text, "my_score") || strings.Contains(text, "deals.handoff ") {
		t.Errorf("steps:\n%s", text)
	}
	if !strings.HasPrefix(byHand[0], `deals.my_score stays, and the group Handoff with it: its description says "Made by handoff.", but `) {
		t.Errorf("by hand: %q", byHand)
	}
	l.must(t, http.MethodDelete, "/crm/properties/2026-09/deals/my_score", nil)
	if steps, _ = removal(t, l.client); cmp.Diff([]string{"- property group deals.handoff Handoff"}, steps) != "" {
		t.Errorf("then: %q", steps)
	}
}

// TestRemovalSparesOthers: a property that somebody else made stays, whatever its name and wherever it stands.
func TestRemovalSparesOthers(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	if err := l.createProperty(t, crm.FieldSpec{Name: "score", Label: "Our own score", Type: crm.Number}); err != nil {
		t.Fatal(err)
	}
	setUp(t, l)
	l.must(t, http.MethodPost, "/crm/properties/2026-09/deals", map[string]any{"name": "kickoff_mood", "label": "Mood", "groupName": "handoff", "type": "string", "fieldType": "text"})
	l.must(t, http.MethodPost, "/crm/properties/2026-09/deals", map[string]any{"name": "handoff_item_9_9", "label": "Of an older scorecard", "description": "Made by handoff.", "groupName": "handoff", "type": "number", "fieldType": "number"})
	l.must(t, http.MethodPost, "/crm/properties/2026-09/deals", map[string]any{"name": "handoff_call_notes", "label": "Handoff call notes", "groupName": "handoff", "type": "string", "fieldType": "textarea"})
	l.must(t, http.MethodPatch, "/crm/properties/2026-09/deals/handoff_score", map[string]any{"groupName": "handoff"})
	l.must(t, http.MethodPatch, "/crm/properties/2026-09/deals/handoff_gaps", map[string]any{"groupName": "dealinformation"})
	steps, byHand := removal(t, l.client)
	text := strings.Join(steps, "\n")
	for _, spared := range []string{"handoff_score ", "handoff_call_notes", "kickoff_mood", "deals.handoff "} {
		if strings.Contains(text, spared) {
			t.Errorf("takes away %s:\n%s", spared, text)
		}
	}
	if !strings.Contains(text, "handoff_item_9_9") || !strings.Contains(text, "handoff_gaps") || !strings.Contains(text, "companies.handoff ") {
		t.Errorf("leaves something of ours:\n%s", text)
	}
	want := []string{
		`deals.handoff_call_notes stays, and the group Handoff with it: somebody else put it there, as its description lacks the words "Made by handoff."`,
		`deals.handoff_score stays, and the group Handoff with it: somebody else put it there, as its description lacks the words "Made by handoff."`,
		`deals.kickoff_mood stays, and the group Handoff with it: somebody else put it there, as its description lacks the words "Made by handoff."`,
	}
	if diff := cmp.Diff(want, byHand[:3]); diff != "" {
		t.Errorf("by hand, -want +got:\n%s", diff)
	}
}

func TestPlanByHand(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "no_such"} })
	if err := l.createProperty(t, crm.FieldSpec{Name: "score", Label: "Score", Type: crm.Text}); err != nil {
		t.Fatal(err)
	}
	plan, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatalf("a mapping that is wrong keeps our properties from being made: %v", err)
	}
	for i, part := range []string{"deals.handoff_score: the property's type is single-line text", "Settings > Objects > Deals", "Ghost or incomplete handoffs", "Enterprise"} {
		if i >= len(plan.ByHand) || !strings.Contains(plan.ByHand[i], part) {
			t.Errorf("by hand, at %d, is nothing of %q: %q", i, part, plan.ByHand)
		}
	}
}

// TestArchivedProperty: HubSpot brings one back that is defined again.
func TestArchivedProperty(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	setUp(t, l)
	l.must(t, http.MethodDelete, "/crm/properties/2026-09/deals/handoff_score", nil)
	if steps := setUp(t, l); len(steps) != 1 || steps[0].Target != "deals.handoff_score" {
		t.Errorf("steps %+v", steps)
	}
	if unusable, err := l.client.Unusable(t.Context()); err != nil || len(unusable) > 0 {
		t.Errorf("%v, %v", unusable, err)
	}
}

func TestProfile(t *testing.T) {
	l := newLab(t, deals.Demo(), func(c *hubspot.Config) { c.Fields = map[string]string{"metrics": "no_such"} })
	setUp(t, l)
	p, err := l.client.Profile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	won, told := 0, 0
	for _, c := range deals.Demo() {
		if c.Deal.Won {
			won++
			if c.Deal.Fields["use_case"] != "" {
				told++
			}
		}
	}
	if p.Deals != won {
		t.Errorf("%d deals, want %d", p.Deals, won)
	}
	uses := map[string]connectors.FieldUse{}
	last := ""
	for _, f := range p.Fields {
		if f.Name <= last {
			t.Errorf("%s comes after %s", f.Name, last)
		}
		last, uses[f.Name] = f.Name, f
		if strings.HasPrefix(f.Name, "handoff_") || f.Name == "hs_is_closed_won" || f.Name == "dealname" || f.Name == "hs_tcv" {
			t.Errorf("%s is no property that Sales fills in and a fact could be read from", f.Name)
		}
	}
	want := map[string]connectors.FieldUse{
		"use_case":     {Name: "use_case", Label: "Use case", Filled: told, Feeds: "use_case"},
		"metrics":      {Name: "metrics", Label: "Metrics", Filled: uses["metrics"].Filled}, // the configuration names another
		"hs_next_step": {Name: "hs_next_step", Label: "Next step", Filled: uses["hs_next_step"].Filled, Feeds: "next_step"},
	}
	for name, w := range want {
		if diff := cmp.Diff(w, uses[name]); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
	if told == 0 || uses["metrics"].Filled == 0 {
		t.Error("the cases fill nothing in")
	}
}

// TestProfileOfMany looks at the newest deals alone.
func TestProfileOfMany(t *testing.T) {
	l := newLab(t, deals.Generate(700, 3, l0))
	p, err := l.client.Profile(t.Context())
	if err != nil || p.Deals != 500 {
		t.Errorf("%d deals, %v", p.Deals, err)
	}
	if calls := l.client.Calls(); calls > 3+3+5 {
		t.Errorf("%d calls", calls)
	}
}
