package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// The first pull sweeps all won deals in the order of their ids, and later ones go on where it was killed, or stopped at its
// share of the quota: while it lasts, the watermark of deals carries an id. From then on a pull lists what changed, object by
// object, and goes on with the sweep after that.

// readsMark is the watermark whose id says what a pull read of each deal, and which deals: where that changed, all deals
// are swept again. Its time is that from which on deals are news.
const readsMark = "handoff.reads"

// reads identifies what r reads of a deal, and which deals of which portal, as far as that is known before the first deal is read.
func (r *reader) reads() string {
	sum := sha256.New()
	fmt.Fprintln(sum, r.schema.portal())
	for _, name := range sortedKeys(r.schema.facts) {
		for _, f := range r.schema.facts[name] {
			fmt.Fprintln(sum, name, f.object, f.Name)
		}
	}
	fmt.Fprintln(sum, r.schema.pipelines, r.schema.dealTypes, sortedKeys(r.lost))
	return hex.EncodeToString(sum.Sum(nil))
}

// Pull implements connectors.Puller.
func (c *Client) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	err = r.pull(ctx, since, yield)
	r.tellClosed()
	if r.closed != nil || errors.Is(err, connectors.ErrConfig) { // what was known of the portal may not hold any more
		return c.mistrust(ctx, err)
	}
	return err
}

// pull yields what changed, and all deals where a sweep is not done. What changes meanwhile goes first: it is less, and people
// wait for it.
func (r *reader) pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) (err error) {
	reads, changed := r.reads(), 0
	if begun(since) {
		if since, changed, err = r.changes(ctx, since, since[readsMark].ID != reads, yield); err != nil {
			return err
		}
	}
	if since[readsMark].ID != reads {
		if since, err = r.beginSweep(ctx, since, reads); err != nil {
			return err
		}
		if err := yield(connectors.Batch{Watermarks: maps.Clone(since)}); err != nil {
			return err
		}
	}
	if !sweeping(since) {
		return nil
	}
	return r.sweep(connectors.Backfill(ctx), since, changed, yield)
}

// begun reports whether there are watermarks behind which news lies.
func begun(since crm.Watermarks) bool {
	_, placed := since[deals]
	_, read := since[readsMark]
	return placed && read
}

// sweeping reports whether a sweep has begun and is not done.
func sweeping(since crm.Watermarks) bool { return since[deals].ID != "" }

// atStart is the id behind which all deals lie.
const atStart = "0"

// beginSweep returns the watermarks with which a sweep begins. News that is still to be listed stays so.
func (r *reader) beginSweep(ctx context.Context, since crm.Watermarks, reads string) (crm.Watermarks, error) {
	marks, news := maps.Clone(since), since[readsMark].Time
	if !begun(since) {
		p, err := r.next(ctx, &search{op: opSweep, object: deals, groups: r.window()}) // tells the time
		if err != nil {
			return nil, err
		}
		marks, news = crm.Watermarks{}, p.answered
		for _, k := range feeds() {
			marks[k.object] = crm.Watermark{Time: news}
		}
	}
	r.forget(marks)
	marks[deals], marks[readsMark] = crm.Watermark{Time: news, ID: atStart}, crm.Watermark{Time: news, ID: reads}
	return marks, nil
}

const opSweep = "list won deals"

// sweep yields all won deals of the first window that lie behind the id in marks. The pull has yielded done deals before.
func (r *reader) sweep(ctx context.Context, marks crm.Watermarks, done int, yield func(connectors.Batch) error) error {
	s := &search{op: opSweep, object: deals, groups: r.window(), last: marks[deals].ID}
	news, total := marks[deals].Time, 0
	var open []string
	read := func() error {
		records, _, err := r.deals(ctx, open, nil)
		if err != nil {
			return err
		}
		r.forget(marks)
		marks[deals] = crm.Watermark{Time: news, ID: open[len(open)-1]}
		open = nil
		return yield(connectors.Batch{Records: records, Watermarks: maps.Clone(marks), Total: total})
	}
	for p, err := range r.pages(ctx, s) {
		if err != nil {
			return err
		}
		total = max(total, done+p.Total)
		if open = append(open, ids(p.Results)...); len(open) >= maxDeals {
			if err := read(); err != nil {
				return err
			}
		}
	}
	if len(open) > 0 {
		if err := read(); err != nil {
			return err
		}
	}
	marks[deals] = crm.Watermark{Time: news}
	return yield(connectors.Batch{Watermarks: marks, Total: total})
}

func ids(rows []object) []string {
	all := make([]string, len(rows))
	for i, o := range rows {
		all[i] = string(o.ID)
	}
	return all
}

// Properties that tell whether a deal is one of ours.
const (
	isWon      = "hs_is_closed_won"
	pipelineID = "pipeline"
	dealType   = "dealtype"
	amount     = "amount"
	closeDate  = "closedate"
)

// window is the search for the deals of the first pull. The close date can be edited at will; the moment when the deal was
// won is calculated, and not in every portal.
func (r *reader) window() []group {
	won := r.won()
	if r.cfg.Since.IsZero() {
		return []group{won}
	}
	var groups []group
	for _, closed := range []string{closeDate, "hs_closed_won_date"} {
		if _, ok := r.schema.properties[deals][closed]; ok {
			groups = append(groups, won.with(filter{Property: closed, Operator: "GTE", Value: milliseconds(r.cfg.Since)}))
		}
	}
	return groups
}

// won are the conditions that a deal is won and passes the filters.
func (r *reader) won() group {
	won := group{{Property: isWon, Operator: "EQ", Value: "true"}}
	if len(r.schema.pipelines) > 0 {
		won = won.with(filter{Property: pipelineID, Operator: "IN", Values: r.schema.pipelines})
	}
	if len(r.schema.dealTypes) > 0 {
		won = won.with(filter{Property: dealType, Operator: "IN", Values: r.schema.dealTypes})
	}
	return won
}

// filtered are the properties that the filters look at.
var filtered = []string{pipelineID, dealType}

// ours reports whether a deal is won and passes the filters.
func (r *reader) ours(deal object) bool {
	return deal.text(isWon) == "true" && r.schema.passes(deal)
}

// passes reports whether a deal passes the filters.
func (s *schema) passes(deal object) bool {
	if len(s.pipelines) > 0 && !slices.Contains(s.pipelines, deal.text(pipelineID)) {
		return false
	}
	return len(s.dealTypes) == 0 || slices.Contains(s.dealTypes, deal.text(dealType))
}
