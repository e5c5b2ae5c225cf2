package jobs

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// verdict says whose the value of a field is.
type verdict int

const (
	left    verdict = iota // we may not see the field, or have nothing to say about it
	stands                 // ours, and as it should be
	due                    // ours, and to be written
	theirs                 // a person's: never written over
	peoples                // a field for people to fill in, which they have or we once did
)

// judge compares the three sides of a field: what we last wrote, what the CRM holds now, what is computed. An absent key
// is a side that is not known: never written, not visible, not computed.
func judge(field string, written, now, computed crm.Values) verdict {
	current, visible := now[field]
	if !visible || field == fieldScoredAt { // the stamp goes along with other fields
		return left
	}
	last, known := written[field]
	want, have := computed[field]
	if field == fieldAcceptance || field == fieldFinalised {
		if known || current != "" {
			return peoples
		}
		return due
	}
	// A checkbox that nobody ever touched is false rather than empty.
	empty := current == "" || !known && current == "false" && want == "true"
	switch {
	case empty || known && same(current, last): // nobody touched it, or a person handed it back
		switch {
		case !have:
			return left
		case same(current, want):
			return stands
		}
		return due
	case have && same(current, want):
		return stands
	case !known && !have:
		return left
	}
	return theirs
}

// afresh returns what we wrote into the fields that a record has now. Where the moment of scoring is gone, our fields were
// taken away and made again: then nobody emptied the empty ones, nor unticked the checkboxes, but for the edits known before.
func afresh(written, now crm.Values, edits map[string]Edit) crm.Values {
	stamp, visible := now[fieldScoredAt]
	if !visible || stamp != "" || written[fieldScoredAt] == "" {
		return written
	}
	kept := maps.Clone(written)
	maps.DeleteFunc(kept, func(field, _ string) bool {
		current := now[field]
		return current == "" || current == "false" && edits[field].Value != current
	})
	return kept
}

// same reports whether two values are equal for a reader: CRMs change line ends and trim what they store.
func same(a, b string) bool {
	return a == b || plain(a) == plain(b)
}

func plain(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

// merged is the outcome of a three-way merge of one record.
type merged struct {
	Values  crm.Values // the fields as they should stand
	Written crm.Values // the fields as the CRM shows them as ours before anything is sent
	Send    crm.Values // the fields to write; empty: none
	Edits   map[string]Edit
}

// merge decides each field of a record (judge). before holds the fields as they should have stood so far; it fills in
// what is neither visible nor computed, earlier the edits found so far: one stays a person's also while the computed
// value agrees with it, or while we may not see the field. edit says who set a field to its present value.
func merge(before, written, now, computed crm.Values, earlier map[string]Edit, edit func(field, value string) Edit) merged {
	m := merged{Values: maps.Clone(before), Written: maps.Clone(written), Send: crm.Values{}, Edits: map[string]Edit{}}
	if m.Values == nil {
		m.Values = crm.Values{}
	}
	if m.Written == nil {
		m.Written = crm.Values{}
	}
	maps.Copy(m.Values, now)
	for field, want := range computed {
		if _, visible := now[field]; !visible {
			m.Values[field] = want
		}
	}
	for field, e := range earlier {
		if _, visible := now[field]; !visible {
			m.Edits[field], m.Values[field] = e, e.Value
		}
	}
	for field, current := range now {
		switch judge(field, written, now, computed) {
		case stands:
			if e, ok := earlier[field]; ok && same(e.Value, current) {
				m.Edits[field] = e
				continue
			}
			m.Written[field] = current
		case due:
			m.Send[field], m.Values[field] = computed[field], computed[field]
		case peoples:
			if _, known := written[field]; !known {
				m.Written[field] = current
			}
		case theirs:
			m.Edits[field] = edit(field, current)
		}
	}
	return m
}

// authors knows who may have changed the fields of a record.
type authors struct {
	earlier map[string]Edit        // edits found in earlier runs
	tracked []connectors.FieldEdit // newest last
	by      string                 // who last modified the record, and when; zero: not known
	at      time.Time
}

// of returns the edit that set field to value.
func (a authors) of(field, value string) Edit {
	for i := len(a.tracked) - 1; i >= 0; i-- {
		if t := a.tracked[i]; t.Field == field {
			if same(t.Value, value) {
				return Edit{Value: value, By: t.By, At: t.At, Exact: true}
			}
			break
		}
	}
	if e, ok := a.earlier[field]; ok && same(e.Value, value) {
		return e
	}
	return Edit{Value: value, By: a.by, At: a.at}
}

// points reads the value of an item's field; ok is false for anything but 0, 1 and 2.
func points(value string) (n int, ok bool) {
	switch value {
	case "0":
		return 0, true
	case "1":
		return 1, true
	case "2":
		return 2, true
	}
	return 0, false
}

func ignored(value string) string { return fmt.Sprintf("%s is not 0, 1 or 2", value) }
