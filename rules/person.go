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
	hedged  bool     // all that names them is
}

func (c *candidate) points() int {
	if c.who.title != "" && c.who.reachable() && c.context != nil && !c.hedged {
		return 2
	}
	return 1
}

// rank orders candidates: the best documented first, records before hearsay.
func (c *candidate) rank() int {
	n := 10 * c.points()
	for _, sign := range []struct {
		is     bool
		weight int
	}{{c.named != nil, 4}, {c.tagged, 3}, {c.context != nil, 2}, {c.who.contact >= 0, 1}} {
		if sign.is {
			n += sign.weight
		}
	}
	return n
}

// contextWords is how many words beyond name and title tell something about a person.
const contextWords = 8

// person judges who holds the role of item i, and returns the candidates, best first.
func (r *record) person(i int) (grade, []*candidate) {
	spec := r.e.card.Items[i]
	all := r.tagged(spec)
	var nameless *passage
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		named, deed, at := r.inRole(p, i)
		if !named && !deed {
			continue
		}
		who := nearest(p, at)
		if who == nil || who.gone {
			if named && p.has(title) && (who == nil || nameless == nil) {
				nameless = first(nameless, p)
			}
			continue
		}
		n := slices.IndexFunc(all, func(c *candidate) bool { return c.who == who })
		if n < 0 {
			n, all = len(all), append(all, &candidate{who: who, hedged: true})
		}
		c := all[n]
		c.hedged = c.hedged && p.hedged
		if named {
			c.named = first(c.named, p)
		}
		if deed || named && r.wordsBeyond(p, who) >= contextWords-1 {
			c.context = first(c.context, p)
		}
	}
	for _, c := range all {
		r.findContext(c)
	}
	all = slices.DeleteFunc(all, func(c *candidate) bool { return c.who.gone })
	slices.SortStableFunc(all, func(a, b *candidate) int { return b.rank() - a.rank() })
	title := inSentence(spec.Title)
	switch {
	case len(all) > 0:
		return r.personGrade(all[0], title), all
	case nameless != nil:
		return grade{points: 1, evidence: quotes(nameless),
			reason: "Partial: a role is named; missing the name of the " + title + ", contact details and " + r.slotOf(spec).says}, nil
	}
	return grade{sure: r.isThin(), reason: "Missing: nobody is named as " + title}, nil
}

// slotOf returns the slot that says what a person in the role of spec does.
func (r *record) slotOf(spec *ItemSpec) slot { return r.e.slots[spec.Complete[0]] }

// tagged returns those whose contact record has one of the item's roles.
func (r *record) tagged(spec *ItemSpec) []*candidate {
	var all []*candidate
	for _, p := range r.people.all {
		if p.contact >= 0 && hasRole(r.s.Contacts[p.contact].Roles, spec.Roles) {
			all = append(all, &candidate{who: p, tagged: true})
		}
	}
	return all
}

func hasRole(have, want []string) bool {
	for _, h := range have {
		h = foldString(h)
		if slices.ContainsFunc(want, func(w string) bool { return strings.Contains(h, w) }) {
			return true
		}
	}
	return false
}

// inRole reports whether p names someone in the role of item i, or tells a deed of it, and at which word; -1: by its place
// alone.
func (r *record) inRole(p *passage, i int) (named, deed bool, at int32) {
	placed := p.placed.items.has(i)
	if placed && len(p.words) < 8 && p.has(negation) || p.has(unknown) && len(p.words) < 14 {
		return false, false, -1
	}
	named, at = placed, -1
	deeds := r.e.slotCue(r.slotOf(r.e.card.Items[i]).cue)
	for _, h := range p.hits {
		switch {
		case h.class == r.e.itemCue(i) && !negated(p, h) && !denied(p, h):
			named = true
			if at < 0 {
				at = h.from
			}
		case h.class == deeds && !negated(p, h):
			deed, at = true, h.from
		}
	}
	return named, deed, at
}

// findContext looks for what text tells about someone who is known to hold the role.
func (r *record) findContext(c *candidate) {
	if c.context != nil || c.named == nil && !c.tagged {
		return
	}
	for _, k := range c.who.mentions {
		if p := &r.passages[k]; p.src.field == "" && r.wordsBeyond(p, c.who) >= contextWords {
			c.context = p
			return
		}
	}
}

func (r *record) personGrade(c *candidate, title string) grade {
	g := grade{points: c.points(), sure: !c.hedged && (c.tagged || c.named != nil) && (c.points() == 2 || r.isThin()), role: c.tagged && c.context == nil && c.named == nil}
	if c.who.contact >= 0 {
		g.evidence = append(g.evidence, c.who.evidence(r.s))
	}
	g.evidence = append(g.evidence, quotes(c.named)...)
	if c.context != c.named {
		g.evidence = append(g.evidence, quotes(c.context)...)
	}
	if g.points == 2 {
		g.reason = "Complete: " + c.who.name + ", " + c.who.title + ", with contact details and context"
		return g
	}
	var missing []string
	if c.who.title == "" {
		missing = append(missing, "the title")
	}
	if !c.who.reachable() {
		missing = append(missing, "e-mail or phone")
	}
	if c.context == nil {
		missing = append(missing, "what there is to know about them")
	}
	if missing == nil {
		missing = append(missing, "a confirmation")
	}
	g.reason = "Partial: " + c.who.name + " as " + title + "; missing " + join(missing)
	return g
}

// wordsBeyond counts the words of p beyond the person's name, title and address.
func (r *record) wordsBeyond(p *passage, who *person) int {
	title := foldString(who.title)
	n := 0
	for i := range p.words {
		if w := p.word(i); !slices.Contains(who.words, w) && !containsWords(title, w) {
			n++
		}
	}
	if strings.Contains(p.text, "@") {
		n -= 4 // the words of an address
	}
	return n
}

// nearest returns the person closest before word at, else the first one in p; nil: nobody is in p.
func nearest(p *passage, at int32) *person {
	var best *person
	for _, m := range p.who {
		if best == nil || at >= 0 && m.at <= at {
			best = m.who
		}
	}
	return best
}

// negated reports whether a negation stands right before or after the cue at h.
func negated(p *passage, h hit) bool {
	return slices.ContainsFunc(p.hits, func(n hit) bool {
		return n.class == negation && (n.to <= h.from && n.to+2 >= h.from || n.from >= h.to && n.from <= h.to+1)
	})
}
