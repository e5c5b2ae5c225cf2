package hubspot

import (
	"context"
	"hash/crc32"
	"strconv"
	"time"

	"handoff/crm"
)

// dealLoader adds one deal.
type dealLoader struct {
	*loader
	*crm.Snapshot
	hash     uint32 // of the case's id: for choices that are the same each time
	created  time.Time
	closed   time.Time // when the deal got its stage
	asOf     time.Time
	owner    person
	id       string
	company  string            // id; "": none
	contacts map[string]string // id by address
}

func (l *loader) addDeal(ctx context.Context, s *crm.Snapshot) error {
	d := &dealLoader{loader: l, Snapshot: s, hash: crc32.ChecksumIEEE([]byte(s.ID)), contacts: map[string]string{}}
	d.setDates()
	for _, add := range []func(context.Context) error{d.addRecord, d.addContacts, d.addNotes, d.addActivities} {
		if err := add(ctx); err != nil {
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
			d.created = earlier(d.created, at.UTC())
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
		d.closed = earlier(c.Time(), d.asOf)
	}
}

// addRecord adds the deal itself and its company.
func (d *dealLoader) addRecord(ctx context.Context) (err error) {
	deal := &d.Deal
	if deal.Owner != nil {
		d.owner = d.person(deal.Owner.Name, deal.Owner.Email)
	}
	values := map[string]string{
		"case_id": d.ID, "dealname": deal.Name, "deal_currency_code": deal.Currency, "dealtype": "newbusiness",
		"amount": decimal(deal.Amount), "hs_arr": decimal(deal.ARR),
	}
	modified := later(d.created, d.closed)
	if c := deal.CloseDate; c != nil {
		values["closedate"] = moment(c.Time().Add(12 * time.Hour)) // people pick a day, and get an hour with it
	}
	if deal.TermMonths != nil {
		values["term_months"] = strconv.Itoa(*deal.TermMonths)
	}
	if d.AsOf != nil {
		values["case_as_of"] = moment(*d.AsOf)
	}
	if c := deal.CSM; c != nil {
		values["csm"] = d.person(c.Name, c.Email).owner
		if c.AssignedAt != nil {
			values["csm_assigned_at"] = moment(*c.AssignedAt)
			modified = later(modified, earlier(c.AssignedAt.UTC(), d.asOf))
		}
	}
	for name, text := range deal.Fields {
		values[textHome(name)] = text
	}
	d.id, err = d.add(ctx, newRecord{Object: "deals", Properties: values, Created: d.created, Modified: modified,
		CreatedBy: d.owner.user, ModifiedBy: d.owner.user, History: map[string][]change{"dealstage": d.stageHistory(), ownerProperty: d.ownerHistory()}})
	if err != nil {
		return err
	}
	if d.company, err = d.companyOf(ctx, deal.Account, d.owner, d.created); err != nil || d.company == "" {
		return err
	}
	return d.associate(ctx, ref{"deals", d.id}, ref{"companies", d.company}, "Primary")
}

// stageHistory returns the way to the deal's stage: as the case tells it, else one that such deals usually go.
func (d *dealLoader) stageHistory() []change {
	var steps []change
	step := func(key stageKey, at time.Time, by string) {
		user := d.owner.user
		if by != "" {
			user = d.person(by, "").user
		}
		steps = append(steps, change{d.stages[key], at, user})
	}
	for _, c := range d.History {
		if c.Field != "stage" || c.To == "" {
			continue
		}
		if len(steps) == 0 && c.From != "" {
			step(passedStage(&d.Deal, c.From), d.created, c.By)
		}
		step(passedStage(&d.Deal, c.To), d.moment(c.At), c.By)
	}
	last := stageOf(&d.Deal)
	if len(steps) == 0 && d.closed.After(d.created) {
		for i, passed := range earlierStages {
			if passed != last {
				part := d.closed.Sub(d.created) * time.Duration(i) / time.Duration(len(earlierStages))
				step(passed, d.created.Add(part).Truncate(time.Second), "")
			}
		}
	}
	if len(steps) == 0 || steps[len(steps)-1].Value != d.stages[last] {
		step(last, d.closed, "")
	}
	return steps
}

// ownerHistory returns who owned the deal, and from when on.
func (d *dealLoader) ownerHistory() []change {
	var owners []change
	for _, c := range d.History {
		if c.Field != "owner" {
			continue
		}
		by := d.person(c.By, "").user
		if len(owners) == 0 && c.From != "" {
			owners = append(owners, change{d.person(c.From, "").owner, d.created, by})
		}
		to := d.person(c.To, "")
		if d.Deal.Owner != nil && c.To == d.Deal.Owner.Name {
			to = d.owner
		}
		owners = append(owners, change{to.owner, d.moment(c.At), by})
	}
	if len(owners) == 0 || owners[len(owners)-1].Value != d.owner.owner {
		owners = append(owners, change{d.owner.owner, later(d.created, lastOf(owners)), d.owner.user})
	}
	return owners
}

// addContacts adds the deal's people, each with its roles.
func (d *dealLoader) addContacts(ctx context.Context) error {
	for i, c := range d.Contacts {
		values := map[string]string{"email": c.Email, "jobtitle": c.Title, "phone": c.Phone, "company": d.Deal.Account, ownerProperty: d.owner.owner}
		values["firstname"], values["lastname"] = splitName(c.Name)
		if c.EmailBounced {
			values["hs_email_bounce"] = "1"
		}
		id, err := d.addContact(ctx, values, d.created.Add(time.Duration(i)*time.Second))
		if err != nil {
			return err
		}
		if c.Email != "" && d.contacts[c.Email] == "" {
			d.contacts[c.Email] = id
		}
		if err := d.associate(ctx, ref{"deals", d.id}, ref{"contacts", id}, c.Roles...); err != nil {
			return err
		}
	}
	return nil
}

func (d *dealLoader) addContact(ctx context.Context, values map[string]string, at time.Time) (string, error) {
	id, err := d.add(ctx, newRecord{Object: "contacts", Properties: values, Created: at, CreatedBy: d.owner.user})
	if err == nil && d.company != "" {
		err = d.associate(ctx, ref{"contacts", id}, ref{"companies", d.company}, "Primary")
	}
	return id, err
}

// contact returns the contact with that address: of the deal, else one that is on no deal.
func (d *dealLoader) contact(ctx context.Context, address string) (string, error) {
	if id := d.contacts[address]; id != "" {
		return id, nil
	}
	if id := d.guests[address]; id != "" {
		return id, nil
	}
	id, err := d.addContact(ctx, map[string]string{"email": address}, d.created)
	d.guests[address] = id
	return id, err
}

// moment returns at, or when the deal began where a record has no date.
func (d *dealLoader) moment(at *time.Time) time.Time {
	if at == nil {
		return d.created
	}
	return at.UTC()
}

func decimal(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lastOf returns when the last change was; the zero time: there is none.
func lastOf(changes []change) time.Time {
	if len(changes) == 0 {
		return time.Time{}
	}
	return changes[len(changes)-1].At
}
