package rules

// negative is how a passage answers an item with "none".
type negative int

const (
	noNone       negative = iota
	bareNone              // answered, not checkable
	reasonedNone          // deliberate: says how that is known
)

// negative says whether the passage at k answers item i with "none": in the item's own place, or as "no …" beside one
// of its cues.
func (r *record) negative(k, i int) negative {
	p := &r.passages[k]
	if !r.e.card.Items[i].None || p.has(unknown) {
		return noNone
	}
	n := len(p.words)
	if p.placed.items.has(i) && !p.headed {
		for _, h := range p.hits {
			if h.from == 0 && (h.class == none || h.class == negation) {
				if n >= 6 && (h.class == negation || n > int(h.to)+3) || r.explained(k) {
					return reasonedNone
				}
				return bareNone
			}
		}
	}
	if !p.has(negation) {
		return noNone
	}
	for _, h := range p.hits {
		if !r.e.cuedBy(h.class).has(i) {
			continue
		}
		for _, no := range p.hits {
			if no.class == negation && no.to <= h.from && no.to+2 >= h.from {
				if n >= 9 && p.facts.dates+p.facts.names+p.facts.figures > 0 {
					return reasonedNone
				}
				return bareNone
			}
		}
	}
	return noNone
}

// explained reports whether the passage at k is followed, in its own place, by a sentence that can say why.
func (r *record) explained(k int) bool {
	p := &r.passages[k]
	if k+1 >= p.src.to {
		return false
	}
	q := &r.passages[k+1]
	return q.block == p.block && q.placed == p.placed && len(q.words) >= 8 && !q.has(unknown)
}
