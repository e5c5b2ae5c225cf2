package salesforce

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// The first pull sweeps all won deals in the order of their stamps and can go on where it was killed: while it lasts,
// the watermark of opportunities carries an id. From then on a pull lists what changed, object by object.

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

type listed struct {
	ID    string `json:"Id"`
	Stamp moment `json:"SystemModstamp"`
}

// sweep yields all won deals of the first window that lie behind since. What changes after it began is left to the pull
// after it: it would otherwise run after its own write-back. So is what left Closed Won since the pull before it.
func (c *Client) sweep(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	const op = "list won deals"
	r, err := c.open(ctx)
	if err != nil {
		return err
	}
	at, news, until, reads := since[opportunity], r.seen, since[sweepMark].Time, r.reads()
	if mark, ok := since[readsMark]; ok {
		news = mark.Time
	}
	if since[readsMark].ID != reads || until.IsZero() {
		at, until = crm.Watermark{}, r.now
	}
	marks := crm.Watermarks{readsMark: {Time: news, ID: reads}, sweepMark: {Time: until}}
	for _, f := range r.feeds() {
		if d := r.schema.objects[f.object]; d == nil || !d.off() { // a gap gets none: once it is closed, all of it is news
			marks[f.object] = crm.Watermark{Time: news}
		}
	}
	for object, mark := range since { // news that is still to be listed
		if _, ok := marks[object]; ok && object != readsMark && object != sweepMark {
			marks[object] = mark
		}
	}
	scope := all(r.won(), r.window(), "SystemModstamp <= "+datetime(until))

	total := 0
	count := &selection[struct{}]{soql: selectFrom(opportunity, []string{"COUNT()"}, all(scope, beyond("SystemModstamp", at)), "")}
	for {
		page := &selection[listed]{soql: selectFrom(opportunity, []string{"Id", "SystemModstamp"}, all(scope, beyond("SystemModstamp", at)),
			"ORDER BY SystemModstamp, Id LIMIT "+number(pageSize))}
		wanted := []part{page}
		if total == 0 {
			wanted = append(wanted, count)
		}
		if _, err := r.read(ctx, op, wanted...); err != nil {
			return err
		}
		if page.err != nil {
			return page.err
		}
		total = count.total
		last := len(page.rows) < pageSize
		for chunk := range slices.Chunk(page.rows, maxIDs) {
			records, err := r.deals(ctx, ids(chunk))
			if err != nil {
				return err
			}
			end := chunk[len(chunk)-1]
			at = crm.Watermark{Time: end.Stamp.Time, ID: end.ID}
			marks[opportunity] = at
			if err := yield(connectors.Batch{Records: records, Watermarks: maps.Clone(marks), Total: total}); err != nil {
				return err
			}
		}
		if last {
			marks[opportunity] = crm.Watermark{Time: news}
			return yield(connectors.Batch{Watermarks: marks, Total: total})
		}
	}
}

// window is the condition that a deal belongs to the first pull. The close date can be edited at will, the stage's
// cannot.
func (r *reader) window() string {
	if r.cfg.Since.IsZero() {
		return ""
	}
	closed := "CloseDate >= " + date(r.cfg.Since)
	if _, ok := r.schema.objects[opportunity].field("LastStageChangeDate"); !ok {
		return closed
	}
	return either(closed, "LastStageChangeDate >= "+datetime(r.cfg.Since))
}

func ids(rows []listed) []string {
	all := make([]string, len(rows))
	for i, row := range rows {
		all[i] = row.ID
	}
	return all
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
	for chunk := range slices.Chunk(changed, maxIDs) {
		records, err := r.deals(ctx, chunk)
		if err != nil {
			return err
		}
		if err := yield(connectors.Batch{Records: records, Total: len(changed)}); err != nil {
			return err
		}
	}
	return yield(connectors.Batch{Left: sortedKeys(n.left), Watermarks: marks, Total: len(changed)})
}
