package hubspot

import (
	"context"
	"fmt"
	"net/http"
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

const opSetup = "set up our properties"

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

// Plan implements connectors.Provisioner.
func (c *Client) Plan(ctx context.Context, opts connectors.SetupOptions) (connectors.Plan, error) {
	var plan connectors.Plan
	s, _, err := c.describe(ctx)
	if err != nil {
		return plan, err
	}
	if s.hidden != nil {
		return plan, s.hidden
	}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		kind := objectTypes[object]
		missing := slices.DeleteFunc(slices.Clone(c.specs[object]), func(f ownField) bool { _, exists := s.properties[kind][f.property]; return exists })
		if len(missing) == 0 {
			continue
		}
		grouped, err := c.grouped(ctx, kind)
		if err != nil {
			return plan, err
		}
		if !grouped {
			path, group := api("properties", kind+"/groups"), propertyGroup{groupName, groupLabel}
			plan.Steps = append(plan.Steps, connectors.Step{Change: connectors.Create, What: "property group", Target: kind + "." + groupName, Detail: groupLabel,
				Do: func(ctx context.Context) error { return c.create(ctx, path, groupName, group) }})
		}
		for _, f := range missing {
			if strings.HasPrefix(f.property, "hs_") || f.property != strings.ToLower(f.property) {
				return plan, &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{f.property},
					Message: fmt.Sprintf("there is no property %s, which the configuration names for %s, and it cannot be created", f.property, f.Name),
					Remedy:  "Name one in lower case that does not begin with hs_, under handoff_fields"}
			}
			d := define(f)
			plan.Steps = append(plan.Steps, connectors.Step{Change: connectors.Create, What: "property", Target: kind + "." + f.property, Detail: d.detail(),
				Do: func(ctx context.Context) error { return c.create(ctx, api("properties", kind), d.Name, d) }})
		}
	}
	return plan, nil
}

// Apply implements connectors.Provisioner.
func (c *Client) Apply(ctx context.Context, step connectors.Step) error {
	err := step.Do(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = nil // there may be more now
	return err
}

func (c *Client) grouped(ctx context.Context, kind string) (bool, error) {
	groups, err := fetch[propertyGroup](ctx, c, call{op: opSetup, method: http.MethodGet, path: api("properties", kind+"/groups"), repeatable: true})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(groups.Results, func(g propertyGroup) bool { return g.Name == groupName }), nil
}

// create makes a property or a group that may exist by now. A property that was archived keeps its name from others.
func (c *Client) create(ctx context.Context, path, name string, body any) error {
	discard := func(http.Header, []byte) error { return nil }
	err := c.send(ctx, call{op: opSetup, method: http.MethodPost, path: path, body: body, repeatable: true}, discard)
	if status(err) != http.StatusConflict {
		return err
	}
	if status(c.send(ctx, call{op: opSetup, method: http.MethodGet, path: path + "/" + name, repeatable: true}, discard)) == http.StatusNotFound {
		return &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Status: http.StatusConflict, Fields: []string{name},
			Message: fmt.Sprintf("the name %s is taken by something that was archived", name), Remedy: "Restore it, or delete it for good, under Settings > Properties > Archived properties"}
	}
	return nil
}

// define is a property of ours as it is created.
func define(f ownField) definition {
	d := definition{Name: f.property, Label: f.Label, Group: groupName, Description: f.Help}
	switch f.Type {
	case crm.Number:
		d.Type, d.FieldType = "number", "number"
	case crm.Picklist:
		d.Type, d.FieldType = "enumeration", "select"
		for i, o := range f.Options {
			d.Options = append(d.Options, option{Label: o, Value: o, DisplayOrder: i})
		}
	case crm.Checkbox:
		d.Type, d.FieldType = "bool", "booleancheckbox"
		d.Options = []option{{Label: "Yes", Value: "true"}, {Label: "No", Value: "false", DisplayOrder: 1}}
	case crm.LongText:
		d.Type, d.FieldType = "string", "textarea"
	case crm.Text:
		d.Type, d.FieldType = "string", "text"
	case crm.DateTime:
		d.Type, d.FieldType = "datetime", "date"
	}
	return d
}

// detail says the type as an admin reads it in the settings.
func (d definition) detail() string {
	switch d.FieldType {
	case "number":
		return "Number"
	case "select":
		var labels []string
		for _, o := range d.Options {
			labels = append(labels, o.Label)
		}
		return "Dropdown select: " + strings.Join(labels, ", ")
	case "booleancheckbox":
		return "Single checkbox"
	case "textarea":
		return "Multi-line text"
	case "text":
		return "Single-line text"
	}
	return "Date and time picker"
}
