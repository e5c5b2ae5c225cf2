package salesforce

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// byJWT makes a client log in by JWT at noon.
func byJWT(c *Config) {
	c.Auth, c.Username, c.ClientSecret = JWT, "revops@acme.example", ""
	c.PrivateKey = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())}))
	c.Now = func() time.Time { return noon }
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestSignedLogin(t *testing.T) {
	s := newStub(t)
	var form map[string][]string
	s.login = func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form = r.PostForm
		fmt.Fprintf(w, `{"access_token":"token1","instance_url":%q,"id":"x/00D/005ME"}`, s.URL)
	}
	s.api = func(http.ResponseWriter, *http.Request) {}
	if err := get(s.client(t, byJWT)); err != nil {
		t.Fatal(err)
	}
	assertion := form["assertion"][0]
	delete(form, "assertion")
	if diff := cmp.Diff(map[string][]string{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}}, form); diff != "" {
		t.Errorf("form beside the assertion (-want +got):\n%s", diff)
	}
	signed, err := jwt.Parse(assertion, func(*jwt.Token) (any, error) { return &testKey().PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	want := jwt.MapClaims{"iss": "id", "sub": "revops@acme.example", "aud": "https://test.salesforce.com", "exp": float64(noon.Unix() + 180)}
	if diff := cmp.Diff(want, signed.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func TestAudience(t *testing.T) {
	for myDomain, want := range map[string]string{
		"https://acme.my.salesforce.com":                     "https://login.salesforce.com",
		"https://acme-dev-ed.develop.my.salesforce.com":      "https://login.salesforce.com",
		"https://Acme--UAT.Sandbox.my.salesforce.com":        "https://test.salesforce.com",
		"https://energy-fun-1234.scratch.my.salesforce.com":  "https://test.salesforce.com",
		"https://sandbox-software.my.salesforce.com":         "https://login.salesforce.com",
		"http://127.0.0.1:18181":                             "https://test.salesforce.com",
		"https://acme-dev-ed.trailblaze.my.salesforce.com:1": "https://login.salesforce.com",
	} {
		if got := audience(myDomain); got != want {
			t.Errorf("%s: %s, want %s", myDomain, got, want)
		}
	}
}

// TestRefusedLogins: what a refusal says of place, cause and remedy.
func TestRefusedLogins(t *testing.T) {
	const grant = "invalid_grant"
	passwordLogin := func(c *Config) { c.Auth, c.Username, c.Password = Password, "u", "p" }
	for _, tc := range []struct {
		name              string
		auth              func(*Config)
		status            int // 0: 400
		code, description string
		clock             time.Duration // that Salesforce's is ahead
		setting, want     string
	}{
		{name: "no run-as user", auth: func(*Config) {}, code: grant, description: "no client credentials user enabled", setting: "client_id", want: "Set a run-as user"},
		{name: "wrong secret", auth: func(*Config) {}, code: "invalid_client", description: "invalid client credentials", setting: "client_secret", want: "Correct client_secret"},
		{name: "flow not enabled", auth: byJWT, code: "unsupported_grant_type", description: "grant type not supported", setting: "auth", want: "Enable this OAuth flow"},
		{name: "wrong password", auth: passwordLogin, code: grant, description: "authentication failure", setting: "password", want: "Correct user name or password"},
		{name: "nobody there", auth: byJWT, status: 404, code: "x", setting: "url", want: "My Domain address"},
		{name: "JWT for production at a sandbox", auth: byJWT, code: grant, description: "audience is invalid", setting: "url",
			want: "audience is invalid (https://test.salesforce.com) (invalid_grant, HTTP 400). Set url to the org's My Domain address"},
		{name: "JWT of a user not approved", auth: byJWT, code: grant, description: "user hasn't approved this consumer", setting: "username", want: "Admin approved users are pre-authorized"},
		{name: "JWT of another key", auth: byJWT, code: grant, description: "invalid assertion", setting: "private_key", want: "Upload the certificate of this key"},
		{name: "JWT of an unknown app", auth: byJWT, code: "invalid_client_id", description: "client identifier invalid", setting: "client_id", want: "Correct client_id"},
		{name: "JWT of a user without the app", auth: byJWT, code: "invalid_app_access", description: "user is not admin approved to access this app", setting: "client_id", want: "Let the integration user use the app"},
		{name: "JWT of a locked user", auth: byJWT, code: grant, description: "user is locked", setting: "username", want: "active and not locked"},
		{name: "JWT by a clock that is behind", auth: byJWT, code: grant, description: "expired authorization code", clock: 7 * time.Minute, setting: "",
			want: "expired authorization code: this machine's clock is 7m0s behind Salesforce's (invalid_grant, HTTP 400). Let this machine set its clock over the network (NTP)"},
		{name: "JWT by a clock that is ahead", auth: byJWT, code: grant, description: "invalid assertion", clock: -time.Hour, setting: "", want: "this machine's clock is 1h0m0s ahead of Salesforce's"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t)
			s.login = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", noon.Add(tc.clock).Format(http.TimeFormat))
				w.WriteHeader(max(tc.status, http.StatusBadRequest))
				fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, tc.code, tc.description)
			}
			err := get(s.client(t, tc.auth, func(c *Config) { c.Now = func() time.Time { return noon } }))
			if !errors.Is(err, connectors.ErrConfig) || refused(err).Setting != tc.setting || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nat %q, want %q: %s", err, refused(err).Setting, tc.setting, tc.want)
			}
		})
	}
}

// TestSOAPFaults: a login that SOAP refuses is not repeated, neither by the call that asked for it nor by the next ones; what is
// the server's trouble is waited out.
func TestSOAPFaults(t *testing.T) {
	const passing = 5 // tries of a call
	for _, tc := range []struct {
		status        int
		code          string
		class         error
		setting, want string
		logins        int64 // of two calls, one after the other
	}{
		{500, "sf:INVALID_LOGIN", connectors.ErrConfig, "password", "Correct user name or password", 1},
		{500, "sf:LOGIN_MUST_USE_SECURITY_TOKEN", connectors.ErrConfig, "password", "security token right behind the password", 1},
		{500, "sf:PASSWORD_LOCKOUT", connectors.ErrConfig, "password", "then unlock the user", 1},
		{500, "sf:LOGIN_DURING_RESTRICTED_TIME", connectors.ErrConfig, "", "Login Hours", 1},
		{500, "sf:LOGIN_DURING_RESTRICTED_DOMAIN", connectors.ErrConfig, "", "Login IP Ranges", 1},
		{500, "sf:A_CODE_OF_TOMORROW", connectors.ErrConfig, "", "Login History", 1},
		{500, "sf:SERVER_UNAVAILABLE", connectors.ErrRetry, "", "", 2 * passing},
		{500, "sf:REQUEST_LIMIT_EXCEEDED", connectors.ErrRetry, "", "", 2 * passing},
		{500, "soapenv:Server", connectors.ErrRetry, "", "The trouble is on Salesforce's side", 2 * passing},
		{503, "", connectors.ErrRetry, "", "The trouble is on Salesforce's side", 2 * passing},
	} {
		t.Run(fmt.Sprint(tc.status, " ", tc.code), func(t *testing.T) {
			t.Parallel()
			s := newStub(t)
			s.api = func(w http.ResponseWriter, _ *http.Request) { // SOAP among it
				s.logins.Add(1)
				w.WriteHeader(tc.status)
				if tc.code != "" {
					fmt.Fprintf(w, `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>%s</faultcode><faultstring>Concurrent logins, or so</faultstring></e:Fault></e:Body></e:Envelope>`, tc.code)
				}
			}
			c := s.client(t, func(c *Config) { c.Auth, c.Username, c.Password = SOAP, "u", "p" })
			for range 2 {
				if err := get(c); !errors.Is(err, tc.class) || refused(err).Setting != tc.setting || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v at %q, want %v at %q: %s", err, refused(err).Setting, tc.class, tc.setting, tc.want)
				}
			}
			if n := s.logins.Load(); n != tc.logins {
				t.Errorf("%d logins, want %d", n, tc.logins)
			}
		})
	}
}

func TestSOAPLoginIsCancelled(t *testing.T) {
	s := newStub(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.api = func(http.ResponseWriter, *http.Request) { cancel() }
	c := s.client(t, func(c *Config) { c.Auth, c.Username, c.Password = SOAP, "u", "p" })
	if _, err := c.session(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestLockedOut: jsforce#1411, #1291: whoever asks, a login that was refused is not repeated within a run.
func TestLockedOut(t *testing.T) {
	for _, tc := range []struct {
		name          string
		login         bool  // it is refused once the first session has expired; else each session is
		calls, logins int64 // at most
	}{
		{"401 for ever", false, 2 * blobsAtOnce, 2},
		{"refresh refused", true, blobsAtOnce, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t)
			s.login = func(w http.ResponseWriter, _ *http.Request) {
				if tc.login && s.logins.Load() > 1 {
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, `{"error":"invalid_grant","error_description":"user is locked"}`)
					return
				}
				fmt.Fprintf(w, `{"access_token":"token%d","instance_url":%q,"id":"x/00D/005"}`, s.logins.Load(), s.URL)
			}
			s.api = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized, invalidSession) }
			now := noon
			c := s.client(t, func(c *Config) { c.Now = func() time.Time { return now } })
			links := make([]noteLinkRow, 200)
			a := &around{notes: map[string]contentNoteRow{}}
			for i := range links {
				id := fmt.Sprintf("069%012d", i)
				a.notes[id] = contentNoteRow{ID: id, ContentSize: 5000}
				link := fmt.Sprintf(`{"ContentDocumentId":%q,"ContentDocument":{"LatestPublishedVersionId":"068"}}`, id)
				if err := json.Unmarshal([]byte(link), &links[i]); err != nil {
					t.Fatal(err)
				}
			}
			a.links = map[string][]noteLinkRow{"006": links}
			r := &reader{Client: c, bodiesLeft: len(links)}
			if err := r.readBodies(t.Context(), a, []row{{"Id": "006"}}); !lockedOut(err) {
				t.Errorf("notes are passed over without a login: %v", err)
			}
			if err := get(c); !lockedOut(err) {
				t.Errorf("a call is sent without a login: %v", err)
			}
			if int64(c.Calls()) > tc.calls || s.logins.Load() > tc.logins {
				t.Errorf("%d calls and %d logins, want %d and %d at most", c.Calls(), s.logins.Load(), tc.calls, tc.logins)
			}
			now = now.Add(loginPause)
			_ = get(c)
			if s.logins.Load() == tc.logins {
				t.Error("a later run does not try again")
			}
		})
	}
}
