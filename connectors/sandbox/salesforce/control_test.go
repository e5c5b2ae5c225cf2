package salesforce

import (
	"net/http/httptest"
	"testing"
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
