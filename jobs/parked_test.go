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

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

var (
	ruleFails = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrPark, Code: "VALIDATION", Message: "Amount must be approved",
		Fields: []string{"Amount"}, Remedy: "Correct the deal"}
	rowLocked = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrRetry, Code: "ROW_LOCK", Message: "held by another process"}
	approval  = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrPark, Code: "LOCKED", Message: "waits for an approval", RetryAfter: 24 * time.Hour}
	unchecked = &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrPark, Err: context.DeadlineExceeded}
)

// asked is a CRM that counts how often each record was to be written.
type asked struct {
	*fakeCRM
	tries map[string]int
}

func (a asked) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	for _, u := range updates {
		a.tries[u.ID]++
	}
	return a.fakeCRM.Write(ctx, updates)
}

func (w *world) parked() []jobs.Parked {
	w.t.Helper()
	list, err := w.db.Parked(w.t.Context(), "acme")
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// TestRefusedRowsAreTriedOnTheirOwnSchedule: not with every run, and ever later; what a run would do for others goes on.
func TestRefusedRowsAreTriedOnTheirOwnSchedule(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refused *connectors.Error
		every   time.Duration // between runs
		tries   []int         // after each run
	}{
		{"a row that is locked", rowLocked, 15 * time.Minute, []int{1, 2, 3, 3, 4, 4, 4, 5}},
		{"a validation rule", ruleFails, 30 * time.Minute, []int{1, 1, 2, 2, 2, 2, 3, 3}},
		{"a validation rule, for days", ruleFails, 16 * time.Hour, []int{1, 2, 3, 4, 5, 6, 6, 7}},
		{"an approval", approval, 8 * time.Hour, []int{1, 1, 1, 2, 2, 2, 3}},
		{"a value that is refused before it is sent", unchecked, time.Hour, []int{1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			crm := asked{w.crm, map[string]int{}}
			w.job.CRM = crm
			w.crm.refused["d1"] = tt.refused
			w.crm.put(emptyDeal("d1"), "")
			w.crm.put(emptyDeal("d2"), "")
			var tries []int
			for range tt.tries {
				w.now = w.now.Add(tt.every - time.Hour) // run adds that
				if s := w.run(); s.Parked != 1 || s.Left != oneRefused {
					t.Errorf("run did %+v", s)
				}
				tries = append(tries, crm.tries["d1"])
			}
			if !slices.Equal(tries, tt.tries) {
				t.Errorf("tried %v, want %v", tries, tt.tries)
			}
			if crm.tries["d2"] != 1 {
				t.Errorf("the other deal was written %d times", crm.tries["d2"])
			}
			delete(w.crm.refused, "d1")
			w.now = w.now.Add(24 * time.Hour)
			w.wantRun(jobs.Summary{Written: 1, Flagged: 2})
			if h := w.handoff("d1"); h.Parked != nil || h.Pending {
				t.Errorf("written, and still parked %v, pending %v", h.Parked, h.Pending)
			}
		})
	}
}

func TestParkedSaysWhy(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"d1", "d2", "d3"} {
		w.crm.put(emptyDeal(id), "a-"+id)
	}
	w.crm.refused["d2"] = ruleFails
	w.wantRun(jobs.Summary{Pulled: 3, Scored: 3, Written: 2, Flagged: 3, Parked: 1, Left: oneRefused})
	first := w.now
	w.now = w.now.Add(time.Hour)
	w.wantRun(jobs.Summary{Flagged: 3, Parked: 1, Left: oneRefused})
	got := w.parked()
	want := []jobs.Parked{{Connection: "acme", Ref: crm.Ref{Object: crm.DealObject, ID: "d2"}, Name: "Deal d2", Refusal: jobs.Refusal{
		Code: "VALIDATION", Message: "Amount must be approved", Fields: []string{"Amount"}, Remedy: "Correct the deal",
		Since: first, At: w.now, Tries: 2, Next: w.now.Add(2 * time.Hour), Changed: first.Add(-time.Hour), Sent: got[0].Refusal.Sent}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parked (-want +got):\n%s", diff)
	}
	if !strings.Contains(w.log.String(), `id=d2 reason="Fake: write: Amount must be approved (VALIDATION). Correct the deal" tries=2`) {
		t.Errorf("the log does not tell it:\n%s", w.log.String())
	}
	w.crm.refused["d2"] = rowLocked // another reason has a schedule of its own
	w.now = w.now.Add(2 * time.Hour)
	w.run()
	if r := w.parked()[0].Refusal; r.Code != "ROW_LOCK" || r.Tries != 1 || r.Next != w.now.Add(5*time.Minute) {
		t.Errorf("refused for another reason: %+v", r)
	}
}

// TestChangedRowIsTriedAtOnce: whoever corrects what the CRM complains of need not wait, whatever the CRM's clock says.
func TestChangedRowIsTriedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world)
		want   int // tries
	}{
		{"nothing", func(*world) {}, 1},
		{"another deal", func(w *world) { w.crm.put(noted(emptyDeal("d2")), "") }, 1},
		{"a note", func(w *world) { w.crm.put(noted(emptyDeal("d1")), "") }, 2},
		{"a field that handoff does not read", func(w *world) { w.crm.touch(w.crm.deals["d1"]) }, 2},
		{"an item that a person set", func(w *world) { w.crm.edit("d1", "item_2_1", "2") }, 2},
		{"the score, by time alone", func(w *world) { w.now = w.now.AddDate(0, 0, 14) }, 2},
		{"the CRM was set up again", func(w *world) {
			if err := w.db.CompareAgain(t.Context(), "acme"); err != nil {
				t.Fatal(err)
			}
		}, 2},
	} {
		for _, ahead := range []time.Duration{-3 * time.Hour, 0, 3 * time.Hour} {
			t.Run(fmt.Sprintf("%s, with a clock ahead by %v", tt.name, ahead), func(t *testing.T) {
				w := newWorld(t)
				w.crm.clock = func() time.Time { return w.now.Add(ahead) }
				crm := asked{w.crm, map[string]int{}}
				w.job.CRM = crm
				tomorrow := *approval
				tomorrow.RetryAfter = 365 * 24 * time.Hour
				w.crm.refused["d1"] = &tomorrow
				w.crm.put(emptyDeal("d1"), "")
				w.crm.put(emptyDeal("d2"), "")
				w.run()
				w.now = w.now.Add(time.Minute)
				tt.change(w)
				w.run()
				w.run()
				if got := crm.tries["d1"]; got != tt.want {
					t.Errorf("tried %d times, want %d", got, tt.want)
				}
			})
		}
	}
}

// TestParkedAccounts: the health of an account waits as a deal does, and is tried at once when it changes.
func TestParkedAccounts(t *testing.T) {
	w := newWorld(t)
	crm := asked{w.crm, map[string]int{}}
	w.job.CRM = crm
	w.crm.refused["a1"] = approval
	w.crm.put(emptyDeal("d1"), "a1")
	for range 3 {
		if s := w.run(); s.Parked != 1 || s.Left != oneRefused {
			t.Errorf("run did %+v", s)
		}
	}
	if crm.tries["a1"] != 1 {
		t.Errorf("tried %d times", crm.tries["a1"])
	}
	for item := range w.crm.deals["d1"].values {
		if strings.HasPrefix(item, "item_") && item != "item_notes" {
			w.crm.edit("d1", item, "2")
		}
	}
	w.run()
	if p := w.parked(); crm.tries["a1"] != 2 || len(p) != 1 || p[0].Ref.ID != "a1" {
		t.Errorf("another health: tried %d times, parked %+v", crm.tries["a1"], p)
	}
	w.crm.accounts["a1"]["health"] = "Green" // by a person, as it should be
	if s := w.run(); s.Parked != 0 || len(w.parked()) > 0 {
		t.Errorf("nothing is left to write: %+v, parked %+v", s, w.parked())
	}
}

// TestRecordThatIsThereAfterAll: a CRM that does not find "the record" may mean another one, such as what a flow looks up.
func TestRecordThatIsThereAfterAll(t *testing.T) {
	missing := &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrDrop, Code: "INVALID_CROSS_REFERENCE_KEY",
		Message: "invalid cross reference id", Remedy: "Ask the admin"}
	t.Run("a deal and an account", func(t *testing.T) {
		w := newWorld(t)
		w.crm.put(emptyDeal("d1"), "a1")
		w.crm.refused["d1"], w.crm.refused["a1"] = missing, missing
		w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Flagged: 1, Parked: 2,
			Left: "2 rows refused by the CRM: `handoff deals --parked` says why, what to do, and when the write is tried again"})
		for i, ref := range []crm.Ref{{Object: crm.AccountObject, ID: "a1"}, {Object: crm.DealObject, ID: "d1"}} {
			p := w.parked()[i]
			if p.Ref != ref || p.Refusal.Message != missing.Message || p.Refusal.Remedy != missing.Remedy || p.Refusal.Next != w.now.Add(time.Hour) {
				t.Errorf("parked %+v", p)
			}
		}
		clear(w.crm.refused)
		w.now = w.now.Add(time.Hour)
		w.wantRun(jobs.Summary{Written: 1, Flagged: 1})
	})
	t.Run("one that cannot be looked for", func(t *testing.T) {
		w := newWorld(t)
		w.crm.put(emptyDeal("d1"), "")
		w.crm.put(emptyDeal("d2"), "")
		w.crm.refused["d1"] = missing
		w.job.CRM = unreadable{w.crm}
		if s, err := w.job.Run(t.Context()); !errors.Is(err, connectors.ErrRetry) || s.Written != 1 || s.Parked != 0 {
			t.Errorf("run did %+v, %v", s, err)
		}
		w.job.CRM = w.crm
		w.wantRun(jobs.Summary{Flagged: 2, Parked: 1, Left: oneRefused})
	})
}

// unreadable is a CRM that does not answer who reads our fields.
type unreadable struct{ *fakeCRM }

func (unreadable) ReadValues(context.Context, crm.Object, []string) (map[string]crm.Values, error) {
	return nil, &connectors.Error{Op: "read", CRM: "Fake", Class: connectors.ErrRetry, Message: "no answer"}
}
