package salesforce

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/simpleforce/simpleforce"

	"handoff/connectors"
)

const opLogin = "log in"

// loginPause is how long nothing is sent after Salesforce refused a login, or a session that it had just given, unless
// another pull begins. All that a run has under way ends in it.
const loginPause = time.Minute

// assertionLife is how long a signed login holds. Salesforce wants minutes; so much may the clocks differ.
const assertionLife = 3 * time.Minute

// endings say of the logins that Salesforce takes away when.
// https://help.salesforce.com/s/articleView?id=005132110
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_disable_username_password_flow.htm
var endings = map[string]string{
	Password: "Salesforce is taking username-password login away: orgs made since Summer '23 block it, and it is expected to end everywhere in February 2027",
	SOAP:     "SOAP login ends with Salesforce's Summer '27 release (June 2027)",
}

const insteadOfEnding = `Move to an External Client App, with auth = "client_credentials" or "jwt"`

func (c *Client) authenticate(ctx context.Context) (session, error) {
	if ending := endings[c.cfg.Auth]; ending != "" {
		c.log.WarnContext(ctx, ending+". "+insteadOfEnding)
	}
	if c.cfg.Auth == SOAP {
		return c.authenticateSOAP(ctx)
	}
	form, err := c.grant()
	if err != nil {
		return session{}, err
	}
	resp, err := c.rest.R().SetContext(ctx).SetFormData(form).Post(c.cfg.URL + "/services/oauth2/token")
	if err != nil {
		return session{}, connectors.Unreachable(ctx, crmName, opLogin, err)
	}
	if !resp.IsSuccess() {
		refused := refusal(opLogin, resp.StatusCode(), resp.Header(), resp.Body())
		c.blameLogin(refused)
		return session{}, refused
	}
	var token struct {
		AccessToken string `json:"access_token"`
		InstanceURL string `json:"instance_url"`
		ID          string `json:"id"` // …/id/<org>/<user>
	}
	if err := json.Unmarshal(resp.Body(), &token, lenient); err != nil || token.AccessToken == "" || token.InstanceURL == "" {
		// The cause may quote the answer, which holds the token.
		return session{}, connectors.Garbled(crmName, opLogin, errors.New("no token in it"))
	}
	return session{token.AccessToken, strings.TrimRight(token.InstanceURL, "/"), path.Base(token.ID), path.Base(path.Dir(token.ID))}, nil
}

// grant is the form of an OAuth login.
func (c *Client) grant() (map[string]string, error) {
	if c.cfg.Auth == JWT {
		// aud must be text, which jwt.RegisteredClaims does not make of it.
		// https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
		claims := jwt.MapClaims{"iss": c.cfg.ClientID, "sub": c.cfg.Username, "aud": audience(c.cfg.URL), "exp": c.cfg.Now().Add(assertionLife).Unix()}
		assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(c.key)
		if err != nil {
			return nil, fmt.Errorf("salesforce: sign the login: %w", err)
		}
		return map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}, nil
	}
	form := map[string]string{"grant_type": "client_credentials", "client_id": c.cfg.ClientID, "client_secret": c.cfg.ClientSecret}
	if c.cfg.Auth == Password {
		form["grant_type"], form["username"], form["password"] = "password", c.cfg.Username, c.cfg.Password
	}
	return form, nil
}

// audience is whom a signed login is for: where people log in to the org that has this My Domain address. An org on this
// machine is a sandbox.
// https://help.salesforce.com/s/articleView?id=sf.domain_name_url_formats.htm
func audience(myDomain string) string {
	u, err := url.Parse(myDomain)
	if err != nil { // New has read it
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if strings.HasSuffix(host, ".salesforce.com") && !strings.Contains(host, ".sandbox.") && !strings.Contains(host, ".scratch.") {
		return "https://login.salesforce.com"
	}
	return "https://test.salesforce.com"
}

// blameLogin says of a refused login which key of the configuration to look at, and what to do: Salesforce has one code for
// many causes.
func (c *Client) blameLogin(refused *connectors.Error) {
	clock := connectors.Skew(crmName, c.cfg.Now(), c.orgTime())
	says := func(words string) bool { return strings.Contains(refused.Message, words) }
	blame := func(setting, remedy string) { refused.Setting, refused.Remedy = setting, remedy }
	switch {
	case refused.Status == http.StatusNotFound:
		blame("url", "Nobody logs in at this address: set url to the org's My Domain address, which Setup > My Domain shows")
	case refused.Code != "invalid_grant":
	case says("no client credentials user"):
		refused.Remedy = "Set a run-as user: " + seeApp + "Policies > OAuth Policies > Client Credentials Flow"
	case c.cfg.Auth == Password:
		blame("password", verdicts["INVALID_LOGIN"].remedy)
	case c.cfg.Auth != JWT:
	case says("audience"):
		refused.Message += " (" + audience(c.cfg.URL) + ")"
		blame("url", "Set url to the org's My Domain address, which Setup > My Domain shows: it tells whether the org is a sandbox")
	case says("approved"):
		blame("username", "Correct the user name, or let the user use the app without being asked: "+seeApp+"Policies > Permitted Users = \"Admin approved users are pre-authorized\", "+
			"a profile or permission set of the user below it, and the scope refresh_token, offline_access under Settings")
	case clock.Severity != connectors.Fine:
		refused.Message += ": " + clock.Text
		blame("", clock.Remedy+", and so is a signed login, which holds for three minutes")
	case says("assertion"):
		blame("private_key", "Upload the certificate of this key to the app: "+seeApp+"Settings > OAuth Settings > Enable JWT Bearer Flow")
	default:
		blame("username", "Look at the user under Setup > Users: it must be active and not locked, and the app's policies must let it in")
	}
}

func (c *Client) authenticateSOAP(ctx context.Context) (session, error) {
	hush()
	t := &trip{ctx: ctx, op: opLogin, next: c.transport}
	sf := simpleforce.NewClient(c.cfg.URL, "handoff", c.cfg.APIVersion)
	sf.SetHttpClient(t.client())
	// simpleforce escapes the password, but not the user name.
	if err := t.result(sf.LoginPassword(html.EscapeString(c.cfg.Username), c.cfg.Password, "")); err != nil {
		if e := t.failed; e != nil && faulted(e) {
			e.Class, e.Remedy = connectors.ErrConfig, "Setup > Users > the integration user > Login History says more"
		}
		return session{}, err
	}
	if sf.GetSid() == "" {
		return session{}, connectors.Garbled(crmName, opLogin, errors.New("no session in it"))
	}
	org, _, ok := strings.Cut(sf.GetSid(), "!") // a session's id begins with its org's
	if !ok {
		org = ""
	}
	return session{token: sf.GetSid(), instance: sf.GetLoc(), org: org}, nil
}

// faulted reports whether SOAP refuses a login with a code that verdicts lack. It does so with the status of a trouble of its
// own, but another try would be one more bad login, of which a few lock the user out.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm
func faulted(e *connectors.Error) bool {
	switch e.Code {
	case "", "Server", "REQUEST_LIMIT_EXCEEDED": // no fault, SOAP's own for a trouble of the server, and too many calls at once
		return false
	}
	_, known := verdicts[e.Code]
	return !known && errors.Is(e, connectors.ErrRetry)
}
