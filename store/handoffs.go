package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// handoffRow is a handoff as the tables hold it.
type handoffRow struct {
	Connection string
	DealID     string `db:"deal_id"`
	AccountID  string `db:"account_id"`
	Rulebook   string
	AsOf       int64 `db:"as_of"`
	Version    int
	Finalised  bool
	Reopened   bool
	Gone       jobs.Gone
	Heir       string
	Pending    bool
	Held       int64
	DueAt      *int64 `db:"due_at"`
	Parked     string
	Merged     string
	Written    string
	Edits      string
	InputHash  string `db:"hash"`
	Snapshot   []byte `db:"data"`
	Card       *string
}

// selectHandoffs reads handoffRows from handoffs h; conditions follow.
const selectHandoffs = `
	SELECT h.connection, h.deal_id, h.account_id, h.rulebook, h.as_of, h.version, h.finalised, h.reopened, h.gone, h.heir, h.pending, h.held, h.due_at,
		h.parked, h.merged, h.written, h.edits, s.hash, s.data, c.card
	FROM handoffs h
	JOIN snapshots s ON s.connection = h.connection AND s.deal_id = h.deal_id
	LEFT JOIN scorecards c ON c.connection = h.connection AND c.deal_id = h.deal_id AND c.version = h.version `

// eachHandoff reads with selectHandoffs and the given conditions, one handoff at a time.
func (db *DB) eachHandoff(ctx context.Context, op string, use func(*jobs.Handoff) error, conditions string, args ...any) error {
	return db.query(ctx, op, func(rows *sqlx.Rows) error {
		var row handoffRow
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		h, err := row.handoff()
		if err != nil {
			return fmt.Errorf("deal %s of %s: %w", row.DealID, row.Connection, err)
		}
		return use(h)
	}, selectHandoffs+conditions, args...)
}

// handoffs reads with selectHandoffs and the given conditions.
func (db *DB) handoffs(ctx context.Context, op, conditions string, args ...any) ([]*jobs.Handoff, error) {
	var found []*jobs.Handoff
	err := db.eachHandoff(ctx, op, func(h *jobs.Handoff) error {
		found = append(found, h)
		return nil
	}, conditions, args...)
	return found, err
}

// errEnough ends reading when whoever reads wants no more.
var errEnough = errors.New("enough")

// All yields every handoff, in order of connection and deal id, and holds one at a time. An error ends it.
func (db *DB) All(ctx context.Context) iter.Seq2[*jobs.Handoff, error] {
	return func(yield func(*jobs.Handoff, error) bool) {
		err := db.eachHandoff(ctx, "read handoffs", func(h *jobs.Handoff) error {
			if !yield(h, nil) {
				return errEnough
			}
			return nil
		}, `ORDER BY h.connection, h.deal_id`)
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

func (row *handoffRow) handoff() (*jobs.Handoff, error) {
	h := &jobs.Handoff{
		Connection: row.Connection,
		DealID:     row.DealID,
		AccountID:  row.AccountID,
		Snapshot:   new(crm.Snapshot),
		InputHash:  row.InputHash,
		Rulebook:   row.Rulebook,
		AsOf:       moment(row.AsOf),
		Version:    row.Version,
		Finalised:  row.Finalised,
		Reopened:   row.Reopened,
		Gone:       row.Gone,
		Heir:       row.Heir,
		DueAt:      momentOrNil(row.DueAt),
		Pending:    row.Pending,
		Held:       row.Held,
	}
	var err error
	if row.Card != nil {
		h.Card = &rules.Card{DueAt: h.DueAt}
		err = decode(*row.Card, h.Card)
	}
	return h, errors.Join(err,
		decompress(row.Snapshot, h.Snapshot),
		decode(row.Merged, &h.Merged),
		decode(row.Written, &h.Written),
		decode(row.Edits, &h.Edits),
		decodeRefusal(row.Parked, &h.Parked))
}

// Handoffs returns those of the given deals that we hold, by deal id. Their maps are not nil.
func (db *DB) Handoffs(ctx context.Context, connection string, dealIDs []string) (map[string]*jobs.Handoff, error) {
	const op = "read handoffs"
	byID := make(map[string]*jobs.Handoff, len(dealIDs))
	for ids := range slices.Chunk(dealIDs, 1000) { // databases limit the values of one statement
		conditions, args, err := sqlx.In(`WHERE h.connection = ? AND h.deal_id IN (?)`, connection, ids)
		if err != nil {
			return nil, db.failed(op, err)
		}
		found, err := db.handoffs(ctx, op, conditions, args...)
		if err != nil {
			return nil, err
		}
		for _, h := range found {
			byID[h.DealID] = h
		}
	}
	return byID, nil
}

// DealIDs returns up to limit ids above after of the deals that we hold, in order.
func (db *DB) DealIDs(ctx context.Context, connection, after string, limit int) ([]string, error) {
	var ids []string
	err := db.query(ctx, "list deals", func(rows *sqlx.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT deal_id FROM handoffs WHERE connection = ? AND deal_id > ? ORDER BY deal_id LIMIT ?`, connection, after, limit)
	return ids, err
}

// Waiting returns up to limit handoffs with a deal id above after, in order of it, that are Pending, or due at or before now,
// or computed with a scorecard other than rulebook; finalised and reopened ones only if Pending.
func (db *DB) Waiting(ctx context.Context, connection, rulebook string, now time.Time, after string, limit int) ([]*jobs.Handoff, error) {
	return db.handoffs(ctx, "find waiting handoffs", `
		WHERE h.connection = ? AND h.deal_id > ?
			AND (h.pending OR NOT h.finalised AND NOT h.reopened AND (h.due_at <= ? OR h.rulebook <> ?))
		ORDER BY h.deal_id LIMIT ?`, connection, after, millis(now), rulebook, limit)
}

// CompareAgain makes the next run compare each deal of a connection with what the CRM should hold of it, news or not, but for
// those that are not Closed Won any more. What the CRM refused is tried again with it.
func (db *DB) CompareAgain(ctx context.Context, connection string) error {
	return db.update(ctx, "have the deals compared again", func(tx *sqlx.Tx) error {
		for _, statement := range []string{
			`UPDATE handoffs SET pending = TRUE, parked = '' WHERE connection = ? AND NOT reopened`,
			`UPDATE accounts SET parked = '' WHERE connection = ?`,
		} {
			if _, err := tx.ExecContext(ctx, tx.Rebind(statement), connection); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unread returns up to limit handoffs of a connection with a deal id above after, in order of it, whose card has items that are
// not read, but for finalised and reopened ones.
func (db *DB) Unread(ctx context.Context, connection, after string, limit int) ([]*jobs.Handoff, error) {
	return db.handoffs(ctx, "find what is not read", `
		WHERE h.connection = ? AND h.deal_id > ? AND h.unread AND NOT h.finalised AND NOT h.reopened ORDER BY h.deal_id LIMIT ?`, connection, after, limit)
}

// CountHandoffs counts the handoffs of a connection (empty: of all) and those among them that are flagged.
func (db *DB) CountHandoffs(ctx context.Context, connection string) (all, flagged int, err error) {
	row := db.reader.QueryRowxContext(ctx, db.reader.Rebind(
		`SELECT COUNT(*), COUNT(CASE WHEN flagged THEN 1 END) FROM handoffs WHERE ? IN ('', connection)`), connection)
	return all, flagged, db.failed("count handoffs", row.Scan(&all, &flagged))
}
