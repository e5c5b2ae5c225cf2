package jobs

import (
	"context"
	"time"

	"handoff/crm"
	"handoff/rules"
)

// Handoff is what we hold of one deal: its latest card, what people changed of it, and what the CRM holds of ours.
type Handoff struct {
	Connection string
	DealID     string
	AccountID  string
	Snapshot   *crm.Snapshot
	InputHash  string      // of Snapshot
	Rulebook   string      // identifies the scorecard that Card was computed with
	Card       *rules.Card // as computed, without people's edits
	AsOf       time.Time   // the moment that Card is for
	Texts      []int64     // hashes of what Card rests on, if it was just made; nil: as the store holds them
	Version    int         // 1 for the first card of a deal; 0 before it is saved

	Merged  crm.Values      // our fields as they should stand in the CRM: computed, with people's edits in place
	Written crm.Values      // our fields as the CRM last acknowledged or showed them as ours
	Edits   map[string]Edit // people's values by field

	Finalised bool       // frozen by its CSM: nothing is computed or written any more
	Reopened  bool       // left Closed Won, or what the filters pass, after it was scored, or is Gone
	Gone      Gone       // why its record is not in the CRM any more; "": it is
	Heir      string     // id of the deal that it was merged into; "" unless Gone says so
	DueAt     *time.Time // when time alone may change the card
	Pending   bool       // Merged is not yet what the CRM holds
	Held      int64      // the run that was rolled back on it: nothing is written until a person lets it go; 0: it is not held
	Parked    *Refusal   // of the last write; nil: the CRM took it
}

// Gone is why a deal's record is not in the CRM any more. Its card stays.
type Gone string

// The ways in which a deal goes.
const (
	GoneDeleted Gone = "deleted"
	GoneMerged  Gone = "merged"
	GoneMissing Gone = "missing" // removed for good, or hidden from us: a CRM does not tell which
)

// Edit is a value that a person set in one of our fields.
type Edit struct {
	Value   string    `json:"value"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at"`                // when it was made; not Exact: it was made by then
	Exact   bool      `json:"exact"`             // By and At come from the CRM's field history
	Ignored string    `json:"ignored,omitempty"` // why the value does not count, such as "7 is not 0, 1 or 2"
}

// WriteState is where an intended write stands.
type WriteState string

// The states of a write.
const (
	WriteIntended WriteState = "intended" // saved, perhaps sent, no outcome known
	WriteDone     WriteState = "done"
	WriteParked   WriteState = "parked"  // refused for now: its Refusal says more
	WriteDropped  WriteState = "dropped" // the record is gone, or the intent was overtaken
)

// Write is one line of the ledger: what we intended to change on one record.
type Write struct {
	ID         int64
	RunID      int64
	Undoes     int64 // the run whose values it takes back; 0: it writes scores
	Connection string
	Ref        crm.Ref
	Before     crm.Values
	After      crm.Values // same keys as Before
	State      WriteState
	Detail     string    // the CRM's words when it refused
	At         time.Time // when it was intended
	Changed    time.Time // when its record had changed last, by the CRM's clock; zero: not known. Not in the ledger
	Refusal    *Refusal  // once parked: its own; until then that of the write before, nil: it was not refused. Not in the ledger
}

// AccountHealth is the health that an account should show: that of its latest won deal.
type AccountHealth struct {
	AccountID string
	Health    string
	Written   crm.Values
	Edits     map[string]Edit
	Parked    *Refusal // of the last write; nil: the CRM took it
}

// Run is one run of a job over a connection.
type Run struct {
	ID         int64
	Connection string
	Job        string
	StartedAt  time.Time
	EndedAt    *time.Time
	Summary    Summary
	Error      string // why it did not finish; empty otherwise
}

// Summary is what a run did; its JSON form is the contract of `run --once --json`.
type Summary struct {
	Connection string `json:"connection"`
	Pulled     int    `json:"pulled"`  // deals with new input
	Scored     int    `json:"scored"`  // deals scored
	Written    int    `json:"written"` // deals with at least one write
	Flagged    int    `json:"flagged"` // deals of the connection that are ghost or Incomplete now
	Parked     int    `json:"parked"`  // rows that the CRM refuses: in this run, or before and not tried again yet
	Calls      int    `json:"calls"`   // API calls

	// Of a reconciliation alone.
	Compared int `json:"compared,omitzero"` // deals compared with the CRM
	Gone     int `json:"gone,omitzero"`     // deals that are newly found to be gone, or not won deals of the connection any more

	// Left says in one line what is left for a person although the run did its work: fields of ours that cannot be written,
	// rows that the CRM refused, deals that could not be read whole.
	Left string `json:"left,omitzero"`

	// Interrupted says that the run was told to stop: what it did is complete, the rest is for the next run.
	Interrupted bool `json:"interrupted,omitzero"`
}

// Message is a notification waiting to be sent, once.
type Message struct {
	ID         int64
	Key        string // the same finding has the same key, and is sent once
	Connection string
	DealID     string
	Title      string
	Body       string
	CreatedAt  time.Time
	Attempts   int
	TriedAt    time.Time // when it was last tried in vain; zero: never
}

// Change is what saving one deal changes.
type Change struct {
	Handoff    *Handoff
	NewVersion bool     // Card is a new version, not a correction of the state around it
	Write      *Write   // intended write, nil: none; Save sets its ID
	Message    *Message // finding to send, nil: none
}

// Store keeps what runs know. Methods may be called from one goroutine per connection.
type Store interface {
	BeginRun(ctx context.Context, run Run) (id int64, err error)
	EndRun(ctx context.Context, run Run) error
	// Succeeded says when the first run of a connection's job that finished without error started; nil: none has yet.
	Succeeded(ctx context.Context, connection, job string) (*time.Time, error)

	Watermarks(ctx context.Context, connection string) (crm.Watermarks, error)
	SaveWatermarks(ctx context.Context, connection string, marks crm.Watermarks) error

	// DealIDs returns up to limit ids above after of the deals that we hold, in order.
	DealIDs(ctx context.Context, connection, after string, limit int) ([]string, error)
	// Handoffs returns those of the given deals that we hold, by deal id.
	Handoffs(ctx context.Context, connection string, dealIDs []string) (map[string]*Handoff, error)
	// Waiting returns up to limit handoffs with a deal id above after, in order of it, that are Pending, or due at or
	// before now, or computed with a scorecard other than rulebook; finalised and reopened ones only if Pending.
	Waiting(ctx context.Context, connection, rulebook string, now time.Time, after string, limit int) ([]*Handoff, error)
	// Unread returns up to limit handoffs with a deal id above after, in order of it, whose card has items that are not read, but
	// for finalised and reopened ones.
	Unread(ctx context.Context, connection, after string, limit int) ([]*Handoff, error)
	// FindTemplates finds the texts that the cards of so many deals of a connection or more rest on: its templates from now on.
	FindTemplates(ctx context.Context, connection string, deals int) error
	// Templates returns the hashes of the templates of a connection.
	Templates(ctx context.Context, connection string) (map[int64]bool, error)

	// Save saves the changes in one transaction: snapshots, cards and the texts that they rest on, intended writes, findings.
	Save(ctx context.Context, runID int64, changes []Change) error
	// CountHandoffs counts the handoffs of a connection (empty: of all) and those among them that are flagged.
	CountHandoffs(ctx context.Context, connection string) (all, flagged int, err error)

	Ledger
	// CountParked counts the records whose last write the CRM refused, but for those that are held.
	CountParked(ctx context.Context, connection string) (int, error)
	// Held counts the records that rollbacks hold, by the run that was rolled back.
	Held(ctx context.Context, connection string) (map[int64]int, error)

	// Accounts returns up to limit accounts above after, in order of id, whose health is not what we last wrote, or refused,
	// and that are not held.
	Accounts(ctx context.Context, connection, after string, limit int) ([]AccountHealth, error)
	// SaveAccounts saves edits, written values and refusals of accounts together with intended writes, in one transaction;
	// writes get their IDs.
	SaveAccounts(ctx context.Context, connection string, accounts []AccountHealth, writes []*Write) error

	// Unsent returns up to limit messages that are still to be sent, oldest first.
	Unsent(ctx context.Context, limit int) ([]Message, error)
	// MarkSent records the outcome of sending at the given moment: err nil removes the message from the outbox for good,
	// another counts as an attempt in vain.
	MarkSent(ctx context.Context, id int64, at time.Time, err error) error
}
