package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ids(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`{"id":"%d"}`, 900000000000000+i)
	}
	return strings.Join(all, ",")
}

func TestReadBatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.call("POST", dealRecords+"/batch/read", `{"inputs":[{"id":"30000000003"},{"id":"30000000001"},{"id":"30000000001"},{"id":"`+nowhere+`"},{"id":"x"}],"properties":["dealname","hs_next_step","no_such"]}`)
	want := `{"status":"COMPLETE","results":[` +
		`{"id":"30000000001","properties":{"createdate":"2026-10-01T09:00:00.000Z","dealname":"Acme GmbH - Platform","hs_lastmodifieddate":"2026-10-03T09:00:00.000Z","hs_next_step":null,"hs_object_id":"30000000001"},"createdAt":"2026-10-01T09:00:00.000Z","updatedAt":"2026-10-03T09:00:00.000Z","archived":false},` +
		`{"id":"30000000003","properties":{"createdate":"2026-10-04T09:00:00.000Z","dealname":"Gamma","hs_lastmodifieddate":"2026-10-04T09:00:00.000Z","hs_next_step":null,"hs_object_id":"30000000003"},"createdAt":"2026-10-04T09:00:00.000Z","updatedAt":"2026-10-04T09:00:00.000Z","archived":false}],` +
		`"numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some DEAL objects, they may be deleted or not exist. Check that ids are valid.","context":{"ids":["999999999999001","x"]}}],` +
		`"startedAt":"2026-11-20T12:00:00.000Z","completedAt":"2026-11-20T12:00:00.000Z"}`
	if diff := cmp.Diff(want, got.Body.String()); got.Code != http.StatusMultiStatus || diff != "" {
		t.Errorf("status %d, answer (-want +got):\n%s", got.Code, diff)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.wait(time.Minute)
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+wonID, `{"properties":{"amount":"50000","dealname":"Acme GmbH - Platform"}}`)
	a.wait(time.Minute)
	if w := a.call("PATCH", "/_sandbox/records/deals/"+wonID, `{"amount":51000}`); w.Code != http.StatusNoContent {
		t.Fatalf("edit: %d %s", w.Code, w.Body)
	}
	got := get[batchAnswer[answer]](a, http.StatusOK, "POST", dealRecords+"/batch/read",
		`{"inputs":[{"id":"`+wonID+`"}],"properties":["amount"],"propertiesWithHistory":["amount","dealstage","dealname","hs_next_step"]}`)
	const ui, app = "CRM_UI", "INTEGRATION"
	want := map[string][]entry{
		"amount": {
			{"51000", "2026-11-20T12:02:00.000Z", ui, "userId:5000001", "", 5000001},
			{"50000", "2026-11-20T12:01:00.000Z", app, "1500001", "Sandbox", 0},
			{"48000", "2026-10-01T09:00:00.000Z", ui, "userId:5000002", "", 5000002},
		},
		"dealstage": {
			{"closedwon", "2026-10-02T09:00:00.000Z", ui, "userId:5000002", "", 5000002},
			{"qualifiedtobuy", "2026-10-01T09:00:00.000Z", ui, "userId:5000002", "", 5000002},
		},
		"dealname":     {{"Acme GmbH - Platform", "2026-10-01T09:00:00.000Z", ui, "userId:5000002", "", 5000002}},
		"hs_next_step": {},
	}
	if diff := cmp.Diff(want, got.Results[0].History); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"51000", "2026-11-20T12:02:00.000Z", "5000001"}, a.values(wonID, "amount", "hs_lastmodifieddate", updatedBy)); diff != "" {
		t.Errorf("deal (-want +got):\n%s", diff)
	}
}

func TestUpdateBatch(t *testing.T) {
	t.Parallel()
	input := func(id, properties string) string { return `{"id":"` + id + `","properties":` + properties + `}` }
	tests := []struct {
		name, inputs string
		status       int
		want         string   // the error's message, or the ids of the results
		values       []string // of amount and dealname of the won deal afterwards
	}{
		{"two deals", input(wonID, `{"amount":"1"}`) + "," + input(openID, `{"amount":"2"}`), 200, wonID + " " + openID, []string{"1", "Acme GmbH - Platform"}},
		{"number and null", input(wonID, `{"amount":1.5,"dealname":null}`), 200, wonID, []string{"1.5", "<nil>"}},
		{"empty clears", input(wonID, `{"amount":""}`), 200, wonID, []string{"<nil>", "Acme GmbH - Platform"}},
		{"missing id", input(wonID, `{"amount":"1"}`) + "," + input(nowhere, `{"amount":"2"}`), 207, wonID, []string{"1", "Acme GmbH - Platform"}},
		{"nothing", "", 200, "", []string{"48000", "Acme GmbH - Platform"}},
		{"bad value beside a good one", input(openID, `{"amount":"many"}`) + "," + input(wonID, `{"amount":"1"}`), 400,
			`Property values were not valid: [{"isValid":false,"message":"many was not a valid number.","error":"INVALID_DOUBLE","name":"amount"}]`, []string{"48000", "Acme GmbH - Platform"}},
		{"every bad value is listed", input(wonID, `{"nope":"1","hs_is_closed_won":"true","dealtype":"other"}`), 400,
			`Property values were not valid: [{"isValid":false,"message":"other was not one of the allowed options: [label: \"newbusiness\" value: \"newbusiness\", label: \"existingbusiness\" value: \"existingbusiness\"]","error":"INVALID_OPTION","name":"dealtype"},` +
				`{"isValid":false,"message":"\"hs_is_closed_won\" is a read only property; its value cannot be set.","error":"READ_ONLY_VALUE","name":"hs_is_closed_won"},` +
				`{"isValid":false,"message":"Property \"nope\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"nope"}]`, []string{"48000", "Acme GmbH - Platform"}},
		{"an id twice", input(wonID, `{"amount":"1"}`) + "," + input(wonID, `{"amount":"2"}`), 400,
			"Duplicate IDs found in batch input: [30000000001]. IDs must be unique", []string{"48000", "Acme GmbH - Platform"}},
		{"a list for a value", input(wonID, `{"amount":[1]}`), 400, "Invalid input JSON on line 1, column 45: Cannot deserialize the value of /inputs/0/properties", []string{"48000", "Acme GmbH - Platform"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			body := `{"inputs":[` + tt.inputs + `]}`
			if tt.status == http.StatusBadRequest {
				if got, want := a.refusal("POST", dealRecords+"/batch/update", body), "400 VALIDATION_ERROR "+tt.want; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			} else {
				got := get[batchAnswer[answer]](a, tt.status, "POST", dealRecords+"/batch/update", body)
				var results []string
				for _, r := range got.Results {
					results = append(results, r.ID)
				}
				if strings.Join(results, " ") != tt.want || got.NumErrors != len(got.Errors) {
					t.Errorf("results %v, %d errors, want %s", results, got.NumErrors, tt.want)
				}
			}
			if diff := cmp.Diff(tt.values, a.values(wonID, "amount", "dealname")); diff != "" {
				t.Errorf("deal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchSizes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, more string
		most       int
	}{
		{dealRecords + "/batch/read", "", 100},
		{dealRecords + "/batch/read", `"propertiesWithHistory":["dealstage"],`, 50},
		{dealRecords + "/batch/update", "", 100},
		{dealRecords + "/batch/create", "", 100},
		{dealRecords + "/batch/archive", "", 100},
		{dealsToContacts + "/batch/read", "", 1000},
		{dealProperties + "/batch/create", "", 100},
	}
	a := newAPI(t)
	for _, tt := range tests {
		want := fmt.Sprintf("400 VALIDATION_ERROR The maximum number of inputs supported in a batch request for this endpoint is %d, %d were sent", tt.most, tt.most+1)
		if got := a.refusal("POST", tt.path, `{`+tt.more+`"inputs":[`+ids(tt.most+1)+`]}`); got != want {
			t.Errorf("%s: got  %s\nwant %s", tt.path, got, want)
		}
	}
	get[batchAnswer[answer]](a, http.StatusMultiStatus, "POST", dealRecords+"/batch/read", `{"inputs":[`+ids(100)+`]}`)
}

// A deal's stage decides what is calculated.
func TestStage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	names := []string{"hs_is_closed", "hs_is_closed_won", "hs_deal_stage_probability", "hs_closed_won_date", "hs_v2_date_entered_closedwon", "hs_v2_date_entered_contractsent", "pipeline"}
	want := []string{"false", "false", "0.9", "<nil>", "<nil>", "2026-10-04T09:00:00.000Z", "default"}
	if diff := cmp.Diff(want, a.values(openID, names...)); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+openID, `{"properties":{"dealstage":"closedwon"}}`)
	want = []string{"true", "true", "1.0", "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:00.000Z", "2026-10-04T09:00:00.000Z", "default"}
	if diff := cmp.Diff(want, a.values(openID, names...)); diff != "" {
		t.Errorf("won (-want +got):\n%s", diff)
	}
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+openID, `{"properties":{"dealstage":"closedlost"}}`)
	want = []string{"true", "false", "0.0", "<nil>", "2026-11-20T12:00:00.000Z", "2026-10-04T09:00:00.000Z", "default"}
	if diff := cmp.Diff(want, a.values(openID, names...)); diff != "" {
		t.Errorf("lost again (-want +got):\n%s", diff)
	}
}

// An update without inputs is done at once, as is one that lacks the list: https://github.com/HubSpot/hubspot-api-nodejs/issues/26
func TestUpdateNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, body := range []string{`{"inputs":[]}`, `{}`} {
		got := get[batchAnswer[answer]](a, http.StatusOK, "POST", dealRecords+"/batch/update", body)
		if got.Status != "COMPLETE" || got.Results == nil || len(got.Results) != 0 || got.NumErrors != 0 {
			t.Errorf("%s: %+v", body, got)
		}
	}
}
