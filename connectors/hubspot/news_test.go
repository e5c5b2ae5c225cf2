package hubspot_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// save keeps what was pulled, as a run does.
func (m *memory) save(n news) news {
	if m.snapshots == nil {
		m.snapshots = map[string]*crm.Snapshot{}
	}
	for _, r := range n.records {
		m.snapshots[r.Snapshot.ID] = &r.Snapshot
	}
	return n
}

// ids returns the ids of records of a kind that belong to a deal.
func (l *lab) ids(t *testing.T, deal, kind string) []string {
	t.Helper()
	answer, err := l.call(t, http.MethodPost, "/crm/associations/2026-09/deals/"+kind+"/batch/read", map[string]any{"inputs": []any{map[string]string{"id": deal}}})
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Results []struct {
			To []struct {
				ID json.Number `json:"toObjectId"`
			} `json:"to"`
		} `json:"results"`
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range found.Results {
		for _, to := range r.To {
			ids = append(ids, to.ID.String())
		}
	}
	return ids
}

// TestNewsIsWhole: a deal that is read with what was read of it before is as one that is read from the beginning, whatever other
// people did to it, to however many deals.
// https://github.com/airbytehq/airbyte/issues/14390
func TestNewsIsWhole(t *testing.T) {
	for _, edits := range []int{1, 5, 25} {
		t.Run(fmt.Sprint(edits), func(t *testing.T) {
			seed := uint64(edits)
			random := rand.New(rand.NewPCG(seed, seed))
			l := newLab(t, deals.Demo()[:30])
			setUp(t, l)
			f := l.fixture(t)
			n := l.memory.save(pull(t, l.client, nil))
			var won []string
			for _, r := range n.records {
				won = append(won, r.Snapshot.ID)
			}
			edit := func(deal, kind, property string) error {
				ids := l.ids(t, deal, kind)
				if len(ids) == 0 {
					return nil
				}
				return f.EditRecord(t, kind, ids[random.IntN(len(ids))], map[string]any{property: fmt.Sprint("edited ", random.Int())})
			}
			people := []func(deal string) error{
				func(deal string) error { return f.AddNote(deal, "They go live on 9 November.") },
				func(deal string) error { return edit(deal, "notes", "hs_note_body") },
				func(deal string) error { return edit(deal, "contacts", "jobtitle") },
				func(deal string) error { return edit(deal, "companies", "name") },
				func(deal string) error { return edit(deal, "emails", "hs_email_text") },
				func(deal string) error { return edit(deal, "calls", "hs_call_body") },
				func(deal string) error { return edit(deal, "meetings", "hs_meeting_body") },
				func(deal string) error { return edit(deal, "tasks", "hs_task_body") },
				func(deal string) error { return f.AddTask(deal, "Send the plan") },
				func(deal string) error { return f.AddEmail(deal, "Re: plan", "Agreed.") },
				func(deal string) error { return f.AddContact(deal, "Newcomer", "Champion") },
				func(deal string) error { return f.Edit(deal, "item_1_1", "2") },
				func(deal string) error { // what is deleted moves no stamp: the deal's own news brings it
					ids := l.ids(t, deal, "notes")
					if len(ids) > 0 {
						l.must(t, http.MethodDelete, "/crm/objects/2026-09/notes/"+ids[0], nil)
					}
					return f.EditRecord(t, "deals", deal, map[string]any{"description": "one note less"})
				},
			}
			for range 12 {
				l.clock.Advance(time.Hour)
				for range edits {
					if err := people[random.IntN(len(people))](won[random.IntN(len(won))]); err != nil {
						t.Fatal(err)
					}
				}
				n = l.memory.save(pull(t, l.client, n.marks))
				whole := map[string]*connectors.Record{}
				for _, r := range pull(t, l.again(t, func(c *hubspot.Config) { c.Memory = nil }), nil).records {
					whole[r.Snapshot.ID] = &r
				}
				for _, r := range n.records {
					if diff := cmp.Diff(whole[r.Snapshot.ID], &r, cmpopts.EquateComparable(crm.Date{})); diff != "" {
						t.Fatalf("-whole +with what was read before:\n%s", diff)
					}
				}
			}
		})
	}
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// withNote is a won deal with a note.
func withNote(t *testing.T, l *lab) string {
	t.Helper()
	for id, s := range l.memory.snapshots {
		if len(s.Notes) > 0 {
			return id
		}
	}
	t.Fatal("no deal has a note")
	return ""
}

// TestReadAlone: a deal that is read alone is whole, whatever comes with it.
func TestReadAlone(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(t *testing.T, l *lab, deal string) map[string]any // of reading it
		notes int                                                    // more than before; -1: the deal has left
	}{
		{"with more notes than come with it", func(t *testing.T, l *lab, deal string) map[string]any {
			for i := range 101 {
				if err := l.fixture(t).AddNote(deal, fmt.Sprint("Note ", i)); err != nil {
					t.Fatal(err)
				}
			}
			return nil
		}, 102},
		{"without what belongs to it", func(t *testing.T, l *lab, deal string) map[string]any {
			answer, err := l.call(t, http.MethodGet, "/crm/objects/2026-09/deals/"+deal+"?properties=dealname,dealstage,hs_is_closed_won", nil)
			if err != nil {
				t.Fatal(err)
			}
			return map[string]any{"body": json.RawMessage(answer)}
		}, 1},
		{"refused", func(*testing.T, *lab, string) map[string]any {
			return map[string]any{"status": 403, "code": "MISSING_SCOPES"}
		}, 1},
		{"not found", func(*testing.T, *lab, string) map[string]any {
			return map[string]any{"status": 404, "code": "OBJECT_NOT_FOUND"}
		}, 1},
		{"merged into another", func(*testing.T, *lab, string) map[string]any {
			return map[string]any{"body": map[string]any{"id": "7", "properties": map[string]any{"hs_is_closed_won": "true"}}}
		}, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:4])
			setUp(t, l)
			n := l.memory.save(pull(t, l.client, nil))
			deal := withNote(t, l)
			l.clock.Advance(time.Hour)
			if err := l.fixture(t).AddNote(deal, "They go live on 9 November."); err != nil {
				t.Fatal(err)
			}
			if fault := tc.fault(t, l, deal); fault != nil {
				fault["method"], fault["path"] = "GET", "/crm/objects/2026-09/deals/[0-9]+"
				l.must(t, http.MethodPost, "/_sandbox/faults", fault)
			}
			n = pull(t, l.client, n.marks)
			if tc.notes < 0 {
				if !slices.Equal(n.left, []string{deal}) || len(n.records) != 0 {
					t.Errorf("left %v, %d deals", n.left, len(n.records))
				}
				return
			}
			if len(n.records) != 1 || len(n.left) != 0 {
				t.Fatalf("%d deals, left %v", len(n.records), n.left)
			}
			got := n.records[0].Snapshot
			before := l.memory.snapshots[deal]
			want := len(before.Notes) + tc.notes
			if len(got.Notes) != want || len(got.Contacts) != len(before.Contacts) || len(got.Activities) != len(before.Activities) || got.Deal.Account != before.Deal.Account {
				t.Errorf("%d notes, want %d; %d contacts, want %d; %d activities, want %d; account %q, want %q", len(got.Notes), want, len(got.Contacts), len(before.Contacts),
					len(got.Activities), len(before.Activities), got.Deal.Account, before.Deal.Account)
			}
		})
	}
}
