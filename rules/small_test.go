package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSmall checks S1.62: below the threshold a deal is scored by categories 4 and 5 alone, by the same items.
func TestSmall(t *testing.T) {
	threshold, below, at := 50_000.0, 49_999.0, 50_000.0
	e := builtin(t).ForThreshold(&threshold)
	for _, tt := range []struct {
		name   string
		amount *float64
		small  bool
	}{
		{"below", &below, true}, {"at the threshold", &at, false}, {"amount not recorded", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := deal()
			s.Deal.Amount = tt.amount
			whole, got := builtin(t).Score(s, asOf), e.Score(s, asOf)
			if !tt.small {
				if diff := cmp.Diff(whole, got); diff != "" {
					t.Errorf("-whole +got:\n%s", diff)
				}
				return
			}
			if !got.Small || got.Max != 14 || len(got.Items) != 7 || len(got.Categories) != 2 {
				t.Fatalf("small %v, %d items, %d points, %v", got.Small, len(got.Items), got.Max, got.Categories)
			}
			if diff := cmp.Diff(whole.Items[13:], got.Items); diff != "" {
				t.Errorf("the items are not those of the whole scorecard, -whole +got:\n%s", diff)
			}
			if got.Ghost != whole.Ghost {
				t.Errorf("ghost %s, want %s, by the whole record", got.Ghost, whole.Ghost)
			}
		})
	}
}

func TestSmallRating(t *testing.T) {
	threshold, amount := 50_000.0, 100.0
	e := builtin(t).ForThreshold(&threshold)
	s := won()
	s.Deal.Amount = &amount
	card := e.Score(s, asOf)
	for _, tt := range []struct {
		expectations, hygiene int
		rating, health        string
		complete, ready       bool
	}{
		{8, 6, Excellent, Green, true, true},
		{8, 5, Excellent, Green, true, true}, // 92 %
		{8, 4, Acceptable, Green, true, true},
		{8, 2, Acceptable, Green, true, true}, // 71 %
		{8, 1, BelowStandard, Yellow, true, false},
		{8, 0, BelowStandard, Yellow, false, false},
		{4, 2, Incomplete, Red, true, false}, // 42 %
		{0, 6, Incomplete, Red, false, false},
	} {
		points := map[string]int{}
		give := func(n int, ids ...string) {
			for _, id := range ids {
				points[id] = min(2, n)
				n -= points[id]
			}
		}
		give(tt.expectations, "4.1", "4.2", "4.3", "4.4")
		give(tt.hygiene, "5.1", "5.2", "5.3")
		c := e.Override(card, points)
		c.Ghost = GhostNo
		e.tally(c)
		if c.Total != tt.expectations+tt.hygiene || c.Rating != tt.rating || c.Health != tt.health || c.Complete != tt.complete || Ready(c) != tt.ready {
			t.Errorf("%d and %d: %d of %d, %s, %s, complete %v, ready %v; want %+v", tt.expectations, tt.hygiene, c.Total, c.Max, c.Rating, c.Health, c.Complete, Ready(c), tt)
		}
		if want := tt.rating == Incomplete || !tt.complete; c.Flagged() != want {
			t.Errorf("%d and %d: flagged %v", tt.expectations, tt.hygiene, c.Flagged())
		}
	}
}

func TestRulebook(t *testing.T) {
	a, b := 1000.0, 2000.0
	e := builtin(t)
	books := []string{e.Rulebook(), e.ForThreshold(&a).Rulebook(), e.ForThreshold(&b).Rulebook()}
	if books[0] == books[1] || books[1] == books[2] || books[0] != e.ForThreshold(nil).Rulebook() {
		t.Errorf("%q", books)
	}
}

// TestSmallOfFile checks that the small version follows the scorecard that it belongs to.
func TestSmallOfFile(t *testing.T) {
	threshold, amount := 50_000.0, 100.0
	s := won()
	s.Deal.Amount = &amount
	for _, tt := range []struct {
		name, file string
		max        int
		small      bool
	}{
		{"an item more", training, 16, true},
		{"other categories", "base = \"handoff\"\n[small]\ncategories = [\"Deal Context\"]", 10, true},
		{"no category any more", "base = \"handoff\"\nwithout = [\"CRM Hygiene\"]", 8, true},
		{"none", "base = \"handoff\"\n[small]\ncategories = []", 40, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewEngine(overlaid(t, tt.file)).ForThreshold(&threshold).Score(s, asOf)
			if c.Max != tt.max || c.Small != tt.small {
				t.Errorf("%d points, small %v; want %d, %v", c.Max, c.Small, tt.max, tt.small)
			}
		})
	}
}
