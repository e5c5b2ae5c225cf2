package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	growthDefault = "100"     // deals of a first sync as a part of `go test ./...`: enough to keep it from rotting
	mostMemory    = 300 << 10 // kB that a first sync may hold
	mostGrowth    = 1.15      // from the fewest deals to the most
)

// TestGrowth measures what a first sync takes, in a process of its own, of as many deals as HANDOFF_GROWTH says ("10000 30000"). `make
// growth` does so for up to 100,000; -update writes what was measured to docs/growth.md.
func TestGrowth(t *testing.T) {
	sizes, measured := os.LookupEnv("HANDOFF_GROWTH")
	if !measured {
		sizes = growthDefault
	}
	var table strings.Builder
	least := map[string]int64{}
	for size := range strings.FieldsSeq(sizes) {
		l := newLab(t, "salesforce", "--generate", size, "--seed", "7", "--no-limits", "--no-log")
		for _, connection := range []string{"salesforce", "hubspot"} {
			l.look(connection)
			l.handoff(0, "setup", "--apply", "--connection", connection)
			s, kB, took := l.firstSync()
			fmt.Fprintf(&table, "| %s | %s | %d | %d MB | %d | %v |\n", size, connection, s.Written, kB>>10, s.Calls, took.Round(time.Second))
			if !measured { // the kernel counts what the process held that started the command, too, which is not alone here
				continue
			}
			if least[connection] == 0 {
				least[connection] = kB
			}
			if kB > mostMemory || float64(kB) > mostGrowth*float64(least[connection]) {
				t.Errorf("%s deals of %s take %d kB, want %d at most, and no more than %.2f times the %d of the fewest deals",
					size, connection, kB, mostMemory, mostGrowth, least[connection])
			}
		}
	}
	report := fmt.Sprintf("# How a first sync grows\n\n`make growth`, at commit %s: a first sync as a process of its own against the sandbox, which is the slower of the two. Peak memory "+
		"is the largest resident set that the kernel has seen. One run reads as many long notes of Salesforce as a tenth of the org's daily calls, which bounds the calls.\n\n"+
		"| deals | CRM | written | peak memory | calls | time |\n|---|---|---|---|---|---|\n%s", commit(), table.String())
	t.Log("\n" + report)
	if *update {
		if err := os.WriteFile("../../docs/growth.md", []byte(report), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// firstSync runs the lab's connection once, and returns also how many kB the process held at its peak, and how long it took.
func (l *lab) firstSync() (s summary, kB int64, took time.Duration) {
	l.t.Helper()
	began := time.Now()
	run := l.command("run", "--once", "--connection", l.connection, "--json")
	out, failed := run.Output()
	if err := json.Unmarshal(out, &s); err != nil {
		l.t.Fatalf("run --once --json: %v: %s", errors.Join(failed, err), out)
	}
	if failed != nil && s.Left == "" { // notes that are left to the next run are no failure
		l.t.Fatalf("run --once: %v: %s", failed, out)
	}
	return s, run.ProcessState.SysUsage().(*syscall.Rusage).Maxrss, time.Since(began)
}

// commit names the commit that is measured, for a report of it; "unknown": this is no clone, or there is no git.
func commit() string {
	name, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(name))
}
