package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// metered is a CRM that tells how many of 100 API calls are used, one more with each batch.
type metered struct {
	*fakeCRM
	used int
}

func (m *metered) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	return m.fakeCRM.Pull(ctx, since, func(b connectors.Batch) error {
		if err := connectors.Afford(ctx, "Fake", "read deals"); err != nil {
			return err
		}
		m.used++
		connectors.Sent(ctx)(connectors.Quota{Used: m.used, Limit: 100})
		return yield(b)
	})
}

// TestQuotaShare: a run stops at its share of the quota once what it has read is written, and the next one goes on from
// there when the quota is back. What the run before it was told does not count any more.
func TestQuotaShare(t *testing.T) {
	w := newWorld(t)
	m := &metered{w.crm, 78}
	w.job.CRM, w.job.QuotaShare = m, 80
	for _, id := range []string{"d1", "d2", "d3", "d4", "d5", "d6"} { // two in a batch
		w.crm.put(emptyDeal(id), "")
	}
	w.now = w.now.Add(time.Hour)
	s, err := w.job.Run(t.Context())
	e := (*connectors.Error)(nil)
	if !errors.Is(err, connectors.ErrQuota) || !errors.As(err, &e) || e.Setting != "quota_share" {
		t.Fatalf("got %v", err)
	}
	if s.Scored != 4 || s.Written != 4 {
		t.Errorf("did %+v, want 4 deals scored and written", s)
	}
	m.used = 0
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 2, Flagged: 6})
	if len(w.crm.applied) != 6 {
		t.Errorf("%d updates, want one for each deal", len(w.crm.applied))
	}
}

// backfilling is a CRM that has more deals than it may read: others have used 45 of 100 API calls.
type backfilling struct{ *fakeCRM }

func (b backfilling) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	if err := b.fakeCRM.Pull(ctx, since, yield); err != nil {
		return err
	}
	connectors.Sent(ctx)(connectors.Quota{Used: 45, Limit: 100})
	return connectors.Afford(connectors.Backfill(ctx), "Fake", "list won deals")
}

// TestBackfillYields: a run that may not read all deals does the rest of its work, and says so.
func TestBackfillYields(t *testing.T) {
	w := newWorld(t)
	w.job.CRM, w.job.QuotaShare = backfilling{w.crm}, 80
	w.crm.put(emptyDeal("d1"), "")
	w.crm.put(emptyDeal("d2"), "a2")
	w.crm.refused["d1"] = &connectors.Error{Op: "update deals", CRM: "Fake", Class: connectors.ErrPark, Code: "RULE", Message: "no"}
	const behind = "not all deals are read yet: Fake: list won deals: 45 of 100 API calls of the day are used, by all integrations, and reading all deals stops at 40 %. " +
		"What was done is saved, and the next run goes on from there. If it happens often, run less often, let the others use fewer calls, or raise quota_share"
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 1, Flagged: 2, Parked: 1, Left: behind + "; " + oneRefused})
	if got := w.crm.accounts["a2"]["health"]; got != "Red" {
		t.Errorf("the account's health is %q, want Red", got)
	}
	delete(w.crm.refused, "d1")
	w.now = w.now.Add(time.Hour)
	w.wantRun(jobs.Summary{Written: 1, Flagged: 2, Left: behind})
}
