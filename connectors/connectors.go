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
	Left    []string // ids of deals with news that are not Closed Won, or deleted: of interest only where we hold a card

	// Watermarks may be saved once everything of this batch and of those before it is saved. Nil: no progress to save yet.
	Watermarks crm.Watermarks

	// Total is how many deals this pull will yield in all, for progress; 0 while unknown.
	Total int
}

// Puller reads won deals with their contacts, notes, activities and history.
type Puller interface {
	// Pull yields each won deal that has news since the watermarks, whole, whatever kind of record the news is in.
	// Without watermarks it yields every won deal of the configured first window. It stops with yield's error. The same
	// deal may come again in a later pull: a pull overlaps the one before it.
	Pull(ctx context.Context, since crm.Watermarks, yield func(Batch) error) error
}

// Outcome is what became of one update.
type Outcome struct {
	Ref crm.Ref
	Err *Error // nil: written
}

// Writer reads and writes our own fields.
type Writer interface {
	// ReadValues returns the present values of our fields on the given records. A record that is gone is absent.
	ReadValues(ctx context.Context, object crm.Object, ids []string) (map[string]crm.Values, error)

	// Write sends the updates, in the CRM's batches, and returns an outcome for each, in the same order. When it returns
	// an error, the outcomes returned with it are those that are certain; the rest may or may not have been applied.
	Write(ctx context.Context, updates []crm.Update) ([]Outcome, error)
}

// Provisioner creates what the CRM needs to hold and show our fields.
type Provisioner interface {
	// Plan lists the steps that are still to do, in order; empty: the CRM is set up.
	Plan(ctx context.Context, fields []crm.FieldSpec) ([]Step, error)

	// Apply does one step of a plan. Doing a step again is harmless.
	Apply(ctx context.Context, step Step) error
}

// Step is one change that setup would make.
type Step struct {
	What   string // such as "create field"
	Target string // such as "Opportunity.Handoff_Score__c"
	Detail string // such as "Number(3,0)"

	Do func(context.Context) error `json:"-"` // carries the step out; belongs to the Provisioner that planned it
}

// Usage says what a connection has used.
type Usage interface {
	// Calls is how many API calls were sent since the connector was made, token calls left out.
	Calls() int
}

// Connector is all that a CRM offers us.
type Connector interface {
	Puller
	Writer
	Provisioner
	Usage
}
