package jobs_test

import (
	"testing"

	"handoff/crm"
	"handoff/jobs"
)

// TestSmallDeals: a deal below the threshold has the fields of the small version and no others; one that grows gets the
// whole card, one that shrinks loses the rest of it.
func TestSmallDeals(t *testing.T) {
	w := newWorld(t)
	threshold, below, above := 10_000.0, 9_000.0, 11_000.0
	w.job.Engine = w.job.Engine.ForThreshold(&threshold)
	little, large := noted(emptyDeal("little")), noted(emptyDeal("large"))
	little.Deal.Amount, large.Deal.Amount = &below, &above
	w.crm.put(little, "a1")
	w.crm.put(large, "a2")
	w.run()
	small := crm.Values{"max": "14", "expectation_record": "0", "crm_hygiene": "2", "item_3_3": "", "item_1_5": "", "item_4_1": "0",
		"item_5_3": "1", "complete": "false", "rating": "Incomplete"}
	whole := crm.Values{"max": "40", "item_3_3": "0", "item_1_5": "2", "item_4_1": "0"}
	w.wantValues("little", small)
	w.wantValues("large", whole)
	if h := w.handoff("little"); !h.Card.Small || !h.Flagged() {
		t.Errorf("small %v, flagged %v", h.Card.Small, h.Flagged())
	}
	w.wantRun(jobs.Summary{Flagged: 2})

	little.Deal.Amount, large.Deal.Amount = &above, &below
	w.crm.put(little, "a1")
	w.crm.put(large, "a2")
	w.run()
	w.wantValues("little", whole)
	w.wantValues("large", small)
	w.wantRun(jobs.Summary{Flagged: 2})

	// Another threshold is no news of any deal, and changes the cards all the same.
	lower := 1_000.0
	w.job.Engine = w.job.Engine.ForThreshold(&lower)
	w.wantRun(jobs.Summary{Scored: 2, Written: 1, Flagged: 2})
	w.wantValues("large", whole)
}

// TestSmallDealWithAnEmptyCategory: there are no published bands for small deals, so an empty category is flagged by itself.
func TestSmallDealWithAnEmptyCategory(t *testing.T) {
	w := newWorld(t)
	threshold, below := 10_000.0, 9_000.0
	w.job.Engine = w.job.Engine.ForThreshold(&threshold)
	s := noted(emptyDeal("d1"))
	s.Deal.Amount = &below
	w.crm.put(s, "a1")
	w.run()
	for _, item := range []string{"item_4_1", "item_4_2", "item_4_3", "item_4_4"} {
		w.crm.edit("d1", item, "2")
	}
	for _, item := range []string{"item_5_1", "item_5_2", "item_5_3"} {
		w.crm.edit("d1", item, "0")
	}
	w.wantRun(jobs.Summary{Written: 1, Flagged: 1})
	w.wantValues("d1", crm.Values{"score": "8", "rating": "Below Standard", "complete": "false",
		"next_action": "Nothing on CRM Hygiene: ask the AE. The AE must join the kickoff and fill the gaps within 24 hours of it. Tell the CS manager."})
	w.crm.edit("d1", "item_5_3", "1")
	w.wantRun(jobs.Summary{Written: 1})
	w.wantValues("d1", crm.Values{"score": "9", "rating": "Below Standard", "complete": "true"})
}
