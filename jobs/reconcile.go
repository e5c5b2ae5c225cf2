package jobs

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// ReconcileJob names the job of ScoreDeals.Reconcile in the store.
const ReconcileJob = "reconcile"

// ReconcileCalls is how many calls a reconciliation makes before it leaves the rest to the next one: one in a hundred of
// the smallest daily quota that a paid org has.
const ReconcileCalls = 1000

// reconcileMark is the watermark whose id is the last deal that was reconciled; "": all are.
const reconcileMark = "handoff.reconcile"

// Reconcile compares the deals that we hold with the CRM, to find what no pull can see (connectors.Reconciler). What has
// changed is read whole and goes the way of a pull. A deal that is gone keeps its card, marked so: it is not written to any
// more, nor flagged. One that is back counts again.
//
// Where calls run out, or the run is told to stop, the next one goes on from there. It returns what Run returns.
func (j *ScoreDeals) Reconcile(ctx context.Context) (Summary, error) {
	return j.do(ctx, ReconcileJob, (*scoring).reconcile)
}

func (r *scoring) reconcile(ctx, work context.Context) error {
	if err := r.prepare(work); err != nil {
		return err
	}
	if err := resolve(r.budget.Bound(work), r.Store, r.CRM, r.Connection); err != nil {
		return err
	}
	if err := r.rest(ctx, work, r.reconcileAll(ctx, work)); err != nil {
		return err
	}
	return r.conclude(ctx, work)
}

// reconcileAll goes through the deals from where the run before it ended. It yields to runs that pull where calls get scarce.
func (r *scoring) reconcileAll(ctx, work context.Context) error {
	marks, err := r.Store.Watermarks(work, r.Connection)
	if err != nil {
		return err
	}
	in, err := r.CRM.Reconcile(r.thrift(ctx))
	if err != nil {
		return err
	}
	for after := marks[reconcileMark].ID; ; {
		ids, err := r.Store.DealIDs(work, r.Connection, after, connectors.ReconcileDeals)
		if err != nil {
			return err
		}
		if after = ""; len(ids) == connectors.ReconcileDeals {
			after = ids[len(ids)-1]
		}
		if err := r.compare(ctx, work, in, ids); err != nil {
			return err
		}
		if err := r.Store.SaveWatermarks(work, r.Connection, crm.Watermarks{reconcileMark: {Time: r.started, ID: after}}); err != nil {
			return err
		}
		if after == "" || r.CRM.Calls()-r.calls >= ReconcileCalls {
			return nil
		}
	}
}

// thrift returns a context for calls that can wait.
func (r *scoring) thrift(ctx context.Context) context.Context {
	return connectors.Backfill(r.budget.Bound(ctx))
}

// compare settles those of the deals that stand otherwise than we hold them.
func (r *scoring) compare(ctx, work context.Context, in connectors.Reconciliation, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	standing, err := in.Standing(r.thrift(ctx), ids)
	if err != nil {
		return err
	}
	var news []string
	for part := range slices.Chunk(ids, chunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := r.sort(work, part, standing)
		if err != nil {
			return err
		}
		news = append(news, found...)
	}
	for part := range slices.Chunk(news, chunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.readAt = r.Clock()
		records, err := in.Read(r.thrift(work), part)
		if err != nil {
			return err
		}
		if records, err = r.whole(work, records); err != nil {
			return err
		}
		if err := r.records(work, records); err != nil {
			return err
		}
	}
	return nil
}

// whole returns those of the records that hold every part that is held of their deals. The others stay as they are until it can
// be read again: the next reconciliation finds them changed once more, and no pull comes back to them.
func (r *scoring) whole(ctx context.Context, records []connectors.Record) ([]connectors.Record, error) {
	var ids []string
	for i := range records {
		ids = append(ids, records[i].Snapshot.Deal.ID)
	}
	held, err := r.Store.Handoffs(ctx, r.Connection, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(records, func(rec connectors.Record) bool {
		h := held[rec.Snapshot.Deal.ID]
		return h != nil && r.spare(h, rec.Snapshot.Unread)
	}), nil
}

// spare notes a deal of which a part cannot be read that is held, if there is one.
func (r *scoring) spare(h *Handoff, unread []crm.Part) bool {
	if !slices.ContainsFunc(unread, func(p crm.Part) bool { return !slices.Contains(h.Snapshot.Unread, p) }) {
		return false
	}
	r.spared.add(h.DealID, unread)
	return true
}

// sort marks the deals that are gone, settles those that have left, and returns those that are to be read whole.
func (r *scoring) sort(ctx context.Context, ids []string, standing map[string]connectors.Standing) (news []string, err error) {
	held, err := r.Store.Handoffs(ctx, r.Connection, ids)
	if err != nil {
		return nil, err
	}
	var parents []string
	for _, id := range ids {
		parents = append(parents, standing[id].Merged...)
	}
	merged, err := r.Store.Handoffs(ctx, r.Connection, parents)
	if err != nil {
		return nil, err
	}
	r.sum.Compared += len(ids)
	var left []string
	var changes []Change
	for _, id := range ids {
		h, s := held[id], standing[id]
		switch {
		case s.State == connectors.Stands:
			r.spare(h, s.Unread)
			inherits := slices.ContainsFunc(s.Merged, func(parent string) bool { return merged[parent] != nil && merged[parent].Heir == "" })
			if inherits || h.Reopened || !h.Finalised && changed(h.Snapshot, s) {
				news = append(news, id)
			}
		case s.State == connectors.Left && !h.Reopened:
			r.sum.Gone++
			left = append(left, id)
		case s.State == connectors.Left && h.Gone != "": // it came back, though not to us
			next := *h
			next.Gone, next.Heir = "", ""
			changes = append(changes, Change{Handoff: &next})
		case s.State == connectors.Deleted && (h.Gone == "" || h.Gone == GoneMissing):
			changes = append(changes, Change{Handoff: r.bury(h, GoneDeleted, "")})
		case s.State == connectors.Missing && h.Gone == "":
			r.vanished[id] = true
			changes = append(changes, Change{Handoff: r.bury(h, GoneMissing, "")})
		}
	}
	if err := r.commit(ctx, changes); err != nil {
		return nil, err
	}
	return news, r.leave(ctx, left)
}

// changed reports whether a pull would read something else of a deal than s holds.
func changed(s *crm.Snapshot, now connectors.Standing) bool {
	if !slices.Contains(now.Unread, crm.PartFields) && !slices.Contains(s.Unread, crm.PartFields) {
		now.Deal.KickoffAt = s.Deal.KickoffAt
		before, errX := json.Marshal(s.Deal, json.Deterministic(true))
		after, errY := json.Marshal(now.Deal, json.Deterministic(true))
		if errX != nil || errY != nil || !bytes.Equal(before, after) {
			return true
		}
	}
	for part, there := range now.Records {
		if slices.Contains(now.Unread, part) || slices.Contains(s.Unread, part) {
			continue
		}
		held := s.IDs(part)
		known := len(held)
		if part == crm.PartEvents && s.UndescribedKickoff() {
			known++
		}
		gone := slices.ContainsFunc(held, func(id string) bool { _, found := slices.BinarySearch(there, id); return !found })
		if gone || len(there) < known || part == crm.PartContacts && len(there) > known {
			return true
		}
	}
	return false
}

// bury returns h as it is once its record is gone.
func (r *scoring) bury(h *Handoff, why Gone, heir string) *Handoff {
	next := *h
	next.Reopened, next.Gone, next.Heir, next.Pending, next.Parked = true, why, heir, false, nil
	if h.Gone == "" {
		r.sum.Gone++
	}
	r.flag(h, &next)
	return &next
}

// bequeath hands what we know of deals that were merged to the deals that they became: where a field of the latter holds what
// we had written, it is ours, and what a person had set, it is that person's edit. It replaces those deals in held, and
// returns the changes that mark the merged ones.
//
// Which values a merge keeps is for the CRM and the person who merged: an edit that is not among them stays with the card of the
// deal that it was made on, and the run says so.
func (r *scoring) bequeath(ctx context.Context, held map[string]*Handoff, records []connectors.Record) ([]Change, error) {
	var ids []string
	for i := range records {
		ids = append(ids, records[i].Merged...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	parents, err := r.Store.Handoffs(ctx, r.Connection, ids)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for i := range records {
		rec := &records[i]
		id := rec.Snapshot.Deal.ID
		var from []*Handoff
		for _, parent := range rec.Merged {
			h := parents[parent]
			if h == nil || h.Heir != "" {
				continue
			}
			from = append(from, h)
			if lost(h, rec.Values) {
				r.stranded[parent] = true
			}
			delete(r.vanished, parent)
			changes = append(changes, Change{Handoff: r.bury(h, GoneMerged, id)})
		}
		if len(from) > 0 {
			held[id] = r.heir(held[id], id, from, rec.Values)
		}
	}
	return changes, nil
}

// heir returns what we held of a deal, nil: nothing, with what the deals that were merged into it knew of the values that its
// record holds now.
func (r *scoring) heir(prev *Handoff, id string, from []*Handoff, now crm.Values) *Handoff {
	h := &Handoff{Connection: r.Connection, DealID: id}
	if prev != nil {
		*h = *prev
	}
	written, edits := crm.Values{}, map[string]Edit{}
	maps.Copy(written, h.Written)
	maps.Copy(edits, h.Edits)
	for field, value := range now {
		if last, known := written[field]; known && same(last, value) {
			continue
		}
		if i := slices.IndexFunc(from, func(f *Handoff) bool { e, ok := f.Edits[field]; return ok && same(e.Value, value) }); i >= 0 {
			edits[field] = from[i].Edits[field]
		} else if i := slices.IndexFunc(from, func(f *Handoff) bool { last, ok := f.Written[field]; return ok && same(last, value) }); i >= 0 {
			written[field] = value
			delete(edits, field)
		}
	}
	h.Written, h.Edits = written, edits
	return h
}

// lost reports whether a person had set a field of h to another value than it has now.
func lost(h *Handoff, now crm.Values) bool {
	for field, e := range h.Edits {
		if value, visible := now[field]; visible && e.Ignored == "" && !same(e.Value, value) {
			return true
		}
	}
	return false
}
