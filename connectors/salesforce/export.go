package salesforce

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/crm"
)

type permissionSetMetadata struct {
	XMLName     xml.Name               `xml:"http://soap.sforce.com/2006/04/metadata PermissionSet"`
	Description string                 `xml:"description"`
	Fields      []fieldPermission      `xml:"fieldPermissions"`
	Activation  bool                   `xml:"hasActivationRequired"`
	Label       string                 `xml:"label"`
	Objects     []objectPermissionsXML `xml:"objectPermissions"`
	System      []systemPermission     `xml:"userPermissions"`
}

type systemPermission struct {
	Enabled bool   `xml:"enabled"`
	Name    string `xml:"name"`
}

type fieldPermission struct {
	Editable bool   `xml:"editable"`
	Field    string `xml:"field"`
	Readable bool   `xml:"readable"`
}

type objectPermissionsXML struct {
	Create    bool   `xml:"allowCreate"`
	Delete    bool   `xml:"allowDelete"`
	Edit      bool   `xml:"allowEdit"`
	Read      bool   `xml:"allowRead"`
	ModifyAll bool   `xml:"modifyAllRecords"`
	Object    string `xml:"object"`
	ViewAll   bool   `xml:"viewAllRecords"`
}

// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_listview.htm
type listViewMetadata struct {
	XMLName  xml.Name         `xml:"http://soap.sforce.com/2006/04/metadata ListView"`
	FullName string           `xml:"fullName"`
	Logic    string           `xml:"booleanFilter,omitempty"`
	Columns  []string         `xml:"columns"`
	Scope    string           `xml:"filterScope"`
	Filters  []listViewFilter `xml:"filters"`
	Label    string           `xml:"label"`
}

type listViewFilter struct {
	Field     string `xml:"field"`
	Operation string `xml:"operation"`
	Value     string `xml:"value"`
}

// Export returns our fields, their permission set and our list view as a source-format project that an admin can look at
// and deploy, by path. It makes no call: of cfg only Specs, Fields, HandoffFields, DealTypes and APIVersion count.
//
// Page layouts are not in it: a layout is deployed whole, and only the org has the rest of it.
func Export(cfg Config) (map[string][]byte, error) {
	if cfg.APIVersion == "" {
		cfg.APIVersion = DefaultAPIVersion
	}
	c := &Client{cfg: cfg, specs: ownFields(cfg)}
	project, err := json.Marshal(map[string]any{
		"name": "handoff", "namespace": "", "sourceApiVersion": cfg.APIVersion,
		"packageDirectories": []map[string]any{{"path": "force-app", "default": true}},
	}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"sfdx-project.json": append(project, '\n'), "README.md": []byte(exportReadme)}
	put := func(path string, metadata any) error {
		text, err := xml.MarshalIndent(metadata, "", "    ")
		if err != nil {
			return fmt.Errorf("export %s: %w", path, err)
		}
		files["force-app/main/default/"+path] = document(text)
		return nil
	}
	set := permissionSetMetadata{Description: permissionSetText, Label: permissionSetLabel,
		System: []systemPermission{{Enabled: true, Name: strings.TrimPrefix(accessActivities, "Permissions")}}}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			if !creatable(f.API) {
				return nil, notCustom(f)
			}
			if err := put("objects/"+sobjects[object]+"/fields/"+f.API+".field-meta.xml", metadataOf(f)); err != nil {
				return nil, err
			}
		}
	}
	for _, g := range c.ownGrants() {
		set.Fields = append(set.Fields, fieldPermission{Editable: true, Field: g.field, Readable: true})
	}
	reads := c.readFields()
	for _, field := range sortedKeys(reads) {
		if reads[field] { // a set with a field that the org lacks, or cannot hide, is not deployed
			set.Fields = append(set.Fields, fieldPermission{Field: field, Readable: true})
		}
	}
	for _, g := range c.wantedGrants() {
		set.Objects = append(set.Objects, objectPermissionsXML{Edit: g.edit, Read: true, Object: g.object, ViewAll: true})
	}
	if err := put("permissionsets/"+permissionSet+".permissionset-meta.xml", set); err != nil {
		return nil, err
	}
	if filters := listFilters(c.specs[crm.DealObject]); len(filters) > 0 {
		list := listViewMetadata{FullName: listView, Logic: filterLogic(len(filters)), Scope: "Everything", Label: listViewLabel,
			Columns: append([]string{"OPPORTUNITY.NAME", "ACCOUNT.NAME", "CORE.USERS.ALIAS", "OPPORTUNITY.CLOSE_DATE"}, listColumns(c.specs[crm.DealObject])...)}
		for _, f := range filters {
			list.Filters = append(list.Filters, listViewFilter{f.field, "equals", f.plain})
		}
		if err := put("objects/Opportunity/listViews/"+listView+".listView-meta.xml", list); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// document is text as a file of its own.
func document(text []byte) []byte {
	return bytes.Join([][]byte{[]byte(strings.TrimSuffix(xml.Header, "\n")), text, nil}, []byte("\n"))
}

const exportReadme = "# Handoff for Salesforce\n" + `
What ` + "`handoff setup --apply`" + ` would create, for an admin to look at and to deploy: custom fields of Opportunity and Account, the permission set
` + permissionSet + ` for the integration user, and the list view "` + listViewLabel + `" of opportunities. Deployed, it replaces what the org has under these names:
it is for orgs in which setup has not run.

In this folder, with the Salesforce CLI, first in a sandbox (here called uat):

` + "```sh" + `
sf org login web --alias uat --instance-url https://test.salesforce.com
sf project deploy start --source-dir force-app --target-org uat --dry-run
sf project deploy start --source-dir force-app --target-org uat
sf org assign permset --name ` + permissionSet + ` --on-behalf-of integration.user@example.com --target-org uat
` + "```" + `

Then:

1. Page layouts are not in here, because one is deployed as a whole: run ` + "`handoff setup --apply --layout \"Opportunity Layout\"`" + `, or drag the fields onto your
   layouts under Setup > Object Manager > Opportunity > Page Layouts.
2. The permission set shows ` + "`handoff`" + ` the standard fields that it reads, and those that the configuration names. Let it read
   the others that Sales fills in, such as Champion: Setup > Permission Sets > ` + permissionSetLabel + ` > Object Settings.
3. Let Salesforce keep who edited a score: Setup > Object Manager > Opportunity > Fields & Relationships > Set History Tracking, and tick Handoff
   Finalised, Handoff Acceptance and the items. It keeps 20 fields an object.

` + "`handoff check`" + ` says whether all is in place.
`
