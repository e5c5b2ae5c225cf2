package rules

import (
	"slices"
	"strings"
	"time"
)

// rule judges item i by the conditions of its slots, over the record as a whole, of which f is what they see.
func (r *record) rule(i int, f *facets) grade {
	spec := r.e.card.Items[i]
	topic := inSentence(spec.Title)
	there, missing, evidence := r.conditions(spec.Complete, f)
	if missing == nil {
		return grade{points: 2, sure: true, evidence: evidence, reason: "Complete: " + topic + " with " + join(r.says(there))}
	}
	some, without, partly := r.conditions(spec.Partial, f)
	if without == nil && some != nil {
		return grade{points: 1, sure: true, evidence: partly, reason: "Partial: " + join(r.says(some)) + "; missing " + join(r.says(missing))}
	}
	return grade{sure: true, reason: "Missing: " + join(r.says(missing))}
}

// conditions returns which of the slots the record fills, which not, and the deal fields that fill them.
func (r *record) conditions(slots []string, f *facets) (there, missing []string, evidence []Evidence) {
	for _, either := range slots {
		filled := ""
		for name := range strings.SplitSeq(either, "|") {
			when := r.e.slots[name].when
			if when.clock { // tomorrow it may be otherwise
				tomorrow := r.asOf.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
				if r.later == nil || tomorrow.Before(*r.later) {
					r.later = &tomorrow
				}
			}
			if filled == "" && when.holds(f) {
				filled = name
				for _, field := range when.fields {
					ev := Evidence{Source: "field " + field, Record: fieldRecord(field), Quote: cut(PlainText(r.s.Deal.Fields[field]), maxQuote)}
					if ev.Quote != "" && !slices.Contains(evidence, ev) {
						evidence = append(evidence, ev)
					}
				}
			}
		}
		if filled == "" {
			missing = append(missing, either)
		} else {
			there = append(there, filled)
		}
	}
	return there, missing, evidence
}
