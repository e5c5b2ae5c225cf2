package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors/sandbox/control"
)

var digits = regexp.MustCompile(`^\d+$|^v\d+$`)

// toy is a CRM that says hello to every call and shows what the faults passed on to it.
func toy(edit func(object, id string, fields map[string]any) error) control.CRM {
	return control.CRM{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lag, late := control.Lag(r.Context()), control.CommitDelay(r.Context()); lag+late > 0 {
				_, _ = fmt.Fprintf(w, "lag %v, commit delay %v", lag, late)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Date", "Sat, 21 Nov 2026 10:00:00 GMT")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"hello":"world"}`)
		}),
		API:    func(path string) bool { return path != "/page" },
		Secret: func(path string) bool { return path == "/token" },
		Varies: digits.MatchString,
		WriteError: func(w http.ResponseWriter, status int, code string) {
			if status == 0 {
				status = http.StatusTeapot
			}
			w.Header().Set("Content-Type", "application/toy")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "toy:"+code)
		},
		Edit: func(_ context.Context, object, id string, fields map[string]any) error {
			return edit(object, id, fields)
		},
	}
}

func call(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

func TestRequests(t *testing.T) {
	t.Parallel()
	h := control.New(toy(nil), control.Options{})
	call(h, "GET", "/data/v62/deals/17?q=1", "")
	call(h, "GET", "/data/v63/deals/18", "")
	call(h, "POST", "/token", "secret=s3")
	call(h, "GET", "/page", "")
	call(h, "GET", "/_sandbox/log", "")
	call(h, "GET", "/_sandbox/no-such-thing", "")

	want := `{"total":3,"by_route":{"GET /data/…/deals/…":2,"POST /token":1}}`
	if got := call(h, "GET", "/_sandbox/requests", "").Body.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := call(h, "DELETE", "/_sandbox/requests", "").Code; got != http.StatusNoContent {
		t.Errorf("DELETE: status %d", got)
	}
	if got, want := call(h, "GET", "/_sandbox/requests", "").Body.String(), `{"total":0,"by_route":{}}`; got != want {
		t.Errorf("after DELETE: got %s, want %s", got, want)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	h := control.New(toy(nil), control.Options{})
	call(h, "PATCH", "/deals/1?a=%20b", `{"x":[1, 2]}`)
	call(h, "PUT", "/deals", "Id,Name\n1,\"A \xff\"\n")
	call(h, "POST", "/token?secret=s3", "secret=s3")
	call(h, "GET", "/page", "")

	got := call(h, "GET", "/_sandbox/log", "").Body.String()
	want := `{"method":"PATCH","path":"/deals/1","query":"a=%20b","requestBody":{"x":[1,2]},"status":201,"contentType":"application/json","responseBody":{"hello":"world"}}
{"method":"PUT","path":"/deals","query":"","requestBody":"Id,Name\n1,\"A ` + "\uFFFD" + `\"\n","status":201,"contentType":"application/json","responseBody":{"hello":"world"}}
{"method":"POST","path":"/token","query":"","status":201,"contentType":"application/json"}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}

	quiet := control.New(toy(nil), control.Options{NoLog: true})
	call(quiet, "GET", "/deals", "")
	if got := call(quiet, "GET", "/_sandbox/log", "").Body.String(); got != "" {
		t.Errorf("NoLog: got %q", got)
	}
	if got, want := call(quiet, "GET", "/_sandbox/requests", "").Body.String(), `{"total":1,"by_route":{"GET /deals":1}}`; got != want {
		t.Errorf("NoLog still counts: got %s, want %s", got, want)
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	var got string
	h := control.New(toy(func(object, id string, fields map[string]any) error {
		got = fmt.Sprint(object, " ", id, " ", fields)
		if id == "404" {
			return errors.New("no deal 404")
		}
		return nil
	}), control.Options{})

	if r := call(h, "PATCH", "/_sandbox/records/deals/17", `{"score":2,"note":null}`); r.Code != http.StatusNoContent {
		t.Errorf("status %d, want 204", r.Code)
	}
	if want := "deals 17 map[note:<nil> score:2]"; got != want {
		t.Errorf("edit got %q, want %q", got, want)
	}
	if r := call(h, "PATCH", "/_sandbox/records/deals/404", `{}`); r.Code != http.StatusBadRequest || r.Body.String() != "no deal 404\n" {
		t.Errorf("a refused edit: status %d", r.Code)
	}
	if r := call(h, "PATCH", "/_sandbox/records/deals/17", `[`); r.Code != http.StatusBadRequest {
		t.Errorf("broken JSON: status %d, want 400", r.Code)
	}
	if got, want := call(h, "GET", "/_sandbox/requests", "").Body.String(), `{"total":0,"by_route":{}}`; got != want {
		t.Errorf("edits are not calls: got %s, want %s", got, want)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const hello = `201 application/json {"hello":"world"}`
	tests := []struct {
		name   string
		faults []string
		want   []string // answers to as many GET /deals/1?path=/x
	}{
		{"status", []string{`{"status":503}`}, []string{"503  ", "503  "}},
		{"code in the CRM's form", []string{`{"code":"BUSY"}`}, []string{"418 application/toy toy:BUSY"}},
		{"code and status", []string{`{"code":"BUSY","status":403}`}, []string{"403 application/toy toy:BUSY"}},
		{"body as text", []string{`{"status":502,"body":"<h1>no</h1>","content_type":"text/html"}`}, []string{"502 text/html <h1>no</h1>"}},
		{"body as JSON", []string{`{"body":[{"a":1}]}`}, []string{`200 application/json;charset=UTF-8 [{"a":1}]`}},
		{"content type alone", []string{`{"content_type":"text/html"}`}, []string{`201 text/html {"hello":"world"}`}},
		{"after and times", []string{`{"status":500,"after":1,"times":2}`}, []string{hello, "500  ", "500  ", hello, hello}},
		{"other method", []string{`{"method":"POST|GE","status":500}`}, []string{hello}},
		{"path as a whole", []string{`{"path":"/deals","status":500}`, `{"path":"1","status":500}`}, []string{hello}},
		{"path without query", []string{`{"method":"GET","path":"/deals/\\d|/x","status":500}`}, []string{"500  "}},
		{"query is no part of the path", []string{`{"path":".*x","status":500}`}, []string{hello}},
		{"in turn", []string{`{"status":500,"times":1}`, `{"status":501,"times":1}`}, []string{"500  ", "501  ", hello}},
		{"one lets through, the next hits", []string{`{"status":500,"after":1,"times":1}`, `{"status":501,"times":1}`}, []string{"501  ", "500  ", hello}},
		{"lags reach the CRM", []string{`{"lag_ms":1500,"commit_delay_ms":20}`}, []string{"200  lag 1.5s, commit delay 20ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := control.New(toy(nil), control.Options{})
			for _, f := range tt.faults {
				if r := call(h, "POST", "/_sandbox/faults", f); r.Code != http.StatusNoContent {
					t.Fatalf("POST %s: %d %s", f, r.Code, r.Body.String())
				}
			}
			var got []string
			for range tt.want {
				r := call(h, "GET", "/deals/1?path=/x", "")
				got = append(got, fmt.Sprintf("%d %s %s", r.Code, r.Header().Get("Content-Type"), r.Body.String()))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if r := call(h, "GET", "/page", ""); r.Code != http.StatusCreated {
				t.Errorf("a fault hit a page: %d", r.Code)
			}
			call(h, "DELETE", "/_sandbox/faults", "")
			if r := call(h, "GET", "/deals/1", ""); r.Code != http.StatusCreated {
				t.Errorf("after DELETE: %d", r.Code)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		`{"status":429,"retry_after":2}`:                               "2",
		`{"status":429,"retry_after":"Sat, 21 Nov 2026 10:00:00 GMT"}`: "Sat, 21 Nov 2026 10:00:00 GMT",
	} {
		h := control.New(toy(nil), control.Options{})
		call(h, "POST", "/_sandbox/faults", fault)
		if got := call(h, "GET", "/deals", "").Header().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q, want %q", fault, got, want)
		}
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		`{"skew_ms":90000}`:            "Sat, 21 Nov 2026 10:01:30 GMT",
		`{"skew_ms":-86400000}`:        "Fri, 20 Nov 2026 10:00:00 GMT",
		`{"content_type":"text/html"}`: "Sat, 21 Nov 2026 10:00:00 GMT",
	} {
		h := control.New(toy(nil), control.Options{})
		call(h, "POST", "/_sandbox/faults", fault)
		if got := call(h, "GET", "/deals", "").Header().Get("Date"); got != want {
			t.Errorf("%s: Date %q, want %q", fault, got, want)
		}
	}
}

func TestRevoked(t *testing.T) {
	t.Parallel()
	var got []string
	crm := toy(nil)
	crm.Revoke = func(permission string) error {
		got = append(got, permission)
		if permission == "moon.walk" {
			return errors.New("no permission moon.walk")
		}
		return nil
	}
	crm.Restore = func() { got = append(got, "restored") }
	h, fixed := control.New(crm, control.Options{}), control.New(toy(nil), control.Options{})
	tests := []struct {
		name         string
		on           http.Handler
		method, body string
		wantStatus   int
		want         string
	}{
		{"revoke", h, "POST", `{"permission":"deals.read"}`, 204, ""},
		{"unknown permission", h, "POST", `{"permission":"moon.walk"}`, 400, "no permission moon.walk"},
		{"unknown key", h, "POST", `{"permision":"x"}`, 400, `the body must be {"permission":"…"}: json: unknown field "permision"`},
		{"restore", h, "DELETE", "", 204, ""},
		{"revoke of fixed permissions", fixed, "POST", `{"permission":"deals.read"}`, 400, "the permissions of this CRM are fixed"},
		{"restore of fixed permissions", fixed, "DELETE", "", 400, "the permissions of this CRM are fixed"},
	}
	for _, tt := range tests {
		r := call(tt.on, tt.method, "/_sandbox/revoked", tt.body)
		if text := strings.TrimSpace(r.Body.String()); r.Code != tt.wantStatus || text != tt.want {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, r.Code, text, tt.wantStatus, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"deals.read", "moon.walk", "restored"}, got); diff != "" {
		t.Errorf("the CRM was asked (-want +got):\n%s", diff)
	}
	if got, want := call(h, "GET", "/_sandbox/requests", "").Body.String(), `{"total":0,"by_route":{}}`; got != want {
		t.Errorf("revoking is no call: got %s, want %s", got, want)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	crm := toy(nil)
	var got []int
	crm.Use = func(calls int) { got = append(got, calls) }
	h := control.New(crm, control.Options{})
	for body, want := range map[string]int{`{"calls":79990}`: 204, `{"calls":-1}`: 400, `{"calls":"1"}`: 400, `{}`: 400, `{"call":1}`: 400} {
		if r := call(h, "PUT", "/_sandbox/usage", body); r.Code != want {
			t.Errorf("%s: HTTP %d %s, want %d", body, r.Code, r.Body, want)
		}
	}
	if diff := cmp.Diff([]int{79990}, got); diff != "" {
		t.Errorf("the CRM was told (-want +got):\n%s", diff)
	}
}

func TestFaultsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, fault, want string }{
		{"unknown key", `{"status":500,"pathh":"x"}`, `unknown key "pathh"`},
		{"wrong type", `{"status":"500"}`, `key "status": a JSON string does not fit`},
		{"bad path", `{"path":"(","status":500}`, "key \"path\": error parsing regexp: missing closing ): `(`"},
		{"escaping the group", `{"path":"a)|(b","status":500}`, "key \"path\": error parsing regexp: unexpected ): `a)|(b`"},
		{"bad method", `{"method":"[","status":500}`, "key \"method\": error parsing regexp: missing closing ]: `[`"},
		{"negative", `{"status":500,"after":-1}`, "after, times, delay_ms, lag_ms and commit_delay_ms cannot be negative"},
		{"impossible status", `{"status":7}`, `key "status": 7 is not an HTTP status from 200 to 599`},
		{"two answers", `{"code":"X","body":"y"}`, `"code" and "body" exclude each other: both say what the answer holds`},
		{"no effect", `{"path":".*"}`, "a fault needs at least one of status, code, body, content_type, retry_after, delay_ms, skew_ms, truncate, reset, lag_ms, commit_delay_ms"},
		{"skew of no answer of the CRM's", `{"status":500,"skew_ms":-1}`, `key "skew_ms": an answer in the place of the CRM's does not tell the CRM's time`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := control.New(toy(nil), control.Options{})
			r := call(h, "POST", "/_sandbox/faults", tt.fault)
			if got := strings.TrimSpace(r.Body.String()); r.Code != http.StatusBadRequest || got != tt.want {
				t.Errorf("got %d %s, want 400 %s", r.Code, got, tt.want)
			}
		})
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := control.New(toy(nil), control.Options{Latency: 100 * time.Millisecond})
		call(h, "POST", "/_sandbox/faults", `{"method":"GET","delay_ms":2000}`)
		for method, want := range map[string]time.Duration{"GET": 2100 * time.Millisecond, "POST": 100 * time.Millisecond} {
			start := time.Now()
			call(h, method, "/deals", "")
			if got := time.Since(start); got != want {
				t.Errorf("%s took %v, want %v", method, got, want)
			}
		}
		start := time.Now()
		call(h, "GET", "/page", "")
		call(h, "GET", "/_sandbox/log", "")
		if got := time.Since(start); got != 0 {
			t.Errorf("pages and control took %v, want no wait", got)
		}
	})
}

// Calls whose answer is lost on the way are carried out, counted and logged.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, fault string
		lost        func(error) bool
	}{
		{"truncated", `{"truncate":true}`, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"reset", `{"reset":true}`, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(control.New(toy(nil), control.Options{}))
			defer srv.Close()
			r, err := http.Post(srv.URL+"/_sandbox/faults", "", strings.NewReader(tt.fault))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			r, err = http.Post(srv.URL+"/deals", "", strings.NewReader("x"))
			if err == nil {
				_, err = io.ReadAll(r.Body)
				_ = r.Body.Close()
			}
			if !tt.lost(err) {
				t.Errorf("got error %v", err)
			}
			r, err = http.Get(srv.URL + "/_sandbox/log")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			log, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"method":"POST","path":"/deals","query":"","requestBody":"x","status":201,"contentType":"application/json","responseBody":{"hello":"world"}}` + "\n"
			if got := string(log); got != want {
				t.Errorf("log: got %s, want %s", got, want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	crm := toy(nil)
	crm.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, refused := control.Refused(r.Context(), "17")
		_, _ = fmt.Fprintf(w, "%v %s %s %v", refused, refusal.Code, refusal.Message, refusal.Fields)
	})
	h := control.New(crm, control.Options{})
	say := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if got := call(h, "POST", "/deals", "").Body.String(); got != w {
				t.Errorf("got %s, want %s", got, w)
			}
		}
	}
	const none, rule, lock = "false   []", "true RULE no [amount]", "true LOCK wait []"
	say(none)
	for _, body := range []string{
		`{"id":"17","code":"LOCK","message":"wait","times":2}`,
		`{"id":"18","code":"OTHER"}`,
		`{"id":"17","code":"RULE","message":"no","fields":["amount"]}`,
	} {
		if res := call(h, "POST", "/_sandbox/refusals", body); res.Code != http.StatusNoContent {
			t.Errorf("%s: status %d: %s", body, res.Code, res.Body)
		}
	}
	say(lock, lock, rule, rule)
	call(h, "DELETE", "/_sandbox/refusals", "")
	say(none)
	for _, bad := range []string{`{"id":"17"}`, `{"code":"X"}`, `{"id":"17","code":"X","times":-1}`, `{"id":"17","code":"X","status":1}`, `[]`, ``} {
		if res := call(h, "POST", "/_sandbox/refusals", bad); res.Code != http.StatusBadRequest || !strings.HasPrefix(res.Body.String(), "not a refusal: ") {
			t.Errorf("%s: status %d: %s", bad, res.Code, res.Body)
		}
	}
}
