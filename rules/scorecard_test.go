package rules

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestBuiltin(t *testing.T) {
	sc, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	// S1.1: 5+4+4+4+3 items, 10/8/8/8/6 = 40 points.
	want := []CategorySpec{
		{Name: "Deal Context", Items: 5, Max: 10}, {Name: "Stakeholder Map", Items: 4, Max: 8}, {Name: "Technical Fit", Items: 4, Max: 8},
		{Name: "Expectation Record", Items: 4, Max: 8}, {Name: "CRM Hygiene", Items: 3, Max: 6},
	}
	if len(sc.Categories) != len(want) || sc.Max() != 40 {
		t.Fatalf("%d categories, %d points; want 5 and 40", len(sc.Categories), sc.Max())
	}
	for i, cat := range sc.Categories {
		if cat.at = (place{}); cat != want[i] {
			t.Errorf("category %d is %+v, want %+v", i, cat, want[i])
		}
	}
	for _, rating := range []string{Excellent, Acceptable, BelowStandard, Incomplete} {
		if sc.Action(rating) == "" {
			t.Errorf("no action for %s", rating)
		}
	}
	if got := sc.Action("Splendid"); got != "" {
		t.Errorf("an unknown rating has the action %q", got)
	}
	if sc.Item("2.3") == nil || sc.Item("9.9") != nil {
		t.Error("Item finds what is there, and nothing else")
	}
}

// TestQuestions checks that what an AE gets to read asks, and does not grade.
func TestQuestions(t *testing.T) {
	sc, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range sc.Items {
		for _, text := range []string{it.Question, it.Remedy} {
			for _, word := range []string{"score", "point", "grade", "rating", "missing", "incomplete", "partial", "fail"} {
				if strings.Contains(strings.ToLower(text), word) {
					t.Errorf("%s grades: %q holds %q", it.ID, text, word)
				}
			}
		}
		if !strings.HasSuffix(it.Question, "?") {
			t.Errorf("%s is not asked: %q", it.ID, it.Question)
		}
	}
}

func TestVersion(t *testing.T) {
	data := builtinFile(t)
	parse := func(data string) string {
		sc, err := ParseScorecard("a.toml", []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		return sc.Version()
	}
	if first, again := parse(data), parse(data); first != again {
		t.Error("the same file has two versions")
	}
	if parse(data) == parse(strings.Replace(data, "signals       = 1", "signals       = 7", 1)) {
		t.Error("another threshold has the same version")
	}
}

func TestParseScorecardErrors(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		want           []string // each in the error
	}{
		{"unknown key", `none     = true`, `nones    = true`, []string{"my.toml:", `unknown key "nones"`, "nones    = true", "remedy: correct its name or remove it"}},
		{"syntax", `signals       = 1`, `signals = = 1`, []string{"my.toml:", "signals = = 1", "remedy: correct the line"}},
		{"wrong type", `signals       = 1`, `signals = "one"`, []string{"my.toml:", `signals = "one"`, "remedy: give a value of the kind"}},
		{"item missing", `id       = "1.5"`, "id       = \"1.4\"", []string{`item id "1.4" is empty or taken`}},
		{"category without items", `name = "CRM Hygiene"`, "name = \"CRM Hygiene\"\n[[category]]\nname = \"Extra\"", []string{`category "Extra" has no item`}},
		{"category name", `name = "Technical Fit"`, `name = "Technical & Fit"`, []string{`category name "Technical & Fit" cannot name a field in a CRM`}},
		{"item id", `id       = "1.5"`, `id       = "1/5"`, []string{`item id "1/5" cannot name a field in a CRM`}},
		{"rating order", `from   = 70`, `from   = 95`, []string{"from   = 95", "not below the rating above it", "best first"}},
		{"lowest rating", `from   = 0`, `from   = 5`, []string{"from   = 5", "does not begin at 0"}},
		{"name of the lowest rating", `name   = "Incomplete"`, `name   = "Poor"`, []string{`the lowest rating is called "Poor"`, `call it "Incomplete": managers are told`}},
		{"health", `health = "Yellow"`, `health = "Amber"`, []string{`"Amber" is no health`, "Green, Yellow or Red"}},
		{"unknown slot", `complete = ["resolution"]`, `complete = ["resolutionx"]`, []string{`complete = ["resolutionx"]`, `there is no slot "resolutionx"`}},
		{"unknown kind", `kind     = "stage"`, `kind     = "stages"`, []string{`there is no kind "stages"`, `Did you mean "stage"?`}},
		{"unknown field", `fields   = ["it_readiness"]`, `fields   = ["it_ready"]`, []string{`there is no deal field "it_ready"`}},
		{"unknown language", "cues.de  = [\"champion\"", "cues.fr  = [\"champion\"", []string{`there is no language "fr"`}},
		{"empty cue", `"use case", "want to use"`, `"??", "want to use"`, []string{`"??"`, "no letter or digit"}},
		{"no question", `title    = "Use case"`, `title    = ""`, []string{"item 1.1 lacks title"}},
		{"failing example", "text   = \"They also looked at Gong.\"\n  points = 1", "text   = \"They also looked at Gong.\"\n  points = 2",
			[]string{"points = 2", `the example "They also looked at Gong." of item 1.5 gets 1 points, not 2`}},
		{"ghost", `business_days = 5`, `business_days = 0`, []string{"business_days of 1 or more and signals above 0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := builtinFile(t)
			if !strings.Contains(data, tt.old) {
				t.Fatalf("the built-in scorecard does not hold %q any more", tt.old)
			}
			_, err := ParseScorecard("my.toml", []byte(strings.Replace(data, tt.old, tt.new, 1)))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestFileErrorPosition(t *testing.T) {
	data := builtinFile(t)
	const line = `complete = ["resolution"]`
	_, err := ParseScorecard("my.toml", []byte(strings.Replace(data, line, `complete = ["nothing"]`, 1)))
	before, _, _ := strings.Cut(data, line)
	want := "my.toml:" + strconv.Itoa(strings.Count(before, "\n")+1) + ":13: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error is %v, want it to begin with %q", err, want)
	}
}

func builtinFile(tb testing.TB) string {
	tb.Helper()
	data, err := os.ReadFile("scorecards/handoff.toml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
