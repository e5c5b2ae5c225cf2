package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// counting is a CRM that notes how many records each write call carries, and in which order.
type counting struct {
	*fakeCRM
	sizes *[]int
	ids   *[]string
}

func (c counting) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	*c.sizes = append(*c.sizes, len(updates))
	for _, u := range updates {
		*c.ids = append(*c.ids, u.ID)
	}
	return c.fakeCRM.Write(ctx, updates)
}

func watched(w *world) (sizes *[]int, ids *[]string) {
	sizes, ids = new([]int), new([]string)
	w.job.CRM = counting{w.crm, sizes, ids}
	return sizes, ids
}

// TestWritesFillCollections: batches of a pull of which only some deals are to be written share a call, and deals that follow
// from no pull, and accounts.
func TestWritesFillCollections(t *testing.T) {
	w := newWorld(t)
	w.crm.size = 50
	sizes, _ := watched(w)
	for i := range 450 {
		w.crm.put(emptyDeal(fmt.Sprintf("d%03d", i)), fmt.Sprintf("a%03d", i/2))
	}
	want := func(what string, calls ...int) {
		t.Helper()
		if !slices.Equal(*sizes, calls) {
			t.Errorf("%s: calls with %v records, want %v", what, *sizes, calls)
		}
		*sizes = nil
	}
	w.run()
	want("first run", 200, 200, 50, 200, 25)
	for i := 0; i < 450; i += 2 {
		w.crm.put(noted(emptyDeal(fmt.Sprintf("d%03d", i))), fmt.Sprintf("a%03d", i/2))
	}
	w.run()
	want("every second deal", 200, 25)
	w.run()
	want("no news")
	w.now = w.now.AddDate(0, 0, 60)
	w.run()
	want("time alone", 200, 200, 50)
}

// TestWritesOfOneAccountStandTogether: a CRM locks the account with each of its deals.
func TestWritesOfOneAccountStandTogether(t *testing.T) {
	w := newWorld(t)
	_, ids := watched(w)
	for i, account := range []string{"x", "y", "x", "z", "y", "x"} {
		w.crm.put(emptyDeal("d"+strconv.Itoa(i)), account)
	}
	w.run()
	if want := []string{"d0", "d2", "d5", "d1", "d4", "d3", "x", "y", "z"}; !slices.Equal(*ids, want) {
		t.Errorf("written in the order %v, want %v", *ids, want)
	}
}

// TestWriteDecidedTooLongAgo: while a write waits for others, a person is faster.
func TestWriteDecidedTooLongAgo(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		w.crm.put(emptyDeal("d"+strconv.Itoa(i)), "")
	}
	batches := 0
	w.crm.reading = func() {
		if batches++; batches == 2 { // d0 and d1 are decided on
			w.now = w.now.Add(61 * time.Second)
			w.crm.deals["d0"].values["item_2_1"] = "2"
		}
	}
	w.wantRun(jobs.Summary{Pulled: 4, Scored: 4, Written: 4, Flagged: 4})
	w.crm.reading = nil
	w.wantValues("d0", crm.Values{"item_2_1": "2", "stakeholder_map": "2"})
	w.wantValues("d1", crm.Values{"item_2_1": "0", "stakeholder_map": "0"})
	if open, err := w.db.OpenWrites(t.Context(), "acme"); err != nil || len(open) > 0 {
		t.Errorf("open writes %v, %v", open, err)
	}
	w.wantRun(jobs.Summary{Flagged: 4})
}

// TestDealThatComesTwiceInAPull: the second time it is decided on what the first has written.
func TestDealThatComesTwiceInAPull(t *testing.T) {
	w := newWorld(t)
	w.job.CRM = twice{w.crm}
	w.crm.size = 1
	w.crm.put(emptyDeal("d1"), "")
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 2, Flagged: 1})
	if len(w.crm.applied) != 2 || w.crm.applied[1].Values["item_1_5"] == "" || len(w.crm.applied[1].Values) == len(w.crm.applied[0].Values) {
		t.Errorf("written: %v", w.crm.applied)
	}
	w.job.CRM = w.crm
	w.wantRun(jobs.Summary{Flagged: 1})
}

// twice is a CRM on whose deals somebody writes a note while they are pulled: they come again.
type twice struct{ *fakeCRM }

func (c twice) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	if err := c.fakeCRM.Pull(ctx, since, yield); err != nil {
		return err
	}
	c.put(noted(emptyDeal("d1")), "")
	return c.fakeCRM.Pull(ctx, since, yield)
}

// TestPullThatFailsLeavesNothingUnwritten: what was scored before it failed is written, for it may fail every time.
func TestPullThatFailsLeavesNothingUnwritten(t *testing.T) {
	for _, tt := range []struct {
		class   error
		written int
	}{{connectors.ErrRetry, 2}, {connectors.ErrQuota, 0}, {connectors.ErrConfig, 0}} {
		w := newWorld(t)
		for i := range 2 {
			w.crm.put(emptyDeal("d"+strconv.Itoa(i)), "")
		}
		w.job.CRM = breaking{w.crm, &connectors.Error{Op: "read", CRM: "Fake", Class: tt.class, Message: "it is over"}}
		s, err := w.job.Run(t.Context())
		if !errors.Is(err, tt.class) || s.Written != tt.written {
			t.Errorf("%v: written %d, want %d; %v", tt.class, s.Written, tt.written, err)
		}
		w.job.CRM = w.crm
		w.wantRun(jobs.Summary{Written: 2 - tt.written, Flagged: 2})
		if len(w.crm.applied) != 2 {
			t.Errorf("%v: %d updates in all", tt.class, len(w.crm.applied))
		}
	}
}

// breaking is a CRM whose pull fails at its end.
type breaking struct {
	*fakeCRM
	err error
}

func (b breaking) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	if err := b.fakeCRM.Pull(ctx, since, yield); err != nil {
		return err
	}
	return b.err
}
