package salesforce

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// DefaultFields names, for each fact of a deal, the fields that orgs usually keep it in; the first that holds something
// counts.
var DefaultFields = map[string][]string{
	"arr":             {"ARR__c", "Annual_Recurring_Revenue__c"},
	"term_months":     {"Term_Months__c", "Contract_Term__c", "Contract.ContractTerm"},
	"csm":             {"CSM__c", "Customer_Success_Manager__c", "Account.CSM__c", "Account.Customer_Success_Manager__c"},
	"csm_assigned_at": {"CSM_Assigned_At__c", "Account.CSM_Assigned_At__c"},

	"use_case":                 {"Use_Case__c"},
	"business_problem":         {"Business_Problem__c"},
	"compelling_event":         {"Compelling_Event__c", "Why_Now__c"},
	"objections":               {"Objections__c", "Near_Loss__c"},
	"competitors":              {"Competitors__c", "Competitor__c", "MainCompetitors__c"},
	"champion":                 {"Champion__c"},
	"executive_sponsor":        {"Executive_Sponsor__c"},
	"day_to_day_contact":       {"Day_to_Day_Contact__c"},
	"detractors":               {"Detractors__c", "Objectors__c"},
	"integration_requirements": {"Integration_Requirements__c", "Integrations__c"},
	"custom_configuration":     {"Custom_Configuration__c", "Custom_Config__c"},
	"implementation_timeline":  {"Implementation_Timeline__c", "Go_Live_Target__c"},
	"it_readiness":             {"IT_Readiness__c"},
	"success_criteria":         {"Success_Criteria__c"},
	"nonstandard_promises":     {"Nonstandard_Promises__c", "Non_Standard_Promises__c"},
	"go_live_milestone":        {"Go_Live_Milestone__c", "Milestone__c"},
	"pricing_exceptions":       {"Pricing_Exceptions__c"},
	"description":              {"Description"},
	"next_step":                {"NextStep", "Next_Step__c"},
	"metrics":                  {"Metrics__c"},
	"economic_buyer":           {"Economic_Buyer__c"},
	"decision_criteria":        {"Decision_Criteria__c"},
	"decision_process":         {"Decision_Process__c"},
	"paper_process":            {"Paper_Process__c"},
	"identify_pain":            {"Identify_Pain__c", "Identified_Pain__c"},
	"competition":              {"Competition__c"},
}

// places are where each fact may be; the first that holds something counts.
func (c *Client) places() map[string][]string {
	return connectors.ByMethodology(DefaultFields, c.cfg.Methodology, fieldName)
}

// fieldName is what an admin calls a custom field of these words: "meddic economic buyer" is MEDDIC_Economic_Buyer__c.
func fieldName(words string) string {
	parts := strings.Fields(words)
	for i, w := range parts {
		if slices.Contains(connectors.Methodologies(), w) {
			parts[i] = strings.ToUpper(w)
		} else {
			parts[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(parts, "_") + "__c"
}

const caseAsOf = "Case_As_Of__c"

// field is what describe says of one field.
type field struct {
	Name         string      `json:"name"`
	Label        string      `json:"label"`
	Type         string      `json:"type"`
	Relationship string      `json:"relationshipName"` // way up, of a reference
	Length       int         `json:"length"`
	Precision    int         `json:"precision"` // of a double
	Scale        int         `json:"scale"`
	Digits       int         `json:"digits"` // of an int
	HTML         bool        `json:"htmlFormatted"`
	Updateable   bool        `json:"updateable"`
	Calculated   bool        `json:"calculated"`
	Restricted   bool        `json:"restrictedPicklist"`
	Options      []pickValue `json:"picklistValues"`
}

type pickValue struct {
	Value  string `json:"value"`
	Active bool   `json:"active"`
}

// description is the describe of one sObject, as seen by the integration user.
type description struct {
	object      string
	updateable  bool             // we may edit records
	recordTypes []string         // names of those that are active
	fields      map[string]field // by name in lower case; nil: the object is off, or hidden from us
	err         *connectors.Error
}

func (d *description) path(base string) string { return base + "/sobjects/" + d.object + "/describe" }
func (d *description) query() bool             { return false }
func (d *description) reset()                  { d.fields = nil }
func (d *description) refuse(err *connectors.Error) {
	d.err = err
	if absent(err) { // the address as a whole is right
		err.Remedy = verdicts["INVALID_TYPE"].remedy
	}
}
func (d *description) off() bool { return d.fields == nil }
func (d *description) field(name string) (field, bool) {
	f, ok := d.fields[strings.ToLower(name)]
	return f, ok
}

func (d *description) take(body []byte) (string, error) {
	var reply struct {
		Updateable  bool    `json:"updateable"`
		Fields      []field `json:"fields"`
		RecordTypes []struct {
			Name   string `json:"name"`
			Active bool   `json:"active"`
			Master bool   `json:"master"` // stands for having none
		} `json:"recordTypeInfos"`
	}
	if err := json.Unmarshal(body, &reply, lenient); err != nil {
		return "", err
	}
	d.updateable, d.recordTypes = reply.Updateable, nil
	for _, t := range reply.RecordTypes {
		if t.Active && !t.Master {
			d.recordTypes = append(d.recordTypes, t.Name)
		}
	}
	d.fields = make(map[string]field, len(reply.Fields))
	for _, f := range reply.Fields {
		d.fields[strings.ToLower(f.Name)] = f
	}
	return "", nil
}

// schema is what of the org we can read, and what feeds what.
type schema struct {
	objects map[string]*description

	facts   map[string][]fact                // where deal facts may be, by neutral name; absent: no field of the org holds it
	own     map[crm.Object]map[string]string // our own fields that can hold what we write: API name by neutral name
	columns []string                         // to select of an opportunity
	hidden  []string                         // standard fields of an opportunity that we would read and cannot see
	faults  []*connectors.Error              // what keeps deals from being read as configured
}

// fact is a place that a deal's fact is read from.
type fact struct {
	path      []string // from the opportunity
	reference []string // path of the record that the field points at; nil: it is no reference
}

const opDescribe = "read which fields opportunities have"

// describe reads the schema, and more parts in the same call. It returns when that was answered, by Salesforce's clock.
func (c *Client) describe(ctx context.Context, more ...part) (*schema, time.Time, error) {
	s, at, err := c.look(ctx, more...)
	if err != nil {
		return nil, at, err
	}
	if len(s.faults) > 0 {
		return nil, at, s.faults[0]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = s
	return s, at, nil
}

// look is describe for those who want to see a schema with faults.
func (c *Client) look(ctx context.Context, more ...part) (*schema, time.Time, error) {
	s := &schema{objects: map[string]*description{}}
	var parts []part
	for _, name := range []string{"Opportunity", "Account", "Contract", "OpportunityContactRole", "Contact", "Note", "ContentNote", "Task",
		"Event", "EventRelation", "EmailMessage", "OpportunityFieldHistory"} {
		s.objects[name] = &description{object: name}
		parts = append(parts, s.objects[name])
	}
	at, err := c.read(ctx, "read which fields there are", append(parts, more...)...)
	if err != nil {
		return nil, at, err
	}
	if deals := s.objects["Opportunity"]; deals.off() {
		text, remedy := objectTrouble(deals)
		s.faults = append(s.faults, &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig, Status: deals.err.Status, Code: deals.err.Code,
			Message: text, Remedy: remedy})
	} else {
		s.resolve(c)
	}
	return s, at, nil
}

// described returns the schema as last described in this process.
func (c *Client) described(ctx context.Context) (*schema, error) {
	c.mu.Lock()
	s := c.schema
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, _, err := c.describe(ctx)
	return s, err
}

func (s *schema) resolve(c *Client) {
	fault := func(setting, message, remedy string, fields ...string) {
		s.faults = append(s.faults, &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig,
			Setting: setting, Message: message, Remedy: remedy, Fields: fields})
	}
	var missing []string
	s.facts, missing = connectors.Facts(c.places(), c.cfg.Fields, s.find)
	for _, name := range missing {
		field := c.cfg.Fields[name]
		fault("fields."+name, fmt.Sprintf("there is no field %s, which the configuration names for %s", field, name),
			"Correct its API name, which Setup > Object Manager > Opportunity > Fields & Relationships shows, or grant the integration user read access to it", field)
	}
	deals := s.objects["Opportunity"]
	for _, name := range unknown(c.cfg.Pipelines, deals.recordTypes) {
		fault("pipelines", fmt.Sprintf("there is no record type %q of opportunities, which the configuration names", name), "The org has: "+orNone(deals.recordTypes))
	}
	unseen := func(name string) bool {
		_, seen := deals.field(name)
		return !seen
	}
	if c.cfg.NeedsAmount && unseen("Amount") {
		fault("min_amount", "the integration user cannot see the field Amount of opportunities, which says what deals are small ones", showFields, "Amount")
	}
	dealType, _ := deals.field("Type")
	var types []string
	for _, o := range dealType.Options {
		types = append(types, o.Value)
	}
	if len(c.cfg.DealTypes) > 0 && unseen("Type") {
		fault("deal_types", "the integration user cannot see the field Type of opportunities, which the configuration filters by", showFields, "Type")
	} else {
		for _, name := range unknown(c.cfg.DealTypes, types) {
			fault("deal_types", fmt.Sprintf("the field Type of opportunities has no value %q, which the configuration names", name), "The org has: "+orNone(types))
		}
	}
	reads := c.readFields()
	for _, full := range sortedKeys(reads) {
		if object, name, _ := strings.Cut(full, "."); object == opportunity && reads[full] && !isCustom(name) && unseen(name) {
			s.hidden = append(s.hidden, name)
		}
	}
	s.own = map[crm.Object]map[string]string{}
	for object, fields := range c.specs {
		s.own[object] = map[string]string{}
		d := s.objects[sobjects[object]]
		for _, f := range fields {
			if unusable(f, d) == nil {
				seen, _ := d.field(f.API)
				s.own[object][f.Name] = seen.Name
			}
		}
	}
	s.columns = s.dealColumns(c.cfg.CaseAsOf)
}

// unknown returns the wanted names that are not there, in whatever case of letters: SOQL does not tell them apart either.
func unknown(wanted, there []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(w string) bool {
		return slices.ContainsFunc(there, func(t string) bool { return strings.EqualFold(t, w) })
	})
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none that the integration user can see"
	}
	return strings.Join(names, ", ")
}

// find resolves a field of the opportunity, or "Account.X" and "Contract.X" of its parents.
func (s *schema) find(name string) (fact, bool) {
	parent, own, isParent := strings.Cut(name, ".")
	if !isParent {
		parent, own = "Opportunity", name
	}
	d, known := s.objects[parent]
	if !known {
		return fact{}, false
	}
	f, ok := d.field(own)
	if !ok {
		return fact{}, false
	}
	var way []string
	if isParent {
		if _, ok := s.objects["Opportunity"].field(parent + "Id"); !ok {
			return fact{}, false
		}
		way = []string{parent}
	}
	found := fact{path: append(slices.Clone(way), f.Name)}
	if f.Type == "reference" && f.Relationship != "" {
		found.reference = append(slices.Clone(way), f.Relationship)
	}
	return found, true
}

func (s *schema) dealColumns(asOf bool) []string {
	columns := []string{"Id", "Name", "StageName", "IsWon", "CloseDate", "OwnerId", "Owner.Name", "Owner.Email",
		"LastModifiedById", "LastModifiedBy.Name", "LastModifiedDate"}
	where := func(names ...string) { // what may be hidden; CurrencyIsoCode is in orgs with several currencies
		for _, name := range names {
			if f, ok := s.find(name); ok {
				columns = append(columns, strings.Join(f.path, "."))
			}
		}
	}
	where("Amount", "AccountId", "Account.Name", "CurrencyIsoCode")
	if asOf {
		where(caseAsOf)
	}
	for name, places := range s.facts {
		for _, f := range places {
			columns = append(columns, strings.Join(f.path, "."))
			if f.reference != nil {
				columns = append(columns, strings.Join(f.reference, ".")+".Name")
			}
			if f.reference != nil && name == "csm" {
				columns = append(columns, strings.Join(f.reference, ".")+".Email")
			}
		}
	}
	columns = append(columns, slices.Sorted(maps.Values(s.own[crm.DealObject]))...)
	slices.Sort(columns)
	return slices.Compact(columns)
}

// reads reports whether a fact comes from a record above the opportunity.
func (s *schema) reads(parent string) bool {
	for _, places := range s.facts {
		for _, f := range places {
			if len(f.path) > 1 && f.path[0] == parent {
				return true
			}
		}
	}
	return false
}

// choose returns the columns of an object that we can see. lost is what is hidden; a column that ends in "?" is no loss.
// A path over a relationship is checked where the relationship carries its object's name.
func (s *schema) choose(object string, columns []string) (seen, lost []string) {
	for _, column := range columns {
		name, optional := strings.CutSuffix(column, "?")
		d, own := s.objects[object], name
		if head, tail, dotted := strings.Cut(name, "."); dotted {
			d, own = s.objects[head], tail
		}
		if d != nil {
			if _, ok := d.field(own); !ok {
				if !optional {
					lost = append(lost, name)
				}
				continue
			}
		}
		seen = append(seen, name)
	}
	return seen, lost
}

// lacks reports whether something of a part of the deals is hidden from us.
func (s *schema) lacks(part crm.Part) bool {
	return slices.ContainsFunc(sources, func(src source) bool {
		d := s.objects[src.object]
		if src.part != part || d.off() && src.feature && absent(d.err) {
			return false
		}
		_, lost := s.choose(src.object, src.columns)
		return lost != nil
	})
}

// kind is the type of a column of an object, or of a record above it where the relationship carries its object's name; "":
// that is not described.
func (s *schema) kind(object, column string) string {
	if head, tail, dotted := strings.Cut(column, "."); dotted {
		object, column = head, tail
	}
	if d := s.objects[object]; d != nil {
		f, _ := d.field(column)
		return f.Type
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
