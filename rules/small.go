package rules

import (
	"fmt"

	"handoff/crm"
)

// ForThreshold returns an engine that gives deals of an amount below threshold the scorecard's small version, in the
// deal's own currency; nil, and a deal without an amount: the whole scorecard.
func (e *Engine) ForThreshold(threshold *float64) *Engine {
	other := *e
	other.threshold = threshold
	return &other
}

// Rulebook identifies what the engine scores by: engines that could score a deal differently have different rulebooks.
func (e *Engine) Rulebook() string {
	if e.threshold == nil {
		return e.card.Version()
	}
	return fmt.Sprintf("%s, small below %g", e.card.Version(), *e.threshold)
}

// isSmall reports whether a deal gets the small version.
func (e *Engine) isSmall(d *crm.Deal) bool {
	return e.threshold != nil && len(e.card.Small.Categories) > 0 && d.Amount != nil && *d.Amount < *e.threshold
}

// shrink leaves the items of the small version on c. What makes a ghost is judged by the whole record.
func (e *Engine) shrink(c *Card) {
	var left []Item
	for _, it := range c.Items {
		if e.card.InSmall(e.card.Item(it.ID).Category) {
			left = append(left, it)
		}
	}
	c.Items, c.Small = left, true
}

// Empty returns the names of the categories without a point.
func (c *Card) Empty() []string {
	var names []string
	for _, cat := range c.Categories {
		if cat.Points == 0 {
			names = append(names, cat.Name)
		}
	}
	return names
}
