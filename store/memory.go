package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
)

// Memory is what the connector of one connection may look up, and keep from one run to the next.
type Memory struct {
	db         *DB
	connection string
}

// Memory returns the memory of a connection.
func (db *DB) Memory(connection string) *Memory { return &Memory{db, connection} }

// Recall returns what was remembered last; nil: nothing.
func (m *Memory) Recall(ctx context.Context) (data []byte, err error) {
	err = m.db.query(ctx, "recall", func(rows *sqlx.Rows) error { return rows.Scan(&data) },
		`SELECT data FROM memory WHERE connection = ?`, m.connection)
	return data, err
}

// Remember replaces what was remembered; nil: it is forgotten.
func (m *Memory) Remember(ctx context.Context, data []byte) error {
	return m.db.update(ctx, "remember", func(tx *sqlx.Tx) error {
		if data == nil {
			_, err := tx.ExecContext(ctx, tx.Rebind(`DELETE FROM memory WHERE connection = ?`), m.connection)
			return err
		}
		_, err := tx.ExecContext(ctx, tx.Rebind(`
			INSERT INTO memory (connection, data) VALUES (?, ?)
			ON CONFLICT (connection) DO UPDATE SET data = excluded.data`), m.connection, data)
		return err
	})
}

// Snapshots returns by id the latest snapshots of those of the deals that the store holds. Of a deal whose card is finalised or
// reopened it holds none as pulled last: its news is not saved.
func (m *Memory) Snapshots(ctx context.Context, deals []string) (map[string]*crm.Snapshot, error) {
	held, err := m.db.Handoffs(ctx, m.connection, deals)
	if err != nil {
		return nil, err
	}
	snapshots := make(map[string]*crm.Snapshot, len(held))
	for id, h := range held {
		if !h.Finalised && !h.Reopened {
			snapshots[id] = h.Snapshot
		}
	}
	return snapshots, nil
}
