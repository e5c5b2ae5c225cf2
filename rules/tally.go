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

// tally adds up the items of c and derives what follows from the total. An item that the scorecard does not have any more
// counts, and is in no category.
func (e *Engine) tally(c *Card) {
	c.Max, c.Total, c.Complete = 2*len(c.Items), 0, true
	c.Categories = []Category{}
	for i := range c.Items {
		c.Total += c.Items[i].Score
		spec := e.card.Item(c.Items[i].ID)
		if spec == nil {
			continue
		}
		k := slices.IndexFunc(c.Categories, func(cat Category) bool { return cat.Name == spec.Category })
		if k < 0 {
			k = len(c.Categories)
			c.Categories = append(c.Categories, Category{Name: spec.Category})
		}
		c.Categories[k].Points += c.Items[i].Score
		c.Categories[k].Max += 2
	}
	for _, cat := range c.Categories {
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
