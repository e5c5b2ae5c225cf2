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

// commit saves changes of deals, then sends the writes among them and saves what became of them.
func (r *scoring) commit(ctx context.Context, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := r.Store.Save(ctx, r.id, changes); err != nil {
		return err
	}
	var writes []*Write
	for _, c := range changes {
		if c.Write == nil {
			continue
		}
		if r.Diff != nil {
			r.Diff(c.Handoff, c.Write)
		}
		writes = append(writes, c.Write)
	}
	done, err := r.send(ctx, writes)
	r.sum.Written += len(done)
	return err
}

// send sends intended writes and saves their outcomes; it returns those that were done. Writes without an outcome stay
// intended.
func (r *scoring) send(ctx context.Context, writes []*Write) (done []Write, err error) {
	if len(writes) == 0 {
		return nil, nil
	}
	updates := make([]crm.Update, len(writes))
	for i, w := range writes {
		updates[i] = crm.Update{Ref: w.Ref, Values: w.After}
	}
	outcomes, err := r.CRM.Write(ctx, updates)
	if errors.Is(err, connectors.ErrConfig) { // nothing can be written until a person helps: what is left is scored, and waits
		r.WriteBack, r.refused, err = false, err, nil
	}
	byRef := make(map[crm.Ref]connectors.Outcome, len(outcomes))
	for _, o := range outcomes {
		byRef[o.Ref] = o
	}
	var finished []Write
	for _, w := range writes {
		o, certain := byRef[w.Ref]
		if !certain {
			continue
		}
		f := *w
		switch {
		case o.Err == nil:
			f.State = WriteDone
			done = append(done, f)
		case errors.Is(o.Err, connectors.ErrDrop):
			f.State, f.Detail = WriteDropped, o.Err.Error()
		default:
			f.State, f.Detail = WriteParked, o.Err.Error()
			r.sum.Parked++
			r.Log.Warn("the CRM refused a write; it is tried again with the next run",
				"connection", r.Connection, "object", w.Ref.Object, "id", w.Ref.ID, "reason", f.Detail)
			if r.Parked != nil {
				r.Parked(w.Ref, o.Err)
			}
		}
		finished = append(finished, f)
	}
	if len(finished) > 0 {
		if saveErr := r.Store.FinishWrites(ctx, finished); saveErr != nil {
			return done, errors.Join(err, saveErr)
		}
	}
	return done, err
}

// refusal says why what was scored is not written; nil: it is, or shall not be.
func (r *scoring) refusal() error {
	if r.refused == nil {
		return nil
	}
	return fmt.Errorf("the deals are scored, but cannot be written: %w", r.refused)
}

// resolve finds out what became of writes whose outcome was lost with the process that sent them. One that did not
// arrive is dropped: its deal is still Pending, so it is merged again before anything is written.
func (r *scoring) resolve(ctx context.Context) error {
	open, err := r.Store.OpenWrites(ctx, r.Connection)
	if err != nil {
		return err
	}
	for writes := range slices.Chunk(open, chunk) {
		ids := map[crm.Object][]string{}
		for _, w := range writes {
			ids[w.Ref.Object] = append(ids[w.Ref.Object], w.Ref.ID)
		}
		now := map[crm.Ref]crm.Values{}
		for _, object := range slices.Sorted(maps.Keys(ids)) {
			values, err := r.CRM.ReadValues(ctx, object, ids[object])
			if err != nil {
				return err
			}
			for id, v := range values {
				now[crm.Ref{Object: object, ID: id}] = v
			}
		}
		for i := range writes {
			w := &writes[i]
			w.State = WriteDropped
			if arrived(w, now[w.Ref]) {
				w.State = WriteDone
			}
		}
		if err := r.Store.FinishWrites(ctx, writes); err != nil {
			return err
		}
	}
	return nil
}

// arrived reports whether w was applied, seen from the values that its record holds now. A CRM applies an update of a
// record as a whole, so a single field tells; the moment of scoring tells best, for nobody else sets it.
func arrived(w *Write, now crm.Values) bool {
	if stamp, ok := w.After[fieldScoredAt]; ok {
		return now[fieldScoredAt] == stamp
	}
	for field, after := range w.After {
		if current, visible := now[field]; visible && same(current, after) {
			return true
		}
	}
	return false
}

// accounts writes the health of each account's latest won deal onto the account, with the same merge as on deals.
func (r *scoring) accounts(ctx, work context.Context) error {
	for after := ""; ; {
		list, err := r.Store.Accounts(work, r.Connection, after, chunk)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		after = list[len(list)-1].AccountID
		if err := r.accountHealth(work, list); err != nil || r.refused != nil {
			return err
		}
	}
}

func (r *scoring) accountHealth(ctx context.Context, list []AccountHealth) error {
	ids := make([]string, len(list))
	for i, a := range list {
		ids[i] = a.AccountID
	}
	at := r.Clock()
	now, err := r.CRM.ReadValues(ctx, crm.AccountObject, ids)
	if errors.Is(err, connectors.ErrConfig) { // as with a write: the deals are done
		r.refused = err
		return nil
	}
	if err != nil {
		return err
	}
	var changed []AccountHealth
	var writes []*Write
	for _, a := range list {
		values, ok := now[a.AccountID]
		if !ok || a.Health == "" {
			continue
		}
		who := authors{earlier: a.Edits, at: at}
		m := merge(nil, a.Written, values, crm.Values{fieldHealth: a.Health}, a.Edits, who.of)
		if len(m.Send) > 0 {
			writes = append(writes, r.intend(crm.Ref{Object: crm.AccountObject, ID: a.AccountID}, values, m.Send))
		}
		if len(m.Send) > 0 || !maps.Equal(a.Written, m.Written) || !maps.Equal(a.Edits, m.Edits) {
			a.Written, a.Edits = m.Written, m.Edits
			changed = append(changed, a)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := r.Store.SaveAccounts(ctx, r.Connection, changed, writes); err != nil {
		return err
	}
	_, err = r.send(ctx, writes)
	return err
}
