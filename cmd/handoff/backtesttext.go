package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Biggest returns the n deals that change most, mostBiggest at most.
func (b *backtest) Biggest(n int) []*dealShift { return b.biggest[:min(n, len(b.biggest))] }

// Differing returns the items that do not come out alike for every deal.
func (b *backtest) Differing() []itemShift {
	return slices.DeleteFunc(slices.Clone(b.Items), func(it itemShift) bool { return !it.differs() })
}

// Headline says what was replayed.
func (b *backtest) Headline() string {
	s := fmt.Sprintf("%d of %s replayed, each as of the end of the time that Sales had after its close.", b.Replayed, count(b.Stored, "stored deal"))
	for _, skip := range b.Skipped {
		s += fmt.Sprintf(" %d skipped: %s.", skip.Deals, skip.Why)
	}
	return s
}

// Summary says in a sentence what would change.
func (b *backtest) Summary() string {
	if b.Changed == 0 {
		return "Nothing would change."
	}
	return fmt.Sprintf("%s would change: %d with a higher total, %d with a lower one.", count(b.Changed, "deal"), b.Higher, b.Lower)
}

// Caveat says what a replay cannot know.
func (b *backtest) Caveat() string {
	return "Records dated after that moment are left out; fields and contacts count as they were last read, and people's edits do not."
}

func (b *backtest) print(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n", b.Headline(), b.Caveat())
	if b.Replayed == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", b.Summary())
	t := newTable("", "before", "after", "")
	t.row("mean total", b.MeanBefore.Percent(), b.MeanAfter.Percent(), "of the points")
	for _, s := range b.Ratings {
		t.row(s.Value, strconv.Itoa(s.Before), strconv.Itoa(s.After), "deals")
	}
	for _, s := range b.Ghosts {
		t.row("ghost: "+s.Value, strconv.Itoa(s.Before), strconv.Itoa(s.After), "deals")
	}
	t.row("flagged", strconv.Itoa(b.FlaggedBefore), strconv.Itoa(b.FlaggedAfter), "deals")
	t.print(w)
	if b.Changed == 0 {
		return
	}
	t = newTable("item", "title", "raised", "lowered", "mean before", "mean after")
	for _, it := range b.Differing() {
		t.row(it.ID, it.Title, strconv.Itoa(it.Raised), strconv.Itoa(it.Lowered), it.Before.String(), it.After.String())
	}
	fmt.Fprintln(w)
	t.print(w)

	shown := b.Biggest(worst)
	fmt.Fprintf(w, "\n%s, the biggest changes first\n\n", ofAll(len(shown), b.Changed, "deal"))
	t = newTable("deal", "connection", "closed", "total", "rating", "health", "ghost", "items")
	for _, d := range shown {
		t.row(d.Name, d.Connection, day(d.CloseDate), d.Total(), d.Rating(), fromTo(d.Before.Health, d.After.Health), d.Ghost(), d.items())
	}
	t.print(w)
	fmt.Fprintln(w)
	t = newTable("deal", "item", "before", "after", "reason before", "reason after")
	for _, d := range shown {
		if d.Before.Ghost != d.After.Ghost {
			t.row(d.Name, "ghost", string(d.Before.Ghost), string(d.After.Ghost), d.Before.WhyGhost(), d.After.WhyGhost())
		}
		for _, it := range d.Items {
			t.row(d.Name, it.ID+" "+it.Title, score(it.Before), score(it.After), it.ReasonBefore, it.ReasonAfter)
		}
	}
	t.print(w)
}

// ofAll says how many of a number of things are shown.
func ofAll(shown, all int, noun string) string {
	if shown < all {
		return fmt.Sprintf("%d of %s", shown, count(all, noun))
	}
	return count(all, noun)
}

// WhyGhost is why the deal is a ghost; empty where it is none.
func (c *cardLine) WhyGhost() string { return strings.Join(c.GhostReasons, "; ") }

// Total is the total before and after, as "27/40 → 31/40".
func (d *dealShift) Total() string {
	return fmt.Sprintf("%d/%d → %d/%d", d.Before.Total, d.Before.Max, d.After.Total, d.After.Max)
}

// Rating is the rating before and after.
func (d *dealShift) Rating() string { return fromTo(d.Before.Rating, d.After.Rating) }

// Ghost is the ghost flag before and after.
func (d *dealShift) Ghost() string { return fromTo(string(d.Before.Ghost), string(d.After.Ghost)) }

func (d *dealShift) items() string {
	all := make([]string, len(d.Items))
	for i, it := range d.Items {
		all[i] = it.ID + " " + it.Scores()
	}
	return strings.Join(all, ", ")
}

// Scores are the points before and after, as "0 → 2".
func (it itemPair) Scores() string { return score(it.Before) + " → " + score(it.After) }

func score(n *int) string {
	if n == nil {
		return "–"
	}
	return strconv.Itoa(*n)
}

func fromTo(before, after string) string {
	if before == after {
		return before
	}
	return before + " → " + after
}
