package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"handoff/crm"
)

// checker finds what is wrong with a decoded scorecard, and compiles it.
type checker struct {
	file     *sourceFile
	sc       *Scorecard
	langs    []*language
	products []string
	errs     []error
}

func (c *checker) fail(path, problem, remedy string) {
	c.errs = append(c.errs, c.file.errorAt(path, problem, remedy))
}

// maxOfEach is how many items, and how many slots, fit in a set of them.
const maxOfEach = 64

func (c *checker) check() {
	sc := c.sc
	if sc.Title == "" {
		c.fail("title", "the scorecard has no title", `add title = "…" at the top`)
	}
	if sc.Ghost.BusinessDays < 1 || sc.Ghost.Signals < 1 {
		c.fail("ghost", "the ghost rule needs business_days and signals of 1 or more", "set both under [ghost]")
	}
	if len(sc.Items) > maxOfEach || len(sc.Slots) > maxOfEach {
		c.fail("", fmt.Sprintf("there are more than %d items or slots", maxOfEach), "remove some")
		return
	}
	c.checkCategories()
	c.checkRatings()
	c.checkSlots()
	c.checkItems()
}

func (c *checker) checkCategories() {
	count := map[string]int{}
	for _, it := range c.sc.Items {
		count[it.Category]++
	}
	if len(c.sc.Categories) == 0 {
		c.fail("", "there is no category", "add a [[category]]")
	}
	for i, cat := range c.sc.Categories {
		path := fmt.Sprintf("category[%d]", i)
		if cat.Name == "" {
			c.fail(path, "the category has no name", `add name = "…"`)
		}
		if n := count[cat.Name]; n != cat.Items || n == 0 {
			c.fail(path+".items", fmt.Sprintf("category %q has %d items, not %d", cat.Name, n, cat.Items), "add or remove items, or correct the number")
		}
		if cat.Max != 2*cat.Items {
			c.fail(path+".max", fmt.Sprintf("%d items make at most %d points, not %d", cat.Items, 2*cat.Items, cat.Max), "an item has up to 2 points: correct max")
		}
	}
}

func (c *checker) checkRatings() {
	above := 101
	for i, r := range c.sc.Ratings {
		path := fmt.Sprintf("rating[%d]", i)
		if r.Name == "" || r.Action == "" {
			c.fail(path, "a rating needs a name and an action", "add what is missing")
		}
		if !slices.Contains([]string{Green, Yellow, Red}, r.Health) {
			c.fail(path+".health", fmt.Sprintf("%q is no health", r.Health), "use Green, Yellow or Red")
		}
		if r.From < 0 || r.From >= above {
			c.fail(path+".from", fmt.Sprintf("%d %% is not below the rating above it", r.From), "list the ratings best first")
		}
		above = r.From
	}
	if above != 0 {
		c.fail(fmt.Sprintf("rating[%d].from", len(c.sc.Ratings)-1), "the lowest rating does not begin at 0", "set its from to 0, so that every total has a rating")
	}
}

func (c *checker) checkSlots() {
	seen := map[string]bool{}
	for i, s := range c.sc.Slots {
		path := fmt.Sprintf("slot[%d]", i)
		if _, builtIn := factSlots[s.Name]; builtIn || seen[s.Name] || s.Name == "" || strings.Contains(s.Name, "|") {
			c.fail(path+".name", fmt.Sprintf("slot name %q is empty, taken or holds a |", s.Name), "choose another name")
		}
		seen[s.Name] = true
		if s.Says == "" {
			c.fail(path, "the slot has no says", `add says = "…", which completes "missing …"`)
		}
		if (len(s.All) > 0) == (len(s.Cues)+len(s.Fields)+len(s.Headings) > 0) {
			c.fail(path, "nothing or too much fills the slot", "give it cues, fields or headings, or all, but not both")
		}
		c.checkSlotNames(path+".all", s.All)
		c.checkFields(path+".fields", s.Fields)
		c.checkCues(path, s.Cues)
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
)

func (c *checker) checkItems() {
	seen := map[string]bool{}
	for i, it := range c.sc.Items {
		path := fmt.Sprintf("item[%d]", i)
		if it.ID == "" || seen[it.ID] {
			c.fail(path+".id", fmt.Sprintf("item id %q is empty or taken", it.ID), "give each item an id of its own")
		}
		seen[it.ID] = true
		if !slices.ContainsFunc(c.sc.Categories, func(cat CategorySpec) bool { return cat.Name == it.Category }) {
			c.fail(path+".category", fmt.Sprintf("there is no category %q", it.Category), "use the name of a [[category]]")
		}
		if it.Title == "" || it.Question == "" || it.Remedy == "" || it.Help == "" {
			c.fail(path, fmt.Sprintf("item %s lacks title, question, remedy or help", it.ID), "add what is missing: people read them")
		}
		c.checkSlotNames(path+".about", it.About)
		c.checkSlotNames(path+".partial", it.Partial)
		c.checkSlotNames(path+".complete", it.Complete)
		c.checkFields(path+".fields", it.Fields)
		c.checkCues(path, it.Cues)
		c.checkKind(path, it)
	}
}

func (c *checker) checkKind(path string, it *ItemSpec) {
	switch it.Kind {
	case kindText:
		if len(it.Partial) == 0 || len(it.Complete) == 0 {
			c.fail(path, fmt.Sprintf("item %s does not say what fills it", it.ID), "list slots under partial and complete")
		}
	case kindPerson:
		if len(it.Complete) != 1 || c.cuedSlot(it.Complete[0]) < 0 {
			c.fail(path+".complete", "a person item needs one slot with cues: what such a person does", `write complete = ["…"]`)
		}
	case kindClosing:
		for _, name := range []string{"closed", "negotiated"} {
			if c.cuedSlot(name) < 0 {
				c.fail(path+".kind", fmt.Sprintf("a closing item needs the slot %q", name), "add a [[slot]] of that name")
			}
		}
	case kindObjector, kindContacts, kindStage:
	default:
		c.fail(path+".kind", fmt.Sprintf("there is no kind %q", it.Kind), "use text, person, objector, contacts, closing or stage")
	}
}

// cuedSlot returns the index of the scorecard's own slot of that name; -1: there is none with cues.
func (c *checker) cuedSlot(name string) int {
	return slices.IndexFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name && len(s.All) == 0 })
}

func (c *checker) checkSlotNames(path string, list []string) {
	for _, names := range list {
		for name := range strings.SplitSeq(names, "|") {
			own := slices.ContainsFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name })
			if _, builtIn := factSlots[name]; !own && !builtIn {
				c.fail(path, fmt.Sprintf("there is no slot %q", name), "use the name of a [[slot]] or of a built-in slot")
			}
		}
	}
	if strings.HasSuffix(path, ".all") {
		for _, name := range list {
			if i := slices.IndexFunc(c.sc.Slots, func(s SlotSpec) bool { return s.Name == name }); i >= 0 && len(c.sc.Slots[i].All) > 0 {
				c.fail(path, fmt.Sprintf("slot %q is itself made of others", name), "list slots that cues or code fill")
			}
		}
	}
}

func (c *checker) checkFields(path string, fields []string) {
	for _, f := range fields {
		if !slices.Contains(crm.FieldNames, f) {
			c.fail(path, fmt.Sprintf("there is no deal field %q", f), "use a neutral field name (docs/cases.md lists them)")
		}
	}
}

func (c *checker) checkCues(path string, cues map[string][]string) {
	for code := range cues {
		if !slices.ContainsFunc(c.langs, func(l *language) bool { return l.Code == code }) {
			c.fail(path+".cues."+code, fmt.Sprintf("there is no language %q", code), "use the code of a file in rules/languages")
		}
	}
}

// compile makes the engine of a scorecard that has been checked.
func (c *checker) compile() *Engine {
	sc := c.sc
	e := &Engine{
		card: sc, langs: c.langs, vocabulary: newVocabulary(c.langs), lex: newLexicon(), slots: map[string]slot{},
		fieldItems: map[string]items{}, fieldSlots: map[string]slots{}, cuedItems: make([]items, len(sc.Slots)), factAbout: make([][]slot, len(sc.Items)),
	}
	add := func(path string, cues []string, cl class, lang int8) {
		for _, cue := range cues {
			if err := e.lex.add(cue, cl, lang); err != nil {
				c.fail(path, err.Error(), "write words of letters and digits; a * stands at the end of a word or alone")
			}
		}
	}
	for i, l := range c.langs {
		own, everywhere := l.cues()
		for cl, cues := range own {
			add("", cues, cl, int8(i))
		}
		for cl, cues := range everywhere {
			add("", cues, cl, everyLanguage)
		}
	}
	addAll := func(path string, cues map[string][]string, cl class) {
		for code, list := range cues {
			lang := slices.IndexFunc(c.langs, func(l *language) bool { return l.Code == code })
			add(path+".cues."+code, list, cl, int8(lang))
		}
	}
	add("products", c.products, product, everyLanguage)
	for name, s := range factSlots {
		e.slots[name] = s
	}
	for i, s := range sc.Slots {
		path := fmt.Sprintf("slot[%d]", i)
		e.slots[s.Name] = slot{says: s.Says, cue: i, all: s.All}
		addAll(path, s.Cues, e.slotCue(i))
		add(path+".headings", s.Headings, e.slotHeading(i), everyLanguage)
		for _, f := range s.Fields {
			e.fieldSlots[f] |= 1 << i
		}
	}
	for i, it := range sc.Items {
		path := fmt.Sprintf("item[%d]", i)
		addAll(path, it.Cues, e.itemCue(i))
		add(path+".headings", it.Headings, e.itemHeading(i), everyLanguage)
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
	return e
}

// runExamples scores the examples of each item; one that gets other points than it must is a problem.
func (c *checker) runExamples() {
	at := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	closed := crm.NewDate(2026, 9, 30)
	for i, it := range c.sc.Items {
		for j, ex := range it.Examples {
			s := &crm.Snapshot{Deal: crm.Deal{Won: true, CloseDate: &closed}}
			if ex.Field != "" {
				s.Deal.Fields = map[string]string{ex.Field: ex.Text}
			} else {
				s.Notes = []crm.Note{{At: &at, Body: ex.Text}}
			}
			if got := c.sc.engine.Score(s, at).Items[i]; got.Score != ex.Points {
				c.fail(fmt.Sprintf("item[%d].example[%d].points", i, j),
					fmt.Sprintf("the example of item %s gets %d points, not %d: %s", it.ID, got.Score, ex.Points, got.Reason),
					"correct the example, or the cues and slots that decide it")
			}
		}
	}
}
