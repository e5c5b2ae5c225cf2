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
	cmd := &cobra.Command{
		Use:   "score FILE|-",
		Short: "Score deals from a file, without a CRM",
		Long: `Scores deals from a file, one JSON object a line (docs/cases.md), without a CRM and without
keeping anything. A line that cannot be read is reported with its number and field, and the
others are scored.`,
		Example: `  handoff score deals.jsonl
  handoff score --json deals.jsonl | jq 'select(.ghost == "yes") | .id'
  handoff score --as-of 2026-10-15 -  < deals.jsonl`,
		Args: takes("FILE, or - for standard input"),
		RunE: func(_ *cobra.Command, args []string) error {
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
			return a.score(in, now, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line, in the order of the input")
	cmd.Flags().StringVar(&at, "as-of", "", "score as of this moment where the deal carries none (default: now)")
	return cmd
}

// score prints a card for each deal of in, as of the deal's own moment or else of now.
func (a *app) score(in io.Reader, now time.Time, asJSON bool) error {
	engine, err := a.configuredEngine()
	if err != nil {
		return err
	}
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
			table.row(s.ID, s.Deal.Name, points(card), card.Rating, card.Health, string(card.Ghost))
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

// points is the total of a card as "27/40"; without one while parts of the record are not read.
func points(c *rules.Card) string {
	if c.Unread() {
		return "not read"
	}
	return fmt.Sprintf("%d/%d", c.Total, c.Max)
}
