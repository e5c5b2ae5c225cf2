package agreement

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"handoff/crm"
	"handoff/rules"
)

// Judgement is how one rater judged a deal.
type Judgement struct {
	Scores map[string]int  // by item id: 0, 1 or 2; an item that is left open is absent
	Sure   map[string]bool // by item id; nil: the rater, a person, does not say
	Total  int             // 0 without Rating
	Rating string          // empty: not every item of the scorecard has a score
	Ghost  rules.Ghost     // empty: not judged
}

// OfCard returns the judgement that card is. Items that are not read are left open, and with them rating and ghost.
func OfCard(card *rules.Card) *Judgement {
	j := &Judgement{Scores: map[string]int{}, Sure: map[string]bool{}}
	for _, it := range card.Items {
		if !it.NotRead {
			j.Scores[it.ID], j.Sure[it.ID] = it.Score, it.Sure
		}
	}
	if !card.Unread() {
		j.Total, j.Rating, j.Ghost = card.Total, card.Rating, card.Ghost
	}
	return j
}

// Labels are what a careful reader gave a deal: the "expected" of a labelled case.
type Labels struct {
	Scores map[string]int    `json:"scores"`          // by item id: 0, 1 or 2
	Ghost  rules.Ghost       `json:"ghost,omitempty"` // empty: not judged
	Why    map[string]string `json:"why,omitempty"`   // by item id, in the reader's words
}

// ReadLabels returns the labels of a labelled case. Labels that the scorecard has no place for are an error: an item that
// it lacks, a score other than 0, 1 and 2.
func ReadLabels(s *crm.Snapshot, sc *rules.Scorecard) (*Labels, error) {
	l := new(Labels)
	if err := json.Unmarshal(s.Expected, l, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New(`labels have the form {"scores": {"1.1": 2, …}, "ghost": "no", "why": {"1.1": "…"}}`)
	}
	for id, score := range l.Scores {
		switch {
		case sc.Item(id) == nil:
			return nil, fmt.Errorf("the scorecard has no item %q", id)
		case score < 0 || score > 2:
			return nil, fmt.Errorf("item %s: %d is not 0, 1 or 2", id, score)
		}
	}
	if ghosts := []rules.Ghost{"", rules.GhostYes, rules.GhostNo, rules.GhostPending}; !slices.Contains(ghosts, l.Ghost) {
		return nil, fmt.Errorf("ghost: %q is not yes, no or pending", l.Ghost)
	}
	return l, nil
}

// Judgement returns the judgement that the labels are under the scorecard of e.
func (l *Labels) Judgement(e *rules.Engine) *Judgement {
	j := &Judgement{Scores: l.Scores, Ghost: l.Ghost}
	var blank rules.Card
	for _, it := range e.Scorecard().Items {
		if _, ok := l.Scores[it.ID]; !ok {
			return j
		}
		blank.Items = append(blank.Items, rules.Item{ID: it.ID})
	}
	full := e.Override(&blank, l.Scores)
	j.Total, j.Rating = full.Total, full.Rating
	return j
}
