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
		connectors.Told(ctx, connectors.Quota{Used: m.used, Limit: 100})
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
