package rules

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"handoff/crm"
)

// demo is the file of the deals that the demo shows.
const demo = "../connectors/sandbox/deals/demo.jsonl"

// Labelled deals by writer. Cues are tuned on those of the first group alone; the second says how well they fit deals of
// people whom nobody had in mind.
var (
	tuning     = []string{demo, "mail-and-calls", "terse-and-mixed", "werkbank", "northlight", "tresmares", "brightwell"}
	validation = []string{"fields-and-templates", "freight-notes", "clinica", "ledgerline", "gridwork"}
)

// labels are what a careful reader gave a deal.
type labels struct {
	Scores map[string]int `json:"scores"`
	Ghost  Ghost          `json:"ghost"`
}

// labelled reads labelled deals: of files below testdata/cases by name, or of any by path.
func labelled(tb testing.TB, names ...string) []*crm.Snapshot {
	tb.Helper()
	var all []*crm.Snapshot
	for _, name := range names {
		if !strings.HasSuffix(name, ".jsonl") {
			name = filepath.Join("testdata/cases", name+".jsonl")
		}
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		for s, err := range crm.ReadCases(f) {
			if err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			all = append(all, s)
		}
		if err := f.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

func (l *labels) read(tb testing.TB, s *crm.Snapshot) {
	tb.Helper()
	if err := json.Unmarshal(s.Expected, l); err != nil {
		tb.Fatalf("%s: %v", s.ID, err)
	}
}

// agreement counts how scores and labels of deals agree.
type agreement struct {
	deals, rated            int                   // rated: in the same rating
	confusion               map[string]*[3][3]int // by item: labels down, scores across
	sure, sureRight         int
	hit, missed, falseAlarm int // of ghosts
}

func agree(tb testing.TB, e *Engine, deals []*crm.Snapshot) *agreement {
	tb.Helper()
	a := &agreement{deals: len(deals), confusion: map[string]*[3][3]int{}}
	for _, it := range e.Scorecard().Items {
		a.confusion[it.ID] = new([3][3]int)
	}
	for _, s := range deals {
		var want labels
		want.read(tb, s)
		card := e.Score(s, *s.AsOf)
		ideal := *card
		ideal.Items = append([]Item(nil), card.Items...)
		for i, it := range card.Items {
			a.confusion[it.ID][want.Scores[it.ID]][it.Score]++
			ideal.Items[i].Score = want.Scores[it.ID]
			if it.Sure {
				a.sure++
				if it.Score == want.Scores[it.ID] {
					a.sureRight++
				}
			}
		}
		e.tally(&ideal)
		if ideal.Rating == card.Rating {
			a.rated++
		}
		switch {
		case want.Ghost == GhostYes && card.Ghost == GhostYes:
			a.hit++
		case want.Ghost == GhostYes:
			a.missed++
		case card.Ghost == GhostYes:
			a.falseAlarm++
		}
	}
	return a
}

// exact is the share of scores that equal their label, of one item; "": of all.
func (a *agreement) exact(item string) float64 {
	right, all := 0, 0
	for id, m := range a.confusion {
		for want, row := range m {
			for got, n := range row {
				if item != "" && item != id {
					continue
				}
				all += n
				if want == got {
					right += n
				}
			}
		}
	}
	return float64(right) / float64(all)
}

// kappa is Cohen's kappa with quadratic weights, over all items.
// https://doi.org/10.1037/h0026256
func (a *agreement) kappa() float64 {
	var rows, columns [3]float64
	var observed, expected, all float64
	for _, m := range a.confusion {
		for want, row := range m {
			for got, n := range row {
				rows[want] += float64(n)
				columns[got] += float64(n)
				observed += float64(n * (want - got) * (want - got))
				all += float64(n)
			}
		}
	}
	for want := range rows {
		for got := range columns {
			expected += rows[want] * columns[got] / all * float64((want-got)*(want-got))
		}
	}
	return 1 - observed/expected
}

func (a *agreement) ghostF1() float64 {
	return 2 * float64(a.hit) / float64(2*a.hit+a.missed+a.falseAlarm)
}

// TestAgreement compares scores with the labels of careful readers. The floors are just under what is reached.
func TestAgreement(t *testing.T) {
	e := builtin(t)
	tuned, unseen := agree(t, e, labelled(t, tuning...)), agree(t, e, labelled(t, validation...))
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, value func(*agreement) float64) {
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t\n", name, value(tuned), value(unseen))
	}
	fmt.Fprintln(w, "\ttuning\tvalidation\t")
	for _, it := range e.Scorecard().Items {
		line(it.ID, func(a *agreement) float64 { return a.exact(it.ID) })
	}
	line("exact", func(a *agreement) float64 { return a.exact("") })
	line("kappa", (*agreement).kappa)
	line("rating", func(a *agreement) float64 { return float64(a.rated) / float64(a.deals) })
	line("ghost F1", (*agreement).ghostF1)
	line("sure", func(a *agreement) float64 { return float64(a.sure) / float64(a.deals*len(e.card.Items)) })
	line("sure and right", func(a *agreement) float64 { return float64(a.sureRight) / float64(a.sure) })
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("agreement on %d deals for tuning and %d for validation:\n%s", tuned.deals, unseen.deals, table.String())
	for _, floor := range []struct {
		name string
		got  float64
		want float64
	}{
		{"exact, tuning", tuned.exact(""), 0.77},
		{"exact, validation", unseen.exact(""), 0.68},
		{"kappa, validation", unseen.kappa(), 0.56},
		{"ghost F1, tuning", tuned.ghostF1(), 0.72},
	} {
		if floor.got < floor.want {
			t.Errorf("%s: %.3f, want at least %.2f", floor.name, floor.got, floor.want)
		}
	}
}
