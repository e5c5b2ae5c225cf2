package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"

	"handoff/jobs"
)

// DB is an open store. It is safe for concurrent use; transactions that write take turns.
type DB struct {
	writer *sqlx.DB
	reader *sqlx.DB // reads do not wait for a transaction that writes
	advise func(error) error
	lock   func(ctx context.Context, name string) (unlock func() error, err error)
}

// Error is what keeps a store from being used, with what a person can do about it.
type Error struct {
	Err    error
	Remedy string
}

func (e *Error) Error() string { return e.Err.Error() + ". " + e.Remedy }

func (e *Error) Unwrap() error { return e.Err }

// Lock waits until nobody else, in any process, holds the lock of that name, and takes it until unlock is called or the
// process ends. It gives up after a while.
func (db *DB) Lock(ctx context.Context, name string) (unlock func() error, err error) {
	unlock, err = db.lock(ctx, name)
	return unlock, db.failed("lock "+name, err)
}

// TryWrite finds out whether anything can be saved, and saves nothing.
func (db *DB) TryWrite(ctx context.Context) error {
	return db.update(ctx, "write", func(*sqlx.Tx) error { return nil })
}

var (
	_ jobs.Store         = (*DB)(nil)
	_ jobs.RollbackStore = (*DB)(nil)
)

// Open opens the store at url, "sqlite:PATH", creates it where there is none and brings its tables up to date. A store that
// a newer version wrote is refused.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	default:
		// The url may carry a password.
		return nil, fmt.Errorf(`the store is of a kind that this version does not know; write "sqlite:FILE"`)
	}
}

// Close ends the use of db. What was saved is safe without it, too.
func (db *DB) Close() error {
	return errors.Join(db.reader.Close(), db.writer.Close())
}

//go:embed migrations
var migrations embed.FS

func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	common, err := fs.Sub(migrations, "migrations/common")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, common)
	if err != nil {
		return err
	}
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > known {
		return &Error{fmt.Errorf("a newer version of handoff wrote it (tables %d, this version knows %d)", current, known), "Use that version, or a backup from before it"}
	}
	for {
		if _, err = provider.Up(ctx); err == nil {
			return nil
		}
		// Another process that starts at the same moment may have been first: then its work is done.
		now, _, verr := provider.GetVersions(ctx)
		if verr != nil || now == current {
			return errors.Join(err, verr)
		}
		current = now
	}
}

// update runs f in a transaction of its own, which is committed unless f fails.
func (db *DB) update(ctx context.Context, op string, f func(tx *sqlx.Tx) error) error {
	tx, err := db.writer.BeginTxx(ctx, nil)
	if err != nil {
		return db.failed(op, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := f(tx); err != nil {
		return db.failed(op, err)
	}
	return db.failed(op, tx.Commit())
}

// prepare prepares statements for the rest of tx, which closes them.
func prepare(ctx context.Context, tx *sqlx.Tx, queries map[**sqlx.Stmt]string) error {
	for statement, query := range queries {
		var err error
		if *statement, err = tx.PreparexContext(ctx, tx.Rebind(query)); err != nil { //nolint:sqlclosecheck // tx closes it
			return err
		}
	}
	return nil
}

// query reads all rows of a query, each with scan.
func (db *DB) query(ctx context.Context, op string, scan func(*sqlx.Rows) error, query string, args ...any) error {
	rows, err := db.reader.QueryxContext(ctx, db.reader.Rebind(query), args...)
	if err != nil {
		return db.failed(op, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		if err := scan(rows); err != nil {
			return db.failed(op, err)
		}
	}
	return db.failed(op, rows.Err())
}

func (db *DB) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", op, db.advise(err))
}

// encode returns the JSON form of v, in which a nil map is an empty one. Text that is not UTF-8 gets replacement characters: it came from a CRM, and losing a
// letter of it is better than losing the deal.
func encode(v any) (string, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	return string(b), err
}

// decode reads what encode made.
func decode(text string, v any) error {
	return json.Unmarshal([]byte(text), v)
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// millisOrNull returns nil for nil.
func millisOrNull(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	return new(millis(*t))
}

// momentOrNil returns nil for nil.
func momentOrNil(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	return new(moment(*ms))
}
