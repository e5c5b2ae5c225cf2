package salesforce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"handoff/connectors"
)

// stub is an org of which a test decides every answer.
type stub struct {
	*httptest.Server
	logins atomic.Int64
	login  http.HandlerFunc // nil: answers a new token each time
	api    http.HandlerFunc
}

func newStub(t *testing.T) *stub {
	s := &stub{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		n := s.logins.Add(1)
		if s.login != nil {
			s.login(w, r)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token%d","instance_url":%q,"id":"https://login.example/id/00D/005ME"}`, n, s.URL)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.api(w, r) })
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *stub) client(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: s.URL, ClientID: "id", ClientSecret: "hunter2", Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `[{"errorCode":%q,"message":"because"}]`, code)
}

func get(c *Client) error {
	return c.do(context.Background(), call{op: "test", method: http.MethodGet, path: "/services/data/v62.0/limits", repeatable: true},
		func(http.Header, []byte) error { return nil })
}

func TestExpiredSessionIsReplacedOnce(t *testing.T) {
	s := newStub(t)
	s.api = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token1" {
			refuse(w, http.StatusUnauthorized, invalidSession)
		}
	}
	c := s.client(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := get(c); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.logins.Load(); n != 2 {
		t.Errorf("%d logins, want 2: callers at the same time share one", n)
	}
}

func TestRefusedSessionEnds(t *testing.T) {
	s := newStub(t)
	s.api = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized, invalidSession) }
	c := s.client(t)
	if err := get(c); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "IP restrictions") {
		t.Errorf("got %v", err)
	}
	if s.logins.Load() != 2 || c.Calls() != 2 {
		t.Errorf("%d logins and %d calls, want 2 and 2", s.logins.Load(), c.Calls())
	}
}

func TestSessionForNoREST(t *testing.T) {
	s := newStub(t)
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]`)
	}
	if err := get(s.client(t)); !errors.Is(err, connectors.ErrConfig) || s.logins.Load() != 1 {
		t.Errorf("got %v after %d logins: another session will not do either", err, s.logins.Load())
	}
}

func TestRefreshFollowsInstance(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer other.Close()
	s := newStub(t)
	s.login = func(w http.ResponseWriter, _ *http.Request) {
		instance := s.URL
		if s.logins.Load() > 1 {
			instance = other.URL
		}
		fmt.Fprintf(w, `{"access_token":"t%d","instance_url":%q,"id":"x/00D/005"}`, s.logins.Load(), instance)
	}
	s.api = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized, invalidSession) }
	if err := get(s.client(t)); err != nil {
		t.Error(err)
	}
}

func TestLogins(t *testing.T) {
	const soapReply = `<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><e:Body><loginResponse><result><serverUrl>%s/services/Soap/u/62.0/00D</serverUrl><sessionId>soaptoken</sessionId></result></loginResponse></e:Body></e:Envelope>`
	for _, tc := range []struct {
		name   string
		change func(*Config)
		form   string // of the login
		token  string
	}{
		{"client credentials", func(*Config) {}, "client_id=id&client_secret=hunter2&grant_type=client_credentials", "token1"},
		{"password", func(c *Config) { c.Auth, c.Username, c.Password = Password, "me@acme.example", "pass&word" },
			"client_id=id&client_secret=hunter2&grant_type=password&password=pass%26word&username=me%40acme.example", "token1"},
		{"SOAP", func(c *Config) { c.Auth, c.Username, c.Password = SOAP, "a&b@acme.example", "pass<word" },
			"<n1:username>a&amp;b@acme.example</n1:username>\n                    <n1:password>pass&lt;word</n1:password>", "soaptoken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t)
			var form, token string
			s.login = func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form = string(body)
				fmt.Fprintf(w, `{"access_token":"token1","instance_url":%q,"id":"x/00D/005ME"}`, s.URL)
			}
			s.api = func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/services/Soap/") {
					body, _ := io.ReadAll(r.Body)
					form = string(body)
					fmt.Fprintf(w, soapReply, s.URL)
					return
				}
				token = r.Header.Get("Authorization")
			}
			var logged bytes.Buffer
			c := s.client(t, tc.change, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
			if err := get(c); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(form, tc.form) {
				t.Errorf("sent %s\nwant %s", form, tc.form)
			}
			if token != "Bearer "+tc.token {
				t.Errorf("used %q", token)
			}
			if c.Calls() != 1 {
				t.Errorf("%d calls: a login counts", c.Calls())
			}
			if warned := strings.Contains(logged.String(), "Move to an External Client App"); warned != (tc.name != "client credentials") {
				t.Errorf("logged %q", logged.String())
			}
		})
	}
}

func TestLoginRefused(t *testing.T) {
	s := newStub(t)
	s.login = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"no client credentials user enabled"}`)
	}
	err := get(s.client(t))
	if !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "run-as user") || s.logins.Load() != 1 {
		t.Errorf("got %v after %d logins", err, s.logins.Load())
	}
}

// TestAttempts counts how often a call is sent before it is given up.
func TestAttempts(t *testing.T) {
	for _, tc := range []struct {
		name                string
		status              int
		code                string
		ofLogin, repeatable bool
		calls, logins       int64
	}{
		{name: "read, temporary", status: 500, code: "UNKNOWN_EXCEPTION", repeatable: true, calls: 5, logins: 1},
		{name: "read, spent quota", status: 403, code: "REQUEST_LIMIT_EXCEEDED", repeatable: true, calls: 1, logins: 1},
		{name: "read, lost cursor", status: 400, code: invalidLocator, repeatable: true, calls: 1, logins: 1},
		{name: "write, certainly not carried out", status: 503, code: "SERVER_UNAVAILABLE", calls: 5, logins: 1},
		{name: "write, perhaps carried out", status: 500, code: "UNKNOWN_EXCEPTION", calls: 1, logins: 1},
		{name: "write, spent quota", status: 403, code: "REQUEST_LIMIT_EXCEEDED", calls: 1, logins: 1},
		{name: "write, login temporary", status: 503, code: "x", ofLogin: true, logins: 5},
		{name: "write, login refused", status: 400, code: "x", ofLogin: true, logins: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t)
			fail := func(w http.ResponseWriter, _ *http.Request) { refuse(w, tc.status, tc.code) }
			if s.api = fail; tc.ofLogin {
				s.login = fail
			}
			c := s.client(t)
			err := c.do(t.Context(), call{op: "test", method: http.MethodGet, path: "/services/data/v62.0/x", repeatable: tc.repeatable},
				func(http.Header, []byte) error { return nil })
			if err == nil || int64(c.Calls()) != tc.calls || s.logins.Load() != tc.logins {
				t.Errorf("%d calls and %d logins, want %d and %d: %v", c.Calls(), s.logins.Load(), tc.calls, tc.logins, err)
			}
		})
	}
}

// TestNothingLeaks drives every kind of failure and looks for what must not be told: secrets, tokens, statements.
func TestNothingLeaks(t *testing.T) {
	var logged bytes.Buffer
	before := log.Writer()
	log.SetOutput(&logged)
	defer log.SetOutput(before)
	s := newStub(t)
	status := http.StatusInternalServerError
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, `<html>a note of a customer</html>`)
	}
	var told strings.Builder
	c := s.client(t)
	for _, status = range []int{500, 200, 401, 302} {
		rows := selection[row]{soql: "SELECT Confidential FROM Opportunity"}
		if _, err := c.read(t.Context(), "test", &rows); err != nil {
			fmt.Fprintln(&told, err)
		}
	}
	s.Close()
	fmt.Fprintln(&told, get(c))
	log.Print("a line of ours")
	told.WriteString(logged.String())
	for _, secret := range []string{"hunter2", "token1", "Confidential", "a note of", "simpleforce"} {
		if strings.Contains(told.String(), secret) {
			t.Errorf("%q is told in:\n%s", secret, told.String())
		}
	}
	if !strings.Contains(logged.String(), "a line of ours") {
		t.Error("lines of others are lost")
	}
}

func TestTransport(t *testing.T) {
	s := newStub(t)
	var got http.Header
	s.api = func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("Sforce-Limit-Info", "api-usage=10018/100000; api-bursts=1/750")
	}
	c := s.client(t)
	if q := c.quota(); q != (connectors.Quota{}) {
		t.Errorf("before any call: %+v", q)
	}
	if err := get(c); err != nil {
		t.Fatal(err)
	}
	if got.Get("Sforce-Auto-Assign") != "FALSE" || got.Get("Sforce-Call-Options") != "client=handoff" {
		t.Errorf("headers %v", got)
	}
	if q := c.quota(); q != (connectors.Quota{Used: 10018, Limit: 100000}) {
		t.Errorf("quota %+v", q)
	}
}

func TestAnswerTooLong(t *testing.T) {
	b := &limitedBody{ReadCloser: io.NopCloser(strings.NewReader("123456")), left: 4}
	got, err := io.ReadAll(b)
	if string(got) != "1234" || !errors.Is(err, errTooLong) {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzParseQuota(f *testing.F) {
	f.Add("api-usage=1/2")
	f.Add("api-usage=99999999999999999999/1")
	f.Fuzz(func(_ *testing.T, header string) { parseQuota(header) })
}

func TestNew(t *testing.T) {
	good := Config{URL: "https://acme.my.salesforce.com/", ClientID: "id", ClientSecret: "s"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no address", func(c *Config) { c.URL = "" }, "must look like"},
		{"host alone", func(c *Config) { c.URL = "acme.my.salesforce.com" }, "must look like"},
		{"no secret", func(c *Config) { c.ClientSecret = "" }, "needs a client id and a client secret"},
		{"JWT without a user", func(c *Config) { byJWT(c); c.Username = "" }, "needs a client id and a user name"},
		{"JWT with something else for a key", func(c *Config) { byJWT(c); c.PrivateKey = "hunter2" }, "private_key is no RSA key of 2048 bits in PEM form"},
		{"no password", func(c *Config) { c.Auth = Password }, "needs a user name and a password"},
		{"unknown login", func(c *Config) { c.Auth = "magic" }, "unknown login"},
		{"old version", func(c *Config) { c.APIVersion = "54.0" }, "62.0 or later"},
		{"SOAP has ended there", func(c *Config) { c.Auth, c.Username, c.Password, c.APIVersion = SOAP, "u", "p", "65.0" }, "does not exist from API version 65.0"},
		{"unknown field", func(c *Config) { c.Fields = map[string]string{"use_cse": "X__c"} }, "use_cse"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tc.change(&cfg)
			if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestStalledAnswer reads from a server that falls silent in the middle of an answer.
func TestStalledAnswer(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"records":[`)
		w.(http.Flusher).Flush()
		<-stop
	}))
	defer server.Close()
	defer close(stop)
	tr := newTransport(slog.New(slog.DiscardHandler), 50*time.Millisecond, time.Now)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the time for an answer to be over", err)
	}
}
