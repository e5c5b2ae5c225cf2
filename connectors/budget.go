package connectors

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Quota is how many API calls an org or portal has a day, and how many of them are used, by all its integrations, as the
// CRM itself counts. The zero value: not known.
type Quota struct{ Used, Limit int }

// Reached reports whether percent of the calls are used.
func (q Quota) Reached(percent int) bool { return q.Limit > 0 && q.Used*100 >= q.Limit*percent }

// ErrBudget is, beside ErrQuota, the cause of the error with which a run stops at its share of a quota; ErrBackfill is the
// ErrBudget of what can wait alone.
var (
	ErrBudget   = errors.New("the run's share of the quota is used up")
	ErrBackfill = fmt.Errorf("%w for what can wait", ErrBudget)
)

// Budget bounds what a run uses of a quota. It knows of it what the answers to the run's own calls tell: what others call
// counts, connections to the same org or portal among them, and what was used on an earlier day does not. It travels with
// the context of calls, as a deadline does. Its methods may be called concurrently.
type Budget struct {
	share int

	mu    sync.Mutex
	quota Quota // as it was told last; zero: not told yet
	told  int   // how often it was
}

// NewBudget returns the budget of a run that calls until share percent of the quota are used; 0: without bounds.
func NewBudget(share int) *Budget { return &Budget{share: share} }

type boundKey struct{}

type bound struct {
	*Budget
	backfill bool
}

// share is how many percent of the quota may be used. What can wait yields at the half, so that other runs have room.
func (b bound) share() int {
	if b.backfill {
		return max(1, b.Budget.share/2)
	}
	return b.Budget.share
}

// Bound returns a context whose calls count against b.
func (b *Budget) Bound(ctx context.Context) context.Context {
	return context.WithValue(ctx, boundKey{}, bound{Budget: b})
}

// Backfill returns a context for calls that read all there is, which may take days: they stop at half of the share.
func Backfill(ctx context.Context) context.Context {
	b, ok := ctx.Value(boundKey{}).(bound)
	if !ok {
		return ctx
	}
	b.backfill = true
	return context.WithValue(ctx, boundKey{}, b)
}

// Afford is asked by a connector before each call. Its error says that the budget of ctx is used up; a ctx without one, and
// a quota that no answer has told yet, bound nothing.
func Afford(ctx context.Context, crm, op string) error {
	b, ok := ctx.Value(boundKey{}).(bound)
	if !ok || b.Budget.share == 0 {
		return nil
	}
	q := b.known()
	if !q.Reached(b.share()) {
		return nil
	}
	stops, cause := "a run stops", ErrBudget
	if b.backfill {
		stops, cause = "reading all deals stops", ErrBackfill
	}
	return &Error{Op: op, CRM: crm, Class: ErrQuota, Err: cause, Setting: "quota_share",
		Message: fmt.Sprintf("%d of %d API calls of the day are used, by all integrations, and %s at %d %%", q.Used, q.Limit, stops, b.share()),
		Remedy:  "What was done is saved, and the next run goes on from there. If it happens often, run less often, let the others use fewer calls, or raise quota_share"}
}

// Sent is told by a connector that a call goes out. What it returns is to be told what the answer says of the quota; the zero
// value: nothing. Of answers to calls that were under way together the one that tells of the most use counts, whichever comes
// last.
func Sent(ctx context.Context) (told func(Quota)) {
	b, ok := ctx.Value(boundKey{}).(bound)
	if !ok {
		return func(Quota) {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.told
	return func(q Quota) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if q.Limit > 0 && (b.told == before || q.Used > b.quota.Used) {
			b.quota = q
			b.told++
		}
	}
}

// known returns the quota as it was told last.
func (b *Budget) known() Quota {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.quota
}
