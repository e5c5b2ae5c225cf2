package rules

import (
	"cmp"
	"fmt"
	"iter"
	"strings"
	"time"

	"handoff/crm"
)

// Kinds of origins beside those of activities.
const (
	FieldOrigin   = "field" // of the deal
	NoteOrigin    = "note"
	ContactOrigin = "contact"
)

// Origin is the record of a snapshot that evidence comes from, in the form in which it is quoted.
type Origin struct {
	Kind   string     // FieldOrigin, NoteOrigin, ContactOrigin, or the kind of an activity
	ID     string     // the Record of the evidence
	Title  string     // plain text: the name of the field in words, the title of a note, the subject of an activity, the name of a contact
	Author string     // who wrote it, or the sender's address; empty where the CRM does not say
	At     *time.Time // nil: undated
	Text   string     // PlainText of the value or body; of a contact its name, title, address and phone on one line
}

// Holds reports whether quote is a substring of the text or the title of o.
func (o *Origin) Holds(quote string) bool {
	return strings.Contains(o.Text, quote) || strings.Contains(o.Title, quote)
}

// OriginOf returns the record that ev comes from; ok is false if s has none. The ids of a CRM may be unique within a kind of records
// only: of several with the id of ev, the one that holds its quote is meant.
func OriginOf(s *crm.Snapshot, ev Evidence) (o Origin, ok bool) {
	for candidate := range origins(s, ev.Record) {
		if !ok || candidate.Holds(ev.Quote) {
			o, ok = candidate, true
		}
		if o.Holds(ev.Quote) {
			break
		}
	}
	return o, ok
}

// origins yields the records of s with the given id.
func origins(s *crm.Snapshot, id string) iter.Seq[Origin] {
	return func(yield func(Origin) bool) {
		if name, isField := strings.CutPrefix(id, fieldRecord("")); isField {
			value, ok := s.Deal.Fields[name]
			if ok && !yield(Origin{Kind: FieldOrigin, ID: id, Title: strings.ReplaceAll(name, "_", " "), Text: PlainText(value)}) {
				return
			}
		}
		for i := range s.Notes {
			n := &s.Notes[i]
			if noteRecord(s, i) == id && !yield(Origin{NoteOrigin, id, PlainText(n.Title), n.Author, n.At, PlainText(n.Body)}) {
				return
			}
		}
		for i := range s.Activities {
			a := &s.Activities[i]
			if activityRecord(s, i) == id && !yield(Origin{string(a.Kind), id, PlainText(a.Subject), a.From, a.At, PlainText(a.Body)}) {
				return
			}
		}
		for i := range s.Contacts {
			c := &s.Contacts[i]
			if contactRecord(s, i) == id && !yield(Origin{Kind: ContactOrigin, ID: id, Title: c.Name, Text: contactText(c)}) {
				return
			}
		}
	}
}

// What evidence calls a record: its id, or where a snapshot has none its place.

func fieldRecord(name string) string { return "fields." + name }

func noteRecord(s *crm.Snapshot, i int) string {
	return cmp.Or(s.Notes[i].ID, fmt.Sprintf("notes[%d]", i))
}

func activityRecord(s *crm.Snapshot, i int) string {
	return cmp.Or(s.Activities[i].ID, fmt.Sprintf("activities[%d]", i))
}

func contactRecord(s *crm.Snapshot, i int) string {
	return cmp.Or(s.Contacts[i].ID, fmt.Sprintf("contacts[%d]", i))
}

func contactText(c *crm.Contact) string {
	var parts []string
	for _, part := range []string{c.Name, c.Title, c.Email, c.Phone} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
