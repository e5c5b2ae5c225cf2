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
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox"
	demodeals "handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// faultScene is a sandbox in this process whose clock moves by hand, set up, with one deal for each kind of record: people
// change that record, and the deal's score depends on it alone.
type faultScene struct {
	*lab
	clock    *connectortest.Clock
	cfg      *Config
	patience time.Duration
	bulkFrom int // deals that a first run reads in bulk; 0: more than there are
	routine  *routine
	kinds    []newsKind
	told     bool       // people wrote everything last, not idle words
	doomed   int        // the next of the deals that are there to be deleted
	asleep   func()     // happens the next time that the connector waits; nil: nothing
	late     chan error // yields what became of a change that is still to be committed; nil: there is none
	printed  string     // by the routine the last time, if that is what counts
}

// newsKind is a kind of record whose changes are news of a deal.
type newsKind struct {
	name   string
	change func(told bool)
	late   func(told bool) // the same change, which is seen only later; nil: there is no such
}

// lateKind is the kind of record whose changes may be late.
const lateKind = "task"

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

func newFaultScene(t *testing.T, connection string, r *routine, doomed int) *faultScene {
	t.Helper()
	s := &faultScene{lab: &lab{t: t, config: filepath.Join(t.TempDir(), "config.toml")}, clock: connectortest.NewClock(), patience: time.Minute, routine: r}
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
	s.must("setup", "--apply")
	if r.begin != nil {
		r.begin(s)
	}
	return s
}

// everyKind lets every kind of record have news.
func (s *faultScene) everyKind() {
	s.kinds = map[string]func() []newsKind{"salesforce": s.salesforceKinds, "hubspot": s.hubspotKinds}[s.connection]()
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
		bulkFrom: s.bulkFrom, bulkRows: 12,
		sleep: func(ctx context.Context, d time.Duration) error {
			s.clock.Advance(d)
			if happen := s.asleep; happen != nil {
				s.asleep = nil
				happen()
			}
			return ctx.Err()
		}}, text
}

// command runs a command on the connection, and returns its exit code and what a person reads.
func (s *faultScene) command(args ...string) (int, string) {
	s.t.Helper()
	a, text := s.app()
	exit := a.main(s.t.Context(), append([]string{"--config", s.config, "--connection", s.connection}, args...))
	return exit, logLines.ReplaceAllString(text.String(), "")
}

// logLines match lines of the log.
var logLines = regexp.MustCompile(`(?m)^time=.*\n`)

// must runs a command that does all its work, and returns what a person reads.
func (s *faultScene) must(args ...string) string {
	s.t.Helper()
	exit, text := s.command(args...)
	if exit != exitDone {
		s.t.Fatalf("%s: exit %d: %s", args, exit, text)
	}
	return text
}

// run goes through the routine once, and returns what a person reads where it did not do all its work; "": it did.
func (s *faultScene) run() string {
	s.t.Helper()
	return s.routine.run(s)
}

// state is what the routine is to end in, by name.
func (s *faultScene) state() map[string]any {
	s.t.Helper()
	s.look(s.connection) // a session may have expired
	return s.routine.state(s)
}

// news lets people change what the routine is about, before a fault of that class.
func (s *faultScene) news(class faultClass) {
	s.t.Helper()
	s.told = !s.told
	s.look(s.connection)
	if s.routine.before != nil {
		s.routine.before(s)
	}
	for _, k := range s.kinds {
		if class.late && k.name == lateKind {
			s.asleep = func() { k.late(s.told) }
			s.crm.edit(s.dealIDs()[fmt.Sprintf("%s %d", doomedName, s.doomed)], map[string]any{"description": s.clock.Now().String()}) // as many deals as ever have news
			continue
		}
		k.change(s.told)
	}
	if class.deletes {
		s.doom(s.doomed)
		s.doomed++
	}
}

// overdue waits for a change that is to be committed by now.
func (s *faultScene) overdue() {
	s.t.Helper()
	if s.late != nil {
		if err := <-s.late; err != nil {
			s.t.Fatal(err)
		}
	}
	s.late = nil
}

// text is what people write in a record of a kind.
func (s *faultScene) text(kind string, all bool) string {
	if !all {
		return idle
	}
	return everything(slices.Index(newsKinds[s.connection], kind))
}

const doomedName = "doomed" // begins the names of the deals that are deleted

// doom gives the i-th of the doomed deals news, and has it deleted while the next run waits.
func (s *faultScene) doom(i int) {
	s.t.Helper()
	id := s.dealIDs()[fmt.Sprintf("%s %d", doomedName, i)]
	s.crm.edit(id, map[string]any{"description": idle})
	s.asleep = func() { s.delete(id) }
}

// delete deletes a deal.
func (s *faultScene) delete(id string) {
	s.t.Helper()
	path, token := "/crm/objects/2026-09/deals/", hubspotToken
	if v, ok := s.crm.(*salesforceView); ok {
		path, token = salesforceAPI+"/sobjects/Opportunity/", v.token
	}
	s.call("DELETE", path+id, token, "", "", nil)
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
		return newsKind{name, func(told bool) { s.editRecord(object, id, map[string]any{field: s.text(name, told)}) },
			func(told bool) { s.commitLate(object, id, field, s.text(name, told)) }}
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
		}, nil},
		{"role", func(told bool) {
			s.editRecord("Contact", contact, map[string]any{"Title": map[bool]string{true: "Chief Revenue Officer"}[told]})
		}, nil},
		edited("task", "Task", insert("Task", map[string]any{"WhatId": deals["task"], "Subject": "Talk"}), "Description"),
		edited("event", "Event", insert("Event", map[string]any{"WhatId": deals["event"], "Subject": "Talk", "StartDateTime": at, "DurationInMinutes": 30}), "Description"),
		edited("email", "EmailMessage", insert("EmailMessage", map[string]any{"RelatedToId": deals["email"], "Subject": "Talk", "Status": "3", "MessageDate": at}), "TextBody"),
		edited("note", "Note", find("Id", "Note", "ParentId", "note"), "Body"),
		{"content note", func(told bool) {
			s.look(s.connection)
			insert("ContentVersion", map[string]any{"ContentDocumentId": document, "Title": "Talk", "PathOnClient": "Talk.snote", "VersionData": base64.StdEncoding.EncodeToString([]byte(s.text("content note", told)))})
		}, nil},
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
		return newsKind{name, func(told bool) { s.editRecord(object, id, map[string]any{property: s.text(name, told)}) },
			func(told bool) { s.findLate(object, id, property, s.text(name, told)) }}
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
		}, nil},
		{"contact", func(told bool) {
			s.editRecord("contacts", linked("contact", "contacts"), map[string]any{"jobtitle": map[bool]string{true: "Chief Revenue Officer"}[told]})
		}, nil},
		edited("note", "notes", linked("note", "notes"), "hs_note_body"),
		edited("call", "calls", create("calls", "call", 206, map[string]string{"hs_call_title": "Talk"}), "hs_call_body"),
		edited("meeting", "meetings", create("meetings", "meeting", 212, map[string]string{"hs_meeting_title": "Talk"}), "hs_meeting_body"),
		edited("email", "emails", create("emails", "email", 210, map[string]string{"hs_email_subject": "Talk"}), "hs_email_text"),
		edited("task", "tasks", create("tasks", "task", 216, map[string]string{"hs_task_subject": "Talk"}), "hs_task_body"),
	}
}
