package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"handoff/connectors/sandbox/pages"
)

// moved is something that was done on a deal: a note, call, meeting, e-mail or task.
type moved struct {
	Kind   string
	Title  string
	Body   template.HTML
	Text   string // where there is no body
	Status string
	At     string
	By     string
	To     string
}

// When returns the moment as people read it.
func (m moved) When() string { return pages.When(m.At) }

// engagement says which properties of a kind of engagement the timeline shows.
type engagement struct {
	object, kind        string
	title, body, status string // properties; "": there is none
}

var engagements = []engagement{
	{"notes", "Note", "", "hs_note_body", ""},
	{"calls", "Call", "hs_call_title", "hs_call_body", "hs_call_status"},
	{"meetings", "Meeting", "hs_meeting_title", "hs_meeting_body", "hs_meeting_outcome"},
	{"emails", "E-mail", "hs_email_subject", "hs_email_html", ""},
	{"tasks", "Task", "hs_task_subject", "hs_task_body", "hs_task_status"},
}

// timeline returns what was done on a deal, the newest first. The caller holds p's lock.
func (p *Portal) timeline(ctx context.Context, id int64) ([]moved, error) {
	var all []moved
	for _, e := range engagements {
		o := p.object(e.object)
		people, err := p.attendees(ctx, e.object, id)
		if err != nil {
			return nil, err
		}
		columns := []string{"hs_timestamp", ownerProperty}
		for _, name := range []string{e.title, e.body, e.status} {
			if name != "" {
				columns = append(columns, name)
			}
		}
		if e.object == "emails" {
			columns = append(columns, "hs_email_text", "hs_email_headers")
		}
		found, err := o.fetch(ctx, p.db, selection{Columns: columns, Args: []any{id, e.object},
			Where: "_archived_at IS NULL AND hs_object_id IN (SELECT to_id FROM association WHERE from_object = 'deals' AND from_id = ? AND to_object = ?)"})
		if err != nil {
			return nil, err
		}
		for _, rec := range found {
			m := moved{Kind: e.kind, Title: rec.Values[e.title], Body: pages.SafeHTML(rec.Values[e.body]), At: rec.Values["hs_timestamp"],
				By: p.ownerName(rec.Values[ownerProperty]), To: strings.Join(people[rec.ID], ", ")}
			if status := o.property(e.status); status != nil && rec.Values[e.status] != "" {
				m.Status = strings.ToLower(strings.ReplaceAll(status.words(rec.Values[e.status]), "_", " "))
			}
			if e.object == "emails" {
				m.addressed(rec.Values)
			}
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b moved) int { return cmp.Compare(b.At, a.At) })
	return all, nil
}

// addressed shows an e-mail: by whom and to whom its headers say, and its text where it has no other body.
func (m *moved) addressed(values map[string]string) {
	if m.Body == "" {
		m.Text = values["hs_email_text"]
	}
	var headers struct {
		From address   `json:"from"`
		To   []address `json:"to"`
	}
	if json.Unmarshal([]byte(values["hs_email_headers"]), &headers) != nil { // whatever a client has put there
		return
	}
	var to []string
	for _, a := range headers.To {
		to = append(to, a.Email)
	}
	m.By, m.To = cmp.Or(headers.From.Email, m.By), cmp.Or(strings.Join(to, ", "), m.To)
}

// attendees returns the names of the contacts on a deal's engagements of a kind, by the engagement's id.
func (p *Portal) attendees(ctx context.Context, object string, id int64) (map[int64][]string, error) {
	var rows []struct {
		ID   int64
		Name string
	}
	if err := p.db.SelectContext(ctx, &rows, `SELECT DISTINCT a.from_id AS id,
			coalesce(nullif(trim(coalesce(c.firstname, '') || ' ' || coalesce(c.lastname, '')), ''), c.email, '') AS name
		FROM association a JOIN contacts c ON c.hs_object_id = a.to_id WHERE a.from_object = ?1 AND a.to_object = 'contacts'
			AND a.from_id IN (SELECT to_id FROM association WHERE from_object = 'deals' AND from_id = ?2 AND to_object = ?1)
		ORDER BY a.to_id`, object, id); err != nil {
		return nil, err
	}
	names := map[int64][]string{}
	for _, row := range rows {
		names[row.ID] = append(names[row.ID], row.Name)
	}
	return names, nil
}
