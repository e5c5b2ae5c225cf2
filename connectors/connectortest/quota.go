package connectortest

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// quota: a pull stops at its share of the CRM's calls, reading all deals at half of it, whoever made the calls; the next one goes
// on from there, after what has news.
func quota(t *testing.T, start Start) {
	const share, slack = 80, 8 // a few answers tell nothing of the quota
	if testing.Short() {
		t.Skip("loads more deals than one batch")
	}
	cases := deals.Generate(1_300, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	f := start(t, cases)
	f.Clock.Advance(time.Hour) // that the deals were made is no news
	all := mustPull(t, f, nil).names()
	checkup, err := f.Connector.Check(t.Context())
	if err != nil || checkup.Quota.Limit == 0 {
		t.Fatalf("check tells no quota: %+v, %v", checkup.Quota, err)
	}
	at := func(percent, less int) {
		f.control(t, http.MethodPut, "/_sandbox/usage", map[string]int{"calls": checkup.Quota.Limit*percent/100 - less})
	}
	bounded := func(since crm.Watermarks) (pulled, int, error) {
		before := f.Connector.Calls()
		p, err := pull(connectors.NewBudget(share).Bound(t.Context()), f.Connector, since)
		return p, f.Connector.Calls() - before, err
	}

	at(share/2, 0)
	p, calls, err := bounded(nil)
	checkError(t, err, connectors.ErrQuota)
	if len(p.records) > 0 || calls > slack {
		t.Errorf("a first pull at half of the share reads %d deals by %d calls", len(p.records), calls)
	}

	before := f.Connector.Calls()
	mustPull(t, f, nil) // without a budget
	whole := f.Connector.Calls() - before
	var names []string
	for pulls := 1; ; pulls++ {
		at(share/2, whole*9/10)
		p, calls, err = bounded(p.marks)
		names = append(names, p.names()...)
		if calls > whole*9/10+slack {
			t.Errorf("%d calls where %d were left", calls, whole*9/10)
		}
		if err == nil {
			if pulls == 1 {
				t.Error("the first pull is not stopped")
			}
			break
		}
		checkError(t, err, connectors.ErrQuota)
		if len(p.records) == 0 {
			t.Fatalf("pull %d makes no progress", pulls)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(all, names); diff != "" {
		t.Errorf("deals of the pulls together, each once, -want +got:\n%s", diff)
	}

	last, deal := p, p.records[0].Snapshot.ID
	note := func() {
		f.Clock.Advance(time.Hour)
		if err := f.AddNote(deal, "A note that says nothing."); err != nil {
			t.Fatal(err)
		}
	}
	note()
	at(100, 0)
	if p, err := pull(t.Context(), f.Connector, last.marks); len(p.records) > 0 {
		t.Errorf("beyond the quota %d deals are read", len(p.records))
	} else {
		checkError(t, err, connectors.ErrQuota)
	}
	at(share, 0)
	p, calls, err = bounded(last.marks)
	checkError(t, err, connectors.ErrQuota)
	if len(p.records) > 0 || calls > 2*slack {
		t.Errorf("a pull at the share reads %d deals by %d calls", len(p.records), calls)
	}
	at(share/2, 0)
	first, _, err := bounded(nil)
	checkError(t, err, connectors.ErrBackfill)
	note()
	at(share/2, 0)
	p, _, err = bounded(first.marks)
	checkError(t, err, connectors.ErrBackfill)
	if len(p.records) != 1 || p.records[0].Snapshot.ID != deal {
		t.Errorf("while all deals wait, %d deals with news are read, want 1", len(p.records))
	}
	f.Clock.Advance(25 * time.Hour)
	if p, _, err = bounded(last.marks); err != nil || len(p.records) == 0 {
		t.Errorf("on the next day: %d deals, %v", len(p.records), err)
	}
	at(share/2, 0)
	if p, _, err = bounded(last.marks); err != nil || len(p.records) == 0 {
		t.Errorf("at half of the share there is room for news: %d deals, %v", len(p.records), err)
	}
}
