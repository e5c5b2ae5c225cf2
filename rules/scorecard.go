package rules

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

//go:embed scorecards/*.toml
var scorecards embed.FS

// Scorecard is a validated scorecard: which items there are, what a complete answer to each contains, how the record's
// language gives it away, and what a total means. It is read-only; ParseScorecard and Builtin make one.
type Scorecard struct {
	Title      string
	Categories []CategorySpec
	Items      []*ItemSpec
	Ratings    []RatingSpec // best first
	Ready      int          // percent of the maximum from which onboarding may begin (S1.32)
	Ghost      GhostSpec

	version string
}

// CategorySpec is a category of a scorecard: how many items it has and what they add up to.
type CategorySpec struct {
	Name  string `toml:"name"`
	Items int    `toml:"items"`
	Max   int    `toml:"max"`
}

// RatingSpec is a band of totals with what the band means for the people involved.
type RatingSpec struct {
	Name   string `toml:"name"`
	From   int    `toml:"from"` // the least total of the band, in percent of the maximum
	Health string `toml:"health"`
	Action string `toml:"action"` // what to do next, for a reader in Customer Success
}

// GhostSpec holds the thresholds of the ghost rule.
type GhostSpec struct {
	BusinessDays int `toml:"business_days"` // that Sales has after the close
	Signals      int `toml:"signals"`       // items with context below which nothing useful was transferred
}

// ItemSpec is one item of a scorecard.
type ItemSpec struct {
	ID       string `toml:"id"`
	Category string `toml:"category"`
	Title    string `toml:"title"`
	Question string `toml:"question"` // what to ask the AE; free of points and grades
	Remedy   string `toml:"remedy"`   // what closes the gap
	Help     string `toml:"help"`     // what a person reads beside the item's field in the CRM
}

type scorecardFile struct {
	Title      string         `toml:"title"`
	Ready      int            `toml:"ready"`
	Ghost      GhostSpec      `toml:"ghost"`
	Categories []CategorySpec `toml:"category"`
	Ratings    []RatingSpec   `toml:"rating"`
	Items      []*ItemSpec    `toml:"item"`
}

// Builtin returns the published 20-item Handoff Scorecard.
func Builtin() (*Scorecard, error) {
	const name = "scorecards/handoff.toml"
	data, err := scorecards.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the built-in scorecard: %w", err)
	}
	return ParseScorecard(name, data)
}

// ParseScorecard reads a scorecard file. name is what errors call the file. An error says for each problem the file,
// line and column, the line itself and the remedy.
func ParseScorecard(name string, data []byte) (*Scorecard, error) {
	var f scorecardFile
	dec := toml.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	sc := &Scorecard{
		Title: f.Title, Categories: f.Categories, Items: f.Items, Ratings: f.Ratings, Ready: f.Ready, Ghost: f.Ghost,
		version: hex.EncodeToString(sum[:8]),
	}
	return sc, nil
}

// Version identifies the rulebook: scorecards that could score a deal differently have different versions.
func (s *Scorecard) Version() string { return s.version }

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

var _ = errors.New
var _ = strings.Join
