package salesforce_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/salesforce"
)

func TestExport(t *testing.T) {
	files, err := salesforce.Export(salesforce.Config{Specs: carded, HandoffFields: map[string]string{"score": "CS_Points__c"}, APIVersion: "66.0"})
	if err != nil {
		t.Fatal(err)
	}
	const fields = "force-app/main/default/objects/Opportunity/fields/"
	want := []string{
		"README.md",
		"force-app/main/default/objects/Account/fields/Handoff_Health__c.field-meta.xml",
		fields + "CS_Points__c.field-meta.xml",
		fields + "Handoff_Deal_Context__c.field-meta.xml",
		fields + "Handoff_Finalised__c.field-meta.xml",
		fields + "Handoff_Gaps__c.field-meta.xml",
		fields + "Handoff_Ghost_Reason__c.field-meta.xml",
		fields + "Handoff_Ghost__c.field-meta.xml",
		fields + "Handoff_Health__c.field-meta.xml",
		fields + "Handoff_Item_1_1__c.field-meta.xml",
		fields + "Handoff_Next_Action__c.field-meta.xml",
		fields + "Handoff_Rating__c.field-meta.xml",
		fields + "Handoff_Scored_At__c.field-meta.xml",
		"force-app/main/default/objects/Opportunity/listViews/Handoff_Ghost_Or_Incomplete.listView-meta.xml",
		"force-app/main/default/permissionsets/Handoff_Integration.permissionset-meta.xml",
		"sfdx-project.json",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
	var project struct {
		Name, SourceAPIVersion string
		PackageDirectories     []struct{ Path string }
	}
	if err := json.Unmarshal(files["sfdx-project.json"], &project); err != nil || project.Name != "handoff" || project.SourceAPIVersion != "66.0" ||
		len(project.PackageDirectories) != 1 || project.PackageDirectories[0].Path != "force-app" {
		t.Errorf("project %+v, %v", project, err)
	}
	for path, text := range files {
		if strings.HasSuffix(path, ".xml") {
			for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Errorf("%s: %v", path, err)
					break
				}
			}
		}
	}

	const description = "    <description>Made by handoff. `handoff setup --remove` deletes it; without these words it would be kept.</description>\n"
	for path, want := range map[string]string{
		fields + "CS_Points__c.field-meta.xml": `<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>CS_Points__c</fullName>
` + description + `    <inlineHelpText>Points in all</inlineHelpText>
    <label>Handoff Score</label>
    <precision>3</precision>
    <scale>0</scale>
    <type>Number</type>
</CustomField>
`,
		fields + "Handoff_Finalised__c.field-meta.xml": `<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Handoff_Finalised__c</fullName>
    <defaultValue>false</defaultValue>
` + description + `    <label>Handoff Finalised</label>
    <type>Checkbox</type>
</CustomField>
`,
		fields + "Handoff_Rating__c.field-meta.xml": `<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Handoff_Rating__c</fullName>
` + description + `    <label>Handoff Rating</label>
    <type>Picklist</type>
    <valueSet>
        <restricted>true</restricted>
        <valueSetDefinition>
            <sorted>false</sorted>
            <value>
                <fullName>Excellent</fullName>
                <default>false</default>
                <label>Excellent</label>
            </value>
            <value>
                <fullName>Incomplete</fullName>
                <default>false</default>
                <label>Incomplete</label>
            </value>
        </valueSetDefinition>
    </valueSet>
</CustomField>
`,
		"force-app/main/default/objects/Opportunity/listViews/Handoff_Ghost_Or_Incomplete.listView-meta.xml": `<?xml version="1.0" encoding="UTF-8"?>
<ListView xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Handoff_Ghost_Or_Incomplete</fullName>
    <booleanFilter>1 OR 2</booleanFilter>
    <columns>OPPORTUNITY.NAME</columns>
    <columns>ACCOUNT.NAME</columns>
    <columns>CORE.USERS.ALIAS</columns>
    <columns>OPPORTUNITY.CLOSE_DATE</columns>
    <columns>CS_Points__c</columns>
    <columns>Handoff_Rating__c</columns>
    <columns>Handoff_Health__c</columns>
    <columns>Handoff_Ghost_Reason__c</columns>
    <filterScope>Everything</filterScope>
    <filters>
        <field>Handoff_Ghost__c</field>
        <operation>equals</operation>
        <value>1</value>
    </filters>
    <filters>
        <field>Handoff_Rating__c</field>
        <operation>equals</operation>
        <value>Incomplete</value>
    </filters>
    <label>Ghost or incomplete handoffs</label>
</ListView>
`,
	} {
		if diff := cmp.Diff(want, string(files[path])); diff != "" {
			t.Errorf("%s, -want +got:\n%s", path, diff)
		}
	}
	set := string(files["force-app/main/default/permissionsets/Handoff_Integration.permissionset-meta.xml"])
	for text, n := range map[string]int{
		"<editable>true</editable>": len(carded), "<field>Opportunity.CS_Points__c</field>": 1, "<object>Account</object>": 1, "<object>Opportunity</object>": 1,
		"<object>Contact</object>": 1, "<object>Contract</object>": 0, "<allowEdit>true</allowEdit>": 2, "<viewAllRecords>true</viewAllRecords>": 3,
		"<name>ActivitiesAccess</name>": 1, "<field>Opportunity.Amount</field>": 1, "<field>Task.Description</field>": 1, "<field>Opportunity.NextStep</field>": 1, "<readable>true</readable>": len(carded) + 13,
		"<field>Opportunity.Champion__c</field>": 0, "<field>Opportunity.StageName</field>": 0,
		"<allowCreate>true</allowCreate>": 0, "<allowDelete>true</allowDelete>": 0, "<modifyAllRecords>true</modifyAllRecords>": 0,
	} {
		if got := strings.Count(set, text); got != n {
			t.Errorf("permission set: %d times %s, want %d", got, text, n)
		}
	}

	_, err = salesforce.Export(salesforce.Config{Specs: carded, HandoffFields: map[string]string{"score": "Points"}})
	if e := (*connectors.Error)(nil); !errors.As(err, &e) || e.Setting != "handoff_fields.score" {
		t.Errorf("a name that no field can have: %v", err)
	}
}
