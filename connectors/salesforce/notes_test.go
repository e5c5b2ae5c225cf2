package salesforce_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// memory holds what was yielded, as a store does.
type memory struct {
	snapshots map[string]*crm.Snapshot
	marks     crm.Watermarks
}

func newMemory() *memory { return &memory{map[string]*crm.Snapshot{}, crm.Watermarks{}} }

func (*memory) Recall(context.Context) ([]byte, error) { return nil, nil }
func (*memory) Remember(context.Context, []byte) error { return nil }
func (m *memory) Snapshots(_ context.Context, ids []string) (map[string]*crm.Snapshot, error) {
	found := map[string]*crm.Snapshot{}
	for _, id := range ids {
		if s, ok := m.snapshots[id]; ok {
			found[id] = s
		}
	}
	return found, nil
}

// pull runs a pull from where the one before it ended, and returns the deals that came.
func (m *memory) pull(t *testing.T, c *salesforce.Client) []connectors.Record {
	t.Helper()
	var records []connectors.Record
	err := c.Pull(t.Context(), m.marks, func(b connectors.Batch) error {
		for _, r := range b.Records {
			m.snapshots[r.Snapshot.ID] = &r.Snapshot
		}
		records = append(records, b.Records...)
		maps.Copy(m.marks, b.Watermarks)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// unread returns the deals whose notes are not read.
func (m *memory) unread() []string {
	var ids []string
	for id, s := range m.snapshots {
		if slices.Contains(s.Unread, crm.PartNotes) {
			ids = append(ids, id)
		}
	}
	return ids
}

// noteLab is an org of so many deals, each of which has one note that is longer than its preview; the newest deal is the
// last.
func noteLab(t *testing.T, n int, m *memory) *lab {
	t.Helper()
	cases := deals.Generate(n+n/20+1, 5, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	cases = slices.DeleteFunc(cases, func(s *crm.Snapshot) bool { return !s.Deal.Won })[:n]
	for i, s := range cases {
		day := crm.NewDate(2026, 1, 1+i)
		s.Deal.CloseDate, s.Activities = &day, nil
		s.Notes = []crm.Note{{Title: "Handoff", Body: fmt.Sprintf("<p>%d. %s</p>", i, strings.Repeat("They bought it for the audit. ", 20))}}
	}
	return newLab(t, cases, func(c *salesforce.Config) { c.Memory = m })
}

// TestNoteVersions: the text of a version is read once, in whatever run.
func TestNoteVersions(t *testing.T) {
	m := newMemory()
	l := noteLab(t, 3, m)
	bodies := func(what string, want int) {
		t.Helper()
		_, routes := l.calls(t, func() { m.pull(t, l.spooling(t, t.TempDir())) })
		if got := routes[bodiesRoute]; got != want {
			t.Errorf("%s: %d bodies are read, want %d", what, got, want)
		}
		l.clock.Advance(time.Hour)
	}
	bodies("first pull", 3)
	id := slices.Sorted(maps.Keys(m.snapshots))[0]
	before := m.snapshots[id].Hash()
	if _, err := l.insert(t, "Task", map[string]any{"WhatId": id, "Subject": "Call"}); err != nil {
		t.Fatal(err)
	}
	bodies("other news of a deal", 0)
	if m.snapshots[id].Hash() == before || !strings.HasSuffix(strings.TrimSpace(m.snapshots[id].Notes[0].Body), "</p>") {
		t.Errorf("the deal comes without its news, or without its note: %+v", m.snapshots[id].Notes)
	}
	text := "<p>" + strings.Repeat("It was for the merger. ", 30) + "</p>"
	l.token = ""
	if _, err := l.insert(t, "ContentVersion", map[string]any{"ContentDocumentId": m.snapshots[id].Notes[0].ID, "PathOnClient": "note.snote", "VersionData": []byte(text)}); err != nil {
		t.Fatal(err)
	}
	bodies("a new version", 1)
	if got := m.snapshots[id].Notes[0].Body; got != text {
		t.Errorf("the note says %q", got)
	}
	bodies("nothing new", 0)
}

// TestNotesLeft: a pull reads as many bodies as its share of the quota allows, of the newest deals; those after it go on.
func TestNotesLeft(t *testing.T) {
	const n, share = 11, 4
	m := newMemory()
	l := noteLab(t, n, m)
	client := func() *salesforce.Client {
		c := l.spooling(t, t.TempDir())
		c.FewBodies(share)
		return c
	}
	for round, want := range []struct{ bodies, unread int }{{4, 7}, {4, 3}, {3, 0}, {0, 0}} {
		_, routes := l.calls(t, func() { m.pull(t, client()) })
		if got := routes[bodiesRoute]; got != want.bodies {
			t.Errorf("pull %d reads %d bodies, want %d", round+1, got, want.bodies)
		}
		unread := m.unread()
		if len(unread) != want.unread {
			t.Errorf("after pull %d the notes of %d deals are not read, want %d", round+1, len(unread), want.unread)
		}
		for id, s := range m.snapshots {
			for _, older := range unread {
				if !slices.Contains(unread, id) && s.Deal.CloseDate.Time().Before(m.snapshots[older].Deal.CloseDate.Time()) {
					t.Errorf("after pull %d the notes of %s are read, and not those of the newer %s", round+1, s.Deal.CloseDate, m.snapshots[older].Deal.CloseDate)
				}
			}
		}
		l.clock.Advance(time.Hour)
	}
	quiet, routes := l.calls(t, func() { m.pull(t, client()) })
	if quiet > 3 {
		t.Errorf("once all is read, a pull without news takes %d calls, want 3 at most: %v", quiet, routes)
	}
}

// TestNewsGoesFirst: news does not wait for notes that are left from the first pull, and is not left for good itself.
func TestNewsGoesFirst(t *testing.T) {
	m := newMemory()
	l := noteLab(t, 6, m)
	few := func(n int) *salesforce.Client {
		c := l.spooling(t, t.TempDir())
		c.FewBodies(n)
		return c
	}
	m.pull(t, few(2)) // the two newest deals
	l.clock.Advance(time.Hour)
	var oldest string
	for id, s := range m.snapshots {
		if oldest == "" || s.Deal.CloseDate.Time().Before(m.snapshots[oldest].Deal.CloseDate.Time()) {
			oldest = id
		}
	}
	if _, err := l.insert(t, "Task", map[string]any{"WhatId": oldest, "Subject": "Call"}); err != nil {
		t.Fatal(err)
	}
	m.pull(t, few(1))
	if got := m.unread(); len(got) != 3 || slices.Contains(got, oldest) {
		t.Errorf("not read are %v, want three deals, and not %s, which has news", got, oldest)
	}
	l.clock.Advance(time.Hour)
	m.pull(t, few(0))
	if got := m.unread(); len(got) != 3 {
		t.Errorf("%d deals are not read, want the three from before", len(got))
	}
	l.clock.Advance(time.Hour)
	newestDeal := slices.MaxFunc(slices.Collect(maps.Keys(m.snapshots)), func(a, b string) int {
		return m.snapshots[a].Deal.CloseDate.Time().Compare(m.snapshots[b].Deal.CloseDate.Time())
	})
	l.token = ""
	if err := l.fixture(t).AddNote(newestDeal, strings.Repeat("A long note. ", 30)); err != nil {
		t.Fatal(err)
	}
	m.pull(t, few(0))
	if got := m.unread(); len(got) != 4 || !slices.Contains(got, newestDeal) {
		t.Errorf("not read are %v, want %s, which has a new note, among four", got, newestDeal)
	}
	l.clock.Advance(time.Hour)
	m.pull(t, few(100))
	if got := m.unread(); len(got) > 0 {
		t.Errorf("not read are %v, want none", got)
	}
}

// TestOldNoteOfAnotherDeal: a note that is linked to a deal later than it was written is news of that deal, and so is that it
// is not linked to it any more. Neither moves a stamp of the note or of the deal.
func TestOldNoteOfAnotherDeal(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	records, marks := pull(t, l.client, nil)
	one, other := records[0].Snapshot.ID, records[1].Snapshot
	l.clock.Advance(time.Hour)
	note := l.child(t, "ContentDocument", one)
	l.clock.Advance(time.Hour)
	_, marks = pull(t, l.client, marks)
	l.clock.Advance(time.Hour)
	link, err := l.insert(t, "ContentDocumentLink", map[string]any{"ContentDocumentId": note, "LinkedEntityId": other.ID, "ShareType": "V"})
	if err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Hour)
	changed, marks := pull(t, l.client, marks)
	if len(changed) != 1 || changed[0].Snapshot.ID != other.ID || len(changed[0].Snapshot.Notes) != len(other.Notes)+1 {
		t.Fatalf("linked: %d deals changed, want %s with %d notes", len(changed), other.ID, len(other.Notes)+1)
	}
	l.clock.Advance(time.Hour)
	l.remove(t, "ContentDocumentLink", link)
	l.clock.Advance(time.Hour)
	if changed, _ = pull(t, l.client, marks); len(changed) != 1 || len(changed[0].Snapshot.Notes) != len(other.Notes) {
		t.Errorf("not linked any more: %d deals changed, want %s with %d notes", len(changed), other.ID, len(other.Notes))
	}
}
