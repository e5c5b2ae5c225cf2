package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
	"handoff/jobs"
)

const insertWrite = `
	INSERT INTO writes (run_id, undoes, connection, object, record_id, before_values, after_values, state, detail, intended_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, 'intended', '', ?) RETURNING id`

func encodeWrite(w *jobs.Write) (before, after string, err error) {
	before, err1 := encode(w.Before)
	after, err2 := encode(w.After)
	return before, after, errors.Join(err1, err2)
}

const selectWrites = `
	SELECT id, run_id, undoes, connection, object, record_id, before_values, after_values, state, detail, intended_at FROM writes `

func (db *DB) writes(ctx context.Context, op, conditions string, args ...any) ([]jobs.Write, error) {
	var found []jobs.Write
	err := db.query(ctx, op, func(rows *sqlx.Rows) error {
		var (
			w             jobs.Write
			before, after string
			at            int64
		)
		if err := rows.Scan(&w.ID, &w.RunID, &w.Undoes, &w.Connection, &w.Ref.Object, &w.Ref.ID, &before, &after, &w.State, &w.Detail, &at); err != nil {
			return err
		}
		w.At = moment(at)
		if err := errors.Join(decode(before, &w.Before), decode(after, &w.After)); err != nil {
			return fmt.Errorf("write %d: %w", w.ID, err)
		}
		found = append(found, w)
		return nil
	}, selectWrites+conditions, args...)
	return found, err
}

// OpenWrites returns the intended writes whose outcome is unknown, oldest first.
func (db *DB) OpenWrites(ctx context.Context, connection string) ([]jobs.Write, error) {
	return db.writes(ctx, "read open writes", `WHERE connection = ? AND state = 'intended' ORDER BY id`, connection)
}

// Writes returns the ledger of one record, newest first.
func (db *DB) Writes(ctx context.Context, connection string, ref crm.Ref) ([]jobs.Write, error) {
	return db.writes(ctx, "read the ledger", `WHERE connection = ? AND object = ? AND record_id = ? ORDER BY id DESC`,
		connection, ref.Object, ref.ID)
}

// FinishWrites saves the outcomes in one transaction, each by its write's ID, State and Detail. A write that is done moves its
// values to Written of its record and clears Pending and Parked of that; one that is parked keeps Pending and sets
// Parked to its Refusal; one that is dropped leaves its record as it is. Where a write takes back, its values are what we last wrote, an empty
// one as if it never had been written, and its deal is Pending. A write has one outcome: another one is an error.
func (db *DB) FinishWrites(ctx context.Context, writes []jobs.Write) error {
	return db.update(ctx, "finish writes", func(tx *sqlx.Tx) error {
		finish, err := tx.PreparexContext(ctx, tx.Rebind(`
			UPDATE writes SET state = ?, detail = ? WHERE id = ? AND state = 'intended'
			RETURNING undoes, connection, object, record_id, after_values`))
		if err != nil {
			return err
		}
		records, err := prepareRecords(ctx, tx)
		if err != nil {
			return err
		}
		for _, w := range writes {
			if err := finishWrite(ctx, finish, records, w); err != nil {
				return fmt.Errorf("write %d: %w", w.ID, err)
			}
		}
		return nil
	})
}

func finishWrite(ctx context.Context, finish *sqlx.Stmt, records *records, w jobs.Write) error {
	var after string
	err := finish.QueryRowxContext(ctx, w.State, w.Detail, w.ID).Scan(&w.Undoes, &w.Connection, &w.Ref.Object, &w.Ref.ID, &after)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("it is not open")
	}
	if err != nil {
		return err
	}
	switch w.State {
	case jobs.WriteDone:
		var values crm.Values
		if err := decode(after, &values); err != nil {
			return err
		}
		return records.written(ctx, w, values)
	case jobs.WriteParked:
		return records.parked(ctx, w)
	case jobs.WriteDropped:
		return nil
	default:
		return fmt.Errorf("%q is no outcome", w.State)
	}
}

// records moves the outcomes of writes to deals and accounts.
type records struct {
	deal, dealDone, dealParked *sqlx.Stmt
	account, accountDone       *sqlx.Stmt
	accountParked              *sqlx.Stmt
}

func prepareRecords(ctx context.Context, tx *sqlx.Tx) (*records, error) {
	var r records
	return &r, prepare(ctx, tx, map[**sqlx.Stmt]string{
		&r.deal:          `SELECT written FROM handoffs WHERE connection = ? AND deal_id = ?`,
		&r.dealDone:      `UPDATE handoffs SET written = ?, pending = ?, parked = '' WHERE connection = ? AND deal_id = ?`,
		&r.dealParked:    `UPDATE handoffs SET parked = ? WHERE connection = ? AND deal_id = ?`,
		&r.account:       `SELECT written FROM accounts WHERE connection = ? AND account_id = ?`,
		&r.accountDone:   `UPDATE accounts SET written = ?, health = ?, parked = '' WHERE connection = ? AND account_id = ?`,
		&r.accountParked: `UPDATE accounts SET parked = ? WHERE connection = ? AND account_id = ?`,
	})
}

// written adds values to what the record of w holds of ours.
func (r *records) written(ctx context.Context, w jobs.Write, values crm.Values) error {
	read := r.deal
	if w.Ref.Object == crm.AccountObject {
		read = r.account
	}
	var text string
	if err := read.GetContext(ctx, &text, w.Connection, w.Ref.ID); err != nil {
		return fmt.Errorf("read %s %s: %w", w.Ref.Object, w.Ref.ID, err)
	}
	var all crm.Values
	if err := decode(text, &all); err != nil {
		return err
	}
	maps.Copy(all, values)
	if w.Undoes != 0 {
		maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	}
	text, err := encode(all)
	if err != nil {
		return err
	}
	if w.Ref.Object == crm.AccountObject {
		_, err = r.accountDone.ExecContext(ctx, text, all[healthField], w.Connection, w.Ref.ID)
	} else {
		_, err = r.dealDone.ExecContext(ctx, text, w.Undoes != 0, w.Connection, w.Ref.ID)
	}
	return err
}

// parked keeps the refusal beside the record. What cannot be taken back is nothing for a run to try again.
func (r *records) parked(ctx context.Context, w jobs.Write) error {
	if w.Undoes != 0 {
		return nil
	}
	refusal, err := encodeRefusal(w.Refusal)
	if err != nil {
		return err
	}
	park := r.dealParked
	if w.Ref.Object == crm.AccountObject {
		park = r.accountParked
	}
	_, err = park.ExecContext(ctx, refusal, w.Connection, w.Ref.ID)
	return err
}
