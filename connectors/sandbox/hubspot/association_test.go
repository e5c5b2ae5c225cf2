package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAssociations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.call("POST", dealsToContacts+"/batch/read", `{"inputs":[{"id":"`+wonID+`"},{"id":"`+openID+`"},{"id":"`+nowhere+`"}]}`)
	none := func(id string) string {
		return `{"status":"error","category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND","message":"No contact is associated with deal ` + id + `.","context":{"fromObjectId":["` + id + `"],"fromObjectType":["deal"],"toObjectType":["contact"]}}`
	}
	want := `{"status":"COMPLETE","results":[{"from":{"id":"30000000001"},"to":[` +
		`{"toObjectId":10000000001,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":3,"label":null},{"category":"USER_DEFINED","typeId":81,"label":"Decision maker"}]},` +
		`{"toObjectId":10000000002,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":3,"label":null}]}]}],` +
		`"numErrors":2,"errors":[` + none(openID) + `,` + none(nowhere) + `],"startedAt":"2026-11-20T12:00:00.000Z","completedAt":"2026-11-20T12:00:00.000Z"}`
	if diff := cmp.Diff(want, got.Body.String()); got.Code != http.StatusMultiStatus || diff != "" {
		t.Errorf("status %d, answer (-want +got):\n%s", got.Code, diff)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for path, want := range map[string]string{
		"/crm/v4/associations/deals/contacts/labels":       `{"results":[{"category":"HUBSPOT_DEFINED","typeId":3,"label":null},{"category":"USER_DEFINED","typeId":81,"label":"Decision maker"}]}`,
		"/crm/associations/2026-09/contacts/deals/labels":  `{"results":[{"category":"HUBSPOT_DEFINED","typeId":4,"label":null},{"category":"USER_DEFINED","typeId":82,"label":"Decision maker"}]}`,
		"/crm/associations/2026-03/deals/0-2/labels":       `{"results":[{"category":"HUBSPOT_DEFINED","typeId":341,"label":null},{"category":"HUBSPOT_DEFINED","typeId":5,"label":"Primary"}]}`,
		"/crm/associations/2026-09/companies/notes/labels": `{"results":[{"category":"HUBSPOT_DEFINED","typeId":189,"label":null}]}`,
		"/crm/associations/2026-09/calls/notes/labels":     `{"results":[]}`,
		"/crm/associations/2026-09/contacts/tasks/labels/": `{"results":[{"category":"HUBSPOT_DEFINED","typeId":203,"label":null}]}`,
	} {
		if got := a.call("GET", path, "").Body.String(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", path, got, want)
		}
	}
}

// What a record is associated with comes with it, an entry for each type.
func TestAssociationsOfOne(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	err := a.portal.load(t.Context(), func(ctx context.Context, t *tx) error {
		for i, label := range []string{"Primary", ""} {
			id, err := t.insert(ctx, newRecord{Object: "companies", Properties: map[string]string{"name": "Acme"}})
			if err != nil {
				return err
			}
			if err := t.associate(ctx, ref{"deals", wonID}, ref{"companies", id}, []string{label}[:1-i]...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for kind, all := range get[answer](a, http.StatusOK, "GET", dealRecords+"/"+wonID+"?associations=contacts,companies&associations=notes", "").Associations {
		for _, r := range all.Results {
			got[kind] = append(got[kind], r.Type)
		}
	}
	want := map[string][]string{
		"contacts":  {"deal_to_contact", "decision_maker", "deal_to_contact"},
		"companies": {"deal_to_company", "deal_to_company_unlabeled", "deal_to_company_unlabeled"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for query, want := range map[string]string{
		"associations=pets":   "400 VALIDATION_ERROR Unable to infer object type from: pets",
		"associations=emails": "403 MISSING_SCOPES ",
	} {
		a.portal.grants.revoked = map[string]bool{"sales-email-read": true}
		if got := a.refusal("GET", dealRecords+"/"+wonID+"?"+query, ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// A record with many associations is paged by itself, whatever the others of the batch have.
func TestAssociationPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	err := a.portal.load(t.Context(), func(ctx context.Context, t *tx) error {
		for range associationsPerPage + 5 {
			id, err := t.insert(ctx, newRecord{Object: "notes", Properties: map[string]string{"hs_timestamp": "1"}})
			if err != nil {
				return err
			}
			if err := t.associate(ctx, ref{"deals", wonID}, ref{"notes", id}); err != nil {
				return err
			}
		}
		return t.associate(ctx, ref{"deals", openID}, ref{"notes", "50000000001"})
	})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/crm/v4/associations/deals/notes/batch/read"
	page1 := get[batchAnswer[associations]](a, http.StatusOK, "POST", path, `{"inputs":[{"id":"`+wonID+`"},{"id":"`+openID+`"}]}`).Results
	if len(page1[0].To) != 100 || page1[0].Paging == nil || len(page1[1].To) != 1 || page1[1].Paging != nil {
		t.Fatalf("first page: %d and %d associations, paging %v and %v", len(page1[0].To), len(page1[1].To), page1[0].Paging, page1[1].Paging)
	}
	page2 := get[batchAnswer[associations]](a, http.StatusOK, "POST", path, `{"inputs":[{"id":"`+wonID+`","after":"`+page1[0].Paging.Next.After+`"}]}`).Results
	if len(page2[0].To) != 5 || page2[0].Paging != nil {
		t.Errorf("second page: %d associations, paging %v", len(page2[0].To), page2[0].Paging)
	}
	alone := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+wonID+"?associations=notes,calls", "").Associations
	if notes := alone["notes"]; len(alone) != 1 || len(notes.Results) != 100 || notes.Paging == nil || notes.Results[0].Type != "deal_to_note" {
		t.Errorf("beside the deal: %v", alone)
	}
	if got, want := a.refusal("POST", path, `{"inputs":[{"id":"1","after":"x"}]}`), `400 VALIDATION_ERROR Invalid paging cursor "x"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A record counts the records that it is associated with, whatever their labels, and searches find it by that.
func TestCounted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	err := a.portal.load(t.Context(), func(ctx context.Context, t *tx) error {
		for _, name := range []string{"Acme", "Beta"} {
			id, err := t.insert(ctx, newRecord{Object: "companies", Properties: map[string]string{"name": name}})
			if err != nil || name == "Beta" {
				return err
			}
			for _, deal := range []string{wonID, openID} {
				if err := t.associate(ctx, ref{"deals", deal}, ref{"companies", id}, "Primary"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]string{"companies": "2", "contacts": "1"} {
		body := `{"filterGroups":[{"filters":[{"propertyName":"num_associated_deals","operator":"GT","value":"0"}]}],"properties":["num_associated_deals"]}`
		var counts []string
		for _, r := range get[found](a, http.StatusOK, "POST", "/crm/objects/2026-09/"+object+"/search", body).Results {
			counts = append(counts, *r.Properties["num_associated_deals"])
		}
		if len(counts) == 0 || slices.ContainsFunc(counts, func(n string) bool { return n != want }) {
			t.Errorf("%s: %v deals, want %s", object, counts, want)
		}
	}
}
