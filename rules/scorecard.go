package rules

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"slices"
)

//go:embed scorecards/*.toml scorecards/wording
var scorecards embed.FS

// Scorecard is a validated scorecard: which items there are, what a complete answer to each contains, how the record's
// language gives it away, and what a total means. It is read-only; ParseScorecard and Builtin make one.
type Scorecard struct {
	Title      string
	Categories []CategorySpec
	Items      []*ItemSpec
	Ratings    []RatingSpec // best first
	Ghost      GhostSpec
	Small      SmallSpec
	Slots      []SlotSpec
	Products   []string // business systems known by name

	version string
	engine  *Engine
}

// CategorySpec is a category of a scorecard: how many items it has and what they add up to.
type CategorySpec struct {
	Name  string `toml:"name"`
	Items int    `toml:"-"`
	Max   int    `toml:"-"`

	at place
}

// RatingSpec is a band of totals with what the band means for the people involved.
type RatingSpec struct {
	Name   string `toml:"name"`
	From   int    `toml:"from"` // the least total of the band, in percent of the maximum
	Health string `toml:"health"`
	Action string `toml:"action"` // what to do next, for a reader in Customer Success

	at place
}

// GhostSpec holds the thresholds of the ghost rule.
type GhostSpec struct {
	BusinessDays int     `toml:"business_days"` // that Sales has after the close
	Signals      float64 `toml:"signals"`       // items with useful context below which none was transferred; an item may count in part
}

// SmallSpec says what is left of the scorecard for small deals.
type SmallSpec struct {
	Categories []string `toml:"categories"` // empty: there is no small version
}

// ItemSpec is one item of a scorecard.
type ItemSpec struct {
	ID       string `toml:"id"`
	Category string `toml:"category"`
	Title    string `toml:"title"`
	Question string `toml:"question"` // what to ask the AE; free of points and grades
	Remedy   string `toml:"remedy"`   // what closes the gap
	Help     string `toml:"help"`     // what a person reads beside the item's field in the CRM

	Kind     string              `toml:"kind"`                   // how it is judged: text, person, objector, contacts, closing, stage or rule
	Fields   []string            `toml:"fields" overlay:"add"`   // deal fields whose text is about the item
	Headings []string            `toml:"headings" overlay:"add"` // headings and labels whose text is about the item
	About    []string            `toml:"about"`                  // slots whose cues make a passage be about the item
	Cues     map[string][]string `toml:"cues" overlay:"add"`     // further such cues, by language
	Roles    []string            `toml:"roles"`                  // contact roles of the person, for kind "person"
	Partial  []string            `toml:"partial"`                // slots to be filled for 1 point; "a|b": either
	Complete []string            `toml:"complete"`               // slots to be filled for 2 points
	Apart    bool                `toml:"apart"`                  // the slots of complete may be filled far from each other
	Echo     bool                `toml:"echo"`                   // names in its fields make other passages that hold them be about it
	None     bool                `toml:"none"`                   // "none" can be an answer
	Wording  bool                `toml:"wording"`                // what the built-in wording tells has a say as well
	Examples []Example           `toml:"example"`

	at place
}

// SlotSpec is a slot that cues fill. The other slots are Go: factSlots.
type SlotSpec struct {
	Name     string              `toml:"name"`
	Says     string              `toml:"says"` // completes "missing: …"
	All      []string            `toml:"all"`  // slots that fill it together; it has no cues of its own then
	When     string              `toml:"when"` // a condition over the record as a whole, for items of kind "rule"
	Fields   []string            `toml:"fields" overlay:"add"`
	Headings []string            `toml:"headings" overlay:"add"`
	Cues     map[string][]string `toml:"cues" overlay:"add"` // by language

	at place
}

// Example is a text with the points that it must get. Examples run when the scorecard is loaded.
type Example struct {
	Text   string `toml:"text"`
	Field  string `toml:"field"` // the deal field that holds Text; empty: a note
	Points int    `toml:"points"`
}

// The scorecard that is built in, as a file with a base names it.
const (
	builtinName = "handoff"
	builtinPath = "scorecards/" + builtinName + ".toml"
)

// Builtin returns the published 20-item Handoff Scorecard.
func Builtin() (*Scorecard, error) {
	data, err := scorecards.ReadFile(builtinPath)
	if err != nil {
		return nil, fmt.Errorf("read the built-in scorecard: %w", err)
	}
	return ParseScorecard(builtinPath, data)
}

// Version identifies the rulebook: scorecards that could score a deal differently have different versions.
func (s *Scorecard) Version() string { return s.version }

func versionOf(texts ...[]byte) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d\n", len(t))
		h.Write(t)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Max is the greatest possible total.
func (s *Scorecard) Max() int { return 2 * len(s.Items) }

// Item returns the item with the given id, nil if there is none.
func (s *Scorecard) Item(id string) *ItemSpec {
	for _, it := range s.Items {
		if it.ID == id {
			return it
		}
	}
	return nil
}

// Action returns what is to be done at a rating; empty for an unknown one.
func (s *Scorecard) Action(rating string) string {
	for _, r := range s.Ratings {
		if r.Name == rating {
			return r.Action
		}
	}
	return ""
}

// InSmall reports whether a category is part of the small version.
func (s *Scorecard) InSmall(category string) bool {
	return slices.Contains(s.Small.Categories, category)
}
