package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// slowCRM takes an hour to say that it has no news.
type slowCRM struct {
	connectors.Connector
	pulls int // at work
	met   bool
}

func (c *slowCRM) Pull(context.Context, crm.Watermarks, func(connectors.Batch) error) error {
	c.pulls++
	time.Sleep(time.Hour)
	c.pulls--
	return nil
}

var errNoReconciliation = errors.New("no reconciliation today")

func (c *slowCRM) Reconcile(context.Context) (connectors.Reconciliation, error) {
	c.met = c.pulls > 0
	return nil, errNoReconciliation
}

func (c *slowCRM) Calls() int { return 0 }

func (c *slowCRM) Unusable(context.Context) ([]connectors.Finding, error) { return nil, nil }

// TestJobsTakeTurns: a job waits for another one of its connection, however long that takes.
func TestJobsTakeTurns(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		db, err := openHistory(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "handoff.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c := &slowCRM{}
		s := &service{app: &app{stdout: io.Discard, stderr: io.Discard, clock: time.Now, log: slog.New(slog.DiscardHandler)}, db: db, engine: engine,
			cfg: &Config{Connections: []Connection{{Name: "acme", CRM: "salesforce"}}}, crms: []connectors.Connector{c}, turns: []*semaphore.Weighted{semaphore.NewWeighted(1)}}
		run := func(ctx context.Context, job string) error {
			_, err := s.runJob(ctx, 0, job, s.job(0), &progress{})
			return err
		}
		var both errgroup.Group
		both.Go(func() error { return run(t.Context(), jobs.ScoreJob) })
		synctest.Wait()
		stopped, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := run(stopped, jobs.ReconcileJob); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that is told to stop while it waits: %v", err)
		}
		if err := run(t.Context(), jobs.ReconcileJob); !errors.Is(err, errNoReconciliation) || c.met {
			t.Errorf("one that waits: %v; beside the other: %v", err, c.met)
		}
		if err := both.Wait(); err != nil {
			t.Error(err)
		}
	})
}
