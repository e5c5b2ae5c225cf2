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

const caseAsOf = "Case_As_Of__c"

// field is what describe says of one field.
type field struct {
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	Relationship string   `json:"relationshipName"` // way up, of a reference
	ReferenceTo  []string `json:"referenceTo"`
}

// description is the describe of one sObject, as seen by the integration user.
type description struct {
	object string
	fields map[string]field // by name in lower case; nil: the object is off, or hidden from us
	err    *connectors.Error
}

func (d *description) path(base string) string      { return base + "/sobjects/" + d.object + "/describe" }
func (d *description) query() bool                  { return false }
func (d *description) reset()                       { d.fields = nil }
func (d *description) refuse(err *connectors.Error) { d.err = err }
func (d *description) off() bool                    { return d.fields == nil }
func (d *description) field(name string) (field, bool) {
	f, ok := d.fields[strings.ToLower(name)]
	return f, ok
}

func (d *description) take(body []byte) (string, error) {
	var reply struct {
		Fields []field `json:"fields"`
	}
	if err := json.Unmarshal(body, &reply, lenient); err != nil {
		return "", err
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
	own     map[crm.Object]map[string]string // our own fields that we can see: API name by neutral name
	columns []string                         // to select of an opportunity
}

// fact is a place that a deal's fact is read from.
type fact struct {
	path      []string // from the opportunity
	reference []string // path of the record that the field points at; nil: it is no reference
}

// describe reads the schema, and more parts in the same call. It returns when that was answered, by Salesforce's clock.
func (c *Client) describe(ctx context.Context, more ...part) (*schema, time.Time, error) {
	s := &schema{objects: map[string]*description{}}
	var parts []part
	for _, name := range []string{"Opportunity", "Account", "Contract", "OpportunityContactRole", "Contact", "Note", "ContentNote", "Task",
		"Event", "EventRelation", "EmailMessage", "OpportunityFieldHistory"} {
		s.objects[name] = &description{object: name}
		parts = append(parts, s.objects[name])
	}
	at, err := c.read(ctx, "describe the org", append(parts, more...)...)
	if err != nil {
		return nil, at, err
	}
	if err := s.objects["Opportunity"].err; err != nil {
		return nil, at, &connectors.Error{Op: "describe opportunities", CRM: crmName, Class: connectors.ErrConfig, Status: err.Status, Code: err.Code,
			Message: err.Message, Remedy: "Grant the integration user read and edit access to opportunities"}
	}
	if err := s.resolve(c); err != nil {
		return nil, at, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = s
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

func (s *schema) resolve(c *Client) error {
	var missing []string
	if s.facts, missing = connectors.Facts(DefaultFields, c.cfg.Fields, s.find); len(missing) > 0 {
		name := missing[0]
		return &connectors.Error{Op: "describe opportunities", CRM: crmName, Class: connectors.ErrConfig, Fields: []string{c.cfg.Fields[name]}, Setting: "fields." + name,
			Message: fmt.Sprintf("there is no field %s, which the configuration names for %s", c.cfg.Fields[name], name),
			Remedy:  "Correct its API name, or grant the integration user read access to it"}
	}
	s.own = map[crm.Object]map[string]string{}
	for object, fields := range c.specs {
		s.own[object] = map[string]string{}
		for _, f := range fields {
			if seen, ok := s.objects[sobjects[object]].field(f.API); ok {
				s.own[object][f.Name] = seen.Name
			}
		}
	}
	s.columns = s.dealColumns(c.cfg.CaseAsOf)
	return nil
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
	columns := []string{"Id", "Name", "StageName", "IsWon", "Amount", "CloseDate", "AccountId", "Account.Name", "OwnerId", "Owner.Name", "Owner.Email",
		"LastModifiedById", "LastModifiedBy.Name", "LastModifiedDate"}
	if _, ok := s.objects["Opportunity"].field("CurrencyIsoCode"); ok { // orgs with several currencies
		columns = append(columns, "CurrencyIsoCode")
	}
	if asOf {
		columns = append(columns, caseAsOf)
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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
