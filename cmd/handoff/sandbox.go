package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"handoff/crm"
)

func (a *app) sandboxCommand() *cobra.Command {
	opts := sandboxOptions{Now: a.clock}
	var cases, config string
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run emulated CRMs on this machine to try things on",
		Long: `Runs an emulated Salesforce and an emulated HubSpot on this machine, with the same realistic deals
in both, to try a configuration or a change on before it meets a real CRM. They answer the real
APIs over HTTP; Salesforce also shows a browser a page for each deal, where fields can be edited as
another user would.

It prints "ready" when both listen, and stops on Ctrl-C.`,
		Example: `  handoff sandbox --write-config sandbox.toml
  handoff --config sandbox.toml run --once        # in another terminal
  handoff sandbox --generate 2000 --latency 50ms --salesforce 127.0.0.1:0 --hubspot 127.0.0.1:0`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Generate < 0 {
				return useError{errors.New("--generate: fewer than no deals cannot be made")}
			}
			if cases != "" {
				var err error
				if opts.Cases, err = readCases(cases); err != nil {
					return useError{err}
				}
			}
			return a.sandbox(cmd.Context(), opts, config)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Salesforce, "salesforce", defaultSalesforceAddress, "address for Salesforce; port 0 takes a free one")
	flags.StringVar(&opts.HubSpot, "hubspot", defaultHubSpotAddress, "address for HubSpot; port 0 takes a free one")
	flags.StringVar(&cases, "cases", "", "hold the deals of this file (docs/cases.md) instead of the demo's")
	flags.IntVar(&opts.Generate, "generate", 0, "hold so many made-up deals")
	flags.Int64Var(&opts.Seed, "seed", 1, "make up other deals with another number")
	flags.DurationVar(&opts.Latency, "latency", 0, "let every call take so much longer, such as 50ms")
	flags.BoolVar(&opts.NoLimits, "no-limits", false, "allow any number of calls")
	flags.BoolVar(&opts.NoLog, "no-log", false, "keep no log of the calls, to save memory")
	flags.StringVar(&config, "write-config", "", "write a configuration that works with this sandbox to this file")
	return cmd
}

// sandbox runs a sandbox until ctx ends.
func (a *app) sandbox(ctx context.Context, opts sandboxOptions, config string) (err error) {
	s, err := startSandbox(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSandbox(s)) }()
	if config != "" {
		if err := s.WriteConfig(config); err != nil {
			return useError{err}
		}
		if db := filepath.Join(filepath.Dir(config), "handoff.db"); isThere(db) {
			fmt.Fprintf(a.stderr, "%s holds the history of other runs, so a run against this sandbox would find no news: delete it if it is a sandbox's, or write the configuration into another folder\n", db)
		}
	}
	fmt.Fprintf(a.stderr, "Salesforce sandbox: %s\nHubSpot sandbox:    %s\n(a browser shows their deals)\n", s.SalesforceURL(), s.HubSpotURL())
	fmt.Fprintln(a.stdout, "ready")
	<-ctx.Done()
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// closeSandbox stops a sandbox, and gives the calls at hand a moment to finish.
func closeSandbox(s *crmSandbox) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Close(ctx)
}

// readCases reads a case file whole; a bad line is an error.
func readCases(path string) ([]*crm.Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	cases := []*crm.Snapshot{} // not nil: a file without deals is a CRM without deals
	for s, err := range crm.ReadCases(f) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		cases = append(cases, s)
	}
	return cases, nil
}
