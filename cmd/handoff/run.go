package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"handoff/jobs"
)

// runFlags are the flags of `handoff run`.
type runFlags struct {
	once, dryRun, adopt, json bool
	connection, job, asOf     string
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Pull, score and write back: as a service, or once",
		Long: `Pulls won deals with news, scores them and writes the scores back, as a service on the schedule of
each connection; Ctrl-C or SIGTERM stops it after the deal at hand. With --once it runs each
connection now, sends what the outbox holds, and exits: 0 when done, also with deals flagged; 1
when something needs a person.

What no CRM tells of as news is found by the job "reconcile", which compares all deals with the CRM
each day at the time of the key reconcile: deals that are gone, merged or excluded by now, contacts
that are, people and stages that were renamed. After about ` + strconv.Itoa(jobs.ReconcileCalls) + ` API calls it leaves the rest to the
next day.`,
		Example: `  handoff run --once --dry-run             # what would be written, field by field
  handoff run --once
  handoff run --once --connection salesforce --json | tail -1
  handoff run --once --job reconcile
  handoff run                              # the service`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.once, "once", false, "run each connection once and exit")
	flags.BoolVar(&f.dryRun, "dry-run", false, "run once, print the difference of each field, write nothing")
	flags.StringVar(&f.connection, "connection", "", "only this connection")
	flags.StringVar(&f.job, "job", "", "run this job once: "+strings.Join(slices.Sorted(maps.Keys(runs)), " or "))
	flags.StringVar(&f.asOf, "as-of", "", `score as of this moment, "case" for each deal's own; a sandbox on this machine only`)
	flags.BoolVar(&f.adopt, "adopt", false, "after the store was lost: keep what the CRM holds and differs as people's values")
	flags.BoolVar(&f.json, "json", false, "print JSON; one line for each connection comes last")
	return cmd
}

func (a *app) run(ctx context.Context, f runFlags) (err error) {
	cfg, err := a.loadConfig(a.env)
	if err != nil {
		return err
	}
	if err := f.narrow(cfg); err != nil {
		return useError{err}
	}
	s, err := a.openService(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.adopt = f.adopt
	switch {
	case f.dryRun:
		return s.dryRun(ctx, cmp.Or(f.job, jobs.ScoreJob), f.json)
	case f.once || f.job != "":
		return s.once(ctx, cmp.Or(f.job, jobs.ScoreJob), f.json)
	}
	return s.serve(ctx)
}

// narrow applies the flags to the configuration: which connection, and which moment.
func (f runFlags) narrow(cfg *Config) error {
	if _, known := runs[f.job]; f.job != "" && !known {
		return fmt.Errorf("--job: there is no job %q. This version knows %s", f.job, quoted(slices.Sorted(maps.Keys(runs))))
	}
	at, err := parseAsOf(f.asOf)
	if err != nil {
		return fmt.Errorf("--as-of: %w", err)
	}
	if err := cfg.narrow(f.connection); err != nil {
		return err
	}
	if f.asOf == "" {
		return nil
	}
	for i := range cfg.Connections {
		if err := cfg.Connections[i].allowsAsOf(); err != nil {
			return fmt.Errorf("--as-of: %s: %w", cfg.Connections[i].Name, err)
		}
		cfg.Connections[i].AsOf = at
	}
	return nil
}
