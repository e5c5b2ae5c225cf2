package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"handoff/connectors"
	"handoff/jobs"
)

func (a *app) setupCommand() *cobra.Command {
	var apply bool
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Create handoff's fields in the CRM",
		Long: `Shows what is still to be created in each configured CRM: the custom fields and what makes them
visible. With --apply it is created. Running it again is harmless: it plans only what is missing.`,
		Example: `  handoff setup            # the plan; changes nothing
  handoff setup --apply`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadConfig(a.env)
			if err != nil {
				return err
			}
			return a.setup(cmd.Context(), cfg, apply)
		},
	}
	cmd.Flags().BoolVar(&apply, "apply", false, "carry the plan out")
	return cmd
}

// setup plans each connection, and carries the plans out with apply. A connection that fails does not keep another from
// its turn.
func (a *app) setup(ctx context.Context, cfg *Config, apply bool) error {
	engine, err := newEngine()
	if err != nil {
		return err
	}
	fields := jobs.Fields(engine.Scorecard())
	var failed []error
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		crm, err := a.connect(conn, fields)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		plan, err := crm.Plan(ctx, connectors.SetupOptions{})
		steps := plan.Steps
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("setup %s: %w", conn.Name, err))
		case len(steps) == 0:
			fmt.Fprintf(a.stdout, "%s: nothing to do, everything is in place.\n", conn.Name)
		case !apply:
			fmt.Fprintf(a.stdout, "%s (%s): %s\n", conn.Name, conn.URL, count(len(steps), "step"))
			printSteps(a.stdout, steps)
			fmt.Fprintln(a.stdout, "Nothing has been changed. `handoff setup --apply` carries this out.")
		default:
			if err := a.apply(ctx, conn.Name, crm, steps); err != nil {
				failed = append(failed, fmt.Errorf("setup %s: %w. What is done stays done; the same command goes on from there", conn.Name, err))
				continue
			}
			printSteps(a.stdout, steps)
			fmt.Fprintf(a.stdout, "%s: %s done.\n", conn.Name, count(len(steps), "step"))
		}
	}
	return errors.Join(failed...)
}

func (a *app) apply(ctx context.Context, name string, crm connectors.Provisioner, steps []connectors.Step) error {
	bar := a.newProgress("setup " + name)
	defer bar.done()
	for i, step := range steps {
		if err := crm.Apply(ctx, step); err != nil {
			return fmt.Errorf("%s %s: %w", step.What, step.Target, err)
		}
		bar.set(i+1, len(steps))
	}
	return nil
}

func printSteps(w io.Writer, steps []connectors.Step) {
	for _, s := range steps {
		fmt.Fprintf(w, "  %c %s  %s", s.Change, plain(s.What), plain(s.Target))
		if s.Detail != "" {
			fmt.Fprintf(w, "  %s", plain(s.Detail))
		}
		fmt.Fprintln(w)
	}
}
