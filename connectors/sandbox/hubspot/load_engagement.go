package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"

	"handoff/crm"
)

// htmlTag finds out whether a text was written in a rich text editor.
var htmlTag = regexp.MustCompile(`(?i)</?(p|div|br|ul|ol|li|h[1-6]|table|b|strong|i|em|span)\b[^>]*>`)

// rich returns a text as HubSpot's editor keeps it.
func rich(text string) string {
	if text == "" || htmlTag.MatchString(text) {
		return text
	}
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

// engage adds a note, call, meeting, e-mail or task to the deal and its company. Without an hs_timestamp it happened when it
// was recorded.
func (d *dealLoader) engage(ctx context.Context, object string, by person, made time.Time, values map[string]string) (id string, err error) {
	if values["hs_timestamp"] == "" {
		values["hs_timestamp"] = moment(made)
	}
	values[ownerProperty] = by.owner
	if id, err = d.add(ctx, newRecord{Object: object, Properties: values, Created: made, CreatedBy: by.user}); err != nil {
		return "", err
	}
	if d.company != "" {
		if err := d.associate(ctx, ref{object, id}, ref{"companies", d.company}); err != nil {
			return "", err
		}
	}
	return id, d.associate(ctx, ref{"deals", d.id}, ref{object, id})
}

// addNotes adds the notes. HubSpot's have no title: people begin with a bold line.
func (d *dealLoader) addNotes(ctx context.Context) error {
	for _, n := range d.Notes {
		body := rich(n.Body)
		if n.Title != "" {
			body = "<p><strong>" + html.EscapeString(n.Title) + "</strong></p>" + body
		}
		if _, err := d.engage(ctx, "notes", d.person(n.Author, ""), d.moment(n.At), map[string]string{"hs_note_body": body}); err != nil {
			return err
		}
	}
	return nil
}

// addActivities adds what the deal's people did, and the kickoff.
func (d *dealLoader) addActivities(ctx context.Context) error {
	for _, a := range d.Activities {
		add := map[crm.Kind]func(context.Context, crm.Activity) error{
			crm.Email: d.addEmail, crm.Meeting: d.addMeeting, crm.Call: d.addCall, crm.Task: d.addTask,
		}[a.Kind]
		if add == nil {
			return fmt.Errorf("an activity is of no known kind: %q", a.Kind)
		}
		if err := add(ctx, a); err != nil {
			return err
		}
	}
	if at := d.Deal.KickoffAt; at != nil {
		return d.meet(ctx, crm.Activity{Subject: "Kickoff", At: at}, d.owner, "Kickoff")
	}
	return nil
}

// address is somebody in the headers of an e-mail.
type address struct {
	Email string `json:"email"`
}

func (d *dealLoader) addEmail(ctx context.Context, a crm.Activity) error {
	headers := struct {
		From address   `json:"from"`
		To   []address `json:"to"`
		CC   []address `json:"cc"`
		BCC  []address `json:"bcc"`
	}{From: address{a.From}, To: []address{}, CC: []address{}, BCC: []address{}}
	for _, to := range a.To {
		headers.To = append(headers.To, address{to})
	}
	text, err := json.Marshal(headers)
	if err != nil {
		return err
	}
	values := map[string]string{"hs_email_subject": a.Subject, "hs_email_html": rich(a.Body), "hs_email_headers": string(text),
		"hs_email_direction": "EMAIL", "hs_email_status": "SENT"}
	if !htmlTag.MatchString(a.Body) {
		values["hs_email_text"] = a.Body
	}
	by := d.owner
	if d.contacts[a.From] != "" {
		values["hs_email_direction"], by = "INCOMING_EMAIL", person{}
	}
	id, err := d.engage(ctx, "emails", by, d.moment(a.At), values)
	if err != nil {
		return err
	}
	for _, address := range append([]string{a.From}, a.To...) {
		if contact := d.contacts[address]; contact != "" {
			if err := d.associate(ctx, ref{"emails", id}, ref{"contacts", contact}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *dealLoader) addMeeting(ctx context.Context, a crm.Activity) error {
	return d.meet(ctx, a, d.person("", a.From), "")
}

// meet adds a meeting of an hour. One that is still to come was made when the deal closed.
func (d *dealLoader) meet(ctx context.Context, a crm.Activity, host person, kind string) error {
	at := d.moment(a.At)
	made, outcome := at, "COMPLETED"
	if at.After(d.asOf) {
		made, outcome = d.closed, "SCHEDULED"
	}
	id, err := d.engage(ctx, "meetings", host, made, map[string]string{
		"hs_timestamp": moment(at), "hs_meeting_start_time": moment(at), "hs_meeting_end_time": moment(at.Add(time.Hour)),
		"hs_meeting_title": a.Subject, "hs_meeting_body": rich(a.Body), "hs_meeting_outcome": outcome, "hs_activity_type": kind,
	})
	if err != nil {
		return err
	}
	return d.attend(ctx, "meetings", id, a.To)
}

func (d *dealLoader) addCall(ctx context.Context, a crm.Activity) error {
	id, err := d.engage(ctx, "calls", d.person("", a.From), d.moment(a.At), map[string]string{
		"hs_call_title": a.Subject, "hs_call_body": rich(a.Body), "hs_call_direction": "OUTBOUND", "hs_call_status": "COMPLETED", "hs_call_duration": "1260000",
	})
	if err != nil {
		return err
	}
	return d.attend(ctx, "calls", id, a.To)
}

// addTask adds a task that is due a day after it was made.
func (d *dealLoader) addTask(ctx context.Context, a crm.Activity) error {
	made := d.moment(a.At)
	id, err := d.engage(ctx, "tasks", d.person("", a.From), made, map[string]string{
		"hs_timestamp": moment(made.Add(24 * time.Hour)), "hs_task_subject": a.Subject, "hs_task_body": rich(a.Body),
		"hs_task_status": "NOT_STARTED", "hs_task_priority": "NONE", "hs_task_type": "TODO",
	})
	if err != nil {
		return err
	}
	return d.attend(ctx, "tasks", id, a.To)
}

// attend puts the people with these addresses, in turn, on an activity.
func (d *dealLoader) attend(ctx context.Context, object, id string, addresses []string) error {
	for _, address := range addresses {
		contact, err := d.contact(ctx, address)
		if err != nil {
			return err
		}
		if err := d.associate(ctx, ref{object, id}, ref{"contacts", contact}); err != nil {
			return err
		}
	}
	return nil
}
