package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// training is a file that adds an item to the built-in scorecard.
const training = `
base = "handoff"
[[item]]
id = "4.5"
category = "Expectation Record"
title = "Training"
question = "Who is trained, and when?"
remedy = "Write down who is trained, and when."
help = "Who is trained, and when."
kind = "text"
cues.en = ["train*"]
partial = ["mention"]
complete = ["date"]
  [[item.example]]
  text = "Training of both shifts on 3 November."
  points = 2
`

// french is a file that adds a language.
//
//nolint:misspell // it is French
const french = `
code = "fr"
stopwords = ["le", "la", "les", "et", "est", "une", "un", "des", "nous", "ont", "pour", "dans", "que", "qui", "au", "par"]
months = [["janvier"], ["fevrier"], ["mars"], ["avril"], ["mai"], ["juin"], ["juillet"], ["aout"], ["septembre"], ["octobre"],
  ["novembre"], ["decembre"]]
[items]
"4.5" = ["formation", "former"]
`

func overlaid(t *testing.T, file string, languages ...File) *Scorecard {
	t.Helper()
	sc, err := ParseScorecard("my.toml", []byte(file), languages...)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestFileOnly checks that what RevOps want of their scorecard needs no Go: a file, and the score follows.
func TestFileOnly(t *testing.T) {
	fr := File{"languages/fr.toml", []byte(french)}
	sold := won(note("2026-10-01", "We train both shifts on 3 November."))
	vendu := won(note("2026-10-01", "Les deux équipes ont une formation avec nous le 3 novembre, et la direction est au courant."))
	for _, tt := range []struct {
		name      string
		file      string
		languages []File
		deal      *crm.Snapshot
		item      string
		want      int // -1: no such item
		max       int
	}{
		{"the item before", `base = "handoff"`, nil, sold, "4.5", -1, 40},
		{"an item more", training, nil, sold, "4.5", 2, 42},
		{"an item fewer", `base = "handoff"` + "\n" + `without = ["3.2"]`, nil, sold, "3.2", -1, 38},
		{"a category fewer", `base = "handoff"` + "\n" + `without = ["Technical Fit"]`, nil, sold, "3.1", -1, 32},
		{"French before", training, nil, vendu, "4.5", 0, 42},
		{"French", training, []File{fr}, vendu, "4.5", 2, 42},
		{"a cue before", `base = "handoff"`, nil, won(note("2026-10-01", "Zorblatt took part in the beauty parade.")), "1.5", 0, 40},
		{"a cue", "base = \"handoff\"\n[[item]]\nid = \"1.5\"\ncues.en = [\"beauty parade\"]", nil, won(note("2026-10-01", "Zorblatt took part in the beauty parade.")), "1.5", 1, 40},
		{"a cue fewer", "base = \"handoff\"\n[[slot]]\nname = \"rival\"\ncues.en = [\"-spoke to\"]", nil, won(note("2026-10-01", "They spoke to Zorblatt.")), "1.5", 0, 40},
		{"the cue fewer before", `base = "handoff"`, nil, won(note("2026-10-01", "They spoke to Zorblatt.")), "1.5", 1, 40},
		{"stricter", "base = \"handoff\"\n[[item]]\nid = \"1.5\"\ncomplete = [\"reason\", \"money\"]\nexample = []", nil,
			won(note("2026-10-01", "They also looked at Gong, but it was too expensive for 30 seats.")), "1.5", 1, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewEngine(overlaid(t, tt.file, tt.languages...)).Score(tt.deal, asOf)
			got := -1
			for _, it := range c.Items {
				if it.ID == tt.item {
					got = it.Score
				}
			}
			if got != tt.want || c.Max != tt.max {
				t.Errorf("item %s gets %d of %d in all, want %d of %d", tt.item, got, c.Max, tt.want, tt.max)
			}
		})
	}
}

func TestBandsOfFile(t *testing.T) {
	const file = `
base = "handoff"
[[rating]]
name = "Acceptable"
from = 72
[[rating]]
name = "Good"
from = 80
health = "Green"
action = "Start."
`
	e := NewEngine(overlaid(t, file))
	for _, tt := range []struct {
		total        int
		before, want string
	}{
		{40, "Excellent", "Excellent"}, {36, "Excellent", "Excellent"}, {35, "Acceptable", "Good"}, {32, "Acceptable", "Good"},
		{31, "Acceptable", "Acceptable"}, {28, "Acceptable", "Below Standard"}, {20, "Below Standard", "Below Standard"}, {19, "Incomplete", "Incomplete"},
	} {
		points := map[string]int{}
		for i, it := range e.Scorecard().Items {
			points[it.ID] = min(2, max(0, tt.total-2*i))
		}
		card := e.Score(won(), asOf)
		if was := builtin(t).Override(card, points); was.Rating != tt.before {
			t.Errorf("%d points were %s, want %s", was.Total, was.Rating, tt.before)
		}
		if got := e.Override(card, points); got.Total != tt.total || got.Rating != tt.want {
			t.Errorf("%d points are %s, want %d and %s", got.Total, got.Rating, tt.total, tt.want)
		}
	}
}

func TestOverlayErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"unknown base", `base = "handof"`, "my.toml:1:8: there is no built-in scorecard \"handof\"\n    base = \"handof\"\n           ^\n    remedy: write base = \"handoff\""},
		{"nothing to leave out", training[1:] + "[x]\n", "my.toml:16:2: unknown key \"x\"\n    [x]\n     ^\n    remedy: correct its name or remove it. Known here: base, category, ghost, item, products, rating, slot, small, title, without"},
		{"no such item", "base = \"handoff\"\nwithout = [\"1.1\", \"9.1\"]", "my.toml:2:19: the base has no item or category \"9.1\"\n    without = [\"1.1\", \"9.1\"]\n                      ^\n    remedy: Did you mean \"2.1\"?"},
		{"no such cue", "base = \"handoff\"\n[[slot]]\nname = \"closed\"\ncues.en = [\"-sined\"]", "my.toml:4:12: the base has no \"sined\" here to take out\n    cues.en = [\"-sined\"]\n               ^\n    remedy: Did you mean \"signed\"?"},
		{"a block twice", "base = \"handoff\"\n[[item]]\nid = \"1.1\"\n[[item]]\nid = \"1.1\"", "my.toml:4:3: \"1.1\" stands twice in this file\n    [[item]]\n      ^\n    remedy: make one block of the two"},
		{"several", "base = \"handoff\"\n[[item]]\nid = \"1.1\"\nkind = \"txt\"\nfields = [\"use_cse\"]", `my.toml:4:8: there is no kind "txt"
    kind = "txt"
           ^
    remedy: Did you mean "text"?
my.toml:5:11: there is no deal field "use_cse"
    fields = ["use_cse"]
              ^
    remedy: use a neutral field name (docs/cases.md). Did you mean "use_case"?`},
		{"a key in a table of its own", "base = \"handoff\"\n[[item]]\nid = \"1.1\"\n[item.cues]\nfr = [\"usage\"]", "my.toml:5:1: there is no language \"fr\"\n    fr = [\"usage\"]\n    ^\n    remedy: add its file to the folder languages beside the scorecard. Did you mean \"de\"?"},
		{"an example that fails", strings.Replace(training, "points = 2", "points = 1", 1), `my.toml:16:3: the example "Training of both shifts on 3 November." of item 4.5 gets 2 points, not 1: Complete: training with a date
    points = 1
    ^
    remedy: correct the example, or the cues and slots that decide it. Examples in a file with a base take the place of the base's`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseScorecard("my.toml", []byte(tt.file))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLanguageErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"no code", `stopwords = ["le"]`, "fr.toml:1:1: the language has no code"},
		{"no stopwords", `code = "fr"`, `fr.toml:1:1: language "fr" has no stopwords`},
		{"unknown key", "code = \"fr\"\nstopword = [\"le\"]", `fr.toml:2:1: unknown key "stopword"`},
		{"eleven months", "code = \"fr\"\nstopwords = [\"le\"]\nmonths = [[\"mai\"]]", "fr.toml:3:1: a year has 12 months, not 1"},
		{"unknown slot", "code = \"fr\"\nstopwords = [\"le\"]\n[slots]\nrivals = [\"concurrent\"]", `fr.toml:4:1: no slot "rivals" takes cues`},
		{"unknown item", "code = \"fr\"\nstopwords = [\"le\"]\n[items]\n\"9.9\" = [\"concurrent\"]", `fr.toml:4:1: there is no item "9.9"`},
		{"empty cue", "code = \"fr\"\nstopwords = [\"le\"]\nnone = [\"rien\", \"??\"]", `fr.toml:3:17: "??" in cue "??" has no letter or digit`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseScorecard("my.toml", []byte(`base = "handoff"`), File{"fr.toml", []byte(tt.file)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	const file = `
base = "handoff"
without = ["3.2"]
[ghost]
business_days = 3
[[rating]]
name = "Acceptable"
from = 75
[[slot]]
name = "closed"
cues.en = ["-signed", "inked"]
[[item]]
id = "1.5"
question = "Who else?"
`
	from, to := builtin(t).Scorecard(), overlaid(t, file, File{"fr.toml", []byte("code = \"fr\"\nstopwords = [\"le\"]")})
	want := []Difference{
		{"ghost rule", "business days after the close", []string{"5"}, []string{"3"}},
		{"rating Acceptable", "from percent", []string{"70"}, []string{"75"}},
		{"item 1.5 Competitor considered", "question", []string{from.Item("1.5").Question}, []string{"Who else?"}},
		{"slot closed", "cues en", []string{"signed"}, []string{"inked"}},
		{"language fr", "", []string{}, []string{"language fr"}},
		{"item 3.2 Custom configuration", "", []string{"item 3.2 Custom configuration"}, []string{}},
	}
	if diff := cmp.Diff(want, Diff(from, to)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := Diff(to, to); len(diff) != 0 {
		t.Errorf("a scorecard differs from itself: %v", diff)
	}
}

// TestNeeds checks that every item of the built-in scorecard says what it wants.
func TestNeeds(t *testing.T) {
	sc := builtin(t).Scorecard()
	for _, it := range sc.Items {
		if partial, complete := sc.Needs(it); partial == "" || complete == "" || strings.Contains(complete, "|") {
			t.Errorf("%s wants %q, %q", it.ID, partial, complete)
		}
	}
	if partial, complete := sc.Needs(sc.Item("1.5")); partial != "a name or anything about it" || complete != "what tipped the decision" {
		t.Errorf("1.5 wants %q, %q", partial, complete)
	}
}
