package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"

	"handoff/crm"
)

// spool keeps what bulk jobs read until deals are put together of it: the rows of one deal lie anywhere in the results,
// and all of them are more than memory should hold. It is a file, so that a sweep that was killed goes on where it was.
type spool struct {
	db      *sqlx.DB
	path    string
	fetched map[string]bool // objects whose rows are all there
	err     error           // the first failure to get rows out; nothing that came after it is to be believed
}

// The rows of an object are found by the record that they belong to, and stand in their order within it.
const spoolSchema = `
DROP TABLE IF EXISTS sweep; DROP TABLE IF EXISTS jobs; DROP TABLE IF EXISTS rows; DROP TABLE IF EXISTS overtaken;
CREATE TABLE sweep (identity TEXT NOT NULL);
CREATE TABLE jobs (object TEXT PRIMARY KEY, id TEXT NOT NULL, locator TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE rows (object TEXT, parent TEXT, place TEXT, id TEXT, data BLOB, PRIMARY KEY (object, parent, place, id)) WITHOUT ROWID;
CREATE INDEX won ON rows (place, id) WHERE object = 'Opportunity';
CREATE TABLE overtaken (id TEXT PRIMARY KEY) WITHOUT ROWID;`

// openSpool opens the spool of the sweep of that identity, which is empty where there was none. Another process that
// has it open is an error.
func openSpool(ctx context.Context, path, identity string) (_ *spool, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: "_journal_mode=WAL&_synchronous=NORMAL&_locking_mode=EXCLUSIVE"}
	db, err := sqlx.Open("sqlite3", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	db.SetMaxOpenConns(1)
	sp := &spool{db: db, path: path, fetched: map[string]bool{}}
	defer func() {
		if err != nil { // a file that is of no use is in the way of the next sweep
			other := sqlite3.Error{}
			err = sp.end(err, errors.As(err, &other) && other.Code == sqlite3.ErrBusy)
		}
	}()
	var found string
	if err := db.GetContext(ctx, &found, "SELECT identity FROM sweep"); err != nil || found != identity {
		if _, err := db.ExecContext(ctx, spoolSchema); err != nil {
			return nil, fmt.Errorf("create the spool: %w", err)
		}
		if _, err := db.ExecContext(ctx, "INSERT INTO sweep VALUES (?)", identity); err != nil {
			return nil, fmt.Errorf("create the spool: %w", err)
		}
	}
	return sp, nil
}

// end closes the spool after what err says, and keeps the file for a sweep that goes on, or removes it.
func (sp *spool) end(err error, keep bool) error {
	err = errors.Join(err, sp.db.Close())
	if keep {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if failed := os.Remove(sp.path + suffix); !errors.Is(failed, os.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// job is how far a job has been read.
type job struct {
	ID      string
	Locator string   // of the page to read next; "": the first
	State   jobState // "": there is no job yet
}

type jobState string

const (
	jobRunning jobState = "running"
	jobRead    jobState = "read"
	jobGivenUp jobState = "given up" // its rows are read by REST
)

func (sp *spool) job(ctx context.Context, object string) (job, error) {
	var found []job
	if err := sp.db.SelectContext(ctx, &found, "SELECT id, locator, state FROM jobs WHERE object = ?", object); err != nil {
		return job{}, fmt.Errorf("look up a bulk job: %w", err)
	}
	if len(found) == 0 {
		return job{}, nil
	}
	return found[0], nil
}

// keep saves how far a job has been read, with the rows of the page that came last. Rows of a job that is given up are
// dropped.
func (sp *spool) keep(ctx context.Context, object string, j job, page func(*sqlx.Tx) error) (err error) {
	tx, err := sp.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if page != nil {
		if err := page(tx); err != nil {
			return err
		}
	}
	if j.State == jobGivenUp {
		if _, err := tx.ExecContext(ctx, "DELETE FROM rows WHERE object = ?", object); err != nil {
			return fmt.Errorf("write the spool: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?)", object, j.ID, j.Locator, j.State); err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	sp.fetched[object] = j.State == jobRead
	return nil
}

// spooled decodes the rows of a query. After a failure, which err keeps, there are none.
func spooled[T any](ctx context.Context, sp *spool, query string, args ...any) []T {
	if sp.err != nil {
		return nil
	}
	var found [][]byte
	if err := sp.db.SelectContext(ctx, &found, query, args...); err != nil {
		sp.err = fmt.Errorf("read the spool: %w", err)
		return nil
	}
	all := make([]T, len(found))
	for i, data := range found {
		if err := json.Unmarshal(data, &all[i], lenient); err != nil {
			sp.err = fmt.Errorf("read the spool: %w", err)
			return nil
		}
	}
	return all
}

// rows returns the rows of an object that belong to the parents; those of one parent in their order.
func rows[T any](ctx context.Context, sp *spool, object string, parents []string) []T {
	query, args, err := sqlx.In("SELECT data FROM rows WHERE object = ? AND parent IN (?) ORDER BY place, id", object, parents)
	if err != nil {
		sp.err = fmt.Errorf("read the spool: %w", err)
		return nil
	}
	return spooled[T](ctx, sp, query, args...)
}

// won returns the first deals behind a watermark that were not overtaken, newest first.
func (sp *spool) won(ctx context.Context, at crm.Watermark) []listed {
	const (
		deals  = "SELECT data FROM rows WHERE object = 'Opportunity' AND id NOT IN (SELECT id FROM overtaken)"
		newest = " ORDER BY place DESC, id DESC LIMIT ?"
	)
	if at.Time.IsZero() {
		return spooled[listed](ctx, sp, deals+newest, pageSize)
	}
	return spooled[listed](ctx, sp, deals+" AND (place, id) < (?, ?)"+newest, date(at.Time), at.ID, pageSize)
}

// overtake leaves deals out of won: what the rows tell of them may be older than what is known by now.
func (sp *spool) overtake(ctx context.Context, deals []string) (err error) {
	tx, err := sp.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, id := range deals {
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO overtaken VALUES (?)", id); err != nil {
			return fmt.Errorf("write the spool: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	return nil
}
