package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (l listing) ids() string {
	var ids []string
	for _, r := range l.Results {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

func TestList(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := get[listing](a, http.StatusOK, "GET", dealRecords+"?limit=2&properties=dealname,amount&properties=pipeline", "")
	if got, want := first.ids(), wonID+" "+lostID; got != want || first.Paging.Next.After != lostID {
		t.Fatalf("got %s, after %s, want %s", got, first.Paging.Next.After, want)
	}
	if got, want := len(first.Results[0].Properties), 6; got != want { // and three that are always there
		t.Errorf("%d properties, want %d", got, want)
	}
	if want := "http://example.com" + dealRecords + "?after=30000000002&limit=2&properties=dealname%2Camount&properties=pipeline"; first.Paging.Next.Link != want {
		t.Errorf("link %s, want %s", first.Paging.Next.Link, want)
	}
	second := get[listing](a, http.StatusOK, "GET", dealRecords+"?limit=2&after=30000000002", "")
	if got := second.ids(); got != openID || second.Paging != nil {
		t.Errorf("second page: got %s, paging %v", got, second.Paging)
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.wait(time.Minute)
	for _, call := range []struct{ method, path, body string }{
		{"DELETE", dealRecords + "/" + wonID, ""},
		{"DELETE", dealRecords + "/" + nowhere, ""},
		{"POST", dealRecords + "/batch/archive", `{"inputs":[{"id":"` + lostID + `"},{"id":"` + wonID + `"}]}`},
	} {
		if w := a.call(call.method, call.path, call.body); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
			t.Errorf("%s %s: status %d %s", call.method, call.path, w.Code, w.Body)
		}
	}
	if got := get[listing](a, http.StatusOK, "GET", dealRecords, "").ids(); got != openID {
		t.Errorf("live: %s", got)
	}
	archived := get[listing](a, http.StatusOK, "GET", dealRecords+"?archived=true", "")
	if got, want := archived.ids(), wonID+" "+lostID; got != want {
		t.Errorf("archived: %s, want %s", got, want)
	}
	first := archived.Results[0]
	if got, want := []any{first.Archived, first.ArchivedAt, first.UpdatedAt}, []any{true, "2026-11-20T12:01:00.000Z", "2026-10-03T09:00:00.000Z"}; !cmp.Equal(got, want) {
		t.Errorf("archived deal: %v, want %v", got, want)
	}
	if got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", "{}").names(); got != "open" {
		t.Errorf("searched: %s", got)
	}
	get[answer](a, http.StatusOK, "GET", dealRecords+"/"+wonID+"?archived=true", "")
	get[batchAnswer[answer]](a, http.StatusOK, "POST", dealRecords+"/batch/read?archived=true", `{"inputs":[{"id":"`+wonID+`"}]}`)
	get[batchAnswer[answer]](a, http.StatusMultiStatus, "POST", dealRecords+"/batch/read", `{"inputs":[{"id":"`+wonID+`"}]}`)
	get[batchAnswer[associations]](a, http.StatusMultiStatus, "POST", dealsToContacts+"/batch/read", `{"inputs":[{"id":"`+wonID+`"}]}`)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.wait(time.Minute)
	note := get[answer](a, http.StatusCreated, "POST", "/crm/v3/objects/notes",
		`{"properties":{"hs_note_body":"<p>Hi</p>","hs_timestamp":"2026-11-20T12:00:00Z"},"associations":[{"to":{"id":"`+wonID+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":214}]}]}`)
	if got, want := *note.Properties["hs_timestamp"], "2026-11-20T12:00:00.000Z"; got != want {
		t.Errorf("hs_timestamp %s, want %s", got, want)
	}
	tied := get[batchAnswer[associations]](a, http.StatusOK, "POST", "/crm/v4/associations/deals/notes/batch/read", `{"inputs":[{"id":"`+wonID+`"}]}`)
	if got := tied.Results[0].To[0].Types; len(got) != 1 || got[0].TypeID != 213 {
		t.Errorf("association types %v, want 213", got)
	}
	if got, want := a.values(wonID, "hs_lastmodifieddate")[0], "2026-11-20T12:01:00.000Z"; got != want {
		t.Errorf("a logged note leaves the deal modified at %s, want %s", got, want)
	}

	const bad = "400 VALIDATION_ERROR "
	for body, want := range map[string]string{
		`{"properties":{"hs_note_body":"x"}}`:               "Error creating NOTE. Some required properties were not set: [hs_timestamp]",
		`{"properties":{"hs_timestamp":"1","subject":"x"}}`: `Property values were not valid: [{"isValid":false,"message":"Property \"subject\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"subject"}]`,
		`{"properties":{"hs_timestamp":"1"},"associations":[{"to":{"id":"` + wonID + `"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":3}]}]}`:     "3 (HUBSPOT_DEFINED) is not a valid association type of notes",
		`{"properties":{"hs_timestamp":"1"},"associations":[{"to":{"id":"` + nowhere + `"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":214}]}]}`: "Could not associate: there is no deal with id " + nowhere,
	} {
		if got := a.refusal("POST", "/crm/v3/objects/notes", body); got != bad+want {
			t.Errorf("%s: got  %s\nwant %s", body, got, bad+want)
		}
	}
	if got := get[listing](a, http.StatusOK, "GET", "/crm/v3/objects/notes", ""); len(got.Results) != 1 {
		t.Errorf("%d notes, want the one that was not refused", len(got.Results))
	}
	made := get[batchAnswer[answer]](a, http.StatusCreated, "POST", "/crm/v3/objects/companies/batch/create", `{"inputs":[{"properties":{"name":"A"}},{"properties":{"name":"B"}}]}`)
	if len(made.Results) != 2 || *made.Results[1].Properties["name"] != "B" {
		t.Errorf("batch create: %v", made.Results)
	}
}
