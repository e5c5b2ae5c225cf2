package rules

import "strings"

// objector judges item i: who objected, with title and concern. Contact details are not needed.
func (r *record) objector(i int) grade {
	best := grade{sure: r.isThin(), reason: "Missing: who objected and why, or that nobody did"}
	var bare, reasoned *passage
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		switch r.negative(k, i) {
		case bareNone:
			bare = first(bare, p)
			continue
		case reasonedNone:
			reasoned = first(reasoned, p)
			continue
		}
		if g := r.objection(k, i); g.points > best.points {
			best = g
		}
	}
	switch {
	case best.points < 2 && reasoned != nil:
		return grade{points: 2, sure: true, evidence: quotes(reasoned), reason: "Complete: nobody objected, and how that is known"}
	case best.points == 0 && bare != nil:
		return bareGrade(bare)
	}
	return best
}

// objection grades the passage at k as the record of an objection.
func (r *record) objection(k, i int) grade {
	p := &r.passages[k]
	at, cued := int32(-1), false
	for _, h := range p.hits {
		if r.e.cuedBy(h.class).has(i) && !negated(p, h) {
			at, cued = h.from, true
			break
		}
	}
	if !cued && !p.placed.items.has(i) || p.has(unknown) && len(p.words) < 8 {
		return grade{}
	}
	who := nearest(p, at)
	if who == nil && k > p.src.from {
		if q := &r.passages[k-1]; q.block == p.block && len(q.who) > 0 {
			who = q.who[len(q.who)-1].who
		}
	}
	if who != nil && otherSubject(p, who, at) {
		who = nil
	}
	g := grade{points: 1, sure: !p.hedged && p.placed.items.has(i), evidence: quotes(p)}
	switch {
	case who == nil && (p.has(title) || p.has(group)):
		g.reason = "Partial: an objection by a role or a group; missing the name"
	case who == nil:
		return grade{}
	case who.title == "":
		g.reason = "Partial: " + who.name + " objected; missing the title"
	case p.hedged:
		g.reason = "Partial: " + who.name + ", " + who.title + ", not firmly; missing a confirmation"
	case !cued && len(p.words) < 6, !r.tellsMore(p, who, i):
		g.reason = "Partial: " + who.name + ", " + who.title + "; missing the concern"
	default:
		g.points, g.reason = 2, "Complete: "+who.name+", "+who.title+", with the concern"
	}
	return g
}

// tellsMore reports whether p says anything beside that who is against it.
func (r *record) tellsMore(p *passage, who *person, i int) bool {
	known := words{}
	known.add(who.words)
	known.add(strings.Fields(foldString(who.title)))
	for _, h := range p.hits {
		if h.class == title || h.class == group || r.e.cuedBy(h.class).has(i) {
			known.add(strings.Fields(p.span(h)))
		}
	}
	for w := range p.words {
		if word := p.word(w); !known[word] && !r.e.isCommon(word) {
			return true
		}
	}
	return false
}

// otherSubject reports whether a group or a role stands closer before the cue at word at than who does, and is not who's
// own title.
func otherSubject(p *passage, who *person, at int32) bool {
	named := int32(-1)
	for _, m := range p.who {
		if m.who == who && (at < 0 || m.at <= at) {
			named = m.at
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
