package hubspot

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const score = `{"name":"handoff_score","label":"Handoff score","groupName":"dealinformation","type":"number","fieldType":"number","description":"0 to 46"}`

func TestCreateProperty(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.call("POST", dealProperties, score)
	want := `{"name":"handoff_score","label":"Handoff score","type":"number","fieldType":"number","description":"0 to 46","groupName":"dealinformation","options":[],"displayOrder":0,` +
		`"calculated":false,"externalOptions":false,"hasUniqueValue":false,"hidden":false,"formField":false,"archived":false,` +
		`"createdAt":"2026-11-20T12:00:00.000Z","updatedAt":"2026-11-20T12:00:00.000Z","modificationMetadata":{"archivable":true,"readOnlyDefinition":false,"readOnlyValue":false}}`
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusCreated || diff != "" {
		t.Errorf("status %d, answer (-want +got):\n%s", w.Code, diff)
	}
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+wonID, `{"properties":{"handoff_score":"30"}}`)
	if got := a.values(wonID, "handoff_score")[0]; got != "30" {
		t.Errorf("read back %s", got)
	}

	// It goes and comes back, with its values.
	for range 2 {
		if w := a.call("DELETE", dealProperties+"/handoff_score", ""); w.Code != http.StatusNoContent {
			t.Fatalf("archive: %d %s", w.Code, w.Body)
		}
	}
	if got, want := a.refusal("GET", dealProperties+"/handoff_score", ""), `404 OBJECT_NOT_FOUND Property "handoff_score" does not exist`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := get[property](a, http.StatusOK, "GET", dealProperties+"/handoff_score?archived=true", ""); got.ArchivedAt != "2026-11-20T12:00:00.000Z" {
		t.Errorf("archived at %q", got.ArchivedAt)
	}
	if got := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+wonID+"?properties=handoff_score", ""); got.Properties["handoff_score"] != nil {
		t.Error("an archived property is still answered with")
	}
	get[property](a, http.StatusCreated, "POST", dealProperties, score)
	if got := a.values(wonID, "handoff_score")[0]; got != "30" {
		t.Errorf("back again: read %s", got)
	}
}

func TestPropertiesRefused(t *testing.T) {
	t.Parallel()
	define := func(name, group, kind, field, more string) string {
		return fmt.Sprintf(`{"name":%q,"label":"L","groupName":%q,"type":%q,"fieldType":%q%s}`, name, group, kind, field, more)
	}
	const info = "dealinformation"
	tests := []struct{ name, body, want string }{
		{"exists", define("dealname", info, "string", "text", ""), "409 OBJECT_ALREADY_EXISTS A property named 'dealname' already exists."},
		{"capitals", define("Score", info, "number", "number", ""), `400 VALIDATION_ERROR Invalid property name "Score": it must be lower-case letters, digits and underscores, with a letter first`},
		{"HubSpot's own", define("hs_score", info, "number", "number", ""), `400 VALIDATION_ERROR Invalid property name "hs_score": names that start with hs_ belong to HubSpot`},
		{"no label", `{"name":"x","groupName":"dealinformation","type":"number","fieldType":"number"}`, `400 VALIDATION_ERROR Property "x" lacks a label`},
		{"no group", define("x", "nope", "number", "number", ""), `400 VALIDATION_ERROR Property group "nope" does not exist`},
		{"field type", define("x", info, "number", "text", ""), `400 VALIDATION_ERROR Property "x": field type "text" does not go with type "number"`},
		{"type", define("x", info, "money", "number", ""), `400 VALIDATION_ERROR Property "x": field type "number" does not go with type "money"`},
		{"no options", define("x", info, "enumeration", "select", ""), `400 VALIDATION_ERROR Property "x": type enumeration wants options`},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := a.refusal("POST", dealProperties, tt.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := a.refusal("POST", dealProperties+"/batch/create", `{"inputs":[`+define("fine", info, "bool", "booleancheckbox", `,"options":[{"label":"Yes","value":"true"}]`)+`,`+tt.body+`]}`); got != tt.want {
				t.Errorf("in a batch: got  %s\nwant %s", got, tt.want)
			}
		})
	}
	t.Cleanup(func() { // after the parallel tests: none of the batches left anything
		if w := a.call("GET", dealProperties+"/fine", ""); w.Code != http.StatusNotFound {
			t.Errorf("a part of a refused batch was made: %d", w.Code)
		}
	})
}

func TestCreateProperties(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, tt := range []struct {
		path   string
		status int
	}{{"/crm/v3/properties/deals", 201}, {"/crm/properties/2026-03/deals", 201}, {"/crm/properties/2026-09/deals", 200}} {
		body := fmt.Sprintf(`{"inputs":[{"name":"a%d","label":"A","groupName":"dealinformation","type":"string","fieldType":"textarea"},
			{"name":"b%[1]d","label":"B","groupName":"dealinformation","type":"enumeration","fieldType":"select","referencedObjectType":"OWNER"}]}`, i)
		if got := get[batchAnswer[property]](a, tt.status, "POST", tt.path+"/batch/create", body); len(got.Results) != 2 || !got.Results[1].ExternalOptions {
			t.Errorf("%s: %v", tt.path, got.Results)
		}
	}
	const twice = `{"name":"c","label":"C","groupName":"dealinformation","type":"string","fieldType":"text"}`
	if got, want := a.refusal("POST", dealProperties+"/batch/create", `{"inputs":[`+twice+`,`+twice+`]}`), "409 OBJECT_ALREADY_EXISTS A property named 'c' already exists."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if w := a.call("POST", dealProperties+"/batch/archive", `{"inputs":[{"name":"a0"},{"name":"nope"}]}`); w.Code != http.StatusNoContent {
		t.Errorf("archive: %d %s", w.Code, w.Body)
	}
	if got, want := a.refusal("DELETE", dealProperties+"/amount", ""), `400 VALIDATION_ERROR Property "amount" is HubSpot's own and cannot be archived`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const groups = dealProperties + "/groups"
	made := a.call("POST", groups, `{"name":"handoff","label":"Handoff"}`)
	if got, want := made.Body.String(), `{"name":"handoff","label":"Handoff","displayOrder":-1,"archived":false}`; made.Code != http.StatusCreated || got != want {
		t.Errorf("got %d %s, want 201 %s", made.Code, got, want)
	}
	if got, want := a.refusal("POST", groups, `{"name":"handoff","label":"Again"}`), "409 OBJECT_ALREADY_EXISTS A property group named 'handoff' already exists."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	get[property](a, http.StatusCreated, "POST", dealProperties, `{"name":"x","label":"X","groupName":"handoff","type":"string","fieldType":"text"}`)
	if got, want := a.refusal("DELETE", groups+"/handoff", ""), `400 VALIDATION_ERROR Property group "handoff" holds properties`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	a.call("DELETE", dealProperties+"/x", "")
	if w := a.call("DELETE", groups+"/handoff", ""); w.Code != http.StatusNoContent {
		t.Errorf("archive: %d %s", w.Code, w.Body)
	}
	if got, want := a.refusal("GET", groups+"/handoff", ""), `404 OBJECT_NOT_FOUND Property group "handoff" does not exist`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := a.call("GET", groups, "").Body.String(), `{"results":[{"name":"dealinformation","label":"Deal information","displayOrder":-1,"archived":false}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
