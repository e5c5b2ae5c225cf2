package jobs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// queued is a write that is intended and not sent yet. Writes wait for each other, so that a call carries as many of them as a
// CRM takes; what was saved with them tells the next run where this one dies.
type queued struct {
	*Write
	account string    // that the record belongs to
	read    time.Time // no value that it was decided on was read before
}

// enqueue puts a write that was just saved behind the others.
func (r *scoring) enqueue(w *Write, account string) {
	r.queue = append(r.queue, queued{w, account, r.readAt})
}

// flush sends what is queued, a collection at a time, as long as it is at least so much, or cannot wait for more.
func (r *scoring) flush(ctx context.Context, least int) error {
	for len(r.queue) > 0 && (len(r.queue) >= least || r.Clock().Sub(r.queue[0].read) > maxAge/2) {
		batch := r.queue[:min(chunk, len(r.queue))]
		r.queue = r.queue[len(batch):]
		if err := r.send(ctx, batch); err != nil {
			return err
		}
		if r.refused != nil { // the rest would be, too; the next run finds out that it was not sent
			r.queue = nil
		}
	}
	return nil
}

// settleQueue sends all that is queued if one of these deals is among it: what is decided on it next has to see what was
// written, and a CRM takes a record once in a collection. It reports whether it did.
func (r *scoring) settleQueue(ctx context.Context, ids []string) (bool, error) {
	if !slices.ContainsFunc(r.queue, func(q queued) bool { return slices.Contains(ids, q.Ref.ID) }) {
		return false, nil
	}
	return true, r.flush(ctx, 1)
}

// drain sends all that is queued once the deals are done, with what error ever, and returns that, else its own. An error that
// would meet the writes as well leaves them to the next run; the run's budget, when it is used up, has room for them.
func (r *scoring) drain(ctx context.Context, err error) error {
	if errors.Is(err, connectors.ErrConfig) || errors.Is(err, connectors.ErrQuota) && !errors.Is(err, connectors.ErrBudget) {
		return err
	}
	return cmp.Or(err, r.flush(ctx, 1))
}

// send sends writes and saves their outcomes: those to records of one account beside each other, for a CRM that locks an
// account with its records then locks it once. What was read too long ago is not sent: waiting decides on it again.
func (r *scoring) send(ctx context.Context, batch []queued) error {
	slices.SortStableFunc(batch, func(a, b queued) int { return cmp.Compare(a.account, b.account) })
	var writes []*Write
	var late []Write
	for _, q := range batch {
		if r.Clock().Sub(q.read) <= maxAge {
			writes = append(writes, q.Write)
			continue
		}
		w := *q.Write
		w.State, w.Detail = WriteDropped, "the record was read too long before"
		late = append(late, w)
		delete(r.seen, w.Ref.ID)
	}
	if len(late) > 0 {
		if err := r.Store.FinishWrites(ctx, late); err != nil {
			return err
		}
	}
	all, refused, err := send(ctx, r.Store, r.CRM, writes)
	if refused != nil { // what is left is scored, and waits
		r.WriteBack, r.refused = false, refused
	}
	for _, f := range all {
		switch {
		case f.State == WriteDone && f.Ref.Object == crm.DealObject:
			r.sum.Written++
		case f.State == WriteParked:
			r.parked++
			r.Log.Warn("the CRM refused a write", "connection", r.Connection, "object", f.Ref.Object, "id", f.Ref.ID, "reason", f.Detail,
				"tries", f.Refusal.Tries, "next", f.Refusal.Next)
		}
	}
	return err
}
