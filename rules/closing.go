package rules

// closingWords is the length below which a note after the close tells too little to be complete.
const closingWords = 12

// closing judges the notes written after the close: a summary of it, and what was negotiated or else matters.
func (r *record) closing() grade {
	best := grade{sure: true, reason: "Missing: a note after the close that says how it closed and what was negotiated"}
	for _, src := range r.sources {
		noClose := r.s.Deal.CloseDate == nil
		if !src.summary || src.ignored || !src.post && !noClose {
			continue
		}
		summary, context, words := r.closingIn(src)
		if words == 0 || summary == nil && noClose {
			continue
		}
		g := grade{points: 1, sure: true, evidence: quotes(summary, context)}
		switch {
		case summary != nil && context != nil && words >= closingWords:
			g.points, g.reason = 2, "Complete: how it closed, and context from the end of the negotiation"
		case summary != nil:
			g.reason = "Partial: says that it closed; missing what was negotiated or else matters"
		case context != nil:
			g.reason = "Partial: gives context; missing how the deal closed"
		default:
			continue
		}
		if summary == context {
			g.evidence = quotes(summary)
		}
		if g.points > best.points {
			best = g
		}
	}
	return best
}

// closingIn finds what a source says about the close, and counts its words.
func (r *record) closingIn(src *source) (summary, context *passage, words int) {
	closed, negotiated := r.e.slots["closed"], r.e.slots["negotiated"]
	title := fold(src.title)
	if hasClass(r.e.lex.find(&title, everyLanguages), r.e.slotCue(closed.cue)) {
		summary = &passage{src: src, piece: piece{text: src.title}}
	}
	for k := src.from; k < src.to; k++ {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		words += len(p.words)
		if summary == nil && r.cueFills(closed.cue, p) {
			summary = p
		}
		if context == nil && (r.cueFills(negotiated.cue, p) || r.informs(p)) {
			context = p
		}
	}
	return summary, context, words
}

// informs reports whether p tells something about any item.
func (r *record) informs(p *passage) bool {
	if len(p.words) < 5 {
		return false
	}
	for i := range r.e.card.Items {
		if p.about.has(i) {
			return true
		}
	}
	return false
}
