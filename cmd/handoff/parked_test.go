package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"handoff/crm"
	"handoff/jobs"
)

// TestParked: what a CRM refuses is listed in its words until it takes it, and tried again at once when somebody corrects the
// record, but not with every run.
func TestParked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		connection, code, remedy string
		correct                  func(s *scene, id string)
	}{
		{"salesforce", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A validation rule refuses the deal as it is: correct the deal",
			func(s *scene, id string) {
				s.editRecord("Opportunity", id, map[string]any{"NextStep": "Kickoff on Monday"})
			}},
		{"hubspot", "VALIDATION_ERROR", "A rule of the portal may want another property filled in first",
			func(s *scene, id string) {
				s.editRecord("deals", id, map[string]any{"hs_next_step": "Kickoff on Monday"})
			}},
	} {
		t.Run(tt.connection, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, tt.connection)
			deal := s.crm.records(crm.DealObject)[0]
			const words = "A won deal needs a next step"
			s.call("POST", "/_sandbox/refusals", "", "application/json", fmt.Sprintf(`{"id": %q, "code": %q, "message": %q}`, deal.id, tt.code, words), nil)
			tries := func(want int) {
				t.Helper()
				s.runs(exitIssue)
				exit, text := s.exec("deals", "--parked", "--json")
				var row struct {
					Connection, Object, ID, Name string
					jobs.Refusal
				}
				if err := json.Unmarshal([]byte(text), &row); err != nil || exit != exitDone {
					t.Fatalf("exit %d, %v: %s", exit, err, text)
				}
				if row.ID != deal.id || row.Name != deal.name || row.Object != "deal" || row.Code != tt.code || row.Message != words || row.Tries != want {
					t.Errorf("want it tried %d times: %s", want, text)
				}
				if !strings.HasPrefix(row.Remedy, tt.remedy) || !row.Next.After(row.At) {
					t.Errorf("what to do, and when it is tried: %s", text)
				}
			}
			tries(1)
			tries(1)
			exit, text := s.exec("deals", "--parked")
			for _, want := range []string{"RECORD", "TRIED AGAIN", deal.name, "  once  ", "  after 20", words + " (" + tt.code + ")", tt.remedy} {
				if exit != exitDone || !strings.Contains(text, want) {
					t.Errorf("exit %d, and it does not say %q:\n%s", exit, want, text)
				}
			}
			if _, text := s.exec("explain", tt.connection+":"+deal.id); !strings.Contains(text, "  Parked      the CRM refused the last write: "+words) {
				t.Errorf("explain does not say so:\n%s", text)
			}
			s.call("DELETE", "/_sandbox/refusals", "", "", "", nil)
			tt.correct(s, deal.id)
			s.runs(exitDone)
			if _, text := s.exec("deals", "--parked"); text != "The CRM refuses no write.\n" {
				t.Errorf("it is written, and listed still:\n%s", text)
			}
			for _, r := range s.crm.records(crm.DealObject) {
				if r.id == deal.id && r.values["score"] == "" {
					t.Error("it is not written")
				}
			}
			if exit, text := s.exec("deals", "--parked", "--flagged"); exit != exitUse || !strings.Contains(text, "Use one of them") {
				t.Errorf("exit %d: %s", exit, text)
			}
		})
	}
}
