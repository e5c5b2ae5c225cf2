package salesforce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// The permission set that shows our fields to the integration user: a field made by API is visible to nobody.
const (
	permissionSet      = "Handoff_Integration"
	permissionSetLabel = "Handoff integration"
)

const maxTracked = 20 // fields whose history an object keeps

const opSetup = "set up our fields"

// Plan implements connectors.Provisioner.
func (c *Client) Plan(ctx context.Context, opts connectors.SetupOptions) (connectors.Plan, error) {
	steps, err := c.planFields(ctx, c.specs)
	if err != nil {
		return connectors.Plan{}, err
	}
	me, err := c.me(ctx)
	if err != nil {
		return connectors.Plan{}, err
	}
	grants, err := c.planGrants(ctx, c.specs, me)
	return connectors.Plan{Steps: append(steps, grants...)}, err
}

// Apply implements connectors.Provisioner.
func (c *Client) Apply(ctx context.Context, step connectors.Step) error {
	err := step.Do(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = nil // it may show more now
	return err
}

// planFields lists the fields that do not exist. One that we merely cannot see does.
func (c *Client) planFields(ctx context.Context, own map[crm.Object][]ownField) ([]connectors.Step, error) {
	s, _, err := c.describe(ctx)
	if err != nil {
		return nil, err
	}
	var steps []connectors.Step
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		var unseen []ownField
		for _, f := range own[object] {
			if _, seen := s.objects[sobjects[object]].field(f.API); !seen {
				unseen = append(unseen, f)
			}
		}
		exist, err := c.existing(ctx, sobjects[object], unseen)
		if err != nil {
			return nil, err
		}
		tracked := trackedFields(own[object])
		for _, f := range unseen {
			name, custom := strings.CutSuffix(f.API, "__c")
			switch {
			case !custom:
				return nil, &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{f.API},
					Message: fmt.Sprintf("there is no field %s, which the configuration names for %s, and it cannot be created", f.API, f.Name),
					Remedy:  "Name a custom field, which ends in __c, under handoff_fields"}
			case exist[strings.ToLower(name)]:
				continue
			}
			metadata := fieldMetadata(f.FieldSpec, tracked[f.Name])
			full := sobjects[object] + "." + f.API
			steps = append(steps, connectors.Step{Change: connectors.Create, What: "field", Target: full, Detail: fieldDetail(f.FieldSpec),
				Do: func(ctx context.Context) error { return c.createField(ctx, full, metadata) }})
		}
	}
	return steps, nil
}

// existing asks the Tooling API, which shows fields whoever may see them. Keys are in lower case, without "__c".
func (c *Client) existing(ctx context.Context, object string, fields []ownField) (map[string]bool, error) {
	exist := map[string]bool{}
	var names []string
	for _, f := range fields {
		names = append(names, strings.TrimSuffix(f.API, "__c"))
	}
	if len(names) == 0 {
		return exist, nil
	}
	soql := selectFrom("CustomField", []string{"Id", "DeveloperName"}, all("TableEnumOrId = "+quote(object), anyOf("DeveloperName", names)), "")
	rows := selection[struct {
		Name string `json:"DeveloperName"`
	}]{}
	get := call{op: opSetup, method: http.MethodGet, path: c.base + "/tooling/query?q=" + url.QueryEscape(soql), repeatable: true}
	err := c.do(ctx, get, func(_ http.Header, body []byte) error {
		if _, err := rows.take(body); err != nil {
			return connectors.Garbled(crmName, opSetup, err)
		}
		return nil
	})
	for _, r := range rows.rows {
		exist[strings.ToLower(r.Name)] = true
	}
	return exist, err
}

// trackedFields are the fields whose history is most worth having, by neutral name: who finalised and accepted, then who
// edited which item.
func trackedFields(fields []ownField) map[string]bool {
	var names []string
	for _, name := range []string{"finalised", "acceptance"} {
		if slices.ContainsFunc(fields, func(f ownField) bool { return f.Name == name }) {
			names = append(names, name)
		}
	}
	for _, f := range fields {
		if strings.HasPrefix(f.Name, "item_") && f.Type == crm.Number && len(names) < maxTracked {
			names = append(names, f.Name)
		}
	}
	tracked := map[string]bool{}
	for _, name := range names {
		tracked[name] = true
	}
	return tracked
}

// fieldMetadata is a field as the Tooling API creates it.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
func fieldMetadata(f crm.FieldSpec, tracked bool) map[string]any {
	m := map[string]any{"label": f.Label}
	if f.Help != "" {
		m["inlineHelpText"] = f.Help
	}
	if tracked {
		m["trackHistory"] = true
	}
	switch f.Type {
	case crm.Number:
		m["type"], m["precision"], m["scale"] = "Number", 3, 0
	case crm.Picklist:
		var values []map[string]any
		for _, option := range f.Options {
			values = append(values, map[string]any{"fullName": option, "label": option, "default": false})
		}
		m["type"] = "Picklist"
		m["valueSet"] = map[string]any{"restricted": true, "valueSetDefinition": map[string]any{"sorted": false, "value": values}}
	case crm.Checkbox:
		m["type"], m["defaultValue"] = "Checkbox", "false"
	case crm.LongText:
		m["type"], m["length"], m["visibleLines"] = "LongTextArea", f.Length, 6
	case crm.Text:
		m["type"], m["length"] = "Text", f.Length
	case crm.DateTime:
		m["type"] = "DateTime"
	}
	return m
}

// fieldDetail says the type as an admin reads it in Setup.
func fieldDetail(f crm.FieldSpec) string {
	switch f.Type {
	case crm.Number:
		return "Number(3,0)"
	case crm.Picklist:
		return "Picklist: " + strings.Join(f.Options, ", ")
	case crm.Checkbox:
		return "Checkbox"
	case crm.LongText:
		return fmt.Sprintf("LongTextArea(%d)", f.Length)
	case crm.Text:
		return fmt.Sprintf("Text(%d)", f.Length)
	}
	return "DateTime"
}

// createField creates a field that may exist by now. Where the object's history tracks as many fields as it can, the
// field is created without.
func (c *Client) createField(ctx context.Context, full string, metadata map[string]any) error {
	err := c.create(ctx, "/tooling/sobjects/CustomField", map[string]any{"FullName": full, "Metadata": metadata})
	if e := (*connectors.Error)(nil); errors.As(err, &e) && metadata["trackHistory"] != nil && strings.Contains(strings.ToLower(e.Message), "history") {
		untracked := maps.Clone(metadata)
		delete(untracked, "trackHistory")
		return c.create(ctx, "/tooling/sobjects/CustomField", map[string]any{"FullName": full, "Metadata": untracked})
	}
	return err
}

// planGrants lists what keeps the integration user from our fields.
func (c *Client) planGrants(ctx context.Context, own map[crm.Object][]ownField, me string) ([]connectors.Step, error) {
	set, err := c.permissionSet(ctx)
	if err != nil {
		return nil, err
	}
	var steps []connectors.Step
	if set == "" {
		steps = append(steps, connectors.Step{Change: connectors.Create, What: "permission set", Target: permissionSet, Detail: permissionSetLabel, Do: func(ctx context.Context) error {
			return c.create(ctx, "/sobjects/PermissionSet", map[string]any{"Name": permissionSet, "Label": permissionSetLabel,
				"Description": "Lets the integration user of handoff read and edit its fields."})
		}})
	}
	missing, err := c.missingGrants(ctx, own, set)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		steps = append(steps, connectors.Step{Change: connectors.Create, What: "grants", Target: permissionSet, Detail: fmt.Sprintf("read and edit of %d fields", len(missing)),
			Do: func(ctx context.Context) error { return c.grant(ctx, own) }})
	}
	assigned, err := c.assigned(ctx, set, me)
	if err != nil {
		return nil, err
	}
	if !assigned {
		steps = append(steps, connectors.Step{Change: connectors.Create, What: "assignment", Target: permissionSet, Detail: "to the integration user", Do: func(ctx context.Context) error {
			set, err := c.permissionSet(ctx)
			if err != nil {
				return err
			}
			return c.create(ctx, "/sobjects/PermissionSetAssignment", map[string]any{"PermissionSetId": set, "AssigneeId": me})
		}})
	}
	return steps, nil
}

// permissionSet returns the id of our permission set; "": there is none.
func (c *Client) permissionSet(ctx context.Context) (string, error) {
	rows, err := c.lookUp(ctx, selectFrom("PermissionSet", []string{"Id"}, "Name = "+quote(permissionSet), ""))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].text("Id"), nil
}

func (c *Client) assigned(ctx context.Context, set, user string) (bool, error) {
	if set == "" {
		return false, nil
	}
	rows, err := c.lookUp(ctx, selectFrom("PermissionSetAssignment", []string{"Id"}, all("PermissionSetId = "+quote(set), "AssigneeId = "+quote(user)), ""))
	return len(rows) > 0, err
}

// fieldGrant is a field that the permission set does not let the integration user edit.
type fieldGrant struct {
	object, field string // "Opportunity", "Opportunity.Handoff_Score__c"
	id            string // of the FieldPermissions that grant too little; "": there are none
}

func (c *Client) missingGrants(ctx context.Context, own map[crm.Object][]ownField, set string) ([]fieldGrant, error) {
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
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range own[object] {
			full := sobjects[object] + "." + f.API
			if r := granted[strings.ToLower(full)]; !r.flag("PermissionsEdit") {
				missing = append(missing, fieldGrant{sobjects[object], full, r.text("Id")})
			}
		}
	}
	return missing, nil
}

// grant lets our permission set read and edit all of our fields.
func (c *Client) grant(ctx context.Context, own map[crm.Object][]ownField) error {
	set, err := c.permissionSet(ctx)
	if err != nil {
		return err
	}
	missing, err := c.missingGrants(ctx, own, set)
	if err != nil {
		return err
	}
	var create, update []map[string]any
	for _, g := range missing {
		record := map[string]any{"attributes": map[string]string{"type": "FieldPermissions"}, "PermissionsRead": true, "PermissionsEdit": true}
		if g.id != "" {
			record["id"] = g.id
			update = append(update, record)
			continue
		}
		record["ParentId"], record["SobjectType"], record["Field"] = set, g.object, g.field
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
					return refused
				}
			}
		}
	}
	return nil
}

func (c *Client) lookUp(ctx context.Context, soql string) ([]row, error) {
	rows := &selection[row]{soql: soql}
	if _, err := c.read(ctx, opSetup, rows); err != nil {
		return nil, err
	}
	if rows.err != nil {
		return nil, rows.err
	}
	return rows.rows, nil
}

// create makes one record that may exist by now.
func (c *Client) create(ctx context.Context, path string, record map[string]any) error {
	body, err := json.Marshal(record, json.Deterministic(true))
	if err != nil {
		return err
	}
	post := call{op: opSetup, method: http.MethodPost, path: c.base + path, body: body, repeatable: true}
	err = c.do(ctx, post, func(http.Header, []byte) error { return nil })
	if exists(err) {
		return nil
	}
	return err
}

// exists reports whether an error says that what was to be made is there already.
func exists(err error) bool { return strings.HasPrefix(code(err), "DUPLICATE_") }
