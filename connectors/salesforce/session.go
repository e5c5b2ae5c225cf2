package salesforce

import (
	"context"
	"errors"
	"html"
	"net/http"
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/simpleforce/simpleforce"

	"handoff/connectors"
)

// session is a login that may have expired by now: Salesforce does not tell how long one lasts.
type session struct {
	token    string
	instance string // address of the org's instance, from the login's answer
	user     string // id of the integration user; "" after SOAP login
	org      string // id of the org; "": the login did not tell
}

const opLogin = "log in"

// session returns the current session, logging in if there is none. Callers at the same time share one login.
func (c *Client) session(ctx context.Context) (session, error) {
	select {
	case c.login <- struct{}{}:
		defer func() { <-c.login }()
	case <-ctx.Done():
		return session{}, connectors.Unreachable(ctx, crmName, opLogin, ctx.Err())
	}
	if c.current.token != "" {
		return c.current, nil
	}
	var err error
	c.current, err = c.authenticate(ctx)
	return c.current, err
}

// expire forgets a session that Salesforce refused, unless another caller has replaced it already.
func (c *Client) expire(s session) {
	c.login <- struct{}{}
	defer func() { <-c.login }()
	if c.current == s {
		c.current = session{}
	}
}

func (c *Client) authenticate(ctx context.Context) (session, error) {
	form := map[string]string{"client_id": c.cfg.ClientID, "client_secret": c.cfg.ClientSecret}
	switch c.cfg.Auth {
	case SOAP:
		return c.authenticateSOAP(ctx)
	case Password:
		form["grant_type"], form["username"], form["password"] = "password", c.cfg.Username, c.cfg.Password
	default:
		form["grant_type"] = "client_credentials"
	}
	resp, err := c.rest.R().SetContext(ctx).SetFormData(form).Post(c.cfg.URL + "/services/oauth2/token")
	if err != nil {
		return session{}, connectors.Unreachable(ctx, crmName, opLogin, err)
	}
	if !resp.IsSuccess() {
		refused := refusal(opLogin, resp.StatusCode(), resp.Header(), resp.Body())
		switch {
		case strings.Contains(refused.Message, "no client credentials user"):
			refused.Remedy = "Set a run-as user: " + seeApp + "Policies > OAuth Policies > Client Credentials Flow"
		case refused.Code == "invalid_grant" && c.cfg.Auth == Password:
			refused.Setting, refused.Remedy = "password", verdicts["INVALID_LOGIN"].remedy
		case resp.StatusCode() == http.StatusNotFound:
			refused.Setting, refused.Remedy = "url", "Nobody logs in at this address: set url to the org's My Domain address, which Setup > My Domain shows"
		}
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

func (c *Client) authenticateSOAP(ctx context.Context) (session, error) {
	c.log.WarnContext(ctx, "SOAP login ends with Salesforce's Summer '27 release (June 2027): move to an External Client App with client credentials")
	hush()
	t := &trip{ctx: ctx, op: opLogin, next: c.transport}
	sf := simpleforce.NewClient(c.cfg.URL, "handoff", c.cfg.APIVersion)
	sf.SetHttpClient(t.client())
	// simpleforce escapes the password, but not the user name.
	if err := t.result(sf.LoginPassword(html.EscapeString(c.cfg.Username), c.cfg.Password, "")); err != nil {
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

// me returns the id of the integration user.
func (c *Client) me(ctx context.Context) (string, error) {
	s, err := c.session(ctx)
	if err != nil || s.user != "" {
		return s.user, err
	}
	const op = "read the integration user"
	users := selection[struct {
		ID string `json:"Id"`
	}]{soql: selectFrom("User", []string{"Id"}, "Username = "+quote(c.cfg.Username), "LIMIT 1")}
	if _, err := c.read(ctx, op, &users); err != nil {
		return "", err
	}
	if users.err != nil {
		return "", users.err
	}
	if len(users.rows) == 0 {
		return "", &connectors.Error{Op: op, CRM: crmName, Class: connectors.ErrConfig, Message: "there is no user of that name that we may see",
			Setting: "username", Remedy: "Correct the user name, or grant the integration user the permission \"View All Users\""}
	}
	return users.rows[0].ID, nil
}

// call is one request to the REST API.
type call struct {
	op         string
	method     string
	path       string // from the root, such as "/services/data/v62.0/composite"
	body       []byte // nil: none
	repeatable bool   // sending it twice does no harm
}

// do sends a call until it succeeds or that is hopeless: temporary faults are waited out, an expired session is replaced
// once. accept reads the answer; what it returns counts like an error of the call itself.
func (c *Client) do(ctx context.Context, r call, accept func(header http.Header, body []byte) error) error {
	return c.blameVersion(ctx, r.op, c.send(ctx, r, c.throughSimpleforce, accept))
}

// blob gets a body as it is stored. Blobs cannot be part of a composite, and simpleforce could only save them to a file.
func (c *Client) blob(ctx context.Context, op, path string) (string, error) {
	var text string
	err := c.send(ctx, call{op: op, method: http.MethodGet, path: path, repeatable: true}, c.throughResty, func(_ http.Header, body []byte) error {
		text = string(body)
		return nil
	})
	return text, err
}

// carrier sends one call once.
type carrier func(ctx context.Context, s session, r call) (http.Header, []byte, error)

func (c *Client) send(ctx context.Context, r call, carry carrier, accept func(http.Header, []byte) error) error {
	sent, refreshed := false, false
	again := func(err error) bool { return temporary(err) && (r.repeatable || !sent || undone(err)) }
	return connectors.Retry(ctx, c.sleep, connectors.Pause, again, func() error {
		s, err := c.session(ctx)
		if err != nil {
			return err
		}
		sent = true
		header, body, err := carry(ctx, s, r)
		if expired(err) && !refreshed {
			refreshed = true
			c.expire(s)
			if s, err = c.session(ctx); err != nil {
				return err
			}
			header, body, err = carry(ctx, s, r)
		}
		if err != nil {
			return err
		}
		return accept(header, body)
	})
}

// expired reports whether a new session may help. One that "is not valid for use with the REST API" never will be.
// https://github.com/jsforce/jsforce/issues/1774
func expired(err error) bool {
	e := (*connectors.Error)(nil)
	return errors.As(err, &e) && e.Code == invalidSession && !strings.Contains(e.Message, "not valid for use")
}

// throughSimpleforce uses a new client for each call: simpleforce's clients must not be shared.
func (c *Client) throughSimpleforce(ctx context.Context, s session, r call) (http.Header, []byte, error) {
	hush()
	t := &trip{ctx: ctx, op: r.op, next: c.transport}
	sf := simpleforce.NewClient(s.instance, "handoff", c.cfg.APIVersion)
	sf.SetHttpClient(t.client())
	sf.SetSidLoc(s.token, s.instance)
	body, err := sf.ApexREST(r.method, strings.TrimPrefix(r.path, "/"), strings.NewReader(string(r.body)))
	return t.header, body, t.result(err)
}

func (c *Client) throughResty(ctx context.Context, s session, r call) (http.Header, []byte, error) {
	resp, err := c.rest.R().SetContext(ctx).SetAuthToken(s.token).Execute(r.method, s.instance+r.path)
	if err != nil {
		return nil, nil, connectors.Unreachable(ctx, crmName, r.op, err)
	}
	if !resp.IsSuccess() {
		return nil, nil, refusal(r.op, resp.StatusCode(), resp.Header(), resp.Body())
	}
	return resp.Header(), resp.Body(), nil
}
