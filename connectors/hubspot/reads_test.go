package hubspot_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
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

// TestTokenEnds: a token that ends during a pull ends it, and says that a service key does not; the next pull brings what is missing.
// https://github.com/airbytehq/airbyte/issues/74726
// https://github.com/ToolJet/ToolJet/issues/17192
func TestTokenEnds(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	f := l.fixture(t)
	n := pull(t, l.client, nil)
	deal := n.records[0].Snapshot.ID
	l.clock.Advance(time.Hour)
	if err := f.AddNote(deal, "They go live on 9 November."); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	if err := f.AddFault(t, connectortest.Fault{Path: "/crm/objects/2026-09/notes/search", Code: "EXPIRED_AUTHENTICATION"}); err != nil {
		t.Fatal(err)
	}
	l.requests(t)
	broken, err := tryPull(t, l.client, n.marks)
	if e := (*connectors.Error)(nil); !errors.As(err, &e) || !errors.Is(e, connectors.ErrConfig) || e.Setting != "token" || !strings.Contains(e.Remedy, "Create a service key") {
		t.Errorf("got %v", err)
	}
	if got := l.requests(t)["POST /crm/objects/…/notes/search"]; got != 2 || !maps.Equal(broken.marks, n.marks) {
		t.Errorf("asked %d times, want 2; watermarks %v", got, broken.marks)
	}
	f.Heal(t)
	l.clock.Advance(time.Minute)
	if n = pull(t, l.client, n.marks); len(n.records) != 1 || n.records[0].Snapshot.ID != deal {
		t.Errorf("after it, %d deals", len(n.records))
	}
}

// TestNeededProperties: of the properties that a portal has, those are read that something depends on.
// https://github.com/turbot/steampipe-plugin-hubspot/issues/33
func TestNeededProperties(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	setUp(t, l)
	if err := l.createProperty(t, crm.FieldSpec{Name: "needless", Label: "Needless", Type: crm.Text}); err != nil {
		t.Fatal(err)
	}
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	if err := l.fixture(t).AddNote(n.records[0].Snapshot.ID, "They go live on 9 November."); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	pull(t, l.client, n.marks)
	log, err := l.call(t, http.MethodGet, "/_sandbox/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	needed := 0
	for line := range strings.Lines(string(log)) {
		asked, _, _ := strings.Cut(line, `"status":`)
		if !strings.Contains(asked, `"path":"/crm/objects/`) {
			continue
		}
		if strings.Contains(asked, "handoff_score") {
			needed++
		}
		if strings.Contains(asked, "needless") {
			t.Errorf("asked for: %s", asked)
		}
	}
	if needed < 2 {
		t.Errorf("%d calls ask for what is needed", needed)
	}
}

// TestVersionsAgree: an older version of the API tells the same of deals, and takes the same, as the one in use.
func TestVersionsAgree(t *testing.T) {
	var hashes [][]string
	for _, version := range []string{hubspot.DefaultAPIVersion, "2026-03"} {
		l := newLab(t, deals.Demo()[:4], func(c *hubspot.Config) { c.APIVersion = version })
		setUp(t, l)
		var all []string
		for _, r := range pull(t, l.client, nil).records {
			all = append(all, r.Snapshot.Hash())
			outcomes, err := l.client.Write(t.Context(), []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: r.Snapshot.ID}, Values: crm.Values{"score": "7"}}})
			if err != nil || outcomes[0].Err != nil {
				t.Errorf("%s: %v, %v", version, outcomes, err)
			}
			values, err := l.client.ReadValues(t.Context(), crm.DealObject, []string{r.Snapshot.ID})
			if err != nil || values[r.Snapshot.ID]["score"] != "7" {
				t.Errorf("%s: %v, %v", version, values, err)
			}
		}
		hashes = append(hashes, all)
	}
	if len(hashes[0]) != 4 || !slices.Equal(hashes[0], hashes[1]) {
		t.Errorf("deals: %v", hashes)
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
