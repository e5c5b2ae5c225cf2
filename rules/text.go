package rules

import "strings"

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
	var firm, soft evidence
	var bare, deliberate *passage
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		if spec.None {
			switch r.negative(p, i) {
			case 1:
				if bare == nil {
					bare = p
				}
				continue
			case 2:
				if deliberate == nil {
					deliberate = p
				}
				continue
			}
		}
		about, _ := r.isAbout(p, i)
		if !about || p.placed.has(i) && p.has(unknown) && len(p.words) < 12 {
			continue
		}
		r.fill(&soft, k, spec)
		if !p.hedged {
			r.fill(&firm, k, spec)
		}
	}
	g := grade{sure: true}
	missing := r.missing(&firm, spec.Complete)
	switch {
	case len(firm.order) > 0 && len(missing) == 0:
		g.points, g.evidence = 2, firm.passages()
		g.reason = "Complete: " + join(r.says(spec.Complete))
	case deliberate != nil:
		g.points, g.evidence = 2, []*passage{deliberate}
		g.reason = "Complete: said to be none, with the context"
	case len(soft.order) > 0 && len(r.missing(&soft, spec.Partial)) == 0:
		g.points, g.evidence = 1, soft.passages()
		g.sure = len(firm.order) > 0
		if len(r.missing(&soft, spec.Complete)) == 0 {
			g.reason = "Partial: there, but not firm; to be confirmed"
		} else {
			g.reason = "Partial: missing " + join(r.says(r.missing(&soft, spec.Complete)))
		}
	case bare != nil:
		g.points, g.evidence, g.bare = 1, []*passage{bare}, true
		g.reason = "Partial: answered with a bare negative; missing how that is known"
	default:
		g.reason = "Missing: nothing in the record answers this"
	}
	return g
}

// evidence collects which slots of an item are filled by which passages.
type evidence struct {
	order  []*passage
	filled map[string]bool
}

func (ev *evidence) passages() []*passage {
	if len(ev.order) > 4 {
		return ev.order[:4]
	}
	return ev.order
}

// fill notes the slots of spec that the passage at k and those around it fill.
func (r *record) fill(ev *evidence, k int, spec *ItemSpec) {
	if ev.filled == nil {
		ev.filled = map[string]bool{}
	}
	p := &r.passages[k]
	fresh := len(ev.order) == 0
	for _, list := range [][]string{spec.Partial, spec.Complete} {
		for _, names := range list {
			for name := range strings.SplitSeq(names, "|") {
				if !ev.filled[name] && r.fills(name, k) {
					ev.filled[name] = true
					fresh = true
				}
			}
		}
	}
	if fresh {
		ev.order = append(ev.order, p)
	}
}

// fills reports whether the passage at k fills the slot: by itself, or, where cues fill it, with its neighbours in the
// same paragraph.
func (r *record) fills(name string, k int) bool {
	p := &r.passages[k]
	s := r.e.byName[name]
	if !s.cued {
		return s.fill(p)
	}
	if r.cueFills(s.cue, p) {
		return true
	}
	for _, d := range []int{1, 2, 3, -1} {
		if k+d < 0 || k+d >= len(r.passages) {
			continue
		}
		q := &r.passages[k+d]
		if q.src == p.src && (q.block == p.block || p.speaker != "" && q.block <= p.block+3) && !q.ignored && r.cueFills(s.cue, q) {
			return true
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
func (r *record) missing(ev *evidence, list []string) []string {
	var out []string
	for _, names := range list {
		ok := false
		for name := range strings.SplitSeq(names, "|") {
			ok = ok || ev.filled[name]
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

// negative says whether p answers item i with "none": 0 no, 1 bare, 2 with context.
func (r *record) negative(p *passage, i int) int {
	n := len(p.words)
	if p.has(unknown) {
		return 0
	}
	if p.placed.has(i) && !p.headed {
		for _, h := range p.hits {
			if (h.class == none || h.class == negation) && h.from == 0 {
				switch {
				case h.class == none && n <= int(h.to)+3, n <= 4:
					return 1
				case n >= 6:
					return 2
				default:
					return 1
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
					return 2
				}
				return 1
			}
		}
	}
	return 0
}

// cueOf reports whether the cue at h makes a passage be about item i.
func (r *record) cueOf(h hit, i int) bool {
	e := r.e
	return h.class == e.itemCue(i) || h.class >= e.slotCue(0) && h.class < e.slotHeading(0) && e.about[h.class-e.slotCue(0)].has(i)
}
