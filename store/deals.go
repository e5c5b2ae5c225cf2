package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/jobs"
	"handoff/rules"
)

// List returns the handoffs that filter lets through: by connection, ghosts first, then from the lowest total, then by name.
func (db *DB) List(ctx context.Context, filter jobs.Filter) ([]jobs.Handoff, error) {
	found, err := db.handoffs(ctx, "list handoffs", `WHERE (? = '' OR h.connection = ?) AND (h.flagged OR NOT ?)`,
		filter.Connection, filter.Connection, filter.Flagged)
	if err != nil {
		return nil, err
	}
	return sorted(found), nil
}

// Find returns every handoff that query names: by its deal's id (of a Salesforce id also the 15 characters that pages show),
// by "connection:id", or by the deal's exact name, else by its name in any case. The order is that of List.
func (db *DB) Find(ctx context.Context, query string) ([]jobs.Handoff, error) {
	connection, id, _ := strings.Cut(query, ":")
	// The keys come first, from indexes alone: the rows are fat.
	found, err := db.handoffs(ctx, "find handoff", `
		JOIN (
			SELECT connection, deal_id FROM handoffs WHERE name = ?
			UNION
			SELECT connection, deal_id FROM handoffs WHERE deal_id = ? OR LENGTH(deal_id) = 18 AND SUBSTR(deal_id, 1, 15) = ?
			UNION
			SELECT connection, deal_id FROM handoffs
			WHERE connection = ? AND (deal_id = ? OR LENGTH(deal_id) = 18 AND SUBSTR(deal_id, 1, 15) = ?)
		) k ON k.connection = h.connection AND k.deal_id = h.deal_id`,
		strings.ToLower(query), query, query, connection, id, id)
	if err != nil {
		return nil, err
	}
	exact := slices.DeleteFunc(slices.Clone(found), func(h *jobs.Handoff) bool {
		return strings.EqualFold(h.Snapshot.Deal.Name, query) && h.Snapshot.Deal.Name != query
	})
	if len(exact) > 0 {
		found = exact
	}
	return sorted(found), nil
}

func sorted(handoffs []*jobs.Handoff) []jobs.Handoff {
	slices.SortFunc(handoffs, func(a, b *jobs.Handoff) int {
		return cmp.Or(
			cmp.Compare(a.Connection, b.Connection),
			cmp.Compare(b.Merged["ghost"], a.Merged["ghost"]), // "true" before "false"
			cmp.Compare(share(a), share(b)),
			cmp.Compare(strings.ToLower(a.Snapshot.Deal.Name), strings.ToLower(b.Snapshot.Deal.Name)),
			cmp.Compare(a.DealID, b.DealID),
		)
	})
	list := make([]jobs.Handoff, len(handoffs))
	for i, h := range handoffs {
		list[i] = *h
	}
	return list
}

// share is the deal's total with people's edits counted, as a part of the maximum: small deals have another one.
func share(h *jobs.Handoff) float64 {
	total, err := strconv.Atoi(h.Merged["score"])
	if err != nil && h.Card != nil {
		total = h.Card.Total
	}
	if h.Card == nil || h.Card.Max == 0 {
		return float64(total)
	}
	return float64(total) / float64(h.Card.Max)
}

// Versions returns every scorecard of a deal, newest first.
func (db *DB) Versions(ctx context.Context, connection, dealID string) ([]jobs.Version, error) {
	var versions []jobs.Version
	err := db.query(ctx, "read scorecards", func(rows *sqlx.Rows) error {
		var (
			v             jobs.Version
			card          string
			asOf, started int64
		)
		if err := rows.Scan(&v.Version, &card, &asOf, &v.InputHash, &v.Rulebook, &v.RunID, &started); err != nil {
			return err
		}
		v.AsOf, v.CreatedAt, v.Card = moment(asOf), moment(started), new(rules.Card)
		versions = append(versions, v)
		return decode(card, v.Card)
	}, `SELECT c.version, c.card, c.as_of, c.input_hash, c.rulebook, c.run_id, r.started_at
		FROM scorecards c JOIN runs r ON r.id = c.run_id
		WHERE c.connection = ? AND c.deal_id = ? ORDER BY c.version DESC`, connection, dealID)
	return versions, err
}
