package salesforce_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// stand looks at deals.
func stand(t *testing.T, l *lab, deals ...string) map[string]connectors.Standing {
	t.Helper()
	in, err := l.client.Reconcile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	standing, err := in.Standing(t.Context(), deals)
	if err != nil {
		t.Fatal(err)
	}
	return standing
}

// A user who is renamed moves the stamp of no opportunity.
func TestReconcileSeesRenames(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	records, marks := pull(t, l.client, nil)
	s := records[0].Snapshot
	l.clock.Advance(time.Hour)
	if err := l.fixture(t).EditRecord(t, "User", s.Deal.Owner.ID, map[string]any{"FirstName": "Renamed"}); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Hour)
	if news, _ := pull(t, l.client, marks); len(news) > 0 {
		t.Fatal("a pull sees it by itself")
	}
	if got := stand(t, l, s.ID)[s.ID].Deal.Owner.Name; !strings.HasPrefix(got, "Renamed ") {
		t.Errorf("owner %q", got)
	}
}

// What a permission hides is not compared; everything else is.
func TestReconcileRevoked(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	records, _ := pull(t, l.client, nil)
	s := records[0].Snapshot
	l.revoke(t, "OpportunityContactRole.read")
	if now := stand(t, l, s.ID)[s.ID]; now.State != connectors.Stands || !slices.Equal(now.Unread, []crm.Part{crm.PartContacts}) || now.Deal.Name != s.Deal.Name {
		t.Errorf("%+v", now)
	}
}

// TestReconcileBudget: a look at a thousand deals takes two queries for 200 of them, of which five go into one call.
func TestReconcileBudget(t *testing.T) {
	l := newLab(t, deals.Generate(connectors.ReconcileDeals, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	records, _ := pull(t, l.client, nil)
	var all []string
	for _, r := range records {
		all = append(all, r.Snapshot.ID)
	}
	opening, _ := l.calls(t, func() {
		if _, err := l.client.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	total, routes := l.calls(t, func() { stand(t, l, all...) })
	if total > opening+2 || opening > 2 {
		t.Errorf("%d deals: %d calls, want %d beside the %d that it begins with: %v", len(all), total, 2, opening, routes)
	}
}
