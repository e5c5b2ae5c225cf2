package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// print writes e for a person, what to check first.
func (e *explanation) print(s sheet) {
	fmt.Fprintf(s, "%s  (%s:%s)\n\n", s.paint(plain(e.Name), text.Bold), e.Connection, e.ID)
	for _, f := range e.facts() {
		fmt.Fprintf(s, "  %-11s %s\n", f.Name, f.Value)
	}
	if check := e.toCheck(); len(check) > 0 {
		fmt.Fprintf(s, "\n%s\n", s.paint("Check first: "+count(len(check), "item"), text.Bold, text.FgYellow))
		s.indent("  ", "", howToCheck)
		for i := range check {
			check[i].print(s)
		}
	}
	for _, c := range e.Card.Categories {
		fmt.Fprintf(s, "\n%s\n", s.paint(fmt.Sprintf("%s  %d/%d", c.Name, c.Points, c.Max), text.Bold))
		for _, it := range e.itemsOf(c.Name) {
			if it.Check {
				fmt.Fprintf(s, "  %s  %s %s  %s\n", it.Points, it.ID, it.Title, s.paint("check: see above", text.FgYellow))
				continue
			}
			it.print(s)
		}
	}
	if edits := e.otherEdits(); len(edits) > 0 {
		fmt.Fprintln(s, "\nSet by people, and kept")
		for _, line := range edits {
			fmt.Fprintln(s, "  "+line)
		}
	}
	e.printWrites(s)
}

const margin = "       " // of what belongs to an item

func (it *explainedItem) print(s sheet) {
	colour := map[string]text.Color{"0": text.FgRed, "1": text.FgYellow, "2": text.FgGreen}[it.Points]
	fmt.Fprintf(s, "  %s  %s\n", s.paint(it.Points, text.Bold, colour), s.paint(it.ID+" "+it.Title, text.Bold))
	s.indent(margin, "scored    ", it.By)
	s.indent(margin, "because   ", it.Reason)
	for _, r := range it.Sources {
		var words strings.Builder
		for _, span := range r.Excerpt {
			if span.Quoted {
				words.WriteString(s.paint("“"+span.Text+"”", text.Bold))
			} else {
				words.WriteString(s.paint(span.Text, text.Faint))
			}
		}
		s.indent(margin, "evidence  ", words.String())
		source := r.Label
		if r.ID != "" {
			source += " (" + r.ID + ")"
		}
		s.indent(margin, "          ", s.paint("— "+source, text.FgCyan))
		s.indent(margin, "          ", s.paint(r.Warning, text.FgYellow))
	}
	s.indent(margin, "ask       ", it.Ask)
}

func (e *explanation) printWrites(s sheet) {
	if len(e.Writes) == 0 {
		fmt.Fprintln(s, "\nNothing has been written to the CRM yet.")
		return
	}
	fmt.Fprintln(s, "\nWritten to the CRM")
	for _, l := range e.Writes {
		fmt.Fprintf(s, "  %s  %s\n", l.At.UTC().Format(stamp), l.summary())
		if !l.first() {
			printChanges(s, e.fields, l.Before, l.After)
		}
	}
}
