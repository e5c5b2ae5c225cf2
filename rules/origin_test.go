package rules

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"handoff/crm"
)

// checkQuotes checks that every quote of c stands, byte for byte, in the record of s that it names.
func checkQuotes(tb rapid.TB, s *crm.Snapshot, c *Card) {
	tb.Helper()
	for _, it := range c.Items {
		for _, ev := range it.Evidence {
			o, ok := OriginOf(s, ev)
			switch {
			case !ok:
				tb.Fatalf("%s: item %s: there is no record %q", s.ID, it.ID, ev.Record)
			case ev.Quote == "" || !o.Holds(ev.Quote):
				tb.Fatalf("%s: item %s quotes %q, which is not in %s %s: %q", s.ID, it.ID, ev.Quote, o.Kind, o.ID, o.Text)
			}
		}
	}
}

func TestQuotesOfCases(t *testing.T) {
	e := builtin(t)
	for _, s := range everyCase(t) {
		checkQuotes(t, s, e.Score(s, *s.AsOf))
	}
}

// TestQuotes scores deals put together from the texts of deals and from all that surrounds text in a CRM.
func TestQuotes(t *testing.T) {
	e := builtin(t)
	var texts []string
	for _, s := range labelled(t, demo) {
		for i := range s.Notes {
			texts = append(texts, s.Notes[i].Body)
		}
		for _, value := range s.Deal.Fields {
			texts = append(texts, value)
		}
	}
	text := rapid.SampledFrom(texts)
	wrap := rapid.SampledFrom([]string{"", "**", "\n", "\n\n", "\r\n", " ", "\t", "\u00a0", "- ", "* ", "1. ", "> ", "<p>", "</p>", "<li>", "<br>", "<b>", "&nbsp;", "&amp;", "# ", "--\n",
		"Champion: ", "**Use case:** ", "12:30 Ana: ", "[10:00] ", "From: ana@example.com\n", "\xff", "\u200b", "ß", "e\u0301"})
	body := rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			part := text.Draw(t, "text")
			from, to := rapid.IntRange(0, len(part)).Draw(t, "from"), rapid.IntRange(0, len(part)).Draw(t, "to")
			b.WriteString(wrap.Draw(t, "before"))
			b.WriteString(part[min(from, to):max(from, to)])
			b.WriteString(wrap.Draw(t, "after"))
		}
		return b.String()
	})
	rapid.Check(t, func(t *rapid.T) {
		s := deal()
		at := time.Date(2026, 10, 2, 9, 0, 0, 0, time.UTC)
		s.Deal.Fields[rapid.SampledFrom(crm.FieldNames).Draw(t, "field")] = body.Draw(t, "value")
		s.Notes = append(s.Notes, crm.Note{At: &at, Title: wrap.Draw(t, "title") + "Signed", Body: body.Draw(t, "note")})
		s.Activities = append(s.Activities, crm.Activity{ID: "1", Kind: crm.Email, At: &at, Subject: "Re: contract", Body: body.Draw(t, "mail")})
		s.Contacts = append(s.Contacts, crm.Contact{ID: "1", Name: wrap.Draw(t, "name") + "Ana Ruiz", Title: "CFO", Roles: []string{"Champion"}}) // an id twice
		checkQuotes(t, s, e.Score(s, asOf))
	})
}

func TestOriginOf(t *testing.T) {
	at := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	s := &crm.Snapshot{
		Deal:       crm.Deal{Fields: map[string]string{"use_case": "Faster <b>quotes</b> &amp; orders"}},
		Contacts:   []crm.Contact{{ID: "7", Name: "Ana Ruiz", Title: "CFO", Phone: "555 0100"}},
		Notes:      []crm.Note{{ID: "7", At: &at, Author: "Dana", Title: "Kick &amp; go", Body: "<p>Tom left.</p>"}, {Body: "no id"}},
		Activities: []crm.Activity{{ID: "8", Kind: crm.Email, Subject: "Re: start", Body: "On 3 May.", From: "ana@example.com"}},
	}
	for _, tt := range []struct {
		name, record, quote string
		want                Origin
	}{
		{"field", "fields.use_case", "quotes & orders", Origin{Kind: "field", ID: "fields.use_case", Title: "use case", Text: "Faster quotes & orders"}},
		{"note", "7", "Tom left.", Origin{Kind: "note", ID: "7", Title: "Kick & go", Author: "Dana", At: &at, Text: "Tom left.\n"}},
		{"title of a note", "7", "Kick & go", Origin{Kind: "note", ID: "7", Title: "Kick & go", Author: "Dana", At: &at, Text: "Tom left.\n"}},
		{"contact with the id of a note", "7", "Ana Ruiz, CFO, 555 0100", Origin{Kind: "contact", ID: "7", Title: "Ana Ruiz", Text: "Ana Ruiz, CFO, 555 0100"}},
		{"note without an id", "notes[1]", "no id", Origin{Kind: "note", ID: "notes[1]", Text: "no id"}},
		{"activity", "8", "On 3 May.", Origin{Kind: "email", ID: "8", Title: "Re: start", Author: "ana@example.com", Text: "On 3 May."}},
		{"quote of an earlier text", "8", "On 3 June.", Origin{Kind: "email", ID: "8", Title: "Re: start", Author: "ana@example.com", Text: "On 3 May."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := OriginOf(s, Evidence{Record: tt.record, Quote: tt.quote})
			if got.Text = strings.TrimLeft(got.Text, "\n"); !ok || got != tt.want {
				t.Errorf("%+v, %t, want %+v", got, ok, tt.want)
			}
		})
	}
	for _, record := range []string{"9", "fields.metrics", "contacts[0]"} {
		if o, ok := OriginOf(s, Evidence{Record: record}); ok {
			t.Errorf("%s: %+v, want none", record, o)
		}
	}
}
