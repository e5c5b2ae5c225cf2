package store

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/jobs"
)

// BeginRun saves that a run started and returns its id.
func (db *DB) BeginRun(ctx context.Context, run jobs.Run) (id int64, err error) {
	err = db.update(ctx, "begin run", func(tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &id, tx.Rebind(`INSERT INTO runs (connection, job, started_at) VALUES (?, ?, ?) RETURNING id`),
			run.Connection, run.Job, millis(run.StartedAt))
	})
	return id, err
}

// EndRun saves how the run with run.ID ended.
func (db *DB) EndRun(ctx context.Context, run jobs.Run) error {
	return db.update(ctx, "end run", func(tx *sqlx.Tx) error {
		summary, err := encode(run.Summary)
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, tx.Rebind(`UPDATE runs SET ended_at = ?, summary = ?, error = ? WHERE id = ?`),
			millisOrNull(run.EndedAt), summary, run.Error, run.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errors.New("no such run"), err)
		}
		return nil
	})
}

// Succeeded says when the first run of a connection's job that finished without error started; nil: none has yet.
func (db *DB) Succeeded(ctx context.Context, connection, job string) (*time.Time, error) {
	var started *int64
	err := db.reader.GetContext(ctx, &started, db.reader.Rebind(
		`SELECT MIN(started_at) FROM runs WHERE connection = ? AND job = ? AND ended_at IS NOT NULL AND error = ''`), connection, job)
	return momentOrNil(started), db.failed("find the first successful run", err)
}

// Runs returns the last runs of every connection, newest first, up to limit.
func (db *DB) Runs(ctx context.Context, limit int) ([]jobs.Run, error) {
	return db.runs(ctx, "list runs", `SELECT `+runColumns+` FROM runs ORDER BY id DESC LIMIT ?`, limit)
}

// RunsSince returns the runs of a connection's job that started at that moment or later and have ended, oldest first.
func (db *DB) RunsSince(ctx context.Context, connection, job string, since time.Time) ([]jobs.Run, error) {
	return db.runs(ctx, "list recent runs", `SELECT `+runColumns+` FROM runs
		WHERE connection = ? AND job = ? AND started_at >= ? AND ended_at IS NOT NULL ORDER BY id`, connection, job, millis(since))
}

// LastRuns returns the last run of a job that ended, of each connection that has one.
func (db *DB) LastRuns(ctx context.Context, job string) (map[string]jobs.Run, error) {
	runs, err := db.runs(ctx, "find the last runs", `SELECT `+runColumns+` FROM runs
		WHERE id IN (SELECT MAX(id) FROM runs WHERE job = ? AND ended_at IS NOT NULL GROUP BY connection)`, job)
	last := map[string]jobs.Run{}
	for _, run := range runs {
		last[run.Connection] = run
	}
	return last, err
}

const runColumns = `id, connection, job, started_at, ended_at, summary, error`

func (db *DB) runs(ctx context.Context, op, query string, args ...any) ([]jobs.Run, error) {
	var runs []jobs.Run
	err := db.query(ctx, op, func(rows *sqlx.Rows) error {
		var (
			run     jobs.Run
			started int64
			ended   *int64
			summary string
		)
		if err := rows.Scan(&run.ID, &run.Connection, &run.Job, &started, &ended, &summary, &run.Error); err != nil {
			return err
		}
		run.StartedAt, run.EndedAt = moment(started), momentOrNil(ended)
		runs = append(runs, run)
		return decode(summary, &runs[len(runs)-1].Summary)
	}, query, args...)
	return runs, err
}
