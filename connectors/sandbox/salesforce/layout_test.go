package salesforce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// layoutID returns the id of a page layout.
func (a *api) layoutID(object, name string) string {
	a.t.Helper()
	var page struct {
		Records []struct{ ID, Name, TableEnumOrID string }
	}
	a.into(&page, "GET", "tooling/query?q=SELECT+Id,Name,TableEnumOrId+FROM+Layout", "")
	for _, l := range page.Records {
		if l.TableEnumOrID == object && l.Name == name {
			return l.ID
		}
	}
	a.t.Fatalf("no layout %s of %s in %+v", name, object, page.Records)
	return ""
}

// layout reads a page layout as a client that keeps what it does not know.
func (a *api) layout(id string) (fullName string, metadata map[string]any) {
	a.t.Helper()
	var got struct {
		FullName string
		Metadata map[string]any
	}
	a.into(&got, "GET", "tooling/sobjects/Layout/"+id, "")
	return got.FullName, got.Metadata
}

// sectionsOf lists sections as "label: field field | field", "-" for an item that is no field.
func sectionsOf(metadata map[string]any) []string {
	var lines []string
	for _, s := range metadata["layoutSections"].([]any) {
		section := s.(map[string]any)
		var columns []string
		for _, c := range section["layoutColumns"].([]any) {
			var names []string
			items, _ := c.(map[string]any)["layoutItems"].([]any)
			for _, i := range items {
				name, ok := i.(map[string]any)["field"].(string)
				if !ok {
					name = "-"
				}
				names = append(names, name)
			}
			columns = append(columns, strings.Join(names, " "))
		}
		lines = append(lines, fmt.Sprint(section["label"], ": ", strings.Join(columns, " | ")))
	}
	return lines
}

func TestLayouts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.layoutID("Account", "Account Layout")
	a.layoutID("Opportunity", "Opportunity Layout")
	fullName, metadata := a.layout(a.layoutID("Opportunity", "Renewal Layout"))
	if fullName != "Opportunity-Renewal Layout" {
		t.Errorf("FullName %q", fullName)
	}
	want := []string{
		"Opportunity Information: OwnerId Name AccountId ContractId | CloseDate StageName Amount ARR__c Term_Months__c",
		"Customer Success: CSM__c | ",
		"System Information: CreatedById | LastModifiedById",
		"Description Information: Description",
	}
	if diff := cmp.Diff(want, sectionsOf(metadata)); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	first := metadata["layoutSections"].([]any)[0].(map[string]any)["layoutColumns"].([]any)[0].(map[string]any)["layoutItems"].([]any)
	name := first[1].(map[string]any)
	if name["behavior"] != "Required" || name["emptySpace"] != nil || name["customLink"] != nil {
		t.Errorf("item of Name: %v", name)
	}
	empty := metadata["layoutSections"].([]any)[1].(map[string]any)["layoutColumns"].([]any)[1].(map[string]any)
	if items, ok := empty["layoutItems"]; !ok || items != nil {
		t.Errorf("a column without items: %v, want null", items)
	}
	for _, id := range []string{"00h000000000001AAA", "x"} {
		if status, code := a.refused("GET", "tooling/sobjects/Layout/"+id, ""); status != 404 || code != "NOT_FOUND" {
			t.Errorf("layout %s: %d %s", id, status, code)
		}
	}
}

// What is sent replaces what is there, whole.
func TestChangeLayout(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.addCustomField("Opportunity.Handoff_Score__c", `{"label":"Score","type":"Number","precision":3,"scale":0}`)
	id := a.layoutID("Opportunity", "Renewal Layout")
	_, metadata := a.layout(id)
	before := sectionsOf(metadata)
	var section any
	if err := json.Unmarshal([]byte(`{"customLabel":true,"detailHeading":true,"editHeading":true,"label":"Handoff Scorecard","style":"TwoColumnsLeftToRight",
		"layoutColumns":[{"layoutItems":[{"behavior":"Readonly","field":"Handoff_Score__c"}]},{"layoutItems":[{"emptySpace":true}]}]}`), &section); err != nil {
		t.Fatal(err)
	}
	metadata["layoutSections"] = append(metadata["layoutSections"].([]any), section)
	body, err := json.Marshal(map[string]any{"FullName": "Opportunity-Renewal Layout", "Metadata": metadata})
	if err != nil {
		t.Fatal(err)
	}
	if r := a.call("PATCH", "tooling/sobjects/Layout/"+id, string(body)); r.Status != http.StatusNoContent {
		t.Fatalf("HTTP %d: %s", r.Status, r.Text)
	}
	_, changed := a.layout(id)
	if diff := cmp.Diff(append(before, "Handoff Scorecard: Handoff_Score__c | -"), sectionsOf(changed)); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(metadata["relatedLists"], changed["relatedLists"]); diff != "" {
		t.Errorf("related lists that were sent back (-want +got):\n%s", diff)
	}

	// A field that is deleted is on no layout any more.
	var fields struct{ Records []struct{ ID string } }
	a.into(&fields, "GET", "tooling/query?q=SELECT+Id+FROM+CustomField+WHERE+DeveloperName='Handoff_Score'", "")
	a.call("DELETE", "tooling/sobjects/CustomField/"+fields.Records[0].ID, "")
	_, changed = a.layout(id)
	if diff := cmp.Diff(append(before, "Handoff Scorecard:  | -"), sectionsOf(changed)); diff != "" {
		t.Errorf("without the field (-want +got):\n%s", diff)
	}

	changed = map[string]any{"layoutSections": changed["layoutSections"].([]any)[:4]}
	body, err = json.Marshal(map[string]any{"Metadata": changed})
	if err != nil {
		t.Fatal(err)
	}
	if r := a.call("PATCH", "tooling/sobjects/Layout/"+id, string(body)); r.Status != http.StatusNoContent {
		t.Fatalf("HTTP %d: %s", r.Status, r.Text)
	}
	_, changed = a.layout(id)
	if diff := cmp.Diff(before, sectionsOf(changed)); diff != "" {
		t.Errorf("section removed (-want +got):\n%s", diff)
	}
	if lists := changed["relatedLists"].([]any); len(lists) != 0 {
		t.Errorf("related lists that were not sent back are still there: %v", lists)
	}
}

func TestChangeLayoutRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.layoutID("Account", "Account Layout")
	const name = `{"behavior":"Required","field":"Name"}`
	one := func(items string) string {
		return fmt.Sprintf(`{"layoutSections":[{"label":"L","style":"OneColumn","layoutColumns":[{"layoutItems":[%s]}]}]}`, items)
	}
	tests := []struct{ name, metadata, code, message string }{
		{"nothing", `null`, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]"},
		{"no sections", `{}`, "FIELD_INTEGRITY_EXCEPTION", "Layout must have at least 1 section"},
		{"unknown key", `{"sections":[]}`, "JSON_PARSER_ERROR", "No such column 'sections' on sobject of type LayoutMetadata"},
		{"unknown key of an item", one(`{"fields":"Name"}`), "JSON_PARSER_ERROR", ""},
		{"unknown field", one(name + `,{"behavior":"Edit","field":"Handoff_Score__c"}`), "INVALID_CROSS_REFERENCE_KEY", "In field: field - no CustomField named Account.Handoff_Score__c found"},
		{"field twice", one(name + "," + name), "DUPLICATE_VALUE", "Field: field, value:Name appears more than once"},
		{"without a required field", one(`{"behavior":"Edit","field":"Phone"}`), "FIELD_INTEGRITY_EXCEPTION", "Layout must contain an item for required layout field: Name"},
		{"required field as an ordinary one", one(`{"behavior":"Edit","field":"Name"}`), "FIELD_INTEGRITY_EXCEPTION", "Field:Name must be Required"},
		{"system field as an ordinary one", one(name + `,{"behavior":"Edit","field":"CreatedById"}`), "FIELD_INTEGRITY_EXCEPTION", "Field:CreatedById must be Readonly"},
		{"no behaviour", one(`{"field":"Name"}`), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "'' is not a valid value for the enum 'UiBehavior'"},
		{"an item of no kind", one(name + `,{}`), "FIELD_INTEGRITY_EXCEPTION", ""},
		{"an item of two kinds", one(`{"behavior":"Required","field":"Name","emptySpace":true}`), "FIELD_INTEGRITY_EXCEPTION", ""},
		{"columns of another style", `{"layoutSections":[{"label":"L","style":"OneColumn","layoutColumns":[{},{}]}]}`, "FIELD_INTEGRITY_EXCEPTION", ""},
		{"unknown style", `{"layoutSections":[{"label":"L","style":"ThreeColumns"}]}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "'ThreeColumns' is not a valid value for the enum 'LayoutSectionStyle'"},
		{"own heading without words", `{"layoutSections":[{"customLabel":true,"style":"OneColumn","layoutColumns":[{}]}]}`, "REQUIRED_FIELD_MISSING", "Required field is missing: label"},
	}
	_, before := a.layout(id)
	for _, tt := range tests {
		r := a.call("PATCH", "tooling/sobjects/Layout/"+id, `{"Metadata":`+tt.metadata+`}`)
		var errs []struct{ ErrorCode, Message string }
		if err := json.Unmarshal([]byte(r.Text), &errs); err != nil || r.Status != 400 {
			t.Errorf("%s: HTTP %d: %s", tt.name, r.Status, r.Text)
			continue
		}
		if errs[0].ErrorCode != tt.code || tt.message != "" && errs[0].Message != tt.message {
			t.Errorf("%s: got %+v, want %s %s", tt.name, errs[0], tt.code, tt.message)
		}
	}
	if status, code := a.refused("PATCH", "tooling/sobjects/Layout/"+id, `{"FullName":"Account-Other","Metadata":`+one(name)+`}`); status != 400 || code != "FIELD_INTEGRITY_EXCEPTION" {
		t.Errorf("another name: %d %s", status, code)
	}
	if _, after := a.layout(id); !cmp.Equal(before, after) {
		t.Error("a refused change changed the layout")
	}
}

// The layout of the user's own profile shows what the user sees.
func TestDescribeLayouts(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.addCustomField("Opportunity.Secret__c", `{"label":"Secret","type":"Text","length":20}`)
	id := a.layoutID("Opportunity", "Opportunity Layout")
	if r := a.call("PATCH", "tooling/sobjects/Layout/"+id, `{"Metadata":{"layoutSections":[{"label":"Deal","detailHeading":true,"style":"TwoColumnsTopToBottom","layoutColumns":[
		{"layoutItems":[{"behavior":"Edit","field":"Secret__c"},{"behavior":"Required","field":"Name"},{"behavior":"Readonly","field":"Amount"}]},
		{"layoutItems":[{"emptySpace":true},{"behavior":"Required","field":"StageName"},{"behavior":"Required","field":"CloseDate"},{"behavior":"Readonly","field":"CreatedById"}]}]}]}}`); r.Status != http.StatusNoContent {
		t.Fatalf("HTTP %d: %s", r.Status, r.Text)
	}
	var got struct {
		Layouts []struct {
			ID                   string
			DetailLayoutSections []struct {
				Heading    string
				Columns    int
				Rows       int
				UseHeading bool
				LayoutRows []struct {
					LayoutItems []struct {
						Label                                    string
						EditableForUpdate, Placeholder, Required bool
						LayoutComponents                         []struct {
							Type, Value string
							Details     struct{ Type string }
						}
					}
				}
			}
		}
		RecordTypeMappings []struct {
			DeveloperName, LayoutID string
			Master, Available       bool
		}
	}
	a.into(&got, "GET", "sobjects/opportunity/describe/layouts", "")
	if len(got.Layouts) != 1 || got.Layouts[0].ID != id || len(got.Layouts[0].DetailLayoutSections) != 1 {
		t.Fatalf("layouts: %+v", got.Layouts)
	}
	section := got.Layouts[0].DetailLayoutSections[0]
	if section.Heading != "Deal" || section.Columns != 2 || section.Rows != 4 || !section.UseHeading {
		t.Errorf("section: %+v", section)
	}
	var rows []string
	for _, r := range section.LayoutRows {
		var cells []string
		for _, i := range r.LayoutItems {
			c := i.LayoutComponents[0]
			cells = append(cells, fmt.Sprint(strings.TrimSpace(c.Type+" "+c.Value), ", editable ", i.EditableForUpdate, ", required ", i.Required))
		}
		rows = append(rows, strings.Join(cells, "; "))
	}
	want := []string{
		"Field Name, editable true, required true; EmptySpace, editable false, required false",
		"Field Amount, editable false, required false; Field StageName, editable true, required true",
		"EmptySpace, editable false, required false; Field CloseDate, editable true, required true",
		"EmptySpace, editable false, required false; Field CreatedById, editable false, required false",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if m := got.RecordTypeMappings; len(m) != 1 || m[0].DeveloperName != "Master" || m[0].LayoutID != id || !m[0].Master || !m[0].Available {
		t.Errorf("record types: %+v", m)
	}
	for _, object := range []string{"Task", "Bogus"} {
		if status, code := a.refused("GET", "sobjects/"+object+"/describe/layouts", ""); status != 404 || code != "NOT_FOUND" {
			t.Errorf("%s: %d %s", object, status, code)
		}
	}
}
