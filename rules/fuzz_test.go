package rules

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"handoff/crm"
)

// FuzzScore checks that any text gets a card: the same one twice, with points in range and quotes from the text.
func FuzzScore(f *testing.F) {
	for _, s := range labelled(f, demo) {
		for i := range s.Notes {
			f.Add(s.Deal.Fields["use_case"], s.Notes[i].Title, s.Notes[i].Body, "dana@example.com", uint8(i))
		}
	}
	for _, body := range []string{
		"", ".", "- ", "#", ":", "=", "<", "<p", "<li><li>", "&nbsp;", ">", "--", "[00:00]", "[00:00] A:", "12:00", "a:b", "1.", "1. ", "1/", "1/1/", "3.10.", "..1.1.1.", "vs", "v", "rev", "None", "none.", "no",
		"\xff\xfe", "\u200b", "\u0301", "ß", "Straße 1.", "Dr.", "Dr. ", "(", "?!", "A, CEO", "CEO A", strings.Repeat("a", 3000), strings.Repeat("no champion ", 300),
	} {
		f.Add(body, body, body, body, uint8(0))
	}
	f.Fuzz(func(t *testing.T, field, title, body, address string, n uint8) {
		name := crm.FieldNames[int(n)%len(crm.FieldNames)]
		s := deal()
		s.Deal.Fields[name] = field
		s.Contacts[0].Name, s.Contacts[1].Title, s.Contacts[2].Email = title, field, address
		s.Notes[0].Title, s.Notes[0].Body = title, body
		s.Activities[0].From, s.Activities[0].Subject, s.Activities[0].Body = address, title, body
		e := builtin(t)
		c := e.Score(s, asOf)
		if c.Total < 0 || c.Total > c.Max || c.Max != 40 {
			t.Fatalf("total %d of %d", c.Total, c.Max)
		}
		for _, it := range c.Items {
			if it.Score < 0 || it.Score > 2 || it.Reason == "" || it.Evidence == nil {
				t.Fatalf("item %+v", it)
			}
		}
		checkQuotes(t, s, c)
		a, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := json.Marshal(e.Score(s, asOf)); !bytes.Equal(a, b) {
			t.Fatalf("two cards of one deal:\n%s\n%s", a, b)
		}
	})
}

// small is a whole scorecard of its own.
const small = `
title = "Small"
[ghost]
business_days = 3
signals = 1
[[category]]
name = "Only"
[[rating]]
name = "Good"
from = 50
health = "Green"
action = "Go on."
[[rating]]
name = "Bad"
from = 0
health = "Red"
action = "Stop."
[[slot]]
name = "training"
says = "who is trained"
cues.en = ["train*"]
[[item]]
id = "T.1"
category = "Only"
title = "Training"
question = "Who is trained, and when?"
remedy = "Write down who is trained, and when."
help = "Who is trained, and when."
kind = "text"
about = ["training"]
partial = ["training"]
complete = ["training", "date"]
  [[item.example]]
  text = "Training of both shifts on 3 November."
  points = 2
  [[item.example]]
  text = "They want training."
  points = 1
`

// TestSmallScorecard checks that a new item needs no Go.
func TestSmallScorecard(t *testing.T) {
	sc, err := ParseScorecard("small.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	c := NewEngine(sc).Score(won(note("2026-10-01", "We train both shifts on 3 November.")), asOf)
	if c.Total != 2 || c.Max != 2 || c.Rating != "Good" || c.Health != Green {
		t.Errorf("total %d of %d, %s, %s", c.Total, c.Max, c.Rating, c.Health)
	}
}

// FuzzParseScorecard checks that any file is refused with an error or scores any deal.
func FuzzParseScorecard(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(strings.ReplaceAll(small, `"training", "date"`, `"date|period", "nothing"`)))
	f.Add([]byte(strings.ReplaceAll(small, `"text"`, `"person"`)))
	f.Add([]byte("[[item]]\n[[item.example]]\n[item.cues]\nen=[1]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sc, err := ParseScorecard("fuzz.toml", data)
		if err != nil {
			return
		}
		if c := NewEngine(sc).Score(deal(), asOf); c.Total < 0 || c.Total > c.Max {
			t.Fatalf("total %d of %d", c.Total, c.Max)
		}
	})
}
