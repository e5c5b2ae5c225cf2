package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"handoff/crm"
)

// secured are the standard fields, those of facts left out, that we read and that field-level security may hide. What is
// not here comes with its object: names, owners, what is required and what the system keeps.
var secured = map[string][]string{
	"Opportunity": {"AccountId", "Amount"},
	"Contact":     {"Email", "MobilePhone", "Phone", "Title"},
	"Event":       {"Description", "Type", "WhatId"},
	"Task":        {"Description", "WhatId"},
}

// readFields are the fields, not ours, that runs of this configuration read where the org has them and lets us see them,
// such as "Opportunity.Amount". True: the org has it, and can hide it.
func (c *Client) readFields() map[string]bool {
	all := map[string]bool{}
	add := func(object, name string, sure bool) {
		full := object + "." + name
		all[full] = all[full] || sure
	}
	for object, names := range secured {
		for _, name := range names {
			add(object, name, true)
		}
	}
	if len(c.cfg.DealTypes) > 0 {
		add(opportunity, "Type", true)
	}
	if c.cfg.CaseAsOf {
		add(opportunity, caseAsOf, false)
	}
	for fact, places := range c.places() {
		chosen := c.cfg.Fields[fact]
		if chosen != "" {
			places = []string{chosen}
		}
		for _, place := range places {
			object, name, isParent := strings.Cut(place, ".")
			switch {
			case !isParent:
				object, name = opportunity, place
			case object == "Account", object == "Contract" && c.readsContracts():
				add(opportunity, object+"Id", true)
			default:
				continue
			}
			// Orgs have all of our standard fields and need not have our custom ones. What somebody chose is there; if it is a
			// standard field, it may be one that cannot be hidden.
			add(object, name, isCustom(name) == (chosen != ""))
		}
	}
	return all
}

// readsContracts reports whether the configuration names a field of the contract.
func (c *Client) readsContracts() bool {
	for _, field := range c.cfg.Fields {
		if strings.HasPrefix(field, "Contract.") {
			return true
		}
	}
	return false
}

func isCustom(field string) bool { return strings.HasSuffix(field, "__c") }

// fieldGrant is what our permission set allows on a field, beside reading it.
type fieldGrant struct {
	field string // "Opportunity.Handoff_Score__c"
	edit  bool
	id    string // of the FieldPermissions that grant too little; "": there are none
}

// ownGrants are those of our own fields.
func (c *Client) ownGrants() []fieldGrant {
	var grants []fieldGrant
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			grants = append(grants, fieldGrant{field: sobjects[object] + "." + f.API, edit: true})
		}
	}
	return grants
}

// readGrants are those of the fields that we read: of those that the org has and can hide, whoever may see them.
// https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_entityparticle.htm
func (c *Client) readGrants(ctx context.Context) ([]fieldGrant, error) {
	wanted := c.readFields()
	var objects, names []string
	for full := range wanted {
		object, name, _ := strings.Cut(full, ".")
		objects, names = append(objects, object), append(names, name)
	}
	rows, err := c.tooling(ctx, selectFrom("EntityParticle", []string{"EntityDefinition.QualifiedApiName", "QualifiedApiName"}, all("IsPermissionable = true",
		anyOf("EntityDefinition.QualifiedApiName", unique(objects)), anyOf("QualifiedApiName", unique(names))), ""))
	if err != nil {
		return nil, err
	}
	grantable := map[string]bool{}
	for _, r := range rows {
		grantable[strings.ToLower(r.text("EntityDefinition", "QualifiedApiName")+"."+r.text("QualifiedApiName"))] = true
	}
	var grants []fieldGrant
	for _, full := range sortedKeys(wanted) {
		if grantable[strings.ToLower(full)] {
			grants = append(grants, fieldGrant{field: full})
		}
	}
	return grants, nil
}

// missingGrants returns those of the wanted grants that a permission set lacks; "": there is no set.
func (c *Client) missingGrants(ctx context.Context, set string, wanted []fieldGrant) ([]fieldGrant, error) {
	granted := map[string]row{}
	if set != "" {
		rows, err := c.lookUp(ctx, selectFrom("FieldPermissions", []string{"Id", "Field", "PermissionsEdit"}, "ParentId = "+quote(set), ""))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			granted[strings.ToLower(r.text("Field"))] = r
		}
	}
	var missing []fieldGrant
	for _, g := range wanted {
		if there := granted[strings.ToLower(g.field)]; there == nil || g.edit && !there.flag("PermissionsEdit") {
			g.id = there.text("Id")
			missing = append(missing, g)
		}
	}
	return missing, nil
}

// grantFields gives a permission set those of the wanted grants that it lacks.
func (c *Client) grantFields(ctx context.Context, set string, wanted []fieldGrant) error {
	missing, err := c.missingGrants(ctx, set, wanted)
	if err != nil {
		return err
	}
	var create, update []map[string]any
	for _, g := range missing {
		record := map[string]any{"attributes": map[string]string{"type": "FieldPermissions"}, "PermissionsRead": true, "PermissionsEdit": g.edit}
		if g.id != "" {
			record["id"] = g.id
			update = append(update, record)
			continue
		}
		object, _, _ := strings.Cut(g.field, ".")
		record["ParentId"], record["SobjectType"], record["Field"] = set, object, g.field
		create = append(create, record)
	}
	for method, records := range map[string][]map[string]any{http.MethodPost: create, http.MethodPatch: update} {
		for batch := range slices.Chunk(records, maxRecords) {
			results, err := c.collection(ctx, opSetup, method, batch, true)
			if err != nil {
				return err
			}
			for _, refused := range results {
				if refused != nil && !exists(refused) {
					return fmt.Errorf("field permissions: %w", refused)
				}
			}
		}
	}
	return nil
}
