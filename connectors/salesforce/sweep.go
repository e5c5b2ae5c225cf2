package salesforce

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

const opSweep = "list won deals"

// A list that Salesforce cannot make in its two minutes is asked for window by window, of stamps or of close dates: too wide a
// window is narrowed, and the one after a window that was listed is wider.
const (
	narrowing    = 4
	widening     = 2
	shortestSpan = time.Hour // of stamps
	firstDays    = 365       // of close dates
)

// founded is when Salesforce was. Few close dates lie before that, and no stamps.
var founded = time.Date(1999, time.March, 1, 0, 0, 0, 0, time.UTC)

// uncounted is how many deals there are that Salesforce cannot count in its time.
const uncounted = -1

// listed is a deal of a sweep's list.
type listed struct {
	ID     string   `json:"Id"`
	Closed crm.Date `json:"CloseDate"`
}

func (l listed) mark() crm.Watermark { return crm.Watermark{Time: l.Closed.Time(), ID: l.ID} }

// atStart is the place of a sweep that has read nothing yet.
var atStart = crm.Watermark{ID: "start"}

// sweeping reports whether a sweep has begun and is not done.
func sweeping(since crm.Watermarks) bool { return since[opportunity].ID != "" }

// beginSweep returns the watermarks with which a sweep begins. News that is still to be listed stays so.
func (r *reader) beginSweep(since crm.Watermarks) crm.Watermarks {
	news := r.seen
	if mark, ok := since[readsMark]; ok {
		news = mark.Time
	}
	marks := crm.Watermarks{}
	for _, f := range r.feeds(r.schema) {
		if d := r.schema.objects[f.object]; d == nil || !d.off() { // a gap gets none: once it is closed, all of it is news
			marks[f.object] = crm.Watermark{Time: news}
		}
	}
	maps.Copy(marks, since)
	marks[opportunity], marks[readsMark] = atStart, crm.Watermark{Time: news, ID: r.reads()}
	marks[sweepMark], marks[notesMark] = crm.Watermark{Time: r.now}, r.unread
	return marks
}

// sweep yields all won deals of the first window that lie behind the place in marks, newest first: they matter most, should
// the quota not reach for all. What changes after it began is left to pullChanges: it would otherwise run after its own
// write-back. So is what left Closed Won since then, and a deal whose close date is edited meanwhile. The pull has yielded done
// deals before.
func (r *reader) sweep(ctx context.Context, marks crm.Watermarks, done int, yield func(connectors.Batch) error) (err error) {
	at, unread := marks[opportunity], marks[notesMark]
	scope := all(r.won(), r.window(), "SystemModstamp <= "+datetime(marks[sweepMark].Time))
	list, behind, err := r.listWon(ctx, scope, at, true)
	if err != nil {
		return err
	}
	counted := behind != uncounted
	total, many := done+max(behind, 0), behind > r.cfg.BulkFrom || !counted
	if err := r.inBulk(ctx, all(scope, older(at)), sweepOf(marks), many); err != nil {
		return err
	}
	together := maxDeals
	if r.spool != nil { // more would save no calls
		together = maxIDs
		defer func() { err = r.spool.end(err, err != nil && r.spool.err == nil) }()
	}
	if r.spool != nil || !counted {
		if list, _, err = r.listWon(ctx, scope, at, false); err != nil {
			return err
		}
	}
	for {
		batch := connectors.Batch{Total: total}
		var fresh map[string]crm.Values
		if r.spool != nil { // jobs may have read them hours ago, and people write into them
			batch.ReadAt = r.cfg.Now()
			if fresh, err = r.ReadValues(ctx, crm.DealObject, ids(list)); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(list, together) {
			if batch.Records, err = r.deals(ctx, ids(chunk)); err != nil {
				return err
			}
			if r.spool != nil {
				batch.Records = withValues(batch.Records, fresh)
			}
			at = chunk[len(chunk)-1].mark()
			marks[opportunity], marks[notesMark] = at, newest(unread, r.unread)
			batch.Watermarks = maps.Clone(marks)
			if err := yield(batch); err != nil {
				return err
			}
		}
		if len(list) < pageSize {
			marks[opportunity], marks[notesMark] = crm.Watermark{Time: marks[readsMark].Time}, newest(unread, r.unread)
			return yield(connectors.Batch{Watermarks: marks, Total: total})
		}
		if list, _, err = r.listWon(ctx, scope, at, false); err != nil {
			return err
		}
	}
}

// withValues gives records the present values of our fields; those that have none are gone by now.
func withValues(records []connectors.Record, present map[string]crm.Values) []connectors.Record {
	for i := range records {
		records[i].Values = present[records[i].Snapshot.ID]
	}
	return slices.DeleteFunc(records, func(r connectors.Record) bool { return r.Values == nil })
}

// listWon returns the first deals behind a watermark, newest first, a page at most, and how many there are if that is
// asked for. Where they are uncounted, the list is empty.
func (r *reader) listWon(ctx context.Context, scope string, at crm.Watermark, countThem bool) (list []listed, total int, err error) {
	if r.spool != nil {
		return r.spool.won(ctx, at), 0, r.spool.err
	}
	count := &selection[struct{}]{narrows: true}
	if countThem {
		count.soql = selectFrom(opportunity, []string{"COUNT()"}, all(scope, older(at)), "")
	}
	for {
		first := r.firstClose(at)
		page := &selection[listed]{narrows: true, soql: selectFrom(opportunity, []string{"Id", "CloseDate"},
			all(scope, older(at), closedSince(first)), "ORDER BY CloseDate DESC, Id DESC LIMIT "+number(float64(pageSize-len(list))))}
		if _, err := r.read(ctx, opSweep, page, count); err != nil {
			return nil, 0, err
		}
		switch {
		case countThem && (page.timedOut() || count.timedOut()):
			return nil, uncounted, nil
		case page.timedOut() && r.days != 1:
			r.days = max(cmp.Or(r.days, narrowing*firstDays)/narrowing, 1)
			continue
		case page.err != nil:
			return nil, 0, page.err
		}
		if list = append(list, page.rows...); len(list) == pageSize || first.IsZero() {
			return list, count.total, nil
		}
		at, r.days = crm.Watermark{Time: first}, widening*r.days
	}
}

// firstClose is the first close date of the window behind a watermark; zero: it reaches back to the first deal.
func (r *reader) firstClose(at crm.Watermark) time.Time {
	last := at.Time
	if last.IsZero() {
		last = r.now
	}
	first := last.AddDate(0, 0, -r.days)
	if r.days == 0 || first.Before(founded) {
		return time.Time{}
	}
	return first
}

// older is the condition that a deal lies behind a watermark in the order of a sweep; without an id, all of that day do not.
// Behind the zero watermark lies all.
func older(at crm.Watermark) string {
	switch {
	case at.Time.IsZero():
		return ""
	case at.ID == "":
		return "CloseDate < " + date(at.Time)
	}
	return either("CloseDate < "+date(at.Time), all("CloseDate = "+date(at.Time), "Id < "+quote(at.ID)))
}

// closedSince is the condition that a deal was closed on that day or later; since the zero time all were.
func closedSince(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return "CloseDate >= " + date(day)
}

func ids(rows []listed) []string {
	all := make([]string, len(rows))
	for i, row := range rows {
		all[i] = row.ID
	}
	return all
}

// inBulk reads the deals of a sweep in bulk if they are many, or if a sweep that was killed has begun to. Where bulk is of
// no use, r.spool stays nil. An error means that the run is over.
func (r *reader) inBulk(ctx context.Context, scope, identity string, many bool) error {
	if r.cfg.Spool == "" || !many && !r.spooling() {
		return nil
	}
	sp, err := openSpool(ctx, r.cfg.Spool, identity)
	if err == nil {
		if err = r.fill(ctx, sp, scope); err == nil {
			r.spool = sp
			return nil
		}
		if over(ctx, err) || refused(err) != nil { // another run goes on with the jobs
			return sp.end(err, true)
		}
		err = sp.end(err, false)
	}
	if ctx.Err() != nil {
		return err
	}
	r.log.WarnContext(ctx, "deals are not read in bulk", "why", err)
	return nil
}

// spooling reports whether a sweep has begun to read in bulk.
func (r *reader) spooling() bool {
	_, err := os.Stat(r.cfg.Spool)
	return err == nil
}

// overtake takes deals that are yielded with their news, or that have left, out of what a sweep that goes on has read in bulk
// before.
func (r *reader) overtake(ctx context.Context, since crm.Watermarks, deals []string) error {
	if len(deals) == 0 || !sweeping(since) || !r.spooling() {
		return nil
	}
	sp, err := openSpool(ctx, r.cfg.Spool, sweepOf(since))
	if err != nil {
		return err
	}
	err = sp.overtake(ctx, deals)
	return sp.end(err, err == nil)
}

// sweepOf identifies the sweep that has these watermarks.
func sweepOf(marks crm.Watermarks) string {
	return marks[readsMark].ID + " " + datetime(marks[sweepMark].Time)
}

// window is the condition that a deal belongs to the first pull. The close date can be edited at will, the stage's
// cannot.
func (r *reader) window() string {
	closed := closedSince(r.cfg.Since)
	if closed == "" {
		return ""
	}
	if _, ok := r.schema.objects[opportunity].field("LastStageChangeDate"); !ok {
		return closed
	}
	return either(closed, "LastStageChangeDate >= "+datetime(r.cfg.Since))
}
