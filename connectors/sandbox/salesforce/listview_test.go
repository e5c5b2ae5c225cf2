package salesforce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ghostView = `{"listViewApiName":"Ghost_Handoffs","label":"Ghost or incomplete handoffs","visibility":"Public","scope":{"apiName":"everything"},
	"displayColumns":["Name","Account.Name","Owner.Name","Amount","Health__c"],"filterLogicString":"1 AND (2 OR 3)",
	"filteredByInfo":[{"fieldApiName":"IsWon","operator":"Equals","operandLabels":["True"]},
		{"fieldApiName":"Health__c","operator":"Equals","operandLabels":["Red","Yellow"]},
		{"fieldApiName":"CloseDate","operator":"GreaterOrEqual","operandLabels":["LAST 90 DAYS"]}]}`

// addHealth makes a field that list views can show, and shows it to the integration's user.
func (a *api) addHealth() (fieldID string) {
	fieldID = a.addCustomField("Opportunity.Health__c", `{"label":"Health","type":"Picklist","valueSet":{"restricted":true,"valueSetDefinition":{"value":[`+
		`{"fullName":"Green","label":"Green"},{"fullName":"Yellow","label":"Yellow"},{"fullName":"Red","label":"Red"}]}}}`)
	set := a.create("PermissionSet", `{"Name":"Health","Label":"Health"}`)
	a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
	a.create("FieldPermissions", fmt.Sprintf(`{"ParentId":%q,"SobjectType":"Opportunity","Field":"Opportunity.Health__c","PermissionsRead":true}`, set))
	return fieldID
}

type listInfo struct {
	Label             string
	FilterLogicString *string
	DisplayColumns    []struct {
		FieldAPIName, Label string
		Sortable            bool
	}
	FilteredByInfo []struct {
		FieldAPIName, Label, Operator string
		OperandLabels                 []string
	}
	ListReference struct{ ID, ListViewAPIName, ObjectAPIName, Type string }
	Scope         struct{ APIName, Label string }
	Visibility    string
}

func TestListView(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	field := a.addHealth()
	r := a.call("POST", "ui-api/list-info/Opportunity", ghostView)
	if r.Status != http.StatusCreated {
		t.Fatalf("HTTP %d: %s", r.Status, r.Text)
	}
	var got listInfo
	a.into(&got, "GET", "ui-api/list-info/Opportunity/Ghost_Handoffs", "")
	logic := "1 AND (2 OR 3)"
	want := listInfo{Label: "Ghost or incomplete handoffs", FilterLogicString: &logic, Visibility: "Public"}
	want.Scope.APIName, want.Scope.Label = "everything", "All opportunities"
	want.ListReference.ID, want.ListReference.ListViewAPIName = got.ListReference.ID, "Ghost_Handoffs"
	want.ListReference.ObjectAPIName, want.ListReference.Type = "Opportunity", "listView"
	if err := json.Unmarshal([]byte(`{"displayColumns":[{"fieldApiName":"Name","label":"Name","sortable":true},{"fieldApiName":"Account.Name","label":"Name","sortable":true},
		{"fieldApiName":"Owner.Name","label":"Name","sortable":true},{"fieldApiName":"Amount","label":"Amount","sortable":true},
		{"fieldApiName":"Health__c","label":"Health","sortable":true}],
		"filteredByInfo":[{"fieldApiName":"IsWon","label":"Is Won","operandLabels":["True"],"operator":"Equals"},
		{"fieldApiName":"Health__c","label":"Health","operandLabels":["Red","Yellow"],"operator":"Equals"},
		{"fieldApiName":"CloseDate","label":"Close Date","operandLabels":["LAST 90 DAYS"],"operator":"GreaterOrEqual"}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list info (-want +got):\n%s", diff)
	}

	find := func() (ids []string) {
		var page struct{ Records []struct{ ID, Name string } }
		a.into(&page, "GET", "query?q=SELECT+Id,DeveloperName,Name+FROM+ListView+WHERE+SobjectType='Opportunity'+AND+DeveloperName='Ghost_Handoffs'", "")
		for _, r := range page.Records {
			ids = append(ids, r.ID+" "+r.Name)
		}
		return ids
	}
	if diff := cmp.Diff([]string{got.ListReference.ID + " Ghost or incomplete handoffs"}, find()); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if got := a.codes("POST", "ui-api/list-info/Opportunity", strings.Replace(ghostView, "listViewApiName", "listviewapiname", 1)); got != "400 JSON_PARSER_ERROR" {
		t.Errorf("keys in other letters: %s", got)
	}
	if got := a.codes("POST", "ui-api/list-info/Opportunity", ghostView); got != "400 DUPLICATE_DEVELOPER_NAME" {
		t.Errorf("again: %s", got)
	}

	// What counts on a field goes with it.
	a.call("DELETE", "tooling/sobjects/CustomField/"+field, "")
	got = listInfo{}
	a.into(&got, "GET", "ui-api/list-info/opportunity/ghost_handoffs", "")
	if len(got.DisplayColumns) != 4 || len(got.FilteredByInfo) != 2 || got.FilterLogicString != nil {
		t.Errorf("without the field: %+v", got)
	}

	if got := a.codes("DELETE", "ui-api/list-info/Opportunity/Ghost_Handoffs", ""); got != "OK" {
		t.Errorf("delete: %s", got)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if got := a.codes(method, "ui-api/list-info/Opportunity/Ghost_Handoffs", ""); got != "404 NOT_FOUND" {
			t.Errorf("%s of a deleted view: %s", method, got)
		}
	}
	if ids := find(); ids != nil {
		t.Errorf("query of a deleted view: %v", ids)
	}
}

func TestListViewDefaults(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var got listInfo
	a.into(&got, "POST", "ui-api/list-info/Account", `{"label":"Big & new"}`)
	if got.ListReference.ListViewAPIName != "Big_new" || got.Visibility != "Private" || got.Scope.APIName != "everything" || len(got.DisplayColumns) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestListViewRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.addHealth()
	a.addCustomField("Opportunity.Secret__c", `{"label":"Secret","type":"Text","length":20}`)
	filter := func(field, operator, operands string) string {
		return fmt.Sprintf(`"filteredByInfo":[{"fieldApiName":%q,"operator":%q,"operandLabels":[%s]}]`, field, operator, operands)
	}
	tests := []struct{ name, object, rest, want string }{
		{"unknown key", "Opportunity", `"columns":["Name"]`, "400 JSON_PARSER_ERROR"},
		{"unknown object", "Bogus", `"visibility":"Public"`, "404 NOT_FOUND"},
		{"history", "OpportunityHistory", `"visibility":"Public"`, "404 NOT_FOUND"},
		{"bad API name", "Opportunity", `"listViewApiName":"Ghost__Handoffs"`, "400 FIELD_INTEGRITY_EXCEPTION"},
		{"unknown column", "Opportunity", `"displayColumns":["Name","Bogus"]`, "400 INVALID_FIELD"},
		{"column that is not seen", "Opportunity", `"displayColumns":["Secret__c"]`, "400 INVALID_FIELD"},
		{"column over an unknown relationship", "Opportunity", `"displayColumns":["Bogus.Name"]`, "400 INVALID_FIELD"},
		{"column twice", "Opportunity", `"displayColumns":["Name","Name"]`, "400 DUPLICATE_VALUE"},
		{"unknown visibility", "Opportunity", `"visibility":"Everybody"`, "400 INVALID_INPUT"},
		{"shared with nobody", "Opportunity", `"visibility":"Shared"`, "400 INVALID_INPUT"},
		{"unknown scope", "Opportunity", `"scope":{"apiName":"all"}`, "400 INVALID_INPUT"},
		{"filter by an unknown field", "Opportunity", filter("Bogus", "Equals", `"1"`), "400 INVALID_FIELD"},
		{"filter by long text", "Opportunity", filter("Description", "Contains", `"x"`), "400 INVALID_FIELD"},
		{"unknown operator", "Opportunity", filter("Name", "Like", `"x"`), "400 INVALID_INPUT"},
		{"operator of another type", "Opportunity", filter("IsWon", "GreaterThan", `"0"`), "400 INVALID_INPUT"},
		{"operator of lists", "Opportunity", filter("Health__c", "Includes", `"Red"`), "400 INVALID_INPUT"},
		{"no operands", "Opportunity", filter("Health__c", "Equals", ``), "400 INVALID_INPUT"},
		{"no value of the picklist", "Opportunity", filter("Health__c", "Equals", `"Blue"`), "400 INVALID_INPUT"},
		{"no number", "Opportunity", filter("Amount", "GreaterThan", `"much"`), "400 INVALID_INPUT"},
		{"no day", "Opportunity", filter("CloseDate", "GreaterThan", `"soon"`), "400 INVALID_INPUT"},
		{"no truth", "Opportunity", filter("IsWon", "Equals", `"yes"`), "400 INVALID_INPUT"},
		{"logic without filters", "Opportunity", `"filterLogicString":"1"`, "400 INVALID_INPUT"},
		{"bad logic", "Opportunity", filter("IsWon", "Equals", `"1"`) + `,"filterLogicString":"1 OR 2"`, "400 INVALID_INPUT"},
	}
	for _, tt := range tests {
		if got := a.codes("POST", "ui-api/list-info/"+tt.object, `{"label":"L",`+tt.rest+`}`); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for label, want := range map[string]string{"": "400 REQUIRED_FIELD_MISSING", strings.Repeat("x", 41): "400 STRING_TOO_LONG"} {
		if got := a.codes("POST", "ui-api/list-info/Account", fmt.Sprintf(`{"label":%q}`, label)); got != want {
			t.Errorf("label %q: %s, want %s", label, got, want)
		}
	}
	if got := a.codes("POST", "/services/data/v60.0/ui-api/list-info/Account", `{"label":"L"}`); got != "404 NOT_FOUND" {
		t.Errorf("before version 61: %s", got)
	}
	if got := a.codes("POST", "sobjects/ListView", `{"Name":"L"}`); got != "400 INVALID_TYPE_FOR_OPERATION" {
		t.Errorf("as a record: %s", got)
	}
}

func TestCheckLogic(t *testing.T) {
	t.Parallel()
	tests := []struct {
		logic   string
		filters int
		want    string
	}{
		{"", 3, ""},
		{"1", 1, ""},
		{"1 AND 2 AND 3", 3, ""},
		{"(1 or 2) and not 3", 3, ""},
		{"1 AND(2 OR 3)", 3, ""},
		{"1 AND 2 OR 3", 3, "AND and OR side by side need parentheses"},
		{"1 AND 2", 3, "filter 3 is not used"},
		{"1 AND 4", 2, "there is no filter 4"},
		{"1 AND 0", 1, "there is no filter 0"},
		{"1 AND", 1, "it ends too early"},
		{"(1 AND 2", 2, "a parenthesis is not closed"},
		{"1 2", 2, "unexpected 2"},
		{"AND 1", 1, "unexpected AND"},
		{"1)", 1, "unexpected )"},
		{"1 XOR 2", 2, "only numbers, AND, OR, NOT and parentheses can stand here"},
		{"99999999999999999999", 1, "unexpected 99999999999999999999"},
		{strings.Repeat("(", 200) + "1", 1, "nested too deep"},
	}
	for _, tt := range tests {
		got := ""
		if err := checkLogic(tt.logic, tt.filters); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q of %d filters: %q, want %q", tt.logic, tt.filters, got, tt.want)
		}
	}
}

func FuzzCheckLogic(f *testing.F) {
	for _, s := range []string{"1", "(1 OR 2) AND NOT 3", "1 AND 2 OR 3", "((1", "1 1", "ANDOR"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, logic string, n int) {
		if n < 0 || n > maxListFilters {
			return
		}
		if checkLogic(logic, n) == nil && checkLogic("("+logic+")", n) != nil && strings.TrimSpace(logic) != "" && strings.Count(logic, "(")+strings.Count(strings.ToUpper(logic), "NOT") < maxLogicDepth/2 {
			t.Errorf("%q is good, but not in parentheses", logic)
		}
	})
}
