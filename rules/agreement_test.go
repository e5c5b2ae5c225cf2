package rules_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"handoff/crm"
	"handoff/rules"
	"handoff/rules/agreement"
)

// Labelled deals by writer: files below testdata/cases by name, or by path. Cues are tuned on those of the first group alone;
// the second says how well they fit deals of people whom nobody had in mind.
var (
	tuning = []string{"../connectors/sandbox/deals/demo.jsonl", "mail-and-calls", "terse-and-mixed", "werkbank", "northlight",
		"tresmares", "brightwell", "harbourline", "prairie", "lumen", "alpen", "shorthand", "mistral", "quarry",
		"basalt", "willow", "amber", "birch", "cedar", "ember", "flint",
		"otter", "vesper", "pebble", "meadow", "sierra", "lagoon", "fjord", "delta", "maple", "onyx", "cove", "mica", "yarrow", "juno", "hazel",
		"clover", "teal", "rook", "fennel", "gorse", "heron", "linden", "cactus", "raven"}
	validation = []string{"fields-and-templates", "freight-notes", "clinica", "ledgerline", "gridwork", "kestrel", "cobalt",
		"saffron", "juniper", "tundra", "dune", "glade", "heath", "granite", "wren", "pier", "harvest", "brook", "slate", "kelp", "isle",
		"plover", "tern", "marl", "sorrel", "linnet", "finch", "sedge"}
)

// group is how scores and labels of a group of deals agree, over all and by the language of the deal.
type group struct {
	agreement.Agreement
	languages map[string]*agreement.Agreement
}

// cases reads the labelled deals of writers.
func cases(tb testing.TB, writers []string) []*crm.Snapshot {
	tb.Helper()
	var all []*crm.Snapshot
	for _, name := range writers {
		if !strings.HasSuffix(name, ".jsonl") {
			name = filepath.Join("testdata/cases", name+".jsonl")
		}
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		for s, err := range crm.ReadLabelled(f) {
			if err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			all = append(all, s)
		}
	}
	return all
}

// agree compares the scores of deals with their labels.
func agree(tb testing.TB, e *rules.Engine, names []string) *group {
	tb.Helper()
	g := &group{languages: map[string]*agreement.Agreement{}}
	for _, s := range cases(tb, names) {
		labels, err := agreement.ReadLabels(s, e.Scorecard())
		if err != nil {
			tb.Fatalf("%s: %v", s.ID, err)
		}
		want, got := labels.Judgement(e), agreement.OfCard(e.Score(s, *s.AsOf))
		g.Add(want, got)
		language := e.Language(s, *s.AsOf)
		if g.languages[language] == nil {
			g.languages[language] = new(agreement.Agreement)
		}
		g.languages[language].Add(want, got)
	}
	return g
}

// TestAgreement compares scores with the labels of careful readers. The floors are just under what is reached.
func TestAgreement(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := rules.NewEngine(sc)
	tuned, unseen := agree(t, e, tuning), agree(t, e, validation)
	t.Logf("agreement on %d deals for tuning and %d for validation:\n%s\n%s", tuned.Deals, unseen.Deals,
		itemTable(sc, tuned, unseen), languageTable(tuned, unseen))
	for _, floor := range []struct {
		name string
		got  float64
		want float64
	}{
		{"exact, tuning", tuned.All().Exact(), 0.89},
		{"exact, validation", unseen.All().Exact(), 0.84},
		{"kappa, validation", unseen.All().Kappa(), 0.83},
		{"rating, validation", unseen.Rating(), 0.74},
		{"sure and right, validation", unseen.SureExact(), 0.95},
		{"sure, validation", unseen.SureShare(), 0.58},
		{"ghost F1, tuning", tuned.Ghosts.F1(), 0.93},
		{"ghost F1, validation", unseen.Ghosts.F1(), 0.94},
	} {
		if !(floor.got >= floor.want) { // not a number is below every floor
			t.Errorf("%s: %.3f, want at least %.2f", floor.name, floor.got, floor.want)
		}
	}
}

// itemTable shows the share of equal scores by item, and the other measures.
func itemTable(sc *rules.Scorecard, tuned, unseen *group) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, value func(*group) float64) {
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t\n", name, value(tuned), value(unseen))
	}
	fmt.Fprintln(w, "\ttuning\tvalidation\t")
	for _, it := range sc.Items {
		line(it.ID, func(g *group) float64 { return g.Item(it.ID).Exact() })
	}
	line("exact", func(g *group) float64 { return g.All().Exact() })
	line("kappa", func(g *group) float64 { return g.All().Kappa() })
	line("rating", func(g *group) float64 { return g.Rating() })
	line("ghost F1", func(g *group) float64 { return g.Ghosts.F1() })
	line("sure", func(g *group) float64 { return g.SureShare() })
	line("sure and right", func(g *group) float64 { return g.SureExact() })
	w.Flush()
	return b.String()
}

// languageTable shows deals, share of equal scores and kappa by language.
func languageTable(tuned, unseen *group) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\ttuning: deals\texact\tkappa\tvalidation: deals\texact\tkappa\t")
	all := maps.Clone(tuned.languages)
	maps.Copy(all, unseen.languages)
	for _, language := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(w, "%s\t", cmp.Or(language, "too short to tell"))
		for _, g := range []*group{tuned, unseen} {
			a := g.languages[language]
			if a == nil {
				a = new(agreement.Agreement)
			}
			fmt.Fprintf(w, "%d\t%.3f\t%.3f\t", a.Deals, a.All().Exact(), a.All().Kappa())
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}
