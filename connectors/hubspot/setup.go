package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// The group that our properties stand in on a record.
const (
	groupName  = "handoff"
	groupLabel = "Handoff"
)

// madeMark ends the description of a property that we made: no other is taken away.
const madeMark = "Made by handoff."

const opSetup = "set up our properties"

// creatable are the names that HubSpot lets a property be created with.
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide#create-properties
var creatable = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// definition is a property as it is created.
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide#create-properties
type definition struct {
	Name        string   `json:"name"`
	Label       string   `json:"label"`
	Group       string   `json:"groupName"`
	Type        string   `json:"type"`
	FieldType   string   `json:"fieldType"`
	Description string   `json:"description,omitempty"`
	Options     []option `json:"options,omitempty"`
}

type propertyGroup struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// What a person has to do in HubSpot, because no API does.
const (
	addCard = "Show the fields on deals: go to Settings > Objects > Deals, tab Record Customization, and open Default view, and each team's view if there are any. " +
		"Add a property list card called Handoff, with the properties of the group Handoff."
	addView = "Save the list that RevOps works through: go to CRM > Deals and add a view called “Ghost or incomplete handoffs”. " +
		"Its filters are Ghost Handoff is Yes or, in a second filter group, Handoff Rating is Incomplete. Share it with everyone."
	hideScores = "Everyone who sees a deal sees its scores. On an Enterprise plan you can keep them from AEs: under Settings > Properties, select the properties of the group Handoff " +
		"except Handoff Gaps and Handoff Next Action, and let only Customer Success and sales managers view them."
	removeCard = "Take the card Handoff off deals under Settings > Objects > Deals > Record Customization, and delete the view “Ghost or incomplete handoffs” under CRM > Deals."
	purge      = "HubSpot only archives what is removed: the values come back with the properties. To delete both for good, go to Settings > Properties, open the tab " +
		"Archived properties, select the properties and delete them."
)

// Plan implements connectors.Provisioner. A mapping that is wrong does not keep our properties from being made.
func (c *Client) Plan(ctx context.Context, _ connectors.SetupOptions) (connectors.Plan, error) {
	var plan connectors.Plan
	s, err := c.survey(ctx)
	if err != nil {
		return plan, err
	}
	if s.hidden != nil {
		return plan, s.hidden
	}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		kind := objectTypes[object]
		var missing []ownField
		for _, f := range c.specs[object] {
			if _, exists := s.properties[kind][f.property]; !exists {
				missing = append(missing, f)
			} else if found, bad := s.flaws[object][f.Name]; bad {
				plan.ByHand = append(plan.ByHand, fmt.Sprintf("%s.%s: %s. %s.", kind, f.property, found.text, found.remedy))
			}
		}
		if len(missing) == 0 {
			continue
		}
		grouped, err := c.grouped(ctx, kind)
		if err != nil {
			return plan, err
		}
		if !grouped {
			path, group := c.api("properties", kind+"/groups"), propertyGroup{groupName, groupLabel}
			plan.Steps = append(plan.Steps, connectors.Step{Change: connectors.Create, What: "property group", Target: kind + "." + groupName, Detail: groupLabel,
				Do: func(ctx context.Context) error { return c.create(ctx, path, groupName, group) }})
		}
		for _, f := range missing {
			if strings.HasPrefix(f.property, "hs_") || !creatable.MatchString(f.property) {
				return plan, &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{f.property}, Setting: "handoff_fields." + f.Name,
					Message: fmt.Sprintf("there is no property %s, which the configuration names for %s, and it cannot be created", f.property, f.Name),
					Remedy:  "Name one of lower-case letters, digits and underscores that begins with a letter, and not with hs_"}
			}
			d := define(f)
			plan.Steps = append(plan.Steps, connectors.Step{Change: connectors.Create, What: "property", Target: kind + "." + f.property, Detail: d.detail(),
				Do: func(ctx context.Context) error { return c.create(ctx, c.api("properties", kind), d.Name, d) }})
		}
	}
	plan.ByHand = append(plan.ByHand, addCard, addView, hideScores)
	return plan, nil
}

// Apply implements connectors.Provisioner.
func (c *Client) Apply(ctx context.Context, step connectors.Step) error {
	err := step.Do(ctx)
	c.use(nil) // there may be more now, or less
	return c.mistrust(ctx, err)
}

func (c *Client) grouped(ctx context.Context, kind string) (bool, error) {
	groups, err := fetch[propertyGroup](ctx, c, call{op: opSetup, method: http.MethodGet, path: c.api("properties", kind+"/groups"), repeatable: true})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(groups.Results, func(g propertyGroup) bool { return g.Name == groupName }), nil
}

// create makes a property or a group that may exist by now. One that was archived comes back so, or keeps its name from others:
// HubSpot does not say which.
func (c *Client) create(ctx context.Context, path, name string, body any) error {
	err := c.order(ctx, call{op: opSetup, method: http.MethodPost, path: path, body: body, repeatable: true})
	if status(err) != http.StatusConflict {
		return err
	}
	if status(c.order(ctx, call{op: opSetup, method: http.MethodGet, path: path + "/" + name, repeatable: true})) == http.StatusNotFound {
		return &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Status: http.StatusConflict, Fields: []string{name},
			Message: fmt.Sprintf("the name %s is taken by a property that was archived", name), Remedy: seeArchive}
	}
	return nil
}

const seeArchive = "Restore it, or delete it for good and run `handoff setup --apply`: Settings > Properties, tab Archived properties"

// PlanRemoval implements connectors.Provisioner. What is marked was made by us, also for an older scorecard or under another
// name; what people made of it by cloning has a name and a label of theirs.
func (c *Client) PlanRemoval(ctx context.Context) (connectors.Plan, error) {
	var plan connectors.Plan
	s, err := c.survey(ctx)
	if err != nil {
		return plan, err
	}
	if s.hidden != nil {
		return plan, s.hidden
	}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		kind := objectTypes[object]
		grouped, err := c.grouped(ctx, kind)
		if err != nil {
			return plan, err
		}
		emptied := true
		for _, name := range sortedKeys(s.properties[kind]) {
			p := s.properties[kind][name]
			ours := slices.ContainsFunc(c.specs[object], func(f ownField) bool { return f.property == name })
			labelled := slices.ContainsFunc(c.specs[object], func(f ownField) bool { return f.Label == p.Label })
			marked := strings.Contains(p.Description, madeMark)
			switch {
			case marked && (ours || labelled || strings.HasPrefix(name, ownPrefix)):
				plan.Steps = append(plan.Steps, c.remove("property", kind+"."+name, p.Label, kind+"/"+url.PathEscape(name)))
			case marked && p.Group == groupName:
				emptied = false
				plan.ByHand = append(plan.ByHand, fmt.Sprintf("%s.%s stays, and the group Handoff with it: its description says %q, but neither its name nor its label is one that handoff gives, "+
					"so it seems to be a clone. Delete it under Settings > Properties if nobody needs it.", kind, name, madeMark))
			case p.Group == groupName:
				emptied = false
				plan.ByHand = append(plan.ByHand, fmt.Sprintf("%s.%s stays, and the group Handoff with it: somebody else put it there, as its description lacks the words %q", kind, name, madeMark))
			case ours:
				plan.ByHand = append(plan.ByHand, fmt.Sprintf("%s.%s stays: somebody else made it, as its description lacks the words %q The values that handoff wrote stay in it.", kind, name, madeMark))
			}
		}
		if grouped && emptied {
			plan.Steps = append(plan.Steps, c.remove("property group", kind+"."+groupName, groupLabel, kind+"/groups/"+groupName))
		}
	}
	if len(plan.Steps) > 0 {
		plan.ByHand = append(plan.ByHand, removeCard, purge)
	}
	return plan, nil
}

// remove is the step that archives a property or a group; what is gone already is none of its business.
func (c *Client) remove(what, target, label, path string) connectors.Step {
	return connectors.Step{Change: connectors.Delete, What: what, Target: target, Detail: label, Do: func(ctx context.Context) error {
		err := c.order(ctx, call{op: "remove our properties", method: http.MethodDelete, path: c.api("properties", path), repeatable: true})
		if status(err) == http.StatusNotFound {
			return nil
		}
		return err
	}}
}

// define is a property of ours as it is created.
func define(f ownField) definition {
	d := definition{Name: f.property, Label: f.Label, Group: groupName, Description: strings.TrimSpace(f.Help + " " + madeMark), Type: forms[f.Type].types[0], FieldType: forms[f.Type].fieldTypes[0]}
	switch f.Type {
	case crm.Picklist:
		for i, o := range f.Options {
			d.Options = append(d.Options, option{Label: o, Value: o, DisplayOrder: i})
		}
	case crm.Checkbox:
		d.Options = []option{{Label: "Yes", Value: "true"}, {Label: "No", Value: "false", DisplayOrder: 1}}
	}
	return d
}

// detail says the type as an admin reads it in the settings.
func (d definition) detail() string {
	name := fieldTypeNames[[2]string{d.Type, d.FieldType}]
	name = strings.ToUpper(name[:1]) + name[1:]
	if d.FieldType != "select" {
		return name
	}
	var labels []string
	for _, o := range d.Options {
		labels = append(labels, o.Label)
	}
	return name + ": " + strings.Join(labels, ", ")
}
