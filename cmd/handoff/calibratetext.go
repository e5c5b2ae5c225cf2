package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// worst is how many disagreements, or deals of a backtest, people are shown; JSON has them all.
const worst = 20

// Worst returns the disagreements to look at first.
func (c *calibration) Worst() []disagreement {
	return c.Disagreements[:min(worst, len(c.Disagreements))]
}

func (c *calibration) print(w io.Writer) {
	auto := &c.Automatic
	pair := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w, plain(c.Headline()))
	fmt.Fprintln(w)
	if auto.Scores > 0 {
		misses := "%d too high, %d too low"
		if c.Source == fromStore {
			misses = "%d lowered, %d raised"
		}
		pair("Equal", "%s of the scores, kappa %s; "+misses, auto.Exact.Percent(), auto.Kappa, auto.TooHigh, auto.TooLow)
		if auto.Rated > 0 {
			pair("Rating", "%s equal; totals %s points apart on average", auto.Rating.Percent(), auto.MeanOff)
		}
		if auto.Ghost.Deals > 0 {
			pair("Ghosts", "F1 %s; %d missed, %s", auto.Ghost.F1, auto.Ghost.Missed, count(auto.Ghost.FalseAlarms, "false alarm"))
		}
		pair("Sure", "of %s of the scores, and %s of those are equal", auto.Sure.Percent(), auto.SureExact.Percent())
		fmt.Fprintln(w)
	}
	c.printItems(w)
	if len(c.Languages) > 1 {
		t := newTable("language", "scores", "equal", "kappa")
		for _, l := range c.Languages {
			t.row(cmp.Or(l.Language, "too short to tell"), strconv.Itoa(l.Scores), l.Exact.Percent(), l.Kappa.String())
		}
		fmt.Fprintln(w)
		t.print(w)
	}
	if len(c.Pairs) > 0 {
		t := newTable("people", "deals", "equal", "kappa")
		for _, p := range c.Pairs {
			t.row(p.Raters[0]+" and "+p.Raters[1], strconv.Itoa(p.Deals), p.Exact.Percent(), p.Kappa.String())
		}
		fmt.Fprintln(w)
		t.print(w)
	}
	if len(c.Disagreements) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s, the worst first\n\n", c.Shown())
	t := newTable("deal", "item", "scored", "people", "our reason", "their reason")
	for _, d := range c.Worst() {
		t.row(cmp.Or(d.Name, d.Deal), d.Item+" "+d.Title, strconv.Itoa(d.Score), d.people(func(r raterScore) string { return strconv.Itoa(r.Score) }),
			d.Reason, d.people(func(r raterScore) string { return r.Why }))
	}
	t.print(w)
}

func (c *calibration) printItems(w io.Writer) {
	columns := []string{"item", "title", "scores", "equal", "kappa", "too high", "too low"}
	if c.Source == fromStore {
		columns = []string{"item", "title", "finalised", "kept", "kappa", "lowered", "raised", "open: lowered", "raised"}
	} else if len(c.Pairs) > 0 {
		columns = append(columns, "people equal")
	}
	t := newTable(columns...)
	for _, it := range c.Items {
		row := []string{it.ID, it.Title, strconv.Itoa(it.Scores), it.Exact.Percent(), it.Kappa.String(), strconv.Itoa(it.TooHigh), strconv.Itoa(it.TooLow)}
		if c.Source == fromStore {
			row = append(row, strconv.Itoa(it.OpenLowered), strconv.Itoa(it.OpenRaised))
		} else if len(c.Pairs) > 0 {
			row = append(row, it.People.Percent())
		}
		t.row(row...)
	}
	t.print(w)
}

// Headline says what was compared with what.
func (c *calibration) Headline() string {
	if c.Source == fromStore {
		return fmt.Sprintf("%s and %s that people changed, compared with what was computed.",
			count(c.Deals, "finalised card"), count(c.OpenDeals, "open card"))
	}
	return fmt.Sprintf("%s, %s compared with those of %s.", count(c.Deals, "deal"), count(c.Automatic.Scores, "automatic score"), strings.Join(c.Raters, ", "))
}

// Shown says how many of the disagreements are shown.
func (c *calibration) Shown() string {
	return ofAll(len(c.Worst()), len(c.Disagreements), "disagreement")
}

// people lists what the raters said, each with the name where there are several.
func (d *disagreement) people(say func(raterScore) string) string {
	var all []string
	for _, r := range d.Raters {
		what := say(r)
		switch {
		case what == "":
		case len(d.Raters) == 1:
			all = append(all, what)
		default:
			all = append(all, r.Rater+": "+what)
		}
	}
	return strings.Join(all, "; ")
}
