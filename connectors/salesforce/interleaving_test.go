package salesforce_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// replica is what was saved of an org's deals, pull by pull.
type replica struct {
	snapshots map[string]*crm.Snapshot
	marks     crm.Watermarks
}

// pull saves what a pull brings. One that is killed ends behind its first deals, which are saved.
func (r *replica) pull(t *testing.T, c *salesforce.Client, killed bool) {
	t.Helper()
	err := c.Pull(t.Context(), r.marks, func(b connectors.Batch) error {
		for i := range b.Records {
			r.snapshots[b.Records[i].Snapshot.ID] = &b.Records[i].Snapshot
		}
		if b.Watermarks != nil {
			r.marks = b.Watermarks
		}
		if killed && len(b.Records) > 0 {
			return errKilled
		}
		return nil
	})
	if err != nil && !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
}

// lateWrite is a change that is stamped and not committed.
type lateWrite struct {
	due  time.Time
	done chan error
}

// TestInterleavings: whatever the order of other people's changes, of their commits and of pulls, and whatever this machine
// believes what time it is, in the end all that was saved is as the org has it. Changes within a second are ties.
// https://github.com/airbytehq/airbyte/issues/27146
func TestInterleavings(t *testing.T) {
	const orgs, steps = 10, 100
	for seed := range uint64(orgs) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, seed))
			skew := time.Duration(random.IntN(13)-6) * time.Hour
			clock := connectortest.NewClock()
			l := startLab(t, &lab{clock: clock}, sandbox.Options{Cases: deals.Demo()[:8], NoLimits: true, NoLog: true, Sleep: clock.Sleep}, func(c *salesforce.Config) {
				c.Now = func() time.Time { return clock.Now().Add(skew) }
			})
			r := &replica{snapshots: map[string]*crm.Snapshot{}}
			r.pull(t, l.client, false)
			var won []string
			for id := range r.snapshots {
				won = append(won, id)
			}
			slices.Sort(won)
			var late []lateWrite
			advance := func(d time.Duration) {
				clock.Advance(d)
				late = slices.DeleteFunc(late, func(w lateWrite) bool {
					if w.due.After(clock.Now()) {
						return false
					}
					if err := <-w.done; err != nil {
						t.Error(err)
					}
					return true
				})
			}
			for step := range steps {
				advance([]time.Duration{0, 300 * time.Millisecond, time.Second, time.Minute, 10 * time.Minute}[random.IntN(5)])
				if random.IntN(3) == 0 {
					r.pull(t, l.client, random.IntN(4) == 0)
					continue
				}
				deal, text := won[random.IntN(len(won))], fmt.Sprint("step ", step)
				somebody := *l
				somebody.token = "" // logs in: sessions end
				f := somebody.fixture(t)
				add := []func() error{
					func() error { return f.AddNote(deal, text) },
					func() error { return f.AddTask(deal, text) },
					func() error { return f.AddEmail(deal, text, text) },
					func() error { return f.AddContact(deal, text, "Champion") },
				}
				switch i := random.IntN(len(add) + 1); {
				case i == len(add):
					if err := f.EditRecord(t, "Opportunity", deal, map[string]any{"Description": text}); err != nil {
						t.Fatal(err)
					}
				case random.IntN(2) == 0:
					if err := add[i](); err != nil {
						t.Fatal(err)
					}
				default:
					delay := time.Duration(1+random.IntN(40*60)) * time.Second
					if err := f.AddFault(t, connectortest.Fault{Method: "POST", Path: ".*/sobjects/(ContentNote|Task|EmailMessage|OpportunityContactRole)", Times: 1,
						CommitDelayMS: int(delay.Milliseconds())}); err != nil {
						t.Fatal(err)
					}
					w := lateWrite{clock.Now().Add(delay), make(chan error, 1)}
					go func() { w.done <- add[i]() }()
					late = append(late, w)
					clock.AwaitSleepers(len(late))
				}
			}
			advance(41 * time.Minute)
			r.pull(t, l.client, false)
			fresh := &replica{snapshots: map[string]*crm.Snapshot{}}
			fresh.pull(t, newClient(t, l.cfg), false)
			if diff := cmp.Diff(fresh.snapshots, r.snapshots, cmpopts.EquateComparable(crm.Date{})); diff != "" {
				t.Errorf("-the org +saved:\n%s", diff)
			}
		})
	}
}
