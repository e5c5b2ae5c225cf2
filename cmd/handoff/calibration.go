package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

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

	sc                      *rules.Scorecard
	automatic, people, open agreement.Agreement
	languages               map[string]*agreement.Agreement
	pairs                   []agreement.Agreement // of raters i < j at i*len(Raters)+j
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

func newCalibration(sc *rules.Scorecard, source string, raters []string) *calibration {
	return &calibration{
		Source: source, Raters: raters, Matrix: new(ratingMatrix), sc: sc,
		languages: map[string]*agreement.Agreement{}, pairs: make([]agreement.Agreement, len(raters)*len(raters)),
	}
}

// add counts a deal.
func (c *calibration) add(d *ratedDeal) {
	for i, a := range d.by {
		for j, b := range d.by[:i] {
			if a != nil && b != nil {
				c.pairs[j*len(c.Raters)+i].Add(b.Judgement, a.Judgement)
				c.people.Add(b.Judgement, a.Judgement)
			}
		}
	}
	if d.card == nil {
		return
	}
	c.Disagreements = append(c.Disagreements, d.disagreements(c.sc, c.Raters)...)
	computed := agreement.OfCard(d.card)
	if d.open {
		c.OpenDeals++
		c.open.Add(d.by[0].Judgement, computed)
		return
	}
	c.Deals++
	if c.languages[d.language] == nil {
		c.languages[d.language] = new(agreement.Agreement)
	}
	for _, o := range d.by {
		if o != nil {
			c.automatic.Add(o.Judgement, computed)
			c.languages[d.language].Add(o.Judgement, computed)
		}
	}
	if c.Deals > matrixDeals {
		c.Matrix = nil
	} else {
		c.Matrix.add(c.sc, d)
	}
}

// finish works out the measures once every deal is added.
func (c *calibration) finish() {
	c.Automatic = agreementsOf(&c.automatic)
	for _, it := range c.sc.Items {
		m, o := c.automatic.Item(it.ID), c.open.Item(it.ID)
		c.Items = append(c.Items, itemAgreement{
			ID: it.ID, Title: it.Title, Scores: m.N(), Equal: m.Equal(), Exact: measure(m.Exact()), Kappa: measure(m.Kappa()),
			TooHigh: m.TooHigh(), TooLow: m.TooLow(), Matrix: m, People: measure(c.people.Item(it.ID).Exact()),
			OpenRaised: o.TooLow(), OpenLowered: o.TooHigh(),
		})
	}
	for _, language := range slices.Sorted(maps.Keys(c.languages)) {
		m := c.languages[language].All()
		c.Languages = append(c.Languages, languageAgreement{language, m.N(), measure(m.Exact()), measure(m.Kappa())})
	}
	for i := range c.Raters {
		for j := i + 1; j < len(c.Raters); j++ {
			p := &c.pairs[i*len(c.Raters)+j]
			if p.Deals == 0 {
				continue
			}
			m := p.All()
			c.Pairs = append(c.Pairs, pairAgreement{[2]string{c.Raters[i], c.Raters[j]}, p.Deals, measure(m.Exact()), measure(m.Kappa())})
		}
	}
	slices.SortStableFunc(c.Disagreements, func(a, b disagreement) int {
		return cmp.Or(b.gap-a.gap, compareBool(b.RatingDiffers, a.RatingDiffers), compareBool(b.Sure, a.Sure))
	})
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

// add adds the column of a deal.
func (m *ratingMatrix) add(sc *rules.Scorecard, d *ratedDeal) {
	m.Deals = append(m.Deals, cmp.Or(d.name, d.id))
	judgements := []*agreement.Judgement{agreement.OfCard(d.card)}
	for _, o := range d.by {
		if o == nil {
			o = &opinion{Judgement: new(agreement.Judgement)}
		}
		judgements = append(judgements, o.Judgement)
	}
	for i, spec := range sc.Items {
		if i == len(m.Rows) {
			m.Rows = append(m.Rows, matrixRow{Item: spec.ID, Title: spec.Title})
		}
		var cell matrixCell
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
		m.Rows[i].Cells = append(m.Rows[i].Cells, cell)
	}
}
