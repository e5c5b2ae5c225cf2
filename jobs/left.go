package jobs

import (
	"context"
	"errors"
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

func newUnread() unread { return unread{map[string]bool{}, map[crm.Part]bool{}} }

func (u *unread) add(deal string, parts []crm.Part) {
	u.deals[deal] = true
	for _, part := range parts {
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

// lacking says what keeps deals from being scored in full, and scores from being written; nil: nothing does. It looks at our
// fields only where the run did its work: one that failed says so itself.
func (r *scoring) lacking(ctx context.Context, worked bool) ([]string, error) {
	var unusable []connectors.Finding
	var err error
	if worked {
		unusable, err = r.unusable(ctx)
	}
	readErr := r.unreadBefore(ctx)
	held, heldErr := r.Store.Held(ctx, r.Connection)
	return r.sayLacking(unusable, held), errors.Join(err, readErr, heldErr)
}

// unreadBefore adds the deals that an earlier run could not read whole, and that had no news since.
func (r *scoring) unreadBefore(ctx context.Context) error {
	for after := ""; ; {
		list, err := r.Store.Unread(ctx, r.Connection, after, chunk)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, h := range list {
			if !r.seen[h.DealID] {
				r.unread.add(h.DealID, h.Snapshot.Unread)
			}
		}
		after = list[len(list)-1].DealID
	}
}

// sayLacking puts into words what is lacking. held counts the records that rollbacks hold, by run.
func (r *scoring) sayLacking(unusable []connectors.Finding, held map[int64]int) []string {
	all := r.sayUnwritten(unusable)
	if r.behind != nil {
		all = append(all, fmt.Sprintf("not all deals are read yet: %v", r.behind))
	}
	if r.sum.Parked > 0 {
		all = append(all, sayParked(r.sum.Parked))
	}
	for _, run := range slices.Sorted(maps.Keys(held)) {
		all = append(all, fmt.Sprintf("%s held, because run %d was rolled back: `handoff run --dry-run` shows what would be written, `handoff rollback %d --release` lets it be written",
			count(held[run], "record"), run, run))
	}
	if deals := len(r.unread.deals); deals > 0 {
		all = append(all, fmt.Sprintf("%s not scored in full, because handoff could not read: %s. `handoff check` says why, and what to do",
			count(deals, "deal"), partNames(slices.Sorted(maps.Keys(r.unread.parts)))))
	}
	if len(r.unlisted) > 0 {
		all = append(all, fmt.Sprintf("the CRM refuses to list what is new of: %s. A deal that has such news alone is scored when it has other news, too. `handoff check` says why, and what to do",
			partNames(slices.Sorted(maps.Keys(r.unlisted)))))
	}
	return all
}

// sayUnwritten puts into words which fields of ours cannot be written.
func (r *scoring) sayUnwritten(unusable []connectors.Finding) []string {
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
	return all
}

func sayParked(rows int) string {
	return fmt.Sprintf("%s refused by the CRM: `handoff deals --parked` says why, what to do, and when the write is tried again", count(rows, "row"))
}

// amiss says what a reconciliation could not do itself; nil: it did all. What is lacking beside that the score job says.
func (r *scoring) amiss(ctx context.Context, worked bool) ([]string, error) {
	var unusable []connectors.Finding
	var err error
	if worked {
		unusable, err = r.unusable(ctx)
	}
	all := r.sayUnwritten(unusable)
	if r.parked > 0 {
		all = append(all, sayParked(r.parked))
	}
	if deals := len(r.spared.deals); deals > 0 {
		all = append(all, fmt.Sprintf("%s not compared in full, because handoff could not read: %s. `handoff check` says why, and what to do",
			count(deals, "deal"), partNames(slices.Sorted(maps.Keys(r.spared.parts)))))
	}
	return all, err
}

// estranged says what the records that this run found gone leave for a person; nil: nothing. It is said once.
func (r *scoring) estranged() []string {
	var all []string
	if n := len(r.vanished); n > 0 {
		all = append(all, fmt.Sprintf("%s cannot be found in the CRM any more: removed for good, or hidden from the user that handoff logs in as. If you did not remove them, let that user see them",
			count(n, "deal")))
	}
	if n := len(r.stranded); n > 0 {
		all = append(all, fmt.Sprintf("what people had set on %s is not on the deals that they were merged into: `handoff explain` of each shows it (%s)",
			count(n, "merged deal"), some(slices.Sorted(maps.Keys(r.stranded)))))
	}
	return all
}

// some lists a few of the ids, and says how many more there are.
func some(ids []string) string {
	const most = 5
	if more := len(ids) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), more)
	}
	return strings.Join(ids, ", ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
