package rules

import (
	"fmt"
	"time"

	"handoff/crm"
)

// ghost decides whether any useful context was transferred, and if not, whether Sales still has time to do so.
func (r *record) ghost(c *Card) {
	d := &r.s.Deal
	due := r.later
	if d.Won && c.signals(r) < r.e.card.Ghost.Signals {
		if d.CloseDate == nil {
			c.DueAt = due
			return
		}
		deadline := lastBusinessDay(d.CloseDate.Time(), r.e.card.Ghost.BusinessDays).AddDate(0, 0, 1)
		if r.asOf.Before(deadline) {
			c.Ghost = GhostPending
			if due == nil || deadline.Before(*due) {
				due = &deadline
			}
		} else {
			c.Ghost = GhostYes
		}
		c.GhostReasons = r.ghostReasons()
	}
	c.DueAt = due
}

// signals counts the items for which text carries context.
func (c *Card) signals(r *record) int {
	return r.context
}

func (r *record) ghostReasons() []string {
	reasons := []string{}
	post, met, intro := false, false, false
	for i := range r.s.Notes {
		n := &r.s.Notes[i]
		post = post || n.At != nil && !n.At.After(r.asOf) && r.s.Deal.CloseDate != nil && !n.At.Before(r.s.Deal.CloseDate.Time()) && !r.isRobot(n.Author)
	}
	for i := range r.s.Activities {
		a := &r.s.Activities[i]
		if a.At == nil || r.s.Deal.CloseDate == nil || a.At.Before(r.s.Deal.CloseDate.Time()) {
			continue
		}
		switch a.Kind {
		case crm.Meeting:
			met = met || r.withCSM(a)
		case crm.Email:
			intro = intro || !a.At.After(r.asOf) && r.fromOwn(a.From) && len(a.To) > 1
		}
	}
	signals, of := 1, 4
	if !post {
		signals++
		reasons = append(reasons, "no note after the close")
	}
	if !met {
		signals++
		reasons = append(reasons, "no meeting between AE and CSM")
	}
	if !intro {
		signals++
		reasons = append(reasons, "no introduction to the customer")
	}
	return append(reasons, fmt.Sprintf("no item has useful context (%d of %d signals)", signals, of))
}

func (r *record) withCSM(a *crm.Activity) bool {
	if r.s.Deal.CSM == nil {
		return false
	}
	for _, to := range append([]string{a.From}, a.To...) {
		if to != "" && to == r.s.Deal.CSM.Email || r.fromOwn(to) {
			return true
		}
	}
	return false
}

// lastBusinessDay returns the n-th business day after day.
func lastBusinessDay(day time.Time, n int) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if wd := day.Weekday(); wd != time.Saturday && wd != time.Sunday {
			n--
		}
	}
	return day
}
