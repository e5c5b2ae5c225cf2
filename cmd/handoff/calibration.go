package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"handoff/rules"
	"handoff/rules/agreement"
)

// measure is a share or a kappa; not a number, and null in JSON, where there is nothing to measure.
type measure float64

// MarshalJSONTo implements json.MarshalerTo.
func (m measure) MarshalJSONTo(enc *jsontext.Encoder) error {
	if math.IsNaN(float64(m)) {
		return enc.WriteToken(jsontext.Null)
	}
	return enc.WriteToken(jsontext.Float(math.Round(float64(m)*1000) / 1000))
}

func (m measure) String() string {
	if math.IsNaN(float64(m)) {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(m))
}

// Percent returns a share as a person reads it.
func (m measure) Percent() string {
	if math.IsNaN(float64(m)) {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(m))
}

// calibration is how the automatic scores agree with people's, and people among themselves. Its JSON form is that of
// `handoff calibrate --json`.
type calibration struct {
	Source    string     `json:"source"`              // fromFiles or fromStore
	Deals     int        `json:"deals"`               // compared with the automatic score
	OpenDeals int        `json:"open_deals,omitzero"` // beside them, of which only what people changed is known
	Raters    []string   `json:"raters"`              // people
	Automatic agreements `json:"automatic"`           // of the automatic scores, people's being the reference

	Items         []itemAgreement     `json:"items"`
	Languages     []languageAgreement `json:"languages"`
	Pairs         []pairAgreement     `json:"pairs"`         // of people with deals in common
	Disagreements []disagreement      `json:"disagreements"` // worst first

	Matrix *ratingMatrix `json:"-"` // nil: too many deals for one
}

const (
	fromFiles = "files"
	fromStore = "store"
)

// agreements measure the automatic scores against people's.
type agreements struct {
	Scores    int             `json:"scores"` // compared
	Exact     measure         `json:"exact"`
	Kappa     measure         `json:"kappa"`
	TooHigh   int             `json:"too_high"`
	TooLow    int             `json:"too_low"`
	Rated     int             `json:"rated"` // deals with a score for every item
	Rating    measure         `json:"rating"`
	MeanOff   measure         `json:"mean_off"` // between totals, in points
	Ghost     ghostAgreements `json:"ghost"`
	Sure      measure         `json:"sure"` // share of items that the rules are sure of
	SureExact measure         `json:"sure_exact"`
}

type ghostAgreements struct {
	Deals       int     `json:"deals"`
	Same        int     `json:"same"`
	Precision   measure `json:"precision"`
	Recall      measure `json:"recall"`
	F1          measure `json:"f1"`
	Missed      int     `json:"missed"`
	FalseAlarms int     `json:"false_alarms"`
}

type itemAgreement struct {
	ID      string           `json:"id"`
	Title   string           `json:"title"`
	Scores  int              `json:"scores"` // compared
	Equal   int              `json:"equal"`
	Exact   measure          `json:"exact"`
	Kappa   measure          `json:"kappa"`
	TooHigh int              `json:"too_high"` // the automatic score
	TooLow  int              `json:"too_low"`
	Matrix  agreement.Matrix `json:"matrix"` // people's scores down, automatic ones across
	People  measure          `json:"people"` // share of equal scores among people

	// What people changed on open cards.
	OpenRaised  int `json:"open_raised,omitzero"`
	OpenLowered int `json:"open_lowered,omitzero"`
}

type languageAgreement struct {
	Language string  `json:"language"` // code; empty: too short to tell
	Scores   int     `json:"scores"`   // compared
	Exact    measure `json:"exact"`
	Kappa    measure `json:"kappa"`
}

type pairAgreement struct {
	Raters [2]string `json:"raters"`
	Deals  int       `json:"deals"`
	Exact  measure   `json:"exact"`
	Kappa  measure   `json:"kappa"`
}

// disagreement is an item of a deal that was not given the same score by everyone.
type disagreement struct {
	Deal     string           `json:"deal"`
	Name     string           `json:"name"`
	Item     string           `json:"item"`
	Title    string           `json:"title"`
	Question string           `json:"question"`
	Score    int              `json:"score"` // automatic
	Sure     bool             `json:"sure"`
	Reason   string           `json:"reason"`
	Evidence []rules.Evidence `json:"evidence"`
	Raters   []raterScore     `json:"raters"`

	RatingDiffers bool `json:"rating_differs"` // somebody's scores put the deal in another rating

	gap int // between the highest and the lowest score
}

type raterScore struct {
	Rater string `json:"rater"`
	Score int    `json:"score"`
	Why   string `json:"why"`
}

// ratingMatrix shows who gave what to each item of a few deals: the first column is the automatic score.
type ratingMatrix struct {
	Deals []string
	Rows  []matrixRow
}

type matrixRow struct {
	Item, Title string
	Cells       []matrixCell // by deal
}

type matrixCell struct {
	Scores []string // the automatic one first, then by rater; "–": none
	Gap    int
}

// matrixDeals is the most deals that a matrix of items and deals is readable for.
const matrixDeals = 12

// worst is how many disagreements people are shown at first sight; JSON has them all.
const worst = 20

func newCalibration(sc *rules.Scorecard, source string, raters []string, deals []*ratedDeal) *calibration {
	c := &calibration{Source: source, Raters: raters}
	var automatic, open, people agreement.Agreement
	languages := map[string]*agreement.Agreement{}
	pairs := make([]agreement.Agreement, len(raters)*len(raters))
	var closed []*ratedDeal
	for _, d := range deals {
		for i, a := range d.by {
			for j, b := range d.by[:i] {
				if a != nil && b != nil {
					pairs[j*len(raters)+i].Add(b.Judgement, a.Judgement)
					people.Add(b.Judgement, a.Judgement)
				}
			}
		}
		if d.card == nil {
			continue
		}
		c.Disagreements = append(c.Disagreements, d.disagreements(sc, raters)...)
		computed := agreement.OfCard(d.card)
		if d.open {
			c.OpenDeals++
			open.Add(d.by[0].Judgement, computed)
			continue
		}
		closed = append(closed, d)
		if languages[d.language] == nil {
			languages[d.language] = new(agreement.Agreement)
		}
		for _, o := range d.by {
			if o != nil {
				automatic.Add(o.Judgement, computed)
				languages[d.language].Add(o.Judgement, computed)
			}
		}
	}
	c.Deals = len(closed)
	c.Automatic = agreementsOf(&automatic)
	for _, it := range sc.Items {
		m, o := automatic.Item(it.ID), open.Item(it.ID)
		c.Items = append(c.Items, itemAgreement{
			ID: it.ID, Title: it.Title, Scores: m.N(), Equal: m.Equal(), Exact: measure(m.Exact()), Kappa: measure(m.Kappa()),
			TooHigh: m.TooHigh(), TooLow: m.TooLow(), Matrix: m, People: measure(people.Item(it.ID).Exact()),
			OpenRaised: o.TooLow(), OpenLowered: o.TooHigh(),
		})
	}
	for _, language := range slices.Sorted(maps.Keys(languages)) {
		m := languages[language].All()
		c.Languages = append(c.Languages, languageAgreement{language, m.N(), measure(m.Exact()), measure(m.Kappa())})
	}
	for i := range raters {
		for j := i + 1; j < len(raters); j++ {
			p := &pairs[i*len(raters)+j]
			if p.Deals == 0 {
				continue
			}
			m := p.All()
			c.Pairs = append(c.Pairs, pairAgreement{[2]string{raters[i], raters[j]}, p.Deals, measure(m.Exact()), measure(m.Kappa())})
		}
	}
	slices.SortStableFunc(c.Disagreements, func(a, b disagreement) int {
		return cmp.Or(b.gap-a.gap, compareBool(b.RatingDiffers, a.RatingDiffers), compareBool(b.Sure, a.Sure))
	})
	if len(closed) <= matrixDeals {
		c.Matrix = newRatingMatrix(sc, closed)
	}
	return c
}

func agreementsOf(a *agreement.Agreement) agreements {
	m, g := a.All(), a.Ghosts
	return agreements{
		Scores: m.N(), Exact: measure(m.Exact()), Kappa: measure(m.Kappa()), TooHigh: m.TooHigh(), TooLow: m.TooLow(),
		Rated: a.Rated, Rating: measure(a.Rating()), MeanOff: measure(a.MeanOff()), Sure: measure(a.SureShare()), SureExact: measure(a.SureExact()),
		Ghost: ghostAgreements{Deals: g.Deals, Same: g.Same, Precision: measure(g.Precision()), Recall: measure(g.Recall()),
			F1: measure(g.F1()), Missed: g.Missed, FalseAlarms: g.FalseAlarm},
	}
}

// disagreements returns the items of the deal that were not given the same score by all.
func (d *ratedDeal) disagreements(sc *rules.Scorecard, raters []string) []disagreement {
	var all []disagreement
	for _, it := range d.card.Items {
		spec := sc.Item(it.ID)
		if it.NotRead || spec == nil {
			continue
		}
		low, high := it.Score, it.Score
		one := disagreement{
			Deal: d.id, Name: d.name, Item: it.ID, Title: spec.Title, Question: spec.Question,
			Score: it.Score, Sure: it.Sure, Reason: it.Reason, Evidence: it.Evidence,
		}
		for i, o := range d.by {
			if o == nil {
				continue
			}
			if score, ok := o.Scores[it.ID]; ok {
				low, high = min(low, score), max(high, score)
				one.Raters = append(one.Raters, raterScore{raters[i], score, o.why[it.ID]})
				one.RatingDiffers = one.RatingDiffers || o.Rating != "" && o.Rating != d.card.Rating
			}
		}
		if one.gap = high - low; one.gap > 0 {
			all = append(all, one)
		}
	}
	return all
}

// compareBool sorts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func newRatingMatrix(sc *rules.Scorecard, deals []*ratedDeal) *ratingMatrix {
	m := new(ratingMatrix)
	for _, d := range deals {
		m.Deals = append(m.Deals, cmp.Or(d.name, d.id))
	}
	for _, spec := range sc.Items {
		row := matrixRow{Item: spec.ID, Title: spec.Title}
		for _, d := range deals {
			var cell matrixCell
			judgements := []*agreement.Judgement{agreement.OfCard(d.card)}
			for _, o := range d.by {
				if o == nil {
					o = &opinion{Judgement: new(agreement.Judgement)}
				}
				judgements = append(judgements, o.Judgement)
			}
			low, high := 2, 0
			for _, j := range judgements {
				score, ok := j.Scores[spec.ID]
				if !ok {
					cell.Scores = append(cell.Scores, "–")
					continue
				}
				low, high = min(low, score), max(high, score)
				cell.Scores = append(cell.Scores, strconv.Itoa(score))
			}
			cell.Gap = max(0, high-low)
			row.Cells = append(row.Cells, cell)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

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
		pair("Equal", "%s of the scores, kappa %s; %d too high, %d too low", auto.Exact.Percent(), auto.Kappa, auto.TooHigh, auto.TooLow)
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
