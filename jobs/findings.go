package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"handoff/crm"
	"handoff/rules"
)

// alarm is why a manager should look at a deal; the greater the more urgent.
type alarm int

const (
	calm alarm = iota
	incomplete
	ghost
)

// alarmOf goes by what people see in the CRM.
func alarmOf(h *Handoff) alarm {
	switch {
	case h.Reopened:
	case h.Merged[fieldGhost] == "true":
		return ghost
	case h.Merged[fieldRating] == rules.Incomplete, h.Card != nil && h.Card.Small && h.Merged[fieldComplete] == "false":
		return incomplete
	}
	return calm
}

// flag keeps the count of flagged deals.
func (r *scoring) flag(prev, h *Handoff) {
	if alarmOf(prev) != calm {
		r.sum.Flagged--
	}
	if alarmOf(h) != calm {
		r.sum.Flagged++
	}
}

// finding returns the message about a deal that got worse than it was, nil for any other, and for one closed before
// findings begin.
func (r *scoring) finding(prev, h *Handoff, card *rules.Card, newVersion bool) *Message {
	now := alarmOf(h)
	if now <= alarmOf(prev) || r.silent || card.Unread() {
		return nil
	}
	deal := &h.Snapshot.Deal
	if deal.CloseDate != nil && deal.CloseDate.Time().Before(r.alerts.UTC().Truncate(24*time.Hour)) {
		return nil
	}
	kind, title := "incomplete", "Incomplete handoff: "+dealName(deal)
	if now == ghost {
		kind, title = "ghost", "Ghost handoff: "+dealName(deal)
	}
	version := prev.Version
	if newVersion {
		version++
	}
	return &Message{
		Key:        fmt.Sprintf("%s/%s/%s/%d", h.Connection, h.DealID, kind, version),
		Connection: h.Connection,
		DealID:     h.DealID,
		Title:      line(title, lineLength),
		Body:       findingBody(h, now),
		CreatedAt:  r.Clock(),
	}
}

func dealName(d *crm.Deal) string {
	if d.Name == "" {
		return d.ID
	}
	return d.Name
}

// topQuestions is how many open questions a message asks; the rest are on the deal.
const topQuestions = 3

// findingBody says in plain words what a manager needs in order to act.
func findingBody(h *Handoff, why alarm) string {
	deal := &h.Snapshot.Deal
	var b strings.Builder
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, line(value, lineLength))
		}
	}
	fact("Account", deal.Account)
	if deal.CloseDate != nil {
		fact("Closed", deal.CloseDate.String())
	}
	ae, csm := "not recorded", "not assigned"
	if deal.Owner != nil && deal.Owner.Name != "" {
		ae = deal.Owner.Name
	}
	if deal.CSM != nil && deal.CSM.Name != "" {
		csm = deal.CSM.Name
	}
	fact("AE", ae)
	fact("CSM", csm)
	fact("Score", fmt.Sprintf("%s of %s, %s", h.Merged[fieldScore], h.Merged[fieldMax], h.Merged[fieldRating]))
	if why == ghost {
		fact("Why", h.Merged[fieldReason])
	}
	if open := slices.Collect(strings.Lines(h.Merged[fieldGaps])); len(open) > 0 {
		b.WriteString("Open questions:\n")
		for _, q := range open[:min(topQuestions, len(open))] {
			fmt.Fprintf(&b, "- %s\n", strings.TrimSpace(q))
		}
		if more := len(open) - topQuestions; more > 0 {
			fmt.Fprintf(&b, "and %d more on the deal\n", more)
		}
	}
	fact("Next", h.Merged[fieldAction])
	return strings.TrimSpace(b.String())
}
