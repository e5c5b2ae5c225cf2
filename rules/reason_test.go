package rules

import (
	"slices"
	"strings"
	"testing"
)

// TestReasonsOfCases checks that the reason for each score of 0 and 1 says in plain words what is there and what is missing, and that what it
// misses is what the item asks for.
func TestReasonsOfCases(t *testing.T) {
	e := builtin(t)
	for _, s := range everyCase(t) {
		for _, it := range e.Score(s, *s.AsOf).Items {
			if it.Score == 2 {
				continue
			}
			if why := faultOf(e, e.Scorecard().Item(it.ID), it.Score, it.Reason); why != "" {
				t.Errorf("%s: item %s, score %d: %q %s", s.ID, it.ID, it.Score, it.Reason, why)
			}
		}
	}
}

func TestFaultOf(t *testing.T) {
	e := builtin(t)
	for _, tt := range []struct {
		name, item string
		score      int
		reason     string
		ok         bool
	}{
		{"slots of the item", "4.1", 0, "Missing: nothing on success criteria; needed: " + e.slots["figure"].says + " and " + e.slots["target"].says, true},
		{"a slot of another item", "4.1", 0, "Missing: nothing on success criteria; needed: " + e.slots["version"].says, false},
		{"what is there is not said", "4.1", 1, "Partial: missing " + e.slots["figure"].says, false},
		{"what is missing is not said", "4.1", 1, `Partial: says "better pipeline"`, false},
		{"quoted words are no list", "4.1", 1, `Partial: says "the report; missing data"; missing ` + e.slots["figure"].says, true},
		{"the wrong beginning", "4.1", 0, `Partial: says "better"; missing ` + e.slots["figure"].says, false},
		{"the name of a slot", "4.1", 0, "Missing: nothing; needed: custom_slot", false},
		{"a role", "5.1", 0, "Missing: a record of the champion and a usable e-mail of the executive sponsor", true},
		{"a role that is no item", "5.1", 0, "Missing: a record of the butler", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if why := faultOf(e, e.Scorecard().Item(tt.item), tt.score, tt.reason); (why == "") != tt.ok {
				t.Errorf("%q: %q", tt.reason, why)
			}
		})
	}
}

// faultOf says what is wrong with the reason for a score of 0 or 1 of an item; empty: nothing.
func faultOf(e *Engine, spec *ItemSpec, score int, reason string) string {
	begin, mark := "Missing: ", "; needed: "
	if score == 1 {
		begin, mark = "Partial: ", "; missing "
	}
	there, ok := strings.CutPrefix(reason, begin)
	if !ok {
		return "does not begin with " + begin
	}
	missing := there // what is not there at all goes without a mark
	if i := strings.LastIndex(there, mark); i >= 0 {
		there, missing = there[:i], there[i+len(mark):]
	} else if score == 1 {
		return "does not say what is missing"
	}
	if there == "" {
		return "does not say what is there"
	}
	known := misses(e, spec)
	for rest := missing; rest != ""; {
		i := slices.IndexFunc(known, func(phrase string) bool { return strings.HasPrefix(rest, phrase) })
		if i < 0 {
			return "misses what item " + spec.ID + " does not ask for: " + rest
		}
		rest = rest[len(known[i]):]
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, ", "), " and ")
	}
	return ""
}

// misses returns what the reasons of an item may say is missing, longest first.
func misses(e *Engine, spec *ItemSpec) []string {
	phrases := []string{"a confirmation"} // what is there is not firm
	title := strings.ToLower(spec.Title)
	switch spec.Kind {
	case kindText:
		phrases = append(phrases, "how that is known")
		for _, list := range [][]string{spec.Partial, spec.Complete, spec.About} {
			for _, names := range list {
				for name := range strings.SplitSeq(names, "|") {
					phrases = append(phrases, e.slots[name].says, e.slots[name].says+", said plainly")
				}
			}
		}
	case kindPerson:
		phrases = append(phrases, "nobody is named as "+title, "the title", "e-mail or phone", "what there is to know about them",
			"the name of the "+title+", contact details and "+e.slots[spec.Complete[0]].says)
	case kindObjector:
		phrases = append(phrases, "who objected and why, or that nobody did", "the name", "the title", "the concern", "how that is known")
	case kindContacts:
		for _, it := range e.card.Items {
			if it.Kind == kindPerson {
				role := strings.ToLower(it.Title)
				phrases = append(phrases, "a record of the "+role, "a usable e-mail of the "+role, "a phone number of the "+role)
			}
		}
	case kindClosing:
		phrases = append(phrases, "a note after the close that says how it closed and what was negotiated", "what was negotiated or else matters", "how the deal closed")
	case kindStage:
		phrases = append(phrases, "the deal is not Closed Won", "the close date", "ARR", "the contract term")
	}
	slices.SortFunc(phrases, func(a, b string) int { return len(b) - len(a) })
	return phrases
}
