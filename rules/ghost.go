package rules

import (
	"fmt"
	"time"

	"handoff/crm"
)

// ghost decides whether any useful context was transferred, and if not, whether Sales still has time to do so. It sets
// Ghost, GhostReasons and DueAt of c.
func (r *record) ghost(c *Card, grades []grade) {
	d := &r.s.Deal
	context := r.context(grades)
	if !d.Won || d.CloseDate == nil || context >= r.e.card.Ghost.Signals {
		return
	}
	c.Ghost = GhostYes
	c.GhostReasons = r.ghostReasons(int(context))
	if deadline := r.e.card.Deadline(*d.CloseDate); r.asOf.Before(deadline) {
		c.Ghost = GhostPending
		if c.DueAt == nil || deadline.Before(*c.DueAt) {
			c.DueAt = &deadline
		}
	}
}

// Deadline returns when the time ends that Sales has for the handoff of a deal closed on that day.
func (s *Scorecard) Deadline(closed crm.Date) time.Time {
	return endOfBusinessDays(closed.Time(), s.Ghost.BusinessDays)
}

// FirmContext is the probability of full points on one item that alone is context enough.
const FirmContext = 0.95

// context is how many items give a CSM something to start from, less those that idle words would seem to say something on;
// an item that the wording has a say on counts by how probable it is. A bare "none" tells nothing. When each role has its
// person by contact roles alone, nothing is missing that a CSM could not ask them.
func (r *record) context(grades []grade) float64 {
	n := -r.idle
	roles, people := 0, 0
	told := false
	for i, spec := range r.e.card.Items {
		g := &grades[i]
		switch spec.Kind {
		case kindContacts, kindClosing, kindStage:
			continue
		case kindPerson:
			people++
			if g.role {
				roles++
			}
		}
		if g.firm {
			return r.e.card.Ghost.Signals
		}
		n += g.context
		told = told || g.points > 0 && !g.bare && !g.role
	}
	if people > 0 && roles == people {
		return r.e.card.Ghost.Signals
	}
	if !told {
		return 0
	}
	return max(n, 0)
}

// ghostReasons names what is absent of what makes a handoff (S4.28): first that there is no context, last how many of the
// signs there are.
func (r *record) ghostReasons(items int) []string {
	var note, met, introduced bool
	for _, src := range r.sources {
		note = note || src.summary && src.post && !src.ignored && !src.mail
	}
	for i := range r.s.Activities {
		a := &r.s.Activities[i]
		if a.At == nil || a.At.Before(r.s.Deal.CloseDate.Time()) || a.At.After(r.asOf) {
			continue
		}
		toCSM, toCustomer := r.reaches(a)
		met = met || a.Kind == crm.Meeting && r.fromOwn(a.From) && toCSM
		introduced = introduced || a.Kind != crm.Task && r.fromOwn(a.From) && toCSM && toCustomer
	}
	context := "no item has useful context"
	if items > 0 {
		context = fmt.Sprintf("useful context on only %d of %d items", items, len(r.e.card.Items))
	}
	reasons := []string{context}
	for _, sign := range []struct {
		there bool
		words string
	}{
		{note, "no note after the close"},
		{met, "no meeting of AE and CSM"},
		{introduced, "no introduction to the customer"},
	} {
		if !sign.there {
			reasons = append(reasons, sign.words)
		}
	}
	return append(reasons, fmt.Sprintf("%d of 4 signs of a ghost handoff", len(reasons)))
}

// reaches says whether an activity is addressed to someone of ours, the CSM among them, and to a contact.
func (r *record) reaches(a *crm.Activity) (own, customer bool) {
	for _, to := range a.To {
		own = own || r.fromOwn(to)
		customer = customer || r.people.byEmail[foldString(to)] != nil
	}
	return own, customer
}
