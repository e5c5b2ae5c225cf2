package salesforce

import (
	"fmt"
	"strings"
	"time"
)

// moment reads Salesforce's "2026-10-01T09:00:00.000+0000", which is not RFC 3339.
// Time is not embedded: its methods would read JSON instead.
type moment struct{ Time time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(b []byte) error {
	t, err := time.Parse("2006-01-02T15:04:05Z0700", string(b))
	if err != nil {
		if t, err = time.Parse(time.RFC3339, string(b)); err != nil {
			return fmt.Errorf("%q is not a datetime", b)
		}
	}
	m.Time = t.UTC()
	return nil
}

// ptr returns nil for a moment that is not there.
func (m *moment) ptr() *time.Time {
	if m == nil || m.Time.IsZero() {
		return nil
	}
	t := m.Time
	return &t
}

// person is a parent of which we read who it is.
type person struct {
	Name  string `json:"Name"`
	Email string `json:"Email"`
}

func (p *person) name() string {
	if p == nil {
		return ""
	}
	return p.Name
}

func (p *person) email() string {
	if p == nil {
		return ""
	}
	return p.Email
}

type roleRow struct {
	ID            string  `json:"Id"`
	OpportunityID string  `json:"OpportunityId"`
	Role          string  `json:"Role"`
	CreatedDate   *moment `json:"CreatedDate"`
	ContactID     string  `json:"ContactId"`
	Contact       *struct {
		FirstName   string  `json:"FirstName"`
		LastName    string  `json:"LastName"`
		Title       string  `json:"Title"`
		Email       string  `json:"Email"`
		Phone       string  `json:"Phone"`
		MobilePhone string  `json:"MobilePhone"`
		Bounced     *moment `json:"EmailBouncedDate"`
		CreatedDate *moment `json:"CreatedDate"`
	} `json:"Contact"`
}

type legacyNoteRow struct {
	ID          string  `json:"Id"`
	ParentID    string  `json:"ParentId"`
	Title       string  `json:"Title"`
	Body        string  `json:"Body"`
	CreatedDate *moment `json:"CreatedDate"`
	CreatedBy   *person `json:"CreatedBy"`
}

type noteLinkRow struct {
	LinkedEntityID string `json:"LinkedEntityId"`
	DocumentID     string `json:"ContentDocumentId"`
	Document       *struct {
		Version string `json:"LatestPublishedVersionId"`
	} `json:"ContentDocument"`
}

type contentNoteRow struct {
	ID          string  `json:"Id"`
	Title       string  `json:"Title"`
	TextPreview string  `json:"TextPreview"`
	ContentSize int     `json:"ContentSize"`
	CreatedDate *moment `json:"CreatedDate"`
	CreatedBy   *person `json:"CreatedBy"`
}

type taskRow struct {
	ID          string  `json:"Id"`
	WhatID      string  `json:"WhatId"`
	Subject     string  `json:"Subject"`
	Description string  `json:"Description"`
	TaskSubtype string  `json:"TaskSubtype"`
	CreatedDate *moment `json:"CreatedDate"`
	Owner       *person `json:"Owner"`
}

type eventRow struct {
	ID            string  `json:"Id"`
	WhatID        string  `json:"WhatId"`
	Subject       string  `json:"Subject"`
	Description   string  `json:"Description"`
	Type          string  `json:"Type"`
	StartDateTime *moment `json:"StartDateTime"`
	Owner         *person `json:"Owner"`
}

type inviteeRow struct {
	EventID  string  `json:"EventId"`
	Relation *person `json:"Relation"`
}

type emailRow struct {
	ID          string  `json:"Id"`
	RelatedToID string  `json:"RelatedToId"`
	ActivityID  string  `json:"ActivityId"`
	MessageDate *moment `json:"MessageDate"`
	Subject     string  `json:"Subject"`
	TextBody    string  `json:"TextBody"`
	HTMLBody    string  `json:"HtmlBody"`
	From        string  `json:"FromAddress"`
	To          string  `json:"ToAddress"`
}

type stageRow struct {
	OpportunityID string  `json:"OpportunityId"`
	StageName     string  `json:"StageName"`
	CreatedDate   *moment `json:"CreatedDate"`
	CreatedBy     *person `json:"CreatedBy"`
}

type fieldChangeRow struct {
	OpportunityID string  `json:"OpportunityId"`
	Field         string  `json:"Field"`
	OldValue      any     `json:"OldValue"`
	NewValue      any     `json:"NewValue"`
	CreatedDate   *moment `json:"CreatedDate"`
	CreatedByID   string  `json:"CreatedById"`
	CreatedBy     *person `json:"CreatedBy"`
}

// row is a record whose fields depend on the org.
type row map[string]any

// at returns the value behind a path, such as "Account", "Name"; nil where any of it is null.
func (r row) at(path ...string) any {
	for _, parent := range path[:len(path)-1] {
		up, ok := r[parent].(map[string]any)
		if !ok {
			return nil
		}
		r = up
	}
	return r[path[len(path)-1]]
}

func (r row) text(path ...string) string {
	s, _ := r.at(path...).(string)
	return s
}

func (r row) flag(path ...string) bool {
	b, _ := r.at(path...).(bool)
	return b
}

// number returns nil where there is none.
func (r row) number(path ...string) *float64 {
	if f, ok := r.at(path...).(float64); ok {
		return &f
	}
	return nil
}

// moment returns nil where there is none.
func (r row) moment(path ...string) *time.Time {
	var m moment
	if err := m.UnmarshalText([]byte(r.text(path...))); err != nil {
		if t, err := time.Parse(time.DateOnly, r.text(path...)); err == nil {
			return &t
		}
		return nil
	}
	return m.ptr()
}

// isDeal reports whether an id is that of an Opportunity.
func isDeal(id string) bool { return strings.HasPrefix(id, "006") }
