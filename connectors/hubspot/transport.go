package hubspot

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors"
)

const (
	maxAnswer = 64 << 20    // bytes of one answer; fifty wide deals with their history stay well below
	slowest   = time.Minute // one answer to its last byte
)

// searchesPerSecond is one less than what an account has, for all its integrations: five that leave on time may arrive within
// less than a second. Searches carry no headers that would tell what is left.
// https://developers.hubspot.com/docs/api-reference/search/guide#rate-limits
const searchesPerSecond = 4

// lenient reads what HubSpot may send: text from people may hold broken Unicode.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// transport is what all calls of a client share.
type transport struct {
	next  http.RoundTripper
	log   *slog.Logger
	calls atomic.Int64
}

func newTransport(log *slog.Logger) *transport {
	next := http.DefaultTransport.(*http.Transport).Clone()
	next.MaxIdleConnsPerHost = len(kinds)
	return &transport{next: next, log: log}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.calls.Add(1)
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	// Neither query nor bodies: they hold record texts.
	t.log.DebugContext(req.Context(), "call", "method", req.Method, "path", req.URL.Path, "status", resp.StatusCode)
	return resp, nil
}

// call is one request to the API.
type call struct {
	op         string
	method     string
	path       string // from the root, such as "/crm/owners/2026-09"
	query      url.Values
	body       any  // sent as JSON; nil: none
	repeatable bool // sending it twice does no harm
	search     bool // counts against the limit of searches
}

// send sends a call until it succeeds or that is hopeless: temporary faults are waited out, and a refused token is tried
// once more, because HubSpot refuses good ones now and then. accept reads the answer; what it returns counts like an error
// of the call itself.
func (c *Client) send(ctx context.Context, r call, accept func(header http.Header, body []byte) error) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body, json.Deterministic(true)); err != nil {
			return err
		}
	}
	again := func(err error) bool { return errors.Is(err, connectors.ErrRetry) && (r.repeatable || undone(err)) }
	return connectors.Retry(ctx, c.cfg.Sleep, pause, again, func() error {
		header, answer, err := c.once(ctx, r, body)
		if status(err) == http.StatusUnauthorized {
			header, answer, err = c.once(ctx, r, body)
		}
		if err != nil {
			return err
		}
		return accept(header, answer)
	})
}

// order sends a call of whose answer nothing is read. That it is HubSpot's, and not a proxy's page, matters all the same.
func (c *Client) order(ctx context.Context, r call) error {
	return c.send(ctx, r, func(_ http.Header, body []byte) error {
		return connectors.WantJSON(crmName, r.op, body)
	})
}

func (c *Client) once(ctx context.Context, r call, body []byte) (http.Header, []byte, error) {
	if err := connectors.Afford(ctx, crmName, r.op); err != nil {
		return nil, nil, err
	}
	pace := c.paceCall
	if r.search {
		pace = c.paceSearch
	}
	if err := pace(ctx); err != nil {
		return nil, nil, connectors.Unreachable(ctx, crmName, r.op, err)
	}
	req := c.rest.R().SetContext(ctx).SetQueryParamsFromValues(r.query)
	if body != nil {
		req.SetHeader("Content-Type", "application/json").SetBody(body)
	}
	told := connectors.Sent(ctx)
	resp, err := req.Execute(r.method, r.path)
	if err != nil {
		return nil, nil, connectors.Unreachable(ctx, crmName, r.op, err)
	}
	c.heed(resp.Header())
	told(readQuota(resp.Header()))
	if !resp.IsSuccess() {
		refused, correlation := refusal(r.op, resp.StatusCode(), resp.Header(), resp.Body())
		if refused.Status == http.StatusNotFound {
			c.astray(refused, correlation != "")
		}
		c.cfg.Log.InfoContext(ctx, "HubSpot refused a call", "op", r.op, "status", refused.Status, "code", refused.Code, "correlation_id", correlation)
		return nil, nil, refused
	}
	return resp.Header(), resp.Body(), nil
}

// heed lets no call go for as long as the limit of calls looks back, once nine tenths of it are used: those under way may use
// the rest. Searches carry no headers that tell.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func (c *Client) heed(header http.Header) {
	limit, err := strconv.Atoi(header.Get("X-HubSpot-RateLimit-Max"))
	left, err2 := strconv.Atoi(header.Get("X-HubSpot-RateLimit-Remaining"))
	span, err3 := strconv.Atoi(header.Get("X-HubSpot-RateLimit-Interval-Milliseconds"))
	if err != nil || err2 != nil || err3 != nil || left*10 >= limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.cfg.Now(); c.resume.Before(now) {
		c.resume = now.Add(time.Duration(span) * time.Millisecond)
	}
}

// paceCall waits until a call may be sent.
func (c *Client) paceCall(ctx context.Context) error {
	c.mu.Lock()
	d := c.resume.Sub(c.cfg.Now())
	c.mu.Unlock()
	if d > 0 {
		return c.cfg.Sleep(ctx, d)
	}
	return nil
}

// paceSearch waits until a search may be sent.
func (c *Client) paceSearch(ctx context.Context) error {
	now := c.cfg.Now()
	if d := c.cfg.Searches.ReserveN(now, 1).DelayFrom(now); d > 0 {
		return c.cfg.Sleep(ctx, d)
	}
	return nil
}

// pause is how long to wait after attempt n. A limit passes when its window does.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func pause(err error, n int) time.Duration {
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) || e.RetryAfter > 0 {
		return connectors.Pause(err, n)
	}
	switch {
	case e.Code == policySecondly:
		return time.Duration(n) * time.Second
	case e.Status == http.StatusTooManyRequests:
		return time.Duration(n) * 10 * time.Second
	case e.Status == http.StatusLocked:
		return 2*time.Second + connectors.Backoff(n)
	}
	return connectors.Backoff(n)
}
