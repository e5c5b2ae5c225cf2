package hubspot

import (
	"context"
	"net/url"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// reconciliation looks at deals against the description of one day.
type reconciliation struct{ *reader }

// Reconcile implements connectors.Reconciler.
func (c *Client) Reconcile(ctx context.Context) (connectors.Reconciliation, error) {
	s, err := c.describeAnew(ctx)
	if err != nil {
		return nil, err
	}
	return reconciliation{c.reader(ctx, s)}, nil
}

const opReconcile = "compare deals with what is known of them"

// mergedIDs is the property that lists the records that became this one. Two deals that are merged become a third, which has
// the values of one of them and the associations of both; they are in no list and in no batch any more, and no search finds them.
// https://developers.hubspot.com/changelog/announcement-deals-now-support-merging
const mergedIDs = "hs_merged_object_ids"

// Standing implements connectors.Reconciliation.
func (r reconciliation) Standing(ctx context.Context, ids []string) (map[string]connectors.Standing, error) {
	defer r.tellClosed()
	found, err := r.batch(ctx, opReconcile, deals, ids, r.schema.columns(deals, dealColumns...), nil)
	if err != nil {
		return nil, err
	}
	standing := make(map[string]connectors.Standing, len(ids))
	var ours, lost []string
	for _, id := range ids {
		deal, exists := found[id]
		switch {
		case !exists:
			lost = append(lost, id)
		case r.ours(deal):
			ours = append(ours, id)
		default:
			standing[id] = connectors.Standing{State: connectors.Left}
		}
	}
	archived, err := r.archived(ctx, lost)
	if err != nil {
		return nil, err
	}
	for _, id := range lost {
		state := connectors.Missing
		if _, exists := archived[id]; exists {
			state = connectors.Deleted
		}
		standing[id] = connectors.Standing{State: state}
	}
	a := &around{}
	if a.links, err = r.links(ctx, ours); err != nil {
		return nil, err
	}
	employers, err := r.records(ctx, companyKind, targets(a.links[companies]))
	if err != nil {
		return nil, err
	}
	a.records = map[string]map[string]object{companies: employers}
	for _, id := range ours {
		now := connectors.Standing{State: connectors.Stands, Deal: r.deal(found[id], primary(a, id)),
			Merged: several(found[id].text(mergedIDs)), Unread: r.unread(), Records: map[crm.Part][]string{}}
		if r.closed != nil && !slices.Contains(now.Unread, crm.PartFields) { // not that it has lost its account
			now.Unread = append(now.Unread, crm.PartFields)
		}
		for _, k := range kinds {
			if k.object == companies { // of which Deal tells
				continue
			}
			there := now.Records[k.part]
			for _, l := range a.links[k.object][id] {
				there = append(there, l.id)
			}
			slices.Sort(there)
			now.Records[k.part] = there
		}
		standing[id] = now
	}
	return standing, nil
}

// archived returns those of the deals that were deleted within the last 90 days.
// https://developers.hubspot.com/docs/api-reference/crm-deals-v3/batch/post-crm-v3-objects-0-3-batch-read
func (r reconciliation) archived(ctx context.Context, ids []string) (map[string]object, error) {
	return r.batchOf(ctx, opReconcile, deals, url.Values{"archived": {"true"}}, ids, []string{recordID}, nil)
}

// Read implements connectors.Reconciliation.
func (r reconciliation) Read(ctx context.Context, ids []string) ([]connectors.Record, error) {
	defer r.tellClosed()
	var all []connectors.Record
	for chunk := range slices.Chunk(ids, maxDeals) {
		records, _, err := r.deals(ctx, chunk, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return all, nil
}
