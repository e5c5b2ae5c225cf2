package salesforce

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// revoke takes a permission away as the control endpoint does.
func (a *api) revoke(permission string) {
	a.t.Helper()
	if err := a.org.Control().Revoke(permission); err != nil {
		a.t.Fatal(err)
	}
}

// codes returns the errors of a request, "OK" where it was answered well, with a code for each row of a collection.
func (a *api) codes(method, path, body string) string {
	a.t.Helper()
	r := a.call(method, path, body)
	var rows []struct {
		ErrorCode string
		Success   bool
		Errors    []struct{ StatusCode, Message string }
	}
	if r.Status < 300 && !strings.HasPrefix(r.Text, "[") {
		return "OK"
	}
	if err := json.Unmarshal([]byte(r.Text), &rows); err != nil {
		a.t.Fatalf("%s %s: HTTP %d: %v: %s", method, path, r.Status, err, r.Text)
	}
	var codes []string
	for _, row := range rows {
		switch {
		case row.ErrorCode != "":
			codes = append(codes, fmt.Sprint(r.Status, " ", row.ErrorCode))
		case row.Success:
			codes = append(codes, "OK")
		default:
			codes = append(codes, row.Errors[0].StatusCode)
		}
	}
	return strings.Join(codes, ", ")
}

func TestRevoked(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	account := a.create("Account", `{"Name":"A"}`)
	note := a.create("Note", fmt.Sprintf(`{"ParentId":%q,"Title":"T"}`, account))
	update := fmt.Sprintf(`{"records":[{"attributes":{"type":"Account"},"id":%q,"Phone":"1"}]}`, account)
	tests := []struct {
		revoked, method, path, body, want string
	}{
		{"Note.read", "GET", "sobjects/Note/describe", "", "404 NOT_FOUND"},
		{"Note.read", "GET", "sobjects/Note", "", "404 NOT_FOUND"},
		{"Note.read", "GET", "sobjects/Note/" + note, "", "404 NOT_FOUND"},
		{"Note.read", "DELETE", "sobjects/Note/" + note, "", "404 NOT_FOUND"},
		{"Note.read", "GET", "sobjects/Note/updated?start=2026-11-21T09:00:00Z&end=2026-11-21T10:00:00Z", "", "404 NOT_FOUND"},
		{"Note.read", "GET", "query?q=SELECT+Id+FROM+Note", "", "400 INVALID_TYPE"},
		{"Note.read", "GET", "query?q=SELECT+(SELECT+Id+FROM+Notes)+FROM+Account", "", "400 INVALID_TYPE"},
		{"Note.read", "GET", "query?q=SELECT+Id+FROM+Account+WHERE+Id+IN+(SELECT+ParentId+FROM+Note)", "", "400 INVALID_TYPE"},
		{"Note.read", "POST", "jobs/query", `{"operation":"query","query":"SELECT Id FROM Note"}`, "400 INVALID_TYPE"},
		{"Note.read", "POST", "jobs/ingest", `{"operation":"insert","object":"Note"}`, "400 INVALIDENTITY"},
		{"Note.read", "DELETE", "composite/sobjects?ids=" + note, "", "INSUFFICIENT_ACCESS_OR_READONLY"},
		{"Account.read", "GET", "query?q=SELECT+AccountId+FROM+Opportunity", "", "OK"},
		{"Account.read", "GET", "query?q=SELECT+Account.Name+FROM+Opportunity", "", "400 INVALID_FIELD"},
		{"Account.read", "GET", "query?q=SELECT+What.Name+FROM+Task", "", "OK"},
		{"Account.read", "PATCH", "composite/sobjects", update, "INVALID_TYPE"},
		{"Account.edit", "GET", "query?q=SELECT+Name+FROM+Account", "", "OK"},
		{"account.edit", "PATCH", "composite/sobjects", update, "INSUFFICIENT_ACCESS_OR_READONLY"},
		{"Account.edit", "PATCH", "sobjects/Account/" + account, `{"Phone":"1"}`, "403 INSUFFICIENT_ACCESS_OR_READONLY"},
		{"Account.edit", "POST", "sobjects/Account", `{"Name":"B"}`, "403 INSUFFICIENT_ACCESS_OR_READONLY"},
		{"Account.edit", "DELETE", "sobjects/Account/" + account, "", "403 INSUFFICIENT_ACCESS_OR_READONLY"},
		{"Contact.edit", "PATCH", "composite/sobjects", update, "OK"},
		{"opportunity.amount.read", "GET", "query?q=SELECT+Amount+FROM+Opportunity", "", "400 INVALID_FIELD"},
		{"Opportunity.Amount.read", "GET", "query?q=SELECT+Id+FROM+Opportunity+WHERE+Amount+>+1", "", "400 INVALID_FIELD"},
		{"Opportunity.Amount.read", "GET", "query?q=SELECT+Name,StageName,CloseDate+FROM+Opportunity", "", "OK"},
		{"Opportunity.AccountId.read", "GET", "query?q=SELECT+Account.Name+FROM+Opportunity", "", "400 INVALID_FIELD"},
		{"Opportunity.ARR__c.read", "GET", "query?q=SELECT+ARR__c+FROM+Opportunity", "", "400 INVALID_FIELD"},
		{"Account.Phone.read", "PATCH", "sobjects/Account/" + account, `{"Phone":"1"}`, "400 INVALID_FIELD"},
	}
	for _, tt := range tests {
		a.revoke(tt.revoked)
		if got := a.codes(tt.method, tt.path, tt.body); got != tt.want {
			t.Errorf("without %s: %s %s: %s, want %s", tt.revoked, tt.method, tt.path, got, tt.want)
		}
		a.org.Control().Restore()
	}
	for _, r := range []string{"sobjects/Note/describe", "sobjects/Note/" + note, "query?q=SELECT+Account.Name+FROM+Opportunity"} {
		if got := a.codes("GET", r, ""); got != "OK" {
			t.Errorf("restored: %s: %s", r, got)
		}
	}
	for _, bad := range []string{"Bogus.read", "Note.delete", "Note", "", "Opportunity.Amount", "Opportunity.Amount.edit", "Opportunity.Bogus.read", "Opportunity.StageName.read",
		"Opportunity.Amount.x.read"} {
		if err := a.org.Control().Revoke(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestRevokedDescribe(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.revoke("Note.read")
	a.revoke("Opportunity.edit")
	var global struct{ SObjects []struct{ Name string } }
	a.into(&global, "GET", "sobjects", "")
	for _, o := range global.SObjects {
		if o.Name == "Note" {
			t.Error("describe global shows what cannot be read")
		}
	}
	var account struct {
		Updateable         bool
		ChildRelationships []struct{ ChildSObject string }
	}
	a.into(&account, "GET", "sobjects/Account/describe", "")
	for _, c := range account.ChildRelationships {
		if c.ChildSObject == "Note" {
			t.Error("describe shows children that cannot be read")
		}
	}
	if !account.Updateable {
		t.Error("accounts: not updateable")
	}
	var deal struct {
		Createable, Updateable, Deletable, Queryable bool
		Fields                                       []struct {
			Name                   string
			Createable, Updateable bool
		}
	}
	a.into(&deal, "GET", "sobjects/Opportunity/describe", "")
	if deal.Createable || deal.Updateable || deal.Deletable || !deal.Queryable {
		t.Errorf("describe without edit: %+v", deal)
	}
	for _, f := range deal.Fields {
		if f.Createable || f.Updateable {
			t.Errorf("field %s can be edited", f.Name)
		}
	}
}

// What the profile lacks, a permission set may give.
func TestObjectPermissions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	set := a.create("PermissionSet", `{"Name":"Handoff","Label":"Handoff Integration"}`)
	assignment := a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
	account := a.create("Account", `{"Name":"A"}`)
	grant := func(object, permissions string) string {
		return fmt.Sprintf(`{"ParentId":%q,"SobjectType":%q,%s}`, set, object, permissions)
	}
	refusals := []struct{ name, object, permissions, want string }{
		{"edit without read", "Account", `"PermissionsEdit":true`, "Permission Edit Account depends on permission(s): Read Account"},
		{"create without read", "Account", `"PermissionsCreate":true`, "Permission Create Account depends on permission(s): Read Account"},
		{"delete without edit", "Account", `"PermissionsRead":true,"PermissionsDelete":true`, "Permission Delete Account depends on permission(s): Edit Account"},
		{"view all without read", "Account", `"PermissionsViewAllRecords":true`, "Permission Read All Account depends on permission(s): Read Account"},
		{"deals without accounts", "Opportunity", `"PermissionsRead":true`, "Permission Read Opportunity depends on permission(s): Read Account"},
		{"an object that follows its parent", "Note", `"PermissionsRead":true`, "Sobject Type Name: bad value for restricted picklist field: Note"},
		{"activities", "Task", `"PermissionsRead":true`, "Sobject Type Name: bad value for restricted picklist field: Task"},
		{"no object", "Bogus", `"PermissionsRead":true`, "Sobject Type Name: bad value for restricted picklist field: Bogus"},
	}
	for _, tt := range refusals {
		if r := a.call("POST", "sobjects/ObjectPermissions", grant(tt.object, tt.permissions)); r.Status != 400 || !strings.Contains(r.Text, tt.want) {
			t.Errorf("%s: HTTP %d: %s", tt.name, r.Status, r.Text)
		}
	}

	a.revoke("Account.read")
	read := func() string { return a.codes("GET", "sobjects/Account/"+account, "") }
	edit := func() string { return a.codes("PATCH", "sobjects/Account/"+account, `{"Phone":"1"}`) }
	if got := read(); got != "404 NOT_FOUND" {
		t.Errorf("revoked: %s", got)
	}
	accounts := a.create("ObjectPermissions", grant("Account", `"PermissionsRead":true`))
	a.create("ObjectPermissions", grant("Opportunity", `"PermissionsRead":true,"PermissionsEdit":true,"PermissionsViewAllRecords":true`))
	if r, e := read(), edit(); r != "OK" || e != "403 INSUFFICIENT_ACCESS_OR_READONLY" {
		t.Errorf("read granted: read %s, edit %s", r, e)
	}
	if got := a.codes("PATCH", "sobjects/ObjectPermissions/"+accounts, `{"PermissionsEdit":true}`); got != "OK" {
		t.Errorf("change: %s", got)
	}
	if got := edit(); got != "OK" {
		t.Errorf("edit granted: %s", got)
	}
	for what, got := range map[string]string{
		"400 DUPLICATE_VALUE":           a.codes("POST", "sobjects/ObjectPermissions", grant("Account", `"PermissionsRead":true`)),
		"400 FIELD_INTEGRITY_EXCEPTION": a.codes("PATCH", "sobjects/ObjectPermissions/"+accounts, `{"PermissionsRead":false}`),
	} {
		if got != what {
			t.Errorf("got %s, want %s", got, what)
		}
	}

	// A set goes when nobody holds it, and its permissions go with it.
	if got := a.codes("DELETE", "sobjects/PermissionSet/"+set, ""); got != "400 DELETE_FAILED" {
		t.Errorf("delete of an assigned set: %s", got)
	}
	if got := a.codes("DELETE", "sobjects/PermissionSetAssignment/"+assignment, ""); got != "OK" {
		t.Errorf("delete of the assignment: %s", got)
	}
	if got := read(); got != "404 NOT_FOUND" {
		t.Errorf("not assigned any more: %s", got)
	}
	if got := a.codes("DELETE", "sobjects/PermissionSet/"+set, ""); got != "OK" {
		t.Errorf("delete of the set: %s", got)
	}
	var left struct{ TotalSize int }
	a.into(&left, "GET", "query?q=SELECT+Id+FROM+ObjectPermissions", "")
	if left.TotalSize != 0 {
		t.Errorf("%d object permissions are left", left.TotalSize)
	}
}

// All that setup makes can be deleted in one call, in an order that works.
func TestDeletePermissions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.addCustomField("Account.Health__c", `{"label":"Health","type":"Text","length":20}`)
	set := a.create("PermissionSet", `{"Name":"Handoff","Label":"Handoff"}`)
	assignment := a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
	object := a.create("ObjectPermissions", fmt.Sprintf(`{"ParentId":%q,"SobjectType":"Account","PermissionsRead":true}`, set))
	field := a.create("FieldPermissions", fmt.Sprintf(`{"ParentId":%q,"SobjectType":"Account","Field":"Account.Health__c","PermissionsRead":true}`, set))
	var got []string
	for _, ids := range [][]string{{set, assignment}, {field, object, assignment, set}} {
		got = append(got, a.codes("DELETE", "composite/sobjects?allOrNone=true&ids="+strings.Join(ids, ","), ""))
	}
	want := []string{"DELETE_FAILED, ALL_OR_NONE_OPERATION_ROLLED_BACK", "OK, OK, OK, OK"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	if got := a.codes("GET", "query?q=SELECT+Health__c+FROM+Account", ""); got != "400 INVALID_FIELD" {
		t.Errorf("the field is still seen: %s", got)
	}
}

// TestFieldPermissionsOfStandardFields: what a profile hides a permission set opens, unless nobody can hide it.
func TestFieldPermissionsOfStandardFields(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.revoke("Opportunity.Amount.read")
	a.revoke("Opportunity.AccountId.read")
	set := a.create("PermissionSet", `{"Name":"Readers","Label":"Readers"}`)
	a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
	grant := func(field string) string {
		object, _, _ := strings.Cut(field, ".")
		return a.codes("POST", "sobjects/FieldPermissions", fmt.Sprintf(`{"ParentId":%q,"SobjectType":%q,"Field":%q,"PermissionsRead":true}`, set, object, field))
	}
	for _, field := range []string{"Opportunity.Name", "Opportunity.StageName", "Opportunity.CloseDate", "Opportunity.OwnerId", "Opportunity.IsWon", "Contact.LastName", "Note.Body"} {
		if got := grant(field); got != "400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" {
			t.Errorf("%s: %s", field, got)
		}
	}
	if got := grant("Opportunity.Amount"); got != "OK" {
		t.Fatalf("Opportunity.Amount: %s", got)
	}
	if got := a.codes("GET", "query?q=SELECT+Amount+FROM+Opportunity", ""); got != "OK" {
		t.Errorf("granted: %s", got)
	}
	var opportunity struct {
		Fields []struct {
			Name       string
			Updateable bool
		}
	}
	a.into(&opportunity, "GET", "sobjects/Opportunity/describe", "")
	for _, f := range opportunity.Fields {
		if f.Name == "AccountId" || f.Name == "Amount" && f.Updateable {
			t.Errorf("describe shows %+v", f)
		}
	}
	var found struct {
		Records []struct{ QualifiedApiName string }
	}
	a.into(&found, "GET", "tooling/query?q="+url.QueryEscape("SELECT QualifiedApiName FROM EntityParticle WHERE EntityDefinition.QualifiedApiName = 'Opportunity' "+
		"AND IsPermissionable = true AND QualifiedApiName IN ('AccountId','StageName','ARR__c')"), "")
	var names []string
	for _, r := range found.Records {
		names = append(names, r.QualifiedApiName)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"ARR__c", "AccountId"}, names); diff != "" {
		t.Errorf("permissionable, -want +got:\n%s", diff)
	}
}

// TestSystemPermissions: a permission set with Access Activities shows tasks and events, one with View All Data everything.
func TestSystemPermissions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		permission string
		task, note string // what a query says
	}{
		{"PermissionsActivitiesAccess", "OK", "400 INVALID_TYPE"},
		{"PermissionsViewAllData", "OK", "OK"},
	} {
		a := newAPI(t)
		a.revoke("Task.read")
		a.revoke("Note.read")
		set := a.create("PermissionSet", `{"Name":"Extra","Label":"Extra"}`)
		a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
		read := func(object string) string { return a.codes("GET", "query?q=SELECT+Id+FROM+"+object, "") }
		if task, note := read("Task"), read("Note"); task != "400 INVALID_TYPE" || note != "400 INVALID_TYPE" {
			t.Errorf("revoked: %s, %s", task, note)
		}
		if got := a.codes("PATCH", "sobjects/PermissionSet/"+set, fmt.Sprintf(`{%q:true}`, tc.permission)); got != "OK" {
			t.Errorf("grant: %s", got)
		}
		if task, note := read("Task"), read("Note"); task != tc.task || note != tc.note {
			t.Errorf("%s: %s, %s", tc.permission, task, note)
		}
	}
}
