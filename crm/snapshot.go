package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Snapshot is one deal with everything around it, as a CRM held it when it was read.
// docs/cases.md describes its JSON form; there, null and absent mean the same.
type Snapshot struct {
	ID         string     `json:"id"`
	AsOf       *time.Time `json:"as_of,omitempty"` // the moment that the scores are for; nil: the reader decides
	Deal       Deal       `json:"deal"`
	Contacts   []Contact  `json:"contacts,omitempty"`
	Notes      []Note     `json:"notes,omitempty"`
	Activities []Activity `json:"activities,omitempty"`
	History    []Change   `json:"history,omitempty"` // stage and owner changes, oldest first
	Unread     []Part     `json:"unread,omitempty"`  // parts that could not be read: absent is not empty

	// Expected carries the labels of a labelled case. It is accepted and never read here.
	Expected jsontext.Value `json:"expected,omitempty"`
}

// Part names a part of a snapshot that a connector may be unable to read.
type Part string

// The parts of a snapshot.
const (
	PartContacts   Part = "contacts"
	PartNotes      Part = "notes"
	PartTasks      Part = "tasks" // tasks and logged calls
	PartEvents     Part = "events"
	PartEmails     Part = "emails"
	PartHistory    Part = "history"
	PartFields     Part = "fields"     // a mapped deal field that the CRM hides from us
	PartActivities Part = "activities" // tasks, events and emails together
)

var parts = []Part{PartContacts, PartNotes, PartTasks, PartEvents, PartEmails, PartHistory, PartFields, PartActivities}

// Deal is the opportunity itself.
type Deal struct {
	ID         string            `json:"id"`
	Name       string            `json:"name,omitempty"`
	Account    string            `json:"account,omitempty"`
	Stage      string            `json:"stage,omitempty"` // the CRM's own label; Won decides
	Won        bool              `json:"won,omitzero"`
	Amount     *float64          `json:"amount,omitempty"` // in Currency; nil: not recorded
	Currency   string            `json:"currency,omitempty"`
	ARR        *float64          `json:"arr,omitempty"`
	CloseDate  *Date             `json:"close_date,omitempty"`
	TermMonths *int              `json:"term_months,omitempty"`
	Owner      *User             `json:"owner,omitempty"` // the AE
	CSM        *CSM              `json:"csm,omitempty"`
	KickoffAt  *time.Time        `json:"kickoff_at,omitempty"`
	Fields     map[string]string `json:"fields,omitempty"` // text fields by neutral name (FieldNames)
}

// User is a person of our own company.
type User struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Role  string `json:"role,omitempty"`
	Email string `json:"email,omitempty"`
}

// CSM is the customer success manager that the deal was assigned to.
type CSM struct {
	ID         string     `json:"id,omitempty"`
	Name       string     `json:"name,omitempty"`
	Email      string     `json:"email,omitempty"`
	AssignedAt *time.Time `json:"assigned_at,omitempty"`
}

// Contact is a contact record of the customer with its roles on this deal, in the CRM's own words.
type Contact struct {
	ID           string   `json:"id,omitempty"`
	Name         string   `json:"name,omitempty"`
	Title        string   `json:"title,omitempty"`
	Email        string   `json:"email,omitempty"`
	Phone        string   `json:"phone,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	EmailBounced bool     `json:"email_bounced,omitzero"`
}

// Note is a note on the deal. Body is plain text, HTML or Markdown, as the CRM holds it.
type Note struct {
	ID     string     `json:"id,omitempty"`
	At     *time.Time `json:"at,omitempty"`
	Author string     `json:"author,omitempty"`
	Title  string     `json:"title,omitempty"`
	Body   string     `json:"body,omitempty"`

	// Version is the CRM's id of the text, where reading it costs a call of its own: the same id, the same text.
	Version string `json:"version,omitempty"`
}

// Kind is the kind of an activity.
type Kind string

// The kinds of activities.
const (
	Meeting Kind = "meeting"
	Call    Kind = "call"
	Email   Kind = "email"
	Task    Kind = "task"
)

// Activity is a meeting, a logged call, an e-mail or a task. From and To are e-mail addresses where the CRM has them.
type Activity struct {
	ID      string     `json:"id,omitempty"`
	Kind    Kind       `json:"kind"`
	At      *time.Time `json:"at,omitempty"` // start of a meeting, time of a call or an e-mail, creation of a task
	Subject string     `json:"subject,omitempty"`
	Body    string     `json:"body,omitempty"`
	From    string     `json:"from,omitempty"`
	To      []string   `json:"to,omitempty"`
}

// Change is one change of the deal's stage or owner.
type Change struct {
	Field string     `json:"field"` // "stage" or "owner"
	At    *time.Time `json:"at,omitempty"`
	By    string     `json:"by,omitempty"`
	From  string     `json:"from,omitempty"`
	To    string     `json:"to,omitempty"`
}

// FieldNames lists the neutral names of the deal's text fields: what a sales team keeps on the opportunity.
var FieldNames = []string{
	"use_case", "business_problem", "compelling_event", "objections", "competitors",
	"champion", "executive_sponsor", "day_to_day_contact", "detractors",
	"integration_requirements", "custom_configuration", "implementation_timeline", "it_readiness",
	"success_criteria", "nonstandard_promises", "go_live_milestone", "pricing_exceptions",
	"description", "next_step",
	"metrics", "economic_buyer", "decision_criteria", "decision_process", "paper_process", "identify_pain", "competition",
}

// kindParts are the parts that activities belong to.
var kindParts = map[Kind]Part{Meeting: PartEvents, Call: PartTasks, Email: PartEmails, Task: PartTasks}

// IDs returns the ids of the records that a part of s holds, in their order; none of PartHistory and PartFields.
func (s *Snapshot) IDs(part Part) []string {
	var ids []string
	switch part {
	case PartContacts:
		for _, c := range s.Contacts {
			ids = append(ids, c.ID)
		}
	case PartNotes:
		for _, n := range s.Notes {
			ids = append(ids, n.ID)
		}
	default:
		for _, a := range s.Activities {
			if part == kindParts[a.Kind] || part == PartActivities {
				ids = append(ids, a.ID)
			}
		}
	}
	return ids
}

// UndescribedKickoff reports whether the kickoff is a meeting that is no activity, as nobody wrote anything about it.
func (s *Snapshot) UndescribedKickoff() bool {
	at := s.Deal.KickoffAt
	return at != nil && !slices.ContainsFunc(s.Activities, func(a Activity) bool { return a.Kind == Meeting && a.At != nil && a.At.Equal(*at) })
}

// Hash identifies the content of s: equal snapshots have equal hashes. The labels of a case do not count.
func (s *Snapshot) Hash() string {
	bare := *s
	bare.Expected = nil
	b, err := json.Marshal(&bare, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // only a value that JSON cannot carry, such as a NaN amount, which no decoder produces
		panic(fmt.Sprintf("crm: snapshot %s has no JSON form: %v", s.ID, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Date is a calendar day without a time zone.
type Date struct{ day time.Time }

// NewDate returns the given day.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// ParseDate reads "2006-01-02".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date of the form YYYY-MM-DD", s)
	}
	return Date{t}, nil
}

// Time returns midnight UTC of the day.
func (d Date) Time() time.Time { return d.day }

func (d Date) String() string { return d.day.Format(time.DateOnly) }

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}
