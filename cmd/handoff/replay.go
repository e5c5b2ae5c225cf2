package main

import (
	"cmp"
	"math"
	"slices"
	"time"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// backtest is what another scorecard would change. Its JSON form is the last line of `handoff backtest --json`.
type backtest struct {
	Stored   int    `json:"stored"` // deals
	Replayed int    `json:"replayed"`
	Skipped  []skip `json:"skipped"`
	Changed  int    `json:"changed"` // deals with another score of an item, rating, health or ghost flag
	Higher   int    `json:"higher"`  // deals with a higher total, by share of the points
	Lower    int    `json:"lower"`

	MeanBefore    measure `json:"mean_before"` // total, as a share of the points; without small deals, which have another maximum
	MeanAfter     measure `json:"mean_after"`
	FlaggedBefore int     `json:"flagged_before"` // deals that are ghost or Incomplete
	FlaggedAfter  int     `json:"flagged_after"`

	Ratings shifts      `json:"ratings"` // best first
	Ghosts  shifts      `json:"ghosts"`
	Items   []itemShift `json:"items"`

	biggest        []*dealShift // the deals that change most; after finish in order of it
	present, other *rules.Engine
	now            time.Time
	report         func(*dealShift) error // called with each deal that changes; nil: nobody listens
	whole          int                    // deals that are no small ones
	before, after  float64                // sums of their shares
}

// skip is why deals were not replayed.
type skip struct {
	Why   string `json:"why"`
	Deals int    `json:"deals"`
}

// Why deals are not replayed.
const (
	skipNotWon  = "not a won deal any more"
	skipNoDate  = "no close date, so no moment to score them as of"
	skipOpen    = "still within the time that Sales has after the close"
	skipNotRead = "parts of the record could not be read"
)

// shifts counts deals by a value that scorecards give them.
type shifts []shift

type shift struct {
	Value  string `json:"value"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// of returns the line of a value.
func (s *shifts) of(value string) *shift {
	i := slices.IndexFunc(*s, func(l shift) bool { return l.Value == value })
	if i < 0 {
		i = len(*s)
		*s = append(*s, shift{Value: value})
	}
	return &(*s)[i]
}

// itemShift is how an item changes over all deals.
type itemShift struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Raised  int     `json:"raised"` // deals
	Lowered int     `json:"lowered"`
	Before  measure `json:"mean_before"` // points; null: the scorecard does not have the item
	After   measure `json:"mean_after"`

	before, after           int // sums of points
	dealsBefore, dealsAfter int
}

// dealShift is what another scorecard would change of a deal. Its JSON form is a line of `handoff backtest --json`.
type dealShift struct {
	Connection string     `json:"connection"`
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Account    string     `json:"account"`
	CloseDate  *crm.Date  `json:"close_date"`
	AsOf       time.Time  `json:"as_of"`
	Before     cardLine   `json:"before"`
	After      cardLine   `json:"after"`
	Items      []itemPair `json:"items"` // those with another score
}

// cardLine is a card in short.
type cardLine struct {
	Total        int         `json:"total"`
	Max          int         `json:"max"`
	Rating       string      `json:"rating"`
	Health       string      `json:"health"`
	Ghost        rules.Ghost `json:"ghost"`
	GhostReasons []string    `json:"ghost_reasons"`
}

func newCardLine(c *rules.Card) cardLine {
	return cardLine{c.Total, c.Max, c.Rating, c.Health, c.Ghost, c.GhostReasons}
}

func (c *cardLine) share() float64 {
	if c.Max == 0 {
		return 0
	}
	return float64(c.Total) / float64(c.Max)
}

// differs reports whether an item does not come out alike for every deal.
func (it *itemShift) differs() bool {
	return it.Raised > 0 || it.Lowered > 0 || it.dealsBefore != it.dealsAfter
}

// itemPair is an item under both scorecards; a score is null where the scorecard does not have the item.
type itemPair struct {
	ID           string `json:"id"`
	Title        string `json:"title"`
	Before       *int   `json:"before"`
	After        *int   `json:"after"`
	ReasonBefore string `json:"reason_before"`
	ReasonAfter  string `json:"reason_after"`
}

func newBacktest(present, other *rules.Engine, now time.Time) *backtest {
	b := &backtest{present: present, other: other, now: now}
	for _, ghost := range []rules.Ghost{rules.GhostYes, rules.GhostPending, rules.GhostNo} {
		b.Ghosts.of(string(ghost))
	}
	for _, sc := range []*rules.Scorecard{present.Scorecard(), other.Scorecard()} {
		for _, r := range sc.Ratings {
			b.Ratings.of(r.Name)
		}
		for _, it := range sc.Items {
			b.item(it.ID).Title = it.Title
		}
	}
	return b
}

// item returns the line of an item.
func (b *backtest) item(id string) *itemShift {
	i := slices.IndexFunc(b.Items, func(l itemShift) bool { return l.ID == id })
	if i < 0 {
		i = len(b.Items)
		b.Items = append(b.Items, itemShift{ID: id})
	}
	return &b.Items[i]
}

// replay scores a stored deal of a connection with this threshold with both scorecards and counts what differs.
func (b *backtest) replay(h *jobs.Handoff, threshold *float64) error {
	b.Stored++
	deal := &h.Snapshot.Deal
	if h.Reopened || !deal.Won {
		b.skip(skipNotWon)
		return nil
	}
	if deal.CloseDate == nil {
		b.skip(skipNoDate)
		return nil
	}
	// The moment when both scorecards have made up their mind about a ghost.
	asOf := b.present.Scorecard().Deadline(*deal.CloseDate)
	if other := b.other.Scorecard().Deadline(*deal.CloseDate); other.After(asOf) {
		asOf = other
	}
	if asOf.After(b.now) {
		b.skip(skipOpen)
		return nil
	}
	before, after := b.present.ForThreshold(threshold).Score(h.Snapshot, asOf), b.other.ForThreshold(threshold).Score(h.Snapshot, asOf)
	if before.Unread() || after.Unread() {
		b.skip(skipNotRead)
		return nil
	}
	d := &dealShift{
		Connection: h.Connection, ID: h.DealID, Name: deal.Name, Account: deal.Account, CloseDate: deal.CloseDate, AsOf: asOf,
		Before: newCardLine(before), After: newCardLine(after),
	}
	b.count(d, before, after)
	if len(d.Items) == 0 && d.Before.Rating == d.After.Rating && d.Before.Health == d.After.Health && d.Before.Ghost == d.After.Ghost {
		return nil
	}
	b.Changed++
	b.keep(d)
	if b.report == nil {
		return nil
	}
	return b.report(d)
}

func (b *backtest) skip(why string) {
	i := slices.IndexFunc(b.Skipped, func(s skip) bool { return s.Why == why })
	if i < 0 {
		i = len(b.Skipped)
		b.Skipped = append(b.Skipped, skip{Why: why})
	}
	b.Skipped[i].Deals++
}

// count counts a deal, and lists the items of d that differ.
func (b *backtest) count(d *dealShift, before, after *rules.Card) {
	b.Replayed++
	if !before.Small && !after.Small {
		b.whole++
		b.before += d.Before.share()
		b.after += d.After.share()
	}
	switch change := d.After.share() - d.Before.share(); {
	case change > 0:
		b.Higher++
	case change < 0:
		b.Lower++
	}
	if before.Flagged() {
		b.FlaggedBefore++
	}
	if after.Flagged() {
		b.FlaggedAfter++
	}
	b.Ratings.of(before.Rating).Before++
	b.Ratings.of(after.Rating).After++
	b.Ghosts.of(string(before.Ghost)).Before++
	b.Ghosts.of(string(after.Ghost)).After++
	for i := range b.Items {
		line := &b.Items[i]
		pair := itemPair{ID: line.ID, Title: line.Title}
		if it := itemOf(before, line.ID); it != nil {
			line.dealsBefore++
			line.before += it.Score
			pair.Before, pair.ReasonBefore = new(it.Score), it.Reason
		}
		if it := itemOf(after, line.ID); it != nil {
			line.dealsAfter++
			line.after += it.Score
			pair.After, pair.ReasonAfter = new(it.Score), it.Reason
		}
		switch {
		case pair.Before == nil && pair.After == nil:
		case pair.Before == nil || pair.After == nil:
			d.Items = append(d.Items, pair)
		case *pair.After > *pair.Before:
			line.Raised++
			d.Items = append(d.Items, pair)
		case *pair.After < *pair.Before:
			line.Lowered++
			d.Items = append(d.Items, pair)
		}
	}
}

// itemOf returns the item of a card with the given id, nil if there is none.
func itemOf(card *rules.Card, id string) *rules.Item {
	for i := range card.Items {
		if card.Items[i].ID == id {
			return &card.Items[i]
		}
	}
	return nil
}

// mostBiggest is how many of the deals that change most are kept: what a page shows.
const mostBiggest = 100

// keep remembers d if it is among the deals that change most.
func (b *backtest) keep(d *dealShift) {
	if b.biggest = append(b.biggest, d); len(b.biggest) > 2*mostBiggest {
		b.sort()
	}
}

// sort leaves the deals that change most: first those whose ghost flag does, then those whose rating does, then by points.
func (b *backtest) sort() {
	weigh := func(d *dealShift) (ghost, rating bool, points float64) {
		return d.Before.Ghost != d.After.Ghost, d.Before.Rating != d.After.Rating, math.Abs(d.After.share() - d.Before.share())
	}
	slices.SortStableFunc(b.biggest, func(x, y *dealShift) int {
		xGhost, xRating, xPoints := weigh(x)
		yGhost, yRating, yPoints := weigh(y)
		return cmp.Or(compareBool(yGhost, xGhost), compareBool(yRating, xRating), cmp.Compare(yPoints, xPoints), len(y.Items)-len(x.Items))
	})
	b.biggest = b.biggest[:min(len(b.biggest), mostBiggest)]
}

// finish works out the means once every deal is replayed.
func (b *backtest) finish() {
	b.sort()
	b.MeanBefore, b.MeanAfter = measure(b.before/float64(b.whole)), measure(b.after/float64(b.whole))
	for i := range b.Items {
		it := &b.Items[i]
		it.Before, it.After = measure(float64(it.before)/float64(it.dealsBefore)), measure(float64(it.after)/float64(it.dealsAfter))
	}
}
