package hubspot

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		`{"code":"MISSING_SCOPES"}`:                 "403 MISSING_SCOPES missing scopes (by a fault of the sandbox)",
		`{"code":"EXPIRED_AUTHENTICATION"}`:         "401 EXPIRED_AUTHENTICATION expired authentication (by a fault of the sandbox)",
		`{"code":"VALIDATION_ERROR"}`:               "400 VALIDATION_ERROR validation error (by a fault of the sandbox)",
		`{"code":"SECONDLY"}`:                       "429  You have reached your secondly limit.",
		`{"code":"DAILY","retry_after":3}`:          "429  You have reached your daily limit.",
		`{"code":"INTERNAL_ERROR","status":503}`:    "503 INTERNAL_ERROR internal error (by a fault of the sandbox)",
		`{"code":"TEN_SECONDLY_ROLLING","after":0}`: "429  You have reached your ten_secondly_rolling limit.",
	} {
		a := newAPI(t)
		a.fault(fault)
		if got := a.refusal("GET", dealRecords, ""); got != want {
			t.Errorf("%s: got %s, want %s", fault, got, want)
		}
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.wait(time.Minute)
	for _, tt := range []struct{ path, body, want string }{
		{"deals/" + wonID, `{"dealname":"Renamed","amount":12.5,"hs_next_step":null}`, ""},
		{"deals/" + nowhere, `{"amount":1}`, "OBJECT_NOT_FOUND: Object not found.  objectId are usually numeric. (999999999999001)\n"},
		{"deals/" + wonID, `{"amount":[1]}`, "property amount: a value is a string, a number, true, false or null\n"},
		{"deals/" + wonID, `{"amount":"x"}`, `VALIDATION_ERROR: Property values were not valid: [{"isValid":false,"message":"x was not a valid number.","error":"INVALID_DOUBLE","name":"amount"}]` + "\n"},
		{"tickets/1", `{"amount":1}`, `there is no object "tickets"` + "\n"},
	} {
		if got := a.call("PATCH", "/_sandbox/records/"+tt.path, tt.body).Body.String(); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.path, tt.body, got, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"Renamed", "12.5", "2026-11-20T12:01:00.000Z"}, a.values(wonID, "dealname", "amount", "hs_lastmodifieddate")); diff != "" {
		t.Errorf("deal (-want +got):\n%s", diff)
	}
	if got, want := a.call("GET", "/_sandbox/requests", "").Body.String(), `{"total":1,"by_route":{"GET /crm/objects/…/deals/…":1}}`; got != want {
		t.Errorf("counts %s, want %s", got, want)
	}
}
