package crm

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func TestReadCases(t *testing.T) {
	input := `{"id":"a","as_of":"2026-10-15T09:00:00Z","deal":{"id":"006A","won":true,"amount":48000,"close_date":"2026-09-30","csm":null,"kickoff_at":null,"fields":{"use_case":"x","description":null}},"notes":[{"at":"2026-09-28T15:00:00+02:00","body":"b"}],"expected":{"scores":{"1.1":2}}}

{"id":"b","deal":{"id":"006B"},"contacts":null}
`
	var got []*Snapshot
	for s, err := range ReadCases(strings.NewReader(input)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Fatalf("got %d cases", len(got))
	}
	a := got[0]
	if a.Deal.CSM != nil || a.Deal.KickoffAt != nil || a.Deal.Fields["description"] != "" {
		t.Errorf("null is not read as absent: %+v", a.Deal)
	}
	if a.Deal.CloseDate.String() != "2026-09-30" || *a.Deal.Amount != 48000 {
		t.Errorf("deal %+v", a.Deal)
	}
	if want := time.Date(2026, 9, 28, 13, 0, 0, 0, time.UTC); !a.Notes[0].At.Equal(want) {
		t.Errorf("note at %v, want %v", a.Notes[0].At, want)
	}
}

func TestReadCasesRefuses(t *testing.T) {
	tests := []struct {
		name, line string
		want       string
	}{
		{"unknown field", `{"id":"a","deal":{"id":"1","feilds":{}}}`, "line 2: field /deal/feilds: unknown field; docs/cases.md lists what a case may hold"},
		{"unknown field at the top", `{"id":"a","deal":{"id":"1"},"note":[]}`, "line 2: field /note: unknown field; docs/cases.md lists what a case may hold"},
		{"wrong type", `{"id":"a","deal":{"id":"1","amount":"48k"}}`, "line 2: field /deal/amount: a JSON string does not fit here"},
		{"number for text", `{"id":"a","deal":{"id":17}}`, "line 2: field /deal/id: a JSON number does not fit here"},
		{"bad date", `{"id":"a","deal":{"id":"1","close_date":"30.09.2026"}}`, `line 2: field /deal/close_date: "30.09.2026" is not a date of the form YYYY-MM-DD`},
		{"part of a number", `{"id":"a","deal":{"id":"1","term_months":12.5}}`, "line 2: field /deal/term_months: 12.5 is not a whole number"},
		{"unknown part", `{"id":"a","deal":{"id":"1"},"unread":["note"]}`, `line 2: field /unread/0: "note" is not one of [contacts notes tasks events emails history fields activities]`},
		{"no id", `{"deal":{"id":"1"}}`, "line 2: field /id: a case needs an id"},
		{"no deal id", `{"id":"a"}`, "line 2: field /deal/id: a deal needs an id"},
		{"unknown kind", `{"id":"a","deal":{"id":"1"},"activities":[{"kind":"fax"}]}`, `line 2: field /activities/0/kind: "fax" is not one of meeting, call, email, task`},
		{"doubled key", `{"id":"a","id":"b","deal":{"id":"1"}}`, `line 2: field /id: not valid JSON at byte 10: duplicate object member name`},
		{"not JSON", `{"id":`, `line 2: field /id: not valid JSON at byte 7: unexpected EOF`},
		{"two objects", `{"id":"a","deal":{"id":"1"}} {}`, `line 2: not valid JSON at byte 29: invalid character '{' after top-level value`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var good int
			var problems []string
			for s, err := range ReadCases(strings.NewReader("{\"id\":\"x\",\"deal\":{\"id\":\"1\"}}\n" + tt.line + "\n{\"id\":\"y\",\"deal\":{\"id\":\"2\"}}")) {
				switch {
				case err == nil && s != nil:
					good++
				case err != nil && s == nil:
					problems = append(problems, err.Error())
				default:
					t.Errorf("yielded %v with %v", s, err)
				}
			}
			if good != 2 {
				t.Errorf("%d good lines read, want 2", good)
			}
			if len(problems) != 1 || problems[0] != tt.want {
				t.Errorf("got  %q\nwant %q", problems, tt.want)
			}
		})
	}
}

// TestReadCasesFromExports reads what spreadsheets and scripts write for what is absent.
func TestReadCasesFromExports(t *testing.T) {
	input := "\uFEFF" + `{"id":"a","as_of":"","deal":{"id":"1","close_date":"","kickoff_at":"","term_months":12.0,"csm":{"assigned_at":""}},"notes":[{"at":""}],"activities":[{"subject":"Call back"}]}`
	for s, err := range ReadCases(strings.NewReader(input)) {
		if err != nil {
			t.Fatal(err)
		}
		if s.AsOf != nil || s.Deal.CloseDate != nil || s.Deal.KickoffAt != nil || s.Deal.CSM.AssignedAt != nil || s.Notes[0].At != nil {
			t.Errorf("an empty moment is not absent: %+v", s)
		}
		if *s.Deal.TermMonths != 12 || s.Activities[0].Kind != Task {
			t.Errorf("term %d, kind %q", *s.Deal.TermMonths, s.Activities[0].Kind)
		}
	}
}

func TestHashIgnoresLabelsAndOrderOfFields(t *testing.T) {
	read := func(text string) *Snapshot {
		for s, err := range ReadCases(strings.NewReader(text)) {
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		return nil
	}
	a := read(`{"id":"a","deal":{"id":"1","fields":{"use_case":"x","champion":"y"}}}`)
	b := read(`{"deal":{"fields":{"champion":"y","use_case":"x"},"id":"1"},"id":"a","expected":{"ghost":"no"}}`)
	c := read(`{"id":"a","deal":{"id":"1","fields":{"use_case":"x","champion":"z"}}}`)
	if a.Hash() != b.Hash() {
		t.Error("equal snapshots have different hashes")
	}
	if a.Hash() == c.Hash() {
		t.Error("different snapshots have the same hash")
	}
}

func FuzzReadCases(f *testing.F) {
	f.Add(`{"id":"a","deal":{"id":"1","close_date":"2026-09-30"},"notes":[{"at":"2026-09-28T15:00:00Z"}]}`)
	f.Add(`{"id":"a","deal":{"id":"1","won":true,"fields":{"x":null}},"unread":["notes"]}`)
	f.Fuzz(func(t *testing.T, line string) {
		for s, err := range ReadCases(strings.NewReader(line)) {
			if err != nil {
				var where *LineError
				if !errors.As(err, &where) || where.Line < 1 {
					t.Fatalf("error without a place: %v", err)
				}
				continue
			}
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatalf("a snapshot that was read cannot be written: %v", err)
			}
			for again, err := range ReadCases(strings.NewReader(string(text))) {
				if err != nil {
					t.Fatalf("a snapshot that was written cannot be read: %v\n%s", err, text)
				}
				if again.Hash() != s.Hash() {
					t.Fatalf("a round trip changes the snapshot:\n%s", text)
				}
			}
		}
	})
}

func TestReadLabelled(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"with its deal", `{"id":"a","deal":{"id":"1"},"expected":{"scores":{"1.1":2}}}`, ""},
		{"labels alone", `{"id":"a","expected":{"scores":{"1.1":2}}}`, ""},
		{"no labels", `{"id":"a","deal":{"id":"1"}}`, "line 1: field /expected: a labelled case needs the labels"},
		{"null for labels", `{"id":"a","expected":null}`, "line 1: field /expected: a labelled case needs the labels"},
		{"no id", `{"expected":{}}`, "line 1: field /id: a case needs an id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for s, err := range ReadLabelled(strings.NewReader(tt.line)) {
				if err != nil {
					got = err.Error()
				} else if s.ID != "a" {
					t.Errorf("case %q", s.ID)
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
