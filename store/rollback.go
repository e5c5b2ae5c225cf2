package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
	"handoff/jobs"
)

// Run returns the run with the given id; nil: there is none.
func (db *DB) Run(ctx context.Context, id int64) (*jobs.Run, error) {
	runs, err := db.runs(ctx, "read run", `SELECT `+runColumns+` FROM runs WHERE id = ?`, id)
	if len(runs) == 0 {
		return nil, err
	}
	return &runs[0], err
}

// RunsThatWrote returns the last runs that wrote to a CRM, newest first, up to limit.
func (db *DB) RunsThatWrote(ctx context.Context, limit int) ([]jobs.Written, error) {
	var found []jobs.Written
	err := db.query(ctx, "list runs that wrote", func(rows *sqlx.Rows) error {
		var (
			w       jobs.Written
			started int64
		)
		err := rows.Scan(&w.Run, &w.Connection, &started, &w.Undoes, &w.Records, &w.UndoneBy, &w.Held)
		w.StartedAt = moment(started)
		found = append(found, w)
		return err
	}, `
		SELECT r.id, r.connection, r.started_at, w.undoes, w.records,
			COALESCE((SELECT MAX(u.run_id) FROM writes u WHERE u.undoes = r.id AND u.state = 'done'), 0),
			(SELECT COUNT(*) FROM handoffs h WHERE h.held = r.id) + (SELECT COUNT(*) FROM accounts a WHERE a.held = r.id)
		FROM runs r JOIN (
			SELECT run_id, MAX(undoes) AS undoes, COUNT(*) AS records FROM writes WHERE state = 'done'
			GROUP BY run_id ORDER BY run_id DESC LIMIT ?
		) w ON w.run_id = r.id
		ORDER BY r.id DESC`, limit)
	return found, err
}

// WritesSince returns the writes since a run began, those that are done or may be, to up to limit of the records above after
// that the run wrote to: in order of object and record, and of each record oldest first.
func (db *DB) WritesSince(ctx context.Context, run jobs.Run, after crm.Ref, limit int) ([]jobs.Write, error) {
	return db.writes(ctx, "read what a run wrote", `
		WHERE connection = ? AND state IN ('done', 'intended') AND id >= (SELECT MIN(id) FROM writes WHERE run_id = ?)
			AND (object, record_id) IN (
				SELECT DISTINCT object, record_id FROM writes
				WHERE run_id = ? AND state IN ('done', 'intended') AND (object, record_id) > (?, ?)
				ORDER BY object, record_id LIMIT ?)
		ORDER BY object, record_id, id`,
		run.Connection, run.ID, run.ID, after.Object, after.ID, limit)
}

// Hold saves intended writes that take back what a run wrote, and holds their records, in one transaction; the writes get their
// IDs.
func (db *DB) Hold(ctx context.Context, run jobs.Run, writes []*jobs.Write) error {
	ids := make([]int64, len(writes))
	err := db.update(ctx, "hold records", func(tx *sqlx.Tx) error {
		var insert, deal, account *sqlx.Stmt
		if err := prepare(ctx, tx, map[**sqlx.Stmt]string{
			&insert:  insertWrite,
			&deal:    `UPDATE handoffs SET held = ? WHERE connection = ? AND deal_id = ?`,
			&account: `UPDATE accounts SET held = ? WHERE connection = ? AND account_id = ?`,
		}); err != nil {
			return err
		}
		for i, w := range writes {
			before, after, err := encodeWrite(w)
			if err != nil {
				return err
			}
			if err := insert.GetContext(ctx, &ids[i], w.RunID, w.Undoes, run.Connection, w.Ref.Object, w.Ref.ID, before, after, millis(w.At)); err != nil {
				return fmt.Errorf("write to %s %s: %w", w.Ref.Object, w.Ref.ID, err)
			}
			hold := deal
			if w.Ref.Object == crm.AccountObject {
				hold = account
			}
			if _, err := hold.ExecContext(ctx, run.ID, run.Connection, w.Ref.ID); err != nil {
				return fmt.Errorf("%s %s: %w", w.Ref.Object, w.Ref.ID, err)
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

// Held counts the records of a connection that rollbacks hold, by the run that was rolled back.
func (db *DB) Held(ctx context.Context, connection string) (map[int64]int, error) {
	held := map[int64]int{}
	err := db.query(ctx, "count held records", func(rows *sqlx.Rows) error {
		var (
			run     int64
			records int
		)
		err := rows.Scan(&run, &records)
		held[run] += records
		return err
	}, `
		SELECT held, COUNT(*) FROM handoffs WHERE connection = ? AND held <> 0 GROUP BY held
		UNION ALL
		SELECT held, COUNT(*) FROM accounts WHERE connection = ? AND held <> 0 GROUP BY held`, connection, connection)
	return held, err
}

// Release lets runs write again to the records that the rollback of a run holds, and returns how many those are.
func (db *DB) Release(ctx context.Context, run int64) (records int64, err error) {
	err = db.update(ctx, "let held records go", func(tx *sqlx.Tx) error {
		for _, table := range []string{"handoffs", "accounts"} {
			result, err := tx.ExecContext(ctx, tx.Rebind(`UPDATE `+table+` SET held = 0 WHERE held = ?`), run)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			records += n
		}
		return nil
	})
	return records, err
}
