package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
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
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	// Writers take their lock when they begin: two that upgraded a read lock would deadlock.
	writer, err := connectSQLite(ctx, path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"on"}, "_txlock": {"immediate"}, "_cache_size": {"-65536"},
	})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, adviseSQLite(err))
	}
	writer.SetMaxOpenConns(1)
	if err := migrate(ctx, goose.DialectSQLite3, writer.DB); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, adviseSQLite(err)), writer.Close())
	}
	reader, err := connectSQLite(ctx, path, url.Values{"mode": {"ro"}})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, adviseSQLite(err)), writer.Close())
	}
	lock := func(ctx context.Context, name string) (func() error, error) {
		return lockSQLite(ctx, path+"."+name+".lock")
	}
	return &DB{writer: writer, reader: reader, advise: adviseSQLite, lock: lock}, nil
}

// lockSQLite locks an empty database beside the store: the system lets go of it when the process ends, however it ends.
func lockSQLite(ctx context.Context, path string) (unlock func() error, err error) {
	db, err := connectSQLite(ctx, path, url.Values{"_txlock": {"exclusive"}})
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTxx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// touch says what stands in the way of a database file in words that SQLite's "unable to open" lacks.
func touch(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%w: create the folder, or name another file in url under [store]", err)
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a folder: name another file in url under [store]", dir)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: let this user write the file and its folder, or name another file in url under [store]", err)
	}
	return f.Close()
}

func connectSQLite(ctx context.Context, path string, options url.Values) (*sqlx.DB, error) {
	options.Set("_busy_timeout", strconv.FormatInt(patience.Milliseconds(), 10))
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}
	// Of two processes that create a file, the second to turn it to WAL does not wait for the first.
	wait := retry.WithMaxDuration(patience, retry.NewConstant(10*time.Millisecond))
	return retry.DoValue(ctx, wait, func(ctx context.Context) (*sqlx.DB, error) {
		db, err := sqlx.Open("sqlite3", dsn.String())
		if err != nil {
			return nil, err
		}
		if err = db.PingContext(ctx); err != nil {
			err = errors.Join(err, db.Close())
		}
		if e := (sqlite3.Error{}); errors.As(err, &e) && e.Code == sqlite3.ErrBusy {
			err = retry.RetryableError(err)
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
		return fmt.Errorf("another process held the store for more than %v: is a second \"handoff run\" using it? %w", patience, err)
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return fmt.Errorf("let this user write the file and its folder: %w", err)
	case sqlite3.ErrFull, sqlite3.ErrIoErr:
		return fmt.Errorf("is the disk full or failing? %w", err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("restore a backup, or name another file in url under [store]: %w", err)
	}
	return err
}
