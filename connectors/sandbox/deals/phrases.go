package deals

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

//go:embed phrases.toml
var phrasesTOML string

// phrases is the content of phrases.toml.
type phrases struct {
	Rivals       []string   `toml:"rivals"`
	Systems      []string   `toml:"systems"`
	Placeholders []string   `toml:"placeholders"`
	Owners       []string   `toml:"owners"`
	CSMs         []string   `toml:"csms"`
	Stages       []string   `toml:"stages"`
	Languages    []language `toml:"language"`
}

// language is how one country's sales team and customers write.
type language struct {
	Share    int                 `toml:"share"` // accounts of twenty
	First    []string            `toml:"first"`
	Last     []string            `toml:"last"`
	Prefix   []string            `toml:"prefix"`
	Stem     []string            `toml:"stem"`
	Trade    []string            `toml:"trade"`
	Legal    []string            `toml:"legal"`
	Currency []string            `toml:"currency"`
	Phone    string              `toml:"phone"`
	Date     string              `toml:"date"` // layout
	Kinds    []string            `toml:"kinds"`
	Again    string              `toml:"again"` // the kind of an account's second deal
	Topics   []string            `toml:"topics"`
	Titles   map[string][]string `toml:"titles"` // by the person's slot

	Signed  saying            `toml:"signed"`
	Meeting []string          `toml:"meeting"`
	Mail    []string          `toml:"mail"`  // ours
	Reply   []string          `toml:"reply"` // the customer's
	Subject []string          `toml:"subject"`
	Task    []string          `toml:"task"`
	Item    map[string]saying `toml:"item"` // by the deal's field
}

// saying is how people write about one item.
type saying struct {
	Whole []string `toml:"whole"`
	Thin  []string `toml:"thin"`
}

var loadPhrases = sync.OnceValue(func() *phrases {
	p := new(phrases)
	d := toml.NewDecoder(strings.NewReader(phrasesTOML)).DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		panic(fmt.Sprintf("deals: phrases.toml: %v", err))
	}
	return p
})

// account returns the account's language and its number among those of that language, where each run of blockSize
// accounts shares the languages out.
func (p *phrases) account(n int) (*language, int) {
	total := 0
	for _, l := range p.Languages {
		total += l.Share
	}
	block, at := n/total, n%total
	for i := range p.Languages {
		l := &p.Languages[i]
		if at < l.Share {
			return l, block*l.Share + at
		}
		at -= l.Share
	}
	panic("unreachable: at is below the sum of the shares")
}

// company returns the n-th company name of the language, each n another one. The word is its name's first.
func (l *language) company(n uint64) (word, name string) {
	const stride = 1_000_003 // a prime above each count, so that neighbours in n share no word
	size := uint64(len(l.Prefix) * len(l.Stem) * len(l.Trade) * len(l.Legal))
	round, at := n/size, n%size*stride%size
	next := func(from []string) string {
		s := from[at%uint64(len(from))]
		at /= uint64(len(from))
		return s
	}
	word = next(l.Prefix) + next(l.Stem)
	name = word + " " + next(l.Trade)
	if round > 0 {
		name += fmt.Sprintf(" %d", round+1)
	}
	return word, name + " " + next(l.Legal)
}

// fill replaces each {slot} of text.
func fill(text string, slots map[string]string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		if !open {
			return b.String()
		}
		slot, after, _ := strings.Cut(rest, "}")
		b.WriteString(slots[slot])
		text = after
	}
}
