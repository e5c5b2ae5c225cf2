package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Card is the handoff scorecard of a deal.
type Card struct {
	Scored   bool
	Score    string
	Max      string
	Badges   []Badge
	Action   string
	Overview []*Field
	Groups   []Group
	Texts    []*Field
	Rest     []*Field // what Score, Max, Badges, Action and the groups' points show already, and fields that are not ours
	RestOpen bool
}

// Group is a category of the scorecard.
type Group struct {
	Title  string
	Points string
	Fields []*Field
}

var (
	itemName = regexp.MustCompile(`^item_(\d+)_\d+$`)

	// overview are the fields about the deal as a whole.
	overview = []string{"acceptance", "finalised", "final_score", "ghost_reason", "ready", "complete", "scored_at"}

	// categories are the totals, in the order of the categories' items.
	categories = []string{"deal_context", "stakeholder_map", "technical_fit", "expectation_record", "crm_hygiene"}
)

// NewCard takes the fields of ours; nil: there are none.
func NewCard(fields *Fields) *Card {
	ours := map[string]*Field{}
	for _, f := range fields.left {
		if f.Own != "" {
			ours[f.Own] = f
			f.Tone = f.tone()
		}
	}
	if len(ours) == 0 {
		return nil
	}
	text := func(name string) string {
		if f, ok := ours[name]; ok {
			return f.Text
		}
		return ""
	}
	card := &Card{Score: text("score"), Max: text("max"), Action: text("next_action")}
	card.Scored = card.Score != ""
	card.Badges = Badges(text("rating"), text("health"), ours["ghost"] != nil && ours["ghost"].Entered == "true")
	card.Overview = fields.own(overview...)
	for i, name := range categories {
		group := Group{Title: fmt.Sprintf("Category %d", i+1)}
		group.Fields = fields.TakeIf(func(f *Field) bool {
			m := itemName.FindStringSubmatch(f.Own)
			return m != nil && m[1] == strconv.Itoa(i+1)
		})
		if total, ok := ours[name]; ok {
			group.Title, group.Points = total.Label, total.Text
			if group.Points != "" {
				group.Points += fmt.Sprintf(" / %d", 2*len(group.Fields))
			}
		}
		if len(group.Fields) > 0 {
			card.Groups = append(card.Groups, group)
		}
	}
	card.Texts = fields.own("gaps", "item_notes")
	card.Rest = fields.TakeIf(func(f *Field) bool { return f.Own != "" })
	card.RestOpen = slices.ContainsFunc(card.Rest, func(f *Field) bool { return f.Problem != "" })
	return card
}

// tone says how good the value of a field of ours is.
func (f *Field) tone() string {
	switch {
	case itemName.MatchString(f.Own):
		return map[string]string{"2": "good", "1": "fair", "0": "bad"}[f.Text]
	case f.Own == "ghost" && f.Entered == "true":
		return "bad"
	}
	return tones[f.Text]
}
