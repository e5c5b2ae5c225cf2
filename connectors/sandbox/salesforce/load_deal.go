package salesforce

import (
	"hash/crc32"
	"html"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"handoff/crm"
)

// dealLoader adds one deal.
type dealLoader struct {
	*loader
	*crm.Snapshot
	hash      uint32 // of the case's id: for choices that are the same each time
	created   time.Time
	closed    time.Time // when the deal got its stage
	asOf      time.Time
	id        string
	accountID any
	values    map[string]any // of the opportunity
	owner     string
	contacts  map[string]string // id by address
}

func (l *loader) addDeal(s *crm.Snapshot) error {
	d := &dealLoader{loader: l, Snapshot: s, hash: crc32.ChecksumIEEE([]byte(s.ID)), contacts: map[string]string{}}
	d.setDates()
	for _, add := range []func() error{d.addOpportunity, d.addHistory, d.addContacts, d.addNotes, d.addActivities, d.addKickoff} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// setDates finds out when the deal began: some months before its close, and before anything that was recorded on it.
func (d *dealLoader) setDates() {
	d.asOf = d.now
	if d.AsOf != nil {
		d.asOf = d.AsOf.UTC()
	}
	d.created = d.asOf
	if c := d.Deal.CloseDate; c != nil {
		d.created = c.Time().AddDate(0, 0, -30-int(d.hash%90)).Add(9 * time.Hour)
	}
	first := func(at *time.Time) {
		if at != nil {
			d.created = earliest(d.created, at.UTC())
		}
	}
	if d.Deal.CSM != nil {
		first(d.Deal.CSM.AssignedAt)
	}
	for _, n := range d.Notes {
		first(n.At)
	}
	for _, a := range d.Activities {
		first(a.At)
	}
	for _, c := range d.History {
		first(c.At)
	}
	d.closed = d.created
	if c := d.Deal.CloseDate; c != nil && c.Time().After(d.created) {
		d.closed = earliest(c.Time(), d.asOf)
	}
}

func (d *dealLoader) addOpportunity() (err error) {
	deal := &d.Deal
	var ae crm.User
	if deal.Owner != nil {
		ae = *deal.Owner
	}
	if d.owner, err = d.user(ae.Name, ae.Email); err != nil {
		return err
	}
	if d.accountID, err = d.account(deal.Account, d.owner, d.created); err != nil {
		return err
	}
	values := map[string]any{
		"Name": deal.Name, "AccountId": d.accountID, "OwnerId": d.owner, "StageName": d.stageName(deal),
		"LastStageChangeDate": d.closed, "CloseDate": d.created, "CurrencyIsoCode": orNil(deal.Currency),
		"Case_Id__c": d.ID,
	}
	modified := latest(d.created, d.closed)
	if deal.CloseDate != nil {
		values["CloseDate"] = deal.CloseDate.Time()
	}
	if deal.Amount != nil {
		values["Amount"] = *deal.Amount
	}
	if deal.ARR != nil {
		values["ARR__c"] = *deal.ARR
	}
	if deal.TermMonths != nil {
		values["Term_Months__c"] = *deal.TermMonths
	}
	if d.AsOf != nil {
		values["Case_As_Of__c"] = d.AsOf.UTC()
	}
	if c := deal.CSM; c != nil {
		if c.Name != "" || c.Email != "" {
			if values["CSM__c"], err = d.user(c.Name, c.Email); err != nil {
				return err
			}
		}
		if c.AssignedAt != nil {
			values["CSM_Assigned_At__c"] = c.AssignedAt.UTC()
			modified = latest(modified, earliest(c.AssignedAt.UTC(), d.asOf))
		}
	}
	for name, text := range deal.Fields {
		if text != "" {
			values[textHome(name, text)] = text
		}
	}
	d.values = values
	d.id, err = d.insert("Opportunity", values, system{CreatedDate: d.created, CreatedByID: d.owner,
		LastModifiedDate: modified, LastModifiedByID: d.owner, SystemModstamp: earliest(modified, d.now)})
	return err
}

// addHistory adds the way to the deal's stage, and the changes that the case itself tells of.
func (d *dealLoader) addHistory() error {
	type step struct {
		stage string
		at    time.Time
		by    string
	}
	var steps []step
	for _, c := range d.History {
		at := d.moment(c.At)
		switch c.Field {
		case "stage":
			if len(steps) == 0 && c.From != "" {
				steps = append(steps, step{c.From, d.created, c.By})
			}
			steps = append(steps, step{c.To, at, c.By})
		case "owner":
			by, err := d.user(c.By, "")
			if err != nil {
				return err
			}
			_, err = d.insert("OpportunityFieldHistory", map[string]any{"OpportunityId": d.id, "Field": "Owner", "DataType": "Text",
				"OldValue": orNil(c.From), "NewValue": orNil(c.To)}, system{CreatedDate: at, CreatedByID: by})
			if err != nil {
				return err
			}
		}
	}
	stage := d.stageName(&d.Deal)
	if len(steps) == 0 {
		for i, earlier := range earlierStages {
			if earlier != stage && d.closed.After(d.created) {
				steps = append(steps, step{earlier, d.created.Add(d.closed.Sub(d.created) * time.Duration(i) / time.Duration(len(earlierStages))).Truncate(time.Second), ""})
			}
		}
	}
	if len(steps) == 0 || steps[len(steps)-1].stage != stage {
		steps = append(steps, step{stage, d.closed, ""})
	}
	for _, s := range steps {
		by := d.owner
		if s.by != "" {
			var err error
			if by, err = d.user(s.by, ""); err != nil {
				return err
			}
		}
		_, err := d.insert("OpportunityHistory", map[string]any{"OpportunityId": d.id, "StageName": s.stage, "Amount": d.values["Amount"],
			"CloseDate": d.values["CloseDate"], "CurrencyIsoCode": d.values["CurrencyIsoCode"],
		}, system{CreatedDate: s.at, CreatedByID: by, SystemModstamp: earliest(s.at, d.now)})
		if err != nil {
			return err
		}
	}
	return nil
}

// addContacts adds the deal's people, each with its roles. Their created dates keep the order of the case.
func (d *dealLoader) addContacts() error {
	roles := 0
	for i, c := range d.Contacts {
		first, last := splitName(c.Name)
		values := map[string]any{"AccountId": d.accountID, "FirstName": first, "LastName": last, "Title": orNil(c.Title),
			"Email": orNil(c.Email), "Phone": orNil(c.Phone), "OwnerId": d.owner}
		if c.EmailBounced {
			values["EmailBouncedDate"], values["EmailBouncedReason"] = d.closed, "550 5.1.1 The email account does not exist"
		}
		id, err := d.insert("Contact", values, d.made(d.created.Add(time.Duration(i)*time.Second), d.owner))
		if err != nil {
			return err
		}
		if c.Email != "" && d.contacts[c.Email] == "" {
			d.contacts[c.Email] = id
		}
		named := c.Roles
		if len(named) == 0 {
			named = []string{""}
		}
		for _, role := range named {
			_, err := d.insert("OpportunityContactRole", map[string]any{"OpportunityId": d.id, "ContactId": id, "Role": orNil(role), "IsPrimary": roles == 0},
				d.made(d.created.Add(time.Duration(roles)*time.Second), d.owner))
			if err != nil {
				return err
			}
			roles++
		}
	}
	return nil
}

// person returns the contact with that address: of the deal, else one that is on no deal.
func (d *dealLoader) person(address string) (string, error) {
	if id, ok := d.contacts[address]; ok {
		return id, nil
	}
	if id, ok := d.guests[address]; ok {
		return id, nil
	}
	id, err := d.insert("Contact", map[string]any{"AccountId": d.accountID, "LastName": address, "Email": address, "OwnerId": d.owner}, d.made(d.created, d.owner))
	d.guests[address] = id
	return id, err
}

// htmlTag finds out whether a note was written in a rich text editor.
var htmlTag = regexp.MustCompile(`(?i)</?(p|div|br|ul|ol|li|h[1-6]|table|b|strong|i|em|span)\b[^>]*>`)

// legacyBody is how many characters the body of a legacy note holds.
const legacyBody = 32_000

// addNotes keeps the notes in turn as rich ContentNotes and as plain legacy Notes; what only one of them can hold goes there.
func (d *dealLoader) addNotes() error {
	for i, n := range d.Notes {
		author, err := d.user(n.Author, "")
		if err != nil {
			return err
		}
		sys := d.made(d.moment(n.At), author)
		rich := htmlTag.MatchString(n.Body)
		if !rich && (int(d.hash)+i)%2 == 0 && utf8.RuneCountInString(n.Body) <= legacyBody && utf8.RuneCountInString(n.Title) <= 80 {
			_, err := d.insert("Note", map[string]any{"ParentId": d.id, "Title": orNil(n.Title), "Body": orNil(n.Body), "OwnerId": author}, sys)
			if err != nil {
				return err
			}
			continue
		}
		body := n.Body
		if !rich {
			body = "<p>" + strings.ReplaceAll(html.EscapeString(body), "\n", "<br>") + "</p>"
		}
		id, err := d.insert("ContentNote", map[string]any{"Title": orNil(n.Title), "Content": []byte(body), "OwnerId": author}, sys)
		if err != nil {
			return err
		}
		link := map[string]any{"LinkedEntityId": d.id, "ContentDocumentId": id, "ShareType": "V", "Visibility": "AllUsers"}
		if _, err := d.insert("ContentDocumentLink", link, sys); err != nil {
			return err
		}
	}
	return nil
}

func (d *dealLoader) addActivities() error {
	for _, a := range d.Activities {
		var err error
		switch a.Kind {
		case crm.Email:
			err = d.addEmail(a)
		case crm.Meeting:
			err = d.addMeeting(a)
		case crm.Call, crm.Task:
			err = d.addTask(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *dealLoader) addEmail(a crm.Activity) error {
	at := d.moment(a.At)
	_, incoming := d.contacts[a.From]
	status := "3" // sent
	if incoming {
		status = "1" // read
	}
	_, err := d.insert("EmailMessage", map[string]any{
		"RelatedToId": d.id, "FromAddress": orNil(a.From), "ToAddress": orNil(strings.Join(a.To, "; ")), "Subject": orNil(a.Subject),
		"TextBody": orNil(a.Body), "MessageDate": at, "Incoming": incoming, "Status": status,
	}, d.made(earliest(at, d.asOf), d.owner))
	return err
}

func (d *dealLoader) addTask(a crm.Activity) error {
	host, people, err := d.participants(a)
	if err != nil {
		return err
	}
	at := d.moment(a.At)
	values := map[string]any{"WhatId": d.id, "Subject": orNil(a.Subject), "Description": orNil(a.Body), "OwnerId": host,
		"ActivityDate": day(at), "TaskSubtype": "Task", "Status": "Not Started", "Priority": "Normal"}
	if a.Kind == crm.Call {
		values["TaskSubtype"], values["Status"], values["CallType"], values["CompletedDateTime"] = "Call", "Completed", "Outbound", at
	}
	if len(people) > 0 {
		values["WhoId"] = people[0]
	}
	_, err = d.insert("Task", values, d.made(at, host))
	return err
}

func (d *dealLoader) addMeeting(a crm.Activity) error {
	host, people, err := d.participants(a)
	if err != nil {
		return err
	}
	values := map[string]any{"Subject": orNil(a.Subject), "Description": orNil(a.Body)}
	if len(people) > 0 {
		values["WhoId"] = people[0]
	}
	at := d.moment(a.At)
	event, err := d.insertEvent(values, at, host)
	if err != nil {
		return err
	}
	for i, person := range people {
		_, err := d.insert("EventRelation", map[string]any{"EventId": event, "RelationId": person, "IsParent": i == 0, "IsInvitee": i > 0, "IsWhat": false},
			d.made(earliest(at, d.asOf), host))
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *dealLoader) addKickoff() error {
	if d.Deal.KickoffAt == nil {
		return nil
	}
	_, err := d.insertEvent(map[string]any{"Subject": "Kickoff", "Type": "Kickoff"}, d.Deal.KickoffAt.UTC(), d.owner)
	return err
}

// insertEvent adds an event of an hour on the deal. One that is still to come was made when the deal closed.
func (d *dealLoader) insertEvent(values map[string]any, at time.Time, host string) (string, error) {
	values["WhatId"], values["OwnerId"] = d.id, host
	values["StartDateTime"], values["EndDateTime"] = at, at.Add(time.Hour)
	values["ActivityDateTime"], values["ActivityDate"], values["DurationInMinutes"] = at, day(at), 60
	made := at
	if at.After(d.asOf) {
		made = d.closed
	}
	return d.insert("Event", values, d.made(made, host))
}

// participants returns the user who sent or held an activity, and the contacts whom it was with.
func (d *dealLoader) participants(a crm.Activity) (host string, people []string, err error) {
	if host, err = d.user("", a.From); err != nil {
		return "", nil, err
	}
	for _, address := range a.To {
		id, err := d.person(address)
		if err != nil {
			return "", nil, err
		}
		people = append(people, id)
	}
	return host, people, nil
}

// moment returns at, or when the deal began where a record has no date.
func (d *dealLoader) moment(at *time.Time) time.Time {
	if at == nil {
		return d.created
	}
	return at.UTC().Truncate(time.Second)
}

func day(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

func latest(t time.Time, others ...time.Time) time.Time {
	for _, u := range others {
		if u.After(t) {
			t = u
		}
	}
	return t
}
