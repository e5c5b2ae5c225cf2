package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// scorecardFile is the TOML form of a scorecard. overlay says how it changes those of its base.
type scorecardFile struct {
	Base       string         `toml:"base" overlay:"-"`    // the built-in scorecard that the file changes; empty: it stands alone
	Without    []string       `toml:"without" overlay:"-"` // ids of items and names of categories of the base that are left out
	Title      string         `toml:"title"`
	Products   []string       `toml:"products" overlay:"add"` // business systems known by name
	Ghost      GhostSpec      `toml:"ghost"`
	Small      SmallSpec      `toml:"small"`
	Categories []CategorySpec `toml:"category" overlay:"-"`
	Ratings    []RatingSpec   `toml:"rating" overlay:"-"`
	Slots      []SlotSpec     `toml:"slot" overlay:"-"`
	Items      []*ItemSpec    `toml:"item" overlay:"-"`
}

// ParseScorecard reads a scorecard file, which may change a built-in one, and the files of languages beside those that are
// built in. name is what errors call the file. The error joins a *FileError for each problem; an example that gets other
// points than it must is one.
func ParseScorecard(name string, data []byte, languages ...File) (*Scorecard, error) {
	sc, err := parse(File{name, data}, languages)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, r := range sc.runExamples() {
		if !r.Passed() {
			errs = append(errs, r.error())
		}
	}
	if errs != nil {
		return nil, joinErrors(errs)
	}
	return sc, nil
}

// RunExamples reads a scorecard as ParseScorecard does, and returns how each of its examples came out.
func RunExamples(name string, data []byte, languages ...File) ([]ExampleResult, error) {
	sc, err := parse(File{name, data}, languages)
	if err != nil {
		return nil, err
	}
	return sc.runExamples(), nil
}

// parse reads and compiles a scorecard without running its examples.
func parse(file File, more []File) (*Scorecard, error) {
	f, src, errs, fatal := readScorecard(file)
	if fatal {
		return nil, joinErrors(errs)
	}
	texts := [][]byte{file.Data}
	if f.Base != "" {
		base, baseErrs, data := f.on(src)
		if errs = append(errs, baseErrs...); base == nil {
			return nil, joinErrors(errs)
		}
		f, texts = base, append(texts, data)
	}
	if f.Base == "" && f.Without != nil {
		errs = append(errs, place{file: src}.key("without").error("there is nothing to leave out", fmt.Sprintf("write base = %q as well, or remove the line", builtinName)))
	}
	langs, langTexts, langErrs := readLanguages(more)
	if errs = append(errs, langErrs...); langs == nil {
		return nil, joinErrors(errs)
	}
	sc := &Scorecard{
		Title: f.Title, Categories: f.Categories, Items: f.Items, Ratings: f.Ratings, Ghost: f.Ghost, Small: f.Small, Slots: f.Slots,
		Products: f.Products,
		version:  versionOf(slices.Concat(langTexts, texts, wordingTexts())...),
	}
	c := &checker{file: place{file: src}, sc: sc, langs: langs, errs: errs, expressions: map[string]*expression{}}
	c.check()
	if c.errs == nil {
		sc.engine = c.compile()
	}
	if c.errs != nil {
		return nil, joinErrors(c.errs)
	}
	return sc, nil
}

// readScorecard decodes a scorecard file as it stands.
func readScorecard(file File) (f *scorecardFile, src *sourceFile, errs []error, fatal bool) {
	f = new(scorecardFile)
	src, errs, fatal = decode(file, f)
	for i := range f.Categories {
		f.Categories[i].at = place{file: src, path: fmt.Sprintf("category[%d]", i)}
	}
	for i := range f.Ratings {
		f.Ratings[i].at = place{file: src, path: fmt.Sprintf("rating[%d]", i)}
	}
	for i := range f.Slots {
		f.Slots[i].at = place{file: src, path: fmt.Sprintf("slot[%d]", i)}
	}
	for i := range f.Items {
		f.Items[i].at = place{file: src, path: fmt.Sprintf("item[%d]", i)}
	}
	return f, src, errs, fatal
}

// on returns the scorecard that f, read from src, makes of its base, and the base's file; nil: there is no such base.
func (f *scorecardFile) on(src *sourceFile) (base *scorecardFile, errs []error, data []byte) {
	top := place{file: src}
	if f.Base != builtinName {
		return nil, []error{top.key("base").value(f.Base).error(fmt.Sprintf("there is no built-in scorecard %q", f.Base), fmt.Sprintf("write base = %q", builtinName))}, nil
	}
	data, err := scorecards.ReadFile(builtinPath)
	if err != nil {
		return nil, []error{err}, nil
	}
	base, _, errs, fatal := readScorecard(File{"built-in " + builtinName + ".toml", data})
	if fatal {
		return nil, errs, nil
	}
	o := overlay{errs: errs}
	o.without(base, f.Without, top.key("without"))
	o.change(reflect.ValueOf(base), reflect.ValueOf(f), top)
	base.Categories = lay(&o, base.Categories, f.Categories, func(c *CategorySpec) (string, *place) { return c.Name, &c.at })
	base.Slots = lay(&o, base.Slots, f.Slots, func(s *SlotSpec) (string, *place) { return s.Name, &s.at })
	base.Items = lay(&o, base.Items, f.Items, func(it **ItemSpec) (string, *place) { return (*it).ID, &(*it).at })
	base.leaveToRules(f)
	slices.SortStableFunc(base.Items, func(a, b *ItemSpec) int { return base.rank(a) - base.rank(b) })
	known := len(base.Ratings)
	base.Ratings = lay(&o, base.Ratings, f.Ratings, func(r *RatingSpec) (string, *place) { return r.Name, &r.at })
	base.orderRatings(known)
	return base, o.errs, data
}

// judging are the keys of an item that say how the rules judge it.
var judging = []string{"kind", "fields", "headings", "about", "cues", "roles", "partial", "complete", "apart", "echo", "none"}

// leaveToRules takes the say of the wording from the items that over judges anew, by a key of theirs or by a slot, unless
// over gives it: who changes a cue wants it to count.
func (f *scorecardFile) leaveToRules(over *scorecardFile) {
	for _, it := range f.Items {
		anew := false
		for _, list := range [][]string{it.About, it.Partial, it.Complete} {
			for _, names := range list {
				anew = anew || slices.ContainsFunc(over.Slots, func(s SlotSpec) bool { return slices.Contains(strings.Split(names, "|"), s.Name) })
			}
		}
		given := false
		if i := slices.IndexFunc(over.Items, func(o *ItemSpec) bool { return o.ID == it.ID }); i >= 0 {
			anew = anew || slices.ContainsFunc(judging, over.Items[i].at.gives)
			given = over.Items[i].at.gives("wording")
		}
		it.Wording = it.Wording && (given || !anew)
	}
}

// rank is the place of an item's category, so that a new item stands with the others of its category.
func (f *scorecardFile) rank(it *ItemSpec) int {
	i := slices.IndexFunc(f.Categories, func(c CategorySpec) bool { return c.Name == it.Category })
	if i < 0 {
		return len(f.Categories)
	}
	return i
}

// orderRatings puts the ratings from the known ones on where they belong among those.
func (f *scorecardFile) orderRatings(known int) {
	for i := known; i < len(f.Ratings); i++ {
		r := f.Ratings[i]
		at := slices.IndexFunc(f.Ratings[:i], func(other RatingSpec) bool { return other.From < r.From })
		if at >= 0 {
			f.Ratings = slices.Insert(slices.Delete(f.Ratings, i, i+1), at, r)
		}
	}
}

// ExampleResult is how an example of a scorecard came out.
type ExampleResult struct {
	Item    *ItemSpec
	Example Example
	Points  int
	Reason  string

	at place
}

// Passed reports whether the example got the points that it must.
func (r *ExampleResult) Passed() bool { return r.Points == r.Example.Points }

// Place is where the example stands, or else its item: "my.toml:12".
func (r *ExampleResult) Place() string { return r.at.line() }

func (r *ExampleResult) error() error {
	return r.at.key("points").error(fmt.Sprintf("the example %q of item %s gets %d points, not %d: %s", shorten(r.Example.Text), r.Item.ID, r.Points, r.Example.Points, r.Reason),
		"correct the example, or the cues and slots that decide it. Examples in a file with a base take the place of the base's")
}
