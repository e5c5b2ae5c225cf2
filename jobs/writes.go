package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// commit saves changes of deals, then queues the writes among them.
func (r *scoring) commit(ctx context.Context, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := r.Store.Save(ctx, r.id, changes); err != nil {
		return err
	}
	for _, c := range changes {
		if c.Write == nil {
			continue
		}
		if r.Diff != nil {
			r.Diff(c.Handoff, c.Write)
		}
		r.enqueue(c.Write, c.Handoff.AccountID)
	}
	return r.flush(ctx, chunk)
}

// refusal says why what was scored is not written; nil: it is, or shall not be.
func (r *scoring) refusal() error {
	if r.refused == nil {
		return nil
	}
	return fmt.Errorf("the deals are scored, but cannot be written: %w", r.refused)
}

// accountsRead is how many accounts are read together: a page of the CRM that has the largest.
const accountsRead = 2000

// accounts writes the health of each account's latest won deal onto the account, with the same merge as on deals.
func (r *scoring) accounts(ctx, work context.Context) error {
	for after := ""; ; {
		list, err := r.Store.Accounts(work, r.Connection, after, accountsRead)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return r.flush(work, 1)
		}
		ids := make([]string, len(list))
		for i, a := range list {
			ids[i] = a.AccountID
		}
		r.readAt = r.Clock()
		now, err := r.CRM.ReadValues(r.budget.Bound(work), crm.AccountObject, ids)
		if errors.Is(err, connectors.ErrConfig) { // as with a write: the deals are done
			r.refused = err
			return nil
		}
		if err != nil {
			return err
		}
		for some := range slices.Chunk(list, chunk) {
			if err := ctx.Err(); err != nil {
				return err
			}
			after = some[len(some)-1].AccountID
			if err := r.accountHealth(work, some, now); err != nil || r.refused != nil {
				return err
			}
			if r.Clock().Sub(r.readAt) > maxAge/2 { // writing takes long: the rest is read again
				break
			}
		}
	}
}

// accountHealth settles accounts by the values that they have now.
func (r *scoring) accountHealth(ctx context.Context, list []AccountHealth, now map[string]crm.Values) error {
	var changed []AccountHealth
	var writes []*Write
	for _, a := range list {
		values, ok := now[a.AccountID]
		if a.Health == "" || !ok && a.Parked == nil {
			continue
		}
		who := authors{earlier: a.Edits, at: r.readAt}
		m := merge(nil, a.Written, values, crm.Values{fieldHealth: a.Health}, a.Edits, who.of)
		parked := a.Parked
		if len(m.Send) == 0 { // nothing is left to be refused
			parked = nil
		}
		send := len(m.Send) > 0 && !parked.waits(m.Send, r.readAt)
		if send {
			writes = append(writes, r.intend(crm.Ref{Object: crm.AccountObject, ID: a.AccountID}, values, m.Send, parked))
		}
		if send || parked != a.Parked || !maps.Equal(a.Written, m.Written) || !maps.Equal(a.Edits, m.Edits) {
			a.Written, a.Edits, a.Parked = m.Written, m.Edits, parked
			changed = append(changed, a)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := r.Store.SaveAccounts(ctx, r.Connection, changed, writes); err != nil {
		return err
	}
	for _, w := range writes {
		r.enqueue(w, w.Ref.ID)
	}
	return r.flush(ctx, chunk)
}
