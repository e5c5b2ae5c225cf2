package hubspot

import (
	"slices"
	"strings"
	"testing"
)

func TestCutTitle(t *testing.T) {
	long := "<p><b>" + strings.Repeat("word ", 60) + "</b></p><p>x</p>"
	for _, tc := range []struct{ name, note, title, body string }{
		{"paragraph", "<p><strong>Close &amp; handoff</strong></p><p>Signed.</p>", "Close & handoff", "<p>Signed.</p>"},
		{"b and a break", "<div><b>Close</b><br>Signed.</div>", "Close", "Signed.</div>"},
		{"heading", "\n<div class=\"x\"><h2><strong>Close</strong></h2>Signed.</div>", "Close", "Signed.</div>"},
		{"blocks within blocks", "<div><div><b>Close</b></div> </div><ul><li>Signed.</li></ul>", "Close", "<ul><li>Signed.</li></ul>"},
		{"a list follows", "<b>Close</b><ul><li>Signed.</li></ul>", "Close", "<ul><li>Signed.</li></ul>"},
		{"span inside", "<p><strong><span style=\"color:red\">Close</span></strong></p>Signed.", "Close", "Signed."},
		{"span around", "<p><span><b>Close</b></span>:</p>Signed", "Close", "Signed"},
		{"plain text follows", "<b>Close</b>\nSigned.", "Close", "Signed."},
		{"nothing follows", "<p><strong>Signed.</strong></p><p> </p>", "", "<p><strong>Signed.</strong></p><p> </p>"},
		{"too long", long, "", long},
		{"bold word at the start", "<p><strong>Marcus</strong> signed.</p>", "", "<p><strong>Marcus</strong> signed.</p>"},
		{"two bold words", "<p><b>Marcus</b> and <b>Harriet</b></p>x", "", "<p><b>Marcus</b> and <b>Harriet</b></p>x"},
		{"bold later", "<p>Signed.</p><p><strong>Close</strong></p>x", "", "<p>Signed.</p><p><strong>Close</strong></p>x"},
		{"plain", "Signed last night.\nMore.", "", "Signed last night.\nMore."},
		{"empty", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if title, body := cutTitle(tc.note); title != tc.title || body != tc.body {
				t.Errorf("got %q and %q", title, body)
			}
		})
	}
}

func FuzzCutTitle(f *testing.F) {
	f.Add("<p><strong>Close</strong></p><p>Signed.</p>")
	f.Add("<div><b>Close</b><br>Signed.</div>")
	f.Add(strings.Repeat("<p>", 100) + strings.Repeat("<b>", 100))
	f.Fuzz(func(t *testing.T, note string) {
		title, body := cutTitle(note)
		if !strings.HasSuffix(note, body) || title == "" && body != note && plain(body) == "" {
			t.Fatalf("%q and %q", title, body)
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
