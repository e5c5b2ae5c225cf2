package hubspot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

const score = `{"name":"handoff_score","label":"Handoff score","groupName":"dealinformation","type":"number","fieldType":"number","description":"0 to 46"}`

func TestCreateProperty(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.call("POST", dealProperties, score)
	want := `{"name":"handoff_score","label":"Handoff score","type":"number","fieldType":"number","description":"0 to 46","groupName":"dealinformation","options":[],"displayOrder":-1,` +
		`"calculated":false,"externalOptions":false,"hasUniqueValue":false,"hidden":false,"formField":false,"archived":false,` +
		`"createdAt":"2026-11-20T12:00:00.000Z","updatedAt":"2026-11-20T12:00:00.000Z","modificationMetadata":{"archivable":true,"readOnlyDefinition":false,"readOnlyValue":false}}`
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusCreated || diff != "" {
		t.Errorf("status %d, answer (-want +got):\n%s", w.Code, diff)
	}
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+wonID, `{"properties":{"handoff_score":"30"}}`)
	if got := a.values(wonID, "handoff_score")[0]; got != "30" {
		t.Errorf("read back %s", got)
	}
}

// What is archived is out of sight, and comes back with its values when it is defined again.
func TestArchiveProperty(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	get[property](a, http.StatusCreated, "POST", dealProperties, score)
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+wonID, `{"properties":{"handoff_score":"30"}}`)
	a.wait(time.Minute)
	if w := a.call("DELETE", dealProperties+"/handoff_score", ""); w.Code != http.StatusNoContent {
		t.Fatalf("archive: %d %s", w.Code, w.Body)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		if got, want := a.refusal(method, dealProperties+"/handoff_score", "{}"), `404 OBJECT_NOT_FOUND Property "handoff_score" does not exist`; got != want {
			t.Errorf("%s: got %s, want %s", method, got, want)
		}
	}
	for query, want := range map[string]bool{"": false, "?archived=false": false, "?archived=true": true} {
		list := get[map[string][]property](a, http.StatusOK, "GET", dealProperties+query, "")["results"]
		i := slices.IndexFunc(list, func(pr property) bool { return pr.Name == "handoff_score" })
		if (i >= 0) != want || want && (!list[i].Archived || list[i].ArchivedAt != "2026-11-20T12:01:00.000Z") {
			t.Errorf("list%s: at %d of %d, want it there: %v", query, i, len(list), want)
		}
	}
	read := get[answer](a, http.StatusOK, "GET", dealRecords+"/"+wonID+"?properties=handoff_score&propertiesWithHistory=handoff_score", "")
	if _, there := read.Properties["handoff_score"]; there || len(read.History) > 0 {
		t.Errorf("an archived property is still answered with: %v %v", read.Properties, read.History)
	}
	if got, want := a.refusal("PATCH", dealRecords+"/"+wonID, `{"properties":{"handoff_score":"31"}}`), "400 VALIDATION_ERROR"; !strings.HasPrefix(got, want) {
		t.Errorf("written all the same: %s", got)
	}

	got := get[property](a, http.StatusCreated, "POST", dealProperties, strings.ReplaceAll(score, "0 to 46", "again"))
	if want := [3]string{"again", "2026-11-20T12:00:00.000Z", "2026-11-20T12:01:00.000Z"}; [3]string{got.Description, got.CreatedAt, got.UpdatedAt} != want {
		t.Errorf("back again as %v, want %v", got, want)
	}
	if got := a.values(wonID, "handoff_score")[0]; got != "30" {
		t.Errorf("back again: read %s, want 30", got)
	}
	if got, want := a.refusal("GET", dealProperties+"/handoff_score?archived=true", ""), `404 OBJECT_NOT_FOUND Property "handoff_score" does not exist`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A property of another type than a client wants to make keeps the name, and its definition.
func TestPropertyOfAnotherType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const admins = `{"name":"handoff_score","label":"Score","groupName":"dealinformation","type":"string","fieldType":"textarea","description":"By hand",
		"displayOrder":7,"hidden":true,"formField":true}`
	get[property](a, http.StatusCreated, "POST", dealProperties, admins)
	w := a.call("POST", dealProperties, score)
	if got, want := w.Body.String(), `"subCategory":"Properties.PROPERTY_WITH_NAME_EXISTS"`; w.Code != http.StatusConflict || !strings.Contains(got, want) {
		t.Errorf("got %d %s, want 409 with %s", w.Code, got, want)
	}
	got := get[property](a, http.StatusOK, "GET", dealProperties+"/handoff_score", "")
	want := property{Name: "handoff_score", Label: "Score", GroupName: "dealinformation", Type: "string", FieldType: "textarea", Description: "By hand",
		DisplayOrder: 7, Hidden: true, FormField: true, Options: []option{}, CreatedAt: got.CreatedAt, UpdatedAt: got.UpdatedAt, Modification: modification{Archivable: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+wonID, `{"properties":{"handoff_score":"about thirty"}}`)
}

func TestChangeProperty(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	get[property](a, http.StatusCreated, "POST", dealProperties, `{"name":"rating","label":"Rating","groupName":"dealinformation","type":"enumeration","fieldType":"select",
		"description":"How good","options":[{"label":"Good","value":"good"},{"label":"Bad","value":"bad","displayOrder":1}]}`)
	a.wait(time.Minute)
	got := get[property](a, http.StatusOK, "PATCH", dealProperties+"/rating", `{"label":"Our rating","hidden":true,"options":[{"label":"Good","value":"good"},{"label":"Fair","value":"fair"}]}`)
	want := property{Name: "rating", Label: "Our rating", GroupName: "dealinformation", Type: "enumeration", FieldType: "select", Description: "How good",
		DisplayOrder: -1, Hidden: true, Options: []option{{Label: "Good", Value: "good"}, {Label: "Fair", Value: "fair", DisplayOrder: 1}},
		CreatedAt: "2026-11-20T12:00:00.000Z", UpdatedAt: "2026-11-20T12:01:00.000Z", Modification: modification{Archivable: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, get[property](a, http.StatusOK, "GET", dealProperties+"/rating", "")); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct{ property, body, want string }{
		"no such property": {"nope", `{"label":"x"}`, `404 OBJECT_NOT_FOUND Property "nope" does not exist`},
		"HubSpot's own":    {"amount", `{"label":"x"}`, `400 VALIDATION_ERROR Property "amount" is HubSpot's own and cannot be changed`},
		"no label":         {"rating", `{"label":""}`, `400 VALIDATION_ERROR Property "rating" lacks a label`},
		"no group":         {"rating", `{"groupName":"nope"}`, `400 VALIDATION_ERROR Property group "nope" does not exist`},
		"half a type":      {"rating", `{"type":"number"}`, `400 VALIDATION_ERROR Property "rating": field type "select" does not go with type "number"`},
		"no options left":  {"rating", `{"options":[]}`, `400 VALIDATION_ERROR Property "rating": type enumeration wants options`},
	} {
		if got := a.refusal("PATCH", dealProperties+"/"+c.property, c.body); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
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
		{"half a truth", define("x", info, "bool", "booleancheckbox", `,"options":[{"label":"Yes","value":"true"}]`), `400 VALIDATION_ERROR Property "x": type bool wants exactly the options true and false`},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := a.refusal("POST", dealProperties, tt.body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := a.refusal("POST", dealProperties+"/batch/create", `{"inputs":[`+define("fine", info, "string", "text", "")+`,`+tt.body+`]}`); got != tt.want {
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
	refused := get[apiError](a, http.StatusBadRequest, "DELETE", groups+"/handoff", "")
	var why apiError
	if err := json.Unmarshal([]byte(refused.Message), &why); err != nil || refused.Category != "" || why.SubCategory != "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES" {
		t.Errorf("the group is refused with %+v, want a message that holds the error", refused)
	}
	a.call("DELETE", dealProperties+"/x", "")
	if w := a.call("DELETE", groups+"/handoff", ""); w.Code != http.StatusNoContent {
		t.Errorf("archive: %d %s", w.Code, w.Body)
	}
	if got, want := a.refusal("GET", groups+"/handoff", ""), `404 OBJECT_NOT_FOUND Property group "handoff" does not exist`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := a.refusal("DELETE", groups+"/handoff", ""), `404 OBJECT_NOT_FOUND Property group "handoff" does not exist`; got != want {
		t.Errorf("again: got %s, want %s", got, want)
	}
	if got, want := a.call("GET", groups, "").Body.String(), `{"results":[{"name":"dealinformation","label":"Deal information","displayOrder":-1,"archived":false}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	again := get[group](a, http.StatusCreated, "POST", groups, `{"name":"handoff","label":"Handoff again","displayOrder":3}`)
	if want := (group{Name: "handoff", Label: "Handoff again", DisplayOrder: 3}); again != want {
		t.Errorf("made again: %+v, want %+v", again, want)
	}
}
