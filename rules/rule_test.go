package rules

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// kickoff is a file with an item that conditions judge.
const kickoff = `
base = "handoff"
[[slot]]
name = "kickoff set"
says = "a kickoff on the deal"
when = 'deal.kickoff_at > deal.close_date'
[[slot]]
name = "kickoff soon"
says = "a kickoff within two weeks of the close"
when = 'days(deal.close_date, deal.kickoff_at) <= 14'
[[slot]]
name = "plan"
says = "a plan in the next step"
when = 'lower(deal.fields.next_step) contains "plan" or any(notes, lower(.title) contains "plan")'
[[item]]
id = "5.4"
category = "CRM Hygiene"
title = "Kickoff"
question = "When is the kickoff?"
remedy = "Enter the kickoff."
help = "The kickoff."
kind = "rule"
partial = ["kickoff set"]
complete = ["kickoff soon", "plan"]
`

func TestRule(t *testing.T) {
	at := func(month time.Month, day int) *time.Time {
		d := time.Date(2026, month, day, 10, 0, 0, 0, time.UTC)
		return &d
	}
	planned := crm.Note{At: at(10, 1), Title: "Project plan"}
	for _, tt := range []struct {
		name    string
		kickoff *time.Time
		next    string
		notes   []crm.Note
		want    Item
	}{
		{"nothing", nil, "", nil, Item{Score: 0, Reason: "Missing: a kickoff within two weeks of the close and a plan in the next step"}},
		{"a plan alone", nil, "", []crm.Note{planned}, Item{Score: 0, Reason: "Missing: a kickoff within two weeks of the close"}},
		{"late", at(11, 20), "", nil, Item{Score: 1, Reason: "Partial: a kickoff on the deal; missing a kickoff within two weeks of the close and a plan in the next step"}},
		{"late, with a plan", at(11, 20), "Send the PLAN", nil, Item{Score: 1, Reason: "Partial: a kickoff on the deal; missing a kickoff within two weeks of the close"}},
		{"soon, with a plan", at(10, 5), "Send the <b>PLAN</b>", nil, Item{Score: 2, Reason: "Complete: kickoff with a kickoff within two weeks of the close and a plan in the next step",
			Evidence: []Evidence{{Source: "field next_step", Record: "fields.next_step", Quote: "Send the PLAN"}}}},
		{"soon, with a plan in a note", at(10, 5), "", []crm.Note{planned}, Item{Score: 2, Reason: "Complete: kickoff with a kickoff within two weeks of the close and a plan in the next step"}},
		{"a plan after as-of", at(10, 5), "", []crm.Note{{At: at(12, 1), Title: "Project plan"}}, Item{Score: 1, Reason: "Partial: a kickoff on the deal; missing a plan in the next step"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := won(tt.notes...)
			s.Deal.KickoffAt = tt.kickoff
			s.Deal.Fields = map[string]string{"next_step": tt.next}
			c := NewEngine(overlaid(t, kickoff)).Score(s, asOf)
			got := c.Items[len(c.Items)-1]
			tt.want.ID, tt.want.Sure = "5.4", true
			if tt.want.Score < 2 {
				tt.want.Remedy = "Enter the kickoff."
			}
			if tt.want.Evidence == nil {
				tt.want.Evidence = []Evidence{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestRuleOfTime checks that a card says when a condition on the clock may come out differently.
func TestRuleOfTime(t *testing.T) {
	e := NewEngine(overlaid(t, strings.Replace(kickoff, "deal.kickoff_at > deal.close_date", "days(deal.close_date, as_of) < 30", 1)))
	card := e.Score(won(), time.Date(2026, 10, 15, 9, 30, 0, 0, time.UTC))
	if want := time.Date(2026, 10, 16, 0, 0, 0, 0, time.UTC); card.DueAt == nil || !card.DueAt.Equal(want) {
		t.Errorf("due at %v, want %v", card.DueAt, want)
	}
}

// TestRuleUnread checks that an item is not read where a part that its conditions may need is missing.
func TestRuleUnread(t *testing.T) {
	s := won()
	s.Unread = []crm.Part{crm.PartContacts}
	c := NewEngine(overlaid(t, kickoff)).Score(s, asOf)
	if got := c.Items[len(c.Items)-1]; !got.NotRead {
		t.Errorf("%+v", got)
	}
}

func TestExpressionErrors(t *testing.T) {
	for _, tt := range []struct {
		name, when string
		column     int
		want       string
	}{
		{"unknown name", `dea.amount > 5`, 9, `there is no "dea"|Did you mean "deal"?`},
		{"unknown member", `deal.amout > 5`, 14, `a deal has no "amout"|Did you mean "amount"?`},
		{"unknown member in a list", `any(contacts, .titel contains "x")`, 24, `a contact has no "titel"|Did you mean "title"?`},
		{"unknown field", `deal.fields.use_cse != ""`, 21, `there is no deal field "use_cse"|Did you mean "use_case"?`},
		{"unlike", `deal.amount > "5"`, 21, "> compares a number with text|compare like with like; text stands in quotes, numbers do not"},
		{"no condition", `deal.amount`, 9, "this is a number, not a condition|compare it with something: deal.amount > 5000"},
		{"one =", `deal.stage = "Won"`, 20, "= does not compare|write == for equal, != for not equal"},
		{"not a moment", `days(deal.close_date, 5) > 3`, 31, "days takes no number here|days takes two moments: days(deal.close_date, as_of)"},
		{"unknown function", `now() > as_of`, 9, `there is no "now"|`},
		{"a range", `any(1..100000, # > 5)`, 14, `".." has no place in a condition|compare with >= and <=`},
		{"a list in a list", `any(notes, any(contacts, .name == "x"))`, 34, "a list inside of a list|ask for each in a slot of its own"},
		{"a list looked up in a list", `any(notes, len(contacts) > 1)`, 24, "a list inside of a list|"},
		{"a variable", `let a = deal.amount; a > 5`, 13, "a condition has no variables|"},
		{"a pattern from the record", `deal.name matches deal.account`, 32, "a pattern that is not written out|"},
		{"a bad pattern", `deal.name matches "("`, 19, "this is no condition: error parsing regexp|"},
		{"long", strings.Repeat("deal.won and ", 90) + "deal.won", 9, "an expression of more than 1000 characters|"},
		{"large", strings.Repeat("1<2&&", 120) + "1<2", 0, "this is no condition|"},
		{"unfinished", `deal.won and`, 0, "this is no condition: unexpected token EOF|docs/scorecards.md"},
		{"second line", "deal.won and\n  deal.lost", 8, `a deal has no "lost"|`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quote := "'"
			if strings.Contains(tt.when, "\n") {
				quote = "'''"
			}
			file := strings.Replace(kickoff, "'deal.kickoff_at > deal.close_date'", quote+tt.when+quote, 1)
			_, err := ParseScorecard("my.toml", []byte(file))
			if err == nil {
				t.Fatal("no error")
			}
			problem, remedy, _ := strings.Cut(tt.want, "|")
			for _, want := range []string{problem, "remedy: " + remedy} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
			var e *FileError
			if !errors.As(err, &e) || tt.column > 0 && e.Column != tt.column || e.Line != 6+strings.Count(tt.when, "\n") {
				t.Errorf("at column %d, want %d:\n%v", e.Column, tt.column, err)
			}
			if strings.Contains(err.Error(), "rules.") || strings.Contains(err.Error(), "float64") {
				t.Errorf("the error speaks Go:\n%v", err)
			}
		})
	}
}

// TestConditionSlots checks that conditions and passages are not mixed.
func TestConditionSlots(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"a cue in a rule", `complete = ["kickoff soon", "plan"]`, `complete = ["kickoff soon", "rival"]`, `slot "rival" is no condition`},
		{"a condition in text", `kind = "rule"`, `kind = "text"`, `slot "kickoff set" is a condition over the record`},
		{"both", `says = "a kickoff on the deal"`, "says = \"a kickoff on the deal\"\ncues.en = [\"kickoff\"]", "nothing or too much fills the slot"},
		{"nothing", `complete = ["kickoff soon", "plan"]`, "", "item 5.4 does not say what fills it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseScorecard("my.toml", []byte(strings.Replace(kickoff, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// FuzzExpression checks that any text is refused, or is a condition that holds or does not, always the same.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"deal.amount > 5", "not (deal.won)", `any(contacts, .title matches "(?i)cfo") ? deal.won : len(notes) > 2`, "count(notes, len(.body) > 5) in [1, 2]",
		"days(deal.close_date, as_of) < 3", `deal.fields?.use_case ?? "" != ""`, "((((((", "filter(notes, true)[0].at < as_of", "contacts[5].name == ''", "#", "1 in deal",
	} {
		f.Add(text)
	}
	s := deal()
	r := &record{s: s, asOf: asOf}
	f.Fuzz(func(t *testing.T, text string) {
		e, wrong := compileExpression(text)
		if wrong != nil {
			if wrong.problem == "" || wrong.remedy == "" || wrong.at < 0 || wrong.at > len(text) {
				t.Fatalf("%+v", wrong)
			}
			return
		}
		if once := e.holds(r.facets()); e.holds(r.facets()) != once {
			t.Fatal("it holds now and then")
		}
	})
}
