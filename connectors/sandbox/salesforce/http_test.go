package salesforce

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"handoff/connectors/sandbox/control"
)

// post sends a form without a session.
func post(t *testing.T, address string, form neturl.Values) (status int, body string) {
	t.Helper()
	r, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestToken(t *testing.T) {
	a := newAPI(t)
	tests := []struct {
		name, form string
		status     int
		want       string
	}{
		{"client credentials", "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret", 200, `"token_type":"Bearer"`},
		{"password", "grant_type=password&client_id=sandbox-client&client_secret=sandbox-secret&username=revops@sandbox.example&password=sandbox-password", 200, `"id":"` + a.url + "/id/" + organizationID + "/" + integrationUserID + `"`},
		{"unknown client", "grant_type=client_credentials&client_id=x&client_secret=sandbox-secret", 400, `"error":"invalid_client_id"`},
		{"wrong secret", "grant_type=client_credentials&client_id=sandbox-client&client_secret=x", 400, `"error":"invalid_client"`},
		{"wrong password", "grant_type=password&client_id=sandbox-client&client_secret=sandbox-secret&username=revops@sandbox.example&password=x", 400, `"error":"invalid_grant"`},
		{"unknown grant", "grant_type=magic&client_id=sandbox-client&client_secret=sandbox-secret", 400, `"error":"unsupported_grant_type"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form, err := neturl.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			status, body := post(t, a.url+"/services/oauth2/token", form)
			if status != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "expires_in") {
				t.Errorf("HTTP %d %s, want %d with %s and no expires_in", status, body, tt.status, tt.want)
			}
		})
	}
}

func TestAssertion(t *testing.T) {
	a := newAPI(t)
	now := a.org.now()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": "sandbox-client", "sub": "revops@sandbox.example", "aud": "https://test.salesforce.com", "exp": now.Add(time.Minute).Unix()}
	}
	for _, tt := range []struct {
		name   string
		change func(jwt.MapClaims)
		method jwt.SigningMethod // nil: RS256
		key    any               // nil: the app's
		status int
		want   string
	}{
		{name: "good", status: 200, want: `"token_type":"Bearer"`},
		{name: "unknown client", change: func(c jwt.MapClaims) { c["iss"] = "x" }, status: 400, want: `{"error":"invalid_client_id","error_description":"client identifier invalid"}`},
		{name: "expired", change: func(c jwt.MapClaims) { c["exp"] = now.Add(-time.Second).Unix() }, status: 400, want: `{"error":"invalid_grant","error_description":"expired authorization code"}`},
		{name: "without an end", change: func(c jwt.MapClaims) { delete(c, "exp") }, status: 400, want: `"invalid assertion"`},
		{name: "for production", change: func(c jwt.MapClaims) { c["aud"] = "https://login.salesforce.com" }, status: 400, want: `{"error":"invalid_grant","error_description":"audience is invalid"}`},
		{name: "another user", change: func(c jwt.MapClaims) { c["sub"] = "casey@sandbox.example" }, status: 400, want: `{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}`},
		{name: "another key", key: other, status: 400, want: `{"error":"invalid_grant","error_description":"invalid assertion"}`},
		{name: "not signed", method: jwt.SigningMethodNone, key: jwt.UnsafeAllowNoneSignatureType, status: 400, want: `"invalid assertion"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			claims, method, key := good(), tt.method, tt.key
			if tt.change != nil {
				tt.change(claims)
			}
			if method == nil {
				method = jwt.SigningMethodRS256
			}
			if key == nil {
				var err error
				if key, err = jwt.ParseRSAPrivateKeyFromPEM([]byte(PrivateKey())); err != nil {
					t.Fatal(err)
				}
			}
			assertion, err := jwt.NewWithClaims(method, claims).SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			status, body := post(t, a.url+"/services/oauth2/token", neturl.Values{"grant_type": {grantAssertion}, "assertion": {assertion}})
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("HTTP %d %s, want %d with %s", status, body, tt.status, tt.want)
			}
		})
	}
	if status, body := post(t, a.url+"/services/oauth2/token", neturl.Values{"grant_type": {grantAssertion}, "assertion": {"x"}}); status != 400 || !strings.Contains(body, "invalid assertion") {
		t.Errorf("an assertion that is none: HTTP %d %s", status, body)
	}
}

func TestSOAPLogin(t *testing.T) {
	a := newAPI(t)
	login := func(user, pass string) string {
		return `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><login xmlns="urn:partner.soap.sforce.com"><username>` + user + `</username><password>` + pass + `</password></login></e:Body></e:Envelope>`
	}
	tests := []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"good", "/services/Soap/u/64.0", login("revops@sandbox.example", "sandbox-password"), 200, "<userId>" + integrationUserID + "</userId>"},
		{"wrong password", "/services/Soap/u/62.0", login("revops@sandbox.example", "&lt;x&gt;"), 500, "<faultstring>INVALID_LOGIN: Invalid username"},
		{"no login any more", "/services/Soap/u/65.0", login("revops@sandbox.example", "sandbox-password"), 500, "<sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode>"},
		{"not XML", "/services/Soap/u/62.0", "hello", 500, "INVALID_XML"},
		{"nothing asked", "/services/Soap/c/62.0", "<e:Envelope xmlns:e='x'><e:Body/></e:Envelope>", 500, "INVALID_OPERATION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.call("POST", tt.path, tt.body)
			if r.Status != tt.status || !strings.Contains(r.Text, tt.want) {
				t.Errorf("HTTP %d %s, want %d with %s", r.Status, r.Text, tt.status, tt.want)
			}
		})
	}
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		token := o.sessions.start(integration, o.now())
		valid := func() bool { _, ok := o.sessions.user(token, o.now()); return ok }
		for range 2 {
			time.Sleep(sessionLife)
			if !valid() {
				t.Fatal("a session that is used ended")
			}
		}
		time.Sleep(sessionLife + time.Second)
		if valid() {
			t.Error("a session that is not used did not end")
		}
		token = o.sessions.start(integration, o.now())
		o.sessions.end(token)
		if valid() {
			t.Error("a revoked session is valid")
		}
	})
}

// Each route answers in Salesforce's form.
func TestRoutes(t *testing.T) {
	a := newAPI(t)
	account := a.create("Account", `{"Name":"Acme"}`)
	deal := a.create("Opportunity", `{"Name":"Deal","AccountId":"`+account+`","StageName":"Closed Won","CloseDate":"2026-02-03","Amount":1500}`)
	note := a.create("ContentNote", `{"Title":"N","Content":"PHA+aGk8L3A+"}`)
	gone := a.create("Task", `{"Subject":"gone"}`)
	a.call("DELETE", "sobjects/Task/"+gone, "")

	tests := []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"versions", "GET", "/services/data", "", 200, `{"label":"Winter '25","url":"/services/data/v62.0","version":"62.0"}`},
		{"resources", "GET", "/services/data/v55.0", "", 200, `"query":"/services/data/v55.0/query"`},
		{"unknown version", "GET", "/services/data/v99.0/limits", "", 404, "NOT_FOUND"},
		{"retired version", "GET", "/services/data/v30.0/limits", "", 410, "UNSUPPORTED_API_VERSION"},
		{"not a version", "GET", "/services/data/v62.1/limits", "", 404, "NOT_FOUND"},
		{"unknown resource", "GET", "bogus", "", 404, "NOT_FOUND"},
		{"slash at the end", "GET", "limits/", "", 200, `"DailyApiRequests":{"Max":100000,"Remaining":`},
		{"userinfo", "GET", "/services/oauth2/userinfo", "", 200, `"user_id":"` + integrationUserID + `"`},
		{"identity", "GET", "/id/" + organizationID + "/" + integrationUserID, "", 200, `"organization_id":"` + organizationID + `"`},
		{"describe global", "GET", "sobjects", "", 200, `"name":"OpportunityContactRole"`},
		{"basic information", "GET", "sobjects/opportunity", "", 200, `"objectDescribe":{"name":"Opportunity"`},
		{"describe", "GET", "sobjects/Opportunity/describe", "", 200, `"relationshipName":"OpportunityContactRoles"`},
		{"describe unknown", "GET", "sobjects/Bogus/describe", "", 404, "NOT_FOUND"},
		{"query", "GET", "query?q=" + neturl.QueryEscape("SELECT Name FROM Account"), "", 200, `"records":[{"attributes":{"type":"Account"`},
		{"no query", "GET", "query", "", 400, "MALFORMED_QUERY"},
		{"queryAll", "GET", "queryAll?q=SELECT+Subject+FROM+Task", "", 200, `"Subject":"gone"`},
		{"get", "GET", "sobjects/Opportunity/" + deal + "?fields=Name,Account.Name", "", 200, `"Name":"Deal","Account":{`},
		{"get all fields", "GET", "sobjects/Opportunity/" + deal[:15], "", 200, `"Amount":1500.0`},
		{"get unknown field", "GET", "sobjects/Opportunity/" + deal + "?fields=Bogus", "", 400, "INVALID_FIELD"},
		{"get unknown id", "GET", "sobjects/Opportunity/006000000000001AAA", "", 404, "NOT_FOUND"},
		{"get deleted", "GET", "sobjects/Task/" + gone, "", 404, "NOT_FOUND"},
		{"bytes", "GET", "sobjects/ContentNote/" + note + "/Content", "", 200, "<p>hi</p>"},
		{"bytes of no such field", "GET", "sobjects/ContentNote/" + note + "/Title", "", 404, "NOT_FOUND"},
		{"create unknown object", "POST", "sobjects/Bogus", `{}`, 404, "NOT_FOUND"},
		{"create broken JSON", "POST", "sobjects/Account", `{"Name":`, 400, "JSON_PARSER_ERROR"},
		{"update", "PATCH", "sobjects/Opportunity/" + deal, `{"NextStep":"x"}`, 204, ""},
		{"update unknown", "PATCH", "sobjects/Opportunity/006000000000001AAA", `{}`, 404, "NOT_FOUND"},
		{"update deleted", "PATCH", "sobjects/Task/" + gone, `{}`, 404, "ENTITY_IS_DELETED"},
		{"update bad reference", "PATCH", "sobjects/Opportunity/" + deal, `{"OwnerId":"005000000000001AAA"}`, 400, "INVALID_CROSS_REFERENCE_KEY"},
		{"delete again", "DELETE", "sobjects/Task/" + gone, "", 404, "ENTITY_IS_DELETED"},
		{"retrieve", "POST", "composite/sobjects/Account", `{"ids":["001000000000001AAA","` + account + `"],"fields":["Name"]}`, 200, `[null,{"attributes":{"type":"Account"`},
		{"retrieve by GET", "GET", "composite/sobjects/Account?ids=" + account + "&fields=Name", "", 200, `"Name":"Acme"}]`},
		{"collection", "PATCH", "composite/sobjects", `{"records":[{"attributes":{"type":"Account"},"id":"` + account + `","Phone":"1"},{"attributes":{"type":"Account"},"Id":"001000000000001AAA"}]}`, 200,
			`[{"id":"` + account + `","success":true,"errors":[]},{"id":"001000000000001AAA","success":false,"errors":[{"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id","fields":[]}]}]`},
		{"collection without type", "POST", "composite/sobjects", `{"records":[{"Name":"x"}]}`, 400, "INVALID_INPUT"},
		{"collection of too many chunks", "POST", "composite/sobjects", `{"records":[` + strings.Repeat(`{"attributes":{"type":"Account"}},{"attributes":{"type":"Task"}},`, 5) + `{"attributes":{"type":"Account"}}]}`, 400, "INVALID_INPUT"},
		{"delete collection", "DELETE", "composite/sobjects?ids=" + gone + ",001000000000001AAA", "", 200, `"ENTITY_IS_DELETED"`},
		{"delete too many", "DELETE", "composite/sobjects?ids=" + strings.Repeat(gone[:15]+",", 201), "", 400, "EXCEEDED_ID_LIMIT"},
		{"updated", "GET", "sobjects/Account/updated?start=2026-11-21T09:00:00Z&end=2026-11-21T11:00:00%2B00:00", "", 200, `"latestDateCovered":"2026-11-21T10:00:00.000+0000"`},
		{"updated in less than a minute", "GET", "sobjects/Account/updated?start=2026-11-21T09:00:00Z&end=2026-11-21T09:00:59Z", "", 400, "INVALID_REPLICATION_DATE"},
		{"updated too far back", "GET", "sobjects/Account/updated?start=2026-10-01T00:00:00Z&end=2026-11-21T00:00:00Z", "", 400, "INVALID_REPLICATION_DATE"},
		{"updated of history", "GET", "sobjects/OpportunityFieldHistory/updated?start=2026-11-20T00:00:00Z&end=2026-11-21T00:00:00Z", "", 400, "INVALID_TYPE_FOR_OPERATION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.call(tt.method, tt.path, tt.body)
			if r.Status != tt.status || !strings.Contains(r.Text, tt.want) {
				t.Errorf("HTTP %d %.600s\nwant %d with %s", r.Status, r.Text, tt.status, tt.want)
			}
			if tt.status >= 400 && !strings.HasPrefix(r.Text, `[{"message":"`) {
				t.Errorf("not an array of errors: %s", r.Text)
			}
		})
	}
}

func TestSessionNeeded(t *testing.T) {
	a := newAPI(t)
	a.token = "00D000000000001!bogus"
	for _, path := range []string{"limits", "query?q=SELECT+Id+FROM+Account", "sobjects/Account/describe", "bogus"} {
		if status, code := a.refused("GET", path, ""); status != 401 || code != "INVALID_SESSION_ID" {
			t.Errorf("%s: HTTP %d %s, want 401 INVALID_SESSION_ID", path, status, code)
		}
	}
	if r := a.call("GET", "/services/oauth2/userinfo", ""); r.Status != 403 || strings.TrimSpace(r.Text) != "Bad_OAuth_Token" {
		t.Errorf("userinfo: HTTP %d %s, want 403 Bad_OAuth_Token", r.Status, r.Text)
	}
}

func TestHeaders(t *testing.T) {
	a := newAPI(t)
	for i := 1; i <= 2; i++ {
		r := a.call("GET", "limits", "")
		if got, want := r.Header.Get("Sforce-Limit-Info"), fmt.Sprintf("api-usage=%d/100000", i); got != want {
			t.Errorf("Sforce-Limit-Info %q, want %q", got, want)
		}
		if got := r.Header.Get("Date"); got != "Sat, 21 Nov 2026 10:00:00 GMT" {
			t.Errorf("Date %q is not the org's", got)
		}
	}
}

func TestRequestTooLong(t *testing.T) {
	a := newAPI(t)
	query := func(n int) string {
		return "query?q=" + neturl.QueryEscape("SELECT Id FROM Account WHERE Name = '"+strings.Repeat("x", n)+"'")
	}
	tests := []struct {
		name   string
		query  string
		header int
		status int
	}{
		{"short", query(3_000), 0, 200},
		{"address too long", query(17_000), 0, http.StatusRequestURITooLong},
		{"headers too long", query(10), 17_000, http.StatusRequestHeaderFieldsTooLarge},
		{"both together too long", query(3_900), 13_000, http.StatusRequestHeaderFieldsTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest("GET", "/services/data/v62.0/"+tt.query, nil)
			req.Header.Set("Authorization", "Bearer "+a.token)
			req.Header.Set("X-Filler", strings.Repeat("x", tt.header))
			w := httptest.NewRecorder()
			a.org.Handler().ServeHTTP(w, req)
			if w.Code != tt.status {
				t.Errorf("HTTP %d %.200s, want %d", w.Code, w.Body, tt.status)
			}
			if tt.status != 200 && !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				t.Errorf("%s %s, want HTML", w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

func TestComposite(t *testing.T) {
	a := newAPI(t)
	const data = "/services/data/v62.0/"
	part := func(id, method, path, body string) string {
		if body != "" {
			body = `,"body":` + body
		}
		return `{"referenceId":"` + id + `","method":"` + method + `","url":"` + data + path + `"` + body + `}`
	}
	query := func(id string) string { return part(id, "GET", "query?q=SELECT COUNT() FROM Account", "") }
	many := func(n int, part func(string) string) string {
		var parts []string
		for i := range n {
			parts = append(parts, part(fmt.Sprint("p", i)))
		}
		return strings.Join(parts, ",")
	}
	tests := []struct {
		name, parts string
		allOrNone   bool
		want        []string // status and a part of the body of each
	}{
		{"references", part("made", "POST", "sobjects/Account", `{"Name":"Ref \"x\""}`) + "," +
			part("deal", "POST", "sobjects/Opportunity", `{"Name":"of @{made.id}","AccountId":"@{made.id}","StageName":"Closed Won","CloseDate":"2026-01-01"}`) + "," +
			part("found", "GET", "query?q=SELECT+Id,Name+FROM+Opportunity+WHERE+AccountId='@{made.id}'", "") + "," +
			part("read", "GET", "sobjects/Opportunity/@{found.records[0].Id}?fields=Name", ""), false,
			[]string{`201 "success":true`, `201 "success":true`, `200 "totalSize":1`, `200 "Name":"of ` + newID("001", 1)}},
		{"one fails", part("bad", "GET", "query?q=SELECT+Bogus+FROM+Account", "") + "," + part("good", "POST", "sobjects/Account", `{"Name":"stays"}`) + "," +
			part("after", "GET", "sobjects/Account/@{bad.id}", ""), false,
			[]string{"400 INVALID_FIELD", `201 "success":true`, "400 PROCESSING_HALTED"}},
		{"all or none", part("good", "POST", "sobjects/Account", `{"Name":"goes"}`) + "," + part("bad", "POST", "sobjects/Account", `{}`) + "," + query("after"), true,
			[]string{"400 PROCESSING_HALTED", "400 REQUIRED_FIELD_MISSING", "400 PROCESSING_HALTED"}},
		{"what all or none left", part("q", "GET", "query?q=SELECT+Name+FROM+Account+ORDER+BY+Id", ""), true, []string{`200 "totalSize":2`}},
		{"update answers nothing", part("u", "PATCH", "sobjects/Account/"+newID("001", 1), `{"Phone":"1"}`), false, []string{"204 null"}},
		{"bytes", part("b", "GET", "sobjects/ContentNote/069000000000001AAA/Content", ""), false, []string{"400 INVALID_BATCH_REQUEST"}},
		{"resource that cannot be a part", part("l", "GET", "limits", ""), false, []string{"400 PROCESSING_HALTED"}},
		{"five queries", many(5, query), false, []string{"200 ", "200 ", "200 ", "200 ", "200 "}},
		{"six queries", many(6, query), false, []string{"400 LIMIT_EXCEEDED"}},
		{"26 parts", many(26, func(id string) string { return part(id, "GET", "sobjects/Account/"+newID("001", 1), "") }), false, []string{"400 LIMIT_EXCEEDED"}},
		{"one reference id twice", query("q") + "," + query("q"), false, []string{"400 INVALID_INPUT"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var answer struct {
				CompositeResponse []struct {
					Body           rawJSON
					HTTPStatusCode int
				}
			}
			a.into(&answer, "POST", "composite", fmt.Sprintf(`{"allOrNone":%v,"compositeRequest":[%s]}`, tt.allOrNone, tt.parts))
			var got []string
			for i, r := range answer.CompositeResponse {
				line := fmt.Sprintf("%d %s", r.HTTPStatusCode, r.Body)
				if i < len(tt.want) {
					status, part, _ := strings.Cut(tt.want[i], " ")
					if strings.HasPrefix(line, status) && strings.Contains(line, part) {
						line = tt.want[i]
					}
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if n := a.org.calls.used(a.org.now()); n != len(tests) {
		t.Errorf("%d calls were counted, want %d: one a composite request", n, len(tests))
	}
}

// rawJSON is JSON as it was sent.
type rawJSON string

func (r *rawJSON) UnmarshalJSON(b []byte) error { *r = rawJSON(b); return nil }

// While a write is stamped and not yet committed, what changed is certain only up to its stamp.
func TestUpdatedDuringLateCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(time.Now) // midnight of 2000-01-01
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		h := control.New(o.Control(), control.Options{})
		token := o.sessions.start(integration, time.Now())
		call := func(method, path, body string) string {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Body.String()
		}
		covered := func(when, want string) {
			t.Helper()
			got := call("GET", "/services/data/v62.0/sobjects/Account/updated?start=1999-12-31T00:00:00Z&end=2000-01-01T01:00:00Z", "")
			if !strings.Contains(got, `"latestDateCovered":"`+want+`.000+0000"`) {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		call("POST", "/_sandbox/faults", `{"method":"POST","path":".*/Account","times":1,"commit_delay_ms":60000}`)
		time.Sleep(10 * time.Second)
		covered("before", "2000-01-01T00:00:10")
		go call("POST", "/services/data/v62.0/sobjects/Account", `{"Name":"late"}`)
		time.Sleep(20 * time.Second)
		covered("not committed", "2000-01-01T00:00:10")
		time.Sleep(50 * time.Second)
		covered("committed", "2000-01-01T00:01:20")
	})
}

// Readers and writers of all kinds at once neither wait for each other for ever nor see half a write.
func TestConcurrentUse(t *testing.T) {
	a := newAPI(t)
	account := a.create("Account", `{"Name":"A","Phone":"0","Website":"0"}`)
	h := a.org.Handler()
	call := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/services/data/v62.0/"+path, bytes.NewReader([]byte(body)))
		r.Header.Set("Authorization", "Bearer "+a.token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 25 {
				n := fmt.Sprint(g*100 + i)
				for _, w := range []*httptest.ResponseRecorder{
					call("PATCH", "sobjects/Account/"+account, `{"Phone":"`+n+`","Website":"`+n+`"}`),
					call("POST", "composite", `{"allOrNone":true,"compositeRequest":[{"referenceId":"q","method":"GET","url":"/services/data/v62.0/query?q=SELECT+Id+FROM+Account"},{"referenceId":"w","method":"POST","url":"/services/data/v62.0/sobjects/Task","body":{"Subject":"t"}}]}`),
					call("GET", "sobjects/Account/describe", ""),
				} {
					if w.Code >= 300 {
						t.Errorf("HTTP %d %s", w.Code, w.Body)
					}
				}
				if err := a.org.addField(context.Background(), "Account", Field{Name: fmt.Sprintf("F%d_%d__c", g, i), Type: TypeBoolean}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 100 {
				result, err := a.org.query(context.Background(), integration, "SELECT Phone, Website, (SELECT Id FROM Opportunities) FROM Account", queryOptions{})
				if err != nil {
					t.Error(err)
				} else if v := result.Rows[0].Values; v[0] != v[1] {
					t.Errorf("half a write: %v, %v", v[0], v[1])
				}
			}
		})
	}
	wg.Wait()
	if got := answer(t, a.org, "SELECT COUNT(Id) FROM Task", queryOptions{}); got[0] != "100" {
		t.Errorf("%s tasks, want 100", got[0])
	}
}
