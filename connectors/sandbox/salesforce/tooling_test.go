package salesforce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addCustomField makes a custom field over the Tooling API and returns the id of its definition.
func (a *api) addCustomField(full, metadata string) string {
	a.t.Helper()
	var made struct {
		ID      string
		Success bool
	}
	a.into(&made, "POST", "tooling/sobjects/CustomField", fmt.Sprintf(`{"FullName":%q,"Metadata":%s}`, full, metadata))
	if !made.Success || len(made.ID) != 18 || made.ID[:3] != "00N" {
		a.t.Errorf("created: %+v", made)
	}
	return made.ID
}

// A field comes back as it was made, with what its type implies.
func TestCustomFieldTypes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ name, metadata, want string }{
		{"Number", `{"label":"Score","type":"Number","precision":3,"scale":0,"inlineHelpText":"0 to 40","trackHistory":true,"description":"ours"}`,
			`{"label":"Score","type":"Number","precision":3,"scale":0,"inlineHelpText":"0 to 40","trackHistory":true,"description":"ours"}`},
		{"Checkbox", `{"label":"Ready","type":"Checkbox","defaultValue":"false"}`, `{"label":"Ready","type":"Checkbox","defaultValue":false,"trackHistory":false}`},
		{"Text", `{"label":"Why","type":"Text","length":255}`, `{"label":"Why","type":"Text","length":255,"trackHistory":false}`},
		{"LongTextArea", `{"label":"Gaps","type":"LongTextArea","length":32768,"visibleLines":10}`,
			`{"label":"Gaps","type":"LongTextArea","length":32768,"visibleLines":3,"trackHistory":false}`},
		{"DateTime", `{"label":"At","type":"DateTime"}`, `{"label":"At","type":"DateTime","trackHistory":false}`},
		{"Picklist", `{"label":"Health","type":"Picklist","valueSet":{"restricted":true,"valueSetDefinition":{"sorted":false,"value":[` +
			`{"fullName":"Green","label":"Green"},{"fullName":"Red","label":"Red","default":true},{"fullName":"Old","label":"Old","isActive":false}]}}}`,
			`{"label":"Health","type":"Picklist","length":255,"valueSet":{"restricted":true,"valueSetDefinition":{"sorted":false,"value":[` +
				`{"fullName":"Green","label":"Green","default":false},{"fullName":"Red","label":"Red","default":true}]}},"defaultValue":"Red","trackHistory":false}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := a.addCustomField("Opportunity.A_"+tt.name+"__c", tt.metadata)
			var got struct {
				FullName, DeveloperName, TableEnumOrID string
				Metadata                               json.RawMessage
			}
			a.into(&got, "GET", "tooling/sobjects/CustomField/"+id, "")
			if diff := cmp.Diff(tt.want, string(got.Metadata)); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			if got.FullName != "Opportunity.A_"+tt.name+"__c" || got.DeveloperName != "A_"+tt.name || got.TableEnumOrID != "Opportunity" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCustomFieldRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.addCustomField("Account.Taken__c", `{"label":"Taken","type":"Text","length":10}`)
	const text = `{"label":"L","type":"Text","length":10}`
	tests := []struct{ name, full, metadata, code string }{
		{"taken", "Account.taken__c", text, "DUPLICATE_DEVELOPER_NAME"},
		{"no object", "Bogus.A__c", text, "INVALID_TYPE"},
		{"not custom", "Account.A", text, "FIELD_INTEGRITY_EXCEPTION"},
		{"long description", "Account.A__c", `{"label":"L","type":"Text","length":10,"description":"` + strings.Repeat("d", 1_001) + `"}`, "STRING_TOO_LONG"},
		{"two underscores", "Account.A__b__c", text, "FIELD_INTEGRITY_EXCEPTION"},
		{"long name", "Account.A1234567890123456789012345678901234567890__c", text, "FIELD_INTEGRITY_EXCEPTION"},
		{"no metadata", "Account.A__c", `null`, "REQUIRED_FIELD_MISSING"},
		{"unknown key", "Account.A__c", `{"label":"L","type":"Text","length":10,"size":3}`, "JSON_PARSER_ERROR"},
		{"no label", "Account.A__c", `{"type":"Text","length":10}`, "REQUIRED_FIELD_MISSING"},
		{"unknown type", "Account.A__c", `{"label":"L","type":"Bool"}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"},
		{"text too long", "Account.A__c", `{"label":"L","type":"Text","length":256}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"long text too short", "Account.A__c", `{"label":"L","type":"LongTextArea","length":255,"visibleLines":3}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"long text without lines", "Account.A__c", `{"label":"L","type":"LongTextArea","length":1000}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"number without scale", "Account.A__c", `{"label":"L","type":"Number","precision":3}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"number of too many digits", "Account.A__c", `{"label":"L","type":"Number","precision":19,"scale":0}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"checkbox without default", "Account.A__c", `{"label":"L","type":"Checkbox"}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"picklist without values", "Account.A__c", `{"label":"L","type":"Picklist"}`, "FIELD_INTEGRITY_EXCEPTION"},
		{"picklist value twice", "Account.A__c", `{"label":"L","type":"Picklist","valueSet":{"valueSetDefinition":{"value":[{"fullName":"A","label":"A"},{"fullName":"a","label":"a"}]}}}`, "DUPLICATE_VALUE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, code := a.refused("POST", "tooling/sobjects/CustomField", fmt.Sprintf(`{"FullName":%q,"Metadata":%s}`, tt.full, tt.metadata))
			if status != http.StatusBadRequest || code != tt.code {
				t.Errorf("%d %s, want 400 %s", status, code, tt.code)
			}
		})
	}
	if status, code := a.refused("GET", "tooling/sobjects/CustomField/00N000000000001AAA", ""); status != 404 || code != "NOT_FOUND" {
		t.Errorf("unknown id: %d %s", status, code)
	}
}

// A new field is visible to nobody until a permission set shows it, and so is one that is made again after a deletion.
func TestCustomFieldVisibility(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const full, metadata = "Account.Health__c", `{"label":"Health","type":"Text","length":20}`
	account := a.create("Account", `{"Name":"A"}`)
	hidden := func(when string) {
		t.Helper()
		if _, code := a.refused("GET", "query?q=SELECT+Health__c+FROM+Account", ""); code != "INVALID_FIELD" {
			t.Errorf("%s: query: %s, want INVALID_FIELD", when, code)
		}
		if _, code := a.refused("PATCH", "sobjects/Account/"+account, `{"Health__c":"Green"}`); code != "INVALID_FIELD" {
			t.Errorf("%s: update: %s, want INVALID_FIELD", when, code)
		}
		if j := a.ingestJob(`{"object":"Account","operation":"update"}`, "Id,Health__c\n"+account+",Green\n"); j.ErrorMessage != "InvalidBatch : Field name not found : Health__c" {
			t.Errorf("%s: bulk: %q", when, j.ErrorMessage)
		}
	}
	id := a.addCustomField(full, metadata)
	hidden("made")

	set := a.create("PermissionSet", `{"Name":"Handoff","Label":"Handoff"}`)
	a.create("FieldPermissions", fmt.Sprintf(`{"ParentId":%q,"SobjectType":"Account","Field":%q,"PermissionsRead":true,"PermissionsEdit":true}`, set, full))
	hidden("granted to a set that nobody has")

	a.create("PermissionSetAssignment", fmt.Sprintf(`{"PermissionSetId":%q,"AssigneeId":%q}`, set, integrationUserID))
	if r := a.call("PATCH", "sobjects/Account/"+account, `{"Health__c":"Green"}`); r.Status != http.StatusNoContent {
		t.Errorf("granted: update: HTTP %d: %s", r.Status, r.Text)
	}
	var page struct {
		Records []struct {
			Health string `json:"Health__c"`
		}
	}
	a.into(&page, "GET", "query?q=SELECT+Health__c+FROM+Account", "")
	if len(page.Records) != 1 || page.Records[0].Health != "Green" {
		t.Errorf("granted: query: %+v", page)
	}

	if r := a.call("DELETE", "tooling/sobjects/CustomField/"+id, ""); r.Status != http.StatusNoContent {
		t.Errorf("delete: HTTP %d: %s", r.Status, r.Text)
	}
	hidden("deleted")
	a.addCustomField(full, metadata)
	hidden("made again")
}

func TestCustomFieldChange(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.addCustomField("Account.Why__c", `{"label":"Why","type":"Text","length":100}`)
	if r := a.call("PATCH", "tooling/sobjects/CustomField/"+id, `{"Metadata":{"label":"Reason","type":"Text","length":255,"inlineHelpText":"Why"}}`); r.Status != http.StatusNoContent {
		t.Fatalf("HTTP %d: %s", r.Status, r.Text)
	}
	var got struct{ Metadata fieldMetadata }
	a.into(&got, "GET", "tooling/sobjects/CustomField/"+id, "")
	if diff := cmp.Diff(fieldMetadata{Label: "Reason", Type: "Text", Length: 255, InlineHelpText: "Why"}, got.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	for name, body := range map[string]string{
		"another type": `{"Metadata":{"label":"Why","type":"LongTextArea","length":1000,"visibleLines":3}}`,
		"shorter":      `{"Metadata":{"label":"Why","type":"Text","length":50}}`,
		"another name": `{"FullName":"Account.Because__c","Metadata":{"label":"Why","type":"Text","length":255}}`,
	} {
		if status, code := a.refused("PATCH", "tooling/sobjects/CustomField/"+id, body); status != 400 || code != "FIELD_INTEGRITY_EXCEPTION" {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
}

// An object tracks the history of 20 fields; the stage and the owner are two of them.
func TestCustomFieldTracking(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	field := func(i int, track bool) (full, metadata string) {
		return fmt.Sprintf("Opportunity.Item_%d__c", i), fmt.Sprintf(`{"label":"Item","type":"Number","precision":3,"scale":0,"trackHistory":%t}`, track)
	}
	for i := range 18 {
		a.addCustomField(field(i, true))
	}
	full, metadata := field(18, true)
	if status, code := a.refused("POST", "tooling/sobjects/CustomField", fmt.Sprintf(`{"FullName":%q,"Metadata":%s}`, full, metadata)); status != 400 || code != "FIELD_INTEGRITY_EXCEPTION" {
		t.Errorf("a 21st tracked field: %d %s", status, code)
	}
	id := a.addCustomField(field(18, false))
	if status, code := a.refused("PATCH", "tooling/sobjects/CustomField/"+id, fmt.Sprintf(`{"Metadata":%s}`, metadata)); status != 400 || code != "FIELD_INTEGRITY_EXCEPTION" {
		t.Errorf("tracking of a 21st field: %d %s", status, code)
	}
	var page struct{ TotalSize int }
	a.into(&page, "GET", "tooling/query?q=SELECT+QualifiedApiName+FROM+FieldDefinition+WHERE+EntityDefinition.QualifiedApiName='Opportunity'+AND+IsFieldHistoryTracked=true", "")
	if page.TotalSize != 20 {
		t.Errorf("%d fields are tracked", page.TotalSize)
	}
}

func TestToolingQuery(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.addCustomField("Opportunity.Handoff_Score__c", `{"label":"Score","type":"Number","precision":3,"scale":0,"description":"Made by handoff"}`)
	for _, q := range []string{
		"SELECT+Id,DeveloperName+FROM+CustomField+WHERE+TableEnumOrId+IN+('Opportunity','Account')+AND+DeveloperName+LIKE+'Handoff%25'",
		"SELECT+Id,DeveloperName+FROM+CustomField+WHERE+Description+LIKE+'Made+by%25'",
		"SELECT+Id,DeveloperName+FROM+CustomField+WHERE+EntityDefinition.QualifiedApiName='Opportunity'+AND+DeveloperName='Handoff_Score'",
	} {
		var page struct {
			TotalSize int
			Records   []struct{ ID, DeveloperName string }
		}
		a.into(&page, "GET", "tooling/query?q="+q, "")
		if page.TotalSize != 1 || len(page.Records) != 1 || page.Records[0].ID != id || page.Records[0].DeveloperName != "Handoff_Score" {
			t.Errorf("%s: %+v", q, page)
		}
	}
	if status, code := a.refused("GET", "tooling/query?q=SELECT+Id+FROM+Opportunity", ""); status != 400 || code != "INVALID_TYPE" {
		t.Errorf("records are not for the Tooling API: %d %s", status, code)
	}
}
