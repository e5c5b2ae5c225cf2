package rules

import (
	"embed"
	"io/fs"
	"slices"
	"time"

	"handoff/crm"
)

//go:embed languages/*.toml
var languageFiles embed.FS

// language is the vocabulary that reading records of one language needs, whatever the scorecard. languages/en.toml
// says what each list is for.
type language struct {
	Code          string     `toml:"code"`
	LinguaFranca  bool       `toml:"lingua_franca"`
	CapitalNouns  bool       `toml:"capital_nouns"`
	Stopwords     []string   `toml:"stopwords"`
	None          []string   `toml:"none"`
	Placeholder   []string   `toml:"placeholder"`
	Negation      []string   `toml:"negation"`
	Unknown       []string   `toml:"unknown"`
	Hedge         []string   `toml:"hedge"`
	Vague         []string   `toml:"vague"`
	Claims        []string   `toml:"claims"`
	Elsewhere     []string   `toml:"elsewhere"`
	Automatic     []string   `toml:"automatic"`
	Boilerplate   []string   `toml:"boilerplate"`
	Closing       []string   `toml:"closing"`
	Months        [][]string `toml:"months"`
	Weekdays      []string   `toml:"weekdays"`
	Seasons       []string   `toml:"seasons"`
	Units         []string   `toml:"units"`
	Numbers       []string   `toml:"numbers"`
	Titles        []string   `toml:"titles"`
	Groups        []string   `toml:"groups"`
	Honorifics    []string   `toml:"honorifics"`
	Pronouns      []string   `toml:"pronouns"`
	FirstPerson   []string   `toml:"first_person"`
	Robots        []string   `toml:"robots"`
	Recorders     []string   `toml:"recorders"`
	Abbreviations []string   `toml:"abbreviations"`
	Currencies    []string   `toml:"currencies"`

	// Cues that this language adds to the scorecard's slots, by name, and to its items, by id.
	Slots map[string][]string `toml:"slots"`
	Items map[string][]string `toml:"items"`

	at place
}

// The classes of a language's cues. Classes of items and slots follow them.
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

// classes is a set of the classes of languages' cues.
type classes uint32

func (s classes) has(c class) bool { return s&(1<<c) != 0 }

// maxLanguages is how many languages fit in a set of them.
const maxLanguages = 15

// languageSet is a set of languages by index. Its top bit stands for cues that belong to none.
type languageSet uint16

const (
	everyLanguage  int8        = maxLanguages // of a cue: it belongs to no language
	everyLanguages languageSet = 1<<(maxLanguages+1) - 1
)

// cueList is one of a language's lists: its key in the file, and its cues.
type cueList struct {
	key  string
	cues []string
}

// cues returns the lists that are looked for in text. Those of the second map count in text of every language: they are
// hardly ever words of another one, and are often seen in its midst.
func (l *language) cues() (own, everywhere map[class]cueList) {
	own = map[class]cueList{
		none: {"none", l.None}, negation: {"negation", l.Negation}, hedge: {"hedge", l.Hedge}, vague: {"vague", l.Vague},
		claim: {"claims", l.Claims}, month: {"months", slices.Concat(l.Months...)}, weekday: {"weekdays", l.Weekdays},
		season: {"seasons", l.Seasons}, unit: {"units", l.Units}, number: {"numbers", l.Numbers},
	}
	everywhere = map[class]cueList{
		placeholder: {"placeholder", l.Placeholder}, unknown: {"unknown", l.Unknown}, elsewhere: {"elsewhere", l.Elsewhere},
		automatic: {"automatic", l.Automatic}, boilerplate: {"boilerplate", l.Boilerplate}, closing: {"closing", l.Closing},
		title: {"titles", l.Titles}, group: {"groups", l.Groups}, stopword: {"stopwords", l.Stopwords},
	}
	return own, everywhere
}

// vocabulary holds the single words of all languages.
type vocabulary struct {
	stopwords    map[string]languageSet
	months       map[string]int
	honorifics   words
	pronouns     words // that begin a sentence about whoever was named last
	firstPerson  words
	robots       words // in the names and addresses of software that writes records
	recorders    words // in the names of software that writes down what people say
	currencies   words
	abbreviation words // lower-case, not folded: a full stop after one ends no sentence
}

type words map[string]bool

func (w words) add(list []string) {
	for _, s := range list {
		w[s] = true
	}
}

func newVocabulary(langs []*language) *vocabulary {
	v := &vocabulary{stopwords: map[string]languageSet{}, months: map[string]int{}, honorifics: words{}, pronouns: words{}, firstPerson: words{}, robots: words{}, recorders: words{},
		currencies: words{}, abbreviation: words{}}
	for i, l := range langs {
		for _, w := range l.Stopwords {
			v.stopwords[w] |= 1 << i
		}
		v.honorifics.add(l.Honorifics)
		v.pronouns.add(l.Pronouns)
		v.firstPerson.add(l.FirstPerson)
		v.robots.add(l.Robots)
		v.recorders.add(l.Recorders)
		v.currencies.add(l.Currencies)
		v.abbreviation.add(l.Abbreviations)
		for i, names := range l.Months {
			for _, name := range names {
				v.months[name] = i + 1
			}
		}
	}
	return v
}

// readLanguages returns the built-in languages in order of their file names, then those of more, and the texts of the files.
// One of more takes the place of the built-in one with the same code. Nil languages: an error forbids to go on.
func readLanguages(more []File) (langs []*language, texts [][]byte, errs []error) {
	names, err := fs.Glob(languageFiles, "languages/*.toml")
	if err != nil {
		return nil, nil, []error{err}
	}
	files := make([]File, 0, len(names)+len(more))
	for _, name := range names {
		data, err := languageFiles.ReadFile(name)
		if err != nil {
			return nil, nil, []error{err}
		}
		files = append(files, File{name, data})
	}
	for _, f := range append(files, more...) {
		l := new(language)
		src, wrong, fatal := decode(f, l)
		errs = append(errs, wrong...)
		if fatal {
			return nil, nil, errs
		}
		l.at = place{file: src}
		texts = append(texts, f.Data)
		if i := slices.IndexFunc(langs, func(other *language) bool { return other.Code == l.Code }); i >= 0 {
			langs[i] = l
		} else {
			langs = append(langs, l)
		}
	}
	return langs, texts, errs
}

func codes(langs []*language) []string {
	list := make([]string, len(langs))
	for i, l := range langs {
		list[i] = l.Code
	}
	return list
}

// languagesOf returns the languages whose cues count in a text: the one that its common words give away, with those
// close to it and the one that is mixed into all; or, where the text is too short to tell, those of the text around it.
func (e *Engine) languagesOf(f *folded, around languageSet) languageSet {
	count := e.vocabulary.countStopwords(f)
	best := slices.Max(count[:])
	if best < 3 {
		return around
	}
	set := languageSet(1 << maxLanguages)
	for l, lang := range e.langs {
		if lang.LinguaFranca || 2*count[l] >= best {
			set |= 1 << l
		}
	}
	return set
}

// countStopwords counts the common words of each language in a text.
func (v *vocabulary) countStopwords(f *folded) (count [maxLanguages]int) {
	for i := range f.words {
		for in, l := v.stopwords[f.word(i)], 0; in != 0; in, l = in>>1, l+1 {
			count[l] += int(in & 1)
		}
	}
	return count
}

// Language returns the code of the language, such as "en", that most passages of s are in, of what was recorded up to the
// given moment; empty: the record is too short to tell.
func (e *Engine) Language(s *crm.Snapshot, asOf time.Time) string { return e.read(s, asOf).language() }

// language returns the code of the language that most passages are in; empty: too short to tell.
func (r *record) language() string {
	var passages [maxLanguages]int
	for i := range r.passages {
		count := r.e.vocabulary.countStopwords(&r.passages[i].folded)
		most := slices.Max(count[:])
		l := slices.Index(count[:], most)
		if most > 0 && !slices.Contains(count[l+1:], most) {
			passages[l]++
		}
	}
	most := slices.Max(passages[:])
	if most == 0 {
		return ""
	}
	return r.e.langs[slices.Index(passages[:], most)].Code
}

// capitalNouns reports whether set holds a language that writes nouns with a capital. A text too short to tell is taken
// for one of the others: it rarely is more than names.
func (e *Engine) capitalNouns(set languageSet) bool {
	if set == everyLanguages {
		return false
	}
	for l, lang := range e.langs {
		if lang.CapitalNouns && set&(1<<l) != 0 {
			return true
		}
	}
	return false
}
