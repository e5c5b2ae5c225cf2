package hubspot_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestInterleavings: whatever the order of other people's changes, of what the index knows of them and of pulls, and whatever
// this machine believes what time it is, in the end all that was saved is as the portal has it.
func TestInterleavings(t *testing.T) {
	const perPortal = 20
	for seed := range uint64(connectortest.Interleavings(t) / perPortal) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deals.Demo()[:4], usualOverlap)
			setUp(t, l)
			i := &interleaver{lab: l, random: rand.New(rand.NewPCG(seed, seed))}
			i.pull(t, l.client, 0)
			i.won = slices.Sorted(maps.Keys(l.memory.snapshots))
			l.clock.Advance(time.Hour)
			for n := 0; n < perPortal && !t.Failed(); n++ {
				i.interleave(t)
			}
		})
	}
}

// interleaver lets writers and pulls of one portal take turns at random.
type interleaver struct {
	*lab
	random *rand.Rand
	marks  crm.Watermarks
	won    []string
	mapped int // which of mappings holds
	writes int
}

var errKilled = errors.New("killed")

// pull saves what a pull brings: of each batch the deals, then the watermarks. It is killed before the save of that number; 0: it is
// not.
func (i *interleaver) pull(t *testing.T, c *hubspot.Client, killed int) {
	t.Helper()
	saves := 0
	save := func(do func()) error {
		if saves++; saves == killed {
			return errKilled
		}
		do()
		return nil
	}
	err := c.Pull(t.Context(), i.marks, func(b connectors.Batch) error {
		err := save(func() { i.memory.save(news{records: b.Records}) })
		if err != nil || b.Watermarks == nil {
			return err
		}
		return save(func() { i.marks = connectortest.Save(i.marks, b.Watermarks) })
	})
	if err != nil && !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
}

// mappings are what may be read of a deal: where it changes, all deals are swept again.
var mappings = []map[string]string{nil, {"use_case": "metrics"}}

// longestLag is how long after a change a search finds it at most.
const longestLag = 25 * time.Minute

// interleave is one interleaving, on a machine whose clock is up to half an hour ahead of that of the portal, or behind it. A
// sweep that is killed goes on after what changes meanwhile.
func (i *interleaver) interleave(t *testing.T) {
	skew := time.Duration(i.random.IntN(61)-30) * time.Minute
	now := func() time.Time { return i.clock.Now().Add(skew) }
	if i.random.IntN(2) == 0 {
		i.mapped = 1 - i.mapped
	}
	client := i.again(t, func(c *hubspot.Config) { c.Now, c.Fields = now, mappings[i.mapped] })
	for range 2 + i.random.IntN(5) {
		i.clock.Advance([]time.Duration{0, 300 * time.Millisecond, time.Second, time.Minute, 10 * time.Minute}[i.random.IntN(5)])
		if i.random.IntN(3) == 0 {
			i.pull(t, client, i.random.IntN(10))
		} else {
			i.write(t)
		}
	}
	i.clock.Advance(longestLag)
	i.pull(t, client, 0)
	anew := i.again(t, func(c *hubspot.Config) { c.Now, c.Fields, c.Memory = now, mappings[i.mapped], nil })
	for _, r := range pull(t, anew, nil).records {
		if diff := cmp.Diff(&r.Snapshot, i.memory.snapshots[r.Snapshot.ID], cmpopts.EquateComparable(crm.Date{})); diff != "" {
			t.Errorf("%s, with a clock that is off by %v, -the portal +saved:\n%s", r.Snapshot.ID, skew, diff)
		}
	}
}

// write lets somebody change what belongs to a deal, which searches know of later.
func (i *interleaver) write(t *testing.T) {
	i.writes++
	deal, text := i.won[i.random.IntN(len(i.won))], fmt.Sprint("change ", i.writes)
	i.lateInSearches(t, "/crm/objects/.*", time.Duration(1+i.random.IntN(int(longestLag/time.Second)))*time.Second)
	defer i.must(t, http.MethodDelete, "/_sandbox/faults", nil)
	switch kind := []string{"notes", "notes", "contacts", "tasks", "deals"}[i.random.IntN(5)]; kind {
	case "deals":
		i.patch(t, kind, deal, map[string]string{"description": text})
	case "tasks":
		if err := i.fixture(t).AddTask(deal, text); err != nil {
			t.Fatal(err)
		}
	default:
		property := map[string]string{"notes": "hs_note_body", "contacts": "jobtitle"}[kind]
		if ids := i.ids(t, deal, kind); len(ids) > 0 && i.random.IntN(2) == 0 {
			i.patch(t, kind, ids[i.random.IntN(len(ids))], map[string]string{property: text})
		} else if err := i.fixture(t).AddNote(deal, text); err != nil {
			t.Fatal(err)
		}
	}
}
