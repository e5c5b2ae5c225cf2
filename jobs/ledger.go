package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// Ledger keeps what we intended to write and what became of it.
type Ledger interface {
	// OpenWrites returns the intended writes whose outcome is unknown, oldest first.
	OpenWrites(ctx context.Context, connection string) ([]Write, error)
	// FinishWrites saves the outcomes in one transaction. A write that is done moves its values to Written of its record
	// and clears Pending and Parked of its record; one that is parked keeps Pending and sets Parked to its Refusal. Where a write takes back, its values
	// are what we last wrote, an empty one as if it never had been written, and its deal is Pending.
	FinishWrites(ctx context.Context, writes []Write) error
}

// finished is a write with its outcome.
type finished struct {
	Write
	err *connectors.Error // why it is not done; nil: it is
}

// send sends intended writes and saves their outcomes; it returns those that have one. Writes without an outcome stay
// intended. A record that the CRM does not find is looked for: where it is there, what is gone is another one that saving it
// touches, and the write is parked. refused says why the CRM takes no writes until a person helps; nil: it takes them.
func send(ctx context.Context, ledger Ledger, to connectors.Writer, writes []*Write) (all []finished, refused, err error) {
	if len(writes) == 0 {
		return nil, nil, nil
	}
	updates := make([]crm.Update, len(writes))
	for i, w := range writes {
		updates[i] = crm.Update{Ref: w.Ref, Values: w.After}
	}
	outcomes, err := to.Write(ctx, updates)
	if errors.Is(err, connectors.ErrConfig) {
		refused, err = err, nil
	}
	byRef := make(map[crm.Ref]connectors.Outcome, len(outcomes))
	var lost []crm.Ref
	for _, o := range outcomes {
		byRef[o.Ref] = o
		if dropped(o) {
			lost = append(lost, o.Ref)
		}
	}
	there, lookErr := readValues(ctx, to, lost)
	err = errors.Join(err, lookErr)
	var save []Write
	for _, w := range writes {
		o, certain := byRef[w.Ref]
		if !certain || lookErr != nil && dropped(o) {
			continue
		}
		f := finished{*w, o.Err}
		switch {
		case o.Err == nil:
			f.State = WriteDone
		case dropped(o) && there[w.Ref] == nil:
			f.State, f.Detail = WriteDropped, o.Err.Error()
		default:
			f.State, f.Detail, f.Refusal = WriteParked, o.Err.Error(), refusalOf(w, w.Refusal, o.Err)
		}
		all, save = append(all, f), append(save, f.Write)
	}
	if len(save) > 0 {
		err = errors.Join(err, ledger.FinishWrites(ctx, save))
	}
	return all, refused, err
}

// dropped reports whether the CRM did not find the record of o, or one that saving it touches.
func dropped(o connectors.Outcome) bool { return o.Err != nil && errors.Is(o.Err, connectors.ErrDrop) }

// resolve finds out what became of writes whose outcome was lost with the process that sent them. One that did not
// arrive is dropped: its deal is still Pending, or held, so it is looked at again before anything is written.
func resolve(ctx context.Context, ledger Ledger, from connectors.Writer, connection string) error {
	open, err := ledger.OpenWrites(ctx, connection)
	if err != nil {
		return err
	}
	for writes := range slices.Chunk(open, chunk) {
		refs := make([]crm.Ref, len(writes))
		for i, w := range writes {
			refs[i] = w.Ref
		}
		now, err := readValues(ctx, from, refs)
		if err != nil {
			return err
		}
		for i := range writes {
			w := &writes[i]
			w.State = WriteDropped
			if arrived(w, now[w.Ref]) {
				w.State = WriteDone
			}
		}
		if err := ledger.FinishWrites(ctx, writes); err != nil {
			return err
		}
	}
	return nil
}

// readValues reads our fields on deals and accounts; those that are gone, or none of this connection, are absent.
func readValues(ctx context.Context, from connectors.Writer, refs []crm.Ref) (map[crm.Ref]crm.Values, error) {
	ids := map[crm.Object][]string{}
	for _, ref := range refs {
		ids[ref.Object] = append(ids[ref.Object], ref.ID)
	}
	now := map[crm.Ref]crm.Values{}
	for _, object := range slices.Sorted(maps.Keys(ids)) {
		values, err := from.ReadValues(ctx, object, ids[object])
		if err != nil {
			return nil, err
		}
		for id, v := range values {
			now[crm.Ref{Object: object, ID: id}] = v
		}
	}
	return now, nil
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
