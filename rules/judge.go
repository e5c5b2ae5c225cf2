package rules

import (
	"fmt"
	"slices"
	"strings"
)

// judge judges the items: by the rules, and where the wording has a say, by both.
func (r *record) judge() []grade {
	grades := r.grades()
	if r.e.wording == nil {
		return grades
	}
	if r.e.otherLanguages {
		if lang := r.language(); lang != "" && !slices.Contains(wordingLanguages, lang) {
			return grades
		}
	}
	clues, readings := r.clues(grades)
	var counting [][]float64 // clues about items that count for context
	for k, w := range r.e.wording.items {
		if w.item < 0 {
			continue
		}
		g := &grades[w.item]
		p := w.spec.Decide(clues[k])
		points := choose(p)
		most := r.most(w.item, g, &readings[k])
		role, context, firm := g.role, 1-p[0], p[2] >= FirmContext
		if !w.late {
			counting = append(counting, clues[k])
		}
		sure := points <= most && p[points] >= r.e.wording.sure
		if points = min(points, most); points != g.points || r.restsElsewhere(w.item, g, &readings[k]) {
			*g = r.regrade(w.item, g, points, &readings[k])
		}
		g.role, g.sure, g.context, g.firm = role, sure, context, firm
		if r.e.card.Items[w.item].Kind == kindPerson {
			r.holdersTold(w.item, points, &readings[k])
		}
	}
	if len(counting) > 0 {
		r.idle = r.e.wording.idle.In(IdleClues(counting))
	}
	for i, spec := range r.e.card.Items {
		if spec.Kind == kindContacts {
			grades[i] = r.contacts()
			grades[i].sure = grades[i].points == 1 || r.surePeople(grades)
		}
	}
	return grades
}

// surePeople reports whether it is certain who holds each role.
func (r *record) surePeople(grades []grade) bool {
	for i, spec := range r.e.card.Items {
		if spec.Kind != kindPerson || grades[i].sure {
			continue
		}
		if len(r.holders[i]) == 0 || !r.holders[i][0].tagged {
			return false
		}
	}
	return true
}

// farMiss is what the square of a miss costs beside the miss itself: two points off is worse than one point off twice.
const farMiss = 0.4

// choose returns the points that miss least, when 0, 1 and 2 are right with probability p.
func choose(p [3]float64) int {
	var cost [3]float64
	for points := range cost {
		for right, prob := range p {
			if off := float64(points - right); off != 0 {
				cost[points] += prob * (1 + farMiss*off*off)
			}
		}
	}
	return slices.Index(cost[:], slices.Min(cost[:]))
}

// holdersTold brings the holders of the role of item i in line with its points: for none, only whom contact roles name;
// and if the rules know nobody, who is named where the text tells most of the role.
func (r *record) holdersTold(i, points int, o *reading) {
	if points == 0 {
		r.holders[i] = slices.DeleteFunc(r.holders[i], func(c *candidate) bool { return !c.tagged })
		return
	}
	if len(r.holders[i]) > 0 {
		return
	}
	for _, p := range r.told(o.bestBoth.window) {
		for _, m := range p.who {
			if m.who.contact >= 0 && !m.who.gone {
				r.holders[i] = []*candidate{{who: m.who, context: p}}
				return
			}
		}
	}
}

// leastTold is what some passage must tell on an item, in log odds, for points that the rules do not give: a rich record makes an
// answer likelier, and is none.
const leastTold = -1.5

// most is how many points item i can get at all, whatever its wording: 0 if no passage is likely to tell anything; 1 if all
// that tells on it is hedged, or said not to be known or agreed; what the rules give, g, if it tells of people who have left.
func (r *record) most(i int, g *grade, o *reading) int {
	if o.some[0] < leastTold && g.points == 0 {
		return 0
	}
	told := r.told(o.bestBoth.window)
	if len(told) == 0 {
		return 2
	}
	hedged, denied, gone := true, true, false
	for _, p := range told {
		hedged, denied = hedged && p.hedged, denied && p.has(unknown)
		gone = gone || slices.ContainsFunc(p.who, func(m mention) bool { return m.who.gone })
	}
	switch {
	case r.e.card.Items[i].Kind == kindPerson && gone:
		return g.points
	case denied:
		return 1
	case hedged:
		return max(1, g.points)
	}
	return 2
}

// regrade gives item i other points than the rules, g, do, for what the wording of the text tells.
func (r *record) regrade(i int, g *grade, points int, o *reading) grade {
	spec := r.e.card.Items[i]
	topic := inSentence(spec.Title)
	if points == 0 {
		return grade{reason: "Missing: nothing clear on " + topic + "; needed: " + join(r.lacks(i, nil))}
	}
	from := r.told(o.window(points))
	if from == nil {
		from = g.passages(r)
	}
	out := grade{points: points, evidence: g.evidence}
	if len(from) > 0 {
		out.evidence = quotes(from...)
	}
	if points == 2 {
		out.reason = "Complete: " + topic + ", in the words of the record"
		return out
	}
	there := "something on " + topic
	if len(from) > 0 {
		there = fmt.Sprintf("says %q", shorten(from[0].text))
	}
	out.reason = "Partial: " + there + "; missing " + join(r.lacks(i, from))
	return out
}

// window returns the passages [from, to) that say most for so many points.
func (o *reading) window(points int) [2]int {
	if points == 2 {
		return o.bestAll.window
	}
	return o.bestSome.window
}

// restsElsewhere reports whether the points that the rules give item i, g, rest on other passages than those that the
// wording finds telling: those are what a person should read.
func (r *record) restsElsewhere(i int, g *grade, o *reading) bool {
	if kind := r.e.card.Items[i].Kind; kind != kindText && kind != kindObjector || g.points == 0 || g.bare || o.some[0] < 0 {
		return false
	}
	telling := r.told(o.window(g.points))
	return len(telling) > 0 && !slices.ContainsFunc(g.passages(r), func(p *passage) bool { return slices.Contains(telling, p) })
}

// told returns the passages of a window that are not empty.
func (r *record) told(window [2]int) []*passage {
	var out []*passage
	for k := window[0]; k < window[1]; k++ {
		if p := &r.passages[k]; !p.empty {
			out = append(out, p)
		}
	}
	return out
}

// passages returns the passages that a grade's evidence quotes.
func (g *grade) passages(r *record) []*passage {
	var out []*passage
	for _, ev := range g.evidence {
		for k := range r.passages {
			if p := &r.passages[k]; p.src.record == ev.Record && strings.HasPrefix(p.text, ev.Quote) {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// lacks names what item i needs and the given passages do not hold.
func (r *record) lacks(i int, from []*passage) []string {
	spec := r.e.card.Items[i]
	switch spec.Kind {
	case kindPerson:
		return r.lacksOfPerson(i, from)
	case kindObjector:
		if len(from) == 0 {
			return []string{"who objected and why, or that nobody did"}
		}
		if len(from[0].who) == 0 {
			return []string{"the name"}
		}
		return []string{"the concern"}
	case kindClosing:
		if len(from) == 0 {
			return []string{"a note after the close that says how it closed and what was negotiated"}
		}
		return []string{"how the deal closed"}
	}
	var all, here filling
	for _, p := range from {
		r.fill(&here, i, r.index(p))
		all.add(&here)
	}
	if missing := all.missing(spec.Complete); missing != nil {
		return r.says(missing)
	}
	last := spec.Complete[len(spec.Complete)-1:] // its cues are there, and its meaning is not
	return []string{r.says(last)[0] + ", said plainly"}
}

func (r *record) lacksOfPerson(i int, from []*passage) []string {
	spec := r.e.card.Items[i]
	whole := "the name of the " + inSentence(spec.Title) + ", contact details and " + r.slotOf(spec).says
	for _, p := range from {
		if len(p.who) == 0 {
			continue
		}
		var missing []string
		who := p.who[0].who
		if who.title == "" {
			missing = append(missing, "the title")
		}
		if !who.reachable() {
			missing = append(missing, "e-mail or phone")
		}
		return append(missing, "what there is to know about them")
	}
	return []string{whole}
}

// index returns the index of p, which is one of the record's passages.
func (r *record) index(p *passage) int {
	for k := p.src.from; k < p.src.to; k++ {
		if &r.passages[k] == p {
			return k
		}
	}
	panic("rules: a passage of another record")
}
