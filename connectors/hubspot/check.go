package hubspot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

const opCheck = "check the portal"

// Unusable implements connectors.Inspector.
func (c *Client) Unusable(ctx context.Context) ([]connectors.Finding, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	found := c.unusable(s)
	if s.closed == nil {
		return found, nil
	}
	for _, f := range s.own[crm.AccountObject] {
		found = append(found, connectors.Finding{Severity: connectors.Problem, Place: companies + "." + f.property, Field: f.Name,
			Text: "the service key may not read companies, so deals have no account, and no company gets its health", Remedy: s.closed.Remedy})
	}
	return found, nil
}

// Check implements connectors.Inspector.
func (c *Client) Check(ctx context.Context) (connectors.Checkup, error) {
	k := &checking{Client: c}
	opened := k.account(ctx)
	k.lifetime()
	if opened {
		k.quota(ctx)
		k.scopes(ctx)
		k.portal(ctx)
	}
	return k.found, ctx.Err()
}

// checking is one Check under way.
type checking struct {
	*Client
	found connectors.Checkup
}

func (k *checking) add(severity connectors.Severity, place, text, remedy string) {
	k.found.Findings = append(k.found.Findings, connectors.Finding{Severity: severity, Place: place, Text: text, Remedy: remedy})
}

// fail adds what an error says; place stands in where it names no key of the configuration.
func (k *checking) fail(severity connectors.Severity, place string, err error) {
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) { // ctx ended
		return
	}
	text := e.Message
	if text == "" && e.Err != nil {
		text = e.Err.Error()
	}
	switch {
	case e.Code == expiredToken:
		text = "HubSpot says that the token has expired"
	case e.Status == http.StatusUnauthorized:
		text = "HubSpot does not accept the token"
	case e.Status == 0 && e.Setting == "url":
		text = "HubSpot does not answer: " + text
	case e.Setting != "url" && e.Setting != "api_version":
		text = fmt.Sprintf("HubSpot refuses to %s: %s", e.Op, text)
	}
	k.add(severity, cmp.Or(e.Setting, place), text, cmp.Or(e.Remedy, "Try again in a few minutes; https://status.hubspot.com tells of disturbances"))
}

// account finds out whether the portal lets us in, which one it is, and what time it is there. It reports whether there is
// anything more to look at.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
func (k *checking) account(ctx context.Context) bool {
	var portal struct {
		ID   text `json:"portalId"`
		Type text `json:"accountType"`
		Zone text `json:"timeZone"`
	}
	var answered time.Time
	err := k.send(ctx, call{op: "read the account", method: http.MethodGet, path: k.accountDetails(), repeatable: true}, func(header http.Header, body []byte) error {
		k.found.Quota = readQuota(header)
		answered, _ = http.ParseTime(header.Get("Date")) // a proxy may take it away
		if err := json.Unmarshal(body, &portal, lenient); err != nil {
			return connectors.Garbled(crmName, opCheck, err)
		}
		return nil
	})
	switch {
	case forbidden(err) != nil: // the rest may be open all the same
		k.add(connectors.Warning, "token", "HubSpot does not tell the service key which account it belongs to, so that two connections to one account go unnoticed", forbidden(err).Remedy)
	case err != nil:
		k.fail(connectors.Problem, "url", err)
		return false
	default:
		k.found.Account = string(portal.ID)
		k.add(connectors.Fine, "token", fmt.Sprintf("opens portal %s (%s, time zone %s)", portal.ID, strings.ToLower(strings.ReplaceAll(string(portal.Type), "_", " ")), portal.Zone), "")
		k.clock(answered)
	}
	return true
}

// clock compares our clock with HubSpot's.
func (k *checking) clock(answered time.Time) {
	if answered.IsZero() {
		k.add(connectors.Problem, "url", "the answers do not say when they were given", "Let the proxy before HubSpot pass the Date header")
		return
	}
	k.found.Findings = append(k.found.Findings, connectors.Skew(crmName, k.cfg.Now(), answered))
}

// lifetime says how long HubSpot supports the version of its API that we use.
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
func (k *checking) lifetime() {
	const support, notice = 18, 6 // months
	version := k.cfg.APIVersion
	released, err := time.Parse(apiVersionForm, version)
	if err != nil { // New has read it
		return
	}
	end := released.AddDate(0, support, 0)
	remedy := "Install a newer handoff"
	if version != DefaultAPIVersion {
		remedy = "Leave api_version out, so that it is " + DefaultAPIVersion
	}
	month := end.Format("January 2006")
	switch now := k.cfg.Now(); {
	case !now.Before(end):
		k.add(connectors.Problem, "api_version", fmt.Sprintf("HubSpot has not supported version %s of its API since %s", version, month), remedy)
	case !now.Before(end.AddDate(0, -notice, 0)):
		k.add(connectors.Warning, "api_version", fmt.Sprintf("HubSpot supports version %s of its API only until %s", version, month), remedy)
	default:
		k.add(connectors.Fine, "api_version", fmt.Sprintf("HubSpot supports version %s of its API until %s", version, month), "")
	}
}

// readQuota reads the headers that tell of the account's calls of the day. Searches, and calls by OAuth, carry none.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func readQuota(header http.Header) connectors.Quota {
	limit, err := strconv.Atoi(header.Get("X-HubSpot-RateLimit-Daily"))
	left, err2 := strconv.Atoi(header.Get("X-HubSpot-RateLimit-Daily-Remaining"))
	if err != nil || err2 != nil {
		return connectors.Quota{}
	}
	return connectors.Quota{Used: limit - left, Limit: limit}
}

// quota says how much of the day's calls is used. Where no header told, HubSpot is asked; where it does not say, neither do we.
func (k *checking) quota(ctx context.Context) {
	if k.found.Quota.Limit == 0 {
		type usage struct {
			Limit int `json:"usageLimit"`
			Used  int `json:"currentUsage"`
		}
		path := "/account-info/" + k.cfg.APIVersion + "/api-usage/daily/private-apps"
		p, err := fetch[usage](ctx, k.Client, call{op: "read the calls of the day", method: http.MethodGet, path: path, repeatable: true})
		if err != nil || len(p.Results) == 0 {
			return
		}
		k.found.Quota = connectors.Quota{Used: p.Results[0].Used, Limit: p.Results[0].Limit}
	}
	if q := k.found.Quota; q.Limit > 0 {
		k.found.Findings = append(k.found.Findings, q.Finding(fmt.Sprintf("%d of the account's %d API calls of today are used", q.Used, q.Limit), seeQuota))
	}
}

// portal looks at what describes the portal: our properties, and what the configuration names.
func (k *checking) portal(ctx context.Context) {
	s, err := k.survey(ctx)
	if err != nil {
		lacking := func(f connectors.Finding) bool { return f.Severity == connectors.Problem && f.Place == "token" }
		if forbidden(err) == nil || !slices.ContainsFunc(k.found.Findings, lacking) { // else told among the scopes
			k.fail(connectors.Problem, deals, err)
		}
		return
	}
	k.properties(ctx, s)
	for _, e := range s.unmet {
		k.add(connectors.Problem, e.Setting, e.Message, e.Remedy)
	}
	if len(s.unmet) == 0 {
		k.add(connectors.Fine, "fields", fmt.Sprintf("%d facts of a deal have a property to be read from", len(s.facts)), "")
	}
	k.mirrored(ctx, s)
}

// properties adds what is wrong with those of our fields.
func (k *checking) properties(ctx context.Context, s *schema) {
	unusable := k.unusable(s)
	if s.hidden != nil { // told among the scopes
		unusable = slices.DeleteFunc(unusable, func(f connectors.Finding) bool { return strings.HasPrefix(f.Place, companies+".") })
	}
	archived := map[string]bool{}
	for _, kind := range []string{deals, companies} {
		lacking := func(f connectors.Finding) bool {
			_, exists := s.properties[kind][strings.TrimPrefix(f.Place, kind+".")]
			return strings.HasPrefix(f.Place, kind+".") && !exists
		}
		if !slices.ContainsFunc(unusable, lacking) {
			continue
		}
		p, err := fetch[property](ctx, k.Client, call{op: opCheck, method: http.MethodGet, path: k.api("properties", kind), query: url.Values{"archived": {"true"}}, repeatable: true})
		if err != nil {
			k.fail(connectors.Warning, kind, err)
			continue
		}
		for _, found := range p.Results {
			archived[kind+"."+found.Name] = true
		}
		k.mayDefine(ctx, kind)
	}
	for _, f := range unusable {
		if archived[f.Place] {
			f.Text, f.Remedy = "the property is archived", "Restore it under Settings > Properties, tab Archived properties, or run `handoff setup --apply`"
		}
		k.found.Findings = append(k.found.Findings, f)
	}
	if len(s.own[crm.DealObject]) > 0 {
		k.add(connectors.Fine, deals, fmt.Sprintf("%d of our %d properties hold what we write", len(s.own[crm.DealObject]), len(k.specs[crm.DealObject])), "")
		k.add(connectors.Fine, deals, "everyone who sees a deal sees its scores; on an Enterprise plan, Settings > Properties can keep them from AEs", "")
	}
}

// mirrored counts the won deals that HubSpot's sync with Salesforce keeps.
func (k *checking) mirrored(ctx context.Context, s *schema) {
	const opportunity = "hs_salesforceopportunityid"
	if _, synced := s.properties[deals][opportunity]; !synced {
		return
	}
	won := group{{Property: isWon, Operator: "EQ", Value: "true"}, {Property: opportunity, Operator: "HAS_PROPERTY"}}
	p, err := k.next(ctx, &search{op: "count the deals that come from Salesforce", object: deals, groups: []group{won}})
	if err != nil {
		if forbidden(err) == nil {
			k.fail(connectors.Warning, deals, err)
		}
		return
	}
	if p.Total > 0 {
		k.found.Mirrored = map[string]int{"salesforce": p.Total}
	}
}
