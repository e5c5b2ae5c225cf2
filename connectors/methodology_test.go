package connectors_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

func TestByMethodology(t *testing.T) {
	known := map[string][]string{"use_case": {"use_case"}, "metrics": {"metrics", "kpis"}, "economic_buyer": {"economic_buyer"}}
	snake := func(words string) string { return strings.ReplaceAll(words, " ", "_") }
	for _, tt := range []struct {
		methodology string
		want        map[string][]string
	}{
		{"", known},
		{"spiced", map[string][]string{
			"use_case": {"spiced_situation", "situation", "use_case"}, "metrics": {"spiced_impact", "impact", "metrics", "kpis"}, "economic_buyer": {"economic_buyer"},
			"identify_pain": {"spiced_pain", "pain"}, "compelling_event": {"spiced_critical_event", "critical_event"},
			"decision_process": {"spiced_decision", "spiced_decision_process", "decision", "decision_process"},
		}},
		{"bant", map[string][]string{
			"use_case": {"use_case"}, "metrics": {"metrics", "kpis"}, "economic_buyer": {"bant_authority", "authority", "economic_buyer"},
			"business_problem":        {"bant_need", "bant_needs", "need", "needs"},
			"implementation_timeline": {"bant_timeline", "bant_timing", "bant_timeframe", "timeline", "timing", "timeframe"},
		}},
	} {
		t.Run(tt.methodology, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, connectors.ByMethodology(known, tt.methodology, snake)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if len(known["metrics"]) != 2 {
		t.Errorf("the known fields have changed: %v", known)
	}
}

// TestMethodologiesFeedFacts checks that a preset names facts that there are.
func TestMethodologiesFeedFacts(t *testing.T) {
	if diff := cmp.Diff([]string{"bant", "meddic", "meddpicc", "spiced"}, connectors.Methodologies()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, m := range connectors.Methodologies() {
		for fact := range connectors.ByMethodology(nil, m, strings.ToLower) {
			if !slices.Contains(crm.FieldNames, fact) {
				t.Errorf("%s feeds %q, which is no field of a deal", m, fact)
			}
		}
	}
}
