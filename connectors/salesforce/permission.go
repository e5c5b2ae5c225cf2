package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"handoff/connectors"
)

// The permission set that shows our fields to the integration user, and what runs read: a field made by API is visible to
// nobody, and the profile that goes with the licence of integrations shows nothing.
const (
	permissionSet      = "Handoff_Integration"
	permissionSetLabel = "Handoff integration"
	permissionSetText  = madeMark + " Lets its integration user read deals and what is around them, and edit the fields of handoff."
)

// accessActivities is the system permission without which activities are hidden, whatever they belong to.
// https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference_PermissionSet.htm
const accessActivities = "PermissionsActivitiesAccess"

// objectGrant is what our permission set allows on an object, beside reading all its records, and why.
type objectGrant struct {
	object string
	edit   bool
	why    string
}

// objectGrants are the least that does, in an order in which Salesforce takes them: whoever reads an opportunity, a
// contact or a contract must be able to read accounts. Activities, notes and e-mails have no permissions of their own
// kind: they follow the records that they belong to, activities where accessActivities is given.
var objectGrants = []objectGrant{
	{"Account", true, "reads the customer's name and the facts that are kept with it; writes the health of its latest deal"},
	{"Opportunity", true, "reads won deals; writes the handoff fields"},
	{"Contact", false, "reads who takes part in a deal, and whether they can be reached"},
	{"Contract", false, "reads the facts that are kept with a deal's contract"},
}

func (g objectGrant) String() string {
	if g.edit {
		return "Read, Edit, View All: " + g.why
	}
	return "Read, View All: " + g.why
}

// wantedGrants are the objectGrants that this configuration needs.
func (c *Client) wantedGrants() []objectGrant {
	return slices.DeleteFunc(slices.Clone(objectGrants), func(g objectGrant) bool { return g.object == "Contract" && !c.readsContracts() })
}

// planPermissions lists what keeps the integration user from deals, and from fields that runs read and write.
func (c *Client) planPermissions(ctx context.Context) ([]connectors.Step, error) {
	me, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	set, _, err := c.permissionSet(ctx)
	if err != nil {
		return nil, err
	}
	var steps []connectors.Step
	add := func(change connectors.Change, what, target, detail string, do func(ctx context.Context, set string) error) {
		steps = append(steps, connectors.Step{Change: change, What: what, Target: target, Detail: detail, Do: func(ctx context.Context) error {
			set, _, err := c.permissionSet(ctx)
			if err != nil {
				return err
			}
			return do(ctx, set)
		}})
	}
	if set == "" {
		add(connectors.Create, "permission set", permissionSet, permissionSetLabel, func(ctx context.Context, _ string) error {
			return c.create(ctx, "/sobjects/PermissionSet", map[string]any{"Name": permissionSet, "Label": permissionSetLabel, "Description": permissionSetText})
		})
	}
	allowed, err := c.objectPermissions(ctx, set)
	if err != nil {
		return nil, err
	}
	for _, g := range c.wantedGrants() {
		switch there := allowed[g.object]; {
		case there == nil:
			add(connectors.Create, "object permission", g.object, g.String(), func(ctx context.Context, set string) error { return c.allow(ctx, set, g) })
		case !g.covered(there):
			add(connectors.Alter, "object permission", g.object, g.String(), func(ctx context.Context, set string) error { return c.allow(ctx, set, g) })
		}
	}
	reads, err := c.readGrants(ctx)
	if err != nil {
		return nil, err
	}
	for _, grants := range []struct {
		wanted []fieldGrant
		detail string
	}{{c.ownGrants(), "Read and Edit of %s"}, {reads, "Read of %s of yours"}} {
		missing, err := c.missingGrants(ctx, set, grants.wanted)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			add(connectors.Create, "field permissions", permissionSet, fmt.Sprintf(grants.detail, countOf(len(missing), "field")), func(ctx context.Context, set string) error {
				return c.grantFields(ctx, set, grants.wanted)
			})
		}
	}
	assigned, err := c.assignments(ctx, set, "AssigneeId = "+quote(me))
	if err != nil {
		return nil, err
	}
	if len(assigned) == 0 {
		add(connectors.Create, "assignment", permissionSet, "to the integration user", func(ctx context.Context, set string) error {
			return c.create(ctx, "/sobjects/PermissionSetAssignment", map[string]any{"PermissionSetId": set, "AssigneeId": me})
		})
	}
	active, err := c.lookUp(ctx, selectFrom("PermissionSet", []string{"Id"}, all("Name = "+quote(permissionSet), noPackage, accessActivities+" = true"), ""))
	if err != nil {
		return nil, err
	}
	if len(active) == 0 {
		add(connectors.Create, "system permission", permissionSet, "Access Activities: reads tasks and events", func(ctx context.Context, set string) error {
			return c.change(ctx, http.MethodPatch, "/sobjects/PermissionSet/"+set, map[string]any{accessActivities: true})
		})
	}
	return steps, nil
}

// permissionSet returns the id of our permission set, and whether we made it; "": there is none.
func (c *Client) permissionSet(ctx context.Context) (id string, marked bool, err error) {
	rows, err := c.lookUp(ctx, selectFrom("PermissionSet", []string{"Id", "Description"}, all("Name = "+quote(permissionSet), noPackage), ""))
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	return rows[0].text("Id"), strings.HasPrefix(rows[0].text("Description"), madeMark), nil
}

// assignments returns the ids of the assignments of a permission set, where a condition holds; "": of all.
func (c *Client) assignments(ctx context.Context, set, where string) ([]string, error) {
	if set == "" {
		return nil, nil
	}
	rows, err := c.lookUp(ctx, selectFrom("PermissionSetAssignment", []string{"Id"}, all("PermissionSetId = "+quote(set), where), ""))
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.text("Id"))
	}
	return ids, err
}

// objectPermissions returns what a permission set allows, by object.
func (c *Client) objectPermissions(ctx context.Context, set string) (map[string]row, error) {
	allowed := map[string]row{}
	if set == "" {
		return allowed, nil
	}
	rows, err := c.lookUp(ctx, selectFrom("ObjectPermissions",
		[]string{"Id", "SobjectType", "PermissionsRead", "PermissionsEdit", "PermissionsViewAllRecords"}, "ParentId = "+quote(set), ""))
	for _, r := range rows {
		allowed[r.text("SobjectType")] = r
	}
	return allowed, err
}

func (g objectGrant) covered(by row) bool {
	return by.flag("PermissionsRead") && by.flag("PermissionsViewAllRecords") && (by.flag("PermissionsEdit") || !g.edit)
}

// allow lets our permission set do what g says, and keeps what it may beyond that.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_objectpermissions.htm
func (c *Client) allow(ctx context.Context, set string, g objectGrant) error {
	allowed, err := c.objectPermissions(ctx, set)
	if err != nil {
		return err
	}
	record := map[string]any{"PermissionsRead": true, "PermissionsViewAllRecords": true}
	if g.edit {
		record["PermissionsEdit"] = true
	}
	if there := allowed[g.object]; there != nil {
		return c.change(ctx, http.MethodPatch, "/sobjects/ObjectPermissions/"+there.text("Id"), record)
	}
	record["ParentId"], record["SobjectType"] = set, g.object
	return c.create(ctx, "/sobjects/ObjectPermissions", record)
}
