package rules

import (
	"encoding/json"
	"os"
	"testing"

	"handoff/crm"
)

// labelled returns the labelled deals that the demo shows.
func labelled(tb testing.TB) []*crm.Snapshot {
	tb.Helper()
	f, err := os.Open("../connectors/sandbox/deals/demo.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []*crm.Snapshot
	for s, err := range crm.ReadCases(f) {
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// TestAgreement compares scores with the labels of careful readers. The floors are those asked for, not what is reached:
// cues that fit these deals alone are worth nothing.
func TestAgreement(t *testing.T) {
	const minExact, minGhostF1 = 0.70, 0.85
	e := builtin(t)
	right, all := map[string]int{}, 0
	var hit, missed, wrong int
	cases := labelled(t)
	for _, s := range cases {
		var want struct {
			Scores map[string]int `json:"scores"`
			Ghost  Ghost          `json:"ghost"`
		}
		if err := json.Unmarshal(s.Expected, &want); err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		card := e.Score(s, *s.AsOf)
		for _, it := range card.Items {
			all++
			if it.Score == want.Scores[it.ID] {
				right[it.ID]++
				right["all"]++
			}
		}
		switch {
		case want.Ghost == GhostYes && card.Ghost == GhostYes:
			hit++
		case want.Ghost == GhostYes:
			missed++
		case card.Ghost == GhostYes:
			wrong++
		}
	}
	for _, it := range e.Scorecard().Items {
		t.Logf("%s exact %.2f", it.ID, float64(right[it.ID])/float64(len(cases)))
	}
	exact := float64(right["all"]) / float64(all)
	f1 := 2 * float64(hit) / float64(2*hit+missed+wrong)
	t.Logf("%d deals, exact %.3f, ghost F1 %.3f", len(cases), exact, f1)
	if exact < minExact || f1 < minGhostF1 {
		t.Errorf("exact %.3f, ghost F1 %.3f; want at least %.2f and %.2f", exact, f1, minExact, minGhostF1)
	}
}
