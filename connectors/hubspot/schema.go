package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// DefaultFields names, for each fact of a deal, the properties that portals usually keep it in; the first that holds
// something counts.
var DefaultFields = map[string][]string{
	"arr":             {"arr", "annual_recurring_revenue", "hs_arr"},
	"term_months":     {"term_months", "contract_term", "contract_term_months"},
	"csm":             {"csm", "customer_success_manager", "company.csm", "company.customer_success_manager"},
	"csm_assigned_at": {"csm_assigned_at", "company.csm_assigned_at"},

	"use_case":                 {"use_case"},
	"business_problem":         {"business_problem"},
	"compelling_event":         {"compelling_event", "why_now"},
	"objections":               {"objections", "near_loss"},
	"competitors":              {"competitors", "competitor"},
	"champion":                 {"champion"},
	"executive_sponsor":        {"executive_sponsor"},
	"day_to_day_contact":       {"day_to_day_contact"},
	"detractors":               {"detractors", "objectors"},
	"integration_requirements": {"integration_requirements", "integrations"},
	"custom_configuration":     {"custom_configuration", "custom_config"},
	"implementation_timeline":  {"implementation_timeline", "go_live_target"},
	"it_readiness":             {"it_readiness"},
	"success_criteria":         {"success_criteria"},
	"nonstandard_promises":     {"nonstandard_promises", "non_standard_promises"},
	"go_live_milestone":        {"go_live_milestone", "milestone"},
	"pricing_exceptions":       {"pricing_exceptions"},
	"description":              {"description"},
	"next_step":                {"hs_next_step", "next_step"},
	"metrics":                  {"metrics"},
	"economic_buyer":           {"economic_buyer"},
	"decision_criteria":        {"decision_criteria"},
	"decision_process":         {"decision_process"},
	"paper_process":            {"paper_process"},
	"identify_pain":            {"identify_pain", "identified_pain"},
	"competition":              {"competition"},
}

const caseAsOf = "case_as_of"

// property is what a portal says of one property.
type property struct {
	Name    string   `json:"name"`
	Extern  bool     `json:"externalOptions"` // its values are not Options, but ids of owners, stages or pipelines
	Options []option `json:"options"`
}

type option struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	DisplayOrder int    `json:"displayOrder"`
	Hidden       bool   `json:"hidden"`
}

func (p property) allows(value string) bool {
	return slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == value })
}

// words are the labels of the options that a value names, else the value as it is.
func (p property) words(value string) string {
	if len(p.Options) == 0 {
		return value
	}
	named := several(value)
	for i, v := range named {
		if at := slices.IndexFunc(p.Options, func(o option) bool { return o.Value == v }); at >= 0 {
			named[i] = p.Options[at].Label
		}
	}
	return strings.Join(named, "; ")
}

// schema is what of the portal we can read, and what feeds what.
type schema struct {
	properties map[string]map[string]property // by object type and name
	hidden     *connectors.Error              // companies are; nil: they are not
	stages     map[string]string              // labels by id

	facts     map[string][]fact         // where deal facts may be, by neutral name; absent: no property holds it
	own       map[crm.Object][]ownField // our own fields that exist
	pipelines []string                  // ids to read; none: all
	dealTypes []string                  // values to read; none: all
}

// fact is a place that a deal's fact is read from.
type fact struct {
	object string
	property
}

type pipeline struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Stages []struct {
		ID    string `json:"id"`
		Label string `json:"label"`
	} `json:"stages"`
}

const opDescribe = "describe the portal"

// describe reads the schema. It returns when HubSpot began to answer, by its own clock.
func (c *Client) describe(ctx context.Context) (*schema, time.Time, error) {
	s := &schema{properties: map[string]map[string]property{}, stages: map[string]string{}}
	var answered time.Time
	for _, kind := range []string{deals, companies} {
		p, err := fetch[property](ctx, c, call{op: opDescribe, method: http.MethodGet, path: api("properties", kind), repeatable: true})
		if refused := forbidden(err); refused != nil && kind == companies {
			s.hidden = refused
			continue
		}
		if err != nil {
			return nil, answered, err
		}
		if answered.IsZero() {
			answered = p.answered
		}
		s.properties[kind] = map[string]property{}
		for _, found := range p.Results {
			s.properties[kind][found.Name] = found
		}
	}
	pipelines, err := fetch[pipeline](ctx, c, call{op: opDescribe, method: http.MethodGet, path: api("pipelines", deals), repeatable: true})
	if err != nil {
		return nil, answered, err
	}
	if err := s.resolve(c, pipelines.Results); err != nil {
		return nil, answered, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = s
	return s, answered, nil
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

func (s *schema) resolve(c *Client, pipelines []pipeline) error {
	var missing []string
	if s.facts, missing = connectors.Facts(DefaultFields, c.cfg.Fields, s.find); len(missing) > 0 {
		name := missing[0]
		return &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{c.cfg.Fields[name]}, Setting: "fields." + name,
			Message: fmt.Sprintf("there is no property %s, which the configuration names for %s", c.cfg.Fields[name], name),
			Remedy:  "Correct its internal name, which Settings > Properties shows"}
	}
	s.own = map[crm.Object][]ownField{}
	for kind, fields := range c.specs {
		for _, f := range fields {
			if _, ok := s.properties[objectTypes[kind]][f.property]; ok {
				s.own[kind] = append(s.own[kind], f)
			}
		}
	}
	var named []option
	for _, p := range pipelines {
		named = append(named, option{Label: p.Label, Value: p.ID})
		for _, stage := range p.Stages {
			s.stages[stage.ID] = stage.Label
		}
	}
	var err error
	if s.pipelines, err = choose("pipeline", c.cfg.Pipelines, named); err != nil {
		return err
	}
	s.dealTypes, err = choose("deal type", c.cfg.DealTypes, s.properties[deals]["dealtype"].Options)
	return err
}

// choose returns the values of the options that are wanted by label or by value.
func choose(what string, wanted []string, options []option) ([]string, error) {
	var values, labels []string
	for _, o := range options {
		labels = append(labels, o.Label)
	}
	for _, w := range wanted {
		i := slices.IndexFunc(options, func(o option) bool { return o.Value == w || strings.EqualFold(o.Label, w) })
		if i < 0 {
			return nil, &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig,
				Message: fmt.Sprintf("there is no %s %q, which the configuration names", what, w),
				Remedy:  "The portal has: " + strings.Join(labels, ", ")}
		}
		values = append(values, options[i].Value)
	}
	return values, nil
}

// find resolves a property of the deal, or "company.x" of its company.
func (s *schema) find(name string) (fact, bool) {
	kind := deals
	if own, ok := strings.CutPrefix(name, "company."); ok {
		kind, name = companies, own
	}
	p, ok := s.properties[kind][name]
	return fact{kind, p}, ok
}

// columns are the properties to read of deals or companies, beside some that are always there.
func (s *schema) columns(kind string, always ...string) []string {
	columns := always
	for _, places := range s.facts {
		for _, f := range places {
			if f.object == kind {
				columns = append(columns, f.Name)
			}
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// readsCompanies reports whether a fact of a deal comes from its company.
func (s *schema) readsCompanies() bool { return len(s.columns(companies)) > 0 }

// owner is a user who may own records.
type owner struct {
	ID    text   `json:"id"`
	User  text   `json:"userIdIncludingInactive"`
	First string `json:"firstName"`
	Last  string `json:"lastName"`
	Email string `json:"email"`
}

func (o owner) name() string { return strings.TrimSpace(o.First + " " + o.Last) }

// people are the owners of a portal, former ones too.
type people struct{ byID, byUser map[string]owner }

func (c *Client) people(ctx context.Context) (people, error) {
	p := people{map[string]owner{}, map[string]owner{}}
	for _, archived := range []string{"true", "false"} { // who came back counts as present
		owners, _, err := list[owner](ctx, c, "read owners", api("owners", ""), url.Values{"archived": {archived}})
		if err != nil {
			return p, err
		}
		for _, o := range owners {
			p.byID[string(o.ID)] = o
			if o.User != "" {
				p.byUser[string(o.User)] = o
			}
		}
	}
	return p, nil
}
