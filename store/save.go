package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/jobs"
)

// saving is a change in the form that the tables take, so that the transaction has nothing left to do but write.
type saving struct {
	jobs.Change
	snapshot      []byte
	card          string
	merged        string
	written       string
	edits         string
	parked        string
	before, after string // of Change.Write
}

// Save saves the changes in one transaction: snapshots, cards and the texts that they rest on, intended writes, findings. A
// handoff needs a snapshot, and a card if that is new. After it, handoffs know their versions and writes their ids.
func (db *DB) Save(ctx context.Context, runID int64, changes []jobs.Change) error {
	const op = "save handoffs"
	savings := make([]saving, len(changes))
	for i, change := range changes {
		var err error
		if savings[i], err = newSaving(change); err != nil {
			return db.failed(op, fmt.Errorf("deal %s of %s: %w", change.Handoff.DealID, change.Handoff.Connection, err))
		}
	}
	versions, writeIDs := make([]int, len(changes)), make([]int64, len(changes))
	err := db.update(ctx, op, func(tx *sqlx.Tx) error {
		statements, err := prepareSave(ctx, tx)
		if err != nil {
			return err
		}
		for i := range savings {
			if versions[i], writeIDs[i], err = statements.save(ctx, runID, &savings[i]); err != nil {
				return fmt.Errorf("deal %s of %s: %w", changes[i].Handoff.DealID, changes[i].Handoff.Connection, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, change := range changes {
		change.Handoff.Version = versions[i]
		if change.Write != nil {
			change.Write.ID = writeIDs[i]
		}
	}
	return nil
}

func newSaving(change jobs.Change) (saving, error) {
	h := change.Handoff
	if h.Snapshot == nil {
		return saving{}, errors.New("no snapshot")
	}
	if change.NewVersion && h.Card == nil {
		return saving{}, errors.New("no card")
	}
	bare := *h.Snapshot
	bare.Expected = nil
	s := saving{Change: change}
	var errs [5]error
	s.snapshot, errs[0] = compress(&bare)
	s.merged, errs[1] = encode(h.Merged)
	s.written, errs[2] = encode(h.Written)
	s.edits, errs[3] = encode(h.Edits)
	s.parked, errs[4] = encodeRefusal(h.Parked)
	err := errors.Join(errs[:]...)
	if change.NewVersion && err == nil {
		s.card, err = encode(h.Card)
	}
	if w := change.Write; w != nil && err == nil {
		s.before, s.after, err = encodeWrite(w)
	}
	return s, err
}

// saveStatements are prepared for one transaction.
type saveStatements struct {
	handoff, snapshot, card, write, message, noTexts, text *sqlx.Stmt
}

func prepareSave(ctx context.Context, tx *sqlx.Tx) (*saveStatements, error) {
	var s saveStatements
	return &s, prepare(ctx, tx, map[**sqlx.Stmt]string{
		// The version comes from the row itself, so that no card is ever saved over another.
		&s.handoff: `
			INSERT INTO handoffs (connection, deal_id, account_id, name, close_date, health, flagged, finalised, reopened, gone, heir, pending,
				due_at, rulebook, as_of, version, parked, merged, written, edits, unread)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (connection, deal_id) DO UPDATE SET
				account_id = excluded.account_id, name = excluded.name, close_date = excluded.close_date, health = excluded.health,
				flagged = excluded.flagged, finalised = excluded.finalised, reopened = excluded.reopened,
				gone = excluded.gone, heir = excluded.heir,
				pending = excluded.pending, due_at = excluded.due_at, rulebook = excluded.rulebook, as_of = excluded.as_of,
				version = handoffs.version + excluded.version, parked = excluded.parked, merged = excluded.merged,
				written = excluded.written, edits = excluded.edits, unread = excluded.unread
			RETURNING version`,
		&s.snapshot: `
			INSERT INTO snapshots (connection, deal_id, hash, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (connection, deal_id) DO UPDATE SET hash = excluded.hash, data = excluded.data
			WHERE snapshots.hash <> excluded.hash`,
		&s.card: `
			INSERT INTO scorecards (connection, deal_id, version, run_id, as_of, input_hash, rulebook, card)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.write:   insertWrite,
		&s.message: insertMessage,
		&s.noTexts: `DELETE FROM texts WHERE connection = ? AND deal_id = ?`,
		&s.text:    `INSERT INTO texts (connection, deal_id, hash) VALUES (?, ?, ?)`,
	})
}

func (s *saveStatements) save(ctx context.Context, runID int64, c *saving) (version int, writeID int64, err error) {
	h := c.Handoff
	increment := 0
	if c.NewVersion {
		increment = 1
	}
	deal := h.Snapshot.Deal
	closeDate := ""
	if deal.CloseDate != nil {
		closeDate = deal.CloseDate.String()
	}
	if err := s.handoff.GetContext(ctx, &version, h.Connection, h.DealID, h.AccountID, strings.ToLower(deal.Name), closeDate,
		h.Merged[healthField], h.Flagged(), h.Finalised, h.Reopened, h.Gone, h.Heir, h.Pending, millisOrNull(h.DueAt), h.Rulebook, millis(h.AsOf),
		increment, c.parked, c.merged, c.written, c.edits, h.Card != nil && h.Card.Unread()); err != nil {
		return 0, 0, err
	}
	if _, err := s.snapshot.ExecContext(ctx, h.Connection, h.DealID, h.InputHash, c.snapshot); err != nil {
		return 0, 0, err
	}
	if c.NewVersion {
		if _, err := s.card.ExecContext(ctx, h.Connection, h.DealID, version, runID, millis(h.AsOf), h.InputHash, h.Rulebook, c.card); err != nil {
			return 0, 0, err
		}
	}
	if h.Texts != nil {
		if _, err := s.noTexts.ExecContext(ctx, h.Connection, h.DealID); err != nil {
			return 0, 0, err
		}
	}
	for _, hash := range h.Texts {
		if _, err := s.text.ExecContext(ctx, h.Connection, h.DealID, hash); err != nil {
			return 0, 0, err
		}
	}
	if w := c.Write; w != nil {
		if err := s.write.GetContext(ctx, &writeID, runID, w.Undoes, h.Connection, w.Ref.Object, w.Ref.ID, c.before, c.after, millis(w.At)); err != nil {
			return 0, 0, err
		}
	}
	if m := c.Message; m != nil {
		if _, err := s.message.ExecContext(ctx, m.Key, m.Connection, m.DealID, m.Title, m.Body, millis(m.CreatedAt)); err != nil {
			return 0, 0, err
		}
	}
	return version, writeID, nil
}

// healthField is the neutral name of the health field of deals and accounts.
const healthField = "health"
