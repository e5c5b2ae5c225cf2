package hubspot

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOwners(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	type owners struct {
		Results []owner `json:"results"`
		Paging  *page   `json:"paging"`
	}
	first := get[owners](a, http.StatusOK, "GET", "/crm/v3/owners/?limit=1", "")
	if first.Results[0].Email != "casey@sandbox.example" || first.Paging == nil {
		t.Fatalf("first page: %v", first)
	}
	second := get[owners](a, http.StatusOK, "GET", "/crm/owners/2026-09?limit=1&after="+first.Paging.Next.After, "")
	if second.Results[0].ID != repID || second.Paging != nil {
		t.Errorf("second page: %v", second)
	}
	former := get[owners](a, http.StatusOK, "GET", "/crm/v3/owners?archived=true", "")
	if len(former.Results) != 1 || former.Results[0].ID != formerID || former.Results[0].UserID != 0 || former.Results[0].UserIDIncludingInactive == 0 {
		t.Errorf("former: %v", former.Results)
	}
	if got := get[owners](a, http.StatusOK, "GET", "/crm/v3/owners?email=rep@sandbox.example", ""); len(got.Results) != 1 {
		t.Errorf("by address: %v", got.Results)
	}
	if got := get[owner](a, http.StatusOK, "GET", "/crm/v3/owners/"+repID, ""); got.UserID != repUser {
		t.Errorf("by id: %v", got)
	}
	if got := get[owner](a, http.StatusOK, "GET", "/crm/v3/owners/5000003?idProperty=userId&archived=true", ""); got.ID != formerID {
		t.Errorf("by user: %v", got)
	}
}

func TestPipelines(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const won = `{"id":"closedwon","label":"Closed Won","displayOrder":5,"metadata":{"isClosed":"true","probability":"1.0"},"createdAt":"2026-11-20T12:00:00.000Z","updatedAt":"2026-11-20T12:00:00.000Z","archived":false`
	for path, want := range map[string]string{
		"/crm/v3/pipelines/deals/default":        won + `}`,
		"/crm/pipelines/2026-09/deals/default":   won + `,"writePermissions":"CRM_PERMISSIONS_ENFORCEMENT"}`,
		"/crm/pipelines/2026-03/deals":           won + `,"writePermissions":"CRM_PERMISSIONS_ENFORCEMENT"}`,
		"/crm/pipelines/2026-03/contacts":        `{"results":[]}`,
		"/crm/pipelines/2026-03/contacts/nobody": `"category":"OBJECT_NOT_FOUND"`,
	} {
		if diff := cmp.Diff(want, cut(a.call("GET", path, "").Body.String(), want)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
