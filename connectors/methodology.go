package connectors

import (
	"maps"
	"slices"
)

// methodologies say what sales teams call the facts of a deal that a methodology asks for. BANT's budget is an amount,
// which is evidence of no fact.
var methodologies = map[string]map[string][]string{
	"bant": {
		"economic_buyer":          {"authority"},
		"business_problem":        {"need", "needs"},
		"implementation_timeline": {"timeline", "timing", "timeframe"},
	},
	"meddic": {
		"metrics":           {"metrics"},
		"economic_buyer":    {"economic buyer"},
		"decision_criteria": {"decision criteria"},
		"decision_process":  {"decision process"},
		"identify_pain":     {"identify pain", "identified pain", "implicate pain", "pain"},
		"champion":          {"champion"},
	},
	"meddpicc": {
		"metrics":           {"metrics"},
		"economic_buyer":    {"economic buyer"},
		"decision_criteria": {"decision criteria"},
		"decision_process":  {"decision process"},
		"paper_process":     {"paper process"},
		"identify_pain":     {"identify pain", "identified pain", "implicate the pain", "implicate pain", "pain"},
		"champion":          {"champion"},
		"competition":       {"competition", "competitors"},
	},
	"spiced": {
		"use_case":         {"situation"},
		"identify_pain":    {"pain"},
		"metrics":          {"impact"},
		"compelling_event": {"critical event"},
		"decision_process": {"decision", "decision process"},
	},
}

// Methodologies returns the names of the sales methodologies whose fields are known, in order.
func Methodologies() []string { return slices.Sorted(maps.Keys(methodologies)) }

// ByMethodology returns the known fields of each fact with those in front that teams of a methodology usually keep it in,
// named after the methodology or not: field turns words into a name as the CRM has them. An unknown methodology, such as
// "", adds nothing.
func ByMethodology(known map[string][]string, methodology string, field func(words string) string) map[string][]string {
	all := maps.Clone(known)
	if all == nil {
		all = map[string][]string{}
	}
	for fact, names := range methodologies[methodology] {
		var fields []string
		for _, prefix := range []string{methodology + " ", ""} {
			for _, name := range names {
				fields = append(fields, field(prefix+name))
			}
		}
		for _, f := range known[fact] {
			if !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
		all[fact] = fields
	}
	return all
}
