package salesforce

import (
	"context"
	"fmt"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// PlanRemoval implements connectors.Provisioner. What points at a thing goes before the thing. Nothing here needs the
// permissions that it takes away.
func (c *Client) PlanRemoval(ctx context.Context) (connectors.Plan, error) {
	plan, err := c.planRemoval(ctx)
	return plan, maySetUp(err)
}

func (c *Client) planRemoval(ctx context.Context) (connectors.Plan, error) {
	var plan connectors.Plan
	add := func(what, target, detail string, do func(context.Context) error) {
		plan.Steps = append(plan.Steps, connectors.Step{Change: connectors.Delete, What: what, Target: target, Detail: detail, Do: do})
	}
	stays := func(what, sign string) {
		plan.ByHand = append(plan.ByHand, fmt.Sprintf("%s was not made by handoff, so it stays: %s", what, sign))
	}
	switch label, there, err := c.listViewThere(ctx); {
	case err != nil:
		return plan, err
	case there && label == listViewLabel:
		add("list view", "Opportunity."+listView, listViewLabel, c.removeListView)
	case there:
		stays(fmt.Sprintf("The list view Opportunity.%s", listView), fmt.Sprintf("it is called %q. Delete it under Opportunities if nobody needs it.", label))
	}
	exist, ours := map[crm.Object]map[string]existingField{}, map[crm.Object]map[string]bool{}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		var err error
		if exist[object], err = c.existing(ctx, sobjects[object]); err != nil {
			return plan, err
		}
		ours[object] = c.ownNames(object, exist[object])
	}
	layouts, err := c.pageLayouts(ctx)
	if err != nil {
		return plan, err
	}
	for _, l := range layouts {
		p, err := c.page(ctx, l)
		if err != nil {
			return plan, err
		}
		if hide(p, ours[l.object]) {
			add("layout section", l.String(), sectionLabel+"; the rest of the layout stays as it is", func(ctx context.Context) error { return c.clear(ctx, l, ours[l.object]) })
		}
	}
	set, marked, err := c.permissionSet(ctx)
	if err != nil {
		return plan, err
	}
	if set != "" && !marked {
		stays("The permission set "+permissionSet, fmt.Sprintf("its description does not begin with %q. Take out of it what nobody needs: read, edit and view all of opportunities, accounts, contacts and contracts.", madeMark))
	}
	if marked {
		assigned, err := c.assignments(ctx, set, "")
		if err != nil {
			return plan, err
		}
		if len(assigned) > 0 {
			add("assignment", permissionSet, countOf(len(assigned), "user"), c.unassign)
		}
		add("permission set", permissionSet, permissionSetLabel+", with its object and field permissions", func(ctx context.Context) error { return c.remove(ctx, "/sobjects/PermissionSet/"+set) })
	}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		exist := exist[object]
		drop := func(f existingField, detail string) {
			add("field", sobjects[object]+"."+f.name, detail+", with its values", func(ctx context.Context) error { return c.remove(ctx, "/tooling/sobjects/CustomField/"+f.id) })
		}
		for _, f := range c.specs[object] {
			full := sobjects[object] + "." + f.API
			switch found, there := exist[strings.ToLower(f.API)]; {
			case there && found.marked:
				drop(found, fieldDetail(f.FieldSpec))
			case there:
				stays(full, fmt.Sprintf("its description does not begin with %q. Delete it under Setup > Object Manager if nobody needs it.", madeMark))
			}
			delete(exist, strings.ToLower(f.API))
		}
		for _, key := range sortedKeys(exist) {
			if exist[key].marked {
				drop(exist[key], "made under an earlier configuration")
			}
		}
	}
	if len(plan.Steps) > 0 {
		plan.ByHand = append(plan.ByHand, "Salesforce keeps deleted fields with their values for 15 days, under Setup > Object Manager > Opportunity > Fields & Relationships > Deleted Fields: erase them there for good.")
	}
	return plan, nil
}

// ownNames are the fields of an object that we write, or have made, by API name in lower case.
func (c *Client) ownNames(object crm.Object, exist map[string]existingField) map[string]bool {
	ours := map[string]bool{}
	for _, f := range c.specs[object] {
		ours[strings.ToLower(f.API)] = true
	}
	for key, f := range exist {
		if f.marked {
			ours[key] = true
		}
	}
	return ours
}

// clear takes our section off a layout.
func (c *Client) clear(ctx context.Context, l pageLayout, ours map[string]bool) error {
	p, err := c.page(ctx, l)
	if err != nil || !hide(p, ours) {
		return err
	}
	return c.savePage(ctx, l, p)
}

// unassign takes our permission set from whoever has it: Salesforce deletes none that is assigned.
func (c *Client) unassign(ctx context.Context) error {
	set, marked, err := c.permissionSet(ctx)
	if err != nil || !marked {
		return err
	}
	assigned, err := c.assignments(ctx, set, "")
	if err != nil {
		return err
	}
	for _, id := range assigned {
		if err := c.remove(ctx, "/sobjects/PermissionSetAssignment/"+id); err != nil {
			return err
		}
	}
	return nil
}
