package hubspot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/control"
)

// tx is a transaction that changes records, all at one moment.
type tx struct {
	*sqlx.Tx
	portal     *Portal
	now        time.Time     // whole milliseconds, UTC
	lag        time.Duration // how much later searches see the changes
	statements map[string]*sql.Stmt
}

// write calls fn in a transaction, alone; it commits unless fn fails. Definitions are not rolled back: fn checks everything
// before it changes them.
func (p *Portal) write(ctx context.Context, fn func(context.Context, *tx) error) (err error) {
	// Rows carry the moment when they are saved; others see them when they are committed, which a fault puts off.
	var saved time.Time
	if control.CommitDelay(ctx) > 0 {
		saved = p.now()
		control.AwaitCommit(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if saved.IsZero() {
		saved = p.now()
	}

	t := &tx{portal: p, now: saved.UTC().Truncate(time.Millisecond), lag: control.Lag(ctx), statements: map[string]*sql.Stmt{}}
	if t.Tx, err = p.db.BeginTxx(ctx, nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(ctx, t); err != nil {
		return errors.Join(err, t.Rollback())
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// read calls fn while nothing is written: all that it reads is of one moment.
func (p *Portal) read(fn func() error) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return fn()
}

// exec runs a statement that is prepared once for the transaction.
func (t *tx) exec(ctx context.Context, statement string, args ...any) error {
	s, ok := t.statements[statement]
	if !ok {
		var err error
		if s, err = t.PrepareContext(ctx, statement); err != nil {
			return err
		}
		t.statements[statement] = s
	}
	_, err := s.ExecContext(ctx, args...)
	return err
}
