package main

import (
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

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
			h.Finalised, h.Reopened = true, true
			h.Parked = &jobs.Refusal{Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "Amount must be approved"}
		}, nil, []string{
			"  State       finalised: frozen by its CSM",
			"  State       not a won deal of this connection any more; the card is kept as it was",
			"  Parked      the CRM refused the last write: Amount must be approved (FIELD_CUSTOM_VALIDATION_EXCEPTION). `handoff deals --parked` says what to do, and when it is tried again",
		}},
		{"write history", func(*jobs.Handoff) {}, []jobs.Write{{
			RunID: 7, State: jobs.WriteParked, Detail: "row locked", At: at,
			Before: crm.Values{"score": "1", "gaps": "a\nb", "ghost_reason": ""}, After: crm.Values{"score": "3", "gaps": "b\nc", "ghost_reason": "no note"},
		}}, []string{
			"Written to the CRM",
			"  2026-10-15 09:00 UTC  run 7, parked, 3 fields; the CRM says: row locked",
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
			e.print(sheet{&out, 100, false})
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

// vagueDeal returns what is stored of a deal whose evidence stands in a note, a field and a contact, with markup in all of them.
func vagueDeal(t *testing.T, engine *rules.Engine) *jobs.Handoff {
	t.Helper()
	at := time.Date(2026, 10, 15, 9, 0, 0, 0, time.UTC)
	written, closed := at.AddDate(0, 0, -14), crm.NewDate(2026, 9, 30)
	s := &crm.Snapshot{ID: "006A", Deal: crm.Deal{
		ID: "006A", Name: "Northwind <script>alert(1)</script>", Won: true, CloseDate: &closed, Fields: map[string]string{"competitors": "Gong & Co <b>only</b>"},
	}, Contacts: []crm.Contact{{ID: "003A", Name: "Ana <i>Ruiz</i>", Title: "CFO", Roles: []string{"Champion"}}}, Notes: []crm.Note{{
		ID: "069A", At: &written, Author: "Dana Ruiz", Title: "Call\x1b[2J",
		Body: "<p>The lunch was good.</p><p>They might perhaps go live on 3 March.</p>" + strings.Repeat("<p>Filler that nobody needs.</p>", 100),
	}}}
	return &jobs.Handoff{Connection: "acme", DealID: "006A", Snapshot: s, Card: engine.Score(s, at), AsOf: at, Version: 1, Merged: crm.Values{}, Edits: map[string]jobs.Edit{}}
}

func TestExplainEvidence(t *testing.T) {
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	h := vagueDeal(t, engine)
	for i := range h.Card.Items { // whatever the rules make of it
		it := &h.Card.Items[i]
		it.Sure, it.Score, it.Reason, it.Evidence = true, 2, "Complete", nil
	}
	note := rules.Evidence{Source: "note 2026-10-01 by Dana Ruiz", Record: "069A", Quote: "They might perhaps go live on 3 March."}
	h.Card.Items[2].Sure, h.Card.Items[2].Score, h.Card.Items[2].Reason = false, 1, "Partial: a date; missing a confirmation"
	h.Card.Items[2].Evidence = []rules.Evidence{note, {Source: "field competitors", Record: "fields.competitors", Quote: "Gong & Co only", Template: true}, {Source: "contact", Record: "003A", Quote: "Ana <i>Ruiz</i>, CFO"}}
	e := newExplanation(engine, h, nil)

	t.Run("text", func(t *testing.T) {
		var out strings.Builder
		e.print(sheet{&out, 100, false})
		filler := strings.Repeat("                 Filler that nobody needs.\n", 5)
		want := `
Check first: 1 item
  The rules are not sure of these. Where words are quoted, see whether they mean what they were
  taken for; where none are, see whether the record says it in words that the rules do not know.
  1  1.3 Why now
       because   Partial: a date; missing a confirmation
       evidence  The lunch was good.
                 “They might perhaps go live on 3 March.”
` + filler + `                 Filler …
                 — Note “Call[2J”, by Dana Ruiz, 2026-10-01 (069A)
       evidence  “Gong & Co only”
                 — Field “competitors”
                 The same words are on 5 or more deals of acme: a template?
       evidence  “Ana <i>Ruiz</i>, CFO”
                 — Contact “Ana <i>Ruiz</i>” (003A)
       ask       ` + "What happened, or was about to happen, that made the customer buy at this moment?\n"
		if !strings.Contains(out.String(), want) {
			t.Errorf("no\n%s\nin\n%s", want, out.String())
		}
		if line := "  1  1.3 Why now  check: see above\n"; !strings.Contains(out.String(), line) {
			t.Errorf("no %q in\n%s", line, out.String())
		}
	})
	t.Run("colours", func(t *testing.T) {
		text.EnableColors()
		var out strings.Builder
		e.print(sheet{&out, 100, true})
		for _, want := range []string{"\x1b[2mThe lunch was good.", "\x1b[1m“They might perhaps go live on 3 March.”"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%q", want, out.String())
			}
		}
	})
	t.Run("page", func(t *testing.T) {
		var out strings.Builder
		if err := e.printPage(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"<h1>Northwind &lt;script&gt;alert(1)&lt;/script&gt;</h1>",
			"<article class=\"first\" id=\"item-1.3\">",
			"The lunch was good.\n<mark>They might perhaps go live on 3 March.</mark>\nFiller",
			"<mark>Gong &amp; Co only</mark>", `<p class="warning">The same words are on 5 or more deals of acme: a template?</p>`, "<mark>Ana &lt;i&gt;Ruiz&lt;/i&gt;, CFO</mark>",
			"<cite>Note “Call[2J”, by Dana Ruiz, 2026-10-01 · <code>069A</code></cite>",
			"<a class=\"above\" href=\"#item-1.3\">",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
		for _, never := range []string{"http:", "https:", "src=", "<script", "<link", "url(", "\x1b"} {
			if strings.Contains(out.String(), never) {
				t.Errorf("the page holds %q", never)
			}
		}
	})
	t.Run("JSON", func(t *testing.T) {
		var out strings.Builder
		if err := printJSON(&out, e); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`"check":["1.3"]`, `"quote":"Gong & Co only","template":true}`, `"069A":{"kind":"note","title":"Call\u001b[2J","author":"Dana Ruiz","at":"2026-10-01T09:00:00Z"}`,
			`"003A":{"kind":"contact"`, `"fields.competitors":{"kind":"field","title":"competitors"}`,
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %s in %s", want, out.String())
			}
		}
	})
	t.Run("set by a person", func(t *testing.T) {
		h.Edits["item_1_3"] = jobs.Edit{Value: "2", By: "Casey CSM", At: h.AsOf, Exact: true}
		if e := newExplanation(engine, h, nil); len(e.Check) != 0 {
			t.Errorf("%v are to be checked, want none: a person has looked", e.Check)
		}
	})
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
