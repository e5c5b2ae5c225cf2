package salesforce

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/control"
)

// tx is a transaction that changes records, all at one moment.
type tx struct {
	*sqlx.Tx
	org        *Org
	now        time.Time // whole seconds, UTC
	statements map[string]*sql.Stmt
	inserts    map[*Object]string
}

type txKey struct{}

// write calls fn in a transaction, alone; it commits unless fn fails. Inside a write, as in a composite request that is
// all or none, it is a part of that transaction, which fn's failure undoes only as far as it reached itself.
func (o *Org) write(ctx context.Context, fn func(context.Context, *tx) error) (err error) {
	if t, ok := ctx.Value(txKey{}).(*tx); ok {
		return t.nested(ctx, fn)
	}
	// Rows carry the moment when they are saved; others see them when they are committed, which a fault puts off.
	var saved time.Time
	if control.CommitDelay(ctx) > 0 {
		saved = o.now()
		defer o.late.begin(saved)()
		control.AwaitCommit(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()

	// A request that its client gives up is finished all the same, as a real org does.
	ctx = context.WithoutCancel(ctx)
	inner, err := o.db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, inner.Rollback())
		}
		o.stages.forget()
		o.grants.forget()
	}()
	t := &tx{Tx: inner, org: o, now: firstTime(saved, o.now()).UTC().Truncate(time.Second), statements: map[string]*sql.Stmt{}, inserts: map[*Object]string{}}
	if err := fn(context.WithValue(ctx, txKey{}, t), t); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// lateWrites are the moments of writes that are stamped and not yet committed. The zero value holds none.
type lateWrites struct {
	mu     sync.Mutex
	stamps map[*time.Time]struct{}
}

// begin adds a write; call end once it is committed.
func (l *lateWrites) begin(stamp time.Time) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stamps == nil {
		l.stamps = map[*time.Time]struct{}{}
	}
	l.stamps[&stamp] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.stamps, &stamp)
	}
}

// before returns the earlier of a moment and the first stamp that is not yet committed.
func (l *lateWrites) before(at time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for stamp := range l.stamps {
		if stamp.Before(at) {
			at = *stamp
		}
	}
	return at
}

func (t *tx) nested(ctx context.Context, fn func(context.Context, *tx) error) error {
	if _, err := t.ExecContext(ctx, "SAVEPOINT part"); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	end := "RELEASE part"
	fnErr := fn(ctx, t)
	if fnErr != nil {
		end = "ROLLBACK TO part; RELEASE part"
	}
	_, err := t.ExecContext(ctx, end)
	return errors.Join(fnErr, err)
}

// read calls fn while nothing is written: all that it reads is of one moment.
func (o *Org) read(ctx context.Context, fn func(sqlx.QueryerContext) error) error {
	if t, ok := ctx.Value(txKey{}).(*tx); ok {
		return fn(t)
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	return fn(o.db)
}

// prepare returns a statement that lives as long as the transaction.
func (t *tx) prepare(ctx context.Context, statement string) (*sql.Stmt, error) {
	if s, ok := t.statements[statement]; ok {
		return s, nil
	}
	s, err := t.PrepareContext(ctx, statement)
	if err == nil {
		t.statements[statement] = s
	}
	return s, err
}

func (t *tx) exec(ctx context.Context, statement string, args ...any) error {
	s, err := t.prepare(ctx, statement)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}
