// Package connectors says what the rest of handoff asks of any CRM: small interfaces, classed errors and a dry run.
//
// An error from a method is a failure of the connector as a whole; what went wrong with a single record is data in the
// answer (Outcome, crm.Snapshot.Unread) and never fails its batch.
package connectors

import (
	"context"
	"time"

	"handoff/crm"
)

// Record is a won deal as it is in the CRM now.
type Record struct {
	Snapshot  crm.Snapshot // ID and Deal.ID are the CRM's record id
	AccountID string       // "" where the deal has none
	Values    crm.Values   // our own fields on the deal; absent keys are fields that do not exist or that we may not see
	Edits     []FieldEdit  // who changed our fields, where the CRM tracks it; newest last

	// The last modification of the record by anyone but us, as far as the CRM tells: who may have edited a field that
	// is not tracked.
	ModifiedBy string
	ModifiedAt time.Time

	ChangedAt time.Time // when the record last changed, by whomever; zero: the CRM does not tell

	Merged []string // ids of the deals that were merged into this one
}

// FieldEdit is one tracked change of one of our fields.
type FieldEdit struct {
	Field string // neutral name
	Value string // the value after it
	By    string
	At    time.Time
}

// Batch is a part of a pull.
type Batch struct {
	Records []Record
	Left    []string // ids of deals with news that are not Closed Won, filtered out or deleted: of interest only where we hold a card

	// Unlisted are the parts of deals whose news the CRM refuses to list: a deal that has such news alone does not come.
	Unlisted []crm.Part

	// Watermarks may be saved once everything of this batch and of those before it is saved; those that are left out stay as
	// they are. Nil: no progress to save yet.
	Watermarks crm.Watermarks

	// ReadAt is, by this machine's clock, when the oldest of it was read; zero: after the batch before it was yielded.
	ReadAt time.Time

	// Total is how many deals this pull will yield in all, for progress; 0 while unknown.
	Total int
}

// Puller reads won deals with their contacts, notes, activities and history.
type Puller interface {
	// Pull yields each won deal that has news since the watermarks, whole, whatever kind of record the news is in.
	// Without watermarks it yields every won deal of the configured first window, as far as its calls reach; later pulls go on
	// with that after what has news. It stops with yield's error. The same deal may come again in a later pull: a pull overlaps
	// the one before it. An error that is ErrBackfill says that all that has news was yielded.
	Pull(ctx context.Context, since crm.Watermarks, yield func(Batch) error) error
}

// Memory is what a connector may look up to spare calls. What it does not hold costs calls and nothing else.
type Memory interface {
	// Recall returns what was remembered last; nil: nothing.
	Recall(ctx context.Context) ([]byte, error)

	// Remember replaces what the connector wants to know in a later run, in whatever process that is; nil: nothing any more.
	Remember(ctx context.Context, data []byte) error

	// Snapshots returns by id the snapshots of those of the deals that are saved as they were pulled last.
	Snapshots(ctx context.Context, deals []string) (map[string]*crm.Snapshot, error)
}

// Outcome is what became of one update.
type Outcome struct {
	Ref crm.Ref
	Err *Error // nil: written
}

// Writer reads and writes our own fields.
type Writer interface {
	// ReadValues returns the present values of our fields on the given records. Absent are records that are gone, and deals
	// that the configured filters (pipelines, deal types, amount) exclude by now: nothing is to be written to either. A deal
	// that is not Closed Won any more is there.
	ReadValues(ctx context.Context, object crm.Object, ids []string) (map[string]crm.Values, error)

	// Write sends the updates, in the CRM's batches, and returns an outcome for each, in the same order. When it returns
	// an error, the outcomes returned with it are those that are certain; the rest may or may not have been applied.
	Write(ctx context.Context, updates []crm.Update) ([]Outcome, error)
}

// Provisioner makes what the CRM needs to hold and show our fields.
type Provisioner interface {
	// Plan lists what is still to do until the CRM is set up, in order. No steps: it is.
	Plan(ctx context.Context, opts SetupOptions) (Plan, error)

	// PlanRemoval lists what takes away all that Plan's steps have made, values included, and nothing else.
	PlanRemoval(ctx context.Context) (Plan, error)

	// Apply does one step of a plan. Doing a step again is harmless.
	Apply(ctx context.Context, step Step) error

	// Profile counts which fields Sales fills in, on the newest won deals.
	Profile(ctx context.Context) (Profile, error)
}

// SetupOptions say what to set up beyond the fields themselves.
type SetupOptions struct {
	Layouts []string // names of the page layouts that get a section with our fields; a CRM without layouts passes over them
}

// Plan is what setup would do.
type Plan struct {
	Steps  []Step
	ByHand []string // what no API can do and a person should, a sentence or two each, in order
}

// Change is what a step does to its target.
type Change byte

// The kinds of change, which print as the mark of a line in a diff.
const (
	Create Change = '+'
	Alter  Change = '~'
	Delete Change = '-'
)

// Step is one change that setup would make.
type Step struct {
	Change Change
	What   string // such as "field"
	Target string // such as "Opportunity.Handoff_Score__c"
	Detail string // such as "Number(3,0)"

	Do func(context.Context) error // carries the step out; belongs to the Provisioner that planned it
}

// Profile says how full the fields are that deal facts may be read from.
type Profile struct {
	Deals  int        // how many won deals were looked at
	Fields []FieldUse // of the deal, by name
}

// FieldUse is how often a field is filled in.
type FieldUse struct {
	Name   string // the CRM's own
	Label  string // what people call it
	Filled int    // on so many of the profile's deals
	Feeds  string // neutral name of the deal fact that is read from it now; "": it is not read
}

// Inspector finds out what would keep a run from doing its work.
type Inspector interface {
	// Check looks at all that a run depends on: login, permissions, fields, quota, clock, versions. What is wrong is a
	// finding; an error means that ctx ended.
	Check(ctx context.Context) (Checkup, error)

	// Unusable returns a problem for each of our fields that cannot hold what we write: it is missing, hidden, not ours to
	// edit, of another type, too short, or without one of its options. No such field is read or written.
	Unusable(ctx context.Context) ([]Finding, error)
}

// Checkup is what a check found.
type Checkup struct {
	Findings []Finding // in the order in which a person should look at them

	// Account identifies the org or portal; connections with the same one read the same records. "": not known, because
	// the login failed.
	Account string

	Quota Quota // as the last answer told

	// Mirrored is how many won deals are copies that a sync keeps of the deals of another CRM, by that CRM's name as
	// configured ("salesforce").
	Mirrored map[string]int
}

// Severity is how bad a finding is.
type Severity int

// The severities.
const (
	Fine    Severity = iota // in order
	Warning                 // works, with less than there could be
	Problem                 // a run fails, or leaves something out
)

// Finding is one result of a check.
type Finding struct {
	Severity Severity
	Place    string // a key of the connection's configuration ("client_secret"), or a thing of the CRM ("Opportunity.Handoff_Score__c")
	Field    string // neutral name of our field that it is about; "": it is about none
	Text     string // what is the case
	Remedy   string // what a person can do; "" where there is nothing to do
}

// Usage says what a connection has used.
type Usage interface {
	// Calls is how many API calls were sent since the connector was made, token calls left out.
	Calls() int
}

// Connector is all that a CRM offers us.
type Connector interface {
	Puller
	Reconciler
	Writer
	Provisioner
	Inspector
	Usage
}
