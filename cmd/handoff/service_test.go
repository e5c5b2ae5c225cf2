package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
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

// newTestService is a service of one connection, to c, which runs at seven.
func newTestService(t *testing.T, engine *rules.Engine, c connectors.Connector) *service {
	t.Helper()
	db, err := openHistory(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "handoff.db"))
	if err != nil {
		t.Fatal(err)
	}
	conn := Connection{Name: "acme", CRM: "salesforce", WriteBack: true, Schedule: "0 7 * * *", Reconcile: "30 3 * * *", TimeZone: "UTC"}
	return &service{app: &app{stdout: io.Discard, stderr: io.Discard, clock: time.Now, log: slog.New(slog.DiscardHandler)}, db: db, engine: engine,
		cfg: &Config{Connections: []Connection{conn}}, crms: []connectors.Connector{c}, turns: []*semaphore.Weighted{semaphore.NewWeighted(1)}}
}

// TestJobsTakeTurns: a job waits for another one of its connection, however long that takes.
func TestJobsTakeTurns(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := &slowCRM{}
		s := newTestService(t, engine, c)
		defer s.close()
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

// lockedCRM holds a deal that another process has locked the first time that it is written.
type lockedCRM struct {
	slowCRM
	values crm.Values
	writes []string // when
}

func (c *lockedCRM) Pull(_ context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	b := connectors.Batch{Watermarks: crm.Watermarks{"deals": {Time: time.Now()}}}
	if len(since) == 0 {
		b.Records = []connectors.Record{{Snapshot: crm.Snapshot{ID: "d1", Deal: crm.Deal{ID: "d1", Name: "Pilot", Won: true}}, Values: c.values}}
	}
	return yield(b)
}

func (c *lockedCRM) ReadValues(_ context.Context, object crm.Object, _ []string) (map[string]crm.Values, error) {
	if object == crm.AccountObject {
		return nil, nil
	}
	return map[string]crm.Values{"d1": c.values}, nil
}

func (c *lockedCRM) Write(_ context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	o := connectors.Outcome{Ref: updates[0].Ref}
	if c.writes = append(c.writes, time.Now().UTC().Format("15:04")); len(c.writes) == 1 {
		o.Err = &connectors.Error{Op: "update deals", CRM: "Slow", Class: connectors.ErrRetry, Code: "UNABLE_TO_LOCK_ROW", Message: "unable to obtain exclusive access"}
	}
	return []connectors.Outcome{o}, nil
}

// TestParkedRowsWakeTheService: a row that is refused is tried again when its list says so, not with the next regular run.
func TestParkedRowsWakeTheService(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		c := &lockedCRM{values: crm.Values{}}
		for _, f := range jobs.Fields(engine.Scorecard()) {
			c.values[f.Name] = ""
		}
		s := newTestService(t, engine, c)
		defer s.close()
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Hour)
		defer stop()
		if err := s.serve(ctx); err != nil {
			t.Fatal(err)
		}
		if want := []string{"07:00", "07:05"}; !slices.Equal(c.writes, want) {
			t.Errorf("written at %v, want %v", c.writes, want)
		}
	})
}
