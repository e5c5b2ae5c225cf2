package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// unread keeps which deals could not be read whole, by id, and what could not be read of them.
type unread struct {
	deals map[string]bool
	parts map[crm.Part]bool
}

func (u *unread) add(h *Handoff) {
	u.deals[h.DealID] = true
	for _, part := range h.Snapshot.Unread {
		u.parts[part] = true
	}
}

// unusable returns the fields of ours that cannot be written, and tells of them.
func (r *scoring) unusable(ctx context.Context) ([]connectors.Finding, error) {
	found, err := r.CRM.Unusable(ctx)
	if len(found) > 0 && r.Unusable != nil {
		r.Unusable(found)
	}
	return found, err
}

// left says what is left for a person; "": nothing is. held counts the records that rollbacks hold, by run.
func (r *scoring) left(unusable []connectors.Finding, held map[int64]int) string {
	var all []string
	switch fields := len(Fields(r.Engine.Scorecard())); {
	case len(unusable) >= fields:
		all = append(all, "no field of handoff can be written")
	case len(unusable) > 0:
		all = append(all, fmt.Sprintf("%d of the %d fields of handoff cannot be written", len(unusable), fields))
	}
	if r.unshown != nil {
		all = append(all, fmt.Sprintf("the health of accounts cannot be written: %v", r.unshown))
	}
	if r.sum.Parked > 0 {
		all = append(all, fmt.Sprintf("%s refused by the CRM: `handoff deals --parked` says why, what to do, and when the write is tried again", count(r.sum.Parked, "row")))
	}
	for _, run := range slices.Sorted(maps.Keys(held)) {
		all = append(all, fmt.Sprintf("%s held, because run %d was rolled back: `handoff run --dry-run` shows what would be written, `handoff rollback %d --release` lets it be written",
			count(held[run], "record"), run, run))
	}
	if deals := len(r.unread.deals); deals > 0 {
		all = append(all, fmt.Sprintf("%s not scored in full, because handoff could not read: %s. `handoff check` says why, and what to do",
			count(deals, "deal"), partNames(slices.Sorted(maps.Keys(r.unread.parts)))))
	}
	return strings.Join(all, "; ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
