package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// process is what a run calls, up to the call at which the process dies: before the call has any effect, or after it
// but without its answer. From then on nothing works.
type process struct {
	jobs.Store
	jobs.CRM
	dieAt int // counts from 1; 0: lives
	after bool
	calls int
}

var errKilled = errors.New("killed")

// alive counts a call and runs it unless the process dies before; it returns errKilled when the process is dead.
func (p *process) alive(call func() error) error {
	p.calls++
	if p.dieAt != 0 && (p.calls > p.dieAt || p.calls == p.dieAt && !p.after) {
		return errKilled
	}
	err := call()
	if p.calls == p.dieAt {
		return errKilled
	}
	return err
}

func (p *process) BeginRun(ctx context.Context, run jobs.Run) (id int64, err error) {
	err = p.alive(func() error { id, err = p.Store.BeginRun(ctx, run); return err })
	return id, err
}

func (p *process) EndRun(ctx context.Context, run jobs.Run) error {
	return p.alive(func() error { return p.Store.EndRun(ctx, run) })
}

func (p *process) SaveWatermarks(ctx context.Context, connection string, marks crm.Watermarks) error {
	return p.alive(func() error { return p.Store.SaveWatermarks(ctx, connection, marks) })
}

func (p *process) Save(ctx context.Context, runID int64, changes []jobs.Change) error {
	return p.alive(func() error { return p.Store.Save(ctx, runID, changes) })
}

func (p *process) FinishWrites(ctx context.Context, writes []jobs.Write) error {
	return p.alive(func() error { return p.Store.FinishWrites(ctx, writes) })
}

func (p *process) SaveAccounts(ctx context.Context, connection string, accounts []jobs.AccountHealth, writes []*jobs.Write) error {
	return p.alive(func() error { return p.Store.SaveAccounts(ctx, connection, accounts, writes) })
}

func (p *process) ReadValues(ctx context.Context, object crm.Object, ids []string) (values map[string]crm.Values, err error) {
	err = p.alive(func() error { values, err = p.CRM.ReadValues(ctx, object, ids); return err })
	return values, err
}

// Write dies in the middle of a request, too: then the CRM has carried out a part of the rows.
func (p *process) Write(ctx context.Context, updates []crm.Update) (outcomes []connectors.Outcome, err error) {
	half := len(updates) / 2
	if err := p.alive(func() error { outcomes, err = p.CRM.Write(ctx, updates[:half]); return err }); err != nil {
		return nil, err
	}
	var rest []connectors.Outcome
	if err := p.alive(func() error { rest, err = p.CRM.Write(ctx, updates[half:]); return err }); err != nil {
		return nil, err
	}
	return append(outcomes, rest...), nil
}

// troubled returns a world with one of everything that a run can meet.
func troubled(t *testing.T) *world {
	w := newWorld(t)
	w.crm.size = 3
	for _, id := range []string{"edited", "back", "final", "left", "quiet1", "quiet2", "noted"} {
		w.crm.put(emptyDeal(id), "a-"+id)
	}
	w.run()
	w.crm.edit("back", "item_1_1", "2")
	w.run()

	w.crm.edit("edited", "item_2_1", "2")
	w.crm.edit("back", "item_1_1", "")
	w.crm.edit("final", "item_2_2", "1")
	w.crm.edit("final", "finalised", "true")
	reopened := emptyDeal("left")
	reopened.Deal.Won = false
	w.crm.put(reopened, "a-left")
	w.crm.put(noted(emptyDeal("noted")), "a-noted")
	w.crm.put(emptyDeal("new"), "a-new")
	w.crm.accounts["a-new"]["health"] = "Green"
	w.now = w.now.AddDate(0, 0, 60) // the quiet ones are due
	return w
}

type outcome struct {
	Deals    map[string]crm.Values
	Accounts map[string]crm.Values
	Stored   map[string]jobs.Handoff
	Messages map[string]string
	Writes   map[string]int // of a record
}

// end is the state after a run, without moments.
func end(w *world) outcome {
	o := outcome{Deals: map[string]crm.Values{}, Accounts: w.crm.accounts, Stored: map[string]jobs.Handoff{},
		Messages: map[string]string{}, Writes: map[string]int{}}
	for id, d := range w.crm.deals {
		values := maps.Clone(d.values)
		delete(values, "scored_at")
		o.Deals[id] = values
		h := *w.handoff(id)
		h.Snapshot, h.AsOf, h.DueAt = nil, time.Time{}, nil
		delete(h.Merged, "scored_at")
		delete(h.Written, "scored_at")
		for field, e := range h.Edits {
			e.At = time.Time{}
			h.Edits[field] = e
		}
		o.Stored[id] = h
	}
	for _, m := range w.messages() {
		o.Messages[m.Key] = m.Body
	}
	for _, u := range w.crm.applied {
		o.Writes[u.ID]++
	}
	return o
}

// TestKilledAnywhere kills a run at each call that has an effect, and starts another: the end is that of a run that
// nobody disturbed, and each change is written once.
func TestKilledAnywhere(t *testing.T) {
	calm := troubled(t)
	p := &process{Store: calm.db, CRM: calm.crm}
	calm.job.Store, calm.job.CRM = p, p
	calm.run()
	calls := p.calls
	want := end(calm)
	if open, err := calm.db.OpenWrites(t.Context(), "acme"); err != nil || len(open) != 0 {
		t.Fatalf("open writes %v, %v", open, err)
	}
	if calls < 15 || want.Deals["final"]["final_score"] == "" || want.Deals["edited"]["stakeholder_map"] != "2" {
		t.Fatalf("the undisturbed run makes %d calls, final score %q", calls, want.Deals["final"]["final_score"])
	}

	for dieAt := 1; dieAt <= calls; dieAt++ {
		for _, after := range []bool{false, true} {
			for _, pause := range []time.Duration{0, time.Hour} {
				t.Run(fmt.Sprintf("call %d, after %v, started again %v later", dieAt, after, pause), func(t *testing.T) {
					w := troubled(t)
					p := &process{Store: w.db, CRM: w.crm, dieAt: dieAt, after: after}
					w.job.Store, w.job.CRM = p, p
					w.now = w.now.Add(time.Hour)
					if _, err := w.job.Run(t.Context()); !errors.Is(err, errKilled) {
						t.Fatalf("run: %v, want it killed", err)
					}
					w.job.Store, w.job.CRM = w.db, w.crm
					w.now = w.now.Add(pause)
					if _, err := w.job.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, end(w)); diff != "" {
						t.Errorf("differs from an undisturbed run (-calm +killed):\n%s", diff)
					}
					w.crm.applied = nil
					if s := w.run(); s.Written != 0 || len(w.crm.applied) != 0 {
						t.Errorf("a run without news wrote %v", w.crm.applied)
					}
				})
			}
		}
	}
}

// TestNewsBetweenKillAndRestart kills a run at each call, then lets the deals change before the next one: what the killed
// run had written must not pass for people's edits.
func TestNewsBetweenKillAndRestart(t *testing.T) {
	later := func(w *world) {
		w.crm.edit("noted", "item_2_1", "2")
		w.crm.edit("new", "item_2_1", "1")
		w.crm.put(noted(emptyDeal("edited")), "a-edited")
		w.crm.put(noted(emptyDeal("quiet1")), "a-quiet1")
	}
	calm := troubled(t)
	p := &process{Store: calm.db, CRM: calm.crm}
	calm.job.Store, calm.job.CRM = p, p
	calm.run()
	calls := p.calls
	later(calm)
	calm.run()
	want := end(calm)

	for dieAt := 1; dieAt <= calls; dieAt++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d, after %v", dieAt, after), func(t *testing.T) {
				w := troubled(t)
				p := &process{Store: w.db, CRM: w.crm, dieAt: dieAt, after: after}
				w.job.Store, w.job.CRM = p, p
				w.now = w.now.Add(time.Hour)
				if _, err := w.job.Run(t.Context()); !errors.Is(err, errKilled) {
					t.Fatalf("run: %v, want it killed", err)
				}
				later(w)
				w.job.Store, w.job.CRM = w.db, w.crm
				w.run()
				got := end(w)
				if diff := cmp.Diff(want.Deals, got.Deals); diff != "" {
					t.Errorf("deals differ from undisturbed runs (-calm +killed):\n%s", diff)
				}
				if diff := cmp.Diff(want.Accounts, got.Accounts); diff != "" {
					t.Errorf("accounts differ from undisturbed runs (-calm +killed):\n%s", diff)
				}
			})
		}
	}
}
