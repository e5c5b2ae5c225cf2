package connectors

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// TestFactOf checks which fact a field holds by what it is called.
func TestFactOf(t *testing.T) {
	tests := []struct {
		label, name string
		want        string
	}{
		// what it says
		{"Competitors", "Comp__c", "competitors"},
		{"Main Competitor", "Main_Competitor__c", "competitors"},
		{"Competitor 1", "Competitor_1__c", "competitors"},
		{"Primary competitor(s)", "c1", "competitors"},
		{"Competitive landscape", "cl", "competition"},
		{"Economic Buyer", "EB__c", "economic_buyer"},
		{"MEDDPICC: Economic buyer (name)", "meddpicc_eb", "economic_buyer"},
		{"I - Identified Pain", "MEDDIC_I__c", "identify_pain"},
		{"Implicate the Pain", "MEDDPICC_I__c", "identify_pain"},
		{"Customer's pain points", "x", "identify_pain"},
		{"Decision Criteria", "DC__c", "decision_criteria"},
		{"Criteria for the decision", "x", "decision_criteria"},
		{"Decision making process", "x", "decision_process"},
		{"Paper Process", "x", "paper_process"},
		{"Metrics", "x", "metrics"},
		{"Customer Success Manager (CSM)", "x", "csm"},
		{"Annual Contract Value (ACV)", "x", "arr"},
		{"Contract Length (months)", "x", "term_months"},
		{"Target Go-Live Date", "x", "implementation_timeline"},
		{"Go-live milestone", "x", "go_live_milestone"},
		{"Definition of Success", "x", "success_criteria"},
		{"KPI", "x", "success_criteria"},
		{"Why now?", "x", "compelling_event"},
		{"Non-Standard Terms", "x", "nonstandard_promises"},
		{"Opportunity Notes", "x", "description"},
		{"Next Steps", "x", "next_step"},

		// names of fields, where the label tells nothing
		{"Wettbewerber", "Competitors__c", "competitors"},
		{"Wettbewerber", "MainCompetitors__c", "competitors"},
		{"Mitbewerb", "acme__Main_Competitor__c", "competitors"},
		{"導入の目的", "success_criteria", "success_criteria"},
		{"", "NextStep", "next_step"},

		// what only looks like it
		{"Competitor of the month prize", "Competitor__c", ""},
		{"Competitor Battlecard URL", "Competitor_Battlecard__c", ""},
		{"Lost to competitor", "Lost_To_Competitor__c", ""},
		{"Next step owner", "NextStep__c", ""},
		{"Next Step Date", "Next_Step_Date__c", ""},
		{"Champion email", "Champion__c", ""},
		{"Champions League campaign", "champions_league", ""},
		{"Economic buyer met?", "economic_buyer", ""},
		{"Decision date", "Decision__c", ""},
		{"Executive sponsor's assistant", "sponsor", ""},
		{"Case study use approved", "use_case", ""},
		{"Success manager satisfaction", "csm", ""},
		{"Pain-free onboarding pledge signed", "Pain__c", ""},
		{"Integration user password", "Integration__c", ""},
		{"Onboarding manager", "Onboarding_Manager__c", ""},
		{"Amount of recurring revenue lost", "ARR__c", ""},
		{"Marketing metrics dashboard", "Metrics__c", ""},
		{"Criteria", "Criteria__c", ""},
		{"Contact", "Contact__c", ""},
		{"Date", "Date__c", ""},
		{"Amount", "Amount", ""},
		{"", "", ""},
		{"__c", "__c", ""},
	}
	for _, tt := range tests {
		t.Run(tt.label+"|"+tt.name, func(t *testing.T) {
			if got := factOf(FieldUse{Label: tt.label, Name: tt.name}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSynonyms checks that every text field of a deal has synonyms, its own name among them, and that no two facts share
// one.
func TestSynonyms(t *testing.T) {
	for _, fact := range crm.FieldNames {
		if got := factNamed[key(words(fact))]; got != fact {
			t.Errorf("%s: its own name stands for %q", fact, got)
		}
	}
	owner := map[string]string{}
	for _, fact := range slices.Sorted(maps.Keys(synonyms)) {
		for _, name := range synonyms[fact] {
			k := key(words(name))
			if other := owner[k]; k == "" || other != "" && other != fact {
				t.Errorf("%s: %q (%q) stands for %q, too", fact, name, k, other)
			}
			owner[k] = fact
		}
	}
}

func TestPropose(t *testing.T) {
	facts := []string{"champion", "competitors", "economic_buyer"}
	tests := []struct {
		name   string
		deals  int
		fields []FieldUse
		want   []Mapping
	}{
		{"a field that Sales fills in", 500, []FieldUse{{Name: "Rival__c", Label: "Rivals", Filled: 412}},
			[]Mapping{{"competitors", FieldUse{Name: "Rival__c", Label: "Rivals", Filled: 412}}}},
		{"the fullest of several", 500, []FieldUse{
			{Name: "Rival__c", Label: "Rivals", Filled: 100}, {Name: "Competing__c", Label: "Competing vendors", Filled: 300}, {Name: "Alternatives__c", Label: "Alternatives", Filled: 200}},
			[]Mapping{{"competitors", FieldUse{Name: "Competing__c", Label: "Competing vendors", Filled: 300}}}},
		{"the first of equals", 500, []FieldUse{{Name: "A__c", Label: "Rivals", Filled: 100}, {Name: "B__c", Label: "Rivals", Filled: 100}},
			[]Mapping{{"competitors", FieldUse{Name: "A__c", Label: "Rivals", Filled: 100}}}},
		{"in the order of facts", 100, []FieldUse{{Name: "B__c", Label: "Budget holder", Filled: 90}, {Name: "R__c", Label: "Rivals", Filled: 10}},
			[]Mapping{{"competitors", FieldUse{Name: "R__c", Label: "Rivals", Filled: 10}}, {"economic_buyer", FieldUse{Name: "B__c", Label: "Budget holder", Filled: 90}}}},
		{"a twentieth is enough", 500, []FieldUse{{Name: "Rival__c", Label: "Rivals", Filled: 25}},
			[]Mapping{{"competitors", FieldUse{Name: "Rival__c", Label: "Rivals", Filled: 25}}}},
		{"less is not", 500, []FieldUse{{Name: "Rival__c", Label: "Rivals", Filled: 24}}, nil},
		{"a fact that is read already", 500, []FieldUse{{Name: "Competitors__c", Label: "Competitors", Filled: 25, Feeds: "competitors"}, {Name: "Rival__c", Label: "Rivals", Filled: 400}}, nil},
		{"a fact that is read from a field which nobody fills in", 500, []FieldUse{{Name: "Competitors__c", Label: "Competitors", Filled: 24, Feeds: "competitors"}, {Name: "Rival__c", Label: "Rivals", Filled: 400}},
			[]Mapping{{"competitors", FieldUse{Name: "Rival__c", Label: "Rivals", Filled: 400}}}},
		{"never what feeds another fact", 500, []FieldUse{{Name: "Rival__c", Label: "Rivals", Filled: 400, Feeds: "objections"}}, nil},
		{"a fact that nobody asks for", 500, []FieldUse{{Name: "Pain__c", Label: "Pain", Filled: 400}}, nil},
		{"no deals", 0, []FieldUse{{Name: "Rival__c", Label: "Rivals"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Propose(Profile{Deals: tt.deals, Fields: tt.fields}, facts)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzFactOf checks that any name is understood as some fact or none.
func FuzzFactOf(f *testing.F) {
	f.Add("Main Competitor (free text)", "acme__Main_Competitor__c")
	f.Add("I – Identified Pain's", "__c")
	f.Fuzz(func(t *testing.T, label, name string) {
		if fact := factOf(FieldUse{Label: label, Name: name}); fact != "" && synonyms[fact] == nil {
			t.Errorf("%q is no fact", fact)
		}
	})
}
