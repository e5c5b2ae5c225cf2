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

// The first pull sweeps all won deals in the order of their ids and can go on where it was killed: while it lasts, the
// watermark of deals carries an id, and the moment when the sweep began. From then on a pull lists what changed, object by
// object.

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
	reads := r.reads()
	if mark, ok := since[deals]; !ok || mark.ID != "" || since[readsMark].ID != reads {
		err = r.sweep(ctx, since, reads, yield)
	} else {
		err = r.changes(ctx, since, yield)
	}
	r.tellClosed()
	if r.closed != nil || errors.Is(err, connectors.ErrConfig) { // what was known of the portal may not hold any more
		return c.mistrust(ctx, err)
	}
	return err
}

// sweep yields all won deals of the first window; those before since were read already if it read the same of them.
func (r *reader) sweep(ctx context.Context, since crm.Watermarks, reads string, yield func(connectors.Batch) error) error {
	ctx = connectors.Backfill(ctx)
	s := &search{op: "list won deals", object: deals, groups: r.window()}
	at, resumed := since[deals]
	if resumed && since[readsMark].ID == reads {
		s.last = at.ID
	}
	began, marks, total := at.Time, maps.Clone(since), 0 // where there was a pull, what was news since then still is
	var open []string
	read := func() error {
		records, _, err := r.deals(ctx, open, nil)
		if err != nil {
			return err
		}
		r.forget(marks)
		marks[deals] = crm.Watermark{Time: began, ID: open[len(open)-1]}
		open = nil
		return yield(connectors.Batch{Records: records, Watermarks: maps.Clone(marks), Total: total})
	}
	for p, err := range r.pages(ctx, s) {
		if err != nil {
			return err
		}
		if !resumed {
			resumed, began, marks = true, p.answered, crm.Watermarks{}
			for _, k := range feeds() {
				marks[k.object] = crm.Watermark{Time: began}
			}
		}
		marks[readsMark] = crm.Watermark{Time: began, ID: reads}
		total = max(total, p.Total)
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
	marks[deals] = crm.Watermark{Time: began}
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
