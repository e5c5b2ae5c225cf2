package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	const credentials = "401 INVALID_AUTHENTICATION Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
	const scopes = "403 MISSING_SCOPES This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
	tests := []struct{ name, token, method, path, body, want string }{
		{"no token", "", "GET", dealRecords, "", credentials},
		{"bad token", "pat-1", "GET", dealRecords, "", credentials},
		{"no route", Token, "GET", "/crm/v3/imports", "", "404  resource not found"},
		{"no such version", Token, "GET", "/crm/objects/2025-09/deals", "", "404  resource not found"},
		{"no such version to search", Token, "POST", "/crm/objects/2031-03/deals/search", `{"filterGroups":[]}`, "404  resource not found"},
		{"no such version of the account", Token, "GET", "/account-info/2031-03/details", "", "404  resource not found"},
		{"account without a token", "", "GET", "/account-info/v3/details", "", credentials},
		{"no such object", Token, "GET", "/crm/v3/objects/0-99", "", "400 VALIDATION_ERROR Unable to infer object type from: 0-99"},
		{"deals unscoped", TokenNoScope, "GET", dealRecords, "", scopes},
		{"search unscoped", TokenNoScope, "POST", "/crm/v3/objects/0-3/search", "{}", scopes},
		{"associations unscoped", TokenNoScope, "POST", dealsToContacts + "/batch/read", "{}", scopes},
		{"properties unscoped", TokenNoScope, "GET", dealProperties, "", scopes},
		{"pipelines unscoped", TokenNoScope, "GET", "/crm/v3/pipelines/deals", "", scopes},
		{"cut JSON", Token, "POST", dealRecords + "/search", "{\"filterGroups\":\n [", "400 VALIDATION_ERROR Invalid input JSON on line 2, column 3: unexpected EOF"},
		{"wrong type", Token, "POST", dealRecords + "/search", `{"limit":"ten"}`, "400 VALIDATION_ERROR Invalid input JSON on line 1, column 10: Cannot deserialize the value of /limit"},
		{"bad limit", Token, "GET", dealRecords + "?limit=101", "", `400 VALIDATION_ERROR Invalid limit "101": it must be a number from 1 to 100`},
		{"bad cursor", Token, "GET", dealRecords + "?after=x", "", `400 VALIDATION_ERROR Invalid paging cursor "x"`},
		{"no such deal", Token, "GET", dealRecords + "/" + nowhere, "", "404 OBJECT_NOT_FOUND Object not found.  objectId are usually numeric. (" + nowhere + ")"},
		{"contact among deals", Token, "GET", dealRecords + "/" + annID, "", "404 OBJECT_NOT_FOUND Object not found.  objectId are usually numeric. (" + annID + ")"},
		{"id of letters", Token, "PATCH", dealRecords + "/x", "{}", "404 OBJECT_NOT_FOUND Object not found.  objectId are usually numeric. (x)"},
		{"no such owner", Token, "GET", "/crm/v3/owners/1", "", "404 OBJECT_NOT_FOUND resource not found"},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.token = tt.token
			if got := a.refusal(tt.method, tt.path, tt.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/crm/v3/objects/deals", "/crm/v3/objects/0-3", "/crm/v3/objects/deal/", "/crm/objects/2026-03/deals", "/crm/objects/2026-09/0-3"} {
		if got := get[listing](a, http.StatusOK, "GET", path, ""); len(got.Results) != 3 {
			t.Errorf("%s: %d deals, want 3", path, len(got.Results))
		}
	}
}

func TestAddressTooLong(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.call("GET", dealRecords+"?properties="+strings.Repeat("dealname,", 2000), "")
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusRequestURITooLong || got != "text/html" {
		t.Errorf("got %d %s, want 414 text/html", w.Code, got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.portal.unlimited = false
	for i := range callsPerTenSeconds {
		if i == 100 {
			a.wait(5 * time.Second)
		}
		w := a.call("GET", "/crm/v3/owners", "")
		if w.Code != http.StatusOK {
			t.Fatalf("call %d: status %d", i+1, w.Code)
		}
		if i == 0 {
			for name, want := range map[string]string{"Max": "190", "Remaining": "189", "Interval-Milliseconds": "10000", "Daily": "650000", "Daily-Remaining": "649999"} {
				if got := w.Header().Get("X-HubSpot-RateLimit-" + name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		}
	}
	w := a.call("GET", "/crm/v3/owners", "")
	want := `"message":"You have reached your ten_secondly_rolling limit."`
	if got := w.Body.String(); w.Code != http.StatusTooManyRequests || !strings.Contains(got, want) || !strings.Contains(got, `"policyName":"TEN_SECONDLY_ROLLING"`) || strings.Contains(got, "category") {
		t.Errorf("got %d %s, want 429 with %s and without a category", w.Code, got, want)
	}
	a.wait(5 * time.Second) // the first hundred calls are over
	if got := a.call("GET", "/crm/v3/owners", "").Header().Get("X-HubSpot-RateLimit-Remaining"); got != "99" {
		t.Errorf("remaining %s, want 99", got)
	}
}

func TestSearchLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.portal.unlimited = false
	var w = a.call("POST", dealRecords+"/search", "{}")
	if got := w.Header().Get("X-HubSpot-RateLimit-Max"); got != "" {
		t.Errorf("a search says its limit: %s", got)
	}
	for range searchesPerSecond {
		w = a.call("POST", "/crm/v3/objects/contacts/search", "{}")
	}
	want := `"message":"You have reached your secondly limit.",`
	if got := w.Body.String(); w.Code != http.StatusTooManyRequests || !strings.Contains(got, want) || !strings.Contains(got, `"policyName":"SECONDLY"`) {
		t.Errorf("got %d %s, want 429 with %s", w.Code, got, want)
	}
	a.wait(time.Second)
	if w = a.call("POST", dealRecords+"/search", "{}"); w.Code != http.StatusOK {
		t.Errorf("a second later: status %d", w.Code)
	}
}

func TestDailyLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.portal.unlimited = false
	a.portal.limits.use(a.portal.now(), callsPerDay-1)
	last := a.call("GET", "/crm/v3/owners", "")
	if left := last.Header().Get("X-HubSpot-RateLimit-Daily-Remaining"); last.Code != http.StatusOK || left != "0" {
		t.Errorf("the last call: status %d, %s left", last.Code, left)
	}
	for method, path := range map[string]string{"GET": "/crm/v3/owners", "POST": dealRecords + "/search"} {
		if w := a.call(method, path, "{}"); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"policyName":"DAILY"`) {
			t.Errorf("%s %s, one too many: %d %s", method, path, w.Code, w.Body)
		}
	}
	a.wait(24 * time.Hour)
	if w := a.call("GET", "/crm/v3/owners", ""); w.Code != http.StatusOK {
		t.Errorf("on the next day: status %d", w.Code)
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if got, want := a.call("GET", dealRecords, "").Header().Get("Date"), "Fri, 20 Nov 2026 12:00:00 GMT"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
