package salesforce

import (
	"cmp"
	"context"
	"fmt"
	"html"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// today is when the tests take place: after everything in the demo's deals.
var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func loaded(t testing.TB, cases ...*crm.Snapshot) *Org {
	t.Helper()
	o, err := New(func() time.Time { return today })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := o.Load(context.Background(), cases); err != nil {
		t.Fatal(err)
	}
	return o
}

// record is a row of an answer by the names of its columns.
type record map[string]any

func (r record) text(name string) string { s, _ := r[name].(string); return s }

func (r record) moment(name string) *time.Time {
	if at, err := time.Parse(time.RFC3339, r.text(name)); err == nil {
		return &at
	}
	return nil
}

func (r record) number(name string) *float64 {
	if n, ok := r[name].(float64); ok {
		return &n
	}
	return nil
}

// records answers a query of the integration user, all its rows.
func records(t testing.TB, o *Org, soql string) []record {
	t.Helper()
	result, apiErr := o.query(context.Background(), user{ID: integrationUserID}, soql, queryOptions{Version: "62.0", Bulk: true})
	if apiErr != nil {
		t.Fatalf("%s: %v", soql, apiErr)
	}
	all := make([]record, len(result.Rows))
	for i, row := range result.Rows {
		all[i] = record{}
		for j, c := range result.Columns {
			all[i][c.Name] = row.Values[j]
		}
	}
	return all
}

// readBack reads every deal as a client of the API would find it.
func readBack(t testing.TB, o *Org) map[string]*crm.Snapshot {
	t.Helper()
	texts := map[string]string{}
	for _, name := range crm.FieldNames {
		texts[name] = textField(name)
	}
	for _, f := range o.object("Opportunity").Fields {
		if neutral, ok := strings.CutPrefix(strings.TrimSuffix(f.Name, "__c"), "Text_"); ok {
			texts[strings.ToLower(neutral)] = f.Name
		} else if f.Name == "Next_Step__c" {
			texts["next_step "] = f.Name
		}
	}
	fields := "Id, Case_Id__c, Case_As_Of__c, Name, Account.Name, StageName, IsWon, Amount, CurrencyIsoCode, ARR__c, CloseDate, Term_Months__c, Owner.Name, CSM__r.Name, CSM_Assigned_At__c"
	for _, api := range texts {
		fields += ", " + api
	}
	byID, byCase := map[string]*crm.Snapshot{}, map[string]*crm.Snapshot{}
	for _, r := range records(t, o, "SELECT "+fields+" FROM Opportunity") {
		s := &crm.Snapshot{ID: r.text("Case_Id__c"), AsOf: r.moment("Case_As_Of__c"), Deal: crm.Deal{
			Name: r.text("Name"), Account: r.text("Account.Name"), Stage: r.text("StageName"), Won: r["IsWon"] == true,
			Amount: r.number("Amount"), Currency: r.text("CurrencyIsoCode"), ARR: r.number("ARR__c"),
			Owner: &crm.User{Name: r.text("Owner.Name")}, Fields: map[string]string{},
		}}
		if d, err := crm.ParseDate(r.text("CloseDate")); err == nil {
			s.Deal.CloseDate = &d
		}
		if n := r.number("Term_Months__c"); n != nil {
			months := int(*n)
			s.Deal.TermMonths = &months
		}
		if r["CSM__r.Name"] != nil || r["CSM_Assigned_At__c"] != nil {
			s.Deal.CSM = &crm.CSM{Name: r.text("CSM__r.Name"), AssignedAt: r.moment("CSM_Assigned_At__c")}
		}
		for neutral, api := range texts {
			if text := r.text(api); text != "" {
				s.Deal.Fields[strings.TrimSpace(neutral)] = text
			}
		}
		byID[r.text("Id")], byCase[s.ID] = s, s
	}

	contacts := map[string]int{} // position by deal and contact
	for _, r := range records(t, o, `SELECT OpportunityId, ContactId, Role, Contact.Name, Contact.Title, Contact.Email, Contact.Phone, Contact.IsEmailBounced
			FROM OpportunityContactRole ORDER BY CreatedDate, Id`) {
		s := byID[r.text("OpportunityId")]
		key := r.text("OpportunityId") + r.text("ContactId")
		i, ok := contacts[key]
		if !ok {
			i = len(s.Contacts)
			contacts[key] = i
			name := r.text("Contact.Name")
			if name == "-" {
				name = ""
			}
			s.Contacts = append(s.Contacts, crm.Contact{Name: name, Title: r.text("Contact.Title"), Email: r.text("Contact.Email"),
				Phone: r.text("Contact.Phone"), EmailBounced: r["Contact.IsEmailBounced"] == true})
		}
		if role := r.text("Role"); role != "" {
			s.Contacts[i].Roles = append(s.Contacts[i].Roles, role)
		}
	}

	author := func(name string) string {
		if name == "Automated Process" {
			return ""
		}
		return name
	}
	for _, r := range records(t, o, "SELECT ParentId, Title, Body, CreatedDate, CreatedBy.Name FROM Note") {
		s := byID[r.text("ParentId")]
		s.Notes = append(s.Notes, crm.Note{At: r.moment("CreatedDate"), Author: author(r.text("CreatedBy.Name")), Title: r.text("Title"), Body: r.text("Body")})
	}
	for id, s := range byID {
		for _, r := range records(t, o, `SELECT ContentDocumentId, ContentDocument.Title, ContentDocument.CreatedDate, ContentDocument.CreatedBy.Name
				FROM ContentDocumentLink WHERE LinkedEntityId = '`+id+`' AND ContentDocument.FileType = 'SNOTE'`) {
			var body []byte
			if err := o.db.Get(&body, "SELECT VersionData FROM ContentVersion WHERE ContentDocumentId = ? AND IsLatest", r["ContentDocumentId"]); err != nil {
				t.Fatal(err)
			}
			s.Notes = append(s.Notes, crm.Note{At: r.moment("ContentDocument.CreatedDate"), Author: author(r.text("ContentDocument.CreatedBy.Name")),
				Title: r.text("ContentDocument.Title"), Body: plain(string(body))})
		}
	}

	for _, r := range records(t, o, "SELECT WhatId, Subject, Description, TaskSubtype, CreatedDate, Owner.Email, Who.Email FROM Task") {
		s := byID[r.text("WhatId")]
		s.Activities = append(s.Activities, crm.Activity{Kind: crm.Kind(strings.ToLower(r.text("TaskSubtype"))), At: r.moment("CreatedDate"),
			Subject: r.text("Subject"), Body: r.text("Description"), From: r.text("Owner.Email"), To: split(r.text("Who.Email"))})
	}
	invited := map[string][]string{}
	for _, r := range records(t, o, "SELECT EventId, Relation.Email FROM EventRelation ORDER BY Id") {
		invited[r.text("EventId")] = append(invited[r.text("EventId")], r.text("Relation.Email"))
	}
	for _, r := range records(t, o, "SELECT Id, WhatId, Subject, Description, Type, StartDateTime, Owner.Email FROM Event") {
		s := byID[r.text("WhatId")]
		if r.text("Type") == "Kickoff" {
			s.Deal.KickoffAt = r.moment("StartDateTime")
			continue
		}
		s.Activities = append(s.Activities, crm.Activity{Kind: crm.Meeting, At: r.moment("StartDateTime"), Subject: r.text("Subject"),
			Body: r.text("Description"), From: r.text("Owner.Email"), To: invited[r.text("Id")]})
	}
	for _, r := range records(t, o, "SELECT RelatedToId, Subject, TextBody, FromAddress, ToAddress, MessageDate FROM EmailMessage") {
		s := byID[r.text("RelatedToId")]
		s.Activities = append(s.Activities, crm.Activity{Kind: crm.Email, At: r.moment("MessageDate"), Subject: r.text("Subject"),
			Body: r.text("TextBody"), From: r.text("FromAddress"), To: split(r.text("ToAddress"))})
	}
	return byCase
}

func split(addresses string) []string {
	if addresses == "" {
		return nil
	}
	return strings.Split(addresses, "; ")
}

// plain takes back what made a plain body HTML; a body with any other markup stays as it is.
func plain(body string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(body, "<p>"), "</p>")
	text := strings.ReplaceAll(inner, "<br>", "\n")
	if strings.ContainsAny(text, "<>") {
		return body
	}
	return html.UnescapeString(text)
}

// carried returns a case as Salesforce can carry it and plain shows it.
func carried(s *crm.Snapshot) *crm.Snapshot {
	c := *s
	c.Notes = slices.Clone(s.Notes)
	for i := range c.Notes {
		c.Notes[i].Body = plain(c.Notes[i].Body)
	}
	c.Deal.ID, c.Expected = "", nil
	c.Deal.Owner = &crm.User{Name: s.Deal.Owner.Name}
	c.Deal.Fields = map[string]string{}
	for name, text := range s.Deal.Fields {
		if text != "" {
			c.Deal.Fields[name] = text
		}
	}
	return &c
}

var sameSnapshot = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b crm.Note) bool { return a.At.Before(*b.At) || a.At.Equal(*b.At) && a.Body < b.Body }),
	cmpopts.SortSlices(func(a, b crm.Activity) bool {
		return cmp.Or(a.At.Compare(*b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject)) < 0
	}),
	gocmp.Comparer(func(a, b crm.Date) bool { return a == b }),
}

func TestLoadReadsBack(t *testing.T) {
	generated := deals.Generate(200, 3, today)
	for name, cases := range map[string][]*crm.Snapshot{"demo": deals.Demo(), "generated": generated} {
		t.Run(name, func(t *testing.T) {
			got := readBack(t, loaded(t, cases...))
			if len(got) != len(cases) {
				t.Errorf("%d deals, want %d", len(got), len(cases))
			}
			for _, s := range cases {
				want := carried(s)
				if want.Deal.CloseDate == nil && got[s.ID].Deal.CloseDate != nil {
					want.Deal.CloseDate = got[s.ID].Deal.CloseDate // Salesforce requires one
				}
				if diff := gocmp.Diff(want, got[s.ID], sameSnapshot); diff != "" {
					t.Errorf("%s (-case +org):\n%s", s.ID, diff)
				}
			}
		})
	}
}

// TestLoadSpreads holds the demo's deals against the objects where they must be found.
func TestLoadSpreads(t *testing.T) {
	o := loaded(t, deals.Demo()...)
	for soql, want := range map[string]int{
		"SELECT Id FROM Account":                                                 60,
		"SELECT Id FROM Opportunity":                                             60,
		"SELECT Id FROM Opportunity WHERE IsWon = true":                          57,
		"SELECT Id FROM Opportunity WHERE IsClosed = false":                      2,
		"SELECT Id FROM OpportunityContactRole WHERE Role = null":                24,
		"SELECT Id FROM OpportunityContactRole WHERE IsPrimary = true":           56,
		"SELECT Id FROM Contact WHERE EmailBouncedDate != null":                  2,
		"SELECT Id FROM Note":                                                    37,
		"SELECT Id FROM ContentNote":                                             36,
		"SELECT Id FROM Task WHERE TaskSubtype = 'Call'":                         10,
		"SELECT Id FROM Task WHERE TaskSubtype = 'Task'":                         3,
		"SELECT Id FROM Event WHERE Type = 'Kickoff'":                            22,
		"SELECT Id FROM Event WHERE Type = null":                                 5,
		"SELECT Id FROM EmailMessage":                                            21,
		"SELECT Id FROM OpportunityStage WHERE ApiName = 'closedwon'":            1,
		"SELECT Id FROM OpportunityHistory WHERE StageName = 'Closed Won'":       44,
		"SELECT Id FROM Opportunity WHERE SystemModstamp > 2026-11-21T12:00:00Z": 0,
	} {
		if got := len(records(t, o, soql)); got != want {
			t.Errorf("%s: %d rows, want %d", soql, got, want)
		}
	}
}

func TestLoadNobodysDeal(t *testing.T) {
	o := loaded(t, &crm.Snapshot{ID: "bare", Deal: crm.Deal{ID: "1", Won: true}})
	got := records(t, o, "SELECT Name, AccountId, StageName, IsWon, CloseDate, CreatedDate, Owner.Name, Owner.UserType, CurrencyIsoCode FROM Opportunity")
	want := []record{{"Name": nil, "AccountId": nil, "StageName": "Closed Won", "IsWon": true, "CloseDate": "2026-11-21", "CreatedDate": "2026-11-21T12:00:00Z",
		"Owner.Name": "Automated Process", "Owner.UserType": "AutomatedProcess", "CurrencyIsoCode": nil}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadStagesThatClash(t *testing.T) {
	deal := func(id, stage string, won bool) *crm.Snapshot {
		return &crm.Snapshot{ID: id, Deal: crm.Deal{ID: id, Stage: stage, Won: won}}
	}
	o := loaded(t, deal("1", "Signed", false), deal("2", "Signed", true), deal("3", "Negotiation/Review", true), deal("4", "VERLOREN", false))
	got := map[string]string{}
	for _, r := range records(t, o, "SELECT Case_Id__c, StageName, IsWon, IsClosed FROM Opportunity") {
		got[r.text("Case_Id__c")] = fmt.Sprint(r["StageName"], " won=", r["IsWon"], " closed=", r["IsClosed"])
	}
	want := map[string]string{
		"1": "Signed (not won) won=false closed=false", "2": "Signed won=true closed=true",
		"3": "Negotiation/Review (won) won=true closed=true", "4": "VERLOREN won=false closed=true",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadTexts(t *testing.T) {
	longStep := strings.Repeat("ä", 256)
	s := &crm.Snapshot{ID: "texts", Deal: crm.Deal{ID: "1", Owner: &crm.User{Name: "Ann Lee"}, Stage: "Open", Fields: map[string]string{
		"description": "d", "next_step": longStep, "use_case": "u", "our own field!": "o", "empty": "",
	}}}
	o := loaded(t, s)
	got := records(t, o, "SELECT Description, NextStep, Next_Step__c, Use_Case__c, Text_Our_Own_Field__c FROM Opportunity")
	want := []record{{"Description": "d", "NextStep": nil, "Next_Step__c": longStep, "Use_Case__c": "u", "Text_Our_Own_Field__c": "o"}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadNotes(t *testing.T) {
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	note := func(body string) crm.Note { return crm.Note{At: &at, Author: "Ann Lee", Body: body} }
	s := &crm.Snapshot{ID: "notes", Deal: crm.Deal{ID: "1"}, Notes: []crm.Note{
		note("a < b & c\n<who@x.example>"), note("<p>rich&nbsp;<b>text</b></p>"), note("second"), note(strings.Repeat("x", 40_000)), note(""),
	}}
	o := loaded(t, s)
	var rich []string
	if err := o.db.Select(&rich, "SELECT VersionData FROM ContentVersion ORDER BY Id"); err != nil {
		t.Fatal(err)
	}
	var legacy []string
	for _, r := range records(t, o, "SELECT Body FROM Note ORDER BY Id") {
		legacy = append(legacy, r.text("Body"))
	}
	if i := slices.IndexFunc(rich, func(s string) bool { return len(s) > 40_000 }); i < 0 {
		t.Error("the long note is not kept as a ContentNote")
	} else {
		rich = slices.Delete(rich, i, i+1)
	}
	if diff := gocmp.Diff([]string{"<p>rich&nbsp;<b>text</b></p>"}, rich); diff != "" {
		t.Errorf("rich notes (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"a < b & c\n<who@x.example>", "second", ""}, legacy); diff != "" {
		t.Errorf("legacy notes (-want +got):\n%s", diff)
	}
}

func TestLoadHistory(t *testing.T) {
	moved, won := time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC), time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	closed := crm.NewDate(2026, 9, 1)
	s := &crm.Snapshot{ID: "history", Deal: crm.Deal{ID: "1", Stage: "Closed Won", Won: true, CloseDate: &closed, Owner: &crm.User{Name: "Ann Lee"}}, History: []crm.Change{
		{Field: "owner", At: &moved, By: "Kim Sun", From: "Bob Orr", To: "Ann Lee"},
		{Field: "stage", At: &won, By: "Ann Lee", From: "Verbal", To: "Closed Won"},
	}}
	o := loaded(t, s)
	stages := records(t, o, "SELECT StageName, CreatedDate, CreatedBy.Name FROM OpportunityHistory ORDER BY CreatedDate")
	for _, r := range stages {
		r["CreatedDate"] = r.text("CreatedDate") == "2026-09-01T09:00:00Z"
	}
	if diff := gocmp.Diff([]record{
		{"StageName": "Verbal", "CreatedDate": false, "CreatedBy.Name": "Ann Lee"},
		{"StageName": "Closed Won", "CreatedDate": true, "CreatedBy.Name": "Ann Lee"},
	}, stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]record{{"Field": "Owner", "OldValue": "Bob Orr", "NewValue": "Ann Lee", "CreatedDate": "2026-08-03T09:00:00Z", "CreatedBy.Name": "Kim Sun"}},
		records(t, o, "SELECT Field, OldValue, NewValue, CreatedDate, CreatedBy.Name FROM OpportunityFieldHistory")); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func BenchmarkLoad(b *testing.B) {
	cases := deals.Generate(1000, 1, today)
	for b.Loop() {
		o, err := New(func() time.Time { return today })
		if err != nil {
			b.Fatal(err)
		}
		if err := o.Load(context.Background(), cases); err != nil {
			b.Fatal(err)
		}
		if err := o.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
