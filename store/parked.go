package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
	"handoff/jobs"
)

// encodeRefusal returns "" for nil.
func encodeRefusal(r *jobs.Refusal) (string, error) {
	if r == nil {
		return "", nil
	}
	return encode(r)
}

// decodeRefusal reads what encodeRefusal made.
func decodeRefusal(text string, r **jobs.Refusal) error {
	if text == "" {
		*r = nil
		return nil
	}
	*r = new(jobs.Refusal)
	return decode(text, *r)
}

// CountParked counts the records of a connection whose last write the CRM refused, but for those that are held.
func (db *DB) CountParked(ctx context.Context, connection string) (records int, err error) {
	err = db.reader.GetContext(ctx, &records, db.reader.Rebind(`
		SELECT (SELECT COUNT(*) FROM handoffs WHERE connection = ? AND parked <> '' AND held = 0)
			+ (SELECT COUNT(*) FROM accounts WHERE connection = ? AND parked <> '' AND held = 0)`), connection, connection)
	return records, db.failed("count parked records", err)
}

// Parked returns the records of a connection (empty: of all) whose last write the CRM refused, but for those that are held: by
// connection, by what the CRM says, and the longest refused first.
func (db *DB) Parked(ctx context.Context, connection string) ([]jobs.Parked, error) {
	const op = "list parked records"
	var parked []jobs.Parked
	err := db.eachHandoff(ctx, op, func(h *jobs.Handoff) error {
		parked = append(parked, jobs.Parked{Connection: h.Connection, Ref: crm.Ref{Object: crm.DealObject, ID: h.DealID},
			Name: h.Snapshot.Deal.Name, Refusal: *h.Parked})
		return nil
	}, `WHERE ? IN ('', h.connection) AND h.parked <> '' AND h.held = 0`, connection)
	err = errors.Join(err, db.query(ctx, op, func(rows *sqlx.Rows) error {
		p := jobs.Parked{Ref: crm.Ref{Object: crm.AccountObject}}
		var refusal string
		if err := rows.Scan(&p.Connection, &p.Ref.ID, &refusal); err != nil {
			return err
		}
		err := decode(refusal, &p.Refusal)
		parked = append(parked, p)
		return err
	}, `SELECT connection, account_id, parked FROM accounts WHERE ? IN ('', connection) AND parked <> '' AND held = 0`, connection))
	slices.SortFunc(parked, func(a, b jobs.Parked) int {
		return cmp.Or(
			cmp.Compare(a.Connection, b.Connection),
			cmp.Compare(a.Refusal.Code, b.Refusal.Code),
			cmp.Compare(a.Refusal.Message, b.Refusal.Message),
			a.Refusal.Since.Compare(b.Refusal.Since),
			cmp.Compare(a.Ref.ID, b.Ref.ID),
		)
	})
	return parked, err
}

// NextDue returns the first moment after the given one at which a write that was refused may be tried again, or time alone
// may change a card; the zero time: there is none.
func (db *DB) NextDue(ctx context.Context, connection string, after time.Time) (time.Time, error) {
	var due *int64
	err := db.reader.GetContext(ctx, &due, db.reader.Rebind(`
		SELECT MIN(due_at) FROM handoffs WHERE connection = ? AND due_at > ? AND NOT finalised AND NOT reopened`), connection, millis(after))
	if err != nil {
		return time.Time{}, db.failed("find out what is due", err)
	}
	var first time.Time
	if due != nil {
		first = moment(*due)
	}
	parked, err := db.Parked(ctx, connection)
	for _, p := range parked {
		if next := p.Refusal.Next; next.After(after) && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	return first, err
}
