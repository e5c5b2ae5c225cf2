package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// TestBacktest replays empty records, which get a point for their stage and are ghosts, through a scorecard that does not ask
// for the stage.
func TestBacktest(t *testing.T) {
	t.Parallel()
	closed := func(year int, month time.Month, day int) func(*jobs.Handoff) {
		return func(h *jobs.Handoff) { h.Snapshot.Deal.CloseDate = new(crm.NewDate(year, month, day)) }
	}
	past := closed(2026, 9, 30) // a Wednesday: Sales has until the end of Wednesday in a week
	late := time.Date(2026, 10, 8, 0, 0, 1, 0, time.UTC)
	config := testStore(t,
		storedCard(t, "1", nil, past, func(h *jobs.Handoff) {
			h.Snapshot.Deal.Account = "<img src=x>"
			h.Snapshot.Notes = []crm.Note{{At: &late, Body: "They went with us over Gong because our price was lower, go-live is 2026-12-01."}}
		}),
		storedCard(t, "2", nil, past, func(h *jobs.Handoff) { h.Snapshot.Deal.Name = "" }),
		storedCard(t, "no date", nil),
		storedCard(t, "reopened", nil, past, func(h *jobs.Handoff) { h.Reopened = true }),
		storedCard(t, "not read", nil, past, func(h *jobs.Handoff) { h.Snapshot.Unread = []crm.Part{crm.PartNotes} }),
		storedCard(t, "still open", nil, closed(2026, 10, 12)),
	)
	dir := filepath.Dir(config)
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := file("new.toml", "base = \"handoff\"\nwithout = [\"5.3\"]\n")
	page := filepath.Join(dir, "page.html")

	got := strings.Split(prints(t, exitDone, "--config", config, "backtest", "--scorecard", other, "--html", page), "\n")
	for _, want := range []string{
		"2 of 6 stored deals replayed, each as of the end of the time that Sales had after its close. 1 skipped: no close date, so no moment to score them as of. 1 skipped: parts of the record could not be read. 1 skipped: not a won deal any more. 1 skipped: still within the time that Sales has after the close.",
		"2 deals would change: 0 with a higher total, 2 with a lower one.",
		"mean total      2.5%    0.0%   of the points",
		"Incomplete      2       2      deals",
		"ghost: yes      2       2      deals",
		"ghost: no       0       0      deals",
		"flagged         2       2      deals",
		"5.3   Stage correct  0       0        1.00         –",
		"2 deals, the biggest changes first",
		"Deal <b>1  acme        2026-09-30  1/40 → 0/38  Incomplete  Red     yes    5.3 1 → –",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(got, "\n"))
		}
	}

	lines := strings.Split(prints(t, exitDone, "--config", config, "backtest", "--scorecard", other, "--json"), "\n")
	for i, want := range []string{
		`{"connection":"acme","id":"1","name":"Deal <b>1","account":"<img src=x>","close_date":"2026-09-30","as_of":"2026-10-08T00:00:00Z","before":{"total":1,"max":40,"rating":"Incomplete","health":"Red","ghost":"yes","ghost_reasons":[`,
		`{"connection":"acme","id":"2","name":"",`,
		`{"stored":6,"replayed":2,"skipped":[{"why":"no close date, so no moment to score them as of","deals":1},`,
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s, want it to begin with %s", i+1, lines[i], want)
		}
	}
	if want := `"after":{"total":0,"max":38,"rating":"Incomplete","health":"Red","ghost":"yes","ghost_reasons":["no item has useful context","no note after the close","no meeting of AE and CSM","no introduction to the customer","4 of 4 signs of a ghost handoff"]},"items":[{"id":"5.3","title":"Stage correct","before":1,"after":null,`; !strings.Contains(lines[0], want) {
		t.Errorf("line 1 is %s, want it to hold %s", lines[0], want)
	}
	if len(lines) != 4 || lines[3] != "" {
		t.Errorf("%d lines, want 3", len(lines)-1)
	}

	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Deal &lt;b&gt;1", "&lt;img src=x&gt;, closed 2026-09-30", "<b>1</b> before", "<b>–</b> after"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(html), "<img") || strings.Contains(string(html), "Deal <b>") {
		t.Error("the page has tags of the CRM's")
	}

	same := file("same.toml", "base = \"handoff\"\n")
	if got := prints(t, exitDone, "--config", config, "backtest", "--scorecard", same); !strings.Contains(got, "\nNothing would change.\n") {
		t.Errorf("the same scorecard: %s", got)
	}
	for _, wrong := range [][]string{{"backtest"}, {"backtest", "--scorecard", "absent.toml"}, {"backtest", "--scorecard", file("wrong.toml", "base = \"hand\"\n")}} {
		prints(t, exitUse, append([]string{"--config", config}, wrong...)...)
	}
}

// shifted returns a deal between two cards, and the cards: of each item its points before and after, -1 for a scorecard that
// does not have it.
func shifted(id string, ghost bool, ratings [2]string, totals [2]int, items ...[2]int) (*dealShift, *rules.Card, *rules.Card) {
	cards := [2]*rules.Card{}
	for side := range cards {
		cards[side] = &rules.Card{Total: totals[side], Max: 40, Rating: ratings[side], Ghost: rules.GhostNo}
		for i, points := range items {
			if points[side] >= 0 {
				cards[side].Items = append(cards[side].Items, rules.Item{ID: strconv.Itoa(i + 1), Score: points[side]})
			}
		}
	}
	if ghost {
		cards[1].Ghost = rules.GhostYes
	}
	return &dealShift{ID: id, Before: newCardLine(cards[0]), After: newCardLine(cards[1])}, cards[0], cards[1]
}

func TestBacktestSums(t *testing.T) {
	same := [2]string{rules.Excellent, rules.Excellent}
	b := &backtest{Items: []itemShift{{ID: "1"}, {ID: "2"}, {ID: "3"}}}
	b.count(shifted("a", false, same, [2]int{30, 32}, [2]int{0, 2}, [2]int{1, 1}))
	b.count(shifted("b", true, [2]string{rules.Acceptable, rules.Incomplete}, [2]int{20, 10}, [2]int{2, 1}, [2]int{1, 0}, [2]int{-1, 1}))
	b.count(shifted("c", false, same, [2]int{40, 40}, [2]int{2, 2}, [2]int{2, 2}, [2]int{-1, 0}))
	b.finish()
	if b.Replayed != 3 || b.Higher != 1 || b.Lower != 1 || b.FlaggedBefore != 0 || b.FlaggedAfter != 1 {
		t.Errorf("%d replayed, %d higher, %d lower, %d and %d flagged", b.Replayed, b.Higher, b.Lower, b.FlaggedBefore, b.FlaggedAfter)
	}
	if b.MeanBefore.Percent() != "75.0%" || b.MeanAfter.Percent() != "68.3%" {
		t.Errorf("mean %s, then %s, want 75.0%% and 68.3%%", b.MeanBefore.Percent(), b.MeanAfter.Percent())
	}
	if diff := cmp.Diff(shifts{{rules.Excellent, 2, 2}, {rules.Acceptable, 1, 0}, {rules.Incomplete, 0, 1}}, b.Ratings); diff != "" {
		t.Errorf("ratings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(shifts{{"no", 3, 2}, {"yes", 0, 1}}, b.Ghosts); diff != "" {
		t.Errorf("ghosts (-want +got):\n%s", diff)
	}
	for i, want := range []struct {
		raised, lowered int
		before, after   string
	}{{1, 1, "1.33", "1.67"}, {0, 1, "1.33", "1.00"}, {0, 0, "–", "0.50"}} {
		it := &b.Items[i]
		if it.Raised != want.raised || it.Lowered != want.lowered || it.Before.String() != want.before || it.After.String() != want.after || !it.differs() {
			t.Errorf("item %s: %d raised, %d lowered, mean %s, then %s; want %+v", it.ID, it.Raised, it.Lowered, it.Before, it.After, want)
		}
	}
}

func TestBiggestChanges(t *testing.T) {
	b := new(backtest)
	keep := func(id string, ghost bool, before, after string, totals [2]int) {
		d, _, _ := shifted(id, ghost, [2]string{before, after}, totals)
		b.keep(d)
	}
	for i := range 3 * mostBiggest {
		keep("small "+strconv.Itoa(i), false, rules.Acceptable, rules.Acceptable, [2]int{30, 31})
	}
	keep("down", false, rules.Acceptable, rules.Acceptable, [2]int{34, 28})
	keep("ghost", true, rules.Acceptable, rules.Acceptable, [2]int{30, 30})
	keep("rating", false, rules.Acceptable, rules.Excellent, [2]int{35, 36})
	b.finish()
	var got []string
	for _, d := range b.Biggest(5) {
		got = append(got, d.ID)
	}
	if diff := cmp.Diff([]string{"ghost", "rating", "down", "small 0", "small 1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(b.Biggest(10 * mostBiggest)); n != mostBiggest {
		t.Errorf("%d deals are kept, want %d", n, mostBiggest)
	}
}
