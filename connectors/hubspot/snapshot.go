package hubspot

import (
	"cmp"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// kickoffType is the type of the meeting that starts the onboarding.
const kickoffType = "Kickoff"

// record puts a deal together.
func (r *reader) record(d object, a *around) connectors.Record {
	id := string(d.ID)
	company := primary(a, id)
	snapshot := crm.Snapshot{ID: id, Deal: r.deal(d, company), History: r.history(d), Unread: r.unread()}
	if a.kept[contacts][id] {
		snapshot.Contacts = a.held[id].Contacts
	} else {
		snapshot.Contacts = roster(a, id)
	}
	if a.kept[notes][id] {
		snapshot.Notes = a.held[id].Notes
	} else {
		snapshot.Notes = r.notes(a, id)
	}
	snapshot.Activities, snapshot.Deal.KickoffAt = r.activities(a, id)
	if r.cfg.CaseAsOf {
		snapshot.AsOf = d.moment(caseAsOf)
	}
	rec := connectors.Record{Snapshot: snapshot, AccountID: string(company.ID), Values: values(r.schema.own[crm.DealObject], d), Edits: r.edits(d),
		Merged: several(d.text(mergedIDs))}
	if at := d.Updated.moment(); at != nil {
		rec.ChangedAt = *at
	}
	if n := len(rec.Edits); n > 0 { // HubSpot keeps the history of every property
		rec.ModifiedBy, rec.ModifiedAt = rec.Edits[n-1].By, rec.Edits[n-1].At
	}
	return rec
}

// values are those of our own fields on a record.
func values(own []ownField, o object) crm.Values {
	v := crm.Values{}
	for _, f := range own {
		v[f.Name] = fromCRM(f.Type, o.Properties[f.property])
	}
	return v
}

// primary returns the company of a deal: the one marked so, else the first; without an id where there is none.
func primary(a *around, deal string) object {
	links := slices.SortedFunc(slices.Values(a.links[companies][deal]), func(x, y link) int { return compareIDs(x.id, y.id) })
	if i := slices.IndexFunc(links, func(l link) bool { return slices.Contains(l.labels, "Primary") }); i > 0 {
		links[0] = links[i]
	}
	if len(links) == 0 {
		return object{}
	}
	return a.records[companies][links[0].id]
}

func (r *reader) deal(d, company object) crm.Deal {
	stage := d.text("dealstage")
	deal := crm.Deal{
		ID: string(d.ID), Name: d.text("dealname"), Account: company.text("name"), Stage: r.stage(stage), Won: d.text(isWon) == "true",
		Amount: d.number(amount), Currency: d.text("deal_currency_code"),
	}
	if at := d.moment(closeDate); at != nil {
		day := crm.NewDate(at.Date())
		deal.CloseDate = &day
	}
	if id := d.text(ownerID); id != "" {
		o := r.owner(id)
		deal.Owner = &crm.User{ID: id, Name: o.name(), Email: o.Email}
	}
	from := map[string]object{deals: d, companies: company}
	for name, places := range r.schema.facts {
		i := slices.IndexFunc(places, func(f fact) bool { return from[f.object].text(f.Name) != "" })
		if i < 0 {
			continue
		}
		f, record := places[i], from[places[i].object]
		switch name {
		case "arr":
			deal.ARR = record.number(f.Name)
		case "term_months":
			if months := record.number(f.Name); months != nil {
				n := int(math.Round(*months))
				deal.TermMonths = &n
			}
		case "csm":
			deal.CSM = r.csm(f, record.text(f.Name), from)
		case "csm_assigned_at": // belongs to the CSM
		default:
			if deal.Fields == nil {
				deal.Fields = map[string]string{}
			}
			deal.Fields[name] = r.factText(f, record.text(f.Name))
		}
	}
	return deal
}

// factText is a fact in words: the name of an owner, the labels of options, else the value as it is.
func (r *reader) factText(f fact, value string) string {
	if o, ok := r.people.byID[value]; ok && f.Extern {
		return o.name()
	}
	return f.words(value)
}

// csm reads who is assigned. The property may hold an owner or a name.
func (r *reader) csm(f fact, value string, from map[string]object) *crm.CSM {
	who := &crm.CSM{Name: r.factText(f, value)}
	if f.Extern {
		who.ID, who.Email = value, r.people.byID[value].Email
	}
	for _, f := range r.schema.facts["csm_assigned_at"] {
		if who.AssignedAt == nil {
			who.AssignedAt = from[f.object].moment(f.Name)
		}
	}
	return who
}

// roster are the contacts of a deal in the order in which they were created, with the labels of their association as roles.
func roster(a *around, deal string) []crm.Contact {
	roles := map[string][]string{}
	for _, l := range a.links[contacts][deal] {
		roles[l.id] = l.labels
	}
	rows := a.of(contacts, deal)
	slices.SortStableFunc(rows, func(x, y object) int { return connectors.CompareTimes(x.Created.moment(), y.Created.moment()) })
	var all []crm.Contact
	for _, o := range rows {
		c := crm.Contact{
			ID: string(o.ID), Name: strings.TrimSpace(o.text("firstname") + " " + o.text("lastname")), Title: o.text("jobtitle"), Email: o.text("email"),
			Phone: cmp.Or(o.text("phone"), o.text("mobilephone")), Roles: roles[string(o.ID)], EmailBounced: bounced(o),
		}
		if len(c.Roles) == 0 {
			for _, role := range several(o.text("hs_buying_role")) { // such as DECISION_MAKER
				words := strings.ToLower(strings.ReplaceAll(role, "_", " "))
				c.Roles = append(c.Roles, strings.ToUpper(words[:1])+words[1:])
			}
		}
		all = append(all, c)
	}
	return all
}

// bounced reports whether mail to a contact came back, by what HubSpot counted or by why it sends no more.
func bounced(contact object) bool {
	n := contact.number("hs_email_bounce")
	return n != nil && *n > 0 || contact.text("hs_email_hard_bounce_reason_enum") != ""
}

func (r *reader) notes(a *around, deal string) []crm.Note {
	var all []crm.Note
	for _, o := range a.of(notes, deal) {
		title, body := cutTitle(o.text("hs_note_body"))
		all = append(all, crm.Note{ID: string(o.ID), At: o.moment("hs_timestamp"), Author: r.owner(o.text(ownerID)).name(), Title: title, Body: body})
	}
	slices.SortStableFunc(all, func(a, b crm.Note) int { return connectors.CompareTimes(a.At, b.At) })
	return all
}

var (
	// firstLine is the first block of a text, or what comes before its first line break, and what ends it but begins no other.
	firstLine = regexp.MustCompile(`(?is)^\s*(?:<(?:div|p|h[1-6])\b[^>]*>\s*)*(.*?)(?:((?:</(?:div|p|h[1-6])\s*>\s*)+|<br\b[^>]*>|\n|$)|<(?:div|p|h[1-6]|ul|ol|table)\b)`)
	bold      = regexp.MustCompile(`(?is)^(?:<span\b[^>]*>)*<(?:strong|b)\b[^>]*>(.*)</(?:strong|b)\s*>(?:</span\s*>|:|\s)*$`)
	boldEnd   = regexp.MustCompile(`(?i)</(?:strong|b)\s*>`)
	tag       = regexp.MustCompile(`<[^>]*>`)
)

// maxTitle is how many characters a title has: a longer line is a text that somebody found important.
const maxTitle = 255

// cutTitle takes from a note its first line where all of that is bold and something follows: HubSpot's notes have no title
// of their own, and people begin them with one. "": there is none.
func cutTitle(note string) (title, body string) {
	at := firstLine.FindStringSubmatchIndex(note)
	if at == nil {
		return "", note
	}
	m := bold.FindStringSubmatch(strings.TrimSpace(note[at[2]:at[3]]))
	if m == nil || boldEnd.MatchString(m[1]) {
		return "", note
	}
	title, body = plain(m[1]), note[max(at[3], at[5]):]
	if utf8.RuneCountInString(title) > maxTitle || plain(body) == "" {
		return "", note
	}
	return title, body
}

// plain is an HTML text without its tags.
func plain(s string) string {
	return strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(s, "")))
}

// activities also returns when the kickoff is: the first meeting of that type. Such a meeting is an activity only where
// somebody described it.
func (r *reader) activities(a *around, deal string) ([]crm.Activity, *time.Time) {
	read := map[string][]crm.Activity{}
	var kickoff *time.Time
	for _, o := range a.of(emails, deal) {
		from, to := addresses(o.text("hs_email_headers"))
		read[emails] = append(read[emails], crm.Activity{ID: string(o.ID), Kind: crm.Email, At: o.moment("hs_timestamp"), Subject: o.text("hs_email_subject"),
			Body: cmp.Or(o.text("hs_email_text"), o.text("hs_email_html")), From: from, To: to})
	}
	for _, o := range a.of(tasks, deal) { // hs_timestamp is when a task is due
		read[tasks] = append(read[tasks], crm.Activity{ID: string(o.ID), Kind: crm.Task, At: o.Created.moment(), Subject: o.text("hs_task_subject"), Body: o.text("hs_task_body"),
			From: r.address(o), To: r.with(o, a)})
	}
	for _, o := range a.of(calls, deal) {
		read[calls] = append(read[calls], crm.Activity{ID: string(o.ID), Kind: crm.Call, At: o.moment("hs_timestamp"), Subject: o.text("hs_call_title"), Body: o.text("hs_call_body"),
			From: r.address(o), To: r.with(o, a)})
	}
	for _, o := range a.of(meetings, deal) {
		at := cmp.Or(o.moment("hs_meeting_start_time"), o.moment("hs_timestamp"))
		body := strings.TrimSpace(o.text("hs_meeting_body") + "\n" + o.text("hs_internal_meeting_notes"))
		if strings.EqualFold(o.text("hs_activity_type"), kickoffType) {
			if kickoff == nil || at != nil && at.Before(*kickoff) {
				kickoff = at
			}
			if body == "" {
				continue
			}
		}
		read[meetings] = append(read[meetings], crm.Activity{ID: string(o.ID), Kind: crm.Meeting, At: at, Subject: o.text("hs_meeting_title"), Body: body, From: r.address(o), To: r.with(o, a)})
	}
	if a.kept[meetings][deal] {
		kickoff = a.held[deal].Deal.KickoffAt
	}
	var all []crm.Activity
	for _, kind := range []string{emails, tasks, calls, meetings} {
		if a.kept[kind][deal] {
			read[kind] = heldActivities(a.held[deal], kind)
		}
		all = append(all, read[kind]...)
	}
	slices.SortStableFunc(all, func(a, b crm.Activity) int { return connectors.CompareTimes(a.At, b.At) })
	return all, kickoff
}

// address is that of a record's owner.
func (r *reader) address(o object) string { return r.owner(o.text(ownerID)).Email }

// with are the addresses of those whom a meeting, call or task was with: our own people, then contacts.
func (r *reader) with(o object, a *around) []string {
	var all []string
	for _, id := range several(o.text("hs_attendee_owner_ids")) {
		all = append(all, r.owner(id).Email)
	}
	links := slices.SortedFunc(slices.Values(a.people[string(o.ID)]), func(x, y link) int { return compareIDs(x.id, y.id) })
	for _, l := range links {
		all = append(all, a.records[contacts][l.id].text("email"))
	}
	return slices.DeleteFunc(all, func(address string) bool { return address == "" })
}

// addresses reads who sent an e-mail to whom from its headers, which are JSON.
// https://developers.hubspot.com/docs/api-reference/crm-emails-v3/guide#set-email-headers
func addresses(headers string) (from string, to []string) {
	type mailbox struct {
		Email string `json:"email"`
	}
	var h struct {
		From mailbox   `json:"from"`
		To   []mailbox `json:"to"`
	}
	if json.Unmarshal([]byte(headers), &h, lenient) != nil { // an e-mail that was logged without
		return "", nil
	}
	for _, m := range h.To {
		if m.Email != "" {
			to = append(to, m.Email)
		}
	}
	return h.From.Email, to
}

// history tells the changes of stage and of owner.
func (r *reader) history(d object) []crm.Change {
	var all []crm.Change
	add := func(field, property string, say func(text) string) {
		versions := oldestFirst(d, property)
		for i, v := range versions {
			if i > 0 && v.Value != versions[i-1].Value {
				all = append(all, crm.Change{Field: field, At: v.At.moment(), By: r.byUser(v), From: say(versions[i-1].Value), To: say(v.Value)})
			}
		}
	}
	add("stage", "dealstage", func(id text) string { return r.stage(string(id)) })
	add("owner", ownerID, func(id text) string { return r.owner(string(id)).name() })
	slices.SortStableFunc(all, func(a, b crm.Change) int { return connectors.CompareTimes(a.At, b.At) })
	return all
}

func oldestFirst(d object, property string) []version {
	versions := slices.Clone(d.History[property])
	slices.Reverse(versions)
	return versions
}

// edits are the changes of our fields by people. What integrations change, we among them, carries no name.
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide#retrieve-property-values
func (r *reader) edits(d object) []connectors.FieldEdit {
	var all []connectors.FieldEdit
	for _, f := range r.schema.own[crm.DealObject] {
		for _, v := range oldestFirst(d, f.property) {
			at := v.At.moment()
			if v.User == "" || v.Source == "INTEGRATION" || v.Source == "API" || at == nil {
				continue
			}
			all = append(all, connectors.FieldEdit{Field: f.Name, Value: fromCRM(f.Type, v.Value), By: r.byUser(v), At: *at})
		}
	}
	slices.SortStableFunc(all, func(a, b connectors.FieldEdit) int { return a.At.Compare(b.At) })
	return all
}

// byUser names who made a version; "": nobody in person.
func (r *reader) byUser(v version) string {
	if v.User == "" {
		return ""
	}
	return cmp.Or(r.user(string(v.User)).name(), "user "+string(v.User))
}
