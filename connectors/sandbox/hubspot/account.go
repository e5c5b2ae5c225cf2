package hubspot

import (
	"net/http"
	"time"
)

// portalID is the number of the portal, which its pages' addresses hold.
const portalID = 48120917

// timeZone is where the portal's days begin.
var timeZone = time.UTC

// accountRoutes adds the routes that tell of the portal itself. Every token may call them.
// https://developers.hubspot.com/docs/api-reference/account-account-info-v3/guide
func (p *Portal) accountRoutes(mux *http.ServeMux, v version) {
	path := v.path("account-info")
	p.handle(mux, v, "GET "+path+"/details", p.getAccount)
	p.handle(mux, v, "GET "+path+"/api-usage/daily/private-apps", p.getUsage)
}

type account struct {
	PortalID              int      `json:"portalId"`
	AccountType           string   `json:"accountType"`
	TimeZone              string   `json:"timeZone"`
	CompanyCurrency       string   `json:"companyCurrency"`
	AdditionalCurrencies  []string `json:"additionalCurrencies"`
	UTCOffset             string   `json:"utcOffset"`
	UTCOffsetMilliseconds int      `json:"utcOffsetMilliseconds"`
	UIDomain              string   `json:"uiDomain"`
	DataHostingLocation   string   `json:"dataHostingLocation"`
}

func (p *Portal) getAccount(*request) (int, any, error) {
	now := p.now().In(timeZone)
	_, offset := now.Zone()
	return http.StatusOK, account{PortalID: portalID, AccountType: "SANDBOX", TimeZone: timeZone.String(), CompanyCurrency: "USD",
		AdditionalCurrencies: []string{}, UTCOffset: now.Format("-07:00"), UTCOffsetMilliseconds: offset * 1000,
		UIDomain: "app.hubspot.com", DataHostingLocation: "na1"}, nil
}

type usage struct {
	Name         string `json:"name"`
	UsageLimit   int    `json:"usageLimit"`
	CurrentUsage int    `json:"currentUsage"`
	CollectedAt  string `json:"collectedAt"`
	FetchStatus  string `json:"fetchStatus"`
	ResetsAt     string `json:"resetsAt"`
}

// getUsage answers with the calls of today, this one included.
func (p *Portal) getUsage(*request) (int, any, error) {
	now := p.now().In(timeZone)
	p.limits.mu.Lock()
	today := p.limits.today
	p.limits.mu.Unlock()
	midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, timeZone)
	return http.StatusOK, map[string][]usage{"results": {{Name: "private-apps-api-calls-daily", UsageLimit: callsPerDay, CurrentUsage: today,
		CollectedAt: moment(now), FetchStatus: "SUCCESS", ResetsAt: moment(midnight)}}}, nil
}
