package jobs

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
	"handoff/rules"
)

func builtin(t *testing.T) *rules.Engine {
	t.Helper()
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return rules.NewEngine(sc)
}

func TestFieldsAreThoseOfTheDesign(t *testing.T) {
	want := map[string]crm.FieldType{
		"score": crm.Number, "max": crm.Number, "final_score": crm.Number,
		"deal_context": crm.Number, "stakeholder_map": crm.Number, "technical_fit": crm.Number, "expectation_record": crm.Number, "crm_hygiene": crm.Number,
		"rating": crm.Picklist, "health": crm.Picklist, "acceptance": crm.Picklist,
		"ghost": crm.Checkbox, "complete": crm.Checkbox, "ready": crm.Checkbox, "finalised": crm.Checkbox,
		"gaps": crm.LongText, "item_notes": crm.LongText, "ghost_reason": crm.Text, "next_action": crm.Text, "scored_at": crm.DateTime,
	}
	for _, id := range strings.Fields("1_1 1_2 1_3 1_4 1_5 2_1 2_2 2_3 2_4 3_1 3_2 3_3 3_4 4_1 4_2 4_3 4_4 5_1 5_2 5_3") {
		want["item_"+id] = crm.Number
	}
	options := map[string][]string{
		"rating":     {"Excellent", "Acceptable", "Below Standard", "Incomplete"},
		"health":     {"Green", "Yellow", "Red"},
		"acceptance": {"Pending", "Accepted", "Re-handoff requested"},
	}
	length := map[string]int{"gaps": 32768, "item_notes": 32768, "ghost_reason": 255, "next_action": 255}

	got, labels := map[string]crm.FieldType{}, map[string]string{}
	for _, f := range Fields(builtin(t).Scorecard()) {
		if f.Object == crm.AccountObject {
			if f.Name != "health" || f.Type != crm.Picklist {
				t.Errorf("on the account: %+v", f)
			}
			continue
		}
		got[f.Name] = f.Type
		if diff := cmp.Diff(options[f.Name], f.Options); diff != "" {
			t.Errorf("options of %s:\n%s", f.Name, diff)
		}
		if f.Length != length[f.Name] {
			t.Errorf("length of %s is %d, want %d", f.Name, f.Length, length[f.Name])
		}
		if other := labels[f.Label]; other != "" || f.Label == "" || len(f.Label) > 40 {
			t.Errorf("label %q of %s: also on %q, or of a wrong length", f.Label, f.Name, other)
		}
		labels[f.Label] = f.Name
		if f.Help == "" {
			t.Errorf("%s has no help", f.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if labels["1.5 Competitor considered"] != "item_1_5" || labels["Handoff Score"] != "score" {
		t.Errorf("labels %v", labels)
	}
}

// cardOf returns a card of the built-in scorecard with full points but for the given items.
func cardOf(e *rules.Engine, items map[string]rules.Item) *rules.Card {
	card := &rules.Card{Ghost: rules.GhostNo}
	for _, spec := range e.Scorecard().Items {
		it, ok := items[spec.ID]
		if !ok {
			it = rules.Item{Score: 2, Sure: true}
		}
		it.ID = spec.ID
		card.Items = append(card.Items, it)
	}
	return e.Override(card, nil)
}

func TestCardValues(t *testing.T) {
	e := builtin(t)
	card := cardOf(e, map[string]rules.Item{
		"1.1": {Score: 1, Sure: true, Reason: "Partial: a problem, not why us"},
		"1.5": {Score: 0, Sure: true, Reason: "Missing"},
		"2.1": {Score: 0, Sure: true, Reason: "Missing"},
		"2.2": {Score: 2, Sure: false, Evidence: []rules.Evidence{{Quote: "own words"}, {Quote: "pasted", Template: true}}},
		"3.1": {Score: 1, Sure: false, Reason: "Partial: a system, perhaps"},
	})
	got := cardValues(e, card, nil, map[string]int{"2.1": 0})
	want := crm.Values{
		"score": "34", "max": "40", "final_score": "", "rating": "Acceptable", "health": "Green",
		"deal_context": "7", "stakeholder_map": "6", "technical_fit": "7", "expectation_record": "8", "crm_hygiene": "6",
		"ghost": "false", "ghost_reason": "", "complete": "true", "ready": "true", "acceptance": "Pending", "finalised": "false",
		"next_action": e.Scorecard().Action("Acceptable"),
		"item_notes": "1.1 Use case. Partial: a problem, not why us\n1.5 Competitor considered. Missing\n" +
			"2.1 Champion. Set to 0 by a person\n3.1 Integrations. Partial: a system, perhaps",
	}
	gaps := strings.Split(got["gaps"], "\n")
	delete(got, "gaps")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	starts := []string{"Please check, for the same words are on several deals. Executive sponsor: ", "Please check. Integrations: ", "Competitor considered: ", "Champion: ", "Use case: "}
	if len(gaps) != len(starts) {
		t.Fatalf("gaps %q", gaps)
	}
	for i, start := range starts {
		if !strings.HasPrefix(gaps[i], start) || !strings.HasSuffix(gaps[i], "?") {
			t.Errorf("gap %d is %q, want a question that starts with %q", i, gaps[i], start)
		}
	}

	if got := itemValues(card); len(got) != 20 || got["item_1_1"] != "1" || got["item_5_3"] != "2" {
		t.Errorf("item values %v", got)
	}
}

func TestGhostValues(t *testing.T) {
	e := builtin(t)
	tests := []struct {
		ghost        rules.Ghost
		flag, reason string
	}{
		{rules.GhostYes, "true", "no note; no meeting"},
		{rules.GhostNo, "false", ""},
		{rules.GhostPending, "false", ""},
	}
	for _, tt := range tests {
		card := cardOf(e, nil)
		card.Ghost, card.GhostReasons = tt.ghost, []string{"no note", "no meeting"}
		if v := cardValues(e, card, nil, nil); v["ghost"] != tt.flag || v["ghost_reason"] != tt.reason {
			t.Errorf("%s: ghost %q, reason %q", tt.ghost, v["ghost"], v["ghost_reason"])
		}
	}
}

func TestCardValuesOfWhatIsNotRead(t *testing.T) {
	e := builtin(t)
	card := cardOf(e, map[string]rules.Item{
		"1.1": {Score: 0, NotRead: true, Reason: "Not read"},
		"1.2": {Score: 1, NotRead: true, Reason: "Partial: a problem"},
		"1.5": {Score: 1, NotRead: true, Reason: "Partial: a competitor"},
		"2.1": {Score: 0, Sure: true, Reason: "Missing"},
	})
	got := cardValues(e, card, []crm.Part{crm.PartNotes, crm.PartEmails}, map[string]int{"1.2": 1})
	question := func(id string) string {
		it := e.Scorecard().Item(id)
		return it.Title + ": " + it.Question
	}
	want := crm.Values{
		"max": "40", "final_score": "", "acceptance": "Pending", "finalised": "false",
		"stakeholder_map": "6", "technical_fit": "8", "expectation_record": "8", "crm_hygiene": "6",
		"gaps": "Could not be read: " + question("1.1") + "\n" + question("2.1") + "\n" + question("1.2") + "\nCould not be read: " + question("1.5"),
		"item_notes": "1.1 Use case. Could not be read: notes, emails\n1.2 " + e.Scorecard().Item("1.2").Title + ". Set to 1 by a person\n" +
			"1.5 Competitor considered. Could not be read: notes, emails\n2.1 Champion. Missing",
		"next_action": "Not scored in full: handoff could not read notes, emails. An administrator of the CRM can give it access; `handoff check` says how.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if _, ok := itemValues(card)["item_1_1"]; ok {
		t.Error("an item that is not read has a value")
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		name, in string
		limit    int
		want     string
	}{
		{"fits", "one two", 7, "one two"},
		{"at a word", "one two three", 9, "one two…"},
		{"at the end of a word", "one two three", 8, "one two…"},
		{"no word to cut at", "abcdefgh", 4, "abc…"},
		{"at a line", "one\ntwo", 5, "one…"},
		{"a line break counts twice", "one\ntwo", 7, "one…"},
		{"an emoji counts twice", "🙂🙂", 3, "🙂…"},
		{"empty", "", 3, ""},
	}
	for _, tt := range tests {
		if got := cut(tt.in, tt.limit); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLine(t *testing.T) {
	const in = " one\r\n\ttwo\u00a0three\x00\x1b[31m\ufffe\xff four "
	if got, want := line(in, 100), "one two three[31m four"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("one two\nthree", 7)
	f.Add("a\xff🙂 b", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 1 || limit > 1000 {
			return
		}
		got := line(s, limit)
		if n := len(utf16.Encode([]rune(got))); n > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n") {
			t.Errorf("line(%q, %d) = %q, of length %d", s, limit, got, n)
		}
		if again := line(got, limit); again != got {
			t.Errorf("line(%q, %d) = %q", got, limit, again)
		}
	})
}
