package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

func TestGhost(t *testing.T) {
	closed := crm.NewDate(2026, 9, 11) // a Friday
	contacts := func(roles ...string) []crm.Contact {
		var all []crm.Contact
		for i, role := range roles {
			name := []string{"Ana Ruiz", "Bo Lindh", "Cy Tran"}[i]
			all = append(all, crm.Contact{Name: name, Title: "Manager", Email: name[:2] + "@kiln.example", Phone: "+34 600 123 456", Roles: []string{role}})
		}
		return all
	}
	for _, tt := range []struct {
		name   string
		asOf   string
		change func(*crm.Snapshot)
		want   Ghost
	}{
		{"empty, on the fifth business day", "2026-09-18T17:00:00Z", func(*crm.Snapshot) {}, GhostPending},
		{"empty, on the sixth", "2026-09-19T00:00:00Z", func(*crm.Snapshot) {}, GhostYes},
		{"not won", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) { s.Deal.Won = false }, GhostNo},
		{"over to you", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) { s.Notes = []crm.Note{note("2026-09-14", "Deal closed, over to you!")} }, GhostYes},
		{"bare negatives", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) { s.Deal.Fields = map[string]string{"objections": "None", "competitors": "N/A"} }, GhostYes},
		{"one role", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) { s.Contacts = contacts("Champion") }, GhostYes},
		{"every role", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) {
			s.Contacts = contacts("Champion", "Executive Sponsor", "Day-to-day contact")
		}, GhostNo},
		{"useful context", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) {
			s.Notes = []crm.Note{note("2026-09-14", "They chose us over Asprova as foremen can replan on a tablet. Go live is on 3 November, with orders from Infor LN.")}
		}, GhostNo},
		{"not read", "2026-10-01T09:00:00Z", func(s *crm.Snapshot) { s.Unread = []crm.Part{crm.PartNotes} }, GhostNo},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &crm.Snapshot{Deal: crm.Deal{Won: true, CloseDate: &closed}}
			tt.change(s)
			c := builtin(t).Score(s, moment(t, tt.asOf))
			if c.Ghost != tt.want {
				t.Errorf("ghost %s, want %s", c.Ghost, tt.want)
			}
			if (c.Ghost == GhostNo) != (len(c.GhostReasons) == 0) || c.GhostReasons == nil {
				t.Errorf("ghost %s with the reasons %q", c.Ghost, c.GhostReasons)
			}
			if c.Ghost == GhostYes && c.Health != Red {
				t.Errorf("a ghost's health is %s", c.Health)
			}
		})
	}
}

func TestGhostReasons(t *testing.T) {
	closed := crm.NewDate(2026, 9, 11)
	at := moment(t, "2026-09-14T09:00:00Z")
	s := &crm.Snapshot{
		Deal: crm.Deal{Won: true, CloseDate: &closed, Owner: &crm.User{Name: "Ines Vogel"}, CSM: &crm.CSM{Name: "Tom Adler"}},
		Activities: []crm.Activity{
			{Kind: crm.Meeting, At: &at, From: "ines.vogel@vendor.example", To: []string{"tom.adler@vendor.example"}, Subject: "Sync"},
		},
	}
	want := []string{"no item has useful context", "no note after the close", "no introduction to the customer", "3 of 4 signs of a ghost handoff"}
	if diff := cmp.Diff(want, builtin(t).Score(s, moment(t, "2026-10-01T09:00:00Z")).GhostReasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestDueAt(t *testing.T) {
	closed := crm.NewDate(2026, 9, 11)
	empty := &crm.Snapshot{Deal: crm.Deal{Won: true, CloseDate: &closed}}
	future := moment(t, "2026-09-15T08:00:00Z")
	withNote := &crm.Snapshot{Deal: empty.Deal, Notes: []crm.Note{{At: &future, Body: "Closed."}}}
	for _, tt := range []struct {
		name string
		s    *crm.Snapshot
		asOf string
		want string // empty: never
	}{
		{"pending turns at the end of the fifth business day", empty, "2026-09-14T09:00:00Z", "2026-09-19T00:00:00Z"},
		{"a ghost stays one", empty, "2026-10-14T09:00:00Z", ""},
		{"a later record becomes visible first", withNote, "2026-09-14T09:00:00Z", "2026-09-15T08:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := builtin(t).Score(tt.s, moment(t, tt.asOf)).DueAt
			switch {
			case tt.want == "" && got != nil:
				t.Errorf("due at %s, want never", got)
			case tt.want != "" && (got == nil || !got.Equal(moment(t, tt.want))):
				t.Errorf("due at %v, want %s", got, tt.want)
			}
		})
	}
}

func TestEndOfBusinessDays(t *testing.T) {
	for _, tt := range []struct {
		name, day string
		n         int
		want      string
	}{
		{"a Friday and five days", "2026-09-11", 5, "2026-09-19"},
		{"a Saturday and one day", "2026-09-12", 1, "2026-09-15"},
		{"a Wednesday and three days", "2026-09-16", 3, "2026-09-22"},
		{"none", "2026-09-16", 0, "2026-09-17"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := endOfBusinessDays(moment(t, tt.day+"T00:00:00Z"), tt.n).Format(time.DateOnly); got != tt.want {
				t.Errorf("ends at the beginning of %s, want %s", got, tt.want)
			}
		})
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestDeadline(t *testing.T) {
	for _, tc := range []struct {
		name   string
		closed crm.Date
		days   int
		want   string
	}{
		{"a week over a weekend", crm.NewDate(2026, 9, 30), 5, "2026-10-08T00:00:00Z"}, // Wednesday
		{"from a Saturday", crm.NewDate(2026, 10, 3), 5, "2026-10-10T00:00:00Z"},
		{"a day from a Friday", crm.NewDate(2026, 10, 2), 1, "2026-10-06T00:00:00Z"},
		{"no time at all", crm.NewDate(2026, 10, 2), 0, "2026-10-03T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sc := &Scorecard{Ghost: GhostSpec{BusinessDays: tc.days}}
			if got := sc.Deadline(tc.closed).Format(time.RFC3339); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
