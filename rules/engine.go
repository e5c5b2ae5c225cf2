package rules

import (
	"fmt"
	"strings"
	"time"

	"handoff/crm"
)

// Engine applies a scorecard. It is safe for concurrent use.
type Engine struct {
	card      *Scorecard
	lex       *lexicon
	langs     []string // codes; the index is the language's bit
	stopwords []map[string]bool
	byName    map[string]slot // of the slots that cues fill, and of factSlots
	fields    map[string]items
	slotIn    map[string]slots // slots by the deal field that fills them
	about     []items          // by slot: the items that its cues make a passage be about
	told      [][]slot         // by item: the slots filled by code that make a passage be about it
}

// slots is a set of the slots that cues fill, by index.
type slots uint64

// classes of the scorecard: an item's cues, an item's headings, a slot's cues, a slot's headings.
func (e *Engine) itemCue(i int) class     { return firstFree + class(i) }
func (e *Engine) itemHeading(i int) class { return e.itemCue(len(e.card.Items)) + class(i) }
func (e *Engine) slotCue(i int) class     { return e.itemHeading(len(e.card.Items)) + class(i) }
func (e *Engine) slotHeading(i int) class { return e.slotCue(len(e.card.slots)) + class(i) }

// NewEngine returns an engine for sc.
func NewEngine(sc *Scorecard) *Engine {
	e, err := compile(sc)
	if err != nil {
		panic("rules: NewEngine: " + err.Error()) // ParseScorecard compiles what it returns
	}
	return e
}

func compile(sc *Scorecard) (*Engine, error) {
	langs, err := readLanguages()
	if err != nil {
		return nil, err
	}
	e := &Engine{card: sc, lex: newLexicon(), byName: map[string]slot{}, fields: map[string]items{}, slotIn: map[string]slots{},
		about: make([]items, len(sc.slots)), told: make([][]slot, len(sc.Items))}
	const everyLanguage = maxLanguages
	add := func(cues []string, c class, lang int8) {
		for _, cue := range cues {
			if aerr := e.lex.add(cue, c, lang); aerr != nil && err == nil {
				err = aerr
			}
		}
	}
	index := map[string]int8{}
	for i, l := range langs {
		e.langs = append(e.langs, l.Code)
		index[l.Code] = int8(i)
		for c, cues := range l.lists() {
			switch c {
			case negation, none, hedge, vague, claim, unit, number, weekday, season, month:
				add(cues, c, int8(i))
			default: // rarely a word of another language too, and often seen in its midst
				add(cues, c, everyLanguage)
			}
		}
		e.stopwords = append(e.stopwords, map[string]bool{})
		for _, w := range l.Stopwords {
			e.stopwords[i][w] = true
		}
		add(l.Stopwords, stopword, everyLanguage)
	}
	addAll := func(cues map[string][]string, c class) {
		for code, list := range cues {
			lang, ok := index[code]
			if !ok && err == nil {
				err = fmt.Errorf("there is no language %q", code)
			}
			add(list, c, lang)
		}
	}
	add(sc.products, product, everyLanguage)
	for name, s := range factSlots {
		e.byName[name] = s
	}
	for i, s := range sc.slots {
		e.byName[s.Name] = slot{says: s.Says, cue: i, cued: true, all: s.All}
		addAll(s.Cues, e.slotCue(i))
		add(s.Headings, e.slotHeading(i), everyLanguage)
		for _, f := range s.Fields {
			e.slotIn[f] |= 1 << i
		}
	}
	for i, it := range sc.Items {
		addAll(it.Cues, e.itemCue(i))
		add(it.Headings, e.itemHeading(i), everyLanguage)
		for _, f := range it.Fields {
			e.fields[f] |= 1 << i
		}
		for _, name := range it.About {
			if s := e.byName[name]; s.cued {
				e.about[s.cue] |= 1 << i
			} else {
				e.told[i] = append(e.told[i], s)
			}
		}
	}
	return e, err
}

// Scorecard returns the scorecard that the engine applies.
func (e *Engine) Scorecard() *Scorecard { return e.card }

// Score fills in the scorecard for s as of the given moment. Any snapshot gets a card; the order of notes, contacts and
// activities does not matter.
func (e *Engine) Score(s *crm.Snapshot, asOf time.Time) *Card {
	r := e.read(s, asOf)
	c := &Card{ID: s.ID, Ghost: GhostNo, GhostReasons: []string{}, Items: make([]Item, len(e.card.Items))}
	holders := make([][]*candidate, len(e.card.Items))
	for i, spec := range e.card.Items {
		var g grade
		switch spec.Kind {
		case "person":
			g, holders[i] = r.person(i)
		case "objector":
			g = r.objector(i)
		case "contacts":
			g = r.contacts(holders)
		case "closing":
			g = r.closing(i)
		case "stage":
			g = r.stage()
		default:
			g = r.text(i)
		}
		c.Items[i] = r.item(spec, g)
		if g.points > 0 && !g.bare && !g.tag && spec.Kind != "contacts" && spec.Kind != "closing" && spec.Kind != "stage" {
			r.context++
		}
		if g.tag {
			r.tags++
		}
	}
	if r.tags == 3 {
		r.context++
	}
	r.ghost(c)
	e.tally(c)
	return c
}

// headings returns the items and slots that a heading or label points to.
func (e *Engine) headings(s string, langs uint16) (t topic, ok bool) {
	f := fold(s)
	for _, h := range e.lex.find(&f, langs, nil) {
		if h.from > 1 && len(f.words) > 5 {
			continue
		}
		switch {
		case h.class >= e.itemHeading(0) && h.class < e.slotCue(0):
			t.items |= 1 << (h.class - e.itemHeading(0))
			ok = true
		case h.class >= e.slotHeading(0):
			i := h.class - e.slotHeading(0)
			t.slots |= 1 << i
			t.items |= e.about[i]
			ok = true
		}
	}
	return t, ok
}

// record is a snapshot as read for scoring.
type record struct {
	e        *Engine
	s        *crm.Snapshot
	asOf     time.Time
	passages []passage
	sources  []*source
	people   []*person
	own      map[string]bool // name words of our own people
	names    map[string]bool // name words of everyone that records name
	later    *time.Time      // the earliest date of a record after as-of
	tags     int             // person items that contact records alone answer
	context  int             // items for which the text has context
}

func (r *record) item(spec *ItemSpec, g grade) Item {
	it := Item{ID: spec.ID, Score: g.points, Reason: g.reason, Sure: g.sure, Evidence: []Evidence{}}
	if g.points < 2 {
		it.Remedy = spec.Remedy
		it.NotRead = r.couldRaise(spec)
	}
	for _, p := range g.evidence {
		ev := Evidence{Source: p.src.says, Record: p.src.record, Quote: p.text}
		it.Evidence = append(it.Evidence, ev)
	}
	it.Evidence = append(it.Evidence, g.more...)
	return it
}

// couldRaise reports whether a part of the snapshot that could not be read could hold more for an item.
func (r *record) couldRaise(spec *ItemSpec) bool {
	for _, part := range r.s.Unread {
		switch {
		case part == crm.PartHistory:
		case spec.Kind == "stage":
			if part == crm.PartFields {
				return true
			}
		case spec.Kind == "contacts":
			return true
		case spec.Kind == "closing":
			if part != crm.PartContacts && part != crm.PartFields {
				return true
			}
		case part == crm.PartContacts:
			if spec.Kind == "person" || spec.Kind == "objector" {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// grade is how an item came out.
type grade struct {
	points   int
	reason   string
	sure     bool
	bare     bool // the points stand for a bare negative, which tells nothing
	tag      bool // the points stand for a contact record alone
	evidence []*passage
	more     []Evidence
}

func join(parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
