// Package agreement measures how far two raters of handoffs agree: an automatic score and a careful reader's, or two
// readers'.
//
// The measures are those of the field: the share of equal scores, and Cohen's kappa with quadratic weights, which takes
// off what chance alone would reach and holds a difference of two points for four times as bad as one of one.
// https://doi.org/10.1037/h0026256
package agreement

import (
	"math"

	"handoff/rules"
)

// Matrix counts pairs of scores of one item or of several: the reference's down, the other rater's across.
type Matrix [3][3]int

// N is the number of pairs.
func (m Matrix) N() int { return m.count(func(int, int) bool { return true }) }

// Equal is the number of pairs of equal scores.
func (m Matrix) Equal() int { return m.count(func(want, got int) bool { return got == want }) }

// TooHigh is the number of pairs in which the other rater gave more than the reference.
func (m Matrix) TooHigh() int { return m.count(func(want, got int) bool { return got > want }) }

// TooLow is the number of pairs in which the other rater gave less than the reference.
func (m Matrix) TooLow() int { return m.count(func(want, got int) bool { return got < want }) }

func (m Matrix) count(of func(want, got int) bool) int {
	n := 0
	for want, row := range m {
		for got, pairs := range row {
			if of(want, got) {
				n += pairs
			}
		}
	}
	return n
}

// Exact is the share of pairs of equal scores; NaN without any pair.
func (m Matrix) Exact() float64 { return ratio(m.Equal(), m.N()) }

// Kappa is Cohen's kappa with quadratic weights: 1 for equal scores throughout, 0 for no more than chance would reach; NaN
// without any pair.
func (m Matrix) Kappa() float64 {
	var rows, columns [3]int
	observed, n := 0, m.N()
	for want, row := range m {
		for got, pairs := range row {
			rows[want] += pairs
			columns[got] += pairs
			observed += pairs * (want - got) * (want - got)
		}
	}
	expected := 0
	for want := range rows {
		for got := range columns {
			expected += rows[want] * columns[got] * (want - got) * (want - got)
		}
	}
	switch {
	case n == 0:
		return math.NaN()
	case expected == 0: // both gave one and the same score throughout
		return 1
	}
	return 1 - float64(observed)*float64(n)/float64(expected)
}

func (m *Matrix) add(o *Matrix) {
	for want, row := range o {
		for got, pairs := range row {
			m[want][got] += pairs
		}
	}
}

// Ghosts counts how two raters agree on what is a ghost handoff.
type Ghosts struct {
	Deals      int // judged by both
	Same       int // with the same of yes, no and pending
	Hit        int // yes by both
	Missed     int // yes by the reference alone
	FalseAlarm int // yes by the other rater alone
}

// Precision is the share of the other rater's ghosts that are ghosts to the reference; NaN without any.
func (g Ghosts) Precision() float64 { return ratio(g.Hit, g.Hit+g.FalseAlarm) }

// Recall is the share of the reference's ghosts that the other rater found; NaN without any.
func (g Ghosts) Recall() float64 { return ratio(g.Hit, g.Hit+g.Missed) }

// F1 is the harmonic mean of precision and recall; NaN where no deal is a ghost to either rater.
func (g Ghosts) F1() float64 { return ratio(2*g.Hit, 2*g.Hit+g.Missed+g.FalseAlarm) }

// Agreement counts how two raters agree over deals. The zero value is ready for use.
type Agreement struct {
	Deals      int
	Rated      int // deals that both raters judged on every item
	SameRating int // of Rated
	Off        int // sum of the differences between the totals of Rated, in points
	Ghosts     Ghosts
	Sure       int // items that the other rater was sure of
	SureEqual  int // of Sure: with the score of the reference

	items map[string]*Matrix
}

// Add counts a deal, with what both raters judged of it.
func (a *Agreement) Add(reference, other *Judgement) {
	a.Deals++
	if a.items == nil {
		a.items = map[string]*Matrix{}
	}
	for id, want := range reference.Scores {
		got, ok := other.Scores[id]
		if !ok {
			continue
		}
		if a.items[id] == nil {
			a.items[id] = new(Matrix)
		}
		a.items[id][want][got]++
		if other.Sure[id] {
			a.Sure++
			if got == want {
				a.SureEqual++
			}
		}
	}
	if reference.Rating != "" && other.Rating != "" {
		a.Rated++
		a.Off += max(reference.Total-other.Total, other.Total-reference.Total)
		if reference.Rating == other.Rating {
			a.SameRating++
		}
	}
	if reference.Ghost != "" && other.Ghost != "" {
		a.Ghosts.add(reference.Ghost, other.Ghost)
	}
}

func (g *Ghosts) add(want, got rules.Ghost) {
	g.Deals++
	if want == got {
		g.Same++
	}
	switch {
	case want == rules.GhostYes && got == rules.GhostYes:
		g.Hit++
	case want == rules.GhostYes:
		g.Missed++
	case got == rules.GhostYes:
		g.FalseAlarm++
	}
}

// Item returns the pairs of scores of one item.
func (a *Agreement) Item(id string) Matrix {
	if m := a.items[id]; m != nil {
		return *m
	}
	return Matrix{}
}

// All returns the pairs of scores of all items together.
func (a *Agreement) All() Matrix {
	var all Matrix
	for _, m := range a.items {
		all.add(m)
	}
	return all
}

// Rating is the share of Rated deals with the same rating; NaN without any.
func (a *Agreement) Rating() float64 { return ratio(a.SameRating, a.Rated) }

// MeanOff is the mean difference between the totals of Rated deals, in points; NaN without any.
func (a *Agreement) MeanOff() float64 { return ratio(a.Off, a.Rated) }

// SureShare is the share of items that the other rater was sure of; NaN without any item.
func (a *Agreement) SureShare() float64 { return ratio(a.Sure, a.All().N()) }

// SureExact is the share of equal scores among the items that the other rater was sure of; NaN without any.
func (a *Agreement) SureExact() float64 { return ratio(a.SureEqual, a.Sure) }

func ratio(part, all int) float64 { return float64(part) / float64(all) } // 0/0 is NaN
