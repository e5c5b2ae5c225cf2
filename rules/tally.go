package rules

import "slices"

// Override returns a copy of card in which people's scores stand in place of the computed ones, with categories, total,
// rating, health and completeness to match. Ghost, reasons and evidence stay as computed. Scores of unknown items and
// scores other than 0, 1 and 2 are passed over.
func (e *Engine) Override(card *Card, scores map[string]int) *Card {
	c := *card
	c.Items = slices.Clone(card.Items)
	for i := range c.Items {
		if v, ok := scores[c.Items[i].ID]; ok && v >= 0 && v <= 2 {
			c.Items[i].Score = v
		}
	}
	e.tally(&c)
	return &c
}

// tally adds up the items of c and derives what follows from the total.
func (e *Engine) tally(c *Card) {
	c.Max = e.card.Max()
	c.Total = 0
	c.Complete = true
	c.Categories = make([]Category, len(e.card.Categories))
	for i, spec := range e.card.Categories {
		cat := Category{Name: spec.Name, Max: spec.Max}
		for j, it := range e.card.Items {
			if it.Category == spec.Name {
				cat.Points += c.Items[j].Score
			}
		}
		c.Categories[i] = cat
		c.Total += cat.Points
		c.Complete = c.Complete && cat.Points > 0
	}
	for _, r := range e.card.Ratings {
		if c.Total*100 >= r.From*c.Max {
			c.Rating, c.Health = r.Name, r.Health
			break
		}
	}
	if c.Ghost == GhostYes {
		c.Health = Red
	}
}

// readyPercent is the least total to begin onboarding with: 28 of 40 (S1.32).
const readyPercent = 70

// Ready reports whether onboarding may begin on the strength of card. While an item is not read nobody knows, and it
// may not.
func Ready(card *Card) bool {
	return !card.Unread() && card.Total*100 >= readyPercent*card.Max
}
