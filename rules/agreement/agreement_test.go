package agreement

import (
	"fmt"
	"math"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"handoff/crm"
	"handoff/rules"
)

// show prints a measure the way the wants below are written.
func show(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.3f", x)
}

func TestMatrix(t *testing.T) {
	for _, tc := range []struct {
		name         string
		m            Matrix
		exact, kappa string
		high, low    int
	}{
		{"no pairs", Matrix{}, "-", "-", 0, 0},
		{"equal throughout", Matrix{{2}, {0, 3}, {0, 0, 4}}, "1.000", "1.000", 0, 0},
		{"one score throughout", Matrix{{}, {0, 5}}, "1.000", "1.000", 0, 0},
		// Of 10: squares of differences 1+1+4 = 6; by chance, from 3, 4, 3 down and 3, 4, 3 across, 12.
		{"some too high, one too low by two", Matrix{{2, 1}, {0, 3, 1}, {1, 0, 2}}, "0.700", "0.500", 2, 1},
		// No more than chance: rows and columns are independent.
		{"chance", Matrix{{1, 1}, {1, 1}}, "0.500", "0.000", 1, 1},
		// Squares of differences 4*4 = 16, by chance 2*2/4*4*2 = 8: worse than chance.
		{"opposite", Matrix{{0, 0, 2}, {}, {2}}, "0.000", "-1.000", 2, 2},
		// Always 1, whatever the reference says: squares 3+2 = 5, and as many by chance.
		{"always the same answer", Matrix{{0, 3}, {0, 5}, {0, 2}}, "0.500", "0.000", 3, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := show(tc.m.Exact()); got != tc.exact {
				t.Errorf("exact %s, want %s", got, tc.exact)
			}
			if got := show(tc.m.Kappa()); got != tc.kappa {
				t.Errorf("kappa %s, want %s", got, tc.kappa)
			}
			if tc.m.TooHigh() != tc.high || tc.m.TooLow() != tc.low {
				t.Errorf("%d too high, %d too low, want %d and %d", tc.m.TooHigh(), tc.m.TooLow(), tc.high, tc.low)
			}
		})
	}
}

func TestGhosts(t *testing.T) {
	const yes, no, pending = rules.GhostYes, rules.GhostNo, rules.GhostPending
	for _, tc := range []struct {
		name                  string
		pairs                 [][2]rules.Ghost // reference, other
		same                  int
		precision, recall, f1 string
	}{
		{"no deals", nil, 0, "-", "-", "-"},
		{"no ghosts", [][2]rules.Ghost{{no, no}, {pending, pending}}, 2, "-", "-", "-"},
		{"all found", [][2]rules.Ghost{{yes, yes}, {no, no}}, 2, "1.000", "1.000", "1.000"},
		{"none found", [][2]rules.Ghost{{yes, no}, {yes, pending}}, 0, "-", "0.000", "0.000"},
		{"false alarms only", [][2]rules.Ghost{{no, yes}, {pending, yes}}, 0, "0.000", "-", "0.000"},
		{"two hits, one missed, two false alarms", [][2]rules.Ghost{{yes, yes}, {yes, yes}, {yes, no}, {no, yes}, {pending, yes}, {no, pending}}, 2, "0.500", "0.667", "0.571"},
		{"not judged by one", [][2]rules.Ghost{{"", yes}, {yes, ""}}, 0, "-", "-", "-"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var a Agreement
			for _, p := range tc.pairs {
				a.Add(&Judgement{Ghost: p[0]}, &Judgement{Ghost: p[1]})
			}
			if a.Ghosts.Same != tc.same {
				t.Errorf("%d the same, want %d", a.Ghosts.Same, tc.same)
			}
			if p, r, f1 := show(a.Ghosts.Precision()), show(a.Ghosts.Recall()), show(a.Ghosts.F1()); p != tc.precision || r != tc.recall || f1 != tc.f1 {
				t.Errorf("precision %s, recall %s, F1 %s, want %s, %s, %s", p, r, f1, tc.precision, tc.recall, tc.f1)
			}
		})
	}
}

func TestAgreement(t *testing.T) {
	var a Agreement
	// Two of three items equal, sure of two of which one is equal, same rating, totals 2 apart.
	a.Add(&Judgement{Scores: map[string]int{"1": 2, "2": 0, "3": 1}, Total: 3, Rating: rules.Incomplete, Ghost: rules.GhostNo},
		&Judgement{Scores: map[string]int{"1": 2, "2": 2, "3": 1}, Sure: map[string]bool{"1": true, "2": true}, Total: 5, Rating: rules.Incomplete, Ghost: rules.GhostNo})
	// Another rating, totals 1 apart.
	a.Add(&Judgement{Scores: map[string]int{"1": 1, "2": 1, "3": 1}, Total: 3, Rating: rules.Incomplete},
		&Judgement{Scores: map[string]int{"1": 0, "2": 1, "3": 1}, Total: 2, Rating: rules.Acceptable})
	// Only item 1 was judged by both.
	a.Add(&Judgement{Scores: map[string]int{"1": 0}}, &Judgement{Scores: map[string]int{"1": 0, "2": 2, "3": 2}, Total: 4, Rating: rules.Incomplete})

	for _, tc := range []struct{ name, got, want string }{
		{"deals", fmt.Sprint(a.Deals), "3"},
		{"items", fmt.Sprint(a.All().N()), "7"},
		{"exact", show(a.All().Exact()), "0.714"},               // 5 of 7
		{"exact of item 1", show(a.Item("1").Exact()), "0.667"}, // 2 of 3
		{"exact of item 2", show(a.Item("2").Exact()), "0.500"}, // 1 of 2
		{"exact of no item", show(a.Item("9.9").Exact()), "-"},
		{"rating", show(a.Rating()), "0.500"},  // the third deal has no rating to compare
		{"totals", show(a.MeanOff()), "1.500"}, // 2 and 1
		{"ghosts", fmt.Sprint(a.Ghosts.Deals), "1"},
		{"sure", show(a.SureShare()), "0.286"},           // 2 of 7
		{"sure and right", show(a.SureExact()), "0.500"}, // 1 of 2
		{"nothing", show((&Agreement{}).All().Exact()), "-"},
		{"nothing rated", show((&Agreement{}).Rating()), "-"},
		{"nothing sure", show((&Agreement{}).SureExact()), "-"},
		{"nothing to be sure of", show((&Agreement{}).SureShare()), "-"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, tc.got, tc.want)
		}
	}
}

func TestOfCard(t *testing.T) {
	card := &rules.Card{Total: 3, Rating: rules.Incomplete, Ghost: rules.GhostPending, Items: []rules.Item{{ID: "1", Score: 2, Sure: true}, {ID: "2", Score: 1}}}
	want := &Judgement{Scores: map[string]int{"1": 2, "2": 1}, Sure: map[string]bool{"1": true, "2": false}, Total: 3, Rating: rules.Incomplete, Ghost: rules.GhostPending}
	if diff := cmp.Diff(want, OfCard(card)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	card.Items[1].NotRead = true
	want = &Judgement{Scores: map[string]int{"1": 2}, Sure: map[string]bool{"1": true}}
	if diff := cmp.Diff(want, OfCard(card)); diff != "" {
		t.Errorf("an item that is not read (-want +got):\n%s", diff)
	}
}

func TestReadLabels(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	const form = `labels have the form {"scores": {"1.1": 2, …}, "ghost": "no", "why": {"1.1": "…"}}`
	for _, tc := range []struct{ name, labels, err string }{
		{"some items", `{"scores": {"1.1": 2}, "why": {"1.1": "said so"}}`, ""},
		{"ghost alone", `{"ghost": "pending"}`, ""},
		{"an item that is not there", `{"scores": {"9.9": 2}}`, `the scorecard has no item "9.9"`},
		{"three points", `{"scores": {"1.1": 3}}`, "item 1.1: 3 is not 0, 1 or 2"},
		{"less than nothing", `{"scores": {"1.1": -1}}`, "item 1.1: -1 is not 0, 1 or 2"},
		{"another ghost", `{"ghost": "maybe"}`, `ghost: "maybe" is not yes, no or pending`},
		{"half a point", `{"scores": {"1.1": 0.5}}`, form},
		{"another key", `{"score": {}}`, form},
		{"a list", `[]`, form},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ReadLabels(&crm.Snapshot{Expected: jsontext.Value(tc.labels)}, sc)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tc.err {
				t.Errorf("%q, want %q", got, tc.err)
			}
		})
	}
}

func TestLabelsJudgement(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, it := range sc.Items {
		all[it.ID] = 1
	}
	l := &Labels{Scores: all, Ghost: rules.GhostNo}
	if j := l.Judgement(rules.NewEngine(sc)); j.Total != 20 || j.Rating != rules.BelowStandard || j.Ghost != rules.GhostNo || j.Sure != nil {
		t.Errorf("20 points in all: %+v", j)
	}
	delete(all, "5.3")
	if j := l.Judgement(rules.NewEngine(sc)); j.Total != 0 || j.Rating != "" || len(j.Scores) != 19 {
		t.Errorf("an item is left open: total %d, rating %q, %d scores", j.Total, j.Rating, len(j.Scores))
	}
}
