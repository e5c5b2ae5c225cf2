package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// Reconcile makes fakeCRM a connectors.Reconciler, which looks at a deal at the price of a hundredth of a call.
func (c *fakeCRM) Reconcile(context.Context) (connectors.Reconciliation, error) {
	return fakeLook{c}, nil
}

type fakeLook struct{ *fakeCRM }

func (c fakeLook) Standing(_ context.Context, deals []string) (map[string]connectors.Standing, error) {
	c.calls += c.toll + (len(deals)+99)/100
	all := map[string]connectors.Standing{}
	for _, id := range deals {
		d := c.deals[id]
		s := connectors.Standing{}
		switch {
		case d == nil:
		case d.deleted:
			s.State = connectors.Deleted
		case !d.snapshot.Deal.Won:
			s.State = connectors.Left
		default:
			s = connectors.Standing{State: connectors.Stands, Deal: d.snapshot.Deal, Merged: d.merged, Unread: c.unread, Records: map[crm.Part][]string{}}
			for _, part := range []crm.Part{crm.PartContacts, crm.PartNotes, crm.PartTasks, crm.PartEvents} {
				s.Records[part] = slices.Sorted(slices.Values(d.snapshot.IDs(part)))
			}
			s.Records[crm.PartEvents] = append(s.Records[crm.PartEvents], d.kickoffs...)
		}
		all[id] = s
	}
	return all, nil
}

func (c fakeLook) Read(_ context.Context, deals []string) ([]connectors.Record, error) {
	c.calls++
	var all []connectors.Record
	for _, id := range deals {
		r := c.record(c.deals[id])
		r.Snapshot.Unread = c.withheld
		all = append(all, r)
	}
	return all, c.failing
}

// merge makes a new deal of two, as HubSpot does: what the first holds of our fields stays.
func (c *fakeCRM) merge(into, primary, other string) {
	s := c.deals[primary].snapshot
	s.Deal.ID = into
	c.put(s, "")
	c.deals[into].merged = []string{primary, other}
	for field, value := range c.deals[primary].values {
		c.deals[into].values[field] = value
	}
	delete(c.deals, primary)
	delete(c.deals, other)
}

func (w *world) reconcile() jobs.Summary {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	s, err := w.job.Reconcile(w.t.Context())
	if err != nil {
		w.t.Fatalf("reconcile: %v", err)
	}
	return s
}

func (w *world) wantReconciled(want jobs.Summary) {
	w.t.Helper()
	got := w.reconcile()
	got.Calls = 0
	want.Connection = "acme"
	if got != want {
		w.t.Errorf("reconciliation did %+v, want %+v", got, want)
	}
}

func withContacts(s crm.Snapshot, ids ...string) crm.Snapshot {
	s.Contacts = nil
	for _, id := range ids {
		s.Contacts = append(s.Contacts, crm.Contact{ID: id, Name: "Kim " + id})
	}
	return s
}

func TestReconcileFindsWhatNoPullSees(t *testing.T) {
	t.Parallel()
	owned := func(name string) crm.Snapshot {
		s := withContacts(noted(emptyDeal("1")), "c1", "c2")
		s.Deal.Owner = &crm.User{ID: "u1", Name: name}
		return s
	}
	kickoff := func(s *crm.Snapshot) { s.Deal.KickoffAt = new(time.Date(2026, 6, 3, 9, 0, 0, 0, time.UTC)) }
	tests := []struct {
		name   string
		before func(*crm.Snapshot) // of what the deal was first
		after  func(*fakeDeal)     // what happens to it, and no pull hears of
		want   jobs.Summary
	}{
		{name: "nothing", after: func(*fakeDeal) {}, want: jobs.Summary{Compared: 1}},
		{name: "owner renamed", after: func(d *fakeDeal) { d.snapshot.Deal.Owner = &crm.User{ID: "u1", Name: "Alex Berg"} },
			want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "stage renamed", after: func(d *fakeDeal) { d.snapshot.Deal.Stage = "Won!" }, want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "contact deleted", after: func(d *fakeDeal) { d.snapshot = withContacts(d.snapshot, "c2") }, want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "contacts merged", after: func(d *fakeDeal) { d.snapshot = withContacts(d.snapshot, "c3") }, want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "note archived", after: func(d *fakeDeal) { d.snapshot.Notes = d.snapshot.Notes[1:] }, want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "kickoff comes from the activities", before: kickoff, after: func(d *fakeDeal) { d.snapshot.Deal.KickoffAt, d.kickoffs = nil, []string{"k1"} },
			want: jobs.Summary{Compared: 1}},
		{name: "kickoff archived", before: kickoff, after: func(d *fakeDeal) { d.snapshot.Deal.KickoffAt = nil }, want: jobs.Summary{Compared: 1, Pulled: 1, Scored: 1}},
		{name: "not won any more", after: func(d *fakeDeal) { d.snapshot.Deal.Won = false }, want: jobs.Summary{Compared: 1, Gone: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := owned("Alex Stone")
			if tt.before != nil {
				tt.before(&s)
			}
			w.crm.put(s, "a1")
			w.run()
			w.run()
			tt.after(w.crm.deals["1"])
			got := w.reconcile()
			got.Calls, got.Written, got.Flagged = 0, 0, 0
			tt.want.Connection = "acme"
			if got != tt.want {
				t.Errorf("did %+v, want %+v", got, tt.want)
			}
			got = w.reconcile()
			if got.Pulled != 0 || got.Gone != 0 || got.Written != 0 {
				t.Errorf("the second time it did %+v, want nothing", got)
			}
		})
	}
}

func TestGoneDealKeepsItsCard(t *testing.T) {
	t.Parallel()
	const vanished = "1 deal cannot be found in the CRM any more: removed for good, or hidden from the user that handoff logs in as. If you did not remove them, let that user see them"
	tests := []struct {
		name string
		how  func(*fakeCRM)
		back func(*fakeCRM, *fakeDeal)
		want jobs.Gone
		left string
	}{
		{"deleted", func(c *fakeCRM) { c.deals["1"].deleted = true }, func(c *fakeCRM, _ *fakeDeal) { c.deals["1"].deleted = false }, jobs.GoneDeleted, ""},
		{"removed for good", func(c *fakeCRM) { delete(c.deals, "1") }, func(c *fakeCRM, d *fakeDeal) { c.deals["1"] = d }, jobs.GoneMissing, vanished},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.crm.put(emptyDeal("1"), "a1")
			w.crm.put(emptyDeal("2"), "a2")
			w.run()
			w.run() // finds its own writes
			deal := w.crm.deals["1"]
			tt.how(w.crm)
			if got := w.run(); got.Flagged != 2 {
				t.Fatalf("%d deals are flagged before anybody looked, want 2", got.Flagged)
			}
			w.crm.applied = nil
			w.wantReconciled(jobs.Summary{Compared: 2, Gone: 1, Flagged: 1, Left: tt.left})
			if h := w.handoff("1"); h.Gone != tt.want || !h.Reopened || h.Card == nil || h.Pending {
				t.Errorf("gone %q, reopened %t, pending %t, want %q, true, false", h.Gone, h.Reopened, h.Pending, tt.want)
			}
			w.wantReconciled(jobs.Summary{Compared: 2, Flagged: 1}) // said once
			if got := w.run(); got.Flagged != 1 || got.Scored != 0 {
				t.Errorf("the run after it did %+v", got)
			}
			if len(w.crm.applied) > 0 {
				t.Errorf("written: %v", w.crm.applied)
			}

			tt.back(w.crm, deal)
			w.wantReconciled(jobs.Summary{Compared: 2, Flagged: 2})
			if h := w.handoff("1"); h.Gone != "" || h.Reopened {
				t.Errorf("back, yet gone %q, reopened %t", h.Gone, h.Reopened)
			}
		})
	}
}

func TestMergedDealHandsOverWhatPeopleSet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		reconcile func(*world) jobs.Summary // hears of the merge first
	}{
		{"the pull hears of it first", (*world).run},
		{"the reconciliation hears of it first", (*world).reconcile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, id := range []string{"1", "2"} {
				w.crm.put(noted(emptyDeal(id)), "a1")
			}
			w.run()
			w.crm.edit("1", "item_1_1", "2")
			w.crm.edit("2", "item_1_2", "2")
			w.run()
			edit := w.handoff("1").Edits["item_1_1"]
			w.crm.merge("3", "1", "2")
			got := tt.reconcile(w)
			if strings.HasPrefix(tt.name, "the reconciliation") { // 3 is news of the next pull alone
				got = w.run()
			}
			if want := "what people had set on 1 merged deal is not on the deals that they were merged into: `handoff explain` of each shows it (2)"; got.Left != want {
				t.Errorf("left: %q, want %q", got.Left, want)
			}
			h := w.handoff("3")
			if got := h.Edits["item_1_1"]; got != edit || len(h.Edits) != 1 {
				t.Errorf("edits of the heir: %+v, want %+v of item_1_1 alone", h.Edits, edit)
			}
			for _, id := range []string{"1", "2"} {
				if h := w.handoff(id); h.Gone != jobs.GoneMerged || h.Heir != "3" || h.Flagged() {
					t.Errorf("%s: gone %q, heir %q, flagged %t", id, h.Gone, h.Heir, h.Flagged())
				}
			}
			if e := w.handoff("2").Edits["item_1_2"]; e.Value != "2" {
				t.Errorf("the card of 2 lost what a person set: %+v", e)
			}
			again := w.reconcile()
			if again.Left != "" || again.Pulled+again.Gone+again.Written != 0 {
				t.Errorf("the second time it did %+v", again)
			}
		})
	}
}

// A CRM may tell late what a deal was merged of: until then what we had written looks like a person's.
func TestMergeThatIsToldLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(noted(emptyDeal("1")), "a1")
	w.crm.put(emptyDeal("2"), "a1")
	for i := range 8 {
		w.crm.put(emptyDeal(fmt.Sprint("other ", i)), "a2")
	}
	w.run()
	w.crm.merge("3", "1", "2")
	w.crm.deals["3"].merged = nil
	w.crm.deals["3"].snapshot = emptyDeal("3")
	w.run()
	if len(w.handoff("3").Edits) == 0 {
		t.Fatal("nothing looks like an edit")
	}
	w.crm.deals["3"].merged = []string{"1", "2"}
	w.reconcile()
	if got := w.handoff("3").Edits; len(got) > 0 {
		t.Errorf("still taken for a person's: %v", got)
	}
	w.wantValues("3", crm.Values{"score": w.handoff("2").Merged["score"]})
}

func TestReconcileDegradesAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(withContacts(noted(emptyDeal("1")), "c1"), "a1")
	w.run()
	w.crm.deals["1"].snapshot = withContacts(w.crm.deals["1"].snapshot, "c2")
	w.crm.unread = []crm.Part{crm.PartContacts}
	if got := w.reconcile(); got.Pulled != 0 {
		t.Errorf("%d deals read for contacts that cannot be read", got.Pulled)
	}
	w.crm.deals["1"].snapshot.Deal.Stage = "Won!"
	if got := w.reconcile(); got.Pulled != 1 {
		t.Errorf("%d deals read for a stage that was renamed, want 1", got.Pulled)
	}
}

// What cannot be read of a deal that has changed does not take away what is held of it: no pull would come back to it.
func TestReconcileSparesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(noted(emptyDeal("1")), "a1")
	w.run()
	w.run()
	before := w.handoff("1")
	w.crm.deals["1"].snapshot.Deal.Stage = "Won!"
	w.crm.withheld = []crm.Part{crm.PartNotes}
	w.wantReconciled(jobs.Summary{Compared: 1, Flagged: 1, Left: "1 deal not compared in full, because handoff could not read: notes. `handoff check` says why, and what to do"})
	if diff := cmp.Diff(before.Snapshot, w.handoff("1").Snapshot, cmpopts.EquateComparable(crm.Date{})); diff != "" {
		t.Errorf("the snapshot changed: %s", diff)
	}
	w.crm.withheld = nil
	w.wantReconciled(jobs.Summary{Compared: 1, Pulled: 1, Scored: 1, Flagged: 1})
	if got := w.handoff("1").Snapshot.Deal.Stage; got != "Won!" {
		t.Errorf("stage %q", got)
	}
}

// What a reconciliation that failed did not get to write, the next one writes.
func TestReconcileWritesWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(emptyDeal("1"), "a1")
	w.crm.put(emptyDeal("2"), "a2")
	w.run()
	w.now = w.now.AddDate(0, 0, 60)
	w.run()
	w.wantValues("1", crm.Values{"ghost": "true"})
	w.crm.deals["1"].snapshot.Deal.Won = false
	w.crm.deals["2"].snapshot.Deal.Stage = "Won!"
	w.crm.failing = &connectors.Error{CRM: "Fake", Op: "read", Class: connectors.ErrConfig, Message: "no"}
	if _, err := w.job.Reconcile(t.Context()); !errors.Is(err, connectors.ErrConfig) {
		t.Fatalf("error %v", err)
	}
	w.wantValues("1", crm.Values{"ghost": "true"})
	w.crm.failing = nil
	w.reconcile()
	w.wantValues("1", crm.Values{"ghost": "false"})
}

// A row that is refused to a reconciliation is told by it, not by the next run alone.
func TestReconcileTellsWhatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(emptyDeal("1"), "a1")
	w.run()
	w.run()
	w.crm.refused["1"] = ruleFails
	w.crm.deals["1"].snapshot = noted(emptyDeal("1"))
	w.crm.deals["1"].snapshot.Deal.Stage = "Won!"
	if got := w.reconcile(); got.Left != oneRefused {
		t.Errorf("left %q, want %q", got.Left, oneRefused)
	}
	delete(w.crm.refused, "1")
	if got := w.reconcile(); got.Left != "" || got.Written != 1 {
		t.Errorf("once the CRM takes it, the next one did %+v", got)
	}
}

// A reconciliation ends with its calls, and the next one goes on from there.
func TestReconcileKeepsToItsCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := make([]jobs.Change, 0, 2500)
	for i := range cap(held) {
		s := emptyDeal(fmt.Sprintf("%04d", i))
		held = append(held, jobs.Change{Handoff: &jobs.Handoff{Connection: "acme", DealID: s.Deal.ID, Snapshot: &s, InputHash: s.Hash()}})
	}
	if err := w.db.Save(t.Context(), 0, held); err != nil {
		t.Fatal(err)
	}
	w.crm.toll = jobs.ReconcileCalls / 2
	for i, want := range []int{2000, 500, 2000} {
		if got := w.reconcile().Compared; got != want {
			t.Errorf("run %d compared %d deals, want %d", i, got, want)
		}
	}
}

func TestInterruptedReconciliation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.put(emptyDeal("1"), "a1")
	w.run()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sum, err := w.job.Reconcile(ctx)
	if !sum.Interrupted || !errors.Is(err, context.Canceled) {
		t.Errorf("summary %+v, error %v", sum, err)
	}
}
