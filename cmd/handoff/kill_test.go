package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// TestKills kills runs at random moments and restarts them: the CRM must end as after an undisturbed run, and each change
// must have been written once. `make kills` runs it at full size.
func TestKills(t *testing.T) { overBoth(t, testKills) }

func testKills(t *testing.T, connection string) {
	deals, kills := setting(t, "HANDOFF_KILL_DEALS", 600), setting(t, "HANDOFF_KILLS", 3)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	flags := []string{"--generate", strconv.Itoa(deals), "--seed", "7", "--latency", "10ms", "--no-limits"} // the test makes calls of its own

	calm := newLab(t, connection, flags...)
	calm.handoff(0, "setup", "--apply")
	start := time.Now()
	calm.run()
	took := time.Since(start)
	want, wantWrites := state(calm), calm.writes()

	for killed := 0; killed < kills; {
		l := newLab(t, connection, flags...)
		l.handoff(0, "setup", "--apply")
		for done := false; !done; {
			done = killed == kills || !killRun(t, l, time.Duration(0.8*random.Float64()*float64(took)))
			if !done {
				killed++
				scored := 0
				for _, d := range l.crm.records(crm.DealObject) {
					if d.values["score"] != "" {
						scored++
					}
				}
				t.Logf("kill %d: %d deals carry a score", killed, scored)
			}
		}
		l.run()
		if diff := cmp.Diff(want, state(l)); diff != "" {
			t.Errorf("the CRM differs from that of an undisturbed run (-calm +disturbed):\n%s", diff)
		}
		writes := l.writes()
		if len(writes) != len(wantWrites) {
			t.Errorf("%d fields were written, want %d as undisturbed", len(writes), len(wantWrites))
		}
		for c, n := range writes {
			if n != 1 {
				t.Errorf("%s of %s was written %d times, want once", c.field, c.record, n)
			}
		}
		if again := l.run(); again.Written != 0 {
			t.Errorf("a run after that wrote %d deals, want none", again.Written)
		}
	}
}

// TestKilledRollback kills rollbacks while they write: the one after them ends with the CRM as it was before the run, and each
// field was written once by the run and once to take that back.
func TestKilledRollback(t *testing.T) { overBoth(t, testKilledRollback) }

func testKilledRollback(t *testing.T, connection string) {
	l := newLab(t, connection, "--generate", "450", "--seed", "7", "--no-limits") // in batches of 200 or 100
	l.handoff(0, "setup", "--apply")
	want := state(l)
	l.run()
	written := len(l.writes())
	for _, after := range []int{0, 1, 0} {
		if !l.killWhileWriting(after, "rollback", "1") {
			t.Fatal("the rollback ended before it was killed")
		}
	}
	l.handoff(0, "rollback", "1")
	if diff := cmp.Diff(want, state(l)); diff != "" {
		t.Errorf("the CRM is not as before the run (-before +now):\n%s", diff)
	}
	writes := l.writes()
	if len(writes) != written {
		t.Errorf("%d fields were written in all, %d by the run", len(writes), written)
	}
	for c, n := range writes {
		if n != 2 {
			t.Errorf("%s of %s was written %d times, want twice", c.field, c.record, n)
		}
	}
	l.handoff(1, "run", "--once", "--connection", connection) // what is held is left to a person
	if diff := cmp.Diff(want, state(l)); diff != "" {
		t.Errorf("a run wrote to what is held (-held +now):\n%s", diff)
	}
}

// killRun starts a run and kills it after the given time. It returns false if the run ended by itself before that.
func killRun(t *testing.T, l *lab, after time.Duration) bool {
	t.Helper()
	cmd := l.command("run", "--once", "--connection", l.connection)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended just now
	err := cmd.Wait()
	timer.Stop()
	if err == nil {
		return false
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Fatalf("the run ended by itself, with %v", cmd.ProcessState)
	}
	return true
}

// state is every field of ours in the CRM, by the name of its record; the moment of scoring is left out.
func state(l *lab) map[string]crm.Values {
	all := map[string]crm.Values{}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, r := range l.crm.records(object) {
			delete(r.values, "scored_at")
			all[string(object)+" "+r.name] = r.values
		}
	}
	return all
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
