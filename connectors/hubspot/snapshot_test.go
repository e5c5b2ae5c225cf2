package hubspot

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestBoldLine(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"paragraph", "<p><strong>Close &amp; handoff</strong></p><p>Signed.</p>", "Close & handoff"},
		{"b and a break", "<div><b>Close</b><br>Signed.</div>", "Close"},
		{"heading", "\n<div class=\"x\"><h2><strong>Close</strong></h2>Signed.</div>", "Close"},
		{"span inside", "<p><strong><span style=\"color:red\">Close</span></strong></p>", "Close"},
		{"span around", "<p><span><b>Close</b></span>:</p>Signed", "Close"},
		{"only that", "<strong>Close</strong>", "Close"},
		{"bold word at the start", "<p><strong>Marcus</strong> signed.</p>", ""},
		{"two bold words", "<p><b>Marcus</b> and <b>Harriet</b></p>", ""},
		{"bold later", "<p>Signed.</p><p><strong>Close</strong></p>", ""},
		{"a break tells nothing of bold", "<p>a</p><b>c</b>", ""},
		{"plain", "Signed last night.\nMore.", ""},
		{"empty", "", ""},
		{"bold of nothing", "<p><strong></strong></p>", ""},
		{"body is no b", "<p><body>x</body></p>", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := boldLine(tc.body); got != tc.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func FuzzBoldLine(f *testing.F) {
	f.Add("<p><strong>Close</strong></p><p>Signed.</p>")
	f.Add("<div><b>Close</b><br>Signed.</div>")
	f.Add(strings.Repeat("<p>", 100) + strings.Repeat("<b>", 100))
	f.Fuzz(func(t *testing.T, body string) {
		if got := boldLine(body); utf8.ValidString(body) && !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
	})
}

func TestAddresses(t *testing.T) {
	for _, tc := range []struct {
		name, headers, from string
		to                  []string
	}{
		{"both", `{"from":{"email":"dana@own.example","firstName":"Dana"},"to":[{"email":"a@x.example"},{"firstName":"B"},{"email":"c@x.example"}],"cc":[]}`,
			"dana@own.example", []string{"a@x.example", "c@x.example"}},
		{"none", ``, "", nil},
		{"not JSON", `From: dana@own.example`, "", nil},
		{"no receiver", `{"from":{"email":"dana@own.example"}}`, "dana@own.example", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, to := addresses(tc.headers)
			if from != tc.from || !slices.Equal(to, tc.to) {
				t.Errorf("got %q, %q", from, to)
			}
		})
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add(`{"from":{"email":"a@b"},"to":[{"email":"c@d"}]}`)
	f.Fuzz(func(t *testing.T, headers string) {
		if _, to := addresses(headers); slices.Contains(to, "") {
			t.Fatal("an empty address")
		}
	})
}
