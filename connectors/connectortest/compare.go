package connectortest

import (
	"cmp"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/crm"
)

// comparing leaves aside what a case and a CRM tell differently: ids, labels, history that the sandbox makes up, and
// roles of our own people.
var comparing = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(crm.Snapshot{}, "ID", "Expected", "History"),
	cmpopts.IgnoreFields(crm.Deal{}, "ID"),
	cmpopts.IgnoreFields(crm.User{}, "ID", "Role"),
	cmpopts.IgnoreFields(crm.CSM{}, "ID"),
	cmpopts.IgnoreFields(crm.Contact{}, "ID"),
	cmpopts.IgnoreFields(crm.Note{}, "ID", "Version"),
	cmpopts.IgnoreFields(crm.Activity{}, "ID"),
	gocmp.Comparer(func(a, b crm.Date) bool { return a == b }),
	gocmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
}

// comparable is a copy of a snapshot with its notes and activities in one order, their texts without markup, and no empty
// texts of the deal.
func comparable(s *crm.Snapshot) *crm.Snapshot {
	c := *s
	c.Deal.Fields = map[string]string{}
	for name, text := range s.Deal.Fields {
		if strings.TrimSpace(text) != "" {
			c.Deal.Fields[name] = text
		}
	}
	c.Notes = slices.Clone(s.Notes)
	for i := range c.Notes {
		c.Notes[i].Body = plainText(c.Notes[i].Body)
	}
	slices.SortFunc(c.Notes, func(a, b crm.Note) int {
		return cmp.Or(compareTimes(a.At, b.At), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Body, b.Body))
	})
	c.Activities = slices.Clone(s.Activities)
	for i := range c.Activities {
		c.Activities[i].Body = plainText(c.Activities[i].Body)
	}
	slices.SortFunc(c.Activities, func(a, b crm.Activity) int {
		return cmp.Or(compareTimes(a.At, b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Body, b.Body))
	})
	return &c
}

var markup = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)

// plainText is a text without markup and white space: editors of CRMs change both.
func plainText(s string) string {
	s = html.UnescapeString(markup.ReplaceAllString(s, " "))
	return strings.Join(strings.Fields(s), "")
}

func compareTimes(a, b *time.Time) int {
	var zero time.Time
	if a == nil {
		a = &zero
	}
	if b == nil {
		b = &zero
	}
	return a.Compare(*b)
}
