package rules_test

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/go-json-experiment/json"

	"handoff/crm"
	"handoff/rules"
	"handoff/rules/agreement"
)

// counter is a text before and after a change that an item's score must follow.
type counter struct {
	Kind   string `json:"kind"`
	Item   string `json:"item"`
	Field  string `json:"field"` // of the deal; empty: the text is a note after the close
	Before string `json:"before"`
	After  string `json:"after"`
	Scores [2]int `json:"scores"` // before and after
}

// leastChanged is the least share of scores that change, of those that are right before, for each kind.
const leastChanged = 0.90

// TestCounterPerturbation takes away what a score rests on, and looks for the scores that do not change.
func TestCounterPerturbation(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := rules.NewEngine(sc)
	deals := cases(t, slices.Concat(tuning, validation))
	rand.New(rand.NewPCG(4, 90)).Shuffle(len(deals), func(i, j int) { deals[i], deals[j] = deals[j], deals[i] })
	type tally struct {
		pairs, scores, right, changed, exact int
		misses                               []string
	}
	kinds := map[string]*tally{}
	for _, c := range counters(t) {
		n := kinds[c.Kind]
		if n == nil {
			n = new(tally)
			kinds[c.Kind] = n
		}
		n.pairs++
		for _, s := range append([]*crm.Snapshot{emptyDeal()}, c.settings(t, e, deals)...) {
			n.scores++
			before, after := c.score(t, e, s, c.Before), c.score(t, e, s, c.After)
			if before.Score != c.Scores[0] {
				continue
			}
			n.right++
			if after.Score != before.Score {
				n.changed++
			} else {
				n.misses = append(n.misses, fmt.Sprintf("%s keeps %d points in deal %s: %q: %s", c.Item, after.Score, s.ID, c.After, after.Reason))
			}
			if after.Score == c.Scores[1] {
				n.exact++
			}
		}
	}
	var report strings.Builder
	w := tabwriter.NewWriter(&report, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tpairs\tscores\tright before\tof these changed\tright after\t")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		n := kinds[kind]
		share := func(part int) float64 { return float64(part) / float64(n.right) }
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.3f\t%.3f\t\n", kind, n.pairs, n.scores, n.right, share(n.changed), share(n.exact))
		if !(share(n.changed) >= leastChanged) { // not a number is below every floor
			t.Errorf("%s: %.3f of the scores change, want at least %.2f:\n%s", kind, share(n.changed), leastChanged, strings.Join(n.misses, "\n"))
		}
	}
	w.Flush()
	t.Logf("item scores that change:\n%s", report.String())
}

// settings is how many deals that say nothing on the item a text is scored in, besides on its own.
const settings = 5

// closed is the close date of all deals here: the texts speak of the weeks that follow.
var closed = crm.NewDate(2026, 9, 30)

// noted is how many days after the close a text that is a note is written.
const noted = 2

func emptyDeal() *crm.Snapshot {
	asOf, closed := closed.Time().AddDate(0, 0, 9), closed
	return &crm.Snapshot{ID: "alone", AsOf: &asOf,
		Deal: crm.Deal{Account: "Brindle Freight", Won: true, CloseDate: &closed, Owner: &crm.User{Name: "Priya Nair"}}}
}

// settings returns deals in c's language that have no points for c's item by label and by score, closed like the others.
func (c *counter) settings(t *testing.T, e *rules.Engine, deals []*crm.Snapshot) []*crm.Snapshot {
	t.Helper()
	alone := emptyDeal()
	language := cmp.Or(e.Language(c.with(t, alone, c.Before), *alone.AsOf), "en")
	var all []*crm.Snapshot
	for _, s := range deals {
		if s.Deal.CloseDate == nil || s.Deal.Owner == nil || s.AsOf.Before(s.Deal.CloseDate.Time().AddDate(0, 0, noted+1)) || e.Language(s, *s.AsOf) != language {
			continue
		}
		labels, err := agreement.ReadLabels(s, e.Scorecard())
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if labels.Scores[c.Item] != 0 || itemOf(e.Score(s, *s.AsOf), c.Item).Score != 0 {
			continue
		}
		s = clone(t, s)
		shiftDates(s, int(closed.Time().Sub(s.Deal.CloseDate.Time()).Hours()/24), language)
		if all = append(all, s); len(all) == settings {
			break
		}
	}
	return all
}

// with returns s with a text of c in it.
func (c *counter) with(t *testing.T, s *crm.Snapshot, text string) *crm.Snapshot {
	t.Helper()
	s = clone(t, s)
	if c.Field == "" {
		at := closed.Time().AddDate(0, 0, noted)
		s.Notes = append(s.Notes, crm.Note{At: &at, Author: s.Deal.Owner.Name, Body: text})
		return s
	}
	if s.Deal.Fields == nil {
		s.Deal.Fields = map[string]string{}
	}
	s.Deal.Fields[c.Field] = text
	return s
}

func (c *counter) score(t *testing.T, e *rules.Engine, s *crm.Snapshot, text string) rules.Item {
	t.Helper()
	return itemOf(e.Score(c.with(t, s, text), *s.AsOf), c.Item)
}

func itemOf(card *rules.Card, id string) rules.Item {
	return card.Items[slices.IndexFunc(card.Items, func(it rules.Item) bool { return it.ID == id })]
}

func counters(t *testing.T) []counter {
	t.Helper()
	f, err := os.Open("testdata/counter.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []counter
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c counter
		if err := json.Unmarshal(lines.Bytes(), &c, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("testdata/counter.jsonl:%d: %v", len(all)+1, err)
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
