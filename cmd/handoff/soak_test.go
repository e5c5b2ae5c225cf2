package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// soakDefault is how long the soak lasts as a part of `go test ./...`: long enough to keep it from rotting.
const soakDefault = time.Second

// TestSoak lets people edit records, faults come and go and runs happen, in random order, for as long as HANDOFF_SOAK says
// ("30m"). In the end the CRM has to be as it would be without the faults, and no value may have been written twice. `make
// soak` does so for half an hour and prints a report, which -update writes to docs/soak.md.
func TestSoak(t *testing.T) {
	t.Parallel()
	length := soakDefault
	if text := os.Getenv("HANDOFF_SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("HANDOFF_SOAK: %v", err)
		}
	}
	began := time.Now()
	var mu sync.Mutex
	reports := map[string]*soakReport{}
	t.Run("both", func(t *testing.T) {
		for connection := range faultClasses {
			t.Run(connection, func(t *testing.T) {
				t.Parallel()
				total := &soakReport{}
				for epoch := uint64(0); !t.Failed() && (epoch == 0 || time.Since(began) < length); epoch++ {
					t.Run(fmt.Sprint("seed ", epoch), func(t *testing.T) { soak(t, connection, epoch, total) })
				}
				mu.Lock()
				defer mu.Unlock()
				reports[connection] = total
			})
		}
	})
	var b strings.Builder
	fmt.Fprintf(&b, "# A soak of %v\n\n`make soak`, at commit %s: people edit records, faults come and go, runs happen, all at random. Lost is what the CRM lacks in the end; doubled is "+
		"what was written although the CRM held it.\n\n| | Salesforce | HubSpot |\n|---|---|---|\n", length, commit())
	s, h := reports["salesforce"], reports["hubspot"]
	for _, line := range []struct {
		name string
		s, h int
	}{
		{"sandboxes, one after another", s.epochs, h.epochs},
		{"edits by people", s.edits, h.edits},
		{"faults", s.faults, h.faults},
		{"runs", s.runs, h.runs},
		{"runs that said what they could not do", s.told, h.told},
		{"values written", s.written, h.written},
		{"lost", s.lost, h.lost},
		{"doubled", s.doubled, h.doubled},
	} {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", line.name, line.s, line.h)
	}
	t.Log("\n" + b.String())
	if *update {
		if err := os.WriteFile("../../docs/soak.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// soakReport counts what happened in a soak.
type soakReport struct{ epochs, edits, faults, runs, told, written, lost, doubled int }

// soakRuns is how many runs a sandbox sees: its log stays in memory.
const soakRuns = 30

// soak is one sandbox of a soak.
func soak(t *testing.T, connection string, seed uint64, total *soakReport) {
	random := rand.New(rand.NewPCG(seed, 0))
	s := newFaultScene(t, connection, &routines[0], 0)
	calls, states := s.clean()
	start := len(s.log())
	total.epochs++
	now := map[string]bool{} // which text people wrote last, by kind
	for _, k := range s.kinds {
		now[k.name] = s.told
	}
	for range soakRuns {
		s.clock.Advance(time.Duration(random.IntN(26*60)) * time.Minute)
		for _, k := range s.kinds {
			if random.IntN(3) == 0 {
				now[k.name] = !now[k.name]
				k.change(now[k.name])
				total.edits++
			}
		}
		class := faultClasses[connection][random.IntN(len(faultClasses[connection]))]
		c := calls[random.IntN(len(calls))]
		class.patience = 0
		if class.name == "slow" || class.faults(c) == nil {
			class = faultClass{faults: none} // a run without a fault
		} else {
			total.faults++
		}
		total.runs++
		if s.suffer(c, class) != "" {
			total.told++
		}
	}
	s.clock.Advance(26 * time.Hour)
	if said := s.run(); said != "" {
		t.Errorf("without faults a run does not do all its work: %s", said)
	}
	want := map[string]any{}
	for name := range states[true] {
		_, deal, _ := strings.Cut(strings.Replace(name, "Account of ", "", 1), " ")
		want[name] = states[now[deal]][name]
	}
	if diff := cmp.Diff(want, s.state()); diff != "" {
		total.lost++
		t.Errorf("lost (-without +with the faults):\n%s", diff)
	}
	last := map[change]string{}
	for _, e := range s.log()[start:] {
		for _, w := range s.crm.wrote(e) {
			total.written++
			if before, known := last[w.change]; known && before == w.value {
				total.doubled++
				t.Errorf("%s of %s was written twice: %.100s", w.field, w.record, w.value)
			}
			last[w.change] = w.value
		}
	}
}
