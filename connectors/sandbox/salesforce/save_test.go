package salesforce

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decoded returns a JSON object as a request's is decoded.
func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		t.Fatal(err)
	}
	return values
}

// refusal returns how a row was refused: the code and the fields; "": it was saved.
func refusal(s saved) string {
	if s.Errors == nil {
		return ""
	}
	return strings.TrimSpace(s.Errors[0].StatusCode + " " + strings.Join(s.Errors[0].Fields, ","))
}

func TestUpdateRecords(t *testing.T) {
	o := queryOrg(t)
	deal, gone := newID("006", 1), newID("006", 3)
	if _, err := o.deleteRecords(context.Background(), integration, []row{{ID: gone}}, false); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, object, id, values string
		want                     string // refusal
	}{
		{"text", "Opportunity", deal, `{"NextStep":"call"}`, ""},
		{"lower case", "opportunity", deal[:15], `{"nextstep":"call"}`, ""},
		{"null", "Opportunity", deal, `{"NextStep":null}`, ""},
		{"length in characters", "Opportunity", deal, `{"NextStep":"` + strings.Repeat("ü", 255) + `"}`, ""},
		{"too long", "Opportunity", deal, `{"NextStep":"` + strings.Repeat("ü", 256) + `"}`, "STRING_TOO_LONG NextStep"},
		{"unknown field", "Opportunity", deal, `{"Bogus__c":1}`, "INVALID_FIELD Bogus__c"},
		{"read-only field", "Opportunity", deal, `{"IsWon":false}`, "INVALID_FIELD_FOR_INSERT_UPDATE IsWon"},
		{"field of create only", "Task", newID("00T", 1), `{"TaskSubtype":"Email"}`, "INVALID_FIELD_FOR_INSERT_UPDATE TaskSubtype"},
		{"restricted picklist", "Task", newID("00T", 1), `{"CallType":"Sideways"}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST CallType"},
		{"restricted picklist in another case", "Task", newID("00T", 1), `{"CallType":"inbound"}`, ""},
		{"open picklist", "Opportunity", deal, `{"StageName":"Brand new"}`, ""},
		{"number", "Opportunity", deal, `{"Amount":12.345}`, ""},
		{"number as text", "Opportunity", deal, `{"Amount":"12.5"}`, ""},
		{"not a number", "Opportunity", deal, `{"Amount":"many"}`, "INVALID_TYPE_ON_FIELD_IN_RECORD Amount"},
		{"number out of range", "Opportunity", deal, `{"Probability":1000}`, "NUMBER_OUTSIDE_VALID_RANGE Probability"},
		{"boolean as text", "Contact", newID("003", 1), `{"HasOptedOutOfEmail":"true"}`, ""},
		{"not a boolean", "Contact", newID("003", 1), `{"HasOptedOutOfEmail":"maybe"}`, "INVALID_TYPE_ON_FIELD_IN_RECORD HasOptedOutOfEmail"},
		{"date", "Opportunity", deal, `{"CloseDate":"2026-02-28"}`, ""},
		{"not a date", "Opportunity", deal, `{"CloseDate":"2026-02-30"}`, "INVALID_TYPE_ON_FIELD_IN_RECORD CloseDate"},
		{"datetime of Salesforce", "Opportunity", deal, `{"Kickoff_At__c":"2026-02-28T10:00:00.000+0000"}`, ""},
		{"datetime of RFC 3339", "Opportunity", deal, `{"Kickoff_At__c":"2026-02-28T11:00:00+01:00"}`, ""},
		{"e-mail", "Contact", newID("003", 1), `{"Email":"ana@acme.example"}`, ""},
		{"not an e-mail", "Contact", newID("003", 1), `{"Email":"ana at acme"}`, "INVALID_EMAIL_ADDRESS Email"},
		{"required", "Opportunity", deal, `{"Name":" "}`, "REQUIRED_FIELD_MISSING Name"},
		{"reference", "Opportunity", deal, `{"OwnerId":"` + adminUserID + `"}`, ""},
		{"reference that is no id", "Opportunity", deal, `{"OwnerId":"eve"}`, "MALFORMED_ID OwnerId"},
		{"reference of another kind", "Opportunity", deal, `{"OwnerId":"` + newID("001", 1) + `"}`, "FIELD_INTEGRITY_EXCEPTION OwnerId"},
		{"reference to nothing", "Opportunity", deal, `{"OwnerId":"` + newID("005", 999) + `"}`, "INVALID_CROSS_REFERENCE_KEY OwnerId"},
		{"reference to a deleted row", "Task", newID("00T", 1), `{"WhatId":"` + gone + `"}`, "ENTITY_IS_DELETED WhatId"},
		{"unknown id", "Opportunity", newID("006", 999), `{"NextStep":"x"}`, "INVALID_CROSS_REFERENCE_KEY"},
		{"deleted", "Opportunity", gone, `{"NextStep":"x"}`, "ENTITY_IS_DELETED"},
		{"malformed id", "Opportunity", "x", `{"NextStep":"x"}`, "MALFORMED_ID"},
		{"id of another kind", "Opportunity", newID("001", 1), `{"NextStep":"x"}`, "MALFORMED_ID"},
		{"no id", "Opportunity", "", `{"NextStep":"x"}`, "MISSING_ARGUMENT"},
		{"unknown object", "Bogus__c", deal, `{}`, "INVALID_TYPE"},
		{"object that only the system writes", "OpportunityStage", newID("01J", 1), `{"MasterLabel":"x"}`, "INVALID_TYPE_FOR_OPERATION"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			results, err := o.updateRecords(context.Background(), integration, []row{{Object: tt.object, ID: tt.id, Values: decoded(t, tt.values)}}, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := refusal(results[0]); got != tt.want {
				t.Errorf("refused with %q (%v), want %q", got, results[0].Errors, tt.want)
			}
		})
	}
}

func TestCreateRecords(t *testing.T) {
	o := queryOrg(t)
	tests := []struct{ name, object, values, want string }{
		{"whole", "Opportunity", `{"attributes":{"type":"Opportunity"},"Name":"N","StageName":"Closed Won","CloseDate":"2026-01-01"}`, ""},
		{"required", "Opportunity", `{"Name":"N"}`, "REQUIRED_FIELD_MISSING StageName,CloseDate"},
		{"id given", "Account", `{"Id":"` + newID("001", 9) + `","Name":"N"}`, "INVALID_FIELD_FOR_INSERT_UPDATE Id"},
		{"name of a person", "Contact", `{"LastName":"L","Name":"N"}`, "INVALID_FIELD_FOR_INSERT_UPDATE Name"},
		{"bytes", "ContentNote", `{"Title":"T","Content":"aGVsbG8="}`, ""},
		{"not base64", "ContentNote", `{"Title":"T","Content":"hello!"}`, "INVALID_TYPE_ON_FIELD_IN_RECORD Content"},
		{"history", "OpportunityHistory", `{}`, "INVALID_TYPE_FOR_OPERATION"},
		{"permission set", "PermissionSet", `{"Name":"P","Label":"P"}`, ""},
		{"permission set again", "PermissionSet", `{"Name":"P","Label":"P"}`, "DUPLICATE_DEVELOPER_NAME Name"},
		{"field permission", "FieldPermissions", `{"ParentId":"` + newID("0PS", 1) + `","SobjectType":"Opportunity","Field":"Opportunity.ARR__c","PermissionsRead":true}`, ""},
		{"field permission again", "FieldPermissions", `{"ParentId":"` + newID("0PS", 1) + `","SobjectType":"Opportunity","Field":"opportunity.arr__c","PermissionsRead":true}`, "DUPLICATE_VALUE"},
		{"field permission without read", "FieldPermissions", `{"ParentId":"` + newID("0PS", 1) + `","SobjectType":"Opportunity","Field":"Opportunity.CSM__c","PermissionsEdit":true}`, "FIELD_INTEGRITY_EXCEPTION PermissionsEdit"},
		{"permission on no field", "FieldPermissions", `{"ParentId":"` + newID("0PS", 1) + `","SobjectType":"Opportunity","Field":"Opportunity.Bogus__c","PermissionsRead":true}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST Field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			results, err := o.createRecords(context.Background(), integration, []row{{Object: tt.object, Values: decoded(t, tt.values)}}, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := refusal(results[0]); got != tt.want || results[0].Created != (tt.want == "") || (results[0].ID == "") != (tt.want != "") {
				t.Errorf("%+v refused with %q (%v), want %q", results[0], got, results[0].Errors, tt.want)
			}
		})
	}
}

func TestAllOrNone(t *testing.T) {
	o := queryOrg(t)
	rows := []row{
		{Object: "Opportunity", ID: newID("006", 1), Values: map[string]any{"NextStep": "good"}},
		{Object: "Opportunity", ID: newID("006", 2), Values: map[string]any{"Bogus": "x"}},
	}
	for _, tt := range []struct {
		allOrNone bool
		want      []string // refusals, then what is stored
	}{
		{true, []string{"ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD Bogus", "<nil>"}},
		{false, []string{"", "INVALID_FIELD Bogus", "good"}},
	} {
		results, err := o.updateRecords(context.Background(), integration, rows, tt.allOrNone)
		if err != nil {
			t.Fatal(err)
		}
		got := append([]string{refusal(results[0]), refusal(results[1])}, answer(t, o, "SELECT NextStep FROM Opportunity WHERE Name = 'A'", queryOptions{})...)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("all or none %v (-want +got):\n%s", tt.allOrNone, diff)
		}
	}
}

// What follows from a field follows its changes.
func TestDerivedFields(t *testing.T) {
	o := queryOrg(t)
	deal, person, call := newID("006", 3), newID("003", 1), newID("00T", 2)
	tests := []struct {
		name, object, id, values, fields, want string
	}{
		{"stage won", "Opportunity", deal, `{"StageName":"Closed Won"}`, "IsWon, IsClosed, Probability, ForecastCategory, ExpectedRevenue, LastStageChangeDate", "true|true|100|Closed|20.5|2026-11-21T12:00:00Z"},
		{"stage open", "Opportunity", deal, `{"StageName":"qualification"}`, "IsWon, IsClosed, Probability, ForecastCategory, ExpectedRevenue", "false|false|10|Pipeline|2.05"},
		{"probability", "Opportunity", deal, `{"Probability":50}`, "IsWon, Probability, ExpectedRevenue", "false|50|10.25"},
		{"close date", "Opportunity", deal, `{"CloseDate":"2027-05-01"}`, "FiscalYear, FiscalQuarter, Fiscal", "2027|2|2027 2"},
		{"audit", "Opportunity", deal, `{"NextStep":"x"}`, "CreatedDate, LastModifiedDate, SystemModstamp, LastModifiedBy.Username", "2026-11-21T09:00:00Z|2026-11-21T12:00:00Z|2026-11-21T12:00:00Z|revops@sandbox.example"},
		{"name", "Contact", person, `{"FirstName":null,"LastName":"Lopez"}`, "Name", "Lopez"},
		{"bounce", "Contact", person, `{"EmailBouncedDate":"2026-01-01T00:00:00Z"}`, "IsEmailBounced", "true"},
		{"task done", "Task", call, `{"Status":"Completed"}`, "IsClosed, CompletedDateTime, Account.Name", "true|2026-11-21T12:00:00Z|Acme"},
		{"task reopened", "Task", call, `{"Status":"In Progress"}`, "IsClosed, CompletedDateTime", "false|<nil>"},
		{"account of the opportunity", "Task", call, `{"WhatId":"` + deal + `"}`, "Account.Name", "zeta 100%_x O'Neil"},
		{"account of the contact", "Task", call, `{"WhatId":null,"WhoId":"` + person + `"}`, "Account.Name", "Acme"},
		{"spaces around", "Opportunity", deal, `{"NextStep":"  x  "}`, "NextStep", "x"},
		{"scale", "Opportunity", deal, `{"Amount":1.126}`, "Amount", "1.13"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			results, err := o.updateRecords(context.Background(), integration, []row{{Object: tt.object, ID: tt.id, Values: decoded(t, tt.values)}}, false)
			if err != nil || results[0].Errors != nil {
				t.Fatal(err, refusal(results[0]))
			}
			got := answer(t, o, "SELECT "+tt.fields+" FROM "+tt.object+" WHERE Id = '"+tt.id+"'", queryOptions{})
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	o := queryOrg(t)
	for _, values := range []string{
		`{"Subject":"by length","StartDateTime":"2026-05-01T23:30:00Z","DurationInMinutes":60}`,
		`{"Subject":"by end","ActivityDateTime":"2026-05-01T10:00:00Z","EndDateTime":"2026-05-01T10:45:00Z"}`,
	} {
		results, err := o.createRecords(context.Background(), integration, []row{{Object: "Event", Values: decoded(t, values)}}, false)
		if err != nil || results[0].Errors != nil {
			t.Fatal(err, refusal(results[0]))
		}
	}
	want := []string{
		"2026-05-01T23:30:00Z|2026-05-02T00:30:00Z|60|2026-05-01|2026-05-02",
		"2026-05-01T10:00:00Z|2026-05-01T10:45:00Z|45|2026-05-01|2026-05-01",
	}
	got := answer(t, o, "SELECT StartDateTime, EndDateTime, DurationInMinutes, ActivityDate, EndDate FROM Event", queryOptions{})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHistory(t *testing.T) {
	o := queryOrg(t)
	ctx := context.Background()
	if err := o.addField(ctx, "Opportunity", Field{Name: "Handoff_Item_1_1__c", Type: TypeDouble, Precision: 3, TrackHistory: true}); err != nil {
		t.Fatal(err)
	}
	made, err := o.createRecords(ctx, integration, []row{{Object: "Opportunity", Values: decoded(t, `{"Name":"H","StageName":"Prospecting","CloseDate":"2026-01-01","Amount":5}`)}}, false)
	if err != nil || made[0].Errors != nil {
		t.Fatal(err, refusal(made[0]))
	}
	for _, values := range []string{
		`{"StageName":"Closed Won","NextStep":"untracked"}`, `{"OwnerId":"` + adminUserID + `"}`, `{"Handoff_Item_1_1__c":1}`, `{"Handoff_Item_1_1__c":2}`, `{"CloseDate":"2026-02-02"}`, `{"Amount":5}`,
	} {
		results, err := o.updateRecords(ctx, integration, []row{{Object: "Opportunity", ID: made[0].ID, Values: decoded(t, values)}}, false)
		if err != nil || results[0].Errors != nil {
			t.Fatal(err, refusal(results[0]))
		}
	}
	of := " WHERE OpportunityId = '" + made[0].ID + "'"
	want := []string{"Prospecting|5|2026-01-01|10|<nil>", "Closed Won|5|2026-01-01|100|2026-01-01", "Closed Won|5|2026-02-02|100|2026-01-01"}
	if diff := cmp.Diff(want, answer(t, o, "SELECT StageName, Amount, CloseDate, Probability, PrevCloseDate FROM OpportunityHistory"+of, queryOptions{})); diff != "" {
		t.Errorf("OpportunityHistory (-want +got):\n%s", diff)
	}
	want = []string{
		"created|<nil>|<nil>", "StageName|Prospecting|Closed Won", "Owner|RevOps Integration|Casey CSM", "Owner|" + integrationUserID + "|" + adminUserID,
		"Handoff_Item_1_1__c|<nil>|1", "Handoff_Item_1_1__c|1|2",
	}
	if diff := cmp.Diff(want, answer(t, o, "SELECT Field, OldValue, NewValue FROM OpportunityFieldHistory"+of, queryOptions{})); diff != "" {
		t.Errorf("OpportunityFieldHistory (-want +got):\n%s", diff)
	}
}

func TestDeleteCascades(t *testing.T) {
	o := queryOrg(t)
	results, err := o.deleteRecords(context.Background(), integration, []row{{ID: newID("001", 1)}, {ID: newID("001", 1)}, {ID: adminUserID}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "ENTITY_IS_DELETED", "INVALID_TYPE_FOR_OPERATION"}, []string{refusal(results[0]), refusal(results[1]), refusal(results[2])}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for soql, want := range map[string][]string{
		"SELECT Name FROM Opportunity":            {"C"},
		"SELECT Name FROM Contact":                {},
		"SELECT Role FROM OpportunityContactRole": {},
		"SELECT Subject FROM Task":                {"Alone"},
		"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '" + newID("006", 2) + "'": {},
		"SELECT Title FROM ContentNote": {"Kick-off"},
	} {
		if diff := cmp.Diff(want, answer(t, o, soql, queryOptions{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", soql, diff)
		}
	}
}

func TestContentVersions(t *testing.T) {
	o := queryOrg(t)
	results, err := o.createRecords(context.Background(), integration, []row{
		{Object: "ContentVersion", Values: decoded(t, `{"PathOnClient":"plans/hand off.pdf","VersionData":"aGVsbG8=","FirstPublishLocationId":"`+newID("006", 3)+`"}`)},
		{Object: "ContentVersion", Values: decoded(t, `{"ContentDocumentId":"`+newID("069", 2)+`","PathOnClient":"new.pdf","VersionData":"aGVsbG8gdGhlcmU="}`)},
	}, false)
	if err != nil || results[0].Errors != nil || results[1].Errors != nil {
		t.Fatal(err, refusal(results[0]), refusal(results[1]))
	}
	for soql, want := range map[string][]string{
		"SELECT Title, VersionNumber, IsLatest, FileType, ContentSize FROM ContentVersion WHERE FileType = 'PDF'":     {"hand off|1|false|PDF|5", "new|2|true|PDF|11"},
		"SELECT Title, ContentSize, LatestPublishedVersion.VersionNumber FROM ContentDocument WHERE FileType = 'PDF'": {"new|11|2"},
		"SELECT ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId = '" + newID("006", 3) + "'":      {"new"},
	} {
		if diff := cmp.Diff(want, answer(t, o, soql, queryOptions{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", soql, diff)
		}
	}
}

func TestGuardedField(t *testing.T) {
	o := queryOrg(t)
	ctx := context.Background()
	deal := newID("006", 1)
	if err := o.addField(ctx, "Opportunity", Field{Name: "Handoff_Score__c", Type: TypeDouble, Precision: 3, Guarded: true}); err != nil {
		t.Fatal(err)
	}
	create := func(object, values string) string {
		t.Helper()
		results, err := o.createRecords(ctx, integration, []row{{Object: object, Values: decoded(t, values)}}, false)
		if err != nil || results[0].Errors != nil {
			t.Fatal(err, refusal(results[0]))
		}
		return results[0].ID
	}
	check := func(when string, u user, wantQuery, wantUpdate string) {
		t.Helper()
		code := ""
		if _, err := o.query(ctx, u, "SELECT Handoff_Score__c FROM Opportunity", queryOptions{}); err != nil {
			code = err.Code
		}
		results, err := o.updateRecords(ctx, u, []row{{Object: "Opportunity", ID: deal, Values: decoded(t, `{"Handoff_Score__c":30}`)}}, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := refusal(results[0]); code != wantQuery || got != wantUpdate {
			t.Errorf("%s: query %q, update %q, want %q, %q", when, code, got, wantQuery, wantUpdate)
		}
	}
	check("no permission set", integration, "INVALID_FIELD", "INVALID_FIELD Handoff_Score__c")
	set := create("PermissionSet", `{"Name":"Handoff","Label":"Handoff"}`)
	assignment := create("PermissionSetAssignment", `{"PermissionSetId":"`+set+`","AssigneeId":"`+integrationUserID+`"}`)
	check("assigned, nothing granted", integration, "INVALID_FIELD", "INVALID_FIELD Handoff_Score__c")
	grant := create("FieldPermissions", `{"ParentId":"`+set+`","SobjectType":"Opportunity","Field":"Opportunity.Handoff_Score__c","PermissionsRead":true}`)
	check("read", integration, "", "INVALID_FIELD_FOR_INSERT_UPDATE Handoff_Score__c")
	if _, err := o.updateRecords(ctx, integration, []row{{Object: "FieldPermissions", ID: grant, Values: map[string]any{"PermissionsEdit": true}}}, false); err != nil {
		t.Fatal(err)
	}
	check("edit", integration, "", "")
	check("another user", user{ID: adminUserID}, "INVALID_FIELD", "INVALID_FIELD Handoff_Score__c")
	check("a user who sees all", user{ID: adminUserID, AllFields: true}, "", "")
	if results, err := o.deleteRecords(ctx, integration, []row{{ID: assignment}, {ID: set}}, true); err != nil || results[1].Errors != nil {
		t.Fatal(err, results)
	}
	check("permission set deleted", integration, "INVALID_FIELD", "INVALID_FIELD Handoff_Score__c")
}

func TestFields(t *testing.T) {
	o := queryOrg(t)
	ctx := context.Background()
	add := func(object string, f Field) string {
		if err := o.addField(ctx, object, f); err != nil {
			return asAPIError(err).Code
		}
		return ""
	}
	for _, tt := range []struct {
		name, object string
		field        Field
		want         string
	}{
		{"checkbox", "Opportunity", Field{Name: "Ready__c", Type: TypeBoolean, Default: true}, ""},
		{"again", "opportunity", Field{Name: "ready__c", Type: TypeBoolean}, "DUPLICATE_DEVELOPER_NAME"},
		{"no suffix", "Opportunity", Field{Name: "Ready", Type: TypeBoolean}, "FIELD_INTEGRITY_EXCEPTION"},
		{"not a name", "Opportunity", Field{Name: "x); DROP TABLE Opportunity; --__c", Type: TypeBoolean}, "FIELD_INTEGRITY_EXCEPTION"},
		{"unknown object", "Bogus", Field{Name: "Ready__c", Type: TypeBoolean}, "INVALID_TYPE"},
	} {
		if got := add(tt.object, tt.field); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"true", "true", "true"}, answer(t, o, "SELECT Ready__c FROM Opportunity", queryOptions{})); diff != "" {
		t.Errorf("default in the rows (-want +got):\n%s", diff)
	}
	if err := o.dropField(ctx, "Opportunity", "Ready__c"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.query(ctx, integration, "SELECT Ready__c FROM Opportunity", queryOptions{}); err == nil || err.Code != "INVALID_FIELD" {
		t.Errorf("after the field is gone: %v, want INVALID_FIELD", err)
	}
	if err := o.dropField(ctx, "Opportunity", "Name"); err == nil {
		t.Error("a standard field was removed")
	}
}
