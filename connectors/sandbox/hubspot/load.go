package hubspot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"handoff/crm"
)

// Load adds deals with everything around them, each spread over the records where a sales team would keep it. A case reads
// back as it went in, but for what HubSpot cannot carry: the title of a note is the first bold line of its body, an owner's
// role is dropped, a deal without a stage gets a standard one, and an undated note or activity is as old as the deal.
//
// Ids rise in the order of the case, also among the contacts: somebody who is on two deals is two contacts. A text that is
// longer than a property's 65,536 characters is an error. A portal is loaded once.
func (p *Portal) Load(ctx context.Context, cases []*crm.Snapshot) error {
	err := p.load(ctx, func(ctx context.Context, t *tx) error {
		l := &loader{tx: t, stages: map[stageKey]string{}, taken: map[string]bool{}, companies: map[string]string{},
			people: map[personKey]person{}, guests: map[string]string{}}
		if err := l.addProperties(ctx, cases); err != nil {
			return err
		}
		if err := l.addStages(ctx, cases); err != nil {
			return err
		}
		for _, s := range cases {
			if err := l.addDeal(ctx, s); err != nil {
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

// salesGroup holds the properties that the company has made for itself.
const salesGroup = "sales_handover"

// ownProperties are those that the company keeps its deals' facts in, beside a property for each text of a deal.
var ownProperties = []*property{
	text("case_id", "Case ID"), datetime("case_as_of", "Case as of"),
	number("term_months", "Contract term (months)"),
	external("csm", "Customer success manager"), datetime("csm_assigned_at", "CSM assigned at"),
}

// addProperties makes the properties that the cases need.
func (l *loader) addProperties(ctx context.Context, cases []*crm.Snapshot) error {
	deals := l.portal.object("deals")
	l.addGroup(deals, group{Name: salesGroup, Label: "Sales handover"})
	add := func(pr property) error {
		if deals.property(pr.Name) != nil {
			return nil
		}
		pr.GroupName = salesGroup
		return l.addProperty(ctx, deals, pr)
	}
	for _, pr := range ownProperties {
		if err := add(*pr); err != nil {
			return err
		}
	}
	for _, name := range crm.FieldNames {
		label := strings.ReplaceAll(name, "_", " ")
		if err := add(*area(textHome(name), strings.ToUpper(label[:1])+label[1:])); err != nil {
			return err
		}
	}
	for _, s := range cases {
		for name := range s.Deal.Fields {
			if err := add(*area(textHome(name), name)); err != nil {
				return err
			}
		}
	}
	return nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// textHome returns the deal's property for a text of a deal.
func textHome(neutral string) string {
	switch {
	case neutral == "next_step":
		return "hs_next_step"
	case slices.Contains(crm.FieldNames, neutral):
		return neutral
	}
	return "text_" + strings.Trim(notInName.ReplaceAllString(strings.ToLower(neutral), "_"), "_")
}

// loader adds deals. Records that deals have in common are made when the first deal needs them.
type loader struct {
	*tx
	pipelines []string             // ids, in the order in which they take stages
	stages    map[stageKey]string  // id
	taken     map[string]bool      // pipeline and lower-case label of each stage
	companies map[string]string    // id, by name
	people    map[personKey]person // owners
	guests    map[string]string    // id of a contact who is on no deal, by address
}

// add adds a record. Some cases tell of days to come: what is there now was last changed by now.
func (l *loader) add(ctx context.Context, r newRecord) (id string, err error) {
	if r.Modified.IsZero() {
		r.Modified, r.ModifiedBy = r.Created, r.CreatedBy
	}
	r.Modified = earlier(r.Modified, l.now)
	return l.insert(ctx, r)
}

// personKey tells owners apart: an author is known by name only, the host of a meeting by address only.
type personKey struct{ name, email string }

// person is an owner and its user. The zero value is nobody.
type person struct {
	owner string
	user  int64
}

// stageKey is a stage as a case speaks of it.
type stageKey struct {
	label string
	won   bool
}

// The stages that a deal passes through before the last one.
var earlierStages = []stageKey{{"Discovery", false}, {"Proposal sent", false}, {"Contract review", false}}

// stageOf returns the deal's stage.
func stageOf(d *crm.Deal) stageKey {
	switch {
	case d.Stage == "" && d.Won:
		return stageKey{"Closed Won", true}
	case d.Stage == "":
		return earlierStages[0]
	}
	return stageKey{d.Stage, d.Won}
}

// passedStage returns a stage that the deal was in, by its label.
func passedStage(d *crm.Deal, label string) stageKey {
	if label == d.Stage {
		return stageOf(d)
	}
	return stageKey{label, false}
}

// addStages makes the stages that the cases speak of, those of won deals first. Ids are numbers that say nothing.
func (l *loader) addStages(ctx context.Context, cases []*crm.Snapshot) error {
	keys := slices.Clone(earlierStages)
	for _, s := range cases {
		keys = append(keys, stageOf(&s.Deal))
		for _, c := range s.History {
			if c.Field == "stage" {
				keys = append(keys, passedStage(&s.Deal, c.From), passedStage(&s.Deal, c.To))
			}
		}
	}
	for _, won := range []bool{true, false} {
		for _, key := range keys {
			if _, known := l.stages[key]; known || key.won != won || key.label == "" {
				continue
			}
			if err := l.placeStage(ctx, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// closedLabel finds the stages of deals that are lost.
var closedLabel = regexp.MustCompile(`(?i)lost|closed|verloren|perdid`)

// The first ids of pipelines and stages.
const (
	firstPipeline = 84_170_231
	firstStage    = 1_043_187_265
)

// placeStage makes a stage in the first pipeline where no other has its label, whatever the case of letters.
func (l *loader) placeStage(ctx context.Context, key stageKey) error {
	label := strings.ToLower(key.label)
	i := slices.IndexFunc(l.pipelines, func(id string) bool { return !l.taken[id+label] })
	if i < 0 {
		i = len(l.pipelines)
		name := "New business"
		if i > 0 {
			name = fmt.Sprintf("New business, team %d", i+1)
		}
		l.pipelines = append(l.pipelines, strconv.Itoa(firstPipeline+i))
		l.addPipeline(l.pipelines[i], name)
	}
	made := newStage{ID: strconv.Itoa(firstStage + 17*len(l.stages)), Label: key.label, Probability: 0.5}
	switch {
	case key.won:
		made.Closed, made.Probability = true, 1
	case closedLabel.MatchString(key.label):
		made.Closed, made.Probability = true, 0
	}
	l.stages[key], l.taken[l.pipelines[i]+label] = made.ID, true
	return l.addStage(ctx, l.pipelines[i], made)
}

// companyOf returns the id of the company of that name; "": there is none.
func (l *loader) companyOf(ctx context.Context, name string, by person, since time.Time) (string, error) {
	if name == "" || l.companies[name] != "" {
		return l.companies[name], nil
	}
	id, err := l.add(ctx, newRecord{Object: "companies", Created: since, CreatedBy: by.user,
		Properties: map[string]string{"name": name, ownerProperty: by.owner}})
	l.companies[name] = id
	return id, err
}

// formerEvery is how many owners there are to one who has left the company.
const formerEvery = 9

// person returns the owner with that name and address, of which one may be empty; both: nobody.
func (l *loader) person(name, email string) person {
	key := personKey{name, email}
	if p, ok := l.people[key]; ok || key == (personKey{}) {
		return p
	}
	first, last := splitName(name)
	var p person
	p.owner, p.user = l.addOwner(newOwner{Email: email, FirstName: first, LastName: last, Former: len(l.people)%formerEvery == formerEvery-1})
	l.people[key] = p
	return p
}

// splitName splits a name at its last space.
func splitName(name string) (first, last string) {
	name = strings.TrimSpace(name)
	i := strings.LastIndex(name, " ")
	return name[:max(i, 0)], name[i+1:]
}
