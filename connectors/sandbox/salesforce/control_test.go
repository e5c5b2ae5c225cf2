package salesforce

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"handoff/connectors/sandbox/control"
)

func TestVarying(t *testing.T) {
	t.Parallel()
	for segment, want := range map[string]bool{
		"v62.0": true, "62.0": true, "006000000000001AAA": true, "006000000000001": true, "01g5e0000000001AAA-2000": true,
		"a0X5e0000000001AAA": true,
		"oauth2":             false, "query": false, "unprocessedrecords": false, "successfulResults": false, "Opportunity": false, "data": false,
		"OpportunityContactRole": false, "ContentDocumentLink": false,
	} {
		if got := varying.MatchString(segment); got != want {
			t.Errorf("%q: %t, want %t", segment, got, want)
		}
	}
}

func TestWriteCode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status     int
		code       string
		wantStatus int
		wantBody   string
	}{
		{0, "REQUEST_LIMIT_EXCEEDED", 403, `[{"message":"request limit exceeded (by a fault of the sandbox)","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`},
		{0, "UNABLE_TO_LOCK_ROW", 400, `[{"message":"unable to lock row (by a fault of the sandbox)","errorCode":"UNABLE_TO_LOCK_ROW"}]`},
		{503, "SERVER_UNAVAILABLE", 503, `[{"message":"server unavailable (by a fault of the sandbox)","errorCode":"SERVER_UNAVAILABLE"}]`},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		writeCode(w, tt.status, tt.code)
		if w.Code != tt.wantStatus || w.Body.String() != tt.wantBody || w.Header().Get("Content-Type") != "application/json;charset=UTF-8" {
			t.Errorf("%d %s: got %d %s", tt.status, tt.code, w.Code, w.Body)
		}
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	edit := a.org.Control().Edit
	id := a.create("Account", `{"Name":"A"}`)
	if err := edit(t.Context(), "Account", id, map[string]any{"Phone": "1"}); err != nil {
		t.Fatal(err)
	}
	a.addCustomField("Account.Health__c", `{"label":"Health","type":"Text","length":20}`)
	if err := edit(t.Context(), "Account", id, map[string]any{"Health__c": "Red"}); err != nil {
		t.Errorf("a field that no permission set shows: %v", err)
	}
	var got struct{ Phone, LastModifiedByID string }
	a.into(&got, "GET", "sobjects/Account/"+id, "")
	if got.Phone != "1" || got.LastModifiedByID != adminUserID || got.LastModifiedByID == integrationUserID {
		t.Errorf("got %+v", got)
	}
	for what, err := range map[string]error{
		"unknown record": edit(t.Context(), "Account", "001000000000001AAA", map[string]any{"Phone": "1"}),
		"unknown field":  edit(t.Context(), "Account", id, map[string]any{"Bogus": "1"}),
		"unknown object": edit(t.Context(), "Bogus", id, map[string]any{"Phone": "1"}),
		"bad value":      edit(t.Context(), "Account", id, map[string]any{"NumberOfEmployees": "many"}),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	for _, limited := range []bool{true, false} {
		a := newAPI(t)
		want := []string{"api-usage=1/100000", "api-usage=2/100000"}
		if !limited {
			a.org.NoLimits()
			want = []string{"api-usage=0/100000", "api-usage=0/100000"}
		}
		for _, w := range want {
			if got := a.call("GET", "limits", "").Header.Get("Sforce-Limit-Info"); got != w {
				t.Errorf("limited %t: %q, want %q", limited, got, w)
			}
		}
	}
}

// A row that is committed late carries an earlier stamp than rows that were seen before it.
func TestCommitDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		org, err := New(time.Now) // midnight of 2000-01-01 here
		if err != nil {
			t.Fatal(err)
		}
		defer org.Close()
		h := control.New(org.Control(), control.Options{})
		token := org.sessions.start(user{ID: integrationUserID}, time.Now())
		call := func(method, path, body string) string {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Body.String()
		}
		const accounts = "/services/data/v62.0/sobjects/Account"
		late, prompt := newID("001", 1), newID("001", 2)
		call("POST", accounts, `{"Name":"late"}`)
		call("POST", accounts, `{"Name":"prompt"}`)
		stored := func(id string) (s struct{ Phone, SystemModstamp string }) {
			if err := json.Unmarshal([]byte(call("GET", accounts+"/"+id, "")), &s); err != nil {
				t.Fatal(err)
			}
			return s
		}
		check := func(when, id, phone, stamp string) {
			t.Helper()
			if got := stored(id); got.Phone != phone || got.SystemModstamp != stamp {
				t.Errorf("%s: %+v, want %s %s", when, got, phone, stamp)
			}
		}

		call("POST", "/_sandbox/faults", `{"method":"PATCH","path":".*/Account/.*","times":1,"commit_delay_ms":5000}`)
		time.Sleep(10 * time.Second)
		go call("PATCH", accounts+"/"+late, `{"Phone":"1"}`)
		time.Sleep(2 * time.Second)
		call("PATCH", accounts+"/"+prompt, `{"Phone":"2"}`)
		check("not committed", late, "", "2000-01-01T00:00:00.000+0000")
		check("not held up", prompt, "2", "2000-01-01T00:00:12.000+0000")
		time.Sleep(4 * time.Second)
		check("committed", late, "1", "2000-01-01T00:00:10.000+0000")
	})
}
