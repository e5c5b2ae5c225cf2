package hubspot_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"handoff/connectors/connectortest"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

var l0 = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// TestReadAgain: where the configuration reads something else of the deals, or other deals, all of them are news; what has
// left since is still told.
func TestReadAgain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*hubspot.Config)
		want   int // deals; all are 4
	}{
		{"nothing", func(*hubspot.Config) {}, 0},
		{"names only", func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "use_case"} }, 0},
		{"mapping", func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "metrics"} }, 3},
		{"pipelines", func(c *hubspot.Config) { c.Pipelines = []string{"New business"} }, 3},
		{"deal types", func(c *hubspot.Config) { c.DealTypes = []string{"newbusiness"} }, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:4])
			n := pull(t, l.client, nil)
			if len(n.records) != 4 {
				t.Fatalf("%d deals", len(n.records))
			}
			l.clock.Advance(time.Hour)
			gone := n.records[0].Snapshot.ID
			if err := l.fixture(t).LoseDeal(gone); err != nil {
				t.Fatal(err)
			}
			l.clock.Advance(time.Minute)
			changed := l.again(t, tc.change)
			n = pull(t, changed, n.marks)
			if len(n.records) != tc.want {
				t.Errorf("%d deals, want %d", len(n.records), tc.want)
			}
			left := n.left
			l.clock.Advance(time.Minute)
			n = pull(t, changed, n.marks)
			if left = append(left, n.left...); !slices.Contains(left, gone) {
				t.Errorf("left %v, want %s", left, gone)
			}
			l.clock.Advance(time.Hour)
			n = pull(t, changed, n.marks)
			l.clock.Advance(time.Hour)
			if n = pull(t, changed, n.marks); len(n.records) != 0 {
				t.Errorf("%d deals come again and again", len(n.records))
			}
		})
	}
}

// TestOwnersGranted: once a scope is there, what it hid is read of all deals.
func TestOwnersGranted(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": "crm.objects.owners.read"})
	n := pull(t, l.client, nil)
	if !slices.Equal(n.records[0].Snapshot.Unread, []crm.Part{crm.PartFields}) {
		t.Fatalf("unread: %v", n.records[0].Snapshot.Unread)
	}
	l.clock.Advance(time.Hour)
	l.must(t, http.MethodDelete, "/_sandbox/revoked", nil)
	if n = pull(t, l.client, n.marks); len(n.records) != 3 || len(n.records[0].Snapshot.Unread) > 0 {
		t.Errorf("%d deals", len(n.records))
	}
}

// TestCompaniesGranted: a deal that was read without its company is read again once companies may be read.
func TestCompaniesGranted(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": "crm.objects.companies.read"})
	l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+n.records[0].Snapshot.Deal.ID, map[string]any{"description": "news"})
	n = pull(t, l.client, n.marks)
	if len(n.records) != 1 || n.records[0].AccountID != "" {
		t.Fatalf("without companies: %+v", n.records)
	}
	for range 2 { // the overlap brings it once more
		l.clock.Advance(time.Hour)
		n = pull(t, l.client, n.marks)
	}
	if len(n.records) > 0 {
		t.Errorf("still without: %d deals", len(n.records))
	}
	l.must(t, http.MethodDelete, "/_sandbox/revoked", nil)
	n = pull(t, l.client, n.marks)
	if len(n.records) != 3 || n.records[0].AccountID == "" {
		t.Errorf("with companies: %d deals", len(n.records))
	}
	l.clock.Advance(time.Hour)
	if n = pull(t, l.client, n.marks); len(n.records) > 0 {
		t.Errorf("%d deals come again", len(n.records))
	}
}

// TestCompaniesMatter: companies that cannot be read leave the facts open that may be kept there, and only those.
func TestCompaniesMatter(t *testing.T) {
	fields := []crm.Part{crm.PartFields}
	for _, tc := range []struct {
		name   string
		hide   connectortest.Fault
		change func(*hubspot.Config)
		want   []crm.Part
	}{
		{"records, and every fact is on the deal", connectortest.Fault{Path: "/crm/objects/2026-09/companies/.*"}, func(*hubspot.Config) {}, nil},
		{"records, and a fact is there", connectortest.Fault{Path: "/crm/objects/2026-09/companies/.*"},
			func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "company.description"} }, fields},
		{"definitions, and every fact is on the deal", connectortest.Fault{Path: "/crm/properties/2026-09/companies"}, func(*hubspot.Config) {}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:2], tc.change)
			tc.hide.Status, tc.hide.Code = http.StatusForbidden, "MISSING_SCOPES"
			if err := l.fixture(t).AddFault(t, tc.hide); err != nil {
				t.Fatal(err)
			}
			for _, r := range pull(t, l.client, nil).records {
				if !slices.Equal(r.Snapshot.Unread, tc.want) {
					t.Errorf("unread: %v, want %v", r.Snapshot.Unread, tc.want)
				}
			}
		})
	}
}

// TestCompaniesRefused: what one call alone keeps from us is told, though the portal was described without a refusal.
func TestCompaniesRefused(t *testing.T) {
	reads := map[string]func(*testing.T, *lab, string){
		"pull":           func(t *testing.T, l *lab, _ string) { pull(t, l.client, nil) },
		"reconciliation": func(t *testing.T, l *lab, deal string) { stand(t, l, deal) },
	}
	for name, path := range map[string]string{
		"which companies belong to deals": "/crm/associations/2026-09/deals/companies/batch/read",
		"companies":                       "/crm/objects/2026-09/companies/batch/read",
	} {
		for how, read := range reads {
			t.Run(name+"/"+how, func(t *testing.T) {
				l := newLab(t, deals.Demo()[:2])
				setUp(t, l)
				deal := pull(t, l.client, nil).records[0].Snapshot.ID
				wantUnusable(t, l)
				if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: path, Status: http.StatusForbidden, Code: "MISSING_SCOPES"}); err != nil {
					t.Fatal(err)
				}
				read(t, l, deal)
				wantUnusable(t, l, "companies.handoff_health: the service key may not read companies, so deals have no account, and no company gets its health. "+
					"Add the missing scopes to the service key under Development > Keys > Service keys")
				l.must(t, http.MethodDelete, "/_sandbox/faults", nil)
				read(t, l, deal)
				wantUnusable(t, l)
			})
		}
	}
}

func wantUnusable(t *testing.T, l *lab, want ...string) {
	t.Helper()
	found, err := l.client.Unusable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, f.Place+": "+f.Text+". "+f.Remedy)
	}
	if !slices.Equal(got, want) {
		t.Errorf("unusable: %q, want %q", got, want)
	}
}
