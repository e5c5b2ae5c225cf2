package rules

import (
	"slices"
	"strings"
	"time"
)

// contacts judges the contact records of the people who hold the roles of the person items.
func (r *record) contacts(holders [][]*candidate) grade {
	g := grade{sure: true}
	var missing []string
	complete, some := true, false
	for i, spec := range r.e.card.Items {
		if spec.Kind != "person" {
			continue
		}
		var best *person
		score := -1
		for _, c := range holders[i] {
			if c.who.contact < 0 {
				continue
			}
			email, phone := r.channels(c.who)
			n := 4*rank(c) + email + phone
			if n > score {
				best, score = c.who, n
			}
		}
		name := strings.ToLower(spec.Title)
		if best == nil {
			complete = false
			missing = append(missing, "a record of the "+name)
			continue
		}
		if ev := best.evidence(r.s); !slices.Contains(g.more, ev) {
			g.more = append(g.more, ev)
		}
		email, phone := r.channels(best)
		some = some || email+phone > 0
		if email == 0 {
			complete = false
			missing = append(missing, "a usable e-mail of the "+name)
		}
		if phone == 0 {
			complete = false
			missing = append(missing, "a phone number of the "+name)
		}
	}
	switch {
	case complete:
		g.points, g.reason = 2, "Complete: e-mail and phone of champion, sponsor and day-to-day contact"
	case some:
		g.points, g.reason = 1, "Partial: missing "+join(missing)
	default:
		g.reason = "Missing: " + join(missing)
	}
	return g
}

// channels says whether the contact record itself has a usable e-mail and phone, each 0 or 1.
func (r *record) channels(p *person) (email, phone int) {
	c := &r.s.Contacts[p.contact]
	if usableEmail(c) {
		email = 1
	}
	if usablePhone(c.Phone) {
		phone = 1
	}
	return email, phone
}

// stage judges the deal's own fields.
func (r *record) stage() grade {
	d := &r.s.Deal
	var missing []string
	if d.CloseDate == nil {
		missing = append(missing, "the close date")
	}
	if d.ARR == nil || *d.ARR <= 0 {
		missing = append(missing, "ARR")
	}
	if d.TermMonths == nil || *d.TermMonths <= 0 {
		missing = append(missing, "the contract term")
	}
	g := grade{sure: true}
	switch {
	case !d.Won:
		g.reason = "Missing: the deal is not Closed Won"
	case len(missing) == 0:
		g.points, g.reason = 2, "Complete: Closed Won with close date, ARR and contract term"
	case len(missing) == 3:
		g.reason = "Missing: close date, ARR and contract term"
	default:
		g.points, g.reason = 1, "Partial: Closed Won; missing "+join(missing)
	}
	return g
}

// closing judges the notes written after the close: a summary of it, and what was negotiated or else matters.
func (r *record) closing(i int) grade {
	g := grade{sure: true, reason: "Missing: no note after the close"}
	summarySlot, contextSlot := r.e.byName["closed"], r.e.byName["negotiated"]
	for _, src := range r.sources {
		if !src.close || src.ignored || !src.post && r.s.Deal.CloseDate != nil {
			continue
		}
		var summary, context *passage
		words := 0
		if t := fold(src.title); len(t.words) > 0 {
			for _, h := range r.e.lex.find(&t, everyLanguages, nil) {
				if h.class == r.e.slotCue(summarySlot.cue) {
					summary = &passage{src: src, text: src.title}
				}
			}
		}
		for k := range r.passages {
			p := &r.passages[k]
			if p.src != src || p.ignored {
				continue
			}
			words += len(p.words)
			if summary == nil && r.cueFills(summarySlot.cue, p) {
				summary = p
			}
			if context == nil && (r.cueFills(contextSlot.cue, p) || r.informs(p)) {
				context = p
			}
		}
		if words == 0 || summary == nil && r.s.Deal.CloseDate == nil {
			continue
		}
		points, reason := 0, ""
		switch {
		case summary != nil && context != nil && words >= 12:
			points, reason = 2, "Complete: how it closed, and context from the end of the negotiation"
		case summary != nil:
			points, reason = 1, "Partial: says that it closed; missing what was negotiated or else matters"
		case context != nil:
			points, reason = 1, "Partial: context, but missing how the deal closed"
		}
		if points > g.points {
			g = grade{points: points, reason: reason, sure: true}
			for _, p := range []*passage{summary, context} {
				if p != nil && !slices.Contains(g.evidence, p) {
					g.evidence = append(g.evidence, p)
				}
			}
		}
	}
	return g
}

// informs reports whether p tells something about any item that text decides.
func (r *record) informs(p *passage) bool {
	if len(p.words) < 5 {
		return false
	}
	for i, spec := range r.e.card.Items {
		if about, _ := r.isAbout(p, i); about && spec.Kind != "closing" {
			return true
		}
	}
	return false
}

var _ = time.Now
