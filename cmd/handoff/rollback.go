package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
)

// rollbackFlags are the flags of `handoff rollback`.
type rollbackFlags struct {
	dryRun, release, json bool
}

func (a *app) rollbackCommand() *cobra.Command {
	var f rollbackFlags
	cmd := &cobra.Command{
		Use:   "rollback [RUN]",
		Short: "Take back what a run wrote to the CRM",
		Long: `Takes back what a run wrote: each of handoff's fields, on deals and accounts, gets the value that it had
before the run, where it still holds what the run wrote. Fields that a person or a later run has changed
since are left alone, and so are finalised cards; a table says which, and why. It writes whatever
write_back says. RUN is the number of a run; without it, the last runs that wrote are listed.

What happens next: the records that were restored are held. Runs go on scoring those deals but write
nothing to them, say so each time and exit with 1, so that the same values do not come back by
themselves. Everything else is written as ever; write_back = false stops that, too. Correct what was
wrong, look at "handoff run --dry-run", which shows what would be written to held deals as well, then
let them go with --release: the next run writes what it finds right by then.

A rollback that was interrupted or killed is continued by the same command.`,
		Example: `  handoff rollback                 # the last runs
  handoff rollback 41 --dry-run    # what would be restored, field by field
  handoff rollback 41
  handoff rollback 41 --release    # let runs write to those records again`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("takes one RUN, or none to list the last ones; got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.dryRun && f.release:
				return useError{errors.New("--release changes nothing in the CRM. Use it without --dry-run; `handoff run --dry-run` shows what the next run would write")}
			case len(args) == 0 && (f.dryRun || f.release):
				return useError{errors.New("name the RUN; `handoff rollback` alone lists the last ones")}
			case len(args) == 0:
				return a.listRuns(cmd.Context(), f.json)
			}
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return useError{fmt.Errorf("%q is not the number of a run; `handoff rollback` alone lists the last ones", args[0])}
			}
			return a.rollback(cmd.Context(), id, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the difference of each field, restore nothing")
	flags.BoolVar(&f.release, "release", false, "let runs write again to the records that the rollback of RUN holds")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line for each record; what was done in all comes last")
	return cmd
}

// listRuns prints the last runs that wrote.
func (a *app) listRuns(ctx context.Context, asJSON bool) (err error) {
	const most = 20
	cfg, err := a.loadConfig(nil)
	if err != nil {
		return err
	}
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	runs, err := db.RunsThatWrote(ctx, most)
	switch {
	case err != nil:
		return err
	case asJSON:
		return printJSON(a.stdout, runs...)
	case len(runs) == 0:
		fmt.Fprintln(a.stdout, "No run has written to a CRM yet.")
		return nil
	}
	t := newTable("run", "connection", "started", "records written", "state")
	for _, r := range runs {
		var state []string
		if r.Undoes != 0 {
			state = append(state, fmt.Sprintf("rollback of run %d", r.Undoes))
		}
		if r.UndoneBy != 0 {
			state = append(state, fmt.Sprintf("rolled back by run %d", r.UndoneBy))
		}
		if r.Held != 0 {
			state = append(state, fmt.Sprintf("%d held", r.Held))
		}
		t.row(strconv.FormatInt(r.Run, 10), r.Connection, r.StartedAt.Format(stamp), strconv.Itoa(r.Records), strings.Join(state, ", "))
	}
	t.print(a.stdout)
	return nil
}

// rollback takes back the run with the given id, or lets go what that holds. Its error is errReported when all is done but a
// person is needed.
func (a *app) rollback(ctx context.Context, id int64, f rollbackFlags) (err error) {
	cfg, err := a.loadConfig(a.env)
	if err != nil {
		return err
	}
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	run, err := db.Run(ctx, id)
	switch {
	case err != nil:
		return err
	case run == nil:
		return useError{fmt.Errorf("there is no run %d; `handoff rollback` alone lists the last ones", id)}
	case run.Job == jobs.RollbackJob:
		return useError{fmt.Errorf("run %d is a rollback itself. To have written again what it took back, let that go: `handoff rollback` alone lists the runs, --release lets go", id)}
	case f.release:
		return a.release(ctx, db, id, f.json)
	}
	conn, err := cfg.connection(run.Connection)
	if err != nil {
		return useError{fmt.Errorf("run %d: %w", id, err)}
	}
	fields := jobs.Fields(cfg.Engine.Scorecard())
	c, err := a.connect(conn, fields, db.Memory(conn.Name))
	if err != nil {
		return err
	}
	if !f.dryRun {
		unlock, err := db.Lock(ctx, conn.Name)
		if err != nil {
			return placed(conn, err)
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	p := &rollbackPrinter{app: a, fields: fields, connection: conn.Name, rollbackFlags: f, table: newTable("record", "restored", "left alone", "why")}
	job := &jobs.Rollback{Of: *run, CRM: c, Store: db, DryRun: f.dryRun, Clock: a.clock, Report: p.record}
	sum, err := job.Run(ctx)
	err = errors.Join(placed(conn, err), p.end(sum))
	if err == nil && sum.Stuck > 0 {
		return errReported
	}
	return err
}

// release lets go what the rollback of a run holds.
func (a *app) release(ctx context.Context, db *history, run int64, asJSON bool) error {
	n, err := db.Release(ctx, run)
	switch {
	case err != nil:
		return err
	case asJSON:
		return printJSON(a.stdout, struct {
			Run      int64 `json:"run"`
			Released int64 `json:"released"`
		}{run, n})
	case n == 0:
		fmt.Fprintf(a.stdout, "Nothing is held for run %d.\n", run)
	default:
		fmt.Fprintf(a.stdout, "%s let go: the next run writes to them what it finds right by then.\n", count(int(n), "record"))
	}
	return nil
}

// rollbackPrinter prints what a rollback did.
type rollbackPrinter struct {
	*app
	rollbackFlags
	fields     []crm.FieldSpec
	connection string
	table      *grid
	err        error // of printing
}

// restoredRow is a record that a rollback restored, or left alone. Its JSON form is that of `handoff rollback --json`.
type restoredRow struct {
	Connection string            `json:"connection"`
	Object     crm.Object        `json:"object"`
	ID         string            `json:"id"`
	Name       string            `json:"name,omitempty"`
	Before     crm.Values        `json:"before"` // the rollback
	After      crm.Values        `json:"after"`
	Left       map[string]string `json:"left"` // why, by field
}

func (p *rollbackPrinter) record(r jobs.Restored) {
	if p.json {
		p.err = errors.Join(p.err, printJSON(p.stdout, restoredRow{p.connection, r.Ref.Object, r.Ref.ID, r.Name, r.Before, r.After, r.Left}))
		return
	}
	name := r.Name
	if r.Ref.Object == crm.AccountObject {
		name = "account " + r.Ref.ID
	}
	why := map[string][]string{} // the fields, by the reason why they are left alone
	for _, field := range slices.Sorted(maps.Keys(r.Left)) {
		why[r.Left[field]] = append(why[r.Left[field]], field)
	}
	reasons := slices.Sorted(maps.Keys(why))
	if p.dryRun {
		fmt.Fprintf(p.stdout, "%s  (%s:%s)\n", plain(name), p.connection, r.Ref.ID)
		printChanges(p.stdout, p.fields, r.Before, r.After)
		for _, reason := range reasons {
			fmt.Fprintf(p.stdout, "    left alone: %s: %s\n", listed(why[reason]), plain(reason))
		}
		return
	}
	restored := ""
	if len(r.After) > 0 {
		restored = count(len(r.After), "field")
	}
	if len(reasons) == 0 {
		p.table.row(name, restored, "", "")
	}
	for _, reason := range reasons {
		p.table.row(name, restored, listed(why[reason]), reason)
		name, restored = "", ""
	}
}

// listed names a few fields, and counts many.
func listed(fields []string) string {
	const most = 3
	if len(fields) > most {
		return count(len(fields), "field")
	}
	return strings.Join(fields, ", ")
}

// end prints what was done in all.
func (p *rollbackPrinter) end(sum jobs.Restoration) error {
	if p.json {
		return errors.Join(p.err, printJSON(p.stdout, sum))
	}
	p.table.print(p.stdout)
	switch {
	case sum.Restored == 0 && sum.Left == 0:
		fmt.Fprintf(p.stdout, "%s: nothing of what run %d wrote is there any more.\n", p.connection, sum.Run)
	case p.dryRun:
		fmt.Fprintf(p.stdout, "%s: %s would be restored, fields of %s left alone. Nothing was written.\n",
			p.connection, count(sum.Restored, "record"), count(sum.Left, "record"))
	default:
		fmt.Fprintf(p.stdout, "%s: %s restored, fields of %s left alone (%s)\n",
			p.connection, count(sum.Restored, "record"), count(sum.Left, "record"), count(sum.Calls, "API call"))
	}
	if sum.Restored > 0 && !p.dryRun {
		fmt.Fprintf(p.stdout, "Runs write nothing to these records until `handoff rollback %d --release` lets them go.\n", sum.Run)
	}
	if sum.Stuck > 0 {
		fmt.Fprintf(p.stdout, "The CRM refuses or hides fields of %s: correct that, and run the same command again.\n", count(sum.Stuck, "record"))
	}
	return p.err
}
