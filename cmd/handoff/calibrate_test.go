package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
	"handoff/rules/agreement"
)

// testStore is a configuration with a store that holds the given handoffs.
func testStore(t *testing.T, handoffs ...*jobs.Handoff) (config string) {
	t.Helper()
	dir := t.TempDir()
	config = filepath.Join(dir, "config.toml")
	const text = "[store]\nurl = \"sqlite:handoff.db\"\n\n[connections.acme]\ncrm = \"hubspot\"\ntoken = \"env:NOBODY_NEEDS_IT\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := openHistory(t.Context(), "sqlite:"+filepath.Join(dir, "handoff.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run, err := db.BeginRun(t.Context(), jobs.Run{Connection: "acme", Job: jobs.ScoreJob, StartedAt: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range handoffs {
		if err := db.Save(t.Context(), run, []jobs.Change{{Handoff: h, NewVersion: true}}); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// prints runs a command that must exit with the given code, and returns what it printed.
func prints(t *testing.T, code int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	clock := func() time.Time { return time.Date(2026, 10, 15, 9, 0, 0, 0, time.UTC) }
	if got := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, env(), clock); got != code {
		t.Fatalf("handoff %s: exit %d, want %d: %s", strings.Join(args, " "), got, code, stderr.String())
	}
	return stdout.String()
}

// storedCard is a handoff whose card has one point on each item, with people's edits of fields.
func storedCard(t *testing.T, id string, edits map[string]string, change ...func(*jobs.Handoff)) *jobs.Handoff {
	t.Helper()
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 15, 9, 0, 0, 0, time.UTC)
	h := &jobs.Handoff{
		Connection: "acme", DealID: id, InputHash: id, AsOf: at, Edits: map[string]jobs.Edit{},
		Snapshot: &crm.Snapshot{ID: id, Deal: crm.Deal{ID: id, Name: "Deal <b>" + id, Won: true}},
	}
	ones := map[string]int{}
	for _, it := range engine.Scorecard().Items {
		ones[it.ID] = 1
	}
	h.Card = engine.Override(engine.Score(h.Snapshot, at), ones)
	for field, value := range edits {
		h.Edits[field] = jobs.Edit{Value: value, By: "Casey <i>", At: at, Exact: true}
	}
	for _, c := range change {
		c(h)
	}
	return h
}

func finalised(h *jobs.Handoff) { h.Finalised = true }

func TestCalibrateStore(t *testing.T) {
	t.Parallel()
	config := testStore(t,
		storedCard(t, "left alone", nil),
		storedCard(t, "open", map[string]string{"item_1_1": "2", "item_1_2": "0", "item_1_3": "7", "rating": "Excellent"}),
		storedCard(t, "kept", nil, finalised),
		storedCard(t, "corrected", map[string]string{"item_1_1": "2", "item_2_1": "0", "ghost": "true"}, finalised),
	)
	got := strings.Split(prints(t, exitDone, "--config", config, "calibrate"), "\n")
	for _, want := range []string{
		"2 finalised cards and 1 open card that people changed, compared with what was computed.",
		"  Equal     95.0% of the scores, kappa 0.00; 1 lowered, 1 raised",
		"  Rating    100.0% equal; totals 0.00 points apart on average",
		"  Ghosts    F1 0.00; 1 missed, 0 false alarms",
		"ITEM  TITLE                        FINALISED  KEPT    KAPPA  LOWERED  RAISED  OPEN: LOWERED  RAISED",
		"1.1   Use case                     2          50.0%   0.00   0        1       0              1",
		"1.2   Business problem             2          100.0%  1.00   0        0       1              0",
		"1.3   Why now                      2          100.0%  1.00   0        0       0              0",
		"2.1   Champion                     2          50.0%   0.00   1        0       0              0",
		"4 disagreements, the worst first",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestPeoplesCard(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	notRead := func(h *jobs.Handoff) { h.Card.Items[0].NotRead = true }
	for _, tc := range []struct {
		name   string
		h      *jobs.Handoff
		scored map[string]int // the scores of 1.1, 1.2 and 5.3; nil: not compared
		rating string
		ghost  rules.Ghost
	}{
		{"left alone", storedCard(t, "1", nil), nil, "", ""},
		{"changed what is no score", storedCard(t, "1", map[string]string{"item_1_1": "7", "rating": "Excellent"}), nil, "", ""},
		{"open: only the change counts", storedCard(t, "1", map[string]string{"item_1_1": "2"}), map[string]int{"1.1": 2}, "", ""},
		{"finalised: what was left counts", storedCard(t, "1", map[string]string{"item_1_1": "2"}, finalised),
			map[string]int{"1.1": 2, "1.2": 1, "5.3": 1}, rules.BelowStandard, rules.GhostNo},
		{"finalised, and no ghost to people", storedCard(t, "1", map[string]string{"ghost": "false"}, finalised, func(h *jobs.Handoff) { h.Card.Ghost = rules.GhostYes }),
			map[string]int{"1.1": 1, "1.2": 1, "5.3": 1}, rules.BelowStandard, rules.GhostNo},
		{"what is not read is not known", storedCard(t, "1", nil, finalised, notRead), map[string]int{"1.2": 1, "5.3": 1}, "", ""},
		{"no card", storedCard(t, "1", nil, finalised, func(h *jobs.Handoff) { h.Card = nil }), nil, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := peoplesCard(engine, tc.h)
			if d == nil || tc.scored == nil {
				if d != nil || tc.scored != nil {
					t.Errorf("got %+v, want scores %v", d, tc.scored)
				}
				return
			}
			scored := map[string]int{}
			for _, id := range []string{"1.1", "1.2", "5.3"} {
				if n, ok := d.by[0].Scores[id]; ok {
					scored[id] = n
				}
			}
			if diff := cmp.Diff(tc.scored, scored); diff != "" {
				t.Errorf("scores (-want +got):\n%s", diff)
			}
			if d.by[0].Rating != tc.rating || d.by[0].Ghost != tc.ghost || d.open == tc.h.Finalised {
				t.Errorf("rating %q, ghost %q, open %t", d.by[0].Rating, d.by[0].Ghost, d.open)
			}
		})
	}
}

// rated returns a deal whose card has the given points on the first items, with what raters gave them.
func rated(t *testing.T, id string, card []int, by ...map[string]int) *ratedDeal {
	t.Helper()
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	d := &ratedDeal{id: id, card: &rules.Card{Rating: rules.Incomplete}}
	for i, n := range card {
		d.card.Items = append(d.card.Items, rules.Item{ID: engine.Scorecard().Items[i].ID, Score: n})
	}
	for _, scores := range by {
		if scores == nil {
			d.by = append(d.by, nil)
			continue
		}
		d.by = append(d.by, &opinion{Judgement: &agreement.Judgement{Scores: scores}})
	}
	return d
}

func calibrated(sc *rules.Scorecard, raters []string, deals ...*ratedDeal) *calibration {
	c := newCalibration(sc, fromFiles, raters)
	for _, d := range deals {
		c.add(d)
	}
	c.finish()
	return c
}

func TestWorstFirst(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	one := rated(t, "one point", []int{1, 1}, map[string]int{"1.1": 2, "1.2": 1})
	two := rated(t, "two points", []int{0}, map[string]int{"1.1": 2})
	sure := rated(t, "two points, and sure", []int{0}, map[string]int{"1.1": 2})
	sure.card.Items[0].Sure = true
	rating := rated(t, "two points, and another rating", []int{0}, map[string]int{"1.1": 2})
	rating.by[0].Rating = rules.Acceptable
	notRead := rated(t, "not read", []int{0}, map[string]int{"1.1": 2})
	notRead.card.Items[0].NotRead = true
	noDeal := &ratedDeal{id: "no file holds it", by: two.by}
	c := calibrated(sc, []string{"anna"}, one, notRead, two, noDeal, sure, rating)
	var got []string
	for _, d := range c.Worst() {
		got = append(got, d.Deal+" "+d.Item)
	}
	want := []string{"two points, and another rating 1.1", "two points, and sure 1.1", "two points 1.1", "one point 1.1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRatersOfOneDeal(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	d := rated(t, "a", []int{2, 0, 1}, map[string]int{"1.1": 2, "1.2": 1, "1.3": 1}, map[string]int{"1.1": 2, "1.2": 2, "1.3": 1}, nil, map[string]int{"1.1": 0})
	c := calibrated(sc, []string{"anna", "ben", "carla", "dan"}, d)
	if diff := cmp.Diff([]pairAgreement{
		{[2]string{"anna", "ben"}, 1, 2.0 / 3, 0.4}, // squares of differences 1, by chance 5/3
		{[2]string{"anna", "dan"}, 1, 0, 0},
		{[2]string{"ben", "dan"}, 1, 0, 0},
	}, c.Pairs); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	first := c.Items[0]
	if first.Scores != 3 || first.Equal != 2 || first.TooHigh != 1 || first.TooLow != 0 || first.People.String() != "0.33" {
		t.Errorf("item 1.1: %+v", first)
	}
	for i, want := range []matrixCell{{[]string{"2", "2", "2", "–", "0"}, 2}, {[]string{"0", "1", "2", "–", "–"}, 2}, {[]string{"1", "1", "1", "–", "–"}, 0}} {
		if diff := cmp.Diff(want, c.Matrix.Rows[i].Cells[0]); diff != "" {
			t.Errorf("cell of item %s (-want +got):\n%s", c.Matrix.Rows[i].Item, diff)
		}
	}
	many := make([]*ratedDeal, matrixDeals+1)
	for i := range many {
		many[i] = d
	}
	if c := calibrated(sc, []string{"anna", "ben", "carla", "dan"}, many...); c.Matrix != nil {
		t.Errorf("a matrix of %d deals", len(many))
	}
}

func TestMeasure(t *testing.T) {
	nothing := measure(math.NaN())
	for _, tc := range []struct {
		m                     measure
		text, percent, asJSON string
	}{
		{nothing, "–", "–", "null"},
		{0, "0.00", "0.0%", "0"},
		{1, "1.00", "100.0%", "1"},
		{-0.25, "-0.25", "-25.0%", "-0.25"},
		{2.0 / 3, "0.67", "66.7%", "0.667"},
	} {
		b, err := json.Marshal(tc.m)
		if err != nil || tc.m.String() != tc.text || tc.m.Percent() != tc.percent || string(b) != tc.asJSON {
			t.Errorf("%q, %q, %s, %v; want %q, %q, %s", tc.m, tc.m.Percent(), b, err, tc.text, tc.percent, tc.asJSON)
		}
	}
}
