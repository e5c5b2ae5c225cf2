package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/jobs"
)

const insertMessage = `
	INSERT INTO outbox (key, connection, deal_id, title, body, created_at) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (key) DO NOTHING`

// Unsent returns up to limit messages that are still to be sent, oldest first.
func (db *DB) Unsent(ctx context.Context, limit int) ([]jobs.Message, error) {
	var messages []jobs.Message
	err := db.query(ctx, "read outbox", func(rows *sqlx.Rows) error {
		var (
			m       jobs.Message
			created int64
			tried   *int64
		)
		if err := rows.Scan(&m.ID, &m.Key, &m.Connection, &m.DealID, &m.Title, &m.Body, &created, &m.Attempts, &tried); err != nil {
			return err
		}
		m.CreatedAt = moment(created)
		if tried != nil {
			m.TriedAt = moment(*tried)
		}
		messages = append(messages, m)
		return nil
	}, `SELECT id, key, connection, deal_id, title, body, created_at, attempts, tried_at FROM outbox
		WHERE sent_at IS NULL ORDER BY id LIMIT ?`, limit)
	return messages, err
}

// MarkSent records the outcome of sending at the given moment: err nil removes the message from the outbox for good, another
// counts as an attempt in vain. The text of err is not kept: it may name an address that is a secret.
func (db *DB) MarkSent(ctx context.Context, id int64, at time.Time, err error) error {
	query := `UPDATE outbox SET sent_at = ?, title = '', body = '' WHERE id = ?`
	if err != nil {
		query = `UPDATE outbox SET tried_at = ?, attempts = attempts + 1 WHERE id = ?`
	}
	return db.update(ctx, "mark message", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(query), millis(at), id)
		return err
	})
}
