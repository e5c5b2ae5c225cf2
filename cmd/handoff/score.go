package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/rules"
)

func (a *app) scoreCommand() *cobra.Command {
	var asJSON bool
	var at string
	var minAmount float64
	cmd := &cobra.Command{
		Use:   "score FILE|-",
		Short: "Score deals from a file, without a CRM",
		Long: `Scores deals from a file, one JSON object a line (docs/cases.md), without a CRM and without
keeping anything, by the scorecard of the configuration if there is one. A line that cannot be
read is reported with its number and field, and the others are scored.`,
		Example: `  handoff score deals.jsonl
  handoff score --json deals.jsonl | jq 'select(.ghost == "yes") | .id'
  handoff score --as-of 2026-10-15 -  < deals.jsonl`,
		Args: takes("FILE, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			when, err := parseAsOf(at)
			if err != nil {
				return useError{fmt.Errorf("--as-of: %w", err)}
			}
			now := a.clock()
			if when.At != nil {
				now = *when.At
			}
			in := a.stdin
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return useError{fmt.Errorf("%s: %w", args[0], cause(err))}
				}
				defer f.Close()
				in = f
			}
			engine, err := a.configuredEngine()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("min-amount") {
				engine = engine.ForThreshold(&minAmount)
			}
			return a.score(engine, in, now, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line, in the order of the input")
	cmd.Flags().Float64Var(&minAmount, "min-amount", 0, "score deals of a smaller amount by the version for small deals")
	cmd.Flags().StringVar(&at, "as-of", "", "score as of this moment where the deal carries none (default: now)")
	return cmd
}

// score prints a card for each deal of in, as of the deal's own moment or else of now.
func (a *app) score(engine *rules.Engine, in io.Reader, now time.Time, asJSON bool) error {
	out := bufio.NewWriter(a.stdout)
	table := newTable("id", "deal", "total", "rating", "health", "ghost")
	bad := 0
	for s, err := range crm.ReadCases(in) {
		var line *crm.LineError
		if errors.As(err, &line) {
			fmt.Fprintln(a.stderr, plain(line.Error()))
			bad++
			continue
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		asOf := now
		if s.AsOf != nil {
			asOf = *s.AsOf
		}
		card := engine.Score(s, asOf)
		if !asJSON {
			total := "not read"
			if !card.Unread() {
				total = points(card.Total, card.Max, card.Small)
			}
			table.row(s.ID, s.Deal.Name, total, card.Rating, card.Health, string(card.Ghost))
			continue
		}
		if err := printJSON(out, card); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print scores: %w", err)
	}
	table.print(a.stdout)
	if bad > 0 {
		return errReported
	}
	return nil
}

// points is a total as "27/40", that of a small deal as "9/14 (64 %)".
func points(total, most int, small bool) string {
	if !small {
		return fmt.Sprintf("%d/%d", total, most)
	}
	return fmt.Sprintf("%d/%d (%d %%)", total, most, total*100/max(most, 1))
}
