package hubspot

import (
	"context"
	"maps"
	"slices"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// feeds are the kinds of records whose changes are news of a deal, deals themselves first.
func feeds() []kind { return append([]kind{{object: deals, stamp: modified}}, kinds...) }

// quiet reports whether a kind brings no news: of a company that no fact is read from, deals have the name alone. It does
// where it has no watermark, as it was hidden from us then.
func (r *reader) quiet(k kind, since crm.Watermarks) bool {
	return k.object == companies && !forgotten(since, k) && !r.schema.readsCompanies()
}

// changes yields the won deals that anything changed on since the watermarks. It returns the watermarks that hold from then
// on, and how many deals there are. How far a sweep got stays as it was. A kind without a watermark waits for the end of a sweep,
// be it one that is yet to begin, anew.
func (r *reader) changes(ctx context.Context, since crm.Watermarks, anew bool, yield func(connectors.Batch) error) (crm.Watermarks, int, error) {
	candidates := map[string]bool{}
	left := map[string]bool{} // deals that changed, and whether they are not won any more
	n := &news{changed: map[string]map[string]bool{}, tied: map[string]map[string]bool{}}
	marks := maps.Clone(since)
	var now time.Time // when HubSpot began to answer, by its own clock
	for _, k := range feeds() {
		if r.quiet(k, since) || forgotten(since, k) && (anew || sweeping(since)) {
			continue
		}
		var links map[string][]link
		rows, answered, err := r.changed(ctx, k, since)
		if now.IsZero() {
			now = answered
		}
		if err == nil && k.object != deals {
			links, err = r.associations(ctx, "find the deals of what changed", k.object, deals, ids(rows))
		}
		if refused := forbidden(err); refused != nil && k.object != deals {
			r.lose(ctx, k, refused)
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		marks[k.object] = crm.Watermark{Time: latest(since[k.object].Time, now)}
		found := targets(links)
		if k.object == deals {
			found = ids(rows)
			for _, d := range rows {
				left[string(d.ID)] = d.text(isWon) != "true"
			}
		}
		n.changed[k.object], n.tied[k.object] = set(ids(rows)), set(found)
		maps.Copy(candidates, n.tied[k.object])
	}
	open := slices.SortedFunc(maps.Keys(candidates), compareIDs)
	open = slices.DeleteFunc(open, func(id string) bool { return left[id] })
	if len(open) >= len(kinds) { // most of them may not be ours
		var err error
		if open, err = r.locate(ctx, open, left); err != nil {
			return nil, 0, err
		}
	}
	for chunk := range slices.Chunk(open, maxDeals) {
		var err error
		if n.held, err = r.remembered(ctx, chunk); err != nil {
			return nil, 0, err
		}
		records, found, err := r.deals(ctx, chunk, n)
		if err != nil {
			return nil, 0, err
		}
		for _, id := range chunk {
			r.leaves(id, found, left)
		}
		if err := yield(connectors.Batch{Records: records, Total: len(open)}); err != nil {
			return nil, 0, err
		}
	}
	r.forget(marks)
	marks[deals] = crm.Watermark{Time: marks[deals].Time, ID: since[deals].ID}
	marks[readsMark] = crm.Watermark{Time: marks[deals].Time, ID: since[readsMark].ID}
	maps.DeleteFunc(left, func(_ string, gone bool) bool { return !gone })
	return marks, len(open), yield(connectors.Batch{Left: slices.SortedFunc(maps.Keys(left), compareIDs), Watermarks: maps.Clone(marks), Total: len(open)})
}

// changed lists the records of a kind that changed since its watermark, less the overlap, and says when HubSpot began to
// answer. A kind without a watermark is listed from the beginning of the first window.
func (r *reader) changed(ctx context.Context, k kind, since crm.Watermarks) (rows []object, answered time.Time, err error) {
	from := r.cfg.Since
	if !forgotten(since, k) {
		from = since[k.object].Time.Add(-r.cfg.Overlap)
	}
	var g group
	if !from.IsZero() {
		g = append(g, filter{Property: k.stamp, Operator: "GTE", Value: milliseconds(from)})
	}
	if k.object == contacts || k.object == companies { // most of them are on no deal, and marketing may change them all in a night
		g = append(g, filter{Property: dealCount, Operator: "GT", Value: "0"})
	}
	s := &search{op: "list what changed", object: k.object, groups: []group{g}, properties: []string{k.stamp}}
	if k.object == deals {
		s.properties = append(s.properties, isWon)
	}
	for p, err := range r.pages(ctx, s) {
		if err != nil {
			return nil, answered, err
		}
		if answered.IsZero() {
			answered = p.answered
		}
		for _, o := range p.Results { // a search for recent changes brings others, too
			if at := o.moment(k.stamp); at == nil || !at.Before(from.Truncate(time.Millisecond)) {
				rows = append(rows, o)
			}
		}
	}
	return rows, answered, nil
}

// locate returns those of the deals that are ours. It reads them afresh: the index of the search may not know yet that one
// is not won any more, or is gone.
func (r *reader) locate(ctx context.Context, ids []string, left map[string]bool) ([]string, error) {
	found, err := r.batch(ctx, "find the deals of what changed", deals, ids, append([]string{isWon}, filtered...), nil)
	if err != nil {
		return nil, err
	}
	var won []string
	for _, id := range ids {
		if r.leaves(id, found, left); r.ours(found[id]) {
			won = append(won, id)
		}
	}
	return won, nil
}

// leaves notes a deal with news that is gone, is not won any more, or is one that the filters do not pass: what is held of it is
// not kept up from then on. A deal that is not won, and in no search as changed, was so before, or is in the next one.
func (r *reader) leaves(id string, found map[string]object, left map[string]bool) {
	deal, exists := found[id]
	_, moved := left[id]
	if !exists || !r.ours(deal) && (moved || deal.text(isWon) == "true") {
		left[id] = true
	}
}

func set(ids []string) map[string]bool {
	all := make(map[string]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all
}

// latest keeps a watermark from moving back: the clocks of HubSpot's servers may differ.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
