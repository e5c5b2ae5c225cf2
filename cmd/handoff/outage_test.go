package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"handoff/crm"
)

// TestOutage runs both connections while one CRM is down, slow or refuses everything: the other is finished, the output says
// what happened, and the next run after the outage completes what is left.
func TestOutage(t *testing.T) {
	t.Parallel()
	fault := func(body string) func(*scene) func() {
		return func(s *scene) func() {
			s.call("POST", "/_sandbox/faults", "", "application/json", body, nil)
			return func() { s.call("DELETE", "/_sandbox/faults", "", "", "", nil) }
		}
	}
	for _, tt := range []struct {
		name  string
		start func(*scene) (stop func())
		want  string // of stderr
	}{
		{"down", func(s *scene) func() {
			s.configure("url", `"http://127.0.0.1:1"`)
			return func() { s.configure("url", fmt.Sprintf("%q", s.url)) }
		}, "connections.%s.url: %s: "},
		{"slow", fault(`{"delay_ms": 4000}`), "connections.%s.url: %s: "},
		{"401 for ever", fault(`{"status": 401}`), "connections.%s"},
		{"403 for ever", fault(`{"status": 403}`), "connections.%s"},
		{"500 for ever", fault(`{"status": 500}`), "connections.%s"},
	} {
		for _, out := range []string{"salesforce", "hubspot"} {
			t.Run(tt.name+"/"+out, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, out)
				other := map[string]string{"salesforce": "hubspot", "hubspot": "salesforce"}[out]
				s.look(other)
				if exit, text := s.exec("setup", "--apply", "--connection", other); exit != exitDone {
					t.Fatalf("setup: exit %d: %s", exit, text)
				}
				s.look(out)
				stop := tt.start(s)
				s.patience = 3 * time.Second
				exit, text := s.exec("run", "--once")
				if exit != exitIssue {
					t.Errorf("exit %d, want 1: %s", exit, text)
				}
				want := strings.ReplaceAll(strings.ReplaceAll(tt.want, "%s: ", crms[out].name+": "), "%s", out)
				if !strings.Contains(text, want) {
					t.Errorf("it does not say %q:\n%s", want, text)
				}
				if !strings.Contains(text, other+": 4 pulled, 4 scored, 4 written;") {
					t.Errorf("%s was not finished:\n%s", other, text)
				}
				stop()
				s.look(other)
				s.wantScored(4)
				s.look(out)
				s.wantScored(0)

				if exit, text := s.exec("run", "--once"); exit != exitDone || !strings.Contains(text, other+": no news since the last run, 0 written;") {
					t.Errorf("after the outage: exit %d: %s", exit, text)
				}
				s.wantScored(4)
			})
		}
	}
}

// wantScored checks how many deals of the CRM have a score.
func (s *scene) wantScored(want int) {
	s.t.Helper()
	scored := 0
	for _, r := range s.crm.records(crm.DealObject) {
		if r.values["score"] != "" {
			scored++
		}
	}
	if scored != want {
		s.t.Errorf("%d deals of %s have a score, want %d", scored, s.connection, want)
	}
}

// TestNotesThatMayNotBeRead takes the permission to read notes away: what they may answer stays open, and everything that
// would follow from it; the rest is written. With the permission back the next run makes up for it.
func TestNotesThatMayNotBeRead(t *testing.T) { overBoth(t, testNotesThatMayNotBeRead) }

func testNotesThatMayNotBeRead(t *testing.T, connection string) {
	s := newScene(t, connection)
	full := map[string]string{} // totals by case
	_, cards := s.exec("score", "--json", demoCases)
	for line := range strings.Lines(cards) {
		var c struct {
			ID    string
			Total int
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		full[c.ID] = fmt.Sprint(c.Total)
	}
	s.configure("overlap", `"1ms"`) // so that a second run does not read the deals again for their own write-back
	permissions := map[string][]string{"salesforce": {"Note.read", "ContentNote.read"}, "hubspot": {"crm.objects.contacts.read"}}
	for _, p := range permissions[connection] {
		s.revoke(p)
	}

	exit, text := s.exec("run", "--once", "--connection", connection, "--json")
	if exit != exitIssue || !strings.Contains(text, "deals not scored in full, because handoff could not read: ") || !strings.Contains(text, "notes") {
		t.Errorf("exit %d: %s", exit, text)
	}
	if !strings.Contains(text, `"flagged":0,`) {
		t.Errorf("deals are flagged: %s", text)
	}
	open := 0
	for _, r := range s.crm.records(crm.DealObject) {
		if r.values["score"] != "" { // what could be read answered every item
			continue
		}
		open++
		for _, field := range []string{"score", "rating", "health", "ghost_reason", "final_score"} {
			if v := r.values[field]; v != "" {
				t.Errorf("%s: %s is %q although notes were not read", r.name, field, v)
			}
		}
		for _, field := range []string{"ghost", "complete", "ready"} {
			if v := r.values[field]; v != "false" {
				t.Errorf("%s: %s is %q although notes were not read", r.name, field, v)
			}
		}
		for field, v := range r.values {
			if strings.HasPrefix(field, "item_") && field != "item_notes" && field != "item_5_3" && v != "" && v != "2" {
				t.Errorf("%s: %s is %q, which a note could raise", r.name, field, v)
			}
		}
		if action := r.values["next_action"]; !strings.HasPrefix(action, "Not scored in full: handoff could not read ") || !strings.Contains(action, "notes") {
			t.Errorf("%s: next action %q does not say what could not be read", r.name, action)
		}
		if r.values["max"] != "40" || r.values["acceptance"] != "Pending" || r.values["item_5_3"] == "" {
			t.Errorf("%s: what does not depend on notes was not written: %v", r.name, r.values)
		}
	}
	if open == 0 {
		t.Error("every deal is scored in full without its notes: the test sees nothing")
	}
	for _, r := range s.crm.records(crm.AccountObject) {
		if v := r.values["health"]; v != "" && open == 4 {
			t.Errorf("account %s: health %q", r.name, v)
		}
	}

	for range 2 {
		if exit, text := s.exec("run", "--once", "--connection", connection); exit != exitIssue || !strings.Contains(text, count(open, "deal")+" not scored in full") {
			t.Errorf("without news: exit %d: %s", exit, text)
		}
	}

	s.call("DELETE", "/_sandbox/revoked", "", "", "", nil)
	if exit, text := s.exec("run", "--once", "--connection", connection); exit != exitDone {
		t.Errorf("with the permission back: exit %d: %s", exit, text)
	}
	for _, r := range s.crm.records(crm.DealObject) {
		if got := r.values["score"]; got != full[r.caseID] {
			t.Errorf("%s: with the permission back the score is %q, want %q", r.name, got, full[r.caseID])
		}
	}
}
