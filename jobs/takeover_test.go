package jobs_test

import (
	"strconv"
	"testing"

	"handoff/crm"
)

// TestEditSurvivesAgreementWithTheRecord edits an item; the record then says the same for a while, and not any more.
func TestEditSurvivesAgreementWithTheRecord(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	full := noted(emptyDeal("d1"))
	w.crm.put(full, "")
	w.run()
	computed := w.values("d1")["item_1_5"]
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	w.wantValues("d1", crm.Values{"item_1_5": "0"})
	w.crm.edit("d1", "item_1_5", computed)
	w.run()
	w.crm.put(full, "") // the record now says so, too
	w.run()
	w.crm.put(emptyDeal("d1"), "") // and not any more
	w.run()
	w.wantValues("d1", crm.Values{"item_1_5": computed})
}

// TestLostStoreIsNotTakenOverBySecondRun loses the store of deals that people edited: the first run saves some deals before it is
// refused, which must not look like a store that knows them to the next.
func TestLostStoreIsNotTakenOverBySecondRun(t *testing.T) {
	w := newWorld(t)
	w.crm.size = 4
	for i := range 40 {
		w.crm.put(emptyDeal("d"+strconv.Itoa(100+i)), "")
	}
	w.run()
	w.newStore(t)
	for i := 8; i < 40; i++ {
		for _, f := range []string{"item_1_1", "item_1_2", "item_2_1", "item_2_2"} {
			w.values("d" + strconv.Itoa(100+i))[f] = "2"
		}
	}
	for run := range 2 {
		if _, err := w.job.Run(t.Context()); err == nil {
			t.Errorf("run %d took everything over without --adopt", run+1)
		}
	}
}
