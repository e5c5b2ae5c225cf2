package salesforce

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"handoff/crm"
)

// Load adds deals with everything around them, each spread over the objects where a sales team would keep it. A case
// reads back as it went in, but for what Salesforce cannot carry: a deal without a close date or a stage gets its created
// date and a standard stage, an owner's role is dropped, and an undated note or activity is as old as the deal.
//
// A stage is either won or not. Where a label stands on both kinds of deals, the others get " (not won)" behind it.
func (o *Org) Load(ctx context.Context, cases []*crm.Snapshot) error {
	if err := o.addTextFields(ctx, cases); err != nil {
		return fmt.Errorf("load cases: %w", err)
	}
	l := &loader{now: o.now().UTC().Truncate(time.Second), stages: map[string]bool{}, accounts: map[string]string{},
		users: map[userKey]string{}, guests: map[string]string{}}
	if err := l.readStages(ctx, o); err != nil {
		return fmt.Errorf("load cases: %w", err)
	}
	err := o.bulkInsert(ctx, func(insert insertFunc) error {
		l.insert = insert
		if err := l.addStages(cases); err != nil {
			return err
		}
		for _, s := range cases {
			if err := l.addDeal(s); err != nil {
				return fmt.Errorf("case %s: %w", s.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load cases: %w", err)
	}
	return nil
}

// addTextFields makes a custom field for each text of a deal that has no field yet.
func (o *Org) addTextFields(ctx context.Context, cases []*crm.Snapshot) error {
	known := map[string]bool{}
	err := o.read(ctx, func(sqlx.QueryerContext) error {
		for _, f := range o.object("Opportunity").Fields {
			known[f.Name] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range cases {
		for name, text := range s.Deal.Fields {
			api := textHome(name, text)
			if known[api] {
				continue
			}
			known[api] = true
			if err := o.addField(ctx, "Opportunity", *long(api, longText)); err != nil {
				return err
			}
		}
	}
	return nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// textHome returns the opportunity's field for a text of a deal. NextStep holds 255 characters: a longer next step lives
// in a custom field.
func textHome(neutral, text string) string {
	if neutral == "next_step" && utf8.RuneCountInString(text) > 255 {
		return "Next_Step__c"
	}
	if slices.Contains(crm.FieldNames, neutral) {
		return textField(neutral)
	}
	return textField("text_" + strings.Trim(notInName.ReplaceAllString(strings.ToLower(neutral), "_"), "_"))
}

// loader adds deals. Rows that deals have in common are made when the first deal needs them.
type loader struct {
	insert   insertFunc
	now      time.Time
	stages   map[string]bool    // whether it is won, by lower-case label
	accounts map[string]string  // id by name
	users    map[userKey]string // id
	guests   map[string]string  // id of a contact without a role, by address
}

// userKey tells users apart: an author is known by name only, the host of a meeting by address only.
type userKey struct{ name, email string }

// The standard stages that a deal passes through before the last one.
var earlierStages = []string{"Qualification", "Proposal/Price Quote", "Negotiation/Review"}

var closedLabel = regexp.MustCompile(`(?i)lost|closed|verloren|perdid`)

// readStages reads the stages that the org has already.
func (l *loader) readStages(ctx context.Context, o *Org) error {
	return o.read(ctx, func(db sqlx.QueryerContext) error {
		var stages []stage
		if err := sqlx.SelectContext(ctx, db, &stages, "SELECT ApiName, IsWon FROM OpportunityStage WHERE NOT IsDeleted"); err != nil {
			return fmt.Errorf("read stages: %w", err)
		}
		for _, s := range stages {
			l.stages[strings.ToLower(s.Name)] = s.Won
		}
		return nil
	})
}

// stageName returns the stage that stands for the deal's label.
func (l *loader) stageName(d *crm.Deal) string {
	switch won, known := l.stages[strings.ToLower(d.Stage)]; {
	case d.Stage == "" && d.Won:
		return "Closed Won"
	case d.Stage == "":
		return "Prospecting"
	case known && won == d.Won:
		return d.Stage
	case d.Won:
		return d.Stage + " (won)" // only where the org's own stage of that name is not
	}
	return d.Stage + " (not won)"
}

// addStages makes the stages that the cases speak of, those of won deals first: they keep their labels.
func (l *loader) addStages(cases []*crm.Snapshot) error {
	add := func(name string, won bool) error {
		if _, known := l.stages[strings.ToLower(name)]; known || name == "" {
			return nil
		}
		l.stages[strings.ToLower(name)] = won
		made := stage{name, "Pipeline", 50, false, false}
		switch {
		case won:
			made = stage{name, "Closed", 100, true, true}
		case closedLabel.MatchString(name):
			made = stage{name, "Omitted", 0, true, false}
		}
		_, err := l.insert("OpportunityStage", made.row(len(l.stages)), system{})
		return err
	}
	for _, won := range []bool{true, false} {
		for _, s := range cases {
			if s.Deal.Won != won {
				continue
			}
			if err := add(s.Deal.Stage, won); err != nil {
				return err
			}
			if err := add(l.stageName(&s.Deal), won); err != nil {
				return err
			}
		}
	}
	return nil
}

// account returns the id of the account of that name; nil: there is none.
func (l *loader) account(name, owner string, since time.Time) (any, error) {
	if name == "" {
		return nil, nil
	}
	if id, ok := l.accounts[name]; ok {
		return id, nil
	}
	id, err := l.insert("Account", map[string]any{"Name": name, "Type": "Customer", "OwnerId": owner}, l.made(since, owner))
	l.accounts[name] = id
	return id, err
}

// user returns the id of the user with that name and address, of which one may be empty. Nobody is the Automated Process
// user, as for rows that Salesforce makes by itself.
func (l *loader) user(name, email string) (string, error) {
	key := userKey{name, email}
	if id, ok := l.users[key]; ok {
		return id, nil
	}
	values := map[string]any{"IsActive": true, "UserType": "Standard", "Email": orNil(email),
		"Username": fmt.Sprintf("user-%04d@sandbox.example", len(l.users)+1)}
	switch {
	case name == "" && email == "":
		values["UserType"], values["LastName"], values["Alias"] = "AutomatedProcess", "Automated Process", "autoproc"
	case name == "":
		values["LastName"] = email
	default:
		values["FirstName"], values["LastName"] = splitName(name)
	}
	id, err := l.insert("User", values, system{})
	l.users[key] = id
	return id, err
}

// splitName splits a name at its last space, as Salesforce wants it. Without a name the last name is "-", as it is required.
func splitName(name string) (first any, last string) {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil, "-"
	}
	i := strings.LastIndex(name, " ")
	if i < 0 {
		return nil, name
	}
	return name[:i], name[i+1:]
}

// made returns the audit fields of a row that was made at that moment and not touched since.
func (l *loader) made(at time.Time, by string) system {
	return system{CreatedDate: at, CreatedByID: by, LastModifiedDate: at, LastModifiedByID: by, SystemModstamp: earliest(at, l.now)}
}

func earliest(t time.Time, others ...time.Time) time.Time {
	for _, u := range others {
		if u.Before(t) {
			t = u
		}
	}
	return t
}

// orNil returns nil for "", which Salesforce does not store.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
