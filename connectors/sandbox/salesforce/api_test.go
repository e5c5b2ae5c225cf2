package salesforce

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"testing"
	"time"
)

// api is an org of a test, called over HTTP by a logged-in user.
type api struct {
	t     *testing.T
	org   *Org
	url   string
	token string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	org, err := New(func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(org.Handler())
	t.Cleanup(func() {
		srv.Close()
		if err := org.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	a := &api{t: t, org: org, url: srv.URL}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	r, err := http.PostForm(srv.URL+"/services/oauth2/token", neturl.Values{
		"grant_type": {"client_credentials"}, "client_id": {ClientID}, "client_secret": {ClientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	a.token = token.AccessToken
	return a
}

// reply is what a request was answered with.
type reply struct {
	Status int
	Header http.Header
	Text   string
}

// call sends a request. A path that does not begin with / is below /services/data/v62.0/.
func (a *api) call(method, path, body string) reply {
	a.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = "/services/data/v62.0/" + path
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply{r.StatusCode, r.Header, string(b)}
}

// into decodes a good answer.
func (a *api) into(v any, method, path, body string) {
	a.t.Helper()
	r := a.call(method, path, body)
	if r.Status >= 300 {
		a.t.Fatalf("%s %s: HTTP %d: %s", method, path, r.Status, r.Text)
	}
	if err := json.Unmarshal([]byte(r.Text), v); err != nil {
		a.t.Fatalf("%s %s: %v: %s", method, path, err, r.Text)
	}
}

// refused returns the status and the code of the error that a request is answered with.
func (a *api) refused(method, path, body string) (status int, code string) {
	a.t.Helper()
	r := a.call(method, path, body)
	var errs []struct{ ErrorCode, Message string }
	if err := json.Unmarshal([]byte(r.Text), &errs); err != nil || len(errs) != 1 || errs[0].Message == "" {
		a.t.Fatalf("%s %s: HTTP %d: not an error of Salesforce's form: %s", method, path, r.Status, r.Text)
	}
	return r.Status, errs[0].ErrorCode
}

// create makes a record and returns its id.
func (a *api) create(object, fields string) string {
	a.t.Helper()
	var made struct{ ID string }
	a.into(&made, "POST", "sobjects/"+object, fields)
	return made.ID
}
