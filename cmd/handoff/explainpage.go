package main

import (
	"fmt"
	"io"
	"strings"
)

// explainedCategory is a category as the page shows it.
type explainedCategory struct {
	Name        string
	Points, Max int
	Items       []explainedItem
}

// explainedWrite is a write to the CRM as the page shows it. Changes is empty for the first.
type explainedWrite struct{ When, Summary, Changes string }

// page returns e as pages/explain.html takes it.
func (e *explanation) page() any {
	p := struct {
		*explanation
		Facts      []fact
		ToCheck    []explainedItem
		HowToCheck string
		Categories []explainedCategory
		OtherEdits []string
		Written    []explainedWrite
	}{explanation: e, Facts: e.facts(), ToCheck: e.toCheck(), HowToCheck: howToCheck, OtherEdits: e.otherEdits()}
	for _, c := range e.Card.Categories {
		p.Categories = append(p.Categories, explainedCategory{c.Name, c.Points, c.Max, e.itemsOf(c.Name)})
	}
	for _, l := range e.Writes {
		var changes strings.Builder
		if !l.first() {
			printChanges(&changes, e.fields, l.Before, l.After)
		}
		p.Written = append(p.Written, explainedWrite{l.At.UTC().Format(stamp), l.summary(), changes.String()})
	}
	return p
}

// printPage writes e as one page.
func (e *explanation) printPage(w io.Writer) error {
	page, err := renderPage("explain.html", e.page())
	if err != nil {
		return err
	}
	if _, err := w.Write(page); err != nil {
		return fmt.Errorf("print page: %w", err)
	}
	return nil
}
