package salesforce_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// revokeAll takes from the integration user all that its profile could lack, and returns how many fields are among it.
func (l *lab) revokeAll(t *testing.T) (fields int) {
	t.Helper()
	for _, object := range []string{"Account", "Opportunity", "Contact", "Contract"} {
		l.revoke(t, object+".read")
		l.revoke(t, object+".edit")
	}
	for _, object := range []string{"Task", "Event", "EventRelation"} {
		l.revoke(t, object+".read")
	}
	var found struct {
		Records []struct {
			QualifiedApiName string
			EntityDefinition struct{ QualifiedApiName string }
		}
	}
	const soql = "SELECT EntityDefinition.QualifiedApiName, QualifiedApiName FROM EntityParticle WHERE IsPermissionable = true"
	if err := json.Unmarshal(l.call(t, http.MethodGet, "/services/data/v62.0/tooling/query?q="+url.QueryEscape(soql), nil), &found); err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Records {
		l.revoke(t, f.EntityDefinition.QualifiedApiName+"."+f.QualifiedApiName+".read")
	}
	return len(found.Records)
}

// TestMinimalAccess: a user whose profile shows nothing reads, by what setup grants, what a user reads who sees all.
func TestMinimalAccess(t *testing.T) {
	mapped := func(c *salesforce.Config) {
		c.Fields = map[string]string{"term_months": "Contract.ContractTerm", "competitors": "Account.Name", "metrics": "LeadSource"}
	}
	want := map[string]connectors.Record{}
	all := newLab(t, deals.Demo(), mapped)
	all.setup(t, all.cfg.Specs)
	records, _ := pull(t, all.client, nil)
	for _, r := range records {
		want[r.Snapshot.Deal.Name] = r
	}

	l := newLab(t, deals.Demo(), mapped)
	if n := l.revokeAll(t); n < 60 {
		t.Fatalf("only %d fields can be hidden", n)
	}
	plan := mustPlan(t, l.client)
	apply(t, l.client, plan, nil)
	if left := mustPlan(t, l.client); len(left.Steps) > 0 {
		t.Errorf("still to do: %v", lines(left.Steps))
	}
	records, _ = pull(t, l.client, nil)
	if len(records) != len(want) || len(records) == 0 {
		t.Fatalf("%d deals come, want %d", len(records), len(want))
	}
	for _, r := range records {
		if diff := cmp.Diff(want[r.Snapshot.Deal.Name], r, cmp.Comparer(func(a, b crm.Date) bool { return a == b })); diff != "" {
			t.Errorf("%s, -all rights +those of setup:\n%s", r.Snapshot.Deal.Name, diff)
		}
	}
	for _, field := range []string{"LeadSource", "Amount", "Use_Case__c"} {
		if n := len(l.ids(t, "SELECT Id FROM FieldPermissions WHERE PermissionsEdit = false AND Field = 'Opportunity."+field+"'")); n != 1 {
			t.Errorf("%s: %d grants to read", field, n)
		}
	}
	for _, field := range []string{"Probability", "Kickoff_At__c"} { // which nothing reads
		if n := len(l.ids(t, "SELECT Id FROM FieldPermissions WHERE Field = 'Opportunity."+field+"'")); n != 0 {
			t.Errorf("%s: %d grants", field, n)
		}
	}
	removal, err := l.client.PlanRemoval(t.Context())
	apply(t, l.client, removal, err)
	if n := len(l.ids(t, "SELECT Id FROM FieldPermissions")); n != 0 {
		t.Errorf("after the removal %d field permissions are left", n)
	}
}

// TestHiddenFilter: where we cannot tell whether a deal is one of ours, none is read.
func TestHiddenFilter(t *testing.T) {
	for _, tc := range []struct {
		permission, setting string
		change              func(*salesforce.Config)
	}{
		{"Opportunity.Amount.read", "min_amount", func(c *salesforce.Config) { c.NeedsAmount = true }},
		{"Opportunity.Type.read", "deal_types", func(c *salesforce.Config) { c.DealTypes = []string{"New Business"} }},
	} {
		t.Run(tc.setting, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:2], tc.change)
			l.revoke(t, tc.permission)
			_, _, err := tryPull(t, l.client, nil)
			e := (*connectors.Error)(nil)
			if !errors.As(err, &e) || e.Setting != tc.setting || !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "cannot see the field") {
				t.Errorf("got %v", err)
			}
		})
	}
}
