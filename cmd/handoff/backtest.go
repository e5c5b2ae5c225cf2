package main

import (
	"bufio"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"handoff/rules"
)

func (a *app) backtestCommand() *cobra.Command {
	var asJSON bool
	var scorecard, html string
	cmd := &cobra.Command{
		Use:   "backtest --scorecard NEW.toml",
		Short: "Show what another scorecard would change, without a CRM",
		Long: `Scores the stored deals with the present scorecard and with another one, each as of the end of the time
that Sales has after the close, and shows what would change: in sum, and deal by deal with both
reasons. Nothing is saved, and no CRM is called.

The store keeps a deal as it was last read. Notes, e-mails and other records dated after the
moment of scoring are left out; fields and contacts count as they are now.`,
		Example: `  handoff backtest --scorecard new.toml
  handoff backtest --scorecard new.toml --html changes.html
  handoff backtest --scorecard new.toml --json | jq 'select(.after.ghost == "yes" and .before.ghost != "yes") | .name'`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if scorecard == "" {
				return useError{errors.New("backtest needs --scorecard FILE, the scorecard to try")}
			}
			cfg, err := a.loadConfig(nil)
			if err != nil {
				return err
			}
			other, err := loadScorecard(scorecard)
			if err != nil {
				return err
			}
			b := newBacktest(cfg.Engine, rules.NewEngine(other), a.clock())
			out := bufio.NewWriter(a.stdout)
			if asJSON {
				b.report = func(d *dealShift) error { return printJSON(out, d) }
			}
			if err := a.replay(cmd.Context(), cfg, b); err != nil {
				return errors.Join(err, out.Flush())
			}
			b.finish()
			if html != "" {
				if err := writePage(html, "backtest.html", b); err != nil {
					return errors.Join(err, out.Flush())
				}
			}
			if asJSON {
				return errors.Join(printJSON(out, b), out.Flush())
			}
			b.print(a.stdout)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&scorecard, "scorecard", "", "file of the scorecard to try")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line: the deals that would change, then the sum")
	flags.StringVar(&html, "html", "", "also write the result to this file, as one page that needs nothing else")
	return cmd
}

// replay takes every stored deal through b.
func (a *app) replay(ctx context.Context, cfg *Config, b *backtest) (err error) {
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all, _, err := db.CountHandoffs(ctx, "")
	if err != nil {
		return err
	}
	bar := a.newProgress("replaying deals")
	defer bar.done()
	for h, err := range db.All(ctx) {
		if err != nil {
			return err
		}
		var threshold *float64
		if conn, err := cfg.connection(h.Connection); err == nil {
			threshold = conn.MinAmount
		}
		if err := b.replay(h, threshold); err != nil {
			return err
		}
		bar.set(b.Stored, all)
	}
	return nil
}
