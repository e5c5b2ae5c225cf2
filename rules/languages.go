package rules

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pelletier/go-toml/v2"
)

//go:embed languages/*.toml
var languageFiles embed.FS

// language is the vocabulary that reading records of one language needs, whatever the scorecard.
type language struct {
	Code        string   `toml:"code"`
	Stopwords   []string `toml:"stopwords"`
	None        []string `toml:"none"`
	Placeholder []string `toml:"placeholder"`
	Negation    []string `toml:"negation"`
	Unknown     []string `toml:"unknown"`
	Hedge       []string `toml:"hedge"`
	Vague       []string `toml:"vague"`
	Claims      []string `toml:"claims"`
	Elsewhere   []string `toml:"elsewhere"`
	Automatic   []string `toml:"automatic"`
	Boilerplate []string `toml:"boilerplate"`
	Closing     []string `toml:"closing"`
	Months      []string `toml:"months"`
	Weekdays    []string `toml:"weekdays"`
	Seasons     []string `toml:"seasons"`
	Units       []string `toml:"units"`
	Numbers     []string `toml:"numbers"`
	Titles      []string `toml:"titles"`
	Groups      []string `toml:"groups"`
}

// The classes of a language's vocabulary. Classes of slots and items follow them.
const (
	none class = iota
	placeholder
	negation
	unknown
	hedge
	vague
	claim
	elsewhere
	automatic
	boilerplate
	closing
	month
	weekday
	season
	unit
	number
	title
	group
	product // a business system known by name
	stopword
	firstFree
)

const maxLanguages = 8

func (l *language) lists() map[class][]string {
	return map[class][]string{
		none: l.None, placeholder: l.Placeholder, negation: l.Negation, unknown: l.Unknown, hedge: l.Hedge, vague: l.Vague, claim: l.Claims, group: l.Groups,
		elsewhere: l.Elsewhere, automatic: l.Automatic, boilerplate: l.Boilerplate, closing: l.Closing, month: l.Months,
		weekday: l.Weekdays, season: l.Seasons, unit: l.Units, number: l.Numbers, title: l.Titles,
	}
}

// readLanguages returns the built-in languages, by code, in order of their file names.
func readLanguages() ([]*language, error) {
	names, err := fs.Glob(languageFiles, "languages/*.toml")
	if err != nil {
		return nil, err
	}
	var all []*language
	for _, name := range names {
		data, err := languageFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		l := new(language)
		dec := toml.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(l); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, l)
	}
	return all, nil
}
