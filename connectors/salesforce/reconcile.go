package salesforce

import (
	"context"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// reconciliation looks at deals against the schema of one day.
type reconciliation struct{ *reader }

// Reconcile implements connectors.Reconciler.
func (c *Client) Reconcile(ctx context.Context) (connectors.Reconciliation, error) {
	r, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return reconciliation{r}, nil
}

const opReconcile = "compare deals with what is known of them"

// Standing implements connectors.Reconciliation. No two opportunities can be merged: what is merged are accounts and contacts,
// the former seen by the name of a deal's account, the latter by the ids of its contacts. Notes and activities that are deleted
// are news to a pull.
func (r reconciliation) Standing(ctx context.Context, deals []string) (map[string]connectors.Standing, error) {
	missing := gaps{}
	r.hides(ctx, missing)
	columns := slices.DeleteFunc(slices.Clone(r.schema.columns), r.isOwn) // our own long texts make for short pages
	var won []*selection[row]
	for ids := range slices.Chunk(deals, maxWide) {
		won = append(won, &selection[row]{soql: selectFrom(opportunity, columns, all(anyOf("Id", ids), r.won()), "")})
	}
	roles := pick[roleRow](ctx, r.reader, contactRoles, deals, missing)
	if _, err := r.read(ctx, opReconcile, slices.Concat(parts(won), parts(roles.selections))...); err != nil {
		return nil, err
	}
	byDeal := group(roles.settle(ctx, r.reader, missing), func(x roleRow) string { return x.OpportunityID })
	standing := make(map[string]connectors.Standing, len(deals))
	for _, s := range won {
		if s.err != nil {
			return nil, s.err
		}
		for _, d := range s.rows {
			now := connectors.Standing{State: connectors.Stands, Deal: r.deal(d), Unread: missing.parts()}
			var people []string
			for _, c := range contacts(byDeal[now.Deal.ID]) {
				people = append(people, c.ID)
			}
			slices.Sort(people)
			now.Records = map[crm.Part][]string{crm.PartContacts: people}
			standing[now.Deal.ID] = now
		}
	}
	return standing, r.whereabouts(ctx, deals, standing)
}

// whereabouts adds how those of the deals stand that are none of ours any more. The recycle bin keeps a deal for 15 days.
func (r reconciliation) whereabouts(ctx context.Context, deals []string, standing map[string]connectors.Standing) error {
	var lost []string
	for _, id := range deals {
		if _, ours := standing[id]; !ours {
			lost = append(lost, id)
			standing[id] = connectors.Standing{State: connectors.Missing}
		}
	}
	var searches []*selection[row]
	for ids := range slices.Chunk(lost, maxIDs) {
		searches = append(searches, &selection[row]{soql: selectFrom(opportunity, []string{"Id", "IsDeleted"}, anyOf("Id", ids), ""), all: true})
	}
	if _, err := r.read(ctx, opReconcile, parts(searches)...); err != nil {
		return err
	}
	for _, s := range searches {
		if s.err != nil {
			return s.err
		}
		for _, d := range s.rows {
			state := connectors.Left
			if d.flag("IsDeleted") {
				state = connectors.Deleted
			}
			standing[d.text("Id")] = connectors.Standing{State: state}
		}
	}
	return nil
}

// isOwn reports whether a column of an opportunity is one of our own fields.
func (r reconciliation) isOwn(column string) bool {
	for _, api := range r.schema.own[crm.DealObject] {
		if api == column {
			return true
		}
	}
	return false
}

// Read implements connectors.Reconciliation.
func (r reconciliation) Read(ctx context.Context, deals []string) ([]connectors.Record, error) {
	var records []connectors.Record
	for ids := range slices.Chunk(deals, maxDeals) {
		some, err := r.deals(ctx, ids)
		if err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	return records, nil
}
