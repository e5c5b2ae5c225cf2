package main

import (
	"slices"
	"strings"
	"testing"
)

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("before ", 40) + "They looked at Gong." + strings.Repeat(" after", 40)
	far := "First point." + strings.Repeat(" word", 100) + " Last point."
	for _, tc := range []struct {
		name, text string
		quotes     []string
		want       []string // quotes in brackets
	}{
		{"whole text", "They looked at Gong.", []string{"They looked at Gong."}, []string{"[They looked at Gong.]"}},
		{"in its context", "Price was fine. They looked at Gong. It lost.", []string{"They looked at Gong."}, []string{"Price was fine. ", "[They looked at Gong.]", " It lost."}},
		{"cut at words", long, []string{"They looked at Gong."}, []string{
			" … ", strings.Repeat("before ", 22), "[They looked at Gong.]", strings.Repeat(" after", 26), " … "}},
		{"two quotes side by side", "A one. B two. C three.", []string{"B two.", "A one."}, []string{"[A one.]", " ", "[B two.]", " C three."}},
		{"one inside the other", "A one. B two.", []string{"A one.", "one"}, []string{"[A one.]", " B two."}},
		{"two quotes far apart", far, []string{"First point.", "Last point."}, []string{
			"[First point.]", strings.Repeat(" word", 31), " … ", strings.Repeat("word ", 31), "[Last point.]"}},
		{"lines without empty ones", "## Risks\n\n \n- Gong\n", []string{"Gong"}, []string{"## Risks\n- ", "[Gong]"}},
		{"not in the text any more", "Something else.", []string{"They looked at Gong."}, []string{"[They looked at Gong.]"}},
		{"one of two not in the text any more", "Something else.", []string{"They looked at Gong.", "else"}, []string{"[They looked at Gong.]", " … ", "Something ", "[else]", "."}},
		{"what a terminal obeys", "a\x1b[2Jb \u202eGong", []string{"Gong"}, []string{"a[2Jb ", "[Gong]"}},
		{"no spaces", strings.Repeat("é", 200) + "Gong" + strings.Repeat("é", 200), []string{"Gong"}, []string{
			" … ", strings.Repeat("é", 80), "[Gong]", strings.Repeat("é", 80), " … "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, s := range newExcerpt(tc.text, tc.quotes) {
				if s.Quoted {
					s.Text = "[" + s.Text + "]"
				}
				got = append(got, s.Text)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
