package rules

import (
	"fmt"
	"slices"
	"strings"
)

// text judges an item by the slots that the passages about it fill.
func (r *record) text(i int) grade {
	spec := r.e.card.Items[i]
	var bare, reasoned *passage
	var partial, firm *filling // the best of all passages, and of those that are not hedged
	all := &filling{}          // what they fill together
	var here filling           // what the one at hand fills
	echo := r.echo(i)
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored || !p.about.has(i) && !holdsWord(&p.folded, echo) { // what answers with "none" is about it, too
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
		if p.placed.items.has(i) && p.has(unknown) && len(p.words) < 12 {
			continue
		}
		r.fill(&here, i, k)
		if here.lacks(spec.Partial) == 0 && r.better(&here, partial, i) {
			partial = here.clone()
		}
		if !p.hedged {
			all.add(&here)
			if r.better(&here, firm, i) {
				firm = here.clone()
			}
		}
	}
	if spec.Apart {
		firm = all
		if partial == nil && all.missing(spec.Partial) == nil {
			partial = all
		}
	}
	topic := inSentence(spec.Title)
	switch {
	case firm != nil && len(firm.passages) > 0 && firm.missing(spec.Complete) == nil:
		return grade{points: 2, sure: r.surely(firm, i), evidence: quotes(firm.passages...), reason: "Complete: " + topic + " with " + join(r.says(spec.Complete))}
	case reasoned != nil:
		return grade{points: 2, sure: true, evidence: quotes(reasoned), reason: "Complete: none, and how that is known"}
	case partial != nil:
		there := fmt.Sprintf("Partial: says %q", shorten(partial.passages[0].text))
		g := grade{points: 1, sure: !partial.passages[0].hedged && r.surely(partial, i), evidence: quotes(partial.passages...)}
		if missing := partial.missing(spec.Complete); missing != nil {
			g.reason = there + "; missing " + join(r.says(missing))
		} else {
			g.reason = there + ", which is not firm; missing a confirmation"
		}
		return g
	case bare != nil:
		return bareGrade(bare)
	}
	nothing, found := r.instead(i)
	if !found {
		nothing = "nothing on " + topic
	}
	return grade{sure: found || r.isThin(), reason: "Missing: " + nothing + "; needed: " + join(r.says(spec.Complete))}
}

func bareGrade(p *passage) grade {
	return grade{points: 1, sure: true, bare: true, evidence: quotes(p),
		reason: fmt.Sprintf("Partial: says only %q; missing how that is known", shorten(p.text))}
}

func first(a, b *passage) *passage {
	if a != nil {
		return a
	}
	return b
}

// better reports whether f fills more of item i than g, or as much in its proper place; g may be nil.
func (r *record) better(f, g *filling, i int) bool {
	if g == nil {
		return true
	}
	complete := r.e.card.Items[i].Complete
	less, than := f.lacks(complete), g.lacks(complete)
	return less < than || less == than && r.surely(f, i) && !r.surely(g, i)
}

// surely reports whether what fills the slots stands where its field, heading or label says that it belongs.
func (r *record) surely(f *filling, i int) bool {
	return f.passages[0].placed.items.has(i)
}

// thinRecord is the number of passages up to which nobody can have overlooked an answer.
const thinRecord = 12

// isThin reports whether the record says so little that what was not found is not there.
func (r *record) isThin() bool { return r.telling <= thinRecord }

// instead names what stands in the item's own field in place of an answer.
func (r *record) instead(i int) (words string, found bool) {
	for k := range r.passages {
		if p := &r.passages[k]; p.ignored && p.src.field != "" && p.placed.items.has(i) {
			return fmt.Sprintf("the field says only %q", shorten(p.text)), true
		}
	}
	return "", false
}

// shorten cuts a text for a reason.
func shorten(s string) string {
	const n = 70
	if len(s) <= n {
		return s
	}
	s = cut(s, n)
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	return s + " …"
}

// about returns the items that p is about: by its place, by a cue, or by a fact.
func (e *Engine) about(p *passage) items {
	about := p.placed.items
	for _, h := range p.hits {
		if cued := e.cuedBy(h.class); cued&^about != 0 && !denied(p, h) {
			about |= cued
		}
	}
	for i, facts := range e.factAbout {
		if !about.has(i) && slices.ContainsFunc(facts, func(s slot) bool { return s.fill(p) }) {
			about |= 1 << i
		}
	}
	return about
}

// cuedBy returns the items that a cue of class c makes a passage be about.
func (e *Engine) cuedBy(c class) items {
	switch {
	case c < firstFree || c >= e.slotHeading(0):
		return 0
	case c >= e.slotCue(0):
		return e.cuedItems[c-e.slotCue(0)]
	case c < e.itemHeading(0):
		return 1 << (c - e.itemCue(0))
	}
	return 0
}

// denied reports whether the cue at h is said not to be known, asked or agreed.
func denied(p *passage, h hit) bool {
	return slices.ContainsFunc(p.hits, func(u hit) bool { return u.class == unknown && u.from < h.to+8 && h.from < u.to+8 })
}

// echo returns the names, folded, in the fields of item i, if its spec asks for them.
func (r *record) echo(i int) words {
	if !r.e.card.Items[i].Echo {
		return nil
	}
	names := words{}
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored || p.src.field == "" || !p.placed.items.has(i) {
			continue
		}
		for w := range p.words {
			if name := p.word(w); len(name) > 3 && p.upper(w) && !r.e.isCommon(name) {
				names[name] = true
			}
		}
	}
	return names
}

// isCommon reports whether a word is among the common words of a language.
func (e *Engine) isCommon(word string) bool {
	return e.vocabulary.stopwords[word] != 0
}

func holdsWord(f *folded, of words) bool {
	if len(of) == 0 {
		return false
	}
	for i := range f.words {
		if of[f.word(i)] {
			return true
		}
	}
	return false
}

// filling is which slots of an item are filled, and by which passages.
type filling struct {
	names    []string
	passages []*passage
}

// maxEvidence is how many passages a result quotes.
const maxEvidence = 4

func (f *filling) clone() *filling {
	return &filling{slices.Clone(f.names), slices.Clone(f.passages)}
}

func (f *filling) add(g *filling) {
	fresh := len(f.passages) == 0
	for _, name := range g.names {
		if !slices.Contains(f.names, name) {
			f.names = append(f.names, name)
			fresh = true
		}
	}
	for i := 0; fresh && i < len(g.passages); i++ {
		f.passages = addPassage(f.passages, g.passages[i])
	}
}

// addPassage adds p unless it is there already, or enough others are.
func addPassage(list []*passage, p *passage) []*passage {
	if len(list) >= maxEvidence || slices.Contains(list, p) {
		return list
	}
	return append(list, p)
}

// lacks counts the entries of a list of slots that are not filled.
func (f *filling) lacks(list []string) int {
	n := 0
	for _, names := range list {
		if !f.has(names) {
			n++
		}
	}
	return n
}

// missing returns the entries of a list of slots that are not filled; nil: all are.
func (f *filling) missing(list []string) []string {
	var out []string
	for _, names := range list {
		if !f.has(names) {
			out = append(out, names)
		}
	}
	return out
}

// has reports whether one of the names, with "|" between them, is a slot that is filled.
func (f *filling) has(names string) bool {
	for name := range strings.SplitSeq(names, "|") {
		if slices.Contains(f.names, name) {
			return true
		}
	}
	return false
}

// fill puts into f, in place of what is there, the slots of item i that the passage at k and those around it fill.
func (r *record) fill(f *filling, i, k int) {
	spec := r.e.card.Items[i]
	f.names, f.passages = f.names[:0], append(f.passages[:0], &r.passages[k])
	for _, list := range [][]string{spec.Partial, spec.Complete} {
		for _, names := range list {
			for name := range strings.SplitSeq(names, "|") {
				if slices.Contains(f.names, name) {
					continue
				}
				if by := r.fills(name, i, k); by != nil {
					f.names = append(f.names, name)
					f.passages = addPassage(f.passages, by)
				}
			}
		}
	}
}

// near lists the passages that complete one at 0, itself first.
var near = []int{0, 1, 2, 3, -1}

// turns is how many blocks further on a conversation still speaks of the same.
const turns = 3

// fills returns the passage that fills the slot at k: the one there, or a neighbour in the same paragraph: any for a slot
// that cues fill, one placed under the item for one that code fills. nil: none does.
func (r *record) fills(name string, i, k int) *passage {
	s := r.e.slots[name]
	p := &r.passages[k]
	if s.all != nil {
		by := p
		for _, part := range s.all {
			if by = r.fills(part, i, k); by == nil {
				return nil
			}
		}
		return by
	}
	for _, d := range near {
		if k+d < p.src.from || k+d >= p.src.to {
			continue
		}
		q := &r.passages[k+d]
		together := q.block == p.block
		if d != 0 && (q.ignored || !together && (p.speaker == "" || q.block > p.block+turns)) {
			continue
		}
		if s.fill == nil {
			if r.cueFills(s.cue, q) {
				return q
			}
		} else if (d == 0 || together && q.placed.items.has(i)) && s.fill(q) {
			return q
		}
	}
	return nil
}

// cueFills reports whether p fills the scorecard's own slot i, by its place or by a cue.
func (r *record) cueFills(i int, p *passage) bool {
	if p.placed.slots&(1<<i) != 0 {
		return true
	}
	c := r.e.slotCue(i)
	return slices.ContainsFunc(p.hits, func(h hit) bool { return h.class == c && !denied(p, h) })
}

// says puts slots into words.
func (r *record) says(list []string) []string {
	out := make([]string, len(list))
	for i, names := range list {
		name, _, _ := strings.Cut(names, "|")
		out[i] = r.e.slots[name].says
	}
	return out
}

func join(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// inSentence returns a title as it is written within a sentence: "use case", "IT readiness".
func inSentence(title string) string {
	first, rest, _ := strings.Cut(title, " ")
	if first != strings.ToUpper(first) {
		return strings.ToLower(title)
	}
	return strings.TrimSpace(first + " " + strings.ToLower(rest))
}
