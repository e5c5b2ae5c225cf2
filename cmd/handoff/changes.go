package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"handoff/crm"
)

// printChanges prints each field that changes, before and after, in the order of the fields. Of a text that changes, it
// prints the lines that go and those that come.
func printChanges(w io.Writer, fields []crm.FieldSpec, before, after crm.Values) {
	for _, f := range fields {
		value, changes := after[f.Name]
		if !changes || f.Object != crm.DealObject {
			continue
		}
		old := before[f.Name]
		fmt.Fprintf(w, "    %s: %s → %s\n", f.Name, brief(old), brief(value))
		if f.Type != crm.LongText || old == "" || value == "" {
			continue
		}
		was, is := strings.Split(old, "\n"), strings.Split(value, "\n")
		for _, line := range was {
			if !slices.Contains(is, line) {
				fmt.Fprintf(w, "      - %s\n", plain(line))
			}
		}
		for _, line := range is {
			if !slices.Contains(was, line) {
				fmt.Fprintf(w, "      + %s\n", plain(line))
			}
		}
	}
}

// brief is a value on one short line.
func brief(value string) string {
	const most = 70
	if value == "" {
		return "(empty)"
	}
	if n := strings.Count(value, "\n"); n > 0 {
		return count(n+1, "line")
	}
	s := []rune(plain(value))
	if len(s) > most {
		return string(s[:most]) + "…"
	}
	return string(s)
}
