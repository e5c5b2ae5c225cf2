package rules

import (
	"os"
	"path/filepath"
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

// everyCase returns the demo's deals and all labelled ones.
func everyCase(tb testing.TB) []*crm.Snapshot {
	tb.Helper()
	files, err := filepath.Glob("testdata/cases/*.jsonl")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no cases: %v", err)
	}
	all := labelled(tb, demo)
	for _, file := range files {
		all = append(all, labelled(tb, file)...)
	}
	return all
}
