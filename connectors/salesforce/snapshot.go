package salesforce

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// kickoffType is the Type of the event that starts the onboarding.
const kickoffType = "Kickoff"

// record puts a deal together.
func (r *reader) record(d row, a *around) connectors.Record {
	id := d.text("Id")
	missing := gaps{}
	for part := range a.gaps {
		missing[part] = true
	}
	snapshot := crm.Snapshot{ID: id, Deal: r.deal(d), Contacts: contacts(a.roles[id]), History: history(a, id)}
	snapshot.Notes = notes(a, id, missing)
	snapshot.Activities, snapshot.Deal.KickoffAt = activities(a, id)
	if r.cfg.CaseAsOf {
		snapshot.AsOf = d.moment(caseAsOf)
	}
	snapshot.Unread = missing.parts()

	rec := connectors.Record{Snapshot: snapshot, AccountID: d.text("AccountId"), Values: crm.Values{}, Edits: r.edits(a.changes[id])}
	for _, f := range r.specs[crm.DealObject] {
		if api, ok := r.schema.own[crm.DealObject][f.Name]; ok {
			rec.Values[f.Name] = fromCRM(f.Type, d.at(api))
		}
	}
	if at := d.moment("LastModifiedDate"); at != nil {
		rec.ChangedAt = *at
		if by := d.text("LastModifiedById"); by != r.me {
			rec.ModifiedBy, rec.ModifiedAt = d.text("LastModifiedBy", "Name"), *at
		}
	}
	return rec
}

func (r *reader) deal(d row) crm.Deal {
	deal := crm.Deal{
		ID: d.text("Id"), Name: d.text("Name"), Account: d.text("Account", "Name"), Stage: d.text("StageName"), Won: d.flag("IsWon"),
		Amount: d.number("Amount"), Currency: d.text("CurrencyIsoCode"),
	}
	if day, err := crm.ParseDate(d.text("CloseDate")); err == nil {
		deal.CloseDate = &day
	}
	if d.text("OwnerId") != "" {
		deal.Owner = &crm.User{ID: d.text("OwnerId"), Name: d.text("Owner", "Name"), Email: d.text("Owner", "Email")}
	}
	for name, places := range r.schema.facts {
		i := slices.IndexFunc(places, func(f fact) bool { return plain(d.at(f.path...)) != "" })
		if i < 0 {
			continue
		}
		f := places[i]
		switch name {
		case "arr":
			deal.ARR = d.number(f.path...)
		case "term_months":
			if months := d.number(f.path...); months != nil {
				n := int(math.Round(*months))
				deal.TermMonths = &n
			}
		case "csm":
			deal.CSM = csm(d, f, r.schema.facts["csm_assigned_at"])
		case "csm_assigned_at": // belongs to the CSM
		default:
			if deal.Fields == nil {
				deal.Fields = map[string]string{}
			}
			deal.Fields[name] = factText(d, f)
		}
	}
	return deal
}

// factText is a fact in words: the name of a record that a field points at, else the value as it is.
func factText(d row, f fact) string {
	if f.reference != nil {
		return d.text(append(slices.Clone(f.reference), "Name")...)
	}
	return lines(plain(d.at(f.path...)))
}

// csm reads who is assigned. The field may point at a user or hold a name.
func csm(d row, f fact, assigned []fact) *crm.CSM {
	who := &crm.CSM{Name: factText(d, f)}
	if f.reference != nil {
		who.ID = d.text(f.path...)
		who.Email = d.text(append(slices.Clone(f.reference), "Email")...)
	}
	for _, f := range assigned {
		if who.AssignedAt == nil {
			who.AssignedAt = d.moment(f.path...)
		}
	}
	return who
}

// contacts merges the roles of one contact, contacts and roles in the order in which they were created.
func contacts(roles []roleRow) []crm.Contact {
	roles = slices.DeleteFunc(slices.Clone(roles), func(r roleRow) bool { return r.Contact == nil })
	slices.SortStableFunc(roles, func(a, b roleRow) int {
		return cmp.Or(connectors.CompareTimes(a.Contact.CreatedDate.ptr(), b.Contact.CreatedDate.ptr()), cmp.Compare(a.ContactID, b.ContactID),
			connectors.CompareTimes(a.CreatedDate.ptr(), b.CreatedDate.ptr()), cmp.Compare(a.ID, b.ID))
	})
	var merged []crm.Contact
	for _, r := range roles {
		if len(merged) == 0 || merged[len(merged)-1].ID != r.ContactID {
			c := r.Contact
			merged = append(merged, crm.Contact{
				ID: r.ContactID, Name: personName(c.FirstName, c.LastName), Title: c.Title, Email: c.Email, Phone: cmp.Or(c.Phone, c.MobilePhone),
				EmailBounced: c.Bounced.ptr() != nil,
			})
		}
		if last := &merged[len(merged)-1]; r.Role != "" && !slices.Contains(last.Roles, r.Role) {
			last.Roles = append(last.Roles, r.Role)
		}
	}
	return merged
}

// personName joins a name. Salesforce requires a last name: a lone "-" stands for none.
func personName(first, last string) string {
	if last == "-" {
		last = ""
	}
	return strings.TrimSpace(first + " " + last)
}

func notes(a *around, id string, missing gaps) []crm.Note {
	var all []crm.Note
	for _, n := range a.legacy[id] {
		all = append(all, crm.Note{ID: n.ID, At: n.CreatedDate.ptr(), Author: n.CreatedBy.name(), Title: n.Title, Body: lines(n.Body)})
	}
	for _, l := range a.links[id] {
		n, ok := a.notes[l.DocumentID]
		text, read := a.bodies[l.DocumentID]
		if !ok || !read { // refused, left to a later run, or deleted between two calls
			missing[crm.PartNotes] = true
			continue
		}
		all = append(all, crm.Note{ID: n.ID, At: n.CreatedDate.ptr(), Author: n.CreatedBy.name(), Title: n.Title, Body: lines(text.text), Version: text.version})
	}
	slices.SortStableFunc(all, func(a, b crm.Note) int { return cmp.Or(connectors.CompareTimes(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	return all
}

// activities also returns when the kickoff is: the first event of that type. Such an event is an activity only where
// somebody described it.
func activities(a *around, id string) ([]crm.Activity, *time.Time) {
	var all []crm.Activity
	var kickoff *time.Time
	mirrored := map[string]bool{} // tasks that Salesforce made of e-mails
	for _, m := range a.emails[id] {
		mirrored[m.ActivityID] = true
		all = append(all, crm.Activity{
			ID: m.ID, Kind: crm.Email, At: m.MessageDate.ptr(), Subject: m.Subject, Body: lines(cmp.Or(m.TextBody, m.HTMLBody)), From: m.From, To: addresses(m.To),
		})
	}
	for _, t := range a.tasks[id] {
		if mirrored[t.ID] {
			continue
		}
		kind := crm.Task
		switch t.TaskSubtype {
		case "Call":
			kind = crm.Call
		case "Email":
			kind = crm.Email
		}
		all = append(all, crm.Activity{ID: t.ID, Kind: kind, At: t.CreatedDate.ptr(), Subject: t.Subject, Body: lines(t.Description), From: t.Owner.email()})
	}
	for _, e := range a.events[id] {
		at := e.StartDateTime.ptr()
		if strings.EqualFold(e.Type, kickoffType) {
			if kickoff == nil || at != nil && at.Before(*kickoff) {
				kickoff = at
			}
			if e.Description == "" {
				continue
			}
		}
		meeting := crm.Activity{ID: e.ID, Kind: crm.Meeting, At: at, Subject: e.Subject, Body: lines(e.Description), From: e.Owner.email()}
		for _, i := range a.invitees[e.ID] {
			if address := i.Relation.email(); address != "" {
				meeting.To = append(meeting.To, address)
			}
		}
		all = append(all, meeting)
	}
	slices.SortStableFunc(all, func(a, b crm.Activity) int {
		return cmp.Or(connectors.CompareTimes(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	return all, kickoff
}

// addresses splits "a@x.example; b@x.example".
func addresses(list string) []string {
	var all []string
	for a := range strings.SplitSeq(list, ";") {
		if a = strings.TrimSpace(a); a != "" {
			all = append(all, a)
		}
	}
	return all
}

// history tells the changes of stage, which are always kept, and of owner, which are kept where the org tracks them.
func history(a *around, id string) []crm.Change {
	var all []crm.Change
	before := ""
	for i, s := range a.stages[id] {
		if i > 0 && s.StageName != before {
			all = append(all, crm.Change{Field: "stage", At: s.CreatedDate.ptr(), By: s.CreatedBy.name(), From: before, To: s.StageName})
		}
		before = s.StageName
	}
	for _, c := range a.changes[id] {
		from, to := plain(c.OldValue), plain(c.NewValue)
		if c.Field == "Owner" && !isUser(to) && !isUser(from) { // the same change is kept a second time, in ids
			all = append(all, crm.Change{Field: "owner", At: c.CreatedDate.ptr(), By: c.CreatedBy.name(), From: from, To: to})
		}
	}
	slices.SortStableFunc(all, func(a, b crm.Change) int { return connectors.CompareTimes(a.At, b.At) })
	return all
}

func isUser(value string) bool {
	return (len(value) == 15 || len(value) == 18) && strings.HasPrefix(value, "005")
}

// edits are the tracked changes of our fields by others than us.
func (r *reader) edits(changes []fieldChangeRow) []connectors.FieldEdit {
	var all []connectors.FieldEdit
	for _, c := range changes {
		i := slices.IndexFunc(r.specs[crm.DealObject], func(f ownField) bool { return strings.EqualFold(f.API, c.Field) })
		if i < 0 || c.CreatedByID == r.me || c.CreatedDate.ptr() == nil {
			continue
		}
		f := r.specs[crm.DealObject][i]
		all = append(all, connectors.FieldEdit{Field: f.Name, Value: fromCRM(f.Type, c.NewValue), By: c.CreatedBy.name(), At: c.CreatedDate.Time})
	}
	return all
}
