package salesforce

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

// The first pull sweeps all won deals, newest first, and later ones go on where it was killed, or stopped at its share of the
// quota: while it lasts, the watermark of opportunities is the close date and the id of the last deal. From then on a pull lists
// what changed, object by object, and goes on with the sweep after that.

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

// Pull implements connectors.Puller. While a sweep lasts, what changes meanwhile goes first: it is less, and people wait for it.
func (c *Client) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	c.reopen()
	news, begun := newsSince(since)
	var lists []*list
	if begun {
		for _, f := range coreFeeds {
			lists = append(lists, c.begin(f, news))
		}
	}
	r, err := c.open(ctx, parts(lists)...)
	if err != nil {
		return err
	}
	defer r.tellLeft(ctx)
	changed := 0
	if begun {
		if since, changed, err = r.pullChanges(ctx, since, lists, yield); err != nil {
			return err
		}
	}
	if since[readsMark].ID != r.reads() {
		since = r.beginSweep(since)
		if err := yield(connectors.Batch{Watermarks: maps.Clone(since)}); err != nil {
			return err
		}
	}
	ctx = connectors.Backfill(ctx)
	if sweeping(since) {
		return r.sweep(ctx, since, changed, yield)
	}
	err = r.catchUp(ctx, since[notesMark], yield)
	if errors.Is(err, connectors.ErrBudget) { // the run has done its work, and these notes can wait
		return nil
	}
	return err
}

// newsSince returns the watermarks behind which news lies: while a sweep lasts, that of opportunities tells how far it got.
// begun says whether there are any.
func newsSince(since crm.Watermarks) (news crm.Watermarks, begun bool) {
	mark, begun := since[readsMark]
	if _, placed := since[opportunity]; !begun || !placed {
		return nil, false
	}
	news = maps.Clone(since)
	news[opportunity] = crm.Watermark{Time: mark.Time}
	return news, true
}

// pullChanges yields the won deals that anything changed on since the watermarks, of which lists are the first pages. It
// returns the watermarks that hold from then on, and how many deals there are. How far a sweep got stays as it was.
func (r *reader) pullChanges(ctx context.Context, since crm.Watermarks, lists []*list, yield func(connectors.Batch) error) (crm.Watermarks, int, error) {
	n, marks, err := r.follow(ctx, since, lists)
	if err != nil {
		return nil, 0, err
	}
	changed, err := r.locate(ctx, n)
	if err != nil {
		return nil, 0, err
	}
	for chunk := range slices.Chunk(changed, maxDeals) {
		records, err := r.deals(ctx, chunk)
		if err != nil {
			return nil, 0, err
		}
		if err := yield(connectors.Batch{Records: records, Total: len(changed)}); err != nil {
			return nil, 0, err
		}
	}
	left := sortedKeys(n.left)
	if err := r.overtake(ctx, since, slices.Concat(changed, left)); err != nil {
		return nil, 0, err
	}
	marks[notesMark] = newest(since[notesMark], r.unread)
	return marks, len(changed), yield(connectors.Batch{Left: left, Unlisted: n.unlisted.parts(), Watermarks: maps.Clone(marks), Total: len(changed)})
}
