package rules

import (
	"slices"
	"strings"
)

// about reports whether p is about item i, and whether it is only by a cue.
func (r *record) isAbout(p *passage, i int) (about, byCue bool) {
	if p.placed.has(i) {
		return true, false
	}
	for _, h := range p.hits {
		if r.cueOf(h, i) {
			if !r.denied(p, h) {
				return true, true
			}
		}
	}
	for _, s := range r.e.told[i] {
		if s.fill(p) {
			return true, true
		}
	}
	return false, false
}

// denied reports whether the cue at h is said not to be known.
func (r *record) denied(p *passage, h hit) bool {
	for _, u := range p.hits {
		if u.class == unknown && u.from < h.to+8 && h.from < u.to+8 {
			return true
		}
	}
	return false
}

// text judges an item by the slots that the passages about it fill.
func (r *record) text(i int) grade {
	spec := r.e.card.Items[i]
	var bare, deliberate *passage
	var partial, firm *filling // the best of all passages, and of those that are not hedged
	all := &filling{}          // what they fill together
	echo := r.echo(i)
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		if spec.None {
			if n := r.negative(p, i); n == bareNone {
				bare = cmpOr(bare, p)
				continue
			} else if n == reasonedNone {
				deliberate = cmpOr(deliberate, p)
				continue
			}
		}
		about, _ := r.isAbout(p, i)
		if !about && !holdsAny(p, echo) || p.placed.has(i) && p.has(unknown) && len(p.words) < 12 {
			continue
		}
		f := r.fill(i, k)
		if len(r.missing(f, spec.Partial)) == 0 && (partial == nil || len(f.names) > len(partial.names)) {
			partial = f
		}
		if !p.hedged {
			all.add(f)
			if firm == nil || len(r.missing(f, spec.Complete)) < len(r.missing(firm, spec.Complete)) {
				firm = f
			}
		}
	}
	if spec.Apart {
		firm = all
		if partial == nil && len(r.missing(all, spec.Partial)) == 0 {
			partial = all
		}
	}
	switch {
	case firm != nil && len(firm.passages) > 0 && len(r.missing(firm, spec.Complete)) == 0:
		return grade{points: 2, sure: true, evidence: firm.passages, reason: "Complete: " + join(r.says(spec.Complete))}
	case deliberate != nil:
		return grade{points: 2, sure: true, evidence: []*passage{deliberate}, reason: "Complete: said to be none, with the context"}
	case partial != nil:
		g := grade{points: 1, sure: !partial.passages[0].hedged, evidence: partial.passages}
		if missing := r.missing(partial, spec.Complete); len(missing) > 0 {
			g.reason = "Partial: missing " + join(r.says(missing))
		} else {
			g.reason = "Partial: there, but not firm; to be confirmed"
		}
		return g
	case bare != nil:
		return grade{points: 1, sure: true, bare: true, evidence: []*passage{bare}, reason: "Partial: answered with a bare negative; missing how that is known"}
	}
	return grade{sure: true, reason: "Missing: nothing in the record answers this"}
}

// echo returns the names, folded, in the fields of item i.
func (r *record) echo(i int) map[string]bool {
	if !r.e.card.Items[i].Echo {
		return nil
	}
	names := map[string]bool{}
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored || p.src.field == "" || !p.placed.has(i) {
			continue
		}
		for w := range p.words {
			if name := p.word(w); len(name) > 3 && startsUpper(p.text[p.words[w].start:]) && !r.e.common(name) {
				names[name] = true
			}
		}
	}
	return names
}

func holdsAny(p *passage, names map[string]bool) bool {
	if len(names) == 0 {
		return false
	}
	for w := range p.words {
		if names[p.word(w)] {
			return true
		}
	}
	return false
}

// common reports whether a word is among the common words of a language.
func (e *Engine) common(word string) bool {
	for _, words := range e.stopwords {
		if words[word] {
			return true
		}
	}
	return false
}

func cmpOr(a, b *passage) *passage {
	if a != nil {
		return a
	}
	return b
}

// filling is which slots of an item are filled, and by which passages.
type filling struct {
	names    []string
	passages []*passage
}

// maxEvidence is how many passages a result quotes.
const maxEvidence = 4

func (f *filling) add(g *filling) {
	fresh := len(f.passages) == 0
	for _, name := range g.names {
		if !slices.Contains(f.names, name) {
			f.names = append(f.names, name)
			fresh = true
		}
	}
	if fresh && len(f.passages) < maxEvidence {
		f.passages = append(f.passages, g.passages...)
	}
}

// fill returns the slots of item i that the passage at k and those around it fill.
func (r *record) fill(i, k int) *filling {
	spec := r.e.card.Items[i]
	f := &filling{passages: []*passage{&r.passages[k]}}
	for _, list := range [][]string{spec.Partial, spec.Complete} {
		for _, names := range list {
			for name := range strings.SplitSeq(names, "|") {
				if !slices.Contains(f.names, name) && r.fills(name, i, k) {
					f.names = append(f.names, name)
				}
			}
		}
	}
	return f
}

// fills reports whether the passage at k fills the slot: by itself, or with its neighbours in the same paragraph: any
// of them for a slot that cues fill, those that are about the item too for one that code fills.
func (r *record) fills(name string, i, k int) bool {
	s := r.e.byName[name]
	if len(s.all) > 0 {
		return !slices.ContainsFunc(s.all, func(name string) bool { return !r.fills(name, i, k) })
	}
	for _, d := range []int{0, 1, 2, 3, -1} {
		if k+d < 0 || k+d >= len(r.passages) {
			continue
		}
		p, q := &r.passages[k], &r.passages[k+d]
		if d != 0 && (q.ignored || q.src != p.src || q.block != p.block && (p.speaker == "" || q.block > p.block+3)) {
			continue
		}
		switch {
		case s.cued:
			if r.cueFills(s.cue, q) {
				return true
			}
		case d == 0 || q.placed.has(i) && q.block == p.block:
			if s.fill(q) {
				return true
			}
		}
	}
	return false
}

func (r *record) cueFills(i int, p *passage) bool {
	if p.slots&(1<<i) != 0 {
		return true
	}
	c := r.e.slotCue(i)
	for _, h := range p.hits {
		if h.class == c && !r.denied(p, h) {
			return true
		}
	}
	return false
}

// missing returns the slots of the list that are not filled.
func (r *record) missing(f *filling, list []string) []string {
	var out []string
	for _, names := range list {
		ok := false
		for name := range strings.SplitSeq(names, "|") {
			ok = ok || slices.Contains(f.names, name)
		}
		if !ok {
			out = append(out, names)
		}
	}
	return out
}

// says puts slots into words.
func (r *record) says(list []string) []string {
	out := make([]string, len(list))
	for i, names := range list {
		name, _, _ := strings.Cut(names, "|")
		out[i] = r.e.byName[name].says
	}
	return out
}

// negative is how a passage answers an item with "none".
type negative int

const (
	noNone negative = iota
	bareNone
	reasonedNone
)

// negative says whether p answers item i with "none".
func (r *record) negative(p *passage, i int) negative {
	n := len(p.words)
	if p.has(unknown) {
		return noNone
	}
	if p.placed.has(i) && !p.headed {
		for _, h := range p.hits {
			if (h.class == none || h.class == negation) && h.from == 0 {
				switch {
				case h.class == none && n <= int(h.to)+3, n <= 4:
					return bareNone
				case n >= 6:
					return reasonedNone
				default:
					return bareNone
				}
			}
		}
	}
	for _, h := range p.hits {
		if !r.cueOf(h, i) {
			continue
		}
		for _, g := range p.hits {
			if g.class == negation && g.to <= h.from && g.to+2 >= h.from {
				if n >= 9 && (p.facts.dates+p.facts.names+p.facts.figures > 0) {
					return reasonedNone
				}
				return bareNone
			}
		}
	}
	return noNone
}

// cueOf reports whether the cue at h makes a passage be about item i.
func (r *record) cueOf(h hit, i int) bool {
	e := r.e
	return h.class == e.itemCue(i) || h.class >= e.slotCue(0) && h.class < e.slotHeading(0) && e.about[h.class-e.slotCue(0)].has(i)
}
