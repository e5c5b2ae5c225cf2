package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
	"handoff/rules/agreement"
)

func (a *app) calibrateCommand() *cobra.Command {
	var asJSON bool
	var html string
	cmd := &cobra.Command{
		Use:   "calibrate [LABELLED.jsonl...]",
		Short: "Compare the automatic scores with people's",
		Long: `Shows how far the automatic scores agree with people's, item by item, and the worst disagreements
with both reasons: what a calibration session needs.

A file holds one rater's scores of deals, one deal a line (docs/cases.md, "expected"). With
several files, one for each rater, the raters are compared with each other, too; it is enough
for one of the files to hold the deals. Without a file, the cards of the store are taken: what
the CSM left as it was on a finalised card counts as agreement, and on a card that is still
open only what people changed is known.`,
		Example: `  handoff calibrate deals.jsonl
  handoff calibrate --html session.html deals.jsonl anna.jsonl ben.jsonl
  handoff calibrate                     # what people changed of the stored cards
  handoff calibrate --json deals.jsonl | jq '.items[] | {id, exact}'`,
		RunE: func(cmd *cobra.Command, files []string) error {
			engine, err := a.configuredEngine()
			if err != nil {
				return err
			}
			var c *calibration
			var problems error
			if len(files) > 0 {
				c, problems = a.calibrateFiles(engine, files)
			} else {
				c, problems = a.calibrateStore(cmd.Context(), engine)
			}
			if c == nil {
				return problems
			}
			if html != "" {
				if err := writePage(html, "calibrate.html", c); err != nil {
					return err
				}
			}
			if asJSON {
				return errors.Join(printJSON(a.stdout, c), problems)
			}
			c.print(a.stdout)
			return problems
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&html, "html", "", "also write the result to this file, as one page that needs nothing else")
	return cmd
}

// ratedDeal is a deal with what its raters gave it.
type ratedDeal struct {
	id, name, language string
	card               *rules.Card // automatic; nil: no file holds the deal
	open               bool        // not finalised: people have said nothing about the items that they left alone
	by                 []*opinion  // by rater; nil: did not rate it
}

// opinion is what a person gave a deal.
type opinion struct {
	*agreement.Judgement
	why map[string]string // by item id
}

// calibrateFiles compares the scores in the files of people. Lines that cannot be read, and deals that no file holds, are
// reported on stderr, and the others compared; the error is errReported then.
func (a *app) calibrateFiles(engine *rules.Engine, files []string) (*calibration, error) {
	raters := make([]string, len(files))
	for i, file := range files {
		raters[i] = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	byID := map[string]*ratedDeal{}
	var deals []*ratedDeal
	bad := false
	problem := func(format string, args ...any) {
		bad = true
		fmt.Fprintln(a.stderr, plain(fmt.Sprintf(format, args...)))
	}
	for rater, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, useError{fmt.Errorf("%s: %w", file, cause(err))}
		}
		defer f.Close()
		for s, err := range crm.ReadLabelled(f) {
			if line := (*crm.LineError)(nil); errors.As(err, &line) {
				problem("%s: %v", file, err)
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			labels, err := agreement.ReadLabels(s, engine.Scorecard())
			if err != nil {
				problem("%s: deal %s: %v", file, s.ID, err)
				continue
			}
			d := byID[s.ID]
			if d == nil {
				d = &ratedDeal{id: s.ID, by: make([]*opinion, len(files))}
				byID[s.ID], deals = d, append(deals, d)
			}
			if d.by[rater] != nil {
				problem("%s: deal %s is in the file twice; the first line counts", file, s.ID)
				continue
			}
			d.by[rater] = &opinion{labels.Judgement(engine), labels.Why}
			if s.Deal.ID != "" && d.card == nil {
				d.score(engine, s, a.clock())
			}
		}
	}
	c := newCalibration(engine.Scorecard(), fromFiles, raters)
	for _, d := range deals {
		c.add(d)
		if d.card == nil {
			problem("deal %s: none of the files holds the deal itself, so there is no automatic score to compare with", d.id)
		}
	}
	c.finish()
	if bad {
		return c, errReported
	}
	return c, nil
}

// score scores the deal as of its own moment, or else of now.
func (d *ratedDeal) score(engine *rules.Engine, s *crm.Snapshot, now time.Time) {
	if s.AsOf != nil {
		now = *s.AsOf
	}
	d.name, d.language, d.card = s.Deal.Name, engine.Language(s, now), engine.Score(s, now)
}

// calibrateStore compares the stored cards with what people made of them.
func (a *app) calibrateStore(ctx context.Context, engine *rules.Engine) (_ *calibration, err error) {
	cfg, err := a.loadConfig(nil)
	if err != nil {
		return nil, err
	}
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all, _, err := db.CountHandoffs(ctx, "")
	if err != nil {
		return nil, err
	}
	bar := a.newProgress("reading cards")
	defer bar.done()
	c := newCalibration(engine.Scorecard(), fromStore, []string{"people"})
	read := 0
	for h, err := range db.All(ctx) {
		if err != nil {
			return nil, err
		}
		if d := peoplesCard(engine, h); d != nil {
			c.add(d)
		}
		read++
		bar.set(read, all)
	}
	if c.Deals+c.OpenDeals == 0 {
		return nil, useError{fmt.Errorf("nobody has finalised or changed any of the %s yet, so there is nothing to compare with. Name a file of labelled deals, or come back when CSMs have corrected some", count(all, "stored card"))}
	}
	c.finish()
	return c, nil
}

// peoplesCard returns what people made of a stored card; nil: they left it alone.
func peoplesCard(engine *rules.Engine, h *jobs.Handoff) *ratedDeal {
	if h.Card == nil {
		return nil
	}
	labels := agreement.Labels{Scores: h.Set(), Why: map[string]string{}}
	if len(labels.Scores) == 0 && !h.Finalised {
		return nil
	}
	for id := range labels.Scores {
		labels.Why[id] = by(h.Edits[jobs.ItemField(id)])
	}
	if h.Finalised {
		computed := agreement.OfCard(h.Card)
		changed := labels.Scores
		labels.Scores, labels.Ghost = computed.Scores, computed.Ghost
		maps.Copy(labels.Scores, changed)
		switch h.Edits["ghost"].Value {
		case "true":
			labels.Ghost = rules.GhostYes
		case "false":
			labels.Ghost = rules.GhostNo
		}
	}
	return &ratedDeal{
		id: h.Connection + ":" + h.DealID, name: h.Snapshot.Deal.Name, language: engine.Language(h.Snapshot, h.AsOf),
		card: h.Card, open: !h.Finalised, by: []*opinion{{labels.Judgement(engine), labels.Why}},
	}
}
