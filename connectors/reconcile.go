package connectors

import (
	"context"

	"handoff/crm"
)

// Reconciler finds out what no pull can see, as it moves no stamp: records that were archived, deleted or merged, deals that
// left the filters, people, pipelines and stages that were renamed.
type Reconciler interface {
	// Reconcile asks the CRM afresh how it is set up, who its people are and what its stages are called, and returns what
	// deals can be looked at with.
	Reconcile(ctx context.Context) (Reconciliation, error)
}

// Reconciliation looks at deals that we hold. It reads far less of each than a pull does.
type Reconciliation interface {
	// Standing says how each of the deals stands, by id; ReconcileDeals at a time cost the fewest calls.
	Standing(ctx context.Context, deals []string) (map[string]Standing, error)

	// Read returns those of the deals that are won and pass the filters, whole.
	Read(ctx context.Context, deals []string) ([]Record, error)
}

// ReconcileDeals is how many deals are looked at together.
const ReconcileDeals = 1000

// State is where a deal is that we hold.
type State int

// The states of a deal.
const (
	Missing State = iota // not to be found: removed for good, merged into another deal, or hidden from us
	Deleted              // in the CRM's recycle bin or archive
	Left                 // there, but not Closed Won any more, or excluded by the filters
	Stands               // one of ours
)

// Standing is how a deal stands. What follows State is of a deal that Stands alone.
type Standing struct {
	State State

	Deal   crm.Deal   // as a pull reads it, without KickoffAt
	Merged []string   // ids of the deals that were merged into it
	Unread []crm.Part // what of it could not be read: crm.PartFields of Deal, the others of Records

	// Records are the ids of what belongs to it, sorted, of all parts whose deletions no pull sees. A snapshot holds all of
	// its contacts; of the others it may lack what says nothing, such as meetings without a text.
	Records map[crm.Part][]string
}
