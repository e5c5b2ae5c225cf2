package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox"
	demodeals "handoff/connectors/sandbox/deals"
	"handoff/crm"
	"handoff/jobs"
)

// faultScene is a sandbox in this process whose clock moves by hand, set up and scored, with one deal for each kind of record:
// people change that record, and the deal's score depends on it alone.
type faultScene struct {
	*lab
	clock    *connectortest.Clock
	cfg      *Config
	patience time.Duration
	kinds    []newsKind
	told     bool   // people wrote everything last, not idle words
	doomed   int    // the next of the deals that are there to be deleted
	asleep   func() // happens the next time that the connector waits; nil: nothing
}

// newsKind is a kind of record whose changes are news of a deal.
type newsKind struct {
	name   string
	change func(told bool)
}

// idle is one of the texts that people write in turn; the other one is everything. A score depends on which of them it is; both are
// too long for a preview.
var idle = strings.Repeat("We had a pleasant talk about the weather and this and that. ", 6)

// everything is all about the i-th deal: what were on several deals in the same words would pass for a template.
func everything(i int) string {
	rich := slices.DeleteFunc(demodeals.Demo(), func(s *crm.Snapshot) bool { return len(s.Deal.Fields) < 10 })
	var text []string
	for _, name := range slices.Sorted(maps.Keys(rich[i].Deal.Fields)) {
		text = append(text, rich[i].Deal.Fields[name])
	}
	return strings.Join(text, "\n")
}

var newsKinds = map[string][]string{
	"salesforce": {"deal", "role", "task", "event", "email", "note", "content note"},
	"hubspot":    {"deal", "contact", "note", "call", "meeting", "email", "task"},
}

func newFaultScene(t *testing.T, connection string, doomed int) *faultScene {
	t.Helper()
	s := &faultScene{lab: &lab{t: t, config: filepath.Join(t.TempDir(), "config.toml")}, clock: connectortest.NewClock(), patience: time.Minute}
	deals := slices.Clone(newsKinds[connection])
	for i := range doomed {
		deals = append(deals, fmt.Sprintf("%s %d", doomedName, i))
	}
	sb, err := sandbox.Start(t.Context(), sandboxOptions{Salesforce: "127.0.0.1:0", HubSpot: "127.0.0.1:0", Cases: faultCases(deals), NoLimits: true,
		Now: s.clock.Now, Sleep: s.clock.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeSandbox(sb); err != nil && !errors.Is(err, context.DeadlineExceeded) { // connections without a request
			t.Errorf("close the sandbox: %v", err)
		}
	})
	if err := sb.WriteConfig(s.config); err != nil {
		t.Fatal(err)
	}
	s.look(connection)
	(&scene{lab: s.lab}).configure("overlap", `"30m"`)
	(&scene{lab: s.lab}).configure("as_of", `"2030-01-01T00:00:00Z"`) // behind all that people write here
	if s.cfg, err = loadConfig(s.config, env()); err != nil {
		t.Fatal(err)
	}
	if err := s.cfg.narrow(connection); err != nil {
		t.Fatal(err)
	}
	a, text := s.app()
	if exit := a.main(t.Context(), []string{"--config", s.config, "setup", "--apply", "--connection", connection}); exit != exitDone {
		t.Fatalf("setup: exit %d: %s", exit, text)
	}
	s.kinds = map[string]func() []newsKind{"salesforce": s.salesforceKinds, "hubspot": s.hubspotKinds}[connection]()
	return s
}

// faultCases are won deals by the names of the kinds, each with a contact and a meeting with somebody who is not on the deal.
func faultCases(names []string) []*crm.Snapshot {
	day, closed := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC), crm.NewDate(2026, 9, 30)
	var cases []*crm.Snapshot
	for i, kind := range names {
		contact := crm.Contact{Name: "Robin " + kind, Email: fmt.Sprintf("robin%d@customer.example", i), Roles: []string{"Economic Buyer"}}
		cases = append(cases, &crm.Snapshot{ID: kind,
			Deal:     crm.Deal{ID: kind, Name: kind, Account: "Account of " + kind, Stage: "Closed Won", Won: true, CloseDate: &closed, Owner: &crm.User{Name: "Dana Ruiz"}},
			Contacts: []crm.Contact{contact},
			Notes:    caseNotes[kind],
			Activities: []crm.Activity{
				{Kind: crm.Meeting, At: &day, Subject: "Talk", To: []string{contact.Email, fmt.Sprintf("guest%d@customer.example", i)}},
				{Kind: crm.Call, At: &day, Subject: "Call", To: []string{contact.Email}},
				{Kind: crm.Task, At: &day, Subject: "Call back", To: []string{contact.Email}},
				{Kind: crm.Email, At: &day, Subject: "Hello", From: "dana@vendor.example", To: []string{contact.Email}},
			}})
	}
	cases[0].Deal.Fields, cases[0].Contacts = rich().Deal.Fields, rich().Contacts
	return cases
}

// caseNotes are notes of people who sell; what our own user wrote would not count. Salesforce keeps the first or the second
// of two plain ones as a legacy note, and HTML as a content note.
var caseNotes = map[string][]crm.Note{
	"note":         {{Body: "Nothing yet.", Author: "Dana Ruiz"}, {Body: "Nothing more.", Author: "Dana Ruiz"}},
	"content note": {{Body: "<p>Nothing yet.</p>", Author: "Dana Ruiz"}},
}

// rich is a deal that Sales has told everything about.
func rich() *crm.Snapshot { return demodeals.Demo()[0] }

// app returns the program by the scene's clock, which every wait moves on, and what it prints.
func (s *faultScene) app() (*app, *bytes.Buffer) {
	text := &bytes.Buffer{}
	return &app{stdin: strings.NewReader(""), stdout: text, stderr: text, env: env(), clock: s.clock.Now, log: slog.New(slog.DiscardHandler), patience: s.patience,
		sleep: func(ctx context.Context, d time.Duration) error {
			s.clock.Advance(d)
			if happen := s.asleep; happen != nil {
				s.asleep = nil
				happen()
			}
			return ctx.Err()
		}}, text
}

// run runs the connection once, as `handoff run --once` does, and returns what a person reads of a run that did not do all
// its work; "": it did.
func (s *faultScene) run() string {
	s.t.Helper()
	a, text := s.app()
	service, err := a.openService(s.t.Context(), s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	err = errors.Join(service.once(s.t.Context(), jobs.ScoreJob, false), service.close())
	switch {
	case err == nil:
		return ""
	case !errors.Is(err, errReported):
		fmt.Fprintln(text, plainLines(err.Error()))
	}
	return text.String()
}

// news lets people change every kind of record.
func (s *faultScene) news() {
	s.told = !s.told
	for _, k := range s.kinds {
		k.change(s.told)
	}
}

// text is what people write in a record of a kind.
func (s *faultScene) text(kind string, all bool) string {
	if !all {
		return idle
	}
	return everything(slices.Index(newsKinds[s.connection], kind))
}

// state is every field of ours in the CRM.
func (s *faultScene) state() map[string]crm.Values {
	s.look(s.connection) // a session may have expired
	all := state(s.lab)
	maps.DeleteFunc(all, func(name string, _ crm.Values) bool { return strings.Contains(name, doomedName) })
	return all
}

const doomedName = "doomed" // begins the names of the deals that are deleted

// doom gives the i-th of the doomed deals news, and has it deleted while the next run waits.
func (s *faultScene) doom(i int) {
	s.t.Helper()
	s.look(s.connection)
	id := s.dealIDs()[fmt.Sprintf("%s %d", doomedName, i)]
	s.crm.edit(id, map[string]any{"description": idle})
	s.asleep = func() {
		path, token := "/crm/objects/2026-09/deals/", hubspotToken
		if v, ok := s.crm.(*salesforceView); ok {
			path, token = salesforceAPI+"/sobjects/Opportunity/", v.token
		}
		s.call("DELETE", path+id, token, "", "", nil)
	}
}

// dealIDs returns the ids of the deals by name, which is the kind of record that they are for.
func (s *faultScene) dealIDs() map[string]string {
	ids := map[string]string{}
	for _, d := range s.crm.records(crm.DealObject) {
		ids[d.name] = d.id
	}
	return ids
}

func (s *faultScene) salesforceKinds() []newsKind {
	deals := s.dealIDs()
	insert := func(object string, fields map[string]any) string {
		body, err := json.Marshal(fields)
		if err != nil {
			s.t.Fatal(err)
		}
		var made struct{ ID string }
		s.call("POST", salesforceAPI+"/sobjects/"+object, s.crm.(*salesforceView).token, "application/json", string(body), &made)
		return made.ID
	}
	find := func(field, object, where, deal string) string {
		var page struct{ Records []map[string]any }
		soql := "SELECT " + field + " FROM " + object + " WHERE " + where + " = '" + deals[deal] + "'"
		s.call("GET", salesforceAPI+"/query?q="+url.QueryEscape(soql), s.crm.(*salesforceView).token, "", "", &page)
		return page.Records[0][field].(string)
	}
	contact := find("ContactId", "OpportunityContactRole", "OpportunityId", "role")
	document := find("ContentDocumentId", "ContentDocumentLink", "LinkedEntityId", "content note")
	edited := func(name, object, id, field string) newsKind {
		return newsKind{name, func(told bool) { s.editRecord(object, id, map[string]any{field: s.text(name, told)}) }}
	}
	at := s.clock.Now().Format(time.RFC3339)
	return []newsKind{
		{"deal", func(told bool) {
			fields := map[string]any{}
			for name, value := range rich().Deal.Fields {
				words := strings.Split(name, "_")
				for i, w := range words {
					words[i] = strings.ToUpper(w[:1]) + w[1:]
				}
				fields[strings.Join(words, "_")+"__c"] = map[bool]string{true: value}[told]
			}
			s.editRecord("Opportunity", deals["deal"], fields)
		}},
		{"role", func(told bool) {
			s.editRecord("Contact", contact, map[string]any{"Title": map[bool]string{true: "Chief Revenue Officer"}[told]})
		}},
		edited("task", "Task", insert("Task", map[string]any{"WhatId": deals["task"], "Subject": "Talk"}), "Description"),
		edited("event", "Event", insert("Event", map[string]any{"WhatId": deals["event"], "Subject": "Talk", "StartDateTime": at, "DurationInMinutes": 30}), "Description"),
		edited("email", "EmailMessage", insert("EmailMessage", map[string]any{"RelatedToId": deals["email"], "Subject": "Talk", "Status": "3", "MessageDate": at}), "TextBody"),
		edited("note", "Note", find("Id", "Note", "ParentId", "note"), "Body"),
		{"content note", func(told bool) {
			s.look(s.connection)
			insert("ContentVersion", map[string]any{"ContentDocumentId": document, "Title": "Talk", "PathOnClient": "Talk.snote", "VersionData": base64.StdEncoding.EncodeToString([]byte(s.text("content note", told)))})
		}},
	}
}

func (s *faultScene) hubspotKinds() []newsKind {
	deals := s.dealIDs()
	create := func(object, deal string, association int, properties map[string]string) string {
		properties["hs_timestamp"] = s.clock.Now().Format(time.RFC3339)
		body, err := json.Marshal(map[string]any{"properties": properties, "associations": []any{map[string]any{"to": map[string]string{"id": deals[deal]},
			"types": []any{map[string]any{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": association}}}}})
		if err != nil {
			s.t.Fatal(err)
		}
		var made struct{ ID string }
		s.call("POST", "/crm/objects/2026-09/"+object, hubspotToken, "application/json", string(body), &made)
		return made.ID
	}
	edited := func(name, object, id, property string) newsKind {
		return newsKind{name, func(told bool) { s.editRecord(object, id, map[string]any{property: s.text(name, told)}) }}
	}
	linked := func(deal, object string) string {
		var links struct {
			Results []struct {
				To []struct{ ToObjectID json.Number }
			}
		}
		s.call("POST", "/crm/associations/2026-09/deals/"+object+"/batch/read", hubspotToken, "application/json", fmt.Sprintf(`{"inputs":[{"id":%q}]}`, deals[deal]), &links)
		return links.Results[0].To[0].ToObjectID.String()
	}
	return []newsKind{
		{"deal", func(told bool) {
			fields := map[string]any{}
			for name, value := range rich().Deal.Fields {
				fields[name] = map[bool]string{true: value}[told]
			}
			s.editRecord("deals", deals["deal"], fields)
		}},
		{"contact", func(told bool) {
			s.editRecord("contacts", linked("contact", "contacts"), map[string]any{"jobtitle": map[bool]string{true: "Chief Revenue Officer"}[told]})
		}},
		edited("note", "notes", linked("note", "notes"), "hs_note_body"),
		edited("call", "calls", create("calls", "call", 206, map[string]string{"hs_call_title": "Talk"}), "hs_call_body"),
		edited("meeting", "meetings", create("meetings", "meeting", 212, map[string]string{"hs_meeting_title": "Talk"}), "hs_meeting_body"),
		edited("email", "emails", create("emails", "email", 210, map[string]string{"hs_email_subject": "Talk"}), "hs_email_text"),
		edited("task", "tasks", create("tasks", "task", 216, map[string]string{"hs_task_subject": "Talk"}), "hs_task_body"),
	}
}
