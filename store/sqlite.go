package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/sethvargo/go-retry"
)

// patience is how long we wait for another process that writes.
const patience = 10 * time.Second

// openSQLite opens the database file at path and creates it where there is none, readable by its owner only.
//
// A commit waits for the disk (synchronous FULL, not NORMAL): a kill of the process loses nothing either way, but after a
// loss of power NORMAL may forget the last commits, and a forgotten intent whose values reached the CRM would look like
// a person's edit. With transactions of many deals the wait is not felt.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := touch(path); err != nil {
		return nil, closed(path, err)
	}
	// Writers take their lock when they begin: two that upgraded a read lock would deadlock.
	writer, err := connectSQLite(ctx, path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"on"}, "_txlock": {"immediate"}, "_cache_size": {"-65536"},
	})
	if err != nil {
		return nil, closed(path, adviseSQLite(err))
	}
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, goose.DialectSQLite3, writer.DB); err != nil {
		return nil, errors.Join(closed(path, adviseSQLite(err)), writer.Close())
	}
	reader, err := connectSQLite(ctx, path, url.Values{"mode": {"ro"}})
	if err != nil {
		return nil, errors.Join(closed(path, adviseSQLite(err)), writer.Close())
	}
	lock := func(ctx context.Context, name string) (func() error, error) {
		return lockSQLite(ctx, path+"."+name+".lock")
	}
	return &DB{writer: writer, reader: reader, advise: adviseSQLite, lock: lock}, nil
}

// lockSQLite locks an empty database beside the store: the system lets go of it when the process ends, however it ends.
func lockSQLite(ctx context.Context, path string) (unlock func() error, err error) {
	// SQLite itself would wait without looking at ctx.
	db, err := connectSQLite(ctx, path, url.Values{"_txlock": {"exclusive"}, "_busy_timeout": {"1"}})
	if err != nil {
		return nil, err
	}
	tx, err := insist(ctx, func() (*sqlx.Tx, error) { return db.BeginTxx(context.WithoutCancel(ctx), nil) })
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// insist does again what another process stands in the way of, until its patience or ctx ends.
func insist[T any](ctx context.Context, do func() (T, error)) (T, error) {
	wait := retry.WithMaxDuration(patience, retry.NewConstant(10*time.Millisecond))
	return retry.DoValue(ctx, wait, func(context.Context) (T, error) {
		v, err := do()
		if e := (sqlite3.Error{}); errors.As(err, &e) && e.Code == sqlite3.ErrBusy {
			err = retry.RetryableError(err)
		}
		return v, err
	})
}

// closed says of an error which file could not be opened.
func closed(path string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return &Error{fmt.Errorf("the history %s cannot be opened: %w", path, e.Err), e.Remedy}
	}
	return fmt.Errorf("the history %s cannot be opened: %w", path, err)
}

const (
	nameAnother = "name another file in url under [store]"
	letWrite    = "Let the user that handoff runs as write the file and its folder, or " + nameAnother
)

// touch says what stands in the way of a database file in words that SQLite's "unable to open" lacks.
func touch(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{fmt.Errorf("there is no folder %s", dir), "Create it, or " + nameAnother}
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return &Error{fmt.Errorf("%s is not a folder", dir), "In url under [store], name a file in a folder that exists"}
	case err != nil:
		return &Error{pathless(err), letWrite}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return &Error{pathless(err), letWrite}
	}
	return f.Close()
}

// pathless strips operation and path from a file error: the message around it names the path.
func pathless(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func connectSQLite(ctx context.Context, path string, options url.Values) (*sqlx.DB, error) {
	if !options.Has("_busy_timeout") {
		options.Set("_busy_timeout", strconv.FormatInt(patience.Milliseconds(), 10))
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}
	// Of two processes that create a file, the second to turn it to WAL does not wait for the first.
	return insist(ctx, func() (*sqlx.DB, error) {
		db, err := sqlx.Open("sqlite3", dsn.String())
		if err != nil {
			return nil, err
		}
		if err = db.PingContext(ctx); err != nil {
			err = errors.Join(err, db.Close())
		}
		return db, err
	})
}

// adviseSQLite adds to an error of SQLite what a person can do about it.
func adviseSQLite(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return &Error{fmt.Errorf("another program has held it for more than %v: %w", patience, err), `Look whether a second "handoff run" is using it, or a backup; end that, or wait for it`}
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return &Error{err, letWrite}
	case sqlite3.ErrFull, sqlite3.ErrIoErr:
		return &Error{err, "Look whether the disk is full or failing"}
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return &Error{err, "Restore a backup, or " + nameAnother}
	}
	return err
}
