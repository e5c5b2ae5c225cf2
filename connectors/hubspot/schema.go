package hubspot

import (
	"fmt"
	"slices"
	"strings"

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
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
type property struct {
	Name         string   `json:"name"`
	Label        string   `json:"label"`
	Description  string   `json:"description"`
	Group        string   `json:"groupName"`
	Type         string   `json:"type"`
	FieldType    string   `json:"fieldType"`
	Extern       bool     `json:"externalOptions"` // its values are not Options, but ids of owners, stages or pipelines
	Options      []option `json:"options"`
	Calculated   bool     `json:"calculated"`
	HubSpots     bool     `json:"hubspotDefined"`
	Modification struct {
		ReadOnlyValue bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

// readOnly reports whether only HubSpot sets the property's values.
func (p property) readOnly() bool { return p.Calculated || p.Modification.ReadOnlyValue }

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
	*description
	fresh      bool                           // HubSpot was asked in this run
	properties map[string]map[string]property // by object type and name
	stages     map[string]string              // labels by id

	facts     map[string][]fact              // where deal facts may be, by neutral name; absent: no property holds it
	own       map[crm.Object][]ownField      // our own fields whose properties can hold them
	flaws     map[crm.Object]map[string]flaw // the others, by neutral name
	pipelines []string                       // ids to read; none: all
	dealTypes []string                       // values to read; none: all

	unmet []*connectors.Error // what the configuration names and the portal does not have
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

const opDescribe = "read which properties there are"

// resolve finds in a portal what the configuration wants of it.
func (c *Client) resolve(d *description) *schema {
	s := &schema{description: d, properties: map[string]map[string]property{}, stages: map[string]string{}}
	for kind, list := range d.Properties {
		s.properties[kind] = map[string]property{}
		for _, p := range list {
			s.properties[kind][p.Name] = p
		}
	}
	var missing []string
	s.facts, missing = connectors.Facts(c.places(), c.cfg.Fields, s.find)
	for _, name := range missing {
		s.unmet = append(s.unmet, s.noSource(name, c.cfg.Fields[name]))
	}
	s.judgeOwn(c.specs)
	var named []option
	for _, p := range d.Pipelines {
		named = append(named, option{Label: p.Label, Value: p.ID})
		for _, stage := range p.Stages {
			s.stages[stage.ID] = stage.Label
		}
	}
	s.pipelines = s.choose("pipeline", "pipelines", c.cfg.Pipelines, named)
	s.dealTypes = s.choose("deal type", "deal_types", c.cfg.DealTypes, s.properties[deals][dealType].Options)
	return s
}

// noSource is the error that there is no such property to read a fact from.
func (s *schema) noSource(name, wanted string) *connectors.Error {
	e := &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{wanted}, Setting: "fields." + name,
		Message: fmt.Sprintf("there is no property %s, which the configuration names for %s", wanted, name),
		Remedy:  "Correct its internal name: under Settings > Properties, click the property, then the </> beside its label"}
	if strings.HasPrefix(wanted, companyPrefix) && s.hidden != nil {
		e.Message, e.Remedy = fmt.Sprintf("the configuration names %s for %s, and the service key may not read companies", wanted, name), s.hidden.Remedy
	}
	return e
}

// choose returns the values of the options that the setting wants by label or by value.
func (s *schema) choose(what, setting string, wanted []string, options []option) []string {
	var values, labels []string
	for _, o := range options {
		labels = append(labels, o.Label)
	}
	for _, w := range wanted {
		i := slices.IndexFunc(options, func(o option) bool { return o.Value == w || strings.EqualFold(o.Label, w) })
		if i < 0 {
			s.unmet = append(s.unmet, &connectors.Error{Op: opDescribe, CRM: crmName, Class: connectors.ErrConfig, Setting: setting,
				Message: fmt.Sprintf("there is no %s %q, which the configuration names", what, w),
				Remedy:  "The portal has: " + strings.Join(labels, ", ")})
			continue
		}
		values = append(values, options[i].Value)
	}
	return values
}

// companyPrefix marks a property as one of the deal's company.
const companyPrefix = "company."

// find resolves a property of the deal, or "company.x" of its company.
func (s *schema) find(name string) (fact, bool) {
	kind := deals
	if own, ok := strings.CutPrefix(name, companyPrefix); ok {
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

// places are where each fact may be; the first that holds something counts.
func (c *Client) places() map[string][]string {
	return connectors.ByMethodology(DefaultFields, c.cfg.Methodology, fieldName)
}

// fieldName is what HubSpot calls a property of these words.
func fieldName(words string) string { return strings.ReplaceAll(words, " ", "_") }

// readsCompanies reports whether a fact of a deal comes from its company.
func (s *schema) readsCompanies() bool { return len(s.columns(companies)) > 0 }

// missesCompanies reports whether a fact of a deal comes, or may come, from its company.
func (s *schema) missesCompanies() bool {
	for name, candidates := range DefaultFields {
		onCompany := slices.ContainsFunc(candidates, func(c string) bool { return strings.HasPrefix(c, companyPrefix) })
		if s.hidden != nil && onCompany && s.facts[name] == nil {
			return true
		}
	}
	return s.readsCompanies()
}
