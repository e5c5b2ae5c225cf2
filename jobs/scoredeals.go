package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
	"handoff/rules"
)

// ScoreJob names the job of ScoreDeals in the store.
const ScoreJob = "score"

const (
	chunk  = 200              // deals that are settled, saved and written together
	maxAge = 60 * time.Second // how old values may be when what was decided on them is written
	grace  = 20 * time.Second // how long the deals at hand may take to finish after the run is told to stop
)

// CRM is what scoring needs of a connector.
type CRM interface {
	connectors.Puller
	connectors.Reconciler
	connectors.Writer
	connectors.Usage
	// Unusable is that of connectors.Inspector.
	Unusable(ctx context.Context) ([]connectors.Finding, error)
}

// ScoreDeals pulls the won deals of a connection that have news, scores them, writes the scores back and finds out which
// deals a manager should look at. What people wrote into our fields stays (judge), finalised cards are frozen.
//
// A run that was killed anywhere is made good by the next one: what it intended is saved before it is sent, its
// outcome after, and the watermarks move last.
type ScoreDeals struct {
	Connection string
	CRM        CRM
	Store      Store
	Engine     *rules.Engine

	QuotaShare int                           // percent of the CRM's daily API calls, by its own count, at which the run stops to read; 0: none
	WriteBack  bool                          // false: everything is saved and nothing written, until it is turned on
	DryRun     bool                          // nothing is written and nothing saved
	Adopt      bool                          // a lost store: keep what differs as people's values and go on
	AlertsFrom *time.Time                    // deals closed before that day are scored silently; nil: the first successful run
	AsOf       func(*crm.Snapshot) time.Time // the moment to score a deal for; nil: now

	Clock    func() time.Time
	Log      *slog.Logger
	Progress func(done, total int)      // total is 0 while unknown; may be nil
	Diff     func(h *Handoff, w *Write) // told of each write that is intended on a deal; may be nil
	Unusable func([]connectors.Finding) // told at the end which fields of ours could not be written, if any; may be nil
}

// Run does one run and returns what it did, also when it fails. It returns an error when the connection could not be
// finished; a row that the CRM refuses is no error. When ctx is cancelled the deals at hand are finished, the summary
// says Interrupted and the error wraps ctx's.
func (j *ScoreDeals) Run(ctx context.Context) (Summary, error) {
	return j.do(ctx, ScoreJob, (*scoring).run)
}

// do begins and ends a run of the named job, and has work do it: its first context says whether to go on, its second outlives
// that one for what is at hand.
func (j *ScoreDeals) do(ctx context.Context, job string, work func(*scoring, context.Context, context.Context) error) (Summary, error) {
	r := &scoring{ScoreDeals: *j, started: j.Clock(), rulebook: j.Engine.Rulebook(), budget: connectors.NewBudget(j.QuotaShare), seen: map[string]bool{}, unread: newUnread(), spared: newUnread(), unlisted: map[crm.Part]bool{},
		vanished: map[string]bool{}, stranded: map[string]bool{}}
	r.sum.Connection = j.Connection
	if r.AsOf == nil {
		r.AsOf = func(*crm.Snapshot) time.Time { return r.started }
	}
	if r.DryRun {
		r.Store, r.CRM, r.WriteBack = dryStore{j.Store}, dryCRM{j.CRM}, true
	}
	long, done := outlive(ctx, grace)
	defer done()

	r.calls = r.CRM.Calls()
	id, err := r.Store.BeginRun(long, Run{Connection: r.Connection, Job: job, StartedAt: r.started})
	if err != nil {
		return r.sum, err
	}
	r.id = id
	err = work(r, ctx, long)
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		r.sum.Interrupted = true
		err = fmt.Errorf("interrupted, the rest follows with the next run: %w", ctx.Err())
	}
	var countErr error
	r.sum.Parked, countErr = r.Store.CountParked(long, r.Connection)
	err = errors.Join(err, countErr)
	left := r.estranged()
	say := r.lacking
	if job == ReconcileJob { // what holds until the score job says otherwise, no other repeats
		say = r.amiss
	}
	lacking, lackErr := say(long, err == nil && (j.WriteBack || j.DryRun))
	left, err = append(lacking, left...), errors.Join(err, lackErr)
	r.sum.Left = strings.Join(left, "; ")
	r.sum.Calls = r.CRM.Calls() - r.calls
	ended := r.Clock()
	record := Run{ID: id, Connection: r.Connection, Job: job, StartedAt: r.started, EndedAt: &ended, Summary: r.sum}
	if err != nil {
		record.Error = err.Error()
	}
	if endErr := r.Store.EndRun(context.WithoutCancel(ctx), record); endErr != nil {
		err = errors.Join(err, endErr)
	}
	return r.sum, err
}

// outlive returns a context that ends the given time after ctx does.
func outlive(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(after, cancel) })
	return long, func() {
		stop()
		cancel()
	}
}

// scoring is one run of ScoreDeals.
type scoring struct {
	ScoreDeals
	id        int64
	started   time.Time
	calls     int // that the CRM had had when the run began
	rulebook  string
	budget    *connectors.Budget // of what is read; what is at hand is written whatever it costs
	silent    bool               // no findings: the first run
	alerts    time.Time          // findings are for deals closed on that day or later
	seen      map[string]bool    // deals handled by id
	templates map[int64]bool     // hashes of those that the last run found
	readAt    time.Time          // no value at hand was read before
	adopted   adoption
	refused   error // why nothing can be written
	unshown   error // why no account gets its health
	behind    error // why not all deals are read; nil: they are
	unread    unread
	unlisted  map[crm.Part]bool // parts whose news the CRM refuses to list
	spared    unread            // by a reconciliation: deals that it read less of than is held
	parked    int               // rows that the CRM refused in this run
	queue     []queued          // oldest first
	vanished  map[string]bool   // deals found Missing
	stranded  map[string]bool   // merged deals, the edits of which are not on the deals that they were merged into
	sum       Summary
}

// run does the work. ctx says whether to go on; work outlives it for what is at hand.
func (r *scoring) run(ctx, work context.Context) error {
	if err := r.prepare(work); err != nil {
		return err
	}
	if err := resolve(r.budget.Bound(work), r.Store, r.CRM, r.Connection); err != nil {
		return err
	}
	marks, err := r.Store.Watermarks(work, r.Connection)
	if err != nil {
		return err
	}
	r.readAt = r.Clock()
	err = r.CRM.Pull(r.budget.Bound(ctx), marks, func(b connectors.Batch) error {
		if !b.ReadAt.IsZero() {
			r.readAt = b.ReadAt
		}
		err := r.batch(ctx, work, b)
		r.readAt = r.Clock()
		return err
	})
	if errors.Is(err, connectors.ErrBackfill) { // what has news is done, and the rest can wait
		r.behind, err = err, nil
	}
	if err := r.rest(ctx, work, err); err != nil {
		return err
	}
	if err := r.Store.FindTemplates(work, r.Connection, TemplateDeals); err != nil {
		return err
	}
	return r.conclude(ctx, work)
}

// rest settles what is waiting, unless err says that the work has failed, and writes what is queued. It returns err too.
func (r *scoring) rest(ctx, work context.Context, err error) error {
	if err == nil {
		err = r.flush(work, chunk) // what was read too long before is waiting, too
	}
	if err == nil {
		err = r.waiting(ctx, work)
	}
	return r.drain(work, err)
}

// conclude writes what follows from the cards that are saved: the health of accounts.
func (r *scoring) conclude(ctx, work context.Context) error {
	if r.DryRun || !r.WriteBack {
		return r.refusal()
	}
	err := r.accounts(ctx, work)
	if r.refused != nil {
		err, r.unshown = nil, r.refused
	}
	return err
}

func (r *scoring) prepare(ctx context.Context) error {
	first, err := r.Store.Succeeded(ctx, r.Connection, ScoreJob)
	if err != nil {
		return err
	}
	switch {
	case r.AlertsFrom != nil:
		r.alerts = *r.AlertsFrom
	case first != nil:
		r.alerts = *first
	default:
		r.silent = true
	}
	all, flagged, err := r.Store.CountHandoffs(ctx, r.Connection)
	if err != nil {
		return err
	}
	r.sum.Flagged = flagged
	if r.templates, err = r.Store.Templates(ctx, r.Connection); err != nil {
		return err
	}
	if first != nil { // until a run has finished, what the store holds may be the beginning of taking over
		r.adopted.held = all
	}
	return nil
}

// batch takes one batch of a pull from scoring to its outcome in the store.
func (r *scoring) batch(ctx, work context.Context, b connectors.Batch) error {
	for records := range slices.Chunk(b.Records, chunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.records(work, records); err != nil {
			return err
		}
		if r.Progress != nil {
			r.Progress(len(r.seen), b.Total)
		}
	}
	for _, part := range b.Unlisted {
		r.unlisted[part] = true
	}
	for ids := range slices.Chunk(b.Left, chunk) {
		if err := r.leave(work, ids); err != nil {
			return err
		}
	}
	if b.Watermarks != nil {
		if err := r.Store.SaveWatermarks(work, r.Connection, b.Watermarks); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// records scores and settles won deals as they were just read.
func (r *scoring) records(ctx context.Context, records []connectors.Record) error {
	ids := make([]string, len(records))
	for i := range records {
		ids[i] = records[i].Snapshot.Deal.ID
	}
	changed, err := r.settleQueue(ctx, ids)
	if err != nil {
		return err
	}
	held, err := r.Store.Handoffs(ctx, r.Connection, ids)
	if err != nil {
		return err
	}
	changes, err := r.bequeath(ctx, held, records)
	if err != nil {
		return err
	}
	next := make([]*Handoff, len(records))
	for i := range records {
		rec := &records[i]
		next[i] = r.score(held[ids[i]], rec.Snapshot, rec.AccountID, rec.Values)
		if next[i].Parked.before(rec.ChangedAt) {
			next[i].Parked = nil
		}
		r.seen[ids[i]] = true
	}
	now := map[string]crm.Values{}
	if changed || r.Clock().Sub(r.readAt) > maxAge {
		if now, err = r.read(ctx, ids); err != nil {
			return err
		}
	} else {
		for i := range records {
			now[ids[i]] = records[i].Values
		}
	}
	for i, id := range ids {
		values, ok := now[id]
		if !ok {
			continue // gone since the batch was read; the next pull says so
		}
		rec := &records[i]
		who := authors{tracked: rec.Edits, by: rec.ModifiedBy, at: rec.ModifiedAt}
		if c, ok := r.settle(held[id], next[i], values, who); ok {
			if c.Write != nil {
				c.Write.Changed = rec.ChangedAt
			}
			changes = append(changes, c)
		}
	}
	if r.adopted.refused() && !r.Adopt {
		return r.adopted.err()
	}
	return r.commit(ctx, changes)
}

// leave settles deals that are not Closed Won any more.
func (r *scoring) leave(ctx context.Context, ids []string) error {
	if _, err := r.settleQueue(ctx, ids); err != nil {
		return err
	}
	held, err := r.Store.Handoffs(ctx, r.Connection, ids)
	if err != nil {
		return err
	}
	var gone []*Handoff
	for _, id := range ids {
		if h := held[id]; h != nil && !h.Reopened {
			next := *h
			next.Reopened = true
			gone = append(gone, &next)
			r.seen[id] = true
		}
	}
	return r.again(ctx, held, gone)
}

// waiting settles deals without news: those whose last write is still to be done, those that time has changed, and those
// that another scorecard scored.
func (r *scoring) waiting(ctx, work context.Context) error {
	for after := ""; ; {
		list, err := r.Store.Waiting(work, r.Connection, r.rulebook, r.Clock(), after, chunk)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		after = list[len(list)-1].DealID
		held := map[string]*Handoff{}
		var todo []*Handoff
		for _, h := range list {
			if r.seen[h.DealID] || !r.stale(h) && !(h.Pending && r.mayWrite(h) && !h.Parked.early(r.Clock())) {
				continue
			}
			held[h.DealID] = h
			next := *h
			todo = append(todo, &next)
		}
		if err := r.again(work, held, todo); err != nil {
			return err
		}
	}
}

// again settles handoffs from the store, scored again where they are stale: held as they were, next as they should be.
func (r *scoring) again(ctx context.Context, held map[string]*Handoff, next []*Handoff) error {
	if len(next) == 0 {
		return nil
	}
	ids := make([]string, len(next))
	for i, h := range next {
		ids[i] = h.DealID
	}
	now, err := r.read(ctx, ids)
	if err != nil {
		return err
	}
	var changes []Change
	for _, h := range next {
		values, ok := now[h.DealID]
		if !ok { // deleted, or not a deal of this connection any more: the card stays, and nothing is written
			h.Reopened, h.Pending, h.Parked = true, false, nil
			r.flag(held[h.DealID], h)
			changes = append(changes, Change{Handoff: h})
			continue
		}
		if r.stale(h) && !finalised(h, values) {
			r.rescore(h)
		}
		if c, ok := r.settle(held[h.DealID], h, values, authors{at: r.readAt}); ok {
			changes = append(changes, c)
		}
	}
	return r.commit(ctx, changes)
}

func (r *scoring) read(ctx context.Context, ids []string) (map[string]crm.Values, error) {
	r.readAt = r.Clock()
	return r.CRM.ReadValues(r.budget.Bound(ctx), crm.DealObject, ids)
}
