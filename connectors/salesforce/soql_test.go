package salesforce

import (
	"strings"
	"testing"
	"time"

	"handoff/crm"
)

func TestQuote(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "Closed Won", `'Closed Won'`},
		{"apostrophe", "O'Neil", `'O\'Neil'`},
		{"backslash", `a\b`, `'a\\b'`},
		{"attack", `x' OR Name != '`, `'x\' OR Name != \''`},
		{"backslash before apostrophe", `\'`, `'\\\''`},
		{"control characters", "a\nb\tc\rd", `'a\nb\tc\rd'`},
		{"empty", "", `''`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := quote(tc.in); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func FuzzQuote(f *testing.F) {
	f.Add(`it's a \ test`)
	f.Fuzz(func(t *testing.T, s string) {
		inner, ok := strings.CutPrefix(quote(s), "'")
		if !ok {
			t.Fatal("no opening quote")
		}
		var back strings.Builder
		for i := 0; i < len(inner); i++ {
			switch inner[i] {
			case '\'':
				if i != len(inner)-1 {
					t.Fatalf("%q ends the literal early", s)
				}
			case '\\':
				i++
				back.WriteByte(map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', '\\': '\\', '\'': '\''}[inner[i]])
			default:
				back.WriteByte(inner[i])
			}
		}
		if back.String() != s {
			t.Errorf("%q reads back as %q", s, back.String())
		}
	})
}

func TestConditions(t *testing.T) {
	at := time.Date(2026, 10, 1, 11, 0, 0, 0, time.FixedZone("", 7200))
	for _, tc := range []struct{ name, got, want string }{
		{"no watermark", beyond("SystemModstamp", crm.Watermark{}), ""},
		{"a time", beyond("SystemModstamp", crm.Watermark{Time: at}), "SystemModstamp >= 2026-10-01T09:00:00Z"},
		{"a time and an id", beyond("SystemModstamp", crm.Watermark{Time: at, ID: "006A"}),
			"(SystemModstamp > 2026-10-01T09:00:00Z OR (SystemModstamp = 2026-10-01T09:00:00Z AND Id > '006A'))"},
		{"all leaves empty ones out", all("", "A = 1", "", "B = 2"), "A = 1 AND B = 2"},
		{"either", either("A = 1", "B = 2"), "(A = 1 OR B = 2)"},
		{"list", anyOf("Id", []string{"a", "b'"}), `Id IN ('a','b\'')`},
		{"number", number(2000), "2000"},
		{"large number", number(1e21), "1000000000000000000000"},
		{"day", date(at), "2026-10-01"},
		{"statement", selectFrom("Task", []string{"Id", "WhatId"}, "WhatId != null", "ORDER BY Id"), "SELECT Id, WhatId FROM Task WHERE WhatId != null ORDER BY Id"},
		{"statement without conditions", selectFrom("Task", []string{"Id"}, "", ""), "SELECT Id FROM Task"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.got != tc.want {
				t.Errorf("got %s, want %s", tc.got, tc.want)
			}
		})
	}
}
