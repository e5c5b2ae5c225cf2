package rules

import (
	"os"
	"testing"

	"handoff/crm"
)

// demo is the file of the deals that the demo shows.
const demo = "../connectors/sandbox/deals/demo.jsonl"

// labelled reads the deals of a file.
func labelled(tb testing.TB, path string) []*crm.Snapshot {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []*crm.Snapshot
	for s, err := range crm.ReadCases(f) {
		if err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		all = append(all, s)
	}
	return all
}
