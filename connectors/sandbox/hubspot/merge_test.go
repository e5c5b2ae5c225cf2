package hubspot

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Two deals become a third, which nobody may take for one of the two.
func TestMerge(t *testing.T) {
	t.Parallel()
	const merge = "/crm/objects/2026-09/deals/merge"
	a := newAPI(t)
	a.call("PATCH", dealRecords+"/"+openID, `{"properties":{"description":"from the other","dealname":"Other"}}`)
	won, open := a.values(wonID, "dealname", "dealstage"), a.values(openID, "hs_next_step", "description")
	made := get[answer](a, http.StatusOK, "POST", merge, `{"primaryObjectId":"`+wonID+`","objectIdToMerge":"`+openID+`"}`)
	if made.ID == wonID || made.ID == openID {
		t.Fatalf("the merged deal is %s", made.ID)
	}
	if diff := cmp.Diff(append(won, open[1], wonID+";"+openID), a.values(made.ID, "dealname", "dealstage", "description", mergedIDs)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, id := range []string{wonID, openID} {
		if got := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+id, ""); got.ID != made.ID {
			t.Errorf("%s is answered by %s, want %s", id, got.ID, made.ID)
		}
		for _, archived := range []string{"", "?archived=true"} {
			got := get[batchAnswer[answer]](a, http.StatusOK, "POST", dealRecords+"/batch/read"+archived, `{"inputs":[{"id":"`+id+`"}]}`)
			if len(got.Results)+len(got.Errors) > 0 {
				t.Errorf("a batch%s tells of %s: %+v", archived, id, got)
			}
		}
		none := a.call("POST", dealsToContacts+"/batch/read", `{"inputs":[{"id":"`+id+`"}]}`)
		if none.Code != http.StatusMultiStatus {
			t.Errorf("%s still has contacts: %s", id, none.Body)
		}
	}
	got := get[batchAnswer[associations]](a, http.StatusOK, "POST", dealsToContacts+"/batch/read", `{"inputs":[{"id":"`+made.ID+`"}]}`)
	if n := len(got.Results[0].To); n != 2 {
		t.Errorf("the merged deal has %d contacts, want 2", n)
	}
	history := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+made.ID+"?propertiesWithHistory=dealname", "").History["dealname"]
	if len(history) < 2 || history[0].Value != won[0] {
		t.Errorf("history of the name: %+v", history)
	}
	if got, want := a.refusal("POST", merge, `{"primaryObjectId":"`+made.ID+`","objectIdToMerge":"`+wonID+`"}`), "404 OBJECT_NOT_FOUND Object not found.  objectId are usually numeric. ("+wonID+")"; got != want {
		t.Errorf("merged twice: %s, want %s", got, want)
	}
	if got, want := a.refusal("POST", merge, `{"primaryObjectId":"`+made.ID+`","objectIdToMerge":"`+made.ID+`"}`), "400 VALIDATION_ERROR Cannot merge deal "+made.ID+" with itself"; got != want {
		t.Errorf("merged with itself: %s, want %s", got, want)
	}
}
