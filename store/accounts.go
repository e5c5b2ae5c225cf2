package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"handoff/jobs"
)

// Accounts returns up to limit accounts above after, in order of id, whose health is not what we last wrote, or refused, and
// that are not held; one that a person has set is among them, for it may be handed back. An account's health is that of its latest won deal, by close date, then id, whose health is known.
func (db *DB) Accounts(ctx context.Context, connection, after string, limit int) ([]jobs.AccountHealth, error) {
	var accounts []jobs.AccountHealth
	err := db.query(ctx, "find accounts", func(rows *sqlx.Rows) error {
		var (
			a                      jobs.AccountHealth
			written, edits, parked string
		)
		if err := rows.Scan(&a.AccountID, &a.Health, &written, &edits, &parked); err != nil {
			return err
		}
		if err := errors.Join(decode(written, &a.Written), decode(edits, &a.Edits), decodeRefusal(parked, &a.Parked)); err != nil {
			return fmt.Errorf("account %s: %w", a.AccountID, err)
		}
		accounts = append(accounts, a)
		return nil
	}, `
		SELECT h.account_id, h.health, COALESCE(a.written, '{}'), COALESCE(a.edits, '{}'), COALESCE(a.parked, '')
		FROM handoffs h LEFT JOIN accounts a ON a.connection = h.connection AND a.account_id = h.account_id
		WHERE h.connection = ? AND h.account_id > ? AND NOT h.reopened AND h.health <> ''
			AND (h.health <> COALESCE(a.health, '') OR a.parked <> '') AND COALESCE(a.held, 0) = 0
			AND NOT EXISTS (
				SELECT 1 FROM handoffs later
				WHERE later.connection = h.connection AND later.account_id = h.account_id
					AND NOT later.reopened AND later.health <> ''
					AND (later.close_date, later.deal_id) > (h.close_date, h.deal_id))
		ORDER BY h.account_id LIMIT ?`, connection, after, limit)
	return accounts, err
}

// SaveAccounts saves edits, written values and refusals of accounts together with intended writes, in one transaction; writes get their
// IDs. A write's account must be saved with it or before it.
func (db *DB) SaveAccounts(ctx context.Context, connection string, accounts []jobs.AccountHealth, writes []*jobs.Write) error {
	ids := make([]int64, len(writes))
	err := db.update(ctx, "save accounts", func(tx *sqlx.Tx) error {
		for _, a := range accounts {
			written, err := encode(a.Written)
			if err != nil {
				return err
			}
			edits, err := encode(a.Edits)
			if err != nil {
				return err
			}
			parked, err := encodeRefusal(a.Parked)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind(`
				INSERT INTO accounts (connection, account_id, health, written, edits, parked) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (connection, account_id) DO UPDATE SET
					health = excluded.health, written = excluded.written, edits = excluded.edits, parked = excluded.parked`),
				connection, a.AccountID, a.Written[healthField], written, edits, parked); err != nil {
				return fmt.Errorf("account %s: %w", a.AccountID, err)
			}
		}
		for i, w := range writes {
			before, after, err := encodeWrite(w)
			if err != nil {
				return err
			}
			if err := tx.GetContext(ctx, &ids[i], tx.Rebind(insertWrite),
				w.RunID, w.Undoes, connection, w.Ref.Object, w.Ref.ID, before, after, millis(w.At)); err != nil {
				return fmt.Errorf("write to %s %s: %w", w.Ref.Object, w.Ref.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, w := range writes {
		w.ID = ids[i]
	}
	return nil
}
