package rules

import (
	"slices"
)

// contacts judges the contact records of those who hold the roles of the person items.
func (r *record) contacts() grade {
	g := grade{sure: true}
	var missing []string
	some := false
	for i, spec := range r.e.card.Items {
		if spec.Kind != kindPerson {
			continue
		}
		role := inSentence(spec.Title)
		who := r.bestRecord(r.holders[i])
		if who == nil {
			missing = append(missing, "a record of the "+role)
			continue
		}
		if ev := who.evidence(r.s); !slices.Contains(g.evidence, ev) {
			g.evidence = append(g.evidence, ev)
		}
		email, phone := r.channels(who)
		some = some || email || phone
		if !email {
			missing = append(missing, "a usable e-mail of the "+role)
		}
		if !phone {
			missing = append(missing, "a phone number of the "+role)
		}
	}
	switch {
	case missing == nil:
		g.points, g.reason = 2, "Complete: e-mail and phone of everyone in a role"
	case some:
		g.points, g.reason = 1, "Partial: some contact details are there; missing "+join(missing)
	default:
		g.reason = "Missing: " + join(missing)
	}
	return g
}

// bestRecord returns the best candidate who has a contact record, one with details before one without; nil: none has.
func (r *record) bestRecord(candidates []*candidate) *person {
	var best *person
	score := -1
	for _, c := range candidates {
		if c.who.contact < 0 {
			continue
		}
		n := 4 * c.rank()
		email, phone := r.channels(c.who)
		if email {
			n++
		}
		if phone {
			n++
		}
		if n > score {
			best, score = c.who, n
		}
	}
	return best
}

// channels says whether the contact record itself has a usable e-mail and phone: what text adds does not count here.
func (r *record) channels(p *person) (email, phone bool) {
	c := &r.s.Contacts[p.contact]
	return usableEmail(c), usablePhone(c.Phone)
}
