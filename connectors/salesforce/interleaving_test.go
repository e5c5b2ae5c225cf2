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

// pull saves what a pull brings: of each batch the deals, then the watermarks. It is killed before the save of that number; 0: it is
// not.
func (r *replica) pull(t *testing.T, c *salesforce.Client, killed int) {
	t.Helper()
	saves := 0
	save := func(do func()) error {
		if saves++; saves == killed {
			return errKilled
		}
		do()
		return nil
	}
	err := c.Pull(t.Context(), r.marks, func(b connectors.Batch) error {
		err := save(func() {
			for i := range b.Records {
				r.snapshots[b.Records[i].Snapshot.ID] = &b.Records[i].Snapshot
			}
		})
		if err != nil || b.Watermarks == nil {
			return err
		}
		return save(func() { r.marks = connectortest.Save(r.marks, b.Watermarks) })
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
	const perOrg = 20
	for seed := range uint64(connectortest.Interleavings(t) / perOrg) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			i := newInterleaver(t, seed)
			for n := 0; n < perOrg && !t.Failed(); n++ {
				i.interleave(t)
			}
		})
	}
}

// interleaver lets writers and pulls of one org take turns at random.
type interleaver struct {
	*lab
	random *rand.Rand
	saved  *replica
	won    []string
	mapped int // which of mappings holds
	late   []lateWrite
	writes int
}

func newInterleaver(t *testing.T, seed uint64) *interleaver {
	clock := connectortest.NewClock()
	l := startLab(t, &lab{clock: clock}, sandbox.Options{Cases: deals.Demo()[:4], NoLimits: true, NoLog: true, Sleep: clock.Sleep})
	i := &interleaver{lab: l, random: rand.New(rand.NewPCG(seed, seed)), saved: &replica{snapshots: map[string]*crm.Snapshot{}}}
	i.saved.pull(t, l.client, 0)
	for id := range i.saved.snapshots {
		i.won = append(i.won, id)
	}
	slices.Sort(i.won)
	return i
}

// mappings are what may be read of a deal: where it changes, all deals are swept again.
var mappings = []map[string]string{nil, {"champion": "Business_Problem__c"}}

// interleave is one interleaving, on a machine whose clock is up to half an hour ahead of that of the org, or behind it. A sweep
// that is killed, by REST or in bulk, goes on after what changes meanwhile.
func (i *interleaver) interleave(t *testing.T) {
	skew := time.Duration(i.random.IntN(61)-30) * time.Minute
	cfg := i.cfg
	cfg.Now = func() time.Time { return i.clock.Now().Add(skew) }
	if i.random.IntN(2) == 0 {
		i.mapped = 1 - i.mapped
	}
	cfg.Fields = mappings[i.mapped]
	anew := newClient(t, cfg)
	if i.random.IntN(2) == 0 {
		cfg.BulkFrom, cfg.Sleep = 1, hurried
	}
	client := newClient(t, cfg)
	for range 2 + i.random.IntN(5) {
		i.advance(t, []time.Duration{0, 300 * time.Millisecond, time.Second, time.Minute, 10 * time.Minute}[i.random.IntN(5)])
		if i.random.IntN(3) == 0 {
			i.saved.pull(t, client, i.random.IntN(10))
		} else {
			i.write(t)
		}
	}
	i.advance(t, longestCommit)
	i.saved.pull(t, client, 0)
	fresh := &replica{snapshots: map[string]*crm.Snapshot{}}
	fresh.pull(t, anew, 0)
	if diff := cmp.Diff(fresh.snapshots, i.saved.snapshots, cmpopts.EquateComparable(crm.Date{})); diff != "" {
		t.Errorf("with a clock that is off by %v, -the org +saved:\n%s", skew, diff)
	}
}

// longestCommit is how long after its stamp a change is seen at most.
const longestCommit = 40 * time.Minute

// advance moves the clock on, and waits for the changes that are committed meanwhile.
func (i *interleaver) advance(t *testing.T, d time.Duration) {
	i.clock.Advance(d)
	i.late = slices.DeleteFunc(i.late, func(w lateWrite) bool {
		if w.due.After(i.clock.Now()) {
			return false
		}
		if err := <-w.done; err != nil {
			t.Error(err)
		}
		return true
	})
}

// write lets somebody change what belongs to a deal. Every other change of a record below it commits late.
func (i *interleaver) write(t *testing.T) {
	somebody := *i.lab
	somebody.token = "" // logs in: sessions end
	f := somebody.fixture(t)
	i.writes++
	deal, text := i.won[i.random.IntN(len(i.won))], fmt.Sprint("change ", i.writes)
	add := []func() error{
		func() error { return f.AddNote(deal, text) },
		func() error { return f.AddTask(deal, text) },
		func() error { return f.AddEmail(deal, text, text) },
		func() error { return f.AddContact(deal, text, "Champion") },
	}
	if note := somebody.noteOfAnother(t, deal); note != "" {
		add = append(add, func() error {
			_, err := somebody.insert(t, "ContentDocumentLink", map[string]any{"ContentDocumentId": note, "LinkedEntityId": deal, "ShareType": "V"})
			return err
		})
	}
	change, edit := func() error { return f.EditRecord(t, "Opportunity", deal, map[string]any{"Description": text}) }, true
	if n := i.random.IntN(len(add) + 1); n < len(add) {
		change, edit = add[n], false
	}
	if edit || i.random.IntN(2) == 0 {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		return
	}
	delay := time.Duration(1+i.random.IntN(int(longestCommit/time.Second))) * time.Second
	if err := f.AddFault(t, connectortest.Fault{Method: "POST", Path: ".*/sobjects/(ContentNote|ContentDocumentLink|Task|EmailMessage|OpportunityContactRole)", Times: 1,
		CommitDelayMS: int(delay.Milliseconds())}); err != nil {
		t.Fatal(err)
	}
	w := lateWrite{i.clock.Now().Add(delay), make(chan error, 1)}
	go func() { w.done <- change() }()
	i.late = append(i.late, w)
	i.clock.AwaitSleepers(len(i.late))
}

// noteOfAnother returns the id of a note that is not linked to a deal yet; "": there is none.
func (l *lab) noteOfAnother(t *testing.T, deal string) string {
	linked := map[string]bool{}
	var notes []string
	for _, link := range l.query(t, "SELECT ContentDocumentId, LinkedEntityId FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Opportunity) ORDER BY Id") {
		notes = append(notes, link.ContentDocumentID)
		linked[link.ContentDocumentID] = linked[link.ContentDocumentID] || link.LinkedEntityID == deal
	}
	for _, note := range notes {
		if !linked[note] {
			return note
		}
	}
	return ""
}
