package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
)

// Watermarks returns how far each kind of record of a connection has been read; it is never nil.
func (db *DB) Watermarks(ctx context.Context, connection string) (crm.Watermarks, error) {
	marks := crm.Watermarks{}
	err := db.query(ctx, "read watermarks", func(rows *sqlx.Rows) error {
		var (
			object, id string
			time       int64
		)
		if err := rows.Scan(&object, &time, &id); err != nil {
			return err
		}
		marks[object] = crm.Watermark{Time: moment(time), ID: id}
		return nil
	}, `SELECT object, time, id FROM watermarks WHERE connection = ?`, connection)
	if err != nil {
		return nil, err
	}
	return marks, nil
}

// SaveWatermarks moves the given watermarks of a connection, forwards or back, and leaves its others.
func (db *DB) SaveWatermarks(ctx context.Context, connection string, marks crm.Watermarks) error {
	return db.update(ctx, "save watermarks", func(tx *sqlx.Tx) error {
		for object, mark := range marks {
			if _, err := tx.ExecContext(ctx, tx.Rebind(`
				INSERT INTO watermarks (connection, object, time, id) VALUES (?, ?, ?, ?)
				ON CONFLICT (connection, object) DO UPDATE SET time = excluded.time, id = excluded.id`),
				connection, object, millis(mark.Time), mark.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
