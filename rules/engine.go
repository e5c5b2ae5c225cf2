package rules

import (
	"time"
	"unicode/utf8"

	"handoff/crm"
)

// Engine applies a scorecard. It is safe for concurrent use.
type Engine struct {
	card           *Scorecard
	langs          []*language
	vocabulary     *vocabulary
	lex            *lexicon
	slots          map[string]slot
	fieldItems     map[string]items // what a deal field is about
	fieldSlots     map[string]slots
	cuedItems      []items // by the scorecard's own slots: the items that its cues make a passage be about
	factAbout      [][]slot
	people         items // the items about people
	wording        *wording
	otherLanguages bool // there are some that the wording was not learned from
	signs          signs
	threshold      *float64 // deals of a smaller amount get the small version; nil: none does
}

// NewEngine returns an engine for sc, which ParseScorecard or Builtin made.
func NewEngine(sc *Scorecard) *Engine { return sc.engine }

// Scorecard returns the scorecard that the engine applies.
func (e *Engine) Scorecard() *Scorecard { return e.card }

// Classes of a scorecard's cues: an item's cues and headings, a slot's cues and headings.
func (e *Engine) itemCue(i int) class     { return firstFree + class(i) }
func (e *Engine) itemHeading(i int) class { return e.itemCue(len(e.card.Items)) + class(i) }
func (e *Engine) slotCue(i int) class     { return e.itemHeading(len(e.card.Items)) + class(i) }
func (e *Engine) slotHeading(i int) class { return e.slotCue(len(e.card.Slots)) + class(i) }

// Score fills in the scorecard for s as of the given moment. Any snapshot gets a card; the order of notes, contacts and
// activities does not matter.
func (e *Engine) Score(s *crm.Snapshot, asOf time.Time) *Card {
	r := e.read(s, asOf)
	grades := r.judge()
	c := &Card{ID: s.ID, Ghost: GhostNo, GhostReasons: []string{}, Items: make([]Item, len(grades)), DueAt: r.later}
	for i, spec := range e.card.Items {
		c.Items[i] = r.item(spec, &grades[i])
	}
	if !c.Unread() {
		r.ghost(c, grades)
	}
	if e.isSmall(&s.Deal) {
		e.shrink(c)
	}
	e.tally(c)
	return c
}

// grades judges the items by the rules alone.
func (r *record) grades() []grade {
	grades := make([]grade, len(r.e.card.Items))
	var seen *facets // nil: no condition has asked yet
	for i, spec := range r.e.card.Items {
		switch spec.Kind {
		case kindPerson:
			grades[i], r.holders[i] = r.person(i)
		case kindObjector:
			grades[i] = r.objector(i)
		case kindContacts:
			grades[i] = r.contacts()
		case kindClosing:
			grades[i] = r.closing()
		case kindStage:
			grades[i] = r.stage()
		case kindRule:
			if seen == nil {
				seen = r.facets()
			}
			grades[i] = r.rule(i, seen)
		default:
			grades[i] = r.text(i)
		}
		if g := &grades[i]; g.points > 0 && !g.bare && !g.role {
			g.context = 1
		}
	}
	return grades
}

// grade is how an item came out.
type grade struct {
	points   int
	reason   string
	sure     bool
	evidence []Evidence

	context float64 // at most 1: how surely the item gives a CSM something to start from
	firm    bool    // it surely gives all that is needed

	// bare points tell a CSM nothing to start from: they stand for a bare "none", or for a contact role alone.
	bare bool
	role bool
}

// item puts a grade on the card.
func (r *record) item(spec *ItemSpec, g *grade) Item {
	it := Item{ID: spec.ID, Score: g.points, Reason: g.reason, Sure: g.sure, Evidence: g.evidence}
	if it.Evidence == nil {
		it.Evidence = []Evidence{}
	}
	if g.points < 2 {
		it.Remedy = spec.Remedy
		it.NotRead = r.couldRaise(spec)
	}
	return it
}

// couldRaise reports whether a part of the snapshot that could not be read may hold more for an item.
func (r *record) couldRaise(spec *ItemSpec) bool {
	for _, part := range r.s.Unread {
		switch part {
		case crm.PartHistory:
		case crm.PartContacts:
			if spec.Kind == kindPerson || spec.Kind == kindObjector || spec.Kind == kindContacts || spec.Kind == kindRule {
				return true
			}
		case crm.PartFields:
			if spec.Kind != kindClosing {
				return true
			}
		default: // notes and activities hold text
			if spec.Kind != kindStage {
				return true
			}
		}
	}
	return false
}

// maxQuote is the most bytes of a passage that evidence quotes.
const maxQuote = 400

// quote returns p as evidence.
func (p *passage) quote() Evidence {
	return Evidence{Source: p.src.says, Record: p.src.record, Quote: cut(p.text, maxQuote)}
}

// cut shortens s to at most n bytes, at a rune's end if there are runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for back := range utf8.UTFMax {
		if utf8.RuneStart(s[n-back]) {
			return s[:n-back]
		}
	}
	return s[:n]
}

func quotes(passages ...*passage) []Evidence {
	var all []Evidence
	for _, p := range passages {
		if p != nil {
			all = append(all, p.quote())
		}
	}
	return all
}

// headings returns what a heading or label points to; ok is false if it points to nothing.
func (e *Engine) headings(s string, langs languageSet) (t topic, ok bool) {
	f := fold(s)
	for _, h := range e.lex.find(&f, langs) {
		if h.from > 1 && len(f.words) > 5 {
			continue
		}
		switch {
		case h.class >= e.slotHeading(0):
			i := h.class - e.slotHeading(0)
			t.slots |= 1 << i
			t.items |= e.cuedItems[i]
		case h.class >= e.itemHeading(0) && h.class < e.slotCue(0):
			t.items |= 1 << (h.class - e.itemHeading(0))
		}
	}
	return t, t != topic{}
}
