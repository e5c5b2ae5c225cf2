package store

import (
	"context"
	"maps"

	"github.com/jmoiron/sqlx"
)

// FindTemplates finds the texts that the cards of so many deals of a connection or more rest on: its templates from now on.
func (db *DB) FindTemplates(ctx context.Context, connection string, deals int) error {
	found, err := db.hashes(ctx, "find templates", `SELECT hash FROM texts WHERE connection = ? GROUP BY hash HAVING COUNT(*) >= ?`, connection, deals)
	if err != nil {
		return err
	}
	known, err := db.Templates(ctx, connection)
	if err != nil || maps.Equal(found, known) {
		return err
	}
	return db.update(ctx, "save templates", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, tx.Rebind(`DELETE FROM templates WHERE connection = ?`), connection); err != nil {
			return err
		}
		var insert *sqlx.Stmt
		if err := prepare(ctx, tx, map[**sqlx.Stmt]string{&insert: `INSERT INTO templates (connection, hash) VALUES (?, ?)`}); err != nil {
			return err
		}
		for hash := range found {
			if _, err := insert.ExecContext(ctx, connection, hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// Templates returns the hashes of the templates of a connection; the map is not nil.
func (db *DB) Templates(ctx context.Context, connection string) (map[int64]bool, error) {
	return db.hashes(ctx, "read templates", `SELECT hash FROM templates WHERE connection = ?`, connection)
}

func (db *DB) hashes(ctx context.Context, op, query string, args ...any) (map[int64]bool, error) {
	set := map[int64]bool{}
	err := db.query(ctx, op, func(rows *sqlx.Rows) error {
		var hash int64
		if err := rows.Scan(&hash); err != nil {
			return err
		}
		set[hash] = true
		return nil
	}, query, args...)
	return set, err
}
