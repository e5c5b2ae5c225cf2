package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"handoff/crm"
	"handoff/rules"
	"handoff/rules/agreement"
)

// sides are the sides of the boundaries between points: "0<1" is a 0 that is nearly a 1.
var sides = []string{"0<1", "1>0", "1<2", "2>1"}

// TestBoundaries counts the examples near the boundaries of each item, and how many are on the right side.
func TestBoundaries(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := rules.NewEngine(sc)
	var report strings.Builder
	w := tabwriter.NewWriter(&report, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\t\n", strings.Join(sides, "\t"))
	right, all := 0, 0
	for _, it := range sc.Items {
		least := 12
		if it.Kind == "contacts" || it.Kind == "stage" { // record fields decide
			least = 6
		}
		fmt.Fprintf(w, "%s\t", it.ID)
		examples := boundaries(t, it.ID)
		for _, side := range sides {
			ok := 0
			for _, s := range examples[side] {
				labels, err := agreement.ReadLabels(s, sc)
				if err != nil {
					t.Fatalf("%s: %v", s.ID, err)
				}
				want := labels.Judgement(e).Scores[it.ID]
				for _, got := range e.Score(s, *s.AsOf).Items {
					if got.ID == it.ID && got.Score == want {
						ok++
					}
				}
			}
			n := len(examples[side])
			if n < least {
				t.Errorf("item %s has %d examples %s, want at least %d", it.ID, n, side, least)
			}
			right, all = right+ok, all+n
			fmt.Fprintf(w, "%d/%d\t", ok, n)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	t.Logf("examples on the right side: %d of %d\n%s", right, all, report.String())
	if float64(right) < leastRight*float64(all) {
		t.Errorf("%d of %d boundary examples are on the right side, want at least %.2f", right, all, leastRight)
	}
}

// leastRight is just under the share of boundary examples that are on the right side.
const leastRight = 0.57

// boundaries returns the examples of an item by side.
func boundaries(t *testing.T, id string) map[string][]*crm.Snapshot {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/boundaries", id+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]*crm.Snapshot{}
	for s, err := range crm.ReadLabelled(f) {
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(s.ID, "/")
		side, _, _ := strings.Cut(rest, "/")
		out[side] = append(out[side], s)
	}
	return out
}
