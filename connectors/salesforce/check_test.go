package salesforce_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	emulator "handoff/connectors/sandbox/salesforce"
	"handoff/crm"
)

// revoke takes a permission from the profile of the integration user.
func (l *lab) revoke(t *testing.T, permission string) {
	t.Helper()
	l.call(t, http.MethodPost, "/_sandbox/revoked", map[string]any{"permission": permission})
}

const lacksViewAll = "1 Opportunity: the integration user lacks View All on opportunities: "

func TestCheckFinds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*salesforce.Config)
		spoil  func(*testing.T, *lab)
		want   []string // severity, place and a part of the text of each finding that is not Fine
	}{
		{name: "a sound org"},
		{name: "wrong secret", change: func(c *salesforce.Config) { c.ClientSecret = "wrong" },
			want: []string{"2 client_secret: Salesforce: log in: "}},
		{name: "wrong client id", change: func(c *salesforce.Config) { c.ClientID = "wrong" },
			want: []string{"2 client_id: Salesforce: log in: "}},
		{name: "wrong password", change: func(c *salesforce.Config) {
			c.Auth, c.Username, c.Password = salesforce.Password, "revops@sandbox.example", "wrong"
		}, want: []string{"2 password: Salesforce: log in: ", "1 auth: Salesforce is taking username-password login away"}},
		{name: "SOAP", change: func(c *salesforce.Config) {
			c.Auth, c.Username, c.Password = salesforce.SOAP, "revops@sandbox.example", "sandbox-password"
		}, want: []string{"1 auth: SOAP login ends with Salesforce's Summer '27 release (June 2027)"}},
		{name: "JWT", change: byJWT},
		{name: "JWT of another key", change: func(c *salesforce.Config) { byJWT(c); c.PrivateKey = anotherKey(t) },
			want: []string{"2 private_key: Salesforce: log in: invalid assertion"}},
		{name: "JWT of another user", change: func(c *salesforce.Config) { byJWT(c); c.Username = "casey@sandbox.example" },
			want: []string{"2 username: Salesforce: log in: user hasn't approved this consumer"}},
		{name: "JWT of another app", change: func(c *salesforce.Config) { byJWT(c); c.ClientID = "other" },
			want: []string{"2 client_id: Salesforce: log in: client identifier invalid"}},
		{name: "JWT by a clock that is behind", change: func(c *salesforce.Config) { byJWT(c); c.Now = ahead(c.Now, -10*time.Minute) },
			want: []string{"2 Salesforce: Salesforce: log in: expired authorization code: this machine's clock is 10m0s behind Salesforce's", "1 clock: "}},
		{name: "unreachable", change: func(c *salesforce.Config) { c.URL = "http://127.0.0.1:1" },
			want: []string{"2 url: Salesforce: log in: "}},
		{name: "not Salesforce", change: func(c *salesforce.Config) { c.URL += "/elsewhere" },
			want: []string{"2 url: Salesforce: log in: "}},
		{name: "version that the org lacks", change: func(c *salesforce.Config) { c.APIVersion = "99.0" },
			want: []string{"2 api_version: the org does not know version 99.0 of the API; it has 31.0 to 68.0"}},
		{name: "versions and clock that are not told", spoil: func(t *testing.T, l *lab) {
			if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: "/services/data", Status: 503}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"1 api_version: neither the versions of the API nor the clocks are compared: "}},
		{name: "history that is not told for now", spoil: func(t *testing.T, l *lab) {
			if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: ".*/tooling/query", Status: 503}); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"1 Salesforce: no answer to whether the history of our fields is kept: "}},
		{name: "clock ahead", change: func(c *salesforce.Config) { c.Now = ahead(c.Now, 5*time.Minute) },
			want: []string{"1 clock: this machine's clock is 5m0s ahead of Salesforce's"}},
		{name: "clock behind", change: func(c *salesforce.Config) { c.Now = ahead(c.Now, -2*time.Minute) },
			want: []string{"1 clock: this machine's clock is 2m0s behind Salesforce's"}},
		{name: "clock nearly right", change: func(c *salesforce.Config) { c.Now = ahead(c.Now, 59*time.Second) }},
		{name: "mapping", change: func(c *salesforce.Config) {
			c.Fields = map[string]string{"use_case": "Usecase__c", "champion": "Champion__c"}
			c.Pipelines, c.DealTypes = []string{"Services"}, []string{"new business", "Gift"}
		}, want: []string{
			"2 fields.use_case: there is no field Usecase__c, which the configuration names for use_case",
			`2 pipelines: there is no record type "Services" of opportunities`,
			`2 deal_types: the field Type of opportunities has no value "Gift"`,
		}},
		{name: "no permission set", spoil: func(t *testing.T, l *lab) { l.unassign(t) }, want: each(connectors.Problem, "the field exists, but the integration user cannot see it")},
		{name: "opportunities hidden", spoil: func(t *testing.T, l *lab) { l.unassign(t); l.revoke(t, "Opportunity.read") },
			want: []string{"2 Opportunity: the integration user may not read opportunities: no deal can be read", "2 Account.Handoff_Health__c: the field exists"}},
		{name: "opportunities read-only", spoil: func(t *testing.T, l *lab) { l.limit(t); l.revoke(t, "Opportunity.edit") },
			want: []string{"2 Opportunity: the integration user may not edit opportunities: no score can be written", lacksViewAll}},
		{name: "accounts read-only", spoil: func(t *testing.T, l *lab) { l.limit(t); l.revoke(t, "Account.edit") },
			want: []string{"1 Account: the integration user may not edit accounts: the health of accounts is not written", lacksViewAll}},
		{name: "View All Data", spoil: func(t *testing.T, l *lab) {
			l.limit(t)
			for _, id := range l.ids(t, "SELECT Id FROM PermissionSet WHERE Name = 'Handoff_Integration'") {
				l.call(t, http.MethodPatch, "/services/data/v62.0/sobjects/PermissionSet/"+id, map[string]any{"PermissionsViewAllData": true})
			}
		}},
		{name: "notes hidden", spoil: func(t *testing.T, l *lab) { l.revoke(t, "Note.read") },
			want: []string{"2 Note: the integration user may not read classic notes: every item but 5.3 stays open"}},
		{name: "a feature off", spoil: func(t *testing.T, l *lab) { l.revoke(t, "EmailMessage.read") },
			want: []string{"1 EmailMessage: e-mails are not read: the feature is off in this org, or the integration user may not use it"}},
		{name: "tasks and contact roles hidden", spoil: func(t *testing.T, l *lab) {
			for _, id := range l.ids(t, "SELECT Id FROM PermissionSet WHERE Name = 'Handoff_Integration'") {
				l.call(t, http.MethodPatch, "/services/data/v62.0/sobjects/PermissionSet/"+id, map[string]any{"PermissionsActivitiesAccess": false})
			}
			l.revoke(t, "Task.read")
			l.revoke(t, "OpportunityContactRole.read")
		},
			want: []string{"2 OpportunityContactRole: the integration user may not read contact roles: items 2.1 to 2.4 and 5.1 stay open", "2 Task: the integration user may not read tasks and calls"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deals.Demo()[:1])
			l.setup(t, connectortest.Specs, "Opportunity Layout", "Account Layout")
			if tc.spoil != nil {
				tc.spoil(t, l)
			}
			cfg := l.cfg
			if tc.change != nil {
				tc.change(&cfg)
			}
			c, err := newClient(t, cfg).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range c.Findings {
				if f.Severity != connectors.Fine {
					got = append(got, fmt.Sprintf("%d %s: %s", f.Severity, f.Place, f.Text))
				}
				if f.Severity == connectors.Problem && f.Remedy == "" || strings.Contains(f.Text+f.Remedy, "wrong") {
					t.Errorf("no remedy, or a secret: %+v", f)
				}
			}
			if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// TestCheckIsRefused: where Salesforce refuses us from one of the calls on, the check says so, once.
func TestCheckIsRefused(t *testing.T) {
	for _, refused := range []connectortest.Fault{
		{Status: 401, Code: "INVALID_SESSION_ID"},
		{Status: 403, Code: "API_DISABLED_FOR_ORG"},
		{Status: 403, Code: "API_CURRENTLY_DISABLED"},
		{Status: 403, Code: "TXN_SECURITY_APEX_POLICY"},
	} {
		t.Run(refused.Code, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deals.Demo()[:1])
			l.setup(t, connectortest.Specs[:2])
			cfg := l.cfg
			cfg.Specs = slices.Concat(connectortest.Specs[:2], []crm.FieldSpec{{Object: crm.DealObject, Name: "missing", Type: crm.Number}}) // looked for among those that are hidden
			calls, _ := l.calls(t, func() {
				if _, err := newClient(t, cfg).Check(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			refused.Path = "/services/data/.+"
			for after := range calls - 1 { // but for the one that asks for the versions
				refused.After = after
				f := l.fixture(t)
				if err := f.AddFault(t, refused); err != nil {
					t.Fatal(err)
				}
				k, err := newClient(t, cfg).Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var told []string
				for _, f := range k.Findings {
					if f.Severity == connectors.Problem && strings.Contains(f.Text, refused.Code) {
						told = append(told, f.Text)
					}
				}
				if slices.Sort(told); len(told) == 0 || len(slices.Compact(slices.Clone(told))) != len(told) {
					t.Errorf("refused after %d calls, it says %q of %+v", after, told, k.Findings)
				}
				l.heal(t)
			}
		})
	}
}

func byJWT(c *salesforce.Config) {
	c.Auth, c.Username, c.PrivateKey = salesforce.JWT, "revops@sandbox.example", emulator.PrivateKey()
}

func anotherKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func ahead(now func() time.Time, by time.Duration) func() time.Time {
	return func() time.Time { return now().Add(by) }
}

// each is the same finding for each of Specs.
func each(severity connectors.Severity, text string) []string {
	var want []string
	for _, f := range connectortest.Specs {
		object := map[crm.Object]string{crm.DealObject: "Opportunity", crm.AccountObject: "Account"}[f.Object]
		want = append(want, fmt.Sprintf("%d %s.%s: %s", severity, object, "Handoff_"+title(f.Name)+"__c", text))
	}
	return want
}

// unassign takes our permission set from the integration user.
func (l *lab) unassign(t *testing.T) {
	t.Helper()
	for _, id := range l.ids(t, "SELECT Id FROM PermissionSetAssignment") {
		l.remove(t, "PermissionSetAssignment", id)
	}
}

// limit leaves the integration user what its profile lets it do with objects.
func (l *lab) limit(t *testing.T) {
	t.Helper()
	for _, id := range l.ids(t, "SELECT Id FROM ObjectPermissions") {
		l.remove(t, "ObjectPermissions", id)
	}
}

// title makes "Item_1_1" of "item_1_1".
func title(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "_")
}
