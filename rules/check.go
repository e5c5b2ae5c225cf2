package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"handoff/crm"
)

// checker finds what is wrong with a decoded scorecard, and compiles it.
type checker struct {
	file  place // the file as a whole
	sc    *Scorecard
	langs []*language
	errs  []error

	expressions map[string]*expression // by slot
}

func (c *checker) fail(at place, problem, remedy string) {
	c.errs = append(c.errs, at.error(problem, remedy))
}

// maxOfEach is how many items, and how many slots, fit in a set of them.
const maxOfEach = 64

func (c *checker) check() {
	sc := c.sc
	if sc.Title == "" {
		c.fail(c.file.key("title"), "the scorecard has no title", `add title = "…" at the top`)
	}
	if sc.Ghost.BusinessDays < 1 || sc.Ghost.Signals <= 0 {
		c.fail(c.file.key("ghost"), "the ghost rule needs business_days of 1 or more and signals above 0", "set both under [ghost]")
	}
	if len(sc.Items) > maxOfEach || len(sc.Slots) > maxOfEach {
		c.fail(c.file, fmt.Sprintf("there are more than %d items or slots", maxOfEach), "remove some")
		return
	}
	c.checkCategories()
	c.checkRatings()
	c.checkSlots()
	c.checkItems()
	c.checkLanguages()
}

func (c *checker) checkLanguages() {
	if len(c.langs) > maxLanguages {
		c.fail(c.langs[maxLanguages].at, fmt.Sprintf("there are more than %d languages", maxLanguages), "remove some")
	}
	for _, l := range c.langs {
		if l.Code == "" {
			c.fail(l.at, "the language has no code", `add code = "fr" or whatever its code is at the top`)
		}
		if len(l.Stopwords) == 0 {
			c.fail(l.at.key("stopwords"), fmt.Sprintf("language %q has no stopwords, by which its texts are known", l.Code), "list its twenty or so commonest words")
		}
		if n := len(l.Months); n != 0 && n != 12 {
			c.fail(l.at.key("months"), fmt.Sprintf("a year has 12 months, not %d", n), "list the names of each month in a list of its own")
		}
		for name := range l.Slots {
			if c.cuedSlot(name) < 0 {
				c.fail(l.at.key("slots."+name), fmt.Sprintf("no slot %q takes cues", name), Suggest(name, c.cuedSlots()))
			}
		}
		for id := range l.Items {
			if c.sc.Item(id) == nil {
				c.fail(l.at.key("items."+id), fmt.Sprintf("there is no item %q", id), "use the id of an [[item]] of the scorecard")
			}
		}
	}
}

func (c *checker) cuedSlots() []string {
	var names []string
	for _, s := range c.sc.Slots {
		if len(s.All) == 0 && s.When == "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// Categories and items have fields of their own in CRMs, where names are short and plain.
var (
	categoryName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*$`)
	itemID       = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$`)
)

func (c *checker) checkCategories() {
	if len(c.sc.Categories) == 0 {
		c.fail(c.file, "there is no category", fmt.Sprintf("begin with base = %q at the top, or add a [[category]]", builtinName))
	}
	seen := map[string]bool{}
	for i := range c.sc.Categories {
		cat := &c.sc.Categories[i]
		for _, it := range c.sc.Items {
			if it.Category == cat.Name {
				cat.Items, cat.Max = cat.Items+1, cat.Max+2
			}
		}
		switch {
		case cat.Name == "" || seen[strings.ToLower(cat.Name)]:
			c.fail(cat.at.key("name"), fmt.Sprintf("category name %q is empty or taken", cat.Name), "give each category a name of its own")
		case !categoryName.MatchString(cat.Name) || len(cat.Name) > 30:
			c.fail(cat.at.key("name"), fmt.Sprintf("category name %q cannot name a field in a CRM", cat.Name), "use up to 30 letters a to z, digits and spaces, a letter first")
		case cat.Items == 0:
			c.fail(cat.at.key("name"), fmt.Sprintf("category %q has no item", cat.Name), "add an [[item]] of the category, or remove it")
		}
		seen[strings.ToLower(cat.Name)] = true
	}
	for _, name := range c.sc.Small.Categories {
		if !hasCategory(c.sc.Categories, name) {
			c.fail(c.file.key("small.categories").value(name), fmt.Sprintf("there is no category %q", name), Suggest(name, c.categories()))
		}
	}
}

func (c *checker) categories() []string {
	names := make([]string, len(c.sc.Categories))
	for i, cat := range c.sc.Categories {
		names[i] = cat.Name
	}
	return names
}

func (c *checker) checkRatings() {
	above := 101
	for _, r := range c.sc.Ratings {
		if r.Name == "" || r.Action == "" {
			c.fail(r.at, "a rating needs a name and an action", "add what is missing")
		}
		if healths := []string{Green, Yellow, Red}; !slices.Contains(healths, r.Health) {
			c.fail(r.at.key("health").value(r.Health), fmt.Sprintf("%q is no health", r.Health), "use Green, Yellow or Red")
		}
		if r.From < 0 || r.From >= above {
			c.fail(r.at.key("from"), fmt.Sprintf("%d %% is not below the rating above it", r.From), "list the ratings best first")
		}
		above = r.From
	}
	switch n := len(c.sc.Ratings); {
	case n == 0:
		c.fail(c.file, "there is no rating", "add a [[rating]]")
	case above != 0:
		c.fail(c.sc.Ratings[n-1].at.key("from"), "the lowest rating does not begin at 0", "set its from to 0, so that every total has a rating")
	case c.sc.Ratings[n-1].Name != Incomplete:
		c.fail(c.sc.Ratings[n-1].at.key("name"), fmt.Sprintf("the lowest rating is called %q", c.sc.Ratings[n-1].Name), fmt.Sprintf("call it %q: managers are told of the deals with that rating", Incomplete))
	}
}

func (c *checker) checkSlots() {
	seen := map[string]bool{}
	for _, s := range c.sc.Slots {
		if _, builtIn := factSlots[s.Name]; builtIn || seen[s.Name] || s.Name == "" || strings.Contains(s.Name, "|") {
			c.fail(s.at.key("name"), fmt.Sprintf("slot name %q is empty, taken or holds a |", s.Name), "choose another name")
		}
		seen[s.Name] = true
		if s.Says == "" {
			c.fail(s.at, "the slot has no says", `add says = "…", which completes "missing …"`)
		}
		ways := 0
		for _, given := range []bool{len(s.All) > 0, len(s.Cues)+len(s.Fields)+len(s.Headings) > 0 || c.inLanguages(s.Name), s.When != ""} {
			if given {
				ways++
			}
		}
		if ways != 1 {
			c.fail(s.at, "nothing or too much fills the slot", "give it one of these: cues, fields or headings; all; when")
		}
		if s.When != "" {
			c.checkExpression(s)
		}
		c.checkSlotNames(s.at.key("all"), s.All)
		for _, name := range s.All {
			i := slices.IndexFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name })
			if i >= 0 && (len(c.sc.Slots[i].All) > 0 || c.sc.Slots[i].When != "") {
				c.fail(s.at.key("all").value(name), fmt.Sprintf("slot %q is itself made of others, or a condition", name), "list slots that cues or code fill")
			}
		}
		c.checkFields(s.at, s.Fields)
		c.checkCues(s.at, s.Cues)
	}
}

// The kinds of items: how they are judged.
const (
	kindText     = "text"     // by the slots that passages about it fill
	kindPerson   = "person"   // by who holds a role
	kindObjector = "objector" // by who objected
	kindContacts = "contacts" // by the contact records of the people of the person items
	kindClosing  = "closing"  // by the notes after the close
	kindStage    = "stage"    // by the deal's own fields
	kindRule     = "rule"     // by conditions over the record as a whole
)

func (c *checker) checkItems() {
	seen := map[string]bool{}
	for _, it := range c.sc.Items {
		if it.ID == "" || seen[it.ID] {
			c.fail(it.at.key("id"), fmt.Sprintf("item id %q is empty or taken", it.ID), "give each item an id of its own")
		} else if !itemID.MatchString(it.ID) || len(it.ID) > 20 {
			c.fail(it.at.key("id"), fmt.Sprintf("item id %q cannot name a field in a CRM", it.ID), `use up to 20 letters a to z and digits, with points between: "4.5"`)
		}
		seen[it.ID] = true
		if !hasCategory(c.sc.Categories, it.Category) {
			c.fail(it.at.key("category").value(it.Category), fmt.Sprintf("there is no category %q", it.Category), "use the name of a [[category]]. "+Suggest(it.Category, c.categories()))
		}
		var lacks []string
		for _, text := range []struct{ key, value string }{{"title", it.Title}, {"question", it.Question}, {"remedy", it.Remedy}, {"help", it.Help}} {
			if text.value == "" {
				lacks = append(lacks, text.key)
			}
		}
		if lacks != nil {
			c.fail(it.at, fmt.Sprintf("item %s lacks %s", it.ID, join(lacks)), "add what is missing: people read them")
		}
		c.checkSlotNames(it.at.key("about"), it.About)
		c.checkSlotNames(it.at.key("partial"), it.Partial)
		c.checkSlotNames(it.at.key("complete"), it.Complete)
		c.checkConditions(it, "about", it.About)
		c.checkConditions(it, "partial", it.Partial)
		c.checkConditions(it, "complete", it.Complete)
		c.checkFields(it.at, it.Fields)
		c.checkCues(it.at, it.Cues)
		c.checkKind(it)
		c.checkExamples(it)
	}
}

func (c *checker) checkKind(it *ItemSpec) {
	switch it.Kind {
	case kindText:
		if len(it.Partial) == 0 || len(it.Complete) == 0 {
			c.fail(it.at, fmt.Sprintf("item %s does not say what fills it", it.ID), "list slots under partial and complete")
		}
	case kindPerson:
		if len(it.Complete) != 1 || c.cuedSlot(it.Complete[0]) < 0 {
			c.fail(it.at.key("complete"), "a person item needs one slot with cues: what such a person does", `write complete = ["…"]`)
		}
	case kindClosing:
		for _, name := range []string{"closed", "negotiated"} {
			if c.cuedSlot(name) < 0 {
				c.fail(it.at.key("kind"), fmt.Sprintf("a closing item needs the slot %q", name), "add a [[slot]] of that name")
			}
		}
	case kindRule:
		if len(it.Complete) == 0 {
			c.fail(it.at, fmt.Sprintf("item %s does not say what fills it", it.ID), "list slots with when under complete")
		}
	case kindObjector, kindContacts, kindStage:
	default:
		kinds := []string{kindText, kindPerson, kindObjector, kindContacts, kindClosing, kindStage, kindRule}
		c.fail(it.at.key("kind").value(it.Kind), fmt.Sprintf("there is no kind %q", it.Kind), Suggest(it.Kind, kinds))
	}
}

// checkConditions checks that slots with when, and no others, are what an item of kind rule is judged by.
func (c *checker) checkConditions(it *ItemSpec, key string, slots []string) {
	for _, either := range slots {
		for name := range strings.SplitSeq(either, "|") {
			i := slices.IndexFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name })
			condition := i >= 0 && c.sc.Slots[i].When != ""
			switch at := it.at.key(key).value(either); {
			case it.Kind == kindRule && !condition:
				c.fail(at, fmt.Sprintf("slot %q is no condition", name), "an item of kind rule lists slots with when")
			case it.Kind != kindRule && condition:
				c.fail(at, fmt.Sprintf("slot %q is a condition over the record", name), `such slots are for items of kind = "rule"`)
			}
		}
	}
}

// checkExpression compiles the condition of a slot.
func (c *checker) checkExpression(s SlotSpec) {
	compiled, wrong := compileExpression(s.When)
	if wrong != nil {
		c.fail(s.at.key("when").within(s.When, wrong.at), wrong.problem, wrong.remedy)
		return
	}
	c.expressions[s.Name] = compiled
}

// inLanguages reports whether a language has cues for a slot.
func (c *checker) inLanguages(slot string) bool {
	return slices.ContainsFunc(c.langs, func(l *language) bool { return len(l.Slots[slot]) > 0 })
}

func (c *checker) checkExamples(it *ItemSpec) {
	for i, ex := range it.Examples {
		at := it.at.key(fmt.Sprintf("example[%d]", i))
		if ex.Points < 0 || ex.Points > 2 {
			c.fail(at.key("points"), fmt.Sprintf("an item has no %d points", ex.Points), "use 0, 1 or 2")
		}
		if ex.Field != "" && !slices.Contains(crm.FieldNames, ex.Field) {
			c.fail(at.key("field").value(ex.Field), fmt.Sprintf("there is no deal field %q", ex.Field), Suggest(ex.Field, crm.FieldNames))
		}
	}
}

// cuedSlot returns the index of the scorecard's own slot of that name; -1: there is none with cues.
func (c *checker) cuedSlot(name string) int {
	return slices.IndexFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name && len(s.All) == 0 && s.When == "" })
}

func (c *checker) checkSlotNames(at place, list []string) {
	for _, names := range list {
		for name := range strings.SplitSeq(names, "|") {
			own := slices.ContainsFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name })
			if _, builtIn := factSlots[name]; !own && !builtIn {
				c.fail(at.value(names), fmt.Sprintf("there is no slot %q", name), "use the name of a [[slot]] or of a built-in slot. "+Suggest(name, c.slotNames()))
			}
		}
	}
}

func (c *checker) slotNames() []string {
	names := slices.Collect(maps.Keys(factSlots))
	for _, s := range c.sc.Slots {
		names = append(names, s.Name)
	}
	return names
}

func (c *checker) checkFields(block place, fields []string) {
	for _, f := range fields {
		if !slices.Contains(crm.FieldNames, f) {
			c.fail(block.key("fields").value(f), fmt.Sprintf("there is no deal field %q", f), "use a neutral field name (docs/cases.md). "+Suggest(f, crm.FieldNames))
		}
	}
}

func (c *checker) checkCues(block place, cues map[string][]string) {
	for code := range cues {
		if !slices.ContainsFunc(c.langs, func(l *language) bool { return l.Code == code }) {
			c.fail(block.key("cues."+code), fmt.Sprintf("there is no language %q", code), "add its file to the folder languages beside the scorecard. "+Suggest(code, codes(c.langs)))
		}
	}
}

// compile makes the engine of a scorecard that has been checked.
func (c *checker) compile() *Engine {
	sc := c.sc
	e := &Engine{
		card: sc, langs: c.langs, otherLanguages: slices.ContainsFunc(c.langs, func(l *language) bool { return !slices.Contains(wordingLanguages, l.Code) }),
		vocabulary: newVocabulary(c.langs), lex: newLexicon(), slots: map[string]slot{},
		fieldItems: map[string]items{}, fieldSlots: map[string]slots{}, cuedItems: make([]items, len(sc.Slots)), factAbout: make([][]slot, len(sc.Items)),
	}
	add := func(list place, cues []string, cl class, lang int8) {
		for _, cue := range cues {
			if err := e.lex.add(cue, cl, lang); err != nil {
				c.fail(list.value(cue), err.Error(), "write words of letters and digits; a * stands at the end of a word or alone")
			}
		}
	}
	for i, l := range c.langs {
		own, everywhere := l.cues()
		for cl, list := range own {
			add(l.at.key(list.key), list.cues, cl, int8(i))
		}
		for cl, list := range everywhere {
			add(l.at.key(list.key), list.cues, cl, everyLanguage)
		}
	}
	addAll := func(block place, cues map[string][]string, cl class) {
		for code, list := range cues {
			lang := slices.IndexFunc(c.langs, func(l *language) bool { return l.Code == code })
			add(block.key("cues."+code), list, cl, int8(lang))
		}
	}
	for i, l := range c.langs {
		for name, cues := range l.Slots {
			add(l.at.key("slots."+name), cues, e.slotCue(c.cuedSlot(name)), int8(i))
		}
		for id, cues := range l.Items {
			at := slices.IndexFunc(sc.Items, func(it *ItemSpec) bool { return it.ID == id })
			add(l.at.key("items."+id), cues, e.itemCue(at), int8(i))
		}
	}
	add(c.file.key("products"), sc.Products, product, everyLanguage)
	for name, s := range factSlots {
		e.slots[name] = s
	}
	for i, s := range sc.Slots {
		e.slots[s.Name] = slot{says: s.Says, cue: i, all: s.All, when: c.expressions[s.Name]}
		addAll(s.at, s.Cues, e.slotCue(i))
		add(s.at.key("headings"), s.Headings, e.slotHeading(i), everyLanguage)
		for _, f := range s.Fields {
			e.fieldSlots[f] |= 1 << i
		}
	}
	for i, it := range sc.Items {
		addAll(it.at, it.Cues, e.itemCue(i))
		add(it.at.key("headings"), it.Headings, e.itemHeading(i), everyLanguage)
		for _, f := range it.Fields {
			e.fieldItems[f] |= 1 << i
		}
		for _, name := range it.About {
			if s := e.slots[name]; s.fill != nil {
				e.factAbout[i] = append(e.factAbout[i], s)
			} else {
				e.cuedItems[s.cue] |= 1 << i
			}
		}
		if it.Kind == kindPerson || it.Kind == kindObjector {
			e.people |= 1 << i
		}
	}
	w, err := builtinWording()
	if err != nil {
		c.errs = append(c.errs, err)
		return nil
	}
	for _, it := range sc.Items {
		if it.Wording && !slices.ContainsFunc(w.items, func(o wordedItem) bool { return o.id == it.ID }) {
			c.fail(it.at.key("wording"), "there is no wording for item "+it.ID, "remove the line: the item is judged by its slots")
		}
	}
	if own, ok := w.on(sc); ok {
		e.wording = own
	}
	e.signs = e.newSigns()
	return e
}

// runExamples scores the examples of each item.
func (s *Scorecard) runExamples() []ExampleResult {
	byRules := *s.engine // an example tests what the file holds, which the wording is no part of
	byRules.wording = nil
	at := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	closed := crm.NewDate(2026, 9, 30)
	var results []ExampleResult
	for i, it := range s.Items {
		for j, ex := range it.Examples {
			deal := &crm.Snapshot{Deal: crm.Deal{Won: true, CloseDate: &closed}}
			if ex.Field != "" {
				deal.Deal.Fields = map[string]string{ex.Field: ex.Text}
			} else {
				deal.Notes = []crm.Note{{At: &at, Body: ex.Text}}
			}
			got := byRules.Score(deal, at).Items[i]
			results = append(results, ExampleResult{Item: it, Example: ex, Points: got.Score, Reason: got.Reason, at: it.at.key(fmt.Sprintf("example[%d]", j))})
		}
	}
	return results
}
