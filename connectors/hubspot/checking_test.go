package hubspot

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
)

// TestQuota: headers tell what is used of the day's calls; where there are none, the account does.
func TestQuota(t *testing.T) {
	for _, tc := range []struct {
		name           string
		daily, left    string // headers; "": none
		usage          string // results
		severity       connectors.Severity
		text           string // "": nothing is said
		asked, refused bool
	}{
		{"little", "1000", "200", "", connectors.Fine, "800 of the account's 1000 API calls of today are used", false, false},
		{"much", "1000", "199", "", connectors.Warning, "801 of the account's 1000 API calls of today are used", false, false},
		{"all", "1000", "0", "", connectors.Problem, "1000 of the account's 1000 API calls of today are used", false, false},
		{"no headers", "", "", `{"name":"private-apps-api-calls-daily","usageLimit":500,"currentUsage":450}`, connectors.Warning, "450 of the account's 500 API calls of today are used", true, false},
		{"nobody knows", "", "", "", connectors.Fine, "", true, false},
		{"nobody says", "", "", "", connectors.Fine, "", true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
				if tc.daily != "" {
					w.Header().Set("X-HubSpot-RateLimit-Daily", tc.daily)
					w.Header().Set("X-HubSpot-RateLimit-Daily-Remaining", tc.left)
				}
				switch {
				case strings.HasSuffix(r.URL.Path, "/details"):
					say(w, 200, `{"portalId":1,"accountType":"STANDARD","timeZone":"US/Eastern"}`)
				case tc.refused:
					say(w, 403, noScope)
				default:
					say(w, 200, `{"results":[`+tc.usage+`]}`)
				}
			})
			k := &checking{Client: s.client(t)}
			if !k.account(t.Context()) {
				t.Fatal("no account")
			}
			k.quota(t.Context())
			var found []connectors.Finding
			for _, f := range k.found.Findings {
				if f.Place == "API calls" {
					found = append(found, f)
				}
			}
			switch {
			case tc.text == "" && len(found) == 0:
			case len(found) != 1 || found[0].Severity != tc.severity || found[0].Text != tc.text || (found[0].Remedy == "") != (tc.severity == connectors.Fine):
				t.Errorf("found %+v", found)
			}
			if asked := strings.Contains(strings.Join(s.calls(), "\n"), "/account-info/2026-09/api-usage/daily/private-apps"); asked != tc.asked {
				t.Errorf("asked for the usage: %v", asked)
			}
		})
	}
}

// TestAccountRefused: what else there is can be looked at all the same, and no clock is blamed.
func TestAccountRefused(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasPrefix(r.URL.Path, "/account-info/") {
			say(w, 403, noScope)
			return
		}
		say(w, 200, `{"results":[]}`)
	})
	found, err := s.client(t).Check(t.Context())
	if err != nil || found.Account != "" {
		t.Errorf("account %q, %v", found.Account, err)
	}
	for i, f := range found.Findings {
		if f.Place == "clock" || (f.Severity == connectors.Fine) == (i == 0) {
			t.Errorf("found %+v", f)
		}
	}
	if len(found.Findings) < 4 {
		t.Errorf("nothing else is looked at: %+v", found.Findings)
	}
}

// TestProbesNameNoRecord: what tries whether something may be written or created names nothing to write or to create.
func TestProbesNameNoRecord(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) { say(w, 200, `{"results":[]}`) })
	if _, err := s.client(t, func(c *Config) { c.Specs = testSpecs }).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, asked := range s.calls() {
		if !strings.HasPrefix(asked, "GET ") && !strings.Contains(asked, "/search ") {
			sent = append(sent, asked)
		}
	}
	want := []string{
		`POST /crm/objects/2026-09/deals/batch/update {"inputs":[]}`, `POST /crm/objects/2026-09/companies/batch/update {"inputs":[]}`,
		`POST /crm/properties/2026-09/deals/batch/create {"inputs":[]}`, `POST /crm/properties/2026-09/companies/batch/create {"inputs":[]}`,
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCheckFailsHalfway: whatever HubSpot answers, a problem says what to do, and the check comes to its end.
func TestCheckFailsHalfway(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"down":    func(w http.ResponseWriter) { say(w, 503, "<html>") },
		"garbled": func(w http.ResponseWriter) { say(w, 200, "<html>") },
		"spent": func(w http.ResponseWriter) {
			say(w, 429, `{"message":"You have reached your daily limit.","policyName":"DAILY"}`)
		},
		"cut": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		for _, part := range []string{"/account-info/", "/crm/"} {
			t.Run(name+part, func(t *testing.T) {
				s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
					switch {
					case strings.HasPrefix(r.URL.Path, part):
						answer(w)
					case strings.HasSuffix(r.URL.Path, "/details"):
						say(w, 200, `{"portalId":1}`)
					default:
						say(w, 200, `{"results":[]}`)
					}
				})
				found, err := s.client(t).Check(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				bad := 0
				for _, f := range found.Findings {
					if f.Severity == connectors.Fine {
						continue
					}
					if bad++; f.Place == "" || f.Text == "" || f.Remedy == "" {
						t.Errorf("a finding does not say where, what and what to do: %+v", f)
					}
				}
				if bad == 0 {
					t.Error("nothing is wrong")
				}
			})
		}
	}
}
