package salesforce

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

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

// session returns the current session, logging in if there is none. Callers at the same time share one login. After one
// that was refused for good, all get the same error until reopen, or for a while.
func (c *Client) session(ctx context.Context) (session, error) {
	select {
	case c.login <- struct{}{}:
		defer func() { <-c.login }()
	case <-ctx.Done():
		return session{}, connectors.Unreachable(ctx, crmName, opLogin, ctx.Err())
	}
	if c.closed != nil && c.cfg.Now().Before(c.reopens) {
		return session{}, c.closed
	}
	if c.current.token != "" {
		return c.current, nil
	}
	var err error
	c.current, err = c.tryLogin(ctx)
	if errors.Is(err, connectors.ErrConfig) {
		c.shut(err)
	}
	return c.current, err
}

// shut keeps calls from being sent for a while. The caller holds login.
func (c *Client) shut(why error) {
	c.current, c.closed, c.reopens = session{}, why, c.cfg.Now().Add(loginPause)
}

// lockedOut reports whether an error means that no call can succeed: the login is refused, or the session that it gave.
func lockedOut(err error) bool {
	e := refused(err)
	return e != nil && (e.Op == opLogin && errors.Is(e, connectors.ErrConfig) || e.Code == invalidSession)
}

// barred reports whether an error means that Salesforce refuses us, whatever we ask for.
func barred(err error) bool {
	switch c := code(err); c {
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED":
		return true
	default:
		return lockedOut(err) || strings.HasPrefix(c, "TXN_SECURITY")
	}
}

// expire forgets a session that Salesforce refused, unless another caller has replaced it already.
func (c *Client) expire(s session) {
	c.locked(func() {
		if c.current == s {
			c.current = session{}
		}
	})
}

// reopen lets the next call log in, whatever was refused before.
func (c *Client) reopen() { c.locked(func() { c.closed = nil }) }

func (c *Client) locked(do func()) {
	c.login <- struct{}{}
	defer func() { <-c.login }()
	do()
}

// over reports whether a run ends with an error: no other way to the same would do.
func over(ctx context.Context, err error) bool {
	return ctx.Err() != nil || lockedOut(err) || errors.Is(err, connectors.ErrBudget)
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
	err := c.send(ctx, call{op: op, method: http.MethodGet, path: path, repeatable: true}, c.throughResty, func(header http.Header, body []byte) error {
		if kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); kind == "text/html" { // a body comes as bytes of no type, HTML too
			return connectors.Garbled(crmName, op, errors.New("a page for people"))
		}
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
		if err := connectors.Afford(ctx, crmName, r.op); err != nil {
			return err
		}
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
		if code(err) == invalidSession { // of a session that is new, or will never do
			c.locked(func() { c.shut(err) })
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
