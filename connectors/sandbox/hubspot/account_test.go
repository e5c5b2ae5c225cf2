package hubspot

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.portal.unlimited = false
	a.call("POST", dealRecords+"/search", "{}")
	for i, v := range []string{"v3", "2026-03", "2026-09"} {
		want := `{"portalId":48120917,"accountType":"SANDBOX","timeZone":"UTC","companyCurrency":"USD","additionalCurrencies":[],` +
			`"utcOffset":"+00:00","utcOffsetMilliseconds":0,"uiDomain":"app.hubspot.com","dataHostingLocation":"na1"}`
		w := a.call("GET", "/account-info/"+v+"/details", "")
		if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusOK || diff != "" {
			t.Errorf("%s: %d (-want +got):\n%s", v, w.Code, diff)
		}
		got := get[map[string][]usage](a, http.StatusOK, "GET", "/account-info/"+v+"/api-usage/daily/private-apps", "")
		used := map[string][]usage{"results": {{Name: "private-apps-api-calls-daily", UsageLimit: 650000, CurrentUsage: 2*i + 3,
			CollectedAt: "2026-11-20T12:00:00.000Z", FetchStatus: "SUCCESS", ResetsAt: "2026-11-21T00:00:00.000Z"}}}
		if diff := cmp.Diff(used, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v, diff)
		}
	}
	if got, want := a.call("GET", "/account-info/2026-09/details", "").Header().Get("X-HubSpot-RateLimit-Daily-Remaining"), "649992"; got != want {
		t.Errorf("remaining %s, want %s", got, want)
	}
}
