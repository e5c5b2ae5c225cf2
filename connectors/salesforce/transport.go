package salesforce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

const (
	maxAnswer  = 64 << 20        // bytes of one answer; five full pages of wide rows stay well below
	maxResults = 4 << 30         // bytes of a page of bulk results, which no memory holds
	maxRefusal = 1 << 20         // bytes read of an answer that is not a success
	slowest    = 3 * time.Minute // one answer to its last byte; Salesforce ends a query after about two
)

// transport is what all calls of a client share.
type transport struct {
	next     http.RoundTripper
	log      *slog.Logger
	patience time.Duration // how long one answer may take to its last byte
	calls    atomic.Int64
	quota    atomic.Pointer[connectors.Quota]
	now      func() time.Time // this machine's clock
	skew     atomic.Int64     // nanoseconds that Salesforce's clock is ahead of it, as the last answer told
}

func newTransport(log *slog.Logger, patience time.Duration, now func() time.Time) *transport {
	next := http.DefaultTransport.(*http.Transport).Clone()
	next.MaxIdleConnsPerHost = blobsAtOnce
	return &transport{next: next, log: log, patience: patience, now: now}
}

// RoundTrip implements http.RoundTripper. Requests are ours: their headers are set in place.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(req.URL.Path, "/services/oauth2/") && !strings.HasPrefix(req.URL.Path, "/services/Soap/") {
		t.calls.Add(1)
		// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers.htm
		req.Header.Set("Sforce-Auto-Assign", "FALSE")                    // our write must not reassign a record
		req.Header.Set("Sforce-Duplicate-Rule-Header", "allowSave=true") // nor fail because the record had a double before
		req.Header.Set("Sforce-Call-Options", "client=handoff")
	}
	told := connectors.Sent(req.Context())
	ctx, cancel := context.WithTimeout(req.Context(), t.patience)
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	// Neither query nor bodies: they hold record texts and credentials.
	t.log.DebugContext(req.Context(), "call", "method", req.Method, "path", req.URL.Path, "status", resp.StatusCode)
	if q := parseQuota(resp.Header.Get("Sforce-Limit-Info")); q != nil {
		t.quota.Store(q)
		told(*q)
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		t.skew.Store(int64(at.Sub(t.now())))
	}
	limit := int64(maxAnswer)
	if strings.HasSuffix(req.URL.Path, results) {
		limit = maxResults
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: limit, cancel: cancel}
	return resp, nil
}

var usage = regexp.MustCompile(`\bapi-usage=(\d+)/(\d+)`)

// parseQuota reads "api-usage=10018/100000; api-bursts=1/750"; nil: there is no usage in it.
func parseQuota(header string) *connectors.Quota {
	m := usage.FindStringSubmatch(header)
	if m == nil {
		return nil
	}
	used, err1 := strconv.Atoi(m[1])
	limit, err2 := strconv.Atoi(m[2])
	if err1 != nil || err2 != nil {
		return nil
	}
	return &connectors.Quota{Used: used, Limit: limit}
}

// limitedBody fails where a body is longer than it may be, instead of ending as if it were whole.
type limitedBody struct {
	io.ReadCloser
	left   int64
	cancel context.CancelFunc // ends the time that the answer may take
}

// Close implements io.Closer.
func (b *limitedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

var errTooLong = errors.New("the answer is too long to be read")

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// trip carries one call of simpleforce, which knows no context, panics on an empty list of errors and forgets most of
// what an error says.
type trip struct {
	ctx    context.Context // of this one call: simpleforce cannot pass it on
	op     string
	next   http.RoundTripper
	header http.Header       // of the answer
	failed *connectors.Error // nil: the answer was a success, or there was none
}

// RoundTrip implements http.RoundTripper.
func (t *trip) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req.Clone(t.ctx))
	if err != nil {
		return nil, err
	}
	t.header = resp.Header
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	t.failed = refusal(t.op, resp.StatusCode, resp.Header, body)
	plain, err := json.Marshal([]map[string]string{{"errorCode": t.failed.Code, "message": t.failed.Message}})
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(plain))
	return resp, nil
}

// client returns an HTTP client for one call of simpleforce.
func (t *trip) client() *http.Client {
	return &http.Client{Transport: t, CheckRedirect: connectors.NoRedirect}
}

// result turns what simpleforce returned into what happened.
func (t *trip) result(err error) error {
	switch {
	case t.failed != nil:
		return t.failed
	case err != nil:
		return connectors.Unreachable(t.ctx, crmName, t.op, err)
	}
	return nil
}

// simpleforce logs addresses, bodies and user names to the standard logger. hush drops its lines there and lets those of
// everyone else pass. It is called before each use, because whoever sets slog's default moves the standard logger's output.
func hush() {
	hushing.Lock()
	defer hushing.Unlock()
	if _, done := log.Writer().(hushed); !done {
		log.SetOutput(hushed{log.Writer()})
	}
}

var hushing sync.Mutex

type hushed struct{ io.Writer }

func (h hushed) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("[simpleforce]")) {
		return len(line), nil
	}
	return h.Writer.Write(line)
}
