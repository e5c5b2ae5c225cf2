package rules

import (
	"slices"
	"strings"
)

// candidate is a person who may hold a role, with what speaks for it.
type candidate struct {
	who     *person
	tagged  bool     // a contact role says so
	named   *passage // text names the person in the role
	context *passage // text says what they do in it
	hedged  bool
}

func (c *candidate) points() int {
	if c.who.name != "" && c.who.title != "" && c.who.reachable() && c.context != nil && !c.hedged {
		return 2
	}
	return 1
}

// person judges who holds a role: champion, sponsor, day-to-day contact.
func (r *record) person(i int) (grade, []*candidate) {
	spec := r.e.card.Items[i]
	var all []*candidate
	get := func(p *person) *candidate {
		for _, c := range all {
			if c.who == p {
				return c
			}
		}
		c := &candidate{who: p}
		all = append(all, c)
		return c
	}
	for _, p := range r.people {
		if p.contact >= 0 && hasRole(r.s.Contacts[p.contact].Roles, spec.Roles) {
			get(p).tagged = true
		}
	}
	deed := r.e.byName[spec.Complete[len(spec.Complete)-1]]
	var nameless *passage
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		var at int32 = -1
		identified, byDeed := p.placed.has(i), false
		for _, h := range p.hits {
			switch h.class {
			case r.e.itemCue(i):
				if r.negated(p, h) || r.denied(p, h) {
					continue
				}
				identified = true
				if at < 0 {
					at = h.from
				}
			case r.e.slotCue(deed.cue):
				if r.negated(p, h) {
					continue
				}
				byDeed = true
				at = h.from
			}
		}
		if identified && p.has(unknown) && len(p.words) < 14 {
			continue
		}
		if !identified && !byDeed {
			continue
		}
		if p.placed.has(i) && len(p.words) > 0 && p.has(negation) && len(p.words) < 8 {
			continue
		}
		who := nearest(p, at)
		if who == nil || who.gone {
			if identified && p.has(title) && nameless == nil {
				nameless = p
			}
			continue
		}
		c := get(who)
		if identified && c.named == nil {
			c.named = p
		}
		c.hedged = c.hedged && p.hedged || c.named == p && p.hedged
		if c.context == nil && (byDeed || identified && r.says2(p, who) >= 7) {
			c.context = p
		}
	}
	// What text says about someone who is known to hold the role is context too.
	for _, c := range all {
		if c.context != nil || c.who.gone || c.named == nil && !c.tagged {
			continue
		}
		for _, k := range c.who.mentions {
			p := &r.passages[k]
			if r.tells(c, p) {
				c.context = p
				break
			}
		}
	}
	all = slices.DeleteFunc(all, func(c *candidate) bool { return c.who.gone })
	slices.SortStableFunc(all, func(a, b *candidate) int { return rank(b) - rank(a) })
	g := grade{sure: true}
	if len(all) == 0 {
		if nameless != nil {
			g.points, g.evidence, g.sure = 1, []*passage{nameless}, false
			g.reason = "Partial: a role without a name; missing the name, contact details and what to know about them"
			return g, nil
		}
		g.reason = "Missing: nobody is named"
		return g, nil
	}
	best := all[0]
	g.points = best.points()
	if best.who.contact >= 0 {
		g.more = append(g.more, best.who.evidence(r.s))
	}
	if best.named != nil {
		g.evidence = append(g.evidence, best.named)
	}
	if best.context != nil && best.context != best.named {
		g.evidence = append(g.evidence, best.context)
	}
	g.tag = best.tagged && best.context == nil && best.named == nil
	g.sure = !best.hedged
	g.reason = describe(best, spec)
	return g, all
}

// tells reports whether p says something about c that helps to work with them.
func (r *record) tells(c *candidate, p *passage) bool {
	if p.ignored || p.src.field != "" {
		return false
	}
	return r.says2(p, c.who) >= 8
}

func rank(c *candidate) int {
	n := 10 * c.points()
	if c.tagged {
		n += 3
	}
	if c.named != nil {
		n += 4
	}
	if c.context != nil {
		n += 2
	}
	if c.who.contact >= 0 {
		n++
	}
	return n
}

func describe(c *candidate, spec *ItemSpec) string {
	name := or(c.who.name, "a person")
	if c.points() == 2 {
		return "Complete: " + name + ", " + c.who.title + ", with contact details and context"
	}
	var missing []string
	if c.who.title == "" {
		missing = append(missing, "the title")
	}
	if !c.who.reachable() {
		missing = append(missing, "e-mail or phone")
	}
	if c.context == nil {
		missing = append(missing, "what they did or how they work")
	}
	if len(missing) == 0 {
		return "Partial: " + name + " is named, but not firmly; to be confirmed"
	}
	return "Partial: " + name + " is named; missing " + join(missing)
}

// otherSubject reports whether a group or a role stands closer before the cue at word at than who does, and is not
// who's own title.
func (r *record) otherSubject(p *passage, who *person, at int32) bool {
	named := int32(-1)
	for _, m := range p.who {
		if m.who == who && (at < 0 || int32(m.at) <= at) {
			named = int32(m.at)
		}
	}
	own := foldString(who.title)
	for _, h := range p.hits {
		if (h.class == group || h.class == title) && h.from > named+1 && h.from < at && !containsWords(own, p.span(h)) {
			return true
		}
	}
	return false
}

// says2 counts the words of p beyond the person's name and title.
func (r *record) says2(p *passage, who *person) int {
	n := len(p.words)
	titleWords := fold(who.title)
	skip := map[string]bool{}
	for i := range titleWords.words {
		skip[titleWords.word(i)] = true
	}
	for i := range p.words {
		w := p.word(i)
		if skip[w] || slices.Contains(who.words, w) || strings.Contains(p.text[p.words[i].start:p.words[i].end], "@") {
			n--
		}
	}
	if strings.Contains(p.text, "@") {
		n -= 3
	}
	return n
}

// nearest returns the person closest to word at, those before it first; at -1: the first one.
func nearest(p *passage, at int32) *person {
	var best *person
	for _, m := range p.who {
		if best == nil || at >= 0 && int32(m.at) <= at {
			best = m.who
		}
	}
	return best
}

// negated reports whether a negation stands right before or after the cue at h.
func (r *record) negated(p *passage, h hit) bool {
	for _, n := range p.hits {
		if n.class == negation && (n.to <= h.from && n.to+2 >= h.from || n.from >= h.to && n.from <= h.to+1) {
			return true
		}
	}
	return false
}

func hasRole(have, want []string) bool {
	for _, h := range have {
		h = foldString(h)
		for _, w := range want {
			if strings.Contains(h, w) {
				return true
			}
		}
	}
	return false
}

// objector judges item i: who objected, with title and concern.
func (r *record) objector(i int) grade {
	spec := r.e.card.Items[i]
	g := grade{sure: true, reason: "Missing: nothing in the record says who objected"}
	var bare, deliberate *passage
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		switch r.negative(p, i) {
		case bareNone:
			if bare == nil {
				bare = p
			}
			continue
		case reasonedNone:
			deliberate = p
			continue
		}
		placed := p.placed.has(i)
		var at int32 = -1
		cue := false
		for _, h := range p.hits {
			if r.cueOf(h, i) && !r.negated(p, h) {
				cue = true
				if at < 0 {
					at = h.from
				}
			}
		}
		if !cue && !placed || p.has(unknown) && len(p.words) < 8 {
			continue
		}
		who := nearest(p, at)
		if who == nil && k > 0 {
			if q := &r.passages[k-1]; q.src == p.src && q.block == p.block && len(q.who) > 0 {
				who = q.who[len(q.who)-1].who
			}
		}
		if who != nil && r.otherSubject(p, who, at) {
			who = nil
		}
		points := 0
		switch {
		case who != nil && who.title != "" && (cue || len(p.words) >= 6) && !p.hedged:
			points = 2
		case who != nil || p.has(title) || p.has(group):
			points = 1
		}
		if points > g.points {
			g.points, g.evidence = points, []*passage{p}
			g.sure = !p.hedged
			switch {
			case points == 2:
				g.reason = "Complete: " + who.name + ", " + who.title + ", with the concern"
			case who == nil:
				g.reason = "Partial: an objection by role; missing the name"
			case who.title == "":
				g.reason = "Partial: " + who.name + " objected; missing the title"
			default:
				g.reason = "Partial: " + who.name + " had doubts; missing the concern"
			}
		}
	}
	if deliberate != nil && g.points < 2 {
		return grade{points: 2, sure: true, evidence: []*passage{deliberate}, reason: "Complete: said that nobody objected, with the context"}
	}
	if bare != nil && g.points == 0 {
		return grade{points: 1, sure: true, bare: true, evidence: []*passage{bare}, reason: "Partial: answered with a bare negative; missing how that is known"}
	}
	_ = spec
	return g
}
