package hubspot_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
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

// rename makes the portal answer as if what has a name had another one.
func rename(t *testing.T, l *lab, path, query, from, to string) {
	t.Helper()
	answer, err := l.call(t, http.MethodGet, path+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), from) {
		t.Fatalf("%s does not tell of %s: %s", path, from, answer)
	}
	body := json.RawMessage(strings.ReplaceAll(string(answer), from, to))
	if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: path, Status: http.StatusOK, Body: body}); err != nil {
		t.Fatal(err)
	}
}

// Who is renamed, and a stage that is, moves no deal's stamp; a description that is kept for a day has the old names.
func TestReconcileSeesRenames(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	setUp(t, l)
	s := pull(t, l.client, nil).records[0].Snapshot
	first, _, _ := strings.Cut(s.Deal.Owner.Name, " ")
	rename(t, l, "/crm/owners/2026-09", "?limit=100&archived=false", `"firstName":"`+first+`"`, `"firstName":"Renamed"`)
	rename(t, l, "/crm/pipelines/2026-09/deals", "", s.Deal.Stage, "Signed")
	l.clock.Advance(time.Hour)
	if n := pull(t, l.client, nil).records; n[0].Snapshot.Deal.Owner.Name != s.Deal.Owner.Name {
		t.Fatal("a pull sees it by itself")
	}
	got := stand(t, l, s.ID)[s.ID].Deal
	if got.Stage != "Signed" || !strings.HasPrefix(got.Owner.Name, "Renamed ") {
		t.Errorf("stage %q, owner %q", got.Stage, got.Owner.Name)
	}
}

// Two deals that are merged are in no list any more, not even of what is archived: the deal that they became tells of them.
// https://github.com/fivetran/dbt_hubspot/issues/134
func TestReconcileMergedDeals(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	n := pull(t, l.client, nil)
	a, b := n.records[0].Snapshot.ID, n.records[1].Snapshot.ID
	l.clock.Advance(time.Hour)
	l.must(t, http.MethodPost, "/crm/objects/2026-09/deals/merge", map[string]string{"primaryObjectId": a, "objectIdToMerge": b})
	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks)
	if len(n.records) != 1 || !slices.Equal(n.records[0].Merged, []string{a, b}) {
		t.Fatalf("pulled %d deals: %+v", len(n.records), n.records)
	}
	c := n.records[0].Snapshot.ID
	standing := stand(t, l, a, b, c)
	if standing[a].State != connectors.Missing || standing[b].State != connectors.Missing {
		t.Errorf("the merged deals are in states %d and %d, want Missing", standing[a].State, standing[b].State)
	}
	if now := standing[c]; now.State != connectors.Stands || !slices.Equal(now.Merged, []string{a, b}) {
		t.Errorf("what they became: %+v", now)
	}
}

func TestReconcileMergedContacts(t *testing.T) {
	l := newLab(t, deals.Demo())
	n := pull(t, l.client, nil)
	i := slices.IndexFunc(n.records, func(r connectors.Record) bool { return len(r.Snapshot.Contacts) > 1 })
	s := n.records[i].Snapshot
	one, other := s.Contacts[0].ID, s.Contacts[1].ID
	l.must(t, http.MethodPost, "/crm/objects/2026-09/contacts/merge", map[string]string{"primaryObjectId": one, "objectIdToMerge": other})
	now := stand(t, l, s.ID)[s.ID].Records[crm.PartContacts]
	if len(now) != len(s.Contacts)-1 || slices.Contains(now, one) || slices.Contains(now, other) {
		t.Errorf("contacts %v, which were %s, %s and %d others", now, one, other, len(s.Contacts)-2)
	}
}

// What a scope hides is not compared; everything else is.
func TestReconcileMissingScope(t *testing.T) {
	for _, tc := range []struct {
		path string
		want []crm.Part
	}{
		{"/crm/associations/2026-09/deals/contacts/batch/read", []crm.Part{crm.PartContacts}},
		{"/crm/associations/2026-09/deals/notes/batch/read", []crm.Part{crm.PartNotes}},
		{"/crm/owners/2026-09", []crm.Part{crm.PartFields}},
		{"/crm/associations/2026-09/deals/companies/batch/read", []crm.Part{crm.PartFields}},
		{"/crm/objects/2026-09/companies/batch/read", []crm.Part{crm.PartFields}},
	} {
		l := newLab(t, deals.Demo()[:2])
		s := pull(t, l.client, nil).records[0].Snapshot
		if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: tc.path, Status: http.StatusForbidden, Code: "MISSING_SCOPES"}); err != nil {
			t.Fatal(err)
		}
		if now := stand(t, l, s.ID)[s.ID]; now.State != connectors.Stands || !slices.Equal(now.Unread, tc.want) || now.Deal.Name != s.Deal.Name {
			t.Errorf("%s: %+v", tc.path, now)
		}
	}
}

// An engagement that is archived moves no stamp, neither its own nor its deal's, and no search finds it any more.
// https://github.com/airbytehq/airbyte/issues/35017
func TestReconcileArchivedEngagements(t *testing.T) {
	l := newLab(t, deals.Demo())
	first := pull(t, l.client, nil)
	for kind, part := range map[string]crm.Part{"notes": crm.PartNotes, "calls": crm.PartTasks, "meetings": crm.PartEvents, "emails": crm.PartEmails, "tasks": crm.PartTasks} {
		t.Run(kind, func(t *testing.T) {
			i := slices.IndexFunc(first.records, func(r connectors.Record) bool { return len(l.ids(t, r.Snapshot.ID, kind)) > 0 })
			deal := first.records[i].Snapshot.ID
			before := stand(t, l, deal)[deal].Records[part]
			gone := l.ids(t, deal, kind)[0]
			l.clock.Advance(time.Hour)
			l.must(t, http.MethodDelete, "/crm/objects/2026-09/"+kind+"/"+gone, nil)
			l.clock.Advance(time.Hour)
			if slices.ContainsFunc(pull(t, l.client, first.marks).records, func(r connectors.Record) bool { return r.Snapshot.ID == deal }) {
				t.Error("a pull sees it by itself")
			}
			now := stand(t, l, deal)[deal].Records[part]
			if !slices.Contains(before, gone) || len(now) != len(before)-1 || slices.Contains(now, gone) {
				t.Errorf("%v without %s is %v", before, gone, now)
			}
		})
	}
}

// TestReconcileBudget: a look at a thousand deals costs what a description costs, and a call for a hundred deals, for all of
// each of seven kinds of records that belong to them, and for a hundred companies.
func TestReconcileBudget(t *testing.T) {
	l := newLab(t, deals.Generate(connectors.ReconcileDeals, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	var ids []string
	companies := map[string]bool{}
	for _, r := range pull(t, l.client, nil).records {
		ids = append(ids, r.Snapshot.ID)
		companies[r.AccountID] = true
	}
	l.requests(t)
	if _, err := l.client.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	description := total(l.requests(t))
	stand(t, l, ids...)
	counts := l.requests(t)
	if got, want := total(counts), description+(len(ids)+99)/100+7+(len(companies)+99)/100; got > want || description > 8 {
		t.Errorf("%d deals and %d companies: %d calls, want %d, %d of them for the description: %v", len(ids), len(companies), got, want, description, counts)
	}
}
