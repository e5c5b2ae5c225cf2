package rules

import (
	"slices"
	"time"
)

// Ghost says whether a deal is a ghost handoff: won, time enough passed, and no useful context transferred.
type Ghost string

// The values of Ghost.
const (
	GhostYes     Ghost = "yes"
	GhostNo      Ghost = "no"
	GhostPending Ghost = "pending" // as empty as a ghost, but still within the time that Sales has
)

// Ratings, best first, with the published action for each (S1.28-S1.31).
const (
	Excellent     = "Excellent"
	Acceptable    = "Acceptable"
	BelowStandard = "Below Standard"
	Incomplete    = "Incomplete"
)

// Health colours.
const (
	Green  = "Green"
	Yellow = "Yellow"
	Red    = "Red"
)

// Card is a filled-in scorecard. Its JSON form is the contract of `handoff score --json`.
type Card struct {
	ID           string     `json:"id"`
	Total        int        `json:"total"`
	Max          int        `json:"max"`
	Rating       string     `json:"rating"`
	Health       string     `json:"health"`
	Complete     bool       `json:"complete"`       // no category is empty (S1.34)
	Small        bool       `json:"small,omitzero"` // by the version for small deals (S1.62), whose points do not compare with the others'
	Ghost        Ghost      `json:"ghost"`
	GhostReasons []string   `json:"ghost_reasons"` // never nil
	Categories   []Category `json:"categories"`
	Items        []Item     `json:"items"`

	// DueAt is when the as-of time alone may change the card; nil: never. It is stored beside the card, not in it.
	DueAt *time.Time `json:"-"`
}

// Category is the sum of a category's items.
type Category struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
	Max    int    `json:"max"`
}

// Item is the result of one scorecard item.
type Item struct {
	ID       string     `json:"id"`
	Score    int        `json:"score"`  // 0, 1 or 2
	Reason   string     `json:"reason"` // what is there and what is missing
	Remedy   string     `json:"remedy"` // empty at full points
	Sure     bool       `json:"sure"`   // false: a person should check it
	NotRead  bool       `json:"not_read"`
	Evidence []Evidence `json:"evidence"` // never nil
}

// Evidence is a passage that an item's points rest on.
type Evidence struct {
	Source string `json:"source"` // in words: "field use_case", "note 2026-09-30 by Dana Ruiz", "contact"
	Record string `json:"record"` // the CRM's record id, or where a snapshot has none its place, such as "notes[0]"
	Quote  string `json:"quote"`  // a substring of the text or title of its Origin

	// Template says that the same text is on many deals. Engine.Score, which knows one deal, leaves it to its caller.
	Template bool `json:"template,omitzero"`
}

// OnTemplate reports whether any of the evidence is a template.
func (it *Item) OnTemplate() bool {
	return slices.ContainsFunc(it.Evidence, func(ev Evidence) bool { return ev.Template })
}

// Unread reports whether any item is not read: then the card has no total, rating, health or ghost flag to act on.
func (c *Card) Unread() bool {
	for i := range c.Items {
		if c.Items[i].NotRead {
			return true
		}
	}
	return false
}

// Flagged reports whether a manager should look at the card: a ghost handoff, one rated Incomplete, or one of a small deal
// with an empty category.
func (c *Card) Flagged() bool {
	return !c.Unread() && (c.Ghost == GhostYes || c.Rating == Incomplete || c.Small && !c.Complete)
}
