package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestPlain(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"text as it is", "Aufmaß – 日本語", "Aufmaß – 日本語"},
		{"one line", " a\nb\r\nc\td ", "a b  c d"},
		{"no escape sequences", "\x1b[2J\x1b]0;title\x07red", "[2J]0;titlered"},
		{"no C1 controls", "a\u009b31mb", "a31mb"},
		{"no reversed text", "invoice\u202efdp.exe", "invoicefdp.exe"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := plain(tc.in); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestTableFits(t *testing.T) {
	for _, tc := range []struct {
		name        string
		width, want int // want: the widest line
	}{
		{"as wide as its text where there is room", 200, 81},
		{"exactly", 81, 81},
		{"narrower", 60, 60},
		{"never unreadable", 10, 33},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newTable("deal", "why", "total")
			g.row("Tolliver Medical Supply - Expansion 2026", "Deal Context 0/10, CRM 1/6", "4/40")
			g.fit(tc.width)
			widest := 0
			for line := range strings.Lines(g.writer.Render()) {
				widest = max(widest, text.StringWidth(strings.TrimRight(line, "\n")))
			}
			if widest != tc.want {
				t.Errorf("the table is %d wide, want %d:\n%s", widest, tc.want, g.writer.Render())
			}
		})
	}
}
