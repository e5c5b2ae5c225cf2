package hubspot_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
)

// check returns what is not in order, a line each, and the whole.
func check(t *testing.T, c *hubspot.Client) ([]string, connectors.Checkup) {
	t.Helper()
	found, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var trouble []string
	for _, f := range found.Findings {
		if f.Severity != connectors.Fine {
			trouble = append(trouble, fmt.Sprintf("%s %s: %s. %s", map[connectors.Severity]string{connectors.Warning: "!", connectors.Problem: "✗"}[f.Severity], f.Place, f.Text, f.Remedy))
		}
	}
	return trouble, found
}

func (l *lab) must(t *testing.T, method, path string, body any) {
	t.Helper()
	if _, err := l.call(t, method, path, body); err != nil {
		t.Fatal(err)
	}
}

const addScope = "Add it to the service key, under Development > Keys > Service keys"

func TestCheckInOrder(t *testing.T) {
	l := newLab(t, deals.Demo()[:4])
	setUp(t, l)
	trouble, found := check(t, l.client)
	if len(trouble) > 0 || found.Account != "48120917" || found.Mirrored != nil {
		t.Errorf("account %q, mirrored %v, %v", found.Account, found.Mirrored, trouble)
	}
	var places []string
	for _, f := range found.Findings {
		places = append(places, f.Place)
	}
	want := []string{"token", "clock", "api_version", "API calls", "token", "deals", "deals", "fields"}
	if diff := cmp.Diff(want, places); diff != "" {
		t.Errorf("places, -want +got:\n%s", diff)
	}
}

// TestCheckScopes: a scope that is missing is named once, with all that it costs; the rest is looked at all the same.
func TestCheckScopes(t *testing.T) {
	for _, tc := range []struct {
		scopes []string
		want   []string
	}{
		{[]string{"crm.objects.deals.read"}, []string{"✗ token: the scope crm.objects.deals.read is missing: no deal can be read. " + addScope}},
		{[]string{"crm.objects.deals.write"}, []string{"✗ token: the scope crm.objects.deals.write is missing: nothing can be written to deals. " + addScope}},
		{[]string{"crm.objects.contacts.read"}, []string{"✗ token: the scope crm.objects.contacts.read is missing: contacts, notes, calls, meetings, tasks and emails are not read; " +
			"a deal that they might say something about gets no total, rating or flag. " + addScope}},
		{[]string{"sales-email-read"}, []string{"✗ token: the scope sales-email-read is missing: emails are not read; a deal that they might say something about gets no total, rating or flag. " + addScope}},
		{[]string{"crm.objects.owners.read"}, []string{"✗ token: the scope crm.objects.owners.read is missing: owners and CSMs have no name, and most deals get no total, rating or flag. " + addScope}},
		{[]string{"crm.objects.companies.read"}, []string{"✗ token: the scope crm.objects.companies.read is missing: deals have no account, Handoff Health is not written to it, " +
			"and a deal whose facts may be kept there gets no total, rating or flag. " + addScope}},
		{[]string{"crm.objects.companies.write"}, []string{"✗ token: the scope crm.objects.companies.write is missing: Handoff Health cannot be written to companies. " + addScope}},
		{[]string{"crm.schemas.deals.write", "crm.schemas.companies.write"}, nil}, // everything is set up
		{[]string{"crm.objects.deals.write", "crm.objects.owners.read"}, []string{
			"✗ token: the scope crm.objects.deals.write is missing: nothing can be written to deals. " + addScope,
			"✗ token: the scope crm.objects.owners.read is missing: owners and CSMs have no name, and most deals get no total, rating or flag. " + addScope}},
	} {
		t.Run(strings.Join(tc.scopes, " "), func(t *testing.T) {
			l := newLab(t, deals.Demo()[:1])
			setUp(t, l)
			for _, scope := range tc.scopes {
				l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": scope})
			}
			trouble, _ := check(t, l.client)
			if diff := cmp.Diff(tc.want, trouble); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCheckChangesNothing: probing whether something may be written writes nothing.
func TestCheckChangesNothing(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	check(t, l.client) // creating properties is probed, too: there are none of ours
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	check(t, l.client)
	if again := pull(t, l.client, n.marks); len(again.records) != 0 || len(again.left) != 0 {
		t.Errorf("a check is news of %d deals", len(again.records))
	}
	if left, err := l.client.Plan(t.Context(), connectors.SetupOptions{}); err != nil || len(left.Steps) != 10 {
		t.Errorf("%d steps are left, %v", len(left.Steps), err)
	}
}

func TestCheckProperties(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	setUp(t, l)
	const path = "/crm/properties/2026-09/deals"
	l.must(t, http.MethodDelete, path+"/handoff_gaps", nil)
	l.must(t, http.MethodPatch, path+"/handoff_health", map[string]any{"options": []any{
		map[string]any{"label": "Green", "value": "Green", "displayOrder": 0, "hidden": false}, map[string]any{"label": "Red", "value": "Red", "displayOrder": 1, "hidden": true}}})
	l.must(t, http.MethodDelete, path+"/handoff_score", nil)
	l.must(t, http.MethodPost, path, map[string]any{"name": "handoff_score", "label": "Score", "groupName": "handoff", "type": "string", "fieldType": "text"})
	want := []string{
		"✗ deals.handoff_score: the property's type is single-line text (string/text), and has to be number (number/number). " +
			"Change its field type under Settings > Properties, or name another property under handoff_fields.score; `handoff setup --apply` creates it",
		"✗ deals.handoff_health: the property lacks the option Yellow, and the property hides the option Red. " +
			"Under Settings > Properties, edit the options of handoff_health: add what is missing, with the same words as label and as internal value, and show what is hidden",
		"✗ deals.handoff_gaps: the property is archived. Restore it under Settings > Properties, tab Archived properties, or run `handoff setup --apply`",
	}
	trouble, _ := check(t, l.client)
	if diff := cmp.Diff(want, trouble); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	n := pull(t, l.client, nil)
	for _, name := range []string{"score", "health", "gaps"} {
		if v, ok := n.records[0].Values[name]; ok {
			t.Errorf("%s, which cannot hold what we write, is read as %q", name, v)
		}
	}
	for _, scope := range []string{"crm.schemas.deals.write", "crm.objects.companies.read"} {
		l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": scope})
	}
	trouble, _ = check(t, l.client)
	if text := strings.Join(trouble, "\n"); !strings.Contains(text, "! token: the scope crm.schemas.deals.write is missing: `handoff setup` cannot create what deals lack. "+addScope) {
		t.Errorf("nobody can create what is missing, and nobody is told:\n%s", text)
	}
}

// TestCheckMapping: everything that the configuration names and the portal lacks is told, at its key.
func TestCheckMapping(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], func(c *hubspot.Config) {
		c.Fields = map[string]string{"use_case": "no_such", "csm": "company.nobody"}
		c.Pipelines, c.DealTypes = []string{"Renewals", "New business"}, []string{"upsell"}
	})
	setUp(t, l)
	const where = "Correct its internal name: under Settings > Properties, click the property, then the </> beside its label"
	want := []string{
		"✗ fields.csm: there is no property company.nobody, which the configuration names for csm. " + where,
		"✗ fields.use_case: there is no property no_such, which the configuration names for use_case. " + where,
		`✗ pipelines: there is no pipeline "Renewals", which the configuration names. The portal has: Sales Pipeline, New business`,
		`✗ deal_types: there is no deal type "upsell", which the configuration names. The portal has: newbusiness, existingbusiness`,
	}
	trouble, _ := check(t, l.client)
	if diff := cmp.Diff(want, trouble); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCheckLifetimeAndClock(t *testing.T) {
	for _, tc := range []struct {
		name, version string
		now           time.Time
		want          string
	}{
		{"new", "2026-09", time.Date(2027, 8, 31, 23, 0, 0, 0, time.UTC), ""},
		{"six months are left", "2026-09", time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC),
			"! api_version: HubSpot supports version 2026-09 of its API only until March 2028. Install a newer handoff"},
		{"over", "2026-09", time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC),
			"✗ api_version: HubSpot has not supported version 2026-09 of its API since March 2028. Install a newer handoff"},
		{"an older one, by choice", "2026-03", time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC),
			"! api_version: HubSpot supports version 2026-03 of its API only until September 2027. Leave api_version out, so that it is 2026-09"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:1], func(c *hubspot.Config) { c.APIVersion = tc.version })
			l.clock.Advance(tc.now.Sub(l.clock.Now()))
			setUp(t, l)
			if trouble, _ := check(t, l.client); strings.Join(trouble, "\n") != tc.want {
				t.Errorf("got  %v\nwant %s", trouble, tc.want)
			}
		})
	}
	for _, tc := range []struct {
		ahead time.Duration
		want  string
	}{
		{59 * time.Second, ""},
		{-59 * time.Second, ""},
		{3 * time.Minute, "! clock: this machine's clock is 3m0s ahead of HubSpot's. Let this machine set its clock over the network (NTP): due times are judged by it"},
		{-2 * time.Hour, "! clock: this machine's clock is 2h0m0s behind HubSpot's. Let this machine set its clock over the network (NTP): due times are judged by it"},
	} {
		t.Run(tc.ahead.String(), func(t *testing.T) {
			l := newLab(t, deals.Demo()[:1], func(c *hubspot.Config) {
				now := c.Now
				c.Now = func() time.Time { return now().Add(tc.ahead) }
			})
			setUp(t, l)
			if trouble, _ := check(t, l.client); strings.Join(trouble, "\n") != tc.want {
				t.Errorf("got  %v\nwant %s", trouble, tc.want)
			}
		})
	}
}

// TestCheckShutOut: where nothing more can be looked at, one problem says why, at the key that led there. A run says the same.
func TestCheckShutOut(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	for _, tc := range []struct {
		name   string
		change func(*hubspot.Config)
		check  string
		run    string
	}{
		{"wrong token", func(c *hubspot.Config) { c.Token = "wrong-token" },
			"✗ token: HubSpot does not accept the token. Correct the token, or create a new service key under Development > Keys > Service keys", "Correct the token"},
		{"version that HubSpot does not know", func(c *hubspot.Config) { c.APIVersion = "2025-03" },
			"✗ api_version: HubSpot does not know version 2025-03 of its API, which may have ended. Leave api_version out, so that it is 2026-09",
			"version 2025-03 of its API"},
		{"somebody else's server", func(c *hubspot.Config) { c.URL = elsewhere.URL },
			"✗ url: this is not the address of HubSpot's API. Set url to https://api.hubapi.com, or leave it out", "not the address of HubSpot's API"},
		{"redirect", func(c *hubspot.Config) { c.URL = elsewhere.URL + "/moved" },
			"✗ url: the address leads elsewhere, as a page for logging in does. Set url to https://api.hubapi.com, or leave it out", "the address leads elsewhere"},
		{"nobody there", func(c *hubspot.Config) { c.URL = "http://127.0.0.1:1" },
			"✗ url: HubSpot does not answer: connection refused by 127.0.0.1:1. Check the address, and that this machine reaches it: name resolution, proxy, firewall",
			"Check the address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:1], tc.change)
			trouble, found := check(t, l.client)
			trouble = slices.DeleteFunc(trouble, func(line string) bool { return strings.Contains(line, "has not supported") }) // told besides
			if diff := cmp.Diff([]string{tc.check}, trouble); diff != "" {
				t.Errorf("check, -want +got:\n%s", diff)
			}
			if found.Account != "" {
				t.Errorf("account %q", found.Account)
			}
			_, err := tryPull(t, l.client, nil)
			setting, _, _ := strings.Cut(strings.TrimPrefix(tc.check, "✗ "), ":")
			if e := asError(t, err); e.Setting != setting || !strings.Contains(e.Error(), tc.run) {
				t.Errorf("run: at %q: %v", e.Setting, e)
			}
		})
	}
}

// TestCheckMirrored counts the won deals that are copies of Salesforce's.
func TestCheckMirrored(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	f := l.fixture(t)
	for i, r := range pull(t, l.client, nil).records[:2] {
		if err := f.EditRecord(t, "deals", r.Snapshot.ID, map[string]any{"hs_salesforceopportunityid": fmt.Sprintf("006000000000%dAAA", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, found := check(t, l.client); !cmp.Equal(found.Mirrored, map[string]int{"salesforce": 2}) {
		t.Errorf("mirrored %v", found.Mirrored)
	}
}

func asError(t *testing.T, err error) *connectors.Error {
	t.Helper()
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) {
		t.Fatalf("no *connectors.Error: %v", err)
	}
	return e
}
