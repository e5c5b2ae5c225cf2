package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

const opSetup = "set up our fields"

// Plan implements connectors.Provisioner.
func (c *Client) Plan(ctx context.Context, opts connectors.SetupOptions) (connectors.Plan, error) {
	s, _, err := c.look(ctx) // its faults keep deals from being read, not fields from being made
	if err != nil {
		return connectors.Plan{}, err
	}
	plan := connectors.Plan{ByHand: c.byHand(s, opts)}
	for _, steps := range []func() ([]connectors.Step, error){
		func() ([]connectors.Step, error) { return c.planFields(ctx, s) },
		func() ([]connectors.Step, error) { return c.planPermissions(ctx) },
		func() ([]connectors.Step, error) { return c.planLayouts(ctx, opts.Layouts) },
		func() ([]connectors.Step, error) { return c.planListView(ctx) },
	} {
		next, err := steps()
		if err != nil {
			return connectors.Plan{}, maySetUp(err)
		}
		plan.Steps = append(plan.Steps, next...)
	}
	return plan, nil
}

// Apply implements connectors.Provisioner.
func (c *Client) Apply(ctx context.Context, step connectors.Step) error {
	err := step.Do(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema = nil // it may show more now, or less
	return maySetUp(err)
}

// maySetUp says of a refusal what whoever sets up needs and runs do not.
func maySetUp(err error) error {
	if e := refused(err); e != nil && (e.Code == "INVALID_TYPE" || strings.HasPrefix(e.Code, "INSUFFICIENT_ACCESS")) {
		e.Remedy = "For as long as setup takes, grant the integration user the permissions \"Customize Application\", \"Manage Profiles and Permission Sets\", \"Assign Permission Sets\" and " +
			"\"Manage Public List Views\", or leave it to an admin: `handoff setup --export FOLDER` writes a project to deploy"
	}
	return err
}

// byHand says what is left to a person, whom no API replaces.
func (c *Client) byHand(s *schema, opts connectors.SetupOptions) []string {
	var tasks []string
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			if text, remedy := fieldTrouble(f, s.objects[sobjects[object]]); text != "" && text != missingField && text != readOnlyField {
				tasks = append(tasks, fmt.Sprintf("%s.%s: %s. %s.", sobjects[object], f.API, text, remedy))
			}
		}
	}
	if len(opts.Layouts) == 0 {
		tasks = append(tasks, "Put the fields where people see them: run `handoff setup --apply --layout \"Opportunity Layout\"` with the names of your page layouts, "+
			"or drag them onto a layout under Setup > Object Manager > Opportunity > Page Layouts.")
	}
	return append(tasks,
		"Where a Lightning record page uses Dynamic Forms, page layouts do not rule it: add the fields to the page under Setup > Object Manager > Opportunity > Lightning Record Pages > Edit.",
		"Decide who sees the scores. The permission set is for the integration user alone; give CSMs and managers read access to the fields in a permission set of their own, and edit access to the items, "+
			"Handoff Acceptance and Handoff Finalised. AEs need Handoff Gaps and Handoff Next Action only: without access to the other fields, they do not see scores.")
}

// planFields lists the fields that do not exist. One that we merely cannot see does.
func (c *Client) planFields(ctx context.Context, s *schema) ([]connectors.Step, error) {
	var steps []connectors.Step
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		var unseen []ownField
		for _, f := range c.specs[object] {
			if _, seen := s.objects[sobjects[object]].field(f.API); !seen {
				unseen = append(unseen, f)
			}
		}
		if len(unseen) == 0 {
			continue
		}
		exist, err := c.existing(ctx, sobjects[object])
		if err != nil {
			return nil, err
		}
		tracked := trackedFields(c.specs[object])
		for _, f := range unseen {
			if _, there := exist[strings.ToLower(f.API)]; there {
				continue
			}
			if !creatable(f.API) {
				return nil, notCustom(f)
			}
			full := sobjects[object] + "." + f.API
			m := metadataOf(f)
			m.TrackHistory = tracked[f.Name]
			steps = append(steps, connectors.Step{Change: connectors.Create, What: "field", Target: full, Detail: fieldDetail(f.FieldSpec),
				Do: func(ctx context.Context) error { return c.createField(ctx, full, m) }})
		}
	}
	return steps, nil
}

var customName = regexp.MustCompile(`^[A-Za-z](_?[A-Za-z0-9])*__c$`)

// creatable reports whether Salesforce lets a field be created with an API name.
func creatable(name string) bool {
	const longest = 40 + len("__c")
	return len(name) <= longest && customName.MatchString(name)
}

// notCustom is the error of a field that is not there and that nobody can create.
func notCustom(f ownField) *connectors.Error {
	return &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{f.API}, Setting: "handoff_fields." + f.Name,
		Message: fmt.Sprintf("there is no field %s, which the configuration names for %s, and it cannot be created", f.API, f.Name),
		Remedy:  "Name a custom field: letters, digits and single underscores, 40 at most, then __c"}
}

// existingField is a custom field as the Tooling API finds it.
type existingField struct {
	id, name string
	marked   bool // we made it
}

// existing asks the Tooling API, which shows fields whoever may see them, for the custom fields of an object that are the
// org's own. Keys are API names in lower case. By their descriptions, which mark ours, Salesforce does not filter.
func (c *Client) existing(ctx context.Context, object string) (map[string]existingField, error) {
	rows, err := c.tooling(ctx, selectFrom("CustomField", []string{"Id", "DeveloperName", "Description"}, all("TableEnumOrId = "+quote(object), noPackage), ""))
	exist := map[string]existingField{}
	for _, r := range rows {
		name := r.text("DeveloperName") + "__c"
		exist[strings.ToLower(name)] = existingField{r.text("Id"), name, strings.HasPrefix(r.text("Description"), madeMark)}
	}
	return exist, err
}

// noPackage is the condition that a managed package did not bring a thing: its names are apart from the org's own.
const noPackage = "NamespacePrefix = null"

// tooling asks the Tooling API.
func (c *Client) tooling(ctx context.Context, soql string) ([]row, error) {
	found := selection[row]{soql: soql}
	for path := c.base + "/tooling/query?q=" + url.QueryEscape(soql); path != ""; {
		get := call{op: opSetup, method: http.MethodGet, path: path, repeatable: true}
		err := c.do(ctx, get, func(_ http.Header, body []byte) (err error) {
			if path, err = found.take(body); err != nil {
				return connectors.Garbled(crmName, opSetup, err)
			}
			return nil
		})
		if err != nil {
			return nil, maySetUp(err)
		}
	}
	return found.rows, nil
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
func (c *Client) create(ctx context.Context, path string, record any) error {
	err := c.change(ctx, http.MethodPost, path, record)
	if exists(err) {
		return nil
	}
	return err
}

// remove deletes one record that may be gone by now.
func (c *Client) remove(ctx context.Context, path string) error {
	err := c.change(ctx, http.MethodDelete, path, nil)
	if code := code(err); code == "NOT_FOUND" || code == "ENTITY_IS_DELETED" {
		return nil
	}
	return err
}

// change sends one record, or nil for none, whose change does no harm when it comes twice. path is below the API's.
func (c *Client) change(ctx context.Context, method, path string, record any) error {
	send := call{op: opSetup, method: method, path: c.base + path, repeatable: true}
	if record != nil {
		body, err := json.Marshal(record, json.Deterministic(true))
		if err != nil {
			return err
		}
		send.body = body
	}
	return c.do(ctx, send, func(_ http.Header, body []byte) error {
		return connectors.WantJSON(crmName, opSetup, body)
	})
}

// exists reports whether an error says that what was to be made is there already.
func exists(err error) bool { return strings.HasPrefix(code(err), "DUPLICATE_") }
