package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
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
name = "Incomplete"
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

// FuzzParseScorecard checks that any file is refused with an error, or scores any deal: the same twice, with points in range.
func FuzzParseScorecard(f *testing.F) {
	const body = "They also looked at Gong. Training of both shifts on 3 November, Les deux équipes ont une formation."
	for _, file := range []string{
		small, training, strings.ReplaceAll(small, `"training", "date"`, `"date|period", "nothing"`), strings.ReplaceAll(small, `"text"`, `"person"`),
		strings.ReplaceAll(small, `"text"`, `"closing"`), strings.ReplaceAll(small, `"text"`, `"contacts"`), strings.ReplaceAll(small, `"text"`, `"objector"`),
		"[[item]]\n[[item.example]]\n[item.cues]\nen=[1]", "base = \"handoff\"\nwithout = [\"Technical Fit\", \"1.1\"]\n[small]\ncategories = []",
		"base = \"handoff\"\n[[slot]]\nname = \"closed\"\ncues = {en = [\"-signed\"], de = [\"x y*\"]}\n[[item]]\nid = \"5.2\"\nquestion = \"?\"",
	} {
		f.Add([]byte(file), []byte(french), body)
	}
	f.Fuzz(func(t *testing.T, card, language []byte, body string) {
		scoresAnything(t, card, language, body)
	})
}

// FuzzScorecardFile does the same with files that are mostly in order: an item of any kind, slots and cues.
func FuzzScorecardFile(f *testing.F) {
	for i, cue := range []string{"train*", "-versus", "a * b", "é", "*", "\\", "\""} {
		f.Add(cue, "date|period", "name", "Training on 3 November. They also looked at Gong.", uint8(i), uint8(50))
	}
	kinds := []string{kindText, kindPerson, kindObjector, kindContacts, kindClosing, kindStage}
	f.Fuzz(func(t *testing.T, cue, partial, complete, body string, kind, from uint8) {
		file := fmt.Sprintf(`base = "handoff"
[[rating]]
name = "Acceptable"
from = %d
[[slot]]
name = "own"
says = "something of our own"
cues.en = [%q]
[[item]]
id = "4.5"
category = "Expectation Record"
title = "Own"
question = "What?"
remedy = "Write it down."
help = "What."
kind = %q
about = ["own"]
roles = [%[2]q]
partial = [%[4]q]
complete = ["own", %[5]q]
[[item]]
id = "4.2"
cues.de = [%[2]q]
`, from, cue, kinds[int(kind)%len(kinds)], partial, complete)
		scoresAnything(t, []byte(file), nil, body)
	})
}

// scoresAnything checks a scorecard by a deal with this note, unless it is refused.
func scoresAnything(t *testing.T, card, language []byte, body string) {
	t.Helper()
	var languages []File
	if language != nil {
		languages = []File{{"fr.toml", language}}
	}
	sc, err := ParseScorecard("fuzz.toml", card, languages...)
	if err != nil {
		return
	}
	s := deal()
	s.Notes[0].Body = body
	e := NewEngine(sc)
	whole := e.Score(s, asOf)
	if again := e.Score(s, asOf); !reflect.DeepEqual(whole, again) {
		t.Fatalf("two cards of one deal:\n%+v\n%+v", whole, again)
	}
	if whole.Max != sc.Max() || whole.Total < 0 || whole.Total > whole.Max || whole.Rating == "" {
		t.Fatalf("total %d of %d, rating %q", whole.Total, whole.Max, whole.Rating)
	}
	amount, threshold := 1.0, 2.0
	s.Deal.Amount = &amount
	if c := e.ForThreshold(&threshold).Score(s, asOf); c.Total < 0 || c.Total > c.Max || c.Max > sc.Max() || c.Rating == "" {
		t.Fatalf("small: total %d of %d, rating %q", c.Total, c.Max, c.Rating)
	}
	if diff := Diff(sc, sc); len(diff) > 0 {
		t.Fatalf("differs from itself: %v", diff)
	}
}
