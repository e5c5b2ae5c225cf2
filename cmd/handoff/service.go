package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// service runs the jobs of a configuration.
type service struct {
	*app
	cfg    *Config
	db     *history
	engine *rules.Engine
	fields []crm.FieldSpec        // our own
	crms   []connectors.Connector // of the connections, in their order
	turns  []*semaphore.Weighted  // likewise: held while a job of this process runs there
	told   []jobs.Notifier        // of findings
	adopt  bool

	outbox sync.Mutex // held while messages are sent
}

func (a *app) openService(ctx context.Context, cfg *Config) (*service, error) {
	s := &service{app: a, cfg: cfg, engine: cfg.Engine}
	s.fields = jobs.Fields(s.engine.Scorecard())
	var err error
	if s.told, err = newNotifiers(cfg); err != nil {
		return nil, err
	}
	if s.db, err = openHistory(ctx, cfg.StoreURL); err != nil {
		return nil, err
	}
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		c, err := a.connect(conn, s.fields, s.db.Memory(conn.Name))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.crms, s.turns = append(s.crms, c), append(s.turns, semaphore.NewWeighted(1))
	}
	return s, nil
}

func (s *service) close() error { return s.db.Close() }

// job returns the score job of the i-th connection.
func (s *service) job(i int) *jobs.ScoreDeals {
	conn := &s.cfg.Connections[i]
	job := &jobs.ScoreDeals{
		Connection: conn.Name, CRM: s.crms[i], Store: s.db, Engine: s.engine.ForThreshold(conn.MinAmount),
		QuotaShare: conn.QuotaShare, WriteBack: conn.WriteBack, Adopt: s.adopt, AsOf: conn.AsOf.of(s.clock), Clock: s.clock, Log: s.log,
	}
	if conn.AlertsFrom != nil {
		from := conn.AlertsFrom.Time()
		job.AlertsFrom = &from
	}
	return job
}

// of returns how to find the moment that a deal is scored for; nil: the clock.
func (a asOf) of(clock func() time.Time) func(*crm.Snapshot) time.Time {
	switch {
	case a.At != nil:
		return func(*crm.Snapshot) time.Time { return *a.At }
	case a.Case:
		return func(s *crm.Snapshot) time.Time {
			if s.AsOf != nil {
				return *s.AsOf
			}
			return clock()
		}
	}
	return nil
}

// runs are the jobs that a connection has, by name.
var runs = map[string]func(*jobs.ScoreDeals, context.Context) (jobs.Summary, error){
	jobs.ScoreJob:     (*jobs.ScoreDeals).Run,
	jobs.ReconcileJob: (*jobs.ScoreDeals).Reconcile,
}

// once runs the named job of each connection, whatever becomes of the others, then sends what the outbox holds. Its error is errReported
// when all is done but a person is needed.
func (s *service) once(ctx context.Context, name string, asJSON bool) error {
	var failed []error
	var summaries []jobs.Summary
	needed := false
	for i := range s.crms {
		job := s.job(i)
		sum, err := s.runJob(ctx, i, name, job, s.newProgress(job.Connection))
		summaries = append(summaries, sum)
		needed = needed || sum.Left != ""
		if err != nil {
			failed = append(failed, err)
		} else if !asJSON {
			s.report(i, name, sum)
		}
	}
	failed = append(failed, s.notify(ctx))
	if asJSON {
		failed = append(failed, printJSON(s.stdout, summaries...))
	}
	if err := errors.Join(failed...); err != nil || !needed {
		return err
	}
	return errReported
}

// runJob runs the named job of a connection and shows its progress on bar. What is left for a person, although the run did its work, is
// printed.
// Jobs of one connection take turns. Of two processes that run it, the second waits, and gives up after a while.
func (s *service) runJob(ctx context.Context, i int, name string, job *jobs.ScoreDeals, bar *progress) (sum jobs.Summary, err error) {
	sum.Connection = job.Connection
	if !job.DryRun {
		if err := s.turns[i].Acquire(ctx, 1); err != nil {
			return sum, fmt.Errorf("wait for another job of the connection: %w", err)
		}
		defer s.turns[i].Release(1)
		unlock, lockErr := s.db.Lock(ctx, job.Connection)
		if lockErr != nil {
			return sum, placed(&s.cfg.Connections[i], lockErr)
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	job.Progress = bar.set
	var unusable []connectors.Finding
	job.Unusable = func(found []connectors.Finding) { unusable = found }
	sum, err = runs[name](job, ctx)
	bar.done()
	s.log.Info("run ended", "connection", job.Connection, "job", name, "pulled", sum.Pulled, "scored", sum.Scored, "written", sum.Written,
		"flagged", sum.Flagged, "parked", sum.Parked, "calls", sum.Calls, "left", sum.Left, "interrupted", sum.Interrupted, "ok", err == nil && sum.Left == "")
	if sum.Left != "" {
		fmt.Fprintf(s.stderr, "%s: %s\n", job.Connection, plain(sum.Left))
		printNotices(s.stderr, fold(unusable))
	}
	return sum, placed(&s.cfg.Connections[i], err)
}

// report says in a few lines what a run did.
func (s *service) report(i int, name string, sum jobs.Summary) {
	conn := &s.cfg.Connections[i]
	if name == jobs.ReconcileJob {
		fmt.Fprintf(s.stdout, "%s: %s compared with the CRM: %d gone, %d changed, %d written; %s flagged (%s)\n",
			conn.Name, count(sum.Compared, "deal"), sum.Gone, sum.Pulled, sum.Written, count(sum.Flagged, "deal"), count(sum.Calls, "API call"))
		return
	}
	if sum.Pulled == 0 && sum.Scored == 0 && sum.Written == 0 {
		fmt.Fprintf(s.stdout, "%s: no news since the last run, 0 written; %s flagged\n", conn.Name, count(sum.Flagged, "deal"))
	} else {
		fmt.Fprintf(s.stdout, "%s: %d pulled, %d scored, %d written; %s flagged (%s)\n",
			conn.Name, sum.Pulled, sum.Scored, sum.Written, count(sum.Flagged, "deal"), count(sum.Calls, "API call"))
	}
	if !conn.WriteBack {
		fmt.Fprintf(s.stdout, "%s: write_back is off, so nothing is written to the CRM. Look at `handoff run --dry-run`, then set write_back = true below [connections.%s]\n", conn.Name, conn.Name)
	}
}

// dealDiff is the difference that a run would make on one deal. Its JSON form is that of `handoff run --dry-run --json`.
type dealDiff struct {
	Connection string     `json:"connection"`
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Account    string     `json:"account"`
	Before     crm.Values `json:"before"`
	After      crm.Values `json:"after"`
}

// dryRun prints what a run of the named job would write to each connection. Its error is errReported when all is done but a person is needed.
func (s *service) dryRun(ctx context.Context, name string, asJSON bool) error {
	var failed []error
	var summaries []jobs.Summary
	needed := false
	for i := range s.crms {
		job := s.job(i)
		job.DryRun = true
		deals, fields := 0, 0
		job.Diff = func(h *jobs.Handoff, w *jobs.Write) {
			deals++
			fields += len(w.After)
			d := dealDiff{h.Connection, h.DealID, h.Snapshot.Deal.Name, h.Snapshot.Deal.Account, w.Before, w.After}
			if asJSON {
				failed = append(failed, printJSON(s.stdout, d))
				return
			}
			fmt.Fprintf(s.stdout, "%s  (%s:%s)\n", plain(d.Name), d.Connection, d.ID)
			printChanges(s.stdout, s.fields, d.Before, d.After)
		}
		sum, err := s.runJob(ctx, i, name, job, s.newProgress(job.Connection))
		summaries = append(summaries, sum)
		needed = needed || sum.Left != ""
		switch {
		case err != nil:
			failed = append(failed, err)
		case asJSON:
		case deals == 0:
			fmt.Fprintf(s.stdout, "%s: nothing would change.\n", job.Connection)
		default:
			fmt.Fprintf(s.stdout, "%s: %s would change, %s. Nothing was written.\n", job.Connection, count(deals, "deal"), count(fields, "field"))
		}
	}
	if asJSON {
		failed = append(failed, printJSON(s.stdout, summaries...))
	}
	if err := errors.Join(failed...); err != nil || !needed {
		return err
	}
	return errReported
}

// serve runs each connection on its schedule until ctx ends, and tells whoever asks how it is doing.
func (s *service) serve(ctx context.Context) error {
	var l net.Listener
	if s.cfg.Listen != "" {
		var bad *connectors.Finding
		if l, bad = listen(ctx, s.cfg.Listen); bad != nil {
			return fmt.Errorf("%s: %s. %s", bad.Place, bad.Text, bad.Remedy)
		}
		fmt.Fprintf(s.stdout, "health: http://%s/healthz\n", l.Addr())
	}
	var list []scheduledJob
	for i, conn := range s.cfg.Connections {
		for name, spec := range map[string]string{jobs.ScoreJob: conn.Schedule, jobs.ReconcileJob: conn.Reconcile} {
			var began time.Time
			list = append(list, scheduledJob{
				Name: name + " " + conn.Name, Spec: spec, TimeZone: conn.TimeZone,
				Run: func(ctx context.Context) error {
					began = s.clock()
					sum, err := s.runJob(ctx, i, name, s.job(i), &progress{})
					if err == nil {
						s.report(i, name, sum)
					}
					return errors.Join(err, s.notify(ctx))
				},
				Again: func(ctx context.Context) time.Time {
					if name != jobs.ScoreJob {
						return time.Time{}
					}
					return s.dueAfter(ctx, conn.Name, began)
				},
			})
		}
		fmt.Fprintf(s.stdout, "%s: runs at %q and reconciles at %q, %s time\n", conn.Name, conn.Schedule, conn.Reconcile, conn.TimeZone)
	}
	if l == nil {
		return s.schedule(ctx, list)
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return s.serveHTTP(ctx, l) })
	both.Go(func() error { return s.schedule(ctx, list) })
	return both.Wait()
}

// lull is the least time between a run and one for what is due after it: what is due about the same time shares one.
const lull = 5 * time.Minute

// dueAfter returns when a run has something to do without news, after one that began then; the zero time: never.
func (s *service) dueAfter(ctx context.Context, connection string, began time.Time) time.Time {
	due, err := s.db.NextDue(ctx, connection, began)
	if err != nil {
		s.log.Error("what is due waits for the next run", "connection", connection, "error", err)
	}
	if soonest := s.clock().Add(lull); err == nil && !due.IsZero() && due.Before(soonest) {
		return soonest
	}
	return due
}

// notify sends what the outbox holds. Jobs that end together take turns, in whatever process, so that nothing is sent
// twice.
func (s *service) notify(ctx context.Context) (err error) {
	s.outbox.Lock()
	defer s.outbox.Unlock()
	unlock, err := s.db.Lock(ctx, "outbox")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	sent, err := jobs.DrainOutbox(ctx, s.db, s.told, s.clock)
	if sent > 0 {
		s.log.Info("findings sent", "count", sent)
	}
	return err
}
