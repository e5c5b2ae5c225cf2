package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// lastRun returns the last run that scored.
func (w *world) lastRun() jobs.Run {
	w.t.Helper()
	runs, err := w.db.LastRuns(w.t.Context(), jobs.ScoreJob)
	if err != nil {
		w.t.Fatal(err)
	}
	return runs["acme"]
}

// rollback is the rollback of a run in this world; it notes what it reports in found, by the record's id.
func (w *world) rollback(of jobs.Run, found map[string]jobs.Restored) *jobs.Rollback {
	return &jobs.Rollback{Of: of, CRM: w.crm, Store: w.db, Clock: w.clock,
		Report: func(r jobs.Restored) { found[r.Ref.ID] = r }}
}

// wantRollback rolls a run back and compares what that did; calls are left out.
func (w *world) wantRollback(of jobs.Run, want jobs.Restoration) map[string]jobs.Restored {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	found := map[string]jobs.Restored{}
	got, err := w.rollback(of, found).Run(w.t.Context())
	if err != nil {
		w.t.Fatalf("rollback: %v", err)
	}
	got.Calls = 0
	want.Connection, want.Run = "acme", of.ID
	if got != want {
		w.t.Errorf("rollback did %+v, want %+v", got, want)
	}
	return found
}

// all is what every record holds of ours.
func (w *world) all() map[string]crm.Values {
	all := map[string]crm.Values{}
	for id, d := range w.crm.deals {
		all[id] = maps.Clone(d.values)
	}
	for id, v := range w.crm.accounts {
		all[id] = maps.Clone(v)
	}
	return all
}

func (w *world) wantAll(what string, want map[string]crm.Values) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.all()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (w *world) release(run jobs.Run, want int64) {
	w.t.Helper()
	if n, err := w.db.Release(w.t.Context(), run.ID); err != nil || n != want {
		w.t.Errorf("%d records were let go, %v; want %d", n, err, want)
	}
}

// withoutStamps leaves out the moments of scoring.
func withoutStamps(all map[string]crm.Values) map[string]crm.Values {
	for _, v := range all {
		delete(v, "scored_at")
	}
	return all
}

func heldBack(records int, run jobs.Run) string {
	return fmt.Sprintf("%d records held, because run %d was rolled back: `handoff run --dry-run` shows what would be written, `handoff rollback %d --release` lets it be written",
		records, run.ID, run.ID)
}

// TestRollbackRestoresWhatWasBefore: the values before the run come back, runs after that write none of it until a person
// lets them, and then all of it.
func TestRollbackRestoresWhatWasBefore(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("of the first run %v", first), func(t *testing.T) {
			w := newWorld(t)
			w.crm.put(emptyDeal("d1"), "a1")
			w.crm.put(emptyDeal("d2"), "a2")
			if !first {
				w.run()
				w.now = w.now.AddDate(0, 0, 60) // both are ghosts by now
			}
			before := w.all()
			w.run()
			after := w.all()
			bad := w.lastRun()

			restored, flagged := 4, jobs.Summary{Flagged: 2, Left: heldBack(4, bad)}
			if !first {
				restored, flagged.Left = 2, heldBack(2, bad)
			}
			found := w.wantRollback(bad, jobs.Restoration{Restored: restored})
			w.wantAll("rolled back", before)
			if got := found["d1"]; got.Name != "Deal d1" || got.Before["scored_at"] != after["d1"]["scored_at"] || got.After["scored_at"] != before["d1"]["scored_at"] || len(got.Left) > 0 {
				t.Errorf("reported %+v", got)
			}

			w.crm.applied = nil
			w.wantRun(flagged)
			w.wantRun(flagged)
			w.crm.put(emptyDeal("d2"), "a2") // touched
			w.wantRun(flagged)
			if len(w.crm.applied) > 0 {
				t.Errorf("a run wrote again to %v", w.crm.applied)
			}
			if edits := w.handoff("d1").Edits; len(edits) > 0 {
				t.Errorf("what was restored passes for people's edits: %v", edits)
			}
			w.wantRollback(bad, jobs.Restoration{}) // once more: there is nothing left to do

			w.release(bad, int64(restored))
			w.wantRun(jobs.Summary{Written: 2, Flagged: 2})
			if diff := cmp.Diff(withoutStamps(after), withoutStamps(w.all())); diff != "" {
				t.Errorf("let go, and not written again (-want +got):\n%s", diff)
			}
			w.wantRun(jobs.Summary{Flagged: 2})
		})
	}
}

// TestHeldDealShowsInADryRun: what would be written is to be seen before it is let go; a held deal is scored, and its edits found.
func TestHeldDealShowsInADryRun(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	bad := w.lastRun()
	w.wantRollback(bad, jobs.Restoration{Restored: 1})
	w.crm.put(noted(emptyDeal("d1")), "")
	w.crm.edit("d1", "item_2_1", "2")
	const held = "1 record held, because run 1 was rolled back: `handoff run --dry-run` shows what would be written, `handoff rollback 1 --release` lets it be written"
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Flagged: 1, Left: held})
	w.wantValues("d1", crm.Values{"item_2_1": "2", "score": ""})
	if e := w.handoff("d1").Edits; len(e) != 1 || e["item_2_1"].Value != "2" {
		t.Errorf("edits %v", e)
	}
	var diff crm.Values
	w.job.DryRun, w.job.Diff = true, func(_ *jobs.Handoff, write *jobs.Write) { diff = write.After }
	w.wantRun(jobs.Summary{Written: 1, Flagged: 1, Left: held})
	if diff["stakeholder_map"] != "2" || diff["item_2_1"] != "" {
		t.Errorf("the dry run shows %v", diff)
	}
}

func TestRollbackLeavesAlone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since func(w *world) // after the run
		id    string
		field string
		want  string // holds after the rollback
		why   string
		sum   jobs.Restoration
	}{
		{"what a person changed", func(w *world) { w.crm.edit("d1", "item_2_1", "2") }, "d1", "item_2_1", "2", "it has been changed since", jobs.Restoration{Restored: 2, Left: 1}},
		{"what a person set on the account", func(w *world) { w.crm.accounts["a1"]["health"] = "Green" }, "a1", "health", "Green", "it has been changed since", jobs.Restoration{Restored: 1, Left: 1}},
		{"what a later run wrote", func(w *world) {
			w.crm.edit("d1", "item_2_1", "2")
			w.run()
		}, "d1", "stakeholder_map", "2", "run 2 has written it since", jobs.Restoration{Restored: 2, Left: 1}},
		{"a later run wrote the same", func(w *world) {
			w.crm.edit("d1", "item_2_1", "2")
			w.run()
			w.crm.edit("d1", "item_2_1", "")
			w.run()
		}, "d1", "stakeholder_map", "0", "run 3 has written it since", jobs.Restoration{Restored: 2, Left: 1}},
		{"a finalised card", func(w *world) { w.crm.edit("d1", "finalised", "true") }, "d1", "rating", "Incomplete", "its CSM has finalised the card", jobs.Restoration{Restored: 1, Left: 1}},
		{"a deal that is gone", func(w *world) { w.crm.deals["d1"].deleted = true }, "d1", "rating", "Incomplete", "the record is deleted, or not a deal of this connection any more", jobs.Restoration{Restored: 1, Left: 1}},
		{"a field that is hidden", func(w *world) { w.crm.hidden["rating"] = true }, "d1", "rating", "Incomplete", "handoff cannot see the field, or not edit it; `handoff check` says why", jobs.Restoration{Restored: 2, Left: 1, Stuck: 1}},
		{"a row that the CRM refuses", func(w *world) {
			w.crm.refused["d1"] = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrPark, Message: "locked for approval"}
		}, "d1", "rating", "Incomplete", "Fake: write: locked for approval", jobs.Restoration{Restored: 1, Left: 1, Stuck: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.crm.put(emptyDeal("d1"), "a1")
			w.run()
			bad := w.lastRun()
			tt.since(w)
			found := w.wantRollback(bad, tt.sum)
			if got := w.all()[tt.id][tt.field]; got != tt.want {
				t.Errorf("%s holds %q, want %q", tt.field, got, tt.want)
			}
			if got := found[tt.id].Left[tt.field]; got != tt.why {
				t.Errorf("left alone because %q, want %q", got, tt.why)
			}
			if _, told := found[tt.id].Left["scored_at"]; told {
				t.Error("the moment of scoring is no news")
			}
		})
	}
}

// TestRollbackOfTwoRuns: the later one first, each run's values come back.
func TestRollbackOfTwoRuns(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	good := w.all()
	w.crm.put(noted(emptyDeal("d1")), "")
	w.run()
	first, between := w.lastRun(), w.all()
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	second := w.lastRun()

	w.wantRollback(second, jobs.Restoration{Restored: 1})
	w.wantAll("the second taken back", between)
	w.wantRollback(first, jobs.Restoration{Restored: 1})
	w.wantAll("both taken back", good)
	w.wantRollback(second, jobs.Restoration{})
	w.release(second, 0)
	w.release(first, 1)
	w.wantRun(jobs.Summary{Flagged: 1}) // what the second run found right is what the first had found, too
}

func TestRollbackRefusedTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	before := w.all()
	w.run()
	bad := w.lastRun()
	w.crm.refused["d1"] = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrPark, Message: "locked for approval"}
	w.wantRollback(bad, jobs.Restoration{Left: 1, Stuck: 1})
	if h := w.handoff("d1"); h.Parked != nil || h.Held != bad.ID {
		t.Errorf("parked %v, held for run %d", h.Parked, h.Held)
	}
	delete(w.crm.refused, "d1")
	w.wantRollback(bad, jobs.Restoration{Restored: 1})
	w.wantAll("tried again", before)
}

func TestRollbackThatTheCRMRefuses(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	job := w.rollback(w.lastRun(), map[string]jobs.Restored{})
	job.CRM = readOnly{w.crm, &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrConfig, Message: "no permission"}}
	if sum, err := job.Run(t.Context()); !errors.Is(err, connectors.ErrConfig) || sum.Restored != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestRollbackDryRun(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "a1")
	w.run()
	bad, before := w.lastRun(), w.all()
	found := map[string]jobs.Restored{}
	job := w.rollback(bad, found)
	job.DryRun = true
	sum, err := job.Run(t.Context())
	if err != nil || sum.Restored != 2 || found["a1"].Before["health"] != "Red" || found["a1"].After["health"] != "" {
		t.Errorf("%+v, %v, found %+v", sum, err, found["a1"])
	}
	w.wantAll("a dry run", before)
	if runs, err := w.db.Runs(t.Context(), 10); err != nil || len(runs) != 1 || w.handoff("d1").Held != 0 {
		t.Errorf("a dry run left traces: %+v, %v", runs, err)
	}
}

// TestRollbackKilledAnywhere kills a rollback at each call that has an effect. A run after that writes nothing of it again, and
// another rollback does the rest.
func TestRollbackKilledAnywhere(t *testing.T) {
	scene := func(t *testing.T) (w *world, before map[string]crm.Values) {
		w = newWorld(t)
		for _, id := range []string{"d1", "d2", "d3"} {
			w.crm.put(emptyDeal(id), "a-"+id)
		}
		w.run()
		before = w.all()
		w.now = w.now.AddDate(0, 0, 60)
		w.run()
		return w, before
	}
	w, want := scene(t)
	p := &process{Store: w.db, CRM: w.crm}
	job := w.rollback(w.lastRun(), map[string]jobs.Restored{})
	job.Store, job.CRM = rollbackProcess{p, w.db}, p
	if _, err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantAll("undisturbed", want)
	if p.calls < 7 {
		t.Fatalf("an undisturbed rollback makes %d calls", p.calls)
	}
	for dieAt := 1; dieAt <= p.calls; dieAt++ {
		for _, after := range []bool{false, true} {
			for _, between := range []bool{false, true} {
				t.Run(fmt.Sprintf("call %d, after %v, a run between %v", dieAt, after, between), func(t *testing.T) {
					w, want := scene(t)
					bad := w.lastRun()
					p := &process{Store: w.db, CRM: w.crm, dieAt: dieAt, after: after}
					job := w.rollback(bad, map[string]jobs.Restored{})
					job.Store, job.CRM = rollbackProcess{p, w.db}, p
					if _, err := job.Run(t.Context()); !errors.Is(err, errKilled) {
						t.Fatalf("rollback: %v, want it killed", err)
					}
					if between {
						was := w.all()
						w.run()
						w.wantAll("a run wrote", was)
					}
					if _, err := w.rollback(bad, map[string]jobs.Restored{}).Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					w.wantAll("after another rollback", want)
					if open, err := w.db.OpenWrites(t.Context(), "acme"); err != nil || len(open) > 0 {
						t.Errorf("open writes %v, %v", open, err)
					}
					if s := w.run(); s.Written != 0 || !strings.Contains(s.Left, "3 records held") {
						t.Errorf("a run after that did %+v", s)
					}
				})
			}
		}
	}
}

// rollbackProcess is a process that dies in a rollback.
type rollbackProcess struct {
	*process
	db jobs.RollbackStore
}

func (p rollbackProcess) WritesSince(ctx context.Context, run jobs.Run, after crm.Ref, limit int) ([]jobs.Write, error) {
	return p.db.WritesSince(ctx, run, after, limit)
}

func (p rollbackProcess) Hold(ctx context.Context, run jobs.Run, writes []*jobs.Write) error {
	return p.alive(func() error { return p.db.Hold(ctx, run, writes) })
}
