package main

import (
	"strings"
	"testing"
	"time"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// TestExplain checks what the card says of who gave the points; the scripts check the rest on a real run.
func TestExplain(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 15, 9, 0, 0, 0, time.UTC)
	closed := crm.NewDate(2026, 9, 30)
	handoff := func(change func(*jobs.Handoff)) *jobs.Handoff {
		s := &crm.Snapshot{ID: "006A", Deal: crm.Deal{
			ID: "006A", Name: "Northwind\x1b[2J - Platform", Account: "Northwind Traders", Stage: "Closed Won", Won: true,
			CloseDate: &closed, Owner: &crm.User{Name: "Dana Ruiz"}, CSM: &crm.CSM{Name: "Lee Park"},
		}}
		h := &jobs.Handoff{
			Connection: "acme", DealID: "006A", Snapshot: s, Card: engine.Score(s, at), AsOf: at, Version: 3,
			Merged: crm.Values{"acceptance": "Accepted"}, Edits: map[string]jobs.Edit{},
		}
		change(h)
		return h
	}
	edit := func(field string, e jobs.Edit) func(*jobs.Handoff) {
		return func(h *jobs.Handoff) { h.Edits[field] = e }
	}
	for _, tc := range []struct {
		name   string
		change func(*jobs.Handoff)
		writes []jobs.Write
		want   []string
	}{
		{"header", func(*jobs.Handoff) {}, nil, []string{
			"Northwind[2J - Platform  (acme:006A)",
			"  Account     Northwind Traders",
			"  AE          Dana Ruiz",
			"  CSM         Lee Park",
			"  Closed      2026-09-30",
			"  Total       1/40  Incomplete, Red",
			"  Scored      as of 2026-10-15 09:00 UTC, version 3",
			"  Acceptance  Accepted",
			"  1  5.3 Stage correct",
			"Nothing has been written to the CRM yet.",
		}},
		{"an edit from the field history", edit("item_1_1", jobs.Edit{Value: "2", By: "Casey CSM", At: at, Exact: true}), nil, []string{
			"  Total       3/40  Incomplete, Red",
			"Deal Context  2/10",
			"  2  1.1 Use case",
			"       scored    set by Casey CSM at 2026-10-15 09:00 UTC (computed: 0)",
		}},
		{"an edit that is not tracked", edit("item_1_1", jobs.Edit{Value: "1", By: "Casey CSM", At: at}), nil, []string{
			"       scored    set by Casey CSM or later, before 2026-10-15 09:00 UTC (computed: 0)",
		}},
		{"an edit by nobody known", edit("item_1_1", jobs.Edit{Value: "1", At: at}), nil, []string{
			"       scored    set by a person, before 2026-10-15 09:00 UTC (computed: 0)",
		}},
		{"an edit that does not count", edit("item_1_1", jobs.Edit{Value: "7", By: "Casey CSM", At: at, Exact: true, Ignored: "7 is not 0, 1 or 2"}), nil, []string{
			"  Total       1/40  Incomplete, Red",
			"  0  1.1 Use case",
			`       scored    computed; "7", set by Casey CSM at 2026-10-15 09:00 UTC, does not count: 7 is not`,
			"                 0, 1 or 2",
		}},
		{"an edit of another field", edit("rating", jobs.Edit{Value: "Excellent", By: "Casey CSM", At: at, Exact: true}), nil, []string{
			"Set by people, and kept",
			"  rating = Excellent, set by Casey CSM at 2026-10-15 09:00 UTC",
		}},
		{"a part that is not read", func(h *jobs.Handoff) {
			h.Snapshot.Unread = []crm.Part{crm.PartNotes}
			h.Card = engine.Score(h.Snapshot, at)
		}, nil, []string{
			"  Total       not read: parts of the record could not be read",
			"  ?  1.1 Use case",
		}},
		{"finalised, reopened and refused", func(h *jobs.Handoff) {
			h.Finalised, h.Reopened, h.Parked = true, true, "FIELD_CUSTOM_VALIDATION_EXCEPTION"
		}, nil, []string{
			"  State       finalised: frozen by its CSM",
			"  State       not a won deal of this connection any more; the card is kept as it was",
			"  Parked      the CRM refused the last write: FIELD_CUSTOM_VALIDATION_EXCEPTION",
		}},
		{"write history", func(*jobs.Handoff) {}, []jobs.Write{{
			RunID: 7, State: jobs.WriteParked, Detail: "row locked", At: at,
			Before: crm.Values{"score": "1", "gaps": "a\nb", "ghost_reason": ""}, After: crm.Values{"score": "3", "gaps": "b\nc", "ghost_reason": "no note"},
		}}, []string{
			"Written to the CRM",
			"  2026-10-15 09:00 UTC  run 7, parked, 3 fields",
			"    the CRM says: row locked",
			"    score: 1 → 3",
			"    ghost_reason: (empty) → no note",
			"    gaps: 2 lines → 2 lines",
			"      - a",
			"      + c",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			e := newExplanation(engine, handoff(tc.change), tc.writes)
			e.print(&out, engine.Scorecard())
			rest := out.String()
			for _, line := range tc.want {
				_, after, found := strings.Cut("\n"+rest, "\n"+line+"\n")
				if !found {
					t.Fatalf("no line %q, or not in this place, in\n%s", line, out.String())
				}
				rest = after
			}
		})
	}
}

func TestWhy(t *testing.T) {
	card := func(change func(*rules.Card)) *rules.Card {
		c := &rules.Card{Rating: rules.Incomplete, Ghost: rules.GhostNo, Categories: []rules.Category{
			{Name: "Deal Context", Points: 4, Max: 10}, {Name: "Technical Fit", Points: 1, Max: 8}, {Name: "CRM Hygiene", Points: 1, Max: 6},
		}}
		change(c)
		return c
	}
	flagged := &jobs.Handoff{Merged: crm.Values{"rating": rules.Incomplete}}
	for _, tc := range []struct {
		name string
		h    *jobs.Handoff
		card *rules.Card
		want string
	}{
		{"weakest categories first", flagged, card(func(*rules.Card) {}), "Technical Fit 1/8, CRM Hygiene 1/6"},
		{"ghost", flagged, card(func(c *rules.Card) {
			c.Ghost, c.GhostReasons = rules.GhostYes, []string{"no context", "no note", "2 of 4 signs"}
		}), "no context (2 of 4 signs)"},
		{"not flagged", &jobs.Handoff{}, card(func(c *rules.Card) { c.Rating = rules.Excellent }), ""},
		{"reopened", &jobs.Handoff{Reopened: true}, card(func(*rules.Card) {}), "not a won deal of this connection any more"},
		{"not read", &jobs.Handoff{}, card(func(c *rules.Card) { c.Items = []rules.Item{{NotRead: true}} }), "parts of the record could not be read"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := why(tc.h, tc.card); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
