package salesforce

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

func at(t *testing.T, s string) *moment {
	t.Helper()
	var m moment
	if err := m.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestMoment(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Salesforce's form", `"2026-10-01T09:00:00.000+0000"`, "2026-10-01T09:00:00Z"},
		{"another zone", `"2026-10-01T11:00:00.000+0200"`, "2026-10-01T09:00:00Z"},
		{"RFC 3339", `"2026-10-01T09:00:00Z"`, "2026-10-01T09:00:00Z"},
		{"null", `null`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var r struct{ At *moment }
			if err := jsonv2.Unmarshal([]byte(`{"At":`+tc.in+`}`), &r, lenient); err != nil {
				t.Fatal(err)
			}
			got := ""
			if p := r.At.ptr(); p != nil {
				got = p.Format(time.RFC3339)
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	var m moment
	if err := m.UnmarshalText([]byte("yesterday")); err == nil {
		t.Error("accepts yesterday")
	}
}

func FuzzMoment(f *testing.F) {
	f.Add("2026-10-01T09:00:00.000+0000")
	f.Fuzz(func(t *testing.T, s string) {
		var m moment
		if m.UnmarshalText([]byte(s)) == nil && m.Time.Location() != time.UTC {
			t.Errorf("%q is not in UTC", s)
		}
	})
}

func TestPersonName(t *testing.T) {
	for _, tc := range []struct{ first, last, want string }{
		{"Ana", "Ruiz", "Ana Ruiz"},
		{"", "Ruiz", "Ruiz"},
		{"", "-", ""},
		{"Ana", "-", "Ana"},
	} {
		if got := personName(tc.first, tc.last); got != tc.want {
			t.Errorf("%q %q: got %q, want %q", tc.first, tc.last, got, tc.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	if got := addresses(" a@x.example; b@x.example;;"); !slices.Equal(got, []string{"a@x.example", "b@x.example"}) {
		t.Errorf("got %q", got)
	}
}

func TestContacts(t *testing.T) {
	var roles []roleRow
	rows := `[
		{"Id":"r3","ContactId":"c2","Role":"Economic Buyer","CreatedDate":"2026-01-03T00:00:00.000+0000","Contact":{"LastName":"Second","MobilePhone":"2","EmailBouncedDate":"2026-01-09T00:00:00.000+0000","CreatedDate":"2026-01-02T00:00:00.000+0000"}},
		{"Id":"r2","ContactId":"c1","Role":"Sponsor","CreatedDate":"2026-01-02T00:00:00.000+0000","Contact":{"FirstName":"The","LastName":"First","Email":"f@x.example","Phone":"1","MobilePhone":"9","Title":"CRO","CreatedDate":"2026-01-01T00:00:00.000+0000"}},
		{"Id":"r1","ContactId":"c1","Role":"Champion","CreatedDate":"2026-01-01T00:00:00.000+0000","Contact":{"FirstName":"The","LastName":"First","Email":"f@x.example","Phone":"1","MobilePhone":"9","Title":"CRO","CreatedDate":"2026-01-01T00:00:00.000+0000"}},
		{"Id":"r4","ContactId":"c3","Role":null,"CreatedDate":"2026-01-04T00:00:00.000+0000","Contact":{"LastName":"-","CreatedDate":"2026-01-04T00:00:00.000+0000"}},
		{"Id":"r5","ContactId":"c4","Role":"Other","CreatedDate":"2026-01-04T00:00:00.000+0000","Contact":null}]`
	if err := jsonv2.Unmarshal([]byte(rows), &roles, lenient); err != nil {
		t.Fatal(err)
	}
	want := []crm.Contact{
		{ID: "c1", Name: "The First", Title: "CRO", Email: "f@x.example", Phone: "1", Roles: []string{"Champion", "Sponsor"}},
		{ID: "c2", Name: "Second", Phone: "2", Roles: []string{"Economic Buyer"}, EmailBounced: true},
		{ID: "c3"},
	}
	if diff := cmp.Diff(want, contacts(roles)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestActivities(t *testing.T) {
	a := &around{
		emails: map[string][]emailRow{"d": {{ID: "e", ActivityID: "mirror", MessageDate: at(t, "2026-01-03T00:00:00Z"), HTMLBody: "<p>Hi</p>", From: "a@x.example", To: "b@x.example"}}},
		tasks: map[string][]taskRow{"d": {
			{ID: "mirror", TaskSubtype: "Email", CreatedDate: at(t, "2026-01-03T00:00:00Z")},
			{ID: "sent", TaskSubtype: "Email", CreatedDate: at(t, "2026-01-02T00:00:00Z"), Owner: &person{Email: "ae@x.example"}},
			{ID: "call", TaskSubtype: "Call", CreatedDate: at(t, "2026-01-01T00:00:00Z"), Description: "Talked."},
		}},
		events: map[string][]eventRow{"d": {
			{ID: "late", Type: "Kickoff", StartDateTime: at(t, "2026-02-02T00:00:00Z"), Description: "Agenda"},
			{ID: "early", Type: "kickoff", StartDateTime: at(t, "2026-02-01T00:00:00Z")},
			{ID: "meeting", StartDateTime: at(t, "2026-01-04T00:00:00Z"), Subject: "Scope"},
		}},
		invitees: map[string][]inviteeRow{"meeting": {{Relation: &person{Email: "c@x.example"}}, {Relation: nil}, {Relation: &person{}}}},
	}
	got, kickoff := activities(a, "d")
	want := []crm.Activity{
		{ID: "call", Kind: crm.Call, At: at(t, "2026-01-01T00:00:00Z").ptr(), Body: "Talked."},
		{ID: "sent", Kind: crm.Email, At: at(t, "2026-01-02T00:00:00Z").ptr(), From: "ae@x.example"},
		{ID: "e", Kind: crm.Email, At: at(t, "2026-01-03T00:00:00Z").ptr(), Body: "<p>Hi</p>", From: "a@x.example", To: []string{"b@x.example"}},
		{ID: "meeting", Kind: crm.Meeting, At: at(t, "2026-01-04T00:00:00Z").ptr(), Subject: "Scope", To: []string{"c@x.example"}},
		{ID: "late", Kind: crm.Meeting, At: at(t, "2026-02-02T00:00:00Z").ptr(), Body: "Agenda"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if kickoff == nil || !kickoff.Equal(at(t, "2026-02-01T00:00:00Z").Time) {
		t.Errorf("kickoff at %v", kickoff)
	}
}

func TestHistory(t *testing.T) {
	by := &person{Name: "Dana"}
	a := &around{
		stages: map[string][]stageRow{"d": {
			{StageName: "Open", CreatedDate: at(t, "2026-01-01T00:00:00Z")},
			{StageName: "Open", CreatedDate: at(t, "2026-01-02T00:00:00Z")}, // the amount changed
			{StageName: "Closed Won", CreatedDate: at(t, "2026-01-04T00:00:00Z"), CreatedBy: by},
		}},
		changes: map[string][]fieldChangeRow{"d": {
			{Field: "Owner", OldValue: "Ann", NewValue: "Ben", CreatedDate: at(t, "2026-01-03T00:00:00Z"), CreatedBy: by},
			{Field: "Owner", OldValue: "0055g00000AAAAAAAA", NewValue: "0055g00000BBBBBBBB", CreatedDate: at(t, "2026-01-03T00:00:00Z"), CreatedBy: by},
			{Field: "Handoff_Score__c", OldValue: 1.0, NewValue: 2.0, CreatedDate: at(t, "2026-01-03T00:00:00Z"), CreatedBy: by},
		}},
	}
	want := []crm.Change{
		{Field: "owner", At: at(t, "2026-01-03T00:00:00Z").ptr(), By: "Dana", From: "Ann", To: "Ben"},
		{Field: "stage", At: at(t, "2026-01-04T00:00:00Z").ptr(), By: "Dana", From: "Open", To: "Closed Won"},
	}
	if diff := cmp.Diff(want, history(a, "d")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// limitedOrg describes every object with the fields that any statement of ours names, but for those that a test hides,
// and holds one won deal without anything around it.
func limitedOrg(t *testing.T, off, refused []string, hidden ...string) *stub {
	s := newStub(t)
	fields := map[string]bool{"IsWon": true, "AccountId": true, "ContractId": true, "Amount": true, "NextStep": true, "Name": true}
	for _, src := range []source{contactRoles, legacyNotes, contentNotes, tasks, events, invitees, emails, fieldChanges} {
		for _, c := range src.columns {
			name := strings.TrimSuffix(c, "?")
			fields[name[strings.LastIndex(name, ".")+1:]] = true
		}
	}
	for _, name := range hidden {
		delete(fields, name)
	}
	var described []map[string]string
	for name := range fields {
		described = append(described, map[string]string{"name": name, "type": "string"})
	}
	description, err := json.Marshal(map[string]any{"updateable": true, "fields": described})
	if err != nil {
		t.Fatal(err)
	}
	s.api = composites(t, func(asked string) (int, string) {
		object, isDescribe := strings.CutSuffix(asked, "/describe")
		if isDescribe {
			object = object[strings.LastIndex(object, "/")+1:]
			switch {
			case slices.Contains(off, object):
				return 404, `[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`
			case slices.Contains(refused, object):
				return 403, `[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]`
			}
			return 200, string(description)
		}
		_, object, _ = strings.Cut(asked, " FROM ")
		object, _, _ = strings.Cut(object, " ")
		switch {
		case slices.Contains(off, object) || slices.Contains(refused, object):
			return 400, fmt.Sprintf(`[{"errorCode":"INVALID_TYPE","message":"sObject type '%s' is not supported."}]`, object)
		case object == "Opportunity" && strings.HasPrefix(asked, "SELECT COUNT()"):
			return 200, `{"totalSize":1,"done":true,"records":[]}`
		case object == "Opportunity":
			return 200, `{"totalSize":1,"done":true,"records":[{"Id":"0061","IsWon":true,"SystemModstamp":"2026-01-01T00:00:00.000+0000"}]}`
		}
		for _, name := range hidden {
			if strings.Contains(asked, name) {
				return 400, `[{"errorCode":"INVALID_FIELD","message":"No such column"}]`
			}
		}
		return 200, `{"totalSize":0,"done":true,"records":[]}`
	})
	return s
}

func TestUnread(t *testing.T) {
	for _, tc := range []struct {
		name         string
		off, refused []string
		hidden       []string
		want         []crm.Part
	}{
		{name: "everything readable"},
		{name: "features that are off", off: []string{"ContentNote", "EmailMessage", "EventRelation", "OpportunityFieldHistory"}},
		{name: "no access to notes", refused: []string{"ContentNote"}, want: []crm.Part{crm.PartNotes}},
		{name: "no access to contact roles", refused: []string{"OpportunityContactRole"}, want: []crm.Part{crm.PartContacts}},
		{name: "what every org has cannot be off", off: []string{"Task"}, want: []crm.Part{crm.PartTasks}},
		{name: "classic notes cannot be off either", off: []string{"Note"}, want: []crm.Part{crm.PartNotes}},
		{name: "a hidden field", hidden: []string{"Phone"}, want: []crm.Part{crm.PartContacts}},
		{name: "a hidden field that is no loss", hidden: []string{"TaskSubtype"}},
		{name: "a hidden field that holds a fact", hidden: []string{"NextStep"}, want: []crm.Part{crm.PartFields}},
		{name: "hidden fields that hold none", hidden: []string{"Amount", "AccountId"}},
		{name: "not described, refused when asked", refused: []string{"OpportunityHistory"}, want: []crm.Part{crm.PartHistory}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := limitedOrg(t, tc.off, tc.refused, tc.hidden...).client(t)
			for _, since := range []crm.Watermarks{nil, {"Opportunity": {Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}} {
				var got []connectors.Record
				err := c.Pull(t.Context(), since, func(b connectors.Batch) error {
					got = append(got, b.Records...)
					return nil
				})
				if err != nil || len(got) != 1 {
					t.Fatalf("%d deals, %v", len(got), err)
				}
				if !slices.Equal(got[0].Snapshot.Unread, tc.want) {
					t.Errorf("unread %v, want %v", got[0].Snapshot.Unread, tc.want)
				}
			}
		})
	}
}

// TestUnreadIsNotPassedOver: what could not be listed gets no watermark, so that its news is listed once it can be, and the log
// says so.
func TestUnreadIsNotPassedOver(t *testing.T) {
	var logged strings.Builder
	c := limitedOrg(t, nil, []string{"EmailMessage", "ContentDocumentLink"}).client(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&logged, nil)) })
	r, err := c.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	news := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	since := crm.Watermarks{"Opportunity": {Time: news}, readsMark: {Time: news, ID: r.reads()}}
	var marks crm.Watermarks
	err = c.Pull(t.Context(), since, func(b connectors.Batch) error {
		if b.Watermarks != nil {
			marks = b.Watermarks
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Contact", "Event", "EventRelation", "Note", "Opportunity", "OpportunityContactRole", "Task", notesMark, readsMark}
	if diff := cmp.Diff(want, sortedKeys(marks)); diff != "" {
		t.Errorf("watermarks, -want +got:\n%s", diff)
	}
	for _, object := range []string{"EmailMessage", "ContentDocument", "ContentDocumentLink"} {
		if !strings.Contains(logged.String(), "what is new cannot be listed") || !strings.Contains(logged.String(), "object="+object+" ") {
			t.Errorf("the log does not say that %s is not listed:\n%s", object, &logged)
		}
	}
}

func TestOpportunitiesHidden(t *testing.T) {
	c := limitedOrg(t, []string{"Opportunity"}, nil).client(t)
	err := c.Pull(t.Context(), nil, func(connectors.Batch) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the integration user may not read opportunities (NOT_FOUND, HTTP 404). Grant the integration user Read and Edit on opportunities (Setup > Permission Sets") {
		t.Errorf("got %v", err)
	}
}

func TestBodyRefused(t *testing.T) {
	s := newStub(t)
	s.api = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "NOT_FOUND") }
	r := &reader{Client: s.client(t), bodiesLeft: 1}
	a := &around{notes: map[string]contentNoteRow{"n": {ID: "n", TextPreview: strings.Repeat("x", 255), ContentSize: 400}}}
	links := []noteLinkRow{{LinkedEntityID: "d", DocumentID: "n", Document: &struct {
		Version string `json:"LatestPublishedVersionId"`
	}{"v"}}}
	a.links = map[string][]noteLinkRow{"d": links}
	if err := r.readBodies(t.Context(), a, []row{{"Id": "d"}}); err != nil {
		t.Fatal(err)
	}
	missing := gaps{}
	if got := notes(a, "d", missing); len(got) != 0 || !missing[crm.PartNotes] {
		t.Errorf("notes %v, gaps %v", got, missing)
	}
}

// TestReadsTellsOrgsApart: watermarks of one org are none of another's.
func TestReadsTellsOrgsApart(t *testing.T) {
	s := newStub(t)
	s.login = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"access_token":"t","instance_url":%q,"id":"https://login.example/id/00D%d/005"}`, s.URL, s.logins.Load())
	}
	s.api = limitedOrg(t, nil, nil).api
	var reads []string
	for range 2 {
		r, err := s.client(t).open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		reads = append(reads, r.reads())
	}
	if reads[0] == reads[1] {
		t.Error("two orgs are read as one")
	}
}
