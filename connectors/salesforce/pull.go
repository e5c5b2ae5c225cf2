package salesforce

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// The first pull sweeps all won deals, newest first, and can go on where it was killed: while it lasts, the watermark of
// opportunities is the close date and the id of the last deal. From then on a pull lists what changed, object by object.

const opportunity = "Opportunity"

// readsMark is the watermark whose id says what a pull read of each deal, and which deals: where that changed, all deals
// are swept again. Its time is that from which on opportunities are news.
const readsMark = "handoff.reads"

// sweepMark is the watermark whose time is that up to which a sweep reads, also when it goes on after it was killed.
const sweepMark = "handoff.sweep"

// reads identifies what r reads of a deal, and which deals of which org.
func (r *reader) reads() string {
	sum := sha256.New()
	fmt.Fprintln(sum, r.org, r.won())
	for _, name := range sortedKeys(r.schema.facts) {
		fmt.Fprintln(sum, name, r.schema.facts[name])
	}
	fmt.Fprintln(sum, r.schema.hidden)
	for _, s := range []source{contactRoles, legacyNotes, contentNotes, tasks, events, invitees, emails} {
		seen, _ := r.schema.choose(s.object, s.columns)
		fmt.Fprintln(sum, s.object, seen)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Pull implements connectors.Puller.
func (c *Client) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	c.reopen()
	if mark, ok := since[opportunity]; !ok || mark.ID != "" {
		return c.sweep(ctx, since, yield)
	}
	return c.pullChanges(ctx, since, yield)
}

// pullChanges yields the won deals that anything changed on since the watermarks.
func (c *Client) pullChanges(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	var lists []*list
	for _, f := range coreFeeds {
		lists = append(lists, c.begin(f, since))
	}
	r, err := c.open(ctx, parts(lists)...)
	if err != nil {
		return err
	}
	if since[readsMark].ID != r.reads() {
		return c.sweep(ctx, since, yield)
	}
	defer r.tellLeft(ctx)
	n, marks, err := r.follow(ctx, since, lists)
	if err != nil {
		return err
	}
	marks[readsMark] = crm.Watermark{Time: marks[opportunity].Time, ID: since[readsMark].ID}
	marks[sweepMark] = since[sweepMark]
	changed, err := r.locate(ctx, n)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(changed, maxDeals) {
		records, err := r.deals(ctx, chunk)
		if err != nil {
			return err
		}
		if err := yield(connectors.Batch{Records: records, Total: len(changed)}); err != nil {
			return err
		}
	}
	marks[notesMark] = newest(since[notesMark], r.unread)
	if err := yield(connectors.Batch{Left: sortedKeys(n.left), Watermarks: marks, Total: len(changed)}); err != nil {
		return err
	}
	err = r.catchUp(connectors.Backfill(ctx), marks[notesMark], yield)
	if errors.Is(err, connectors.ErrBudget) { // the run has done its work, and these notes can wait
		return nil
	}
	return err
}
