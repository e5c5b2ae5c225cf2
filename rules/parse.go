package rules

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// scorecardFile is the TOML form of a scorecard.
type scorecardFile struct {
	Title      string         `toml:"title"`
	Products   []string       `toml:"products"` // business systems known by name
	Ghost      GhostSpec      `toml:"ghost"`
	Categories []CategorySpec `toml:"category"`
	Ratings    []RatingSpec   `toml:"rating"`
	Slots      []SlotSpec     `toml:"slot"`
	Items      []*ItemSpec    `toml:"item"`
}

// ParseScorecard reads a scorecard file. name is what errors call the file. An error says for each problem the file,
// line and column, the line itself and the remedy.
func ParseScorecard(name string, data []byte) (*Scorecard, error) {
	var f scorecardFile
	dec := toml.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return nil, fmt.Errorf("%s: %s", name, strict.String())
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sc := &Scorecard{
		Title: f.Title, Categories: f.Categories, Items: f.Items, Ratings: f.Ratings, Ghost: f.Ghost,
		slots: f.Slots, products: f.Products, version: versionOf(data),
	}
	return sc, nil
}
