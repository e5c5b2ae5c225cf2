package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"handoff/crm"
)

// TestHostile checks that no kind of text costs much more than its length asks for: 1 MB takes tens of milliseconds.
func TestHostile(t *testing.T) {
	const size = 1 << 20
	names := &strings.Builder{}
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(names, "Ana%cx Ruiz%d, CFO, was against it. ", 'a'+rune(i%26), i)
	}
	for _, tt := range []struct{ name, body string }{
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := deal()
			s.Notes[0].Body = tt.body
			began := time.Now()
			builtin(t).Score(s, asOf)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("1 MB took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func TestManyContacts(t *testing.T) {
	s := deal()
	for i := range 20000 {
		s.Contacts = append(s.Contacts, crm.Contact{Name: fmt.Sprintf("Ana %d Ruiz", i), Title: "CFO", Roles: []string{"Champion"}})
	}
	began := time.Now()
	builtin(t).Score(s, asOf)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("20,000 contacts took %v", took)
	} else {
		t.Log(took)
	}
}
