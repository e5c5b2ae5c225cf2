package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

func TestPlainText(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"plain text", "a < b\nc", "a < b\nc"},
		{"paragraphs", "<p>One.</p><p>Two.</p>", "One.\n\nTwo."},
		{"list", "<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"},
		{"heading", "<h3>People</h3><p>Ana</p>", "## People\n\nAna"},
		{"entities", "<p>Mon&ndash;Wed&nbsp;&amp; later</p>", "Mon–Wed & later"},
		{"entities without tags", "el jur&iacute;dico", "el jurídico"},
		{"script", "<p>a</p><script>var b</script>", "a"},
		{"line break", "a<br>b", "a\nb"},
		{"invalid UTF-8", "a\xffb", "ab"},
		{"bold marks", "**Champion:** Tom **Becker**", "Champion: Tom Becker"},
		{"bold line", "**People**\nAna", "## People\nAna"},
		{"rule of marks", "a\n****\nb", "a\n****\nb"},
		{"broken line", "They also looked at two other vendors over the whole summer,\nand liked neither.", "They also looked at two other vendors over the whole summer, and liked neither."},
		{"short lines", "a short line\nand another", "a short line\nand another"},
		{"line with a label", "They also looked at two other vendors over the whole summer\nwhy us: price", "They also looked at two other vendors over the whole summer\nwhy us: price"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSpace(PlainText(tt.body))
			for strings.Contains(got, "\n\n\n") {
				got = strings.ReplaceAll(got, "\n\n\n", "\n\n")
			}
			got = strings.ReplaceAll(got, "\n\n- ", "\n- ")
			if got != tt.want {
				t.Errorf("PlainText(%q) = %q, want %q", tt.body, got, tt.want)
			}
		})
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Go-Live", "go live"},
		{"couldn't", "couldnt"},
		{"Straße für Müller", "strasse fur muller"},
		{"  a,,b  ", "a b"},
		{"señora Peña", "senora pena"},
		{"e\u0301", "e"},
		{"", ""},
	} {
		if got := foldString(tt.in); got != tt.want {
			t.Errorf("foldString(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestLexicon(t *testing.T) {
	l := newLexicon()
	for i, cue := range []string{"go live", "integrat*", "left * on friday", "api"} {
		if err := l.add(cue, class(i), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		text string
		want []hit
	}{
		{"Go-live soon", []hit{{0, 0, 2}}},
		{"golive", nil},
		{"an integration", []hit{{1, 1, 2}}},
		{"disintegrate", nil},
		{"she left Acme on Friday", []hit{{2, 1, 5}}},
		{"she left on Friday", nil},
		{"apis and api", []hit{{3, 2, 3}}},
	} {
		f := fold(tt.text)
		if diff := cmp.Diff(tt.want, l.find(&f, everyLanguages), cmp.AllowUnexported(hit{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
	for _, cue := range []string{"", "*", "??", "* a"} {
		if err := l.add(cue, 0, 0); err == nil {
			t.Errorf("cue %q is accepted", cue)
		}
	}
}

func TestSplitSentences(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"One. Two! Three?", []string{"One.", "Two!", "Three?"}},
		{"Dr. Estes called. Fine.", []string{"Dr. Estes called.", "Fine."}},
		{"Am 20. Oktober live. Gut.", []string{"Am 20. Oktober live.", "Gut."}},
		{"Zuschlag am 15.1. erteilt.", []string{"Zuschlag am 15.1. erteilt."}},
		{"Version 9.01 runs. closed", []string{"Version 9.01 runs.", "closed"}},
		{"no end", []string{"no end"}},
		{"", nil},
	} {
		if diff := cmp.Diff(tt.want, builtin(t).splitSentences(tt.in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

// TestPlaces checks what headings, labels, questions and speakers make of the text around them, for the rules.
func TestPlaces(t *testing.T) {
	byRules := *builtin(t)
	byRules.wording = nil
	for _, tt := range []struct {
		name, body, id string
		want           int
	}{
		{"label", "IT: two people, ten working days for any server", "3.4", 2},
		{"heading", "## Success\n- late orders from 14% to under 4%", "4.1", 2},
		{"heading ends with the next", "## Success\n## People\n- late orders from 14% to under 4%", "4.1", 0},
		{"bold heading in HTML", "<h3>Timeline</h3><p>kiln 1 first, 9 November</p>", "3.3", 2},
		{"question and answer", "Ravi: discounts?\nTamika: fourteen percent in year one, then list", "4.4", 2},
		{"chat with times", "bea 13:12 and IT?\nraj 13:13 ten working days for any server", "3.4", 2},
		{"answer below a quoted question", "> Anything on your side that could slow us down, your IT for instance?\nThe questionnaire takes ten business days.", "3.4", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := won(note("2026-09-12", tt.body))
			s.Deal.Owner = &crm.User{Name: "Bea Tamika"}
			got := byRules.Score(s, asOf).Items[slices.IndexFunc(byRules.card.Items, func(it *ItemSpec) bool { return it.ID == tt.id })]
			if got.Score != tt.want {
				t.Errorf("%s gets %d points, want %d: %s", tt.id, got.Score, tt.want, got.Reason)
			}
		})
	}
}

func TestSpeaker(t *testing.T) {
	s := won(note("2026-09-12", "Odalys: I wrote the business case and took it to the board twice.\nInes: great."))
	s.Contacts = []crm.Contact{{Name: "Odalys Greer", Title: "Head of GRC", Email: "odalys@vaultline.example"}}
	if got := score(t, s, "2.1"); got.Score != 2 {
		t.Errorf("%d points, want 2: %s", got.Score, got.Reason)
	}
}

func TestSignatureFillsContact(t *testing.T) {
	at := asOf.AddDate(0, 0, -20)
	s := won()
	s.Contacts = []crm.Contact{{Name: "Rita Solano", Title: "Head of Production", Email: "rita@kiln.example", EmailBounced: true, Roles: []string{"Champion"}}}
	s.Activities = []crm.Activity{{Kind: crm.Email, At: &at, From: "rita@kiln.example", Body: "I have pushed for this since spring and took it to the board.\n\nBest regards\nRita Solano\n+44 20 7946 0123"}}
	if got := score(t, s, "2.1"); got.Score != 2 {
		t.Errorf("2.1 gets %d points, want 2: a phone in a signature is a channel: %s", got.Score, got.Reason)
	}
	if got := score(t, s, "5.1"); got.Score != 0 {
		t.Errorf("5.1 gets %d points, want 0: it looks at contact records only: %s", got.Score, got.Reason)
	}
}

func TestUsable(t *testing.T) {
	for _, tt := range []struct {
		email string
		want  bool
	}{
		{"ana@kiln.example", true}, {"test@test.com", false}, {"x@x.x", false}, {"xxx@kiln.example", false}, {"ana@kiln", false}, {"ana", false}, {"", false}, {"noreply@kiln.example", false},
	} {
		if got := usableEmail(&crm.Contact{Email: tt.email}); got != tt.want {
			t.Errorf("e-mail %q usable: %v", tt.email, got)
		}
	}
	for _, tt := range []struct {
		phone string
		want  bool
	}{
		{"+44 20 7946 0123", true}, {"000-000-0000", false}, {"123", false}, {"", false},
	} {
		if got := usablePhone(tt.phone); got != tt.want {
			t.Errorf("phone %q usable: %v", tt.phone, got)
		}
	}
}
