package rules

import "testing"

func TestSuggest(t *testing.T) {
	known := []string{"schedule", "since", "url"}
	for _, tc := range []struct{ word, want string }{
		{"shedule", `Did you mean "schedule"?`},
		{"Since", `Did you mean "since"?`},
		{"urls", `Did you mean "url"?`},
		{"horsepower", "Known here: schedule, since, url"},
	} {
		t.Run(tc.word, func(t *testing.T) {
			if got := Suggest(tc.word, known); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
