package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// RollbackJob names the job of Rollback in the store.
const RollbackJob = "rollback"

// Written is what a run wrote, as a list of runs shows it; its JSON form is that of `handoff rollback --json` without a run.
type Written struct {
	Run        int64     `json:"run"`
	Connection string    `json:"connection"`
	StartedAt  time.Time `json:"started_at"`
	Records    int       `json:"records"`   // written to
	Undoes     int64     `json:"undoes"`    // the run that it took back; 0: it scored
	UndoneBy   int64     `json:"undone_by"` // the last run that took it back; 0: none
	Held       int       `json:"held"`      // records that wait for a person since it was taken back
}

// RollbackStore is what Rollback needs of a store.
type RollbackStore interface {
	Ledger
	BeginRun(ctx context.Context, run Run) (id int64, err error)
	EndRun(ctx context.Context, run Run) error
	Handoffs(ctx context.Context, connection string, dealIDs []string) (map[string]*Handoff, error)
	// WritesSince returns the writes since a run began, those that are done or may be, to up to limit of the records above
	// after that the run wrote to: in order of object and record, and of each record oldest first.
	WritesSince(ctx context.Context, run Run, after crm.Ref, limit int) ([]Write, error)
	// Hold saves intended writes that take back what a run wrote, and holds their records, in one transaction; the writes
	// get their IDs.
	Hold(ctx context.Context, run Run, writes []*Write) error
}

// Rollback takes back what a run wrote: each of our fields gets the value that it had before the run, where it still holds
// what the run wrote and no later run wrote it. What it restores is held: later runs score those deals and write nothing to
// them until a person lets them go, for the three-way merge would find the fields as we left them, and write the same again.
//
// A rollback that was killed anywhere is made good by the next rollback of the same run.
type Rollback struct {
	Of     Run
	CRM    Writer
	Store  RollbackStore
	DryRun bool // nothing is written and nothing saved

	Clock  func() time.Time
	Report func(Restored) // told of each record that there is something to say about
}

// Writer is what Rollback needs of a connector.
type Writer interface {
	connectors.Writer
	connectors.Usage
}

// Restored is what a rollback did to one record.
type Restored struct {
	Ref    crm.Ref
	Name   string            // of a deal
	Before crm.Values        // the fields that are restored, as they were until now
	After  crm.Values        // the same fields, as they are now
	Left   map[string]string // the fields that are left alone, and why
	Stuck  bool              // fields are left alone for a reason that a person has to look into
}

// Restoration is what a rollback did in all; its JSON form is that of the last line of `handoff rollback --json`.
type Restoration struct {
	Connection string `json:"connection"`
	Run        int64  `json:"run"`      // that was rolled back
	Restored   int    `json:"restored"` // records with fields that were restored
	Left       int    `json:"left"`     // records with fields that were left alone
	Stuck      int    `json:"stuck"`    // records among them that a person has to look into: the CRM refuses or hides them
	Calls      int    `json:"calls"`    // API calls
}

// Run does the rollback and returns what it did, also when it fails: then doing it again does the rest. When ctx is
// cancelled, the records at hand are finished.
func (j *Rollback) Run(ctx context.Context) (sum Restoration, err error) {
	r := &rollingBack{Rollback: *j, sum: Restoration{Connection: j.Of.Connection, Run: j.Of.ID}}
	calls := r.CRM.Calls()
	defer func() { sum.Calls = r.CRM.Calls() - calls }()
	work, done := outlive(ctx, grace)
	defer done()
	if r.DryRun {
		err = r.run(ctx, work)
		return r.sum, err
	}
	run := Run{Connection: r.Of.Connection, Job: RollbackJob, StartedAt: r.Clock()}
	if run.ID, err = r.Store.BeginRun(work, run); err != nil {
		return r.sum, err
	}
	r.id = run.ID
	if err = resolve(work, r.Store, r.CRM, r.Of.Connection); err == nil {
		err = r.run(ctx, work)
	}
	ended := r.Clock()
	run.EndedAt = &ended
	run.Summary = Summary{Connection: r.Of.Connection, Written: r.sum.Restored, Parked: r.sum.Stuck, Calls: r.CRM.Calls() - calls}
	if err != nil {
		run.Error = err.Error()
	}
	return r.sum, errors.Join(err, r.Store.EndRun(context.WithoutCancel(ctx), run))
}

// rollingBack is one run of Rollback.
type rollingBack struct {
	Rollback
	id  int64
	sum Restoration
}

// run does the work, some records at a time. ctx says whether to go on; work outlives it for what is at hand.
func (r *rollingBack) run(ctx, work context.Context) error {
	for after := (crm.Ref{}); ; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("interrupted; the same command does the rest: %w", err)
		}
		writes, err := r.Store.WritesSince(work, r.Of, after, chunk)
		if err != nil || len(writes) == 0 {
			return err
		}
		after = writes[len(writes)-1].Ref
		if err := r.records(work, writes); err != nil {
			return err
		}
	}
}

// records takes back what the run wrote to some records, given the writes to them since it began.
func (r *rollingBack) records(ctx context.Context, writes []Write) error {
	ledger := map[crm.Ref][]Write{}
	var refs []crm.Ref
	for _, w := range writes {
		if ledger[w.Ref] == nil {
			refs = append(refs, w.Ref)
		}
		ledger[w.Ref] = append(ledger[w.Ref], w)
	}
	now, err := readValues(ctx, r.CRM, refs)
	if err != nil {
		return err
	}
	held, err := r.Store.Handoffs(ctx, r.Of.Connection, dealIDs(refs))
	if err != nil {
		return err
	}
	found := make(map[crm.Ref]*Restored, len(refs))
	var intents []*Write
	for _, ref := range refs {
		rec := &Restored{Ref: ref, Before: crm.Values{}, After: crm.Values{}, Left: map[string]string{}}
		found[ref] = rec
		values, there := now[ref]
		var h *Handoff
		if ref.Object == crm.DealObject {
			h = held[ref.ID]
		}
		r.compare(rec, layersOf(ledger[ref]), values, there, h)
		if len(rec.After) > 0 {
			intents = append(intents, &Write{RunID: r.id, Undoes: r.Of.ID, Connection: r.Of.Connection, Ref: ref, State: WriteIntended,
				At: r.Clock(), Before: rec.Before, After: rec.After})
		}
	}
	if !r.DryRun && len(intents) > 0 {
		err = r.write(ctx, intents, found)
	}
	for _, ref := range refs {
		r.tell(found[ref])
	}
	return err
}

func dealIDs(refs []crm.Ref) []string {
	var ids []string
	for _, ref := range refs {
		if ref.Object == crm.DealObject {
			ids = append(ids, ref.ID)
		}
	}
	return ids
}

// layer is what a run put into a field, over what it held before.
type layer struct {
	run           int64
	before, after string
}

// layersOf returns what lies in each field of a record, the last layer on top, given the writes to it, oldest first. What was
// taken back lies there no more.
func layersOf(writes []Write) map[string][]layer {
	fields := map[string][]layer{}
	for _, w := range writes {
		for field, after := range w.After {
			stack := fields[field]
			top := len(stack) - 1
			switch {
			case w.Undoes != 0:
				if top >= 0 && stack[top].run == w.Undoes {
					stack = stack[:top]
				}
			case top >= 0 && stack[top].run == w.RunID:
				stack[top].after = after
			default:
				stack = append(stack, layer{w.RunID, w.Before[field], after})
			}
			fields[field] = stack
		}
	}
	return fields
}

// compare says in rec which fields are to be restored, and which are not, and why. now is what the record holds, unless it is not there any
// more; h is the handoff of a deal.
func (r *rollingBack) compare(rec *Restored, fields map[string][]layer, now crm.Values, there bool, h *Handoff) {
	frozen := false
	if h != nil {
		rec.Name, frozen = h.Snapshot.Deal.Name, finalised(h, now)
	}
	for field, stack := range fields {
		i := slices.IndexFunc(stack, func(l layer) bool { return l.run == r.Of.ID })
		if i < 0 { // never written, or taken back already
			continue
		}
		top := stack[len(stack)-1]
		current, visible := now[field]
		switch {
		case !there:
			rec.Left[field] = "the record is deleted, or not a deal of this connection any more"
		case !visible:
			rec.Left[field], rec.Stuck = "handoff cannot see the field, or not edit it; `handoff check` says why", true
		case same(current, stack[i].before): // by whomever
		case frozen:
			rec.Left[field] = "its CSM has finalised the card"
		case top.run != r.Of.ID:
			rec.Left[field] = fmt.Sprintf("run %d has written it since", top.run)
		case !same(current, top.after):
			rec.Left[field] = "it has been changed since"
		default:
			rec.Before[field], rec.After[field] = current, top.before
		}
	}
	delete(rec.Left, fieldScoredAt) // goes along with the others
	if _, stamp := rec.After[fieldScoredAt]; stamp && len(rec.After) == 1 {
		clear(rec.Before)
		clear(rec.After)
	}
}

// write carries out the restoration of records, and notes in found what the CRM refuses.
func (r *rollingBack) write(ctx context.Context, intents []*Write, found map[crm.Ref]*Restored) error {
	if err := r.Store.Hold(ctx, r.Of, intents); err != nil {
		return err
	}
	all, refused, err := send(ctx, r.Store, r.CRM, intents)
	outcomes := map[crm.Ref]finished{}
	for _, f := range all {
		outcomes[f.Ref] = f
	}
	for _, w := range intents {
		rec := found[w.Ref]
		f, certain := outcomes[w.Ref]
		if certain && f.State == WriteDone {
			continue
		}
		rec.Before, rec.After = nil, nil
		for field := range w.After {
			if certain && field != fieldScoredAt {
				rec.Left[field] = f.Detail
			}
		}
		rec.Stuck = rec.Stuck || certain && f.State == WriteParked
	}
	return errors.Join(refused, err)
}

// tell counts and reports a record that there is something to say about.
func (r *rollingBack) tell(rec *Restored) {
	if len(rec.After) > 0 {
		r.sum.Restored++
	}
	if len(rec.Left) > 0 {
		r.sum.Left++
	}
	if rec.Stuck {
		r.sum.Stuck++
	}
	if r.Report != nil && (len(rec.After) > 0 || len(rec.Left) > 0) {
		r.Report(*rec)
	}
}
