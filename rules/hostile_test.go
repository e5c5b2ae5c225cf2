package rules

import (
	"fmt"
	"strings"
	"testing"

	"handoff/crm"
)

// hostile returns texts of about size bytes that would cost a careless reader far more than their length asks for.
func hostile(size int) []struct{ name, body string } {
	names := &strings.Builder{}
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(names, "Ana%cx Ruiz%d, CFO, was against it. ", 'a'+rune(i%26), i)
	}
	return []struct{ name, body string }{
		{"one word", strings.Repeat("a", size)},
		{"no sentence ends", strings.Repeat("no champion and ", size/16)},
		{"abbreviations", strings.Repeat("e.g. ", size/5)},
		{"names", names.String()},
		{"colons", strings.Repeat("a: ", size/3)},
		{"questions", strings.Repeat("who? ", size/5)},
		{"empty lines", strings.Repeat("\n", size)},
		{"bullets", strings.Repeat("- x\n", size/4)},
		{"broken lines", strings.Repeat(strings.Repeat("and so on ", 6)+"\n", size/60)},
		{"numbers", strings.Repeat("1/", size/2)},
		{"dates", strings.Repeat("3.10. ", size/6)},
		{"tags", strings.Repeat("<p", size/2)},
		{"nested tags", strings.Repeat("<ul><li>", size/8)},
		{"entities", strings.Repeat("&nbsp;", size/6)},
		{"clocks", strings.Repeat("12:00 ", size/6)},
		{"quotes", strings.Repeat("> ", size/2)},
		{"signatures", strings.Repeat("Regards\nAna Ruiz\n", size/17)},
	}
}

// TestHostile would not end if the cost of any of these texts grew with the square of its length; `make bench` has the times.
func TestHostile(t *testing.T) {
	for _, tt := range hostile(1 << 20) {
		t.Run(tt.name, func(t *testing.T) {
			s := deal()
			s.Notes[0].Body = tt.body
			if c := builtin(t).Score(s, asOf); c.Total < 0 || c.Total > c.Max {
				t.Errorf("%d of %d points", c.Total, c.Max)
			}
		})
	}
}

// BenchmarkHostile shows each text at two lengths: the time a byte must not grow.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []int{1 << 17, 1 << 20} {
		for _, tt := range hostile(size) {
			b.Run(fmt.Sprintf("%s/%d KB", tt.name, size>>10), func(b *testing.B) {
				s := deal()
				s.Notes[0].Body = tt.body
				b.SetBytes(int64(len(tt.body)))
				for b.Loop() {
					builtin(b).Score(s, asOf)
				}
			})
		}
	}
}

func TestManyContacts(t *testing.T) {
	s := deal()
	for i := range 20000 {
		s.Contacts = append(s.Contacts, crm.Contact{Name: fmt.Sprintf("Ana %d Ruiz", i), Title: "CFO", Roles: []string{"Champion"}})
	}
	if c := builtin(t).Score(s, asOf); c.Items[5].Score == 0 {
		t.Errorf("no champion among 20,000: %+v", c.Items[5])
	}
}
