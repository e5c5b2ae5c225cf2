package jobs

import "handoff/rules"

// Edited returns the card as people should see it: as computed, with the points that people set in place.
func (h *Handoff) Edited(e *rules.Engine) *rules.Card { return e.Override(h.Card, h.Set()) }

// Set returns the points that people set on the items of the card, by item id.
func (h *Handoff) Set() map[string]int {
	set := map[string]int{}
	for _, it := range h.Card.Items {
		if edit, ok := h.Edits[ItemField(it.ID)]; ok {
			if n, valid := points(edit.Value); valid {
				set[it.ID] = n
			}
		}
	}
	return set
}
