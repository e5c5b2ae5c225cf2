package salesforce_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// carded are Specs and one field of each kind that setup treats in its own way.
var carded = append(slices.Clone(connectortest.Specs),
	crm.FieldSpec{Object: crm.DealObject, Name: "deal_context", Label: "Handoff Deal Context", Type: crm.Number},
	crm.FieldSpec{Object: crm.DealObject, Name: "rating", Label: "Handoff Rating", Type: crm.Picklist, Options: []string{"Excellent", "Incomplete"}},
	crm.FieldSpec{Object: crm.DealObject, Name: "finalised", Label: "Handoff Finalised", Type: crm.Checkbox},
	crm.FieldSpec{Object: crm.DealObject, Name: "ghost_reason", Label: "Handoff Ghost Reason", Type: crm.Text, Length: 255},
)

func withSpecs(specs []crm.FieldSpec) func(*salesforce.Config) {
	return func(c *salesforce.Config) { c.Specs = specs }
}

func lines(steps []connectors.Step) []string {
	var lines []string
	for _, s := range steps {
		lines = append(lines, string(rune(s.Change))+" "+s.What+" "+s.Target+": "+s.Detail)
	}
	return lines
}

func mustPlan(t *testing.T, c *salesforce.Client, layouts ...string) connectors.Plan {
	t.Helper()
	plan, err := c.Plan(t.Context(), connectors.SetupOptions{Layouts: layouts})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// sections returns the sections of a page layout as "label: behaviour field, …", one for each column.
func (l *lab) sections(t *testing.T, name string) (sections []string, metadata []byte) {
	t.Helper()
	var page struct{ Records []struct{ ID string } }
	found := l.call(t, http.MethodGet, "/services/data/v62.0/tooling/query?q=SELECT+Id+FROM+Layout+WHERE+Name='"+strings.ReplaceAll(name, " ", "+")+"'", nil)
	if err := json.Unmarshal(found, &page); err != nil || len(page.Records) != 1 {
		t.Fatalf("layout %s: %v: %s", name, err, found)
	}
	metadata = l.call(t, http.MethodGet, "/services/data/v62.0/tooling/sobjects/Layout/"+page.Records[0].ID, nil)
	var layout struct {
		Metadata struct {
			LayoutSections []struct {
				Label         string
				Style         string
				LayoutColumns []struct {
					LayoutItems []struct{ Behavior, Field string }
				}
			}
		}
	}
	if err := json.Unmarshal(metadata, &layout); err != nil {
		t.Fatal(err)
	}
	for _, s := range layout.Metadata.LayoutSections {
		text := s.Label + " (" + s.Style + ")"
		for _, c := range s.LayoutColumns {
			var items []string
			for _, i := range c.LayoutItems {
				items = append(items, i.Behavior+" "+i.Field)
			}
			text += "\n  " + strings.Join(items, ", ")
		}
		sections = append(sections, text)
	}
	return sections, metadata
}

func TestLayouts(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], withSpecs(carded))
	before, raw := l.sections(t, "Opportunity Layout")

	_, err := l.client.Plan(t.Context(), connectors.SetupOptions{Layouts: []string{"Lead Layout"}})
	if e := (*connectors.Error)(nil); !errors.As(err, &e) || e.Setting != "--layout" || !strings.Contains(err.Error(), `no page layout "Lead Layout"`) ||
		!strings.Contains(e.Remedy, "Opportunity-Opportunity Layout, ") || !strings.Contains(e.Remedy, "Account-Account Layout") {
		t.Errorf("a layout that is not there: %v", err)
	}

	plan := mustPlan(t, l.client, "opportunity layout", "Account-Account Layout", "Opportunity-Opportunity Layout")
	apply(t, l.client, plan, nil)
	var shown []string
	for _, line := range lines(plan.Steps) {
		if strings.Contains(line, "layout") {
			shown = append(shown, line)
		}
	}
	want := []string{"+ layout section Opportunity-Opportunity Layout: Handoff Scorecard: 11 fields", "+ layout section Account-Account Layout: Handoff Scorecard: 1 field"}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("plan, -want +got:\n%s", diff)
	}
	section := "Handoff Scorecard (TwoColumnsLeftToRight)\n" +
		"  Readonly Handoff_Score__c, Readonly Handoff_Ghost__c, Readonly Handoff_Rating__c, Readonly Handoff_Deal_Context__c, Readonly Handoff_Gaps__c, Readonly Handoff_Ghost_Reason__c\n" +
		"  Readonly Handoff_Health__c, Readonly Handoff_Scored_At__c, Edit Handoff_Finalised__c, Edit Handoff_Item_1_1__c, Readonly Handoff_Next_Action__c"
	after, _ := l.sections(t, "Opportunity Layout")
	at := slices.Index(after, section)
	if at < 0 || cmp.Diff(before, slices.Delete(slices.Clone(after), at, at+1)) != "" {
		t.Errorf("sections before\n%s\nand after\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if left := mustPlan(t, l.client, "Opportunity Layout", "Account Layout"); len(left.Steps) > 0 {
		t.Errorf("still to do: %v", lines(left.Steps))
	}

	// A field that comes later joins the section.
	later := l.cfg
	later.Specs = append(slices.Clone(carded), crm.FieldSpec{Object: crm.DealObject, Name: "item_1_2", Label: "1.2 Pain", Type: crm.Number})
	c := newClient(t, later)
	plan = mustPlan(t, c, "Opportunity Layout")
	if !slices.Contains(lines(plan.Steps), "~ layout section Opportunity-Opportunity Layout: Handoff Scorecard: 1 field") {
		t.Errorf("plan for one more field: %v", lines(plan.Steps))
	}
	apply(t, c, plan, nil)
	if left := mustPlan(t, c, "Opportunity Layout"); len(left.Steps) > 0 {
		t.Errorf("still to do: %v", lines(left.Steps))
	}

	removal, err := c.PlanRemoval(t.Context())
	apply(t, c, removal, err)
	if _, left := l.sections(t, "Opportunity Layout"); string(left) != string(raw) {
		t.Errorf("the layout was\n%s\nand is\n%s", raw, left)
	}
}

// TestSectionWithForeignFields: what people put into our section stays, and the section with it.
func TestSectionWithForeignFields(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	l.call(t, http.MethodPost, "/services/data/v62.0/tooling/sobjects/CustomField", map[string]any{"FullName": "Opportunity.Team_Note__c",
		"Metadata": map[string]any{"label": "Team note", "type": "Text", "length": 255}})
	mixed := l.cfg
	mixed.HandoffFields = map[string]string{"next_action": "Team_Note__c"}
	c := newClient(t, mixed)
	apply(t, c, mustPlan(t, c, "Opportunity Layout"), nil)
	removal, err := l.client.PlanRemoval(t.Context()) // does not know Team_Note__c
	apply(t, l.client, removal, err)
	after, _ := l.sections(t, "Opportunity Layout")
	if !slices.ContainsFunc(after, func(s string) bool {
		return strings.HasPrefix(s, "Handoff Scorecard") && strings.Contains(s, "Team_Note__c") && !strings.Contains(s, "Handoff_")
	}) {
		t.Errorf("sections:\n%s", strings.Join(after, "\n"))
	}
	if again, err := l.client.PlanRemoval(t.Context()); err != nil || len(again.Steps) > 0 {
		t.Errorf("still to take away: %v, %v", lines(again.Steps), err)
	}
}

// TestFieldsOfAnEarlierMappingGo: what was made under other names is ours by its mark.
func TestFieldsOfAnEarlierMappingGo(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	earlier := l.cfg
	earlier.HandoffFields = map[string]string{"score": "Onb_Score__c", "next_action": "Onb_Next__c"}
	c := newClient(t, earlier)
	_, raw := l.sections(t, "Opportunity Layout")
	apply(t, c, mustPlan(t, c, "Opportunity Layout"), nil)
	removal, err := l.client.PlanRemoval(t.Context())
	apply(t, l.client, removal, err)
	want := []string{"- field Opportunity.Onb_Next__c: made under an earlier configuration, with its values", "- field Opportunity.Onb_Score__c: made under an earlier configuration, with its values"}
	got := slices.DeleteFunc(lines(removal.Steps), func(line string) bool { return !strings.Contains(line, "Onb_") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, left := l.sections(t, "Opportunity Layout"); string(left) != string(raw) {
		t.Errorf("the layout was\n%s\nand is\n%s", raw, left)
	}
	if again, err := c.PlanRemoval(t.Context()); err != nil || len(again.Steps) > 0 {
		t.Errorf("still to take away: %v, %v", lines(again.Steps), err)
	}
}

// TestPackagesAreNotOurs: a managed package may bring a field or a permission set of the same name, apart from its prefix.
func TestPackagesAreNotOurs(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	mustPlan(t, l.client)
	if _, err := l.client.PlanRemoval(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := string(l.call(t, http.MethodGet, "/_sandbox/log", nil))
	if plain, err := url.QueryUnescape(log); err == nil {
		log = plain
	}
	queries := regexp.MustCompile(`FROM[ +](CustomField|PermissionSet)[ +]WHERE[^"&]*`).FindAllString(log, -1)
	if len(queries) < 4 {
		t.Fatalf("queries: %q", queries)
	}
	for _, q := range queries {
		if !strings.Contains(strings.ReplaceAll(q, "+", " "), "NamespacePrefix = null") {
			t.Errorf("asks for those of packages, too: %s", q)
		}
	}
}

// TestForeignFieldsStay: a field that an admin made is used, and not deleted.
func TestForeignFieldsStay(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	l.call(t, http.MethodPost, "/services/data/v62.0/tooling/sobjects/CustomField", map[string]any{"FullName": "Opportunity.Handoff_Score__c",
		"Metadata": map[string]any{"label": "Score", "type": "Number", "precision": 5, "scale": 0, "description": "RevOps made this"}})
	apply(t, l.client, mustPlan(t, l.client), nil)
	if found, err := l.client.Unusable(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("unusable: %+v, %v", found, err)
	}
	removal, err := l.client.PlanRemoval(t.Context())
	apply(t, l.client, removal, err)
	if slices.ContainsFunc(removal.Steps, func(s connectors.Step) bool { return s.Target == "Opportunity.Handoff_Score__c" }) ||
		!slices.ContainsFunc(removal.ByHand, func(s string) bool {
			return strings.HasPrefix(s, "Opportunity.Handoff_Score__c was not made by handoff, so it stays")
		}) {
		t.Errorf("removal %v, by hand %q", lines(removal.Steps), removal.ByHand)
	}
	if plan := mustPlan(t, l.client); slices.ContainsFunc(plan.Steps, func(s connectors.Step) bool { return s.Target == "Opportunity.Handoff_Score__c" }) {
		t.Error("the field is gone")
	}
}

// TestNamesOfNoField: what Salesforce would refuse is said before anything is changed.
func TestNamesOfNoField(t *testing.T) {
	for _, name := range []string{"Score", "Handoff Score__c", "1st__c", "Own__Score__c", "Score___c", "Odd' OR Name != '__c", "../Score__c", strings.Repeat("A", 41) + "__c"} {
		l := newLab(t, deals.Demo()[:1], func(c *salesforce.Config) { c.HandoffFields = map[string]string{"score": name} })
		_, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
		_, exported := salesforce.Export(l.cfg)
		for _, err := range []error{err, exported} {
			if e := (*connectors.Error)(nil); !errors.As(err, &e) || e.Setting != "handoff_fields.score" || !strings.Contains(e.Message, "there is no field "+name+",") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	l := newLab(t, deals.Demo()[:1], func(c *salesforce.Config) {
		c.HandoffFields = map[string]string{"score": strings.Repeat("A", 40) + "__c"}
	})
	apply(t, l.client, mustPlan(t, l.client), nil)
}

// TestForeignGrantsStay: a permission set and a list view that an admin made under our names are used, and not deleted.
func TestForeignGrantsStay(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], withSpecs(carded))
	l.call(t, http.MethodPost, "/services/data/v62.0/sobjects/PermissionSet", map[string]any{"Name": "Handoff_Integration", "Label": "Handoff Integration", "Description": "For the warehouse, too"})
	l.call(t, http.MethodPost, "/services/data/v62.0/ui-api/list-info/Opportunity", map[string]any{"listViewApiName": "Handoff_Ghost_Or_Incomplete", "label": "Handoff Ghost Or Incomplete",
		"visibility": "Public", "scope": map[string]any{"apiName": "everything"}, "displayColumns": []string{"Name"}})
	apply(t, l.client, mustPlan(t, l.client), nil)
	removal, err := l.client.PlanRemoval(t.Context())
	apply(t, l.client, removal, err)
	for _, line := range lines(removal.Steps) {
		if !strings.HasPrefix(line, "- field ") {
			t.Errorf("takes away what an admin made: %s", line)
		}
	}
	for _, want := range []string{`The list view Opportunity.Handoff_Ghost_Or_Incomplete was not made by handoff, so it stays: it is called "Handoff Ghost Or Incomplete".`,
		`The permission set Handoff_Integration was not made by handoff, so it stays: its description does not begin with "Made by handoff.".`} {
		if !slices.ContainsFunc(removal.ByHand, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%q is not among %q", want, removal.ByHand)
		}
	}
	for _, soql := range []string{"SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Handoff_Integration'", "SELECT Id FROM ListView WHERE DeveloperName = 'Handoff_Ghost_Or_Incomplete'"} {
		if len(l.ids(t, soql)) != 1 {
			t.Errorf("%s finds nothing", soql)
		}
	}
}

func TestListView(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], withSpecs(carded))
	plan := mustPlan(t, l.client)
	apply(t, l.client, plan, nil)
	var list struct {
		Label, Visibility, FilterLogicString string
		DisplayColumns                       []struct{ FieldAPIName string }
		FilteredByInfo                       []struct {
			FieldAPIName, Operator string
			OperandLabels          []string
		}
	}
	if err := json.Unmarshal(l.call(t, http.MethodGet, "/services/data/v62.0/ui-api/list-info/Opportunity/Handoff_Ghost_Or_Incomplete", nil), &list); err != nil {
		t.Fatal(err)
	}
	got := []string{list.Label, list.Visibility, list.FilterLogicString}
	for _, c := range list.DisplayColumns {
		got = append(got, c.FieldAPIName)
	}
	for _, f := range list.FilteredByInfo {
		got = append(got, f.FieldAPIName+" "+f.Operator+" "+strings.Join(f.OperandLabels, ", "))
	}
	want := []string{"Ghost or incomplete handoffs", "Public", "1 OR 2",
		"Name", "Account.Name", "Owner.Alias", "CloseDate", "Handoff_Score__c", "Handoff_Rating__c", "Handoff_Health__c", "Handoff_Ghost_Reason__c",
		"Handoff_Ghost__c Equals True", "Handoff_Rating__c Equals Incomplete"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestObjectPermissions: the permission set makes up for what the profile lacks, and setup needs none of it to be planned.
func TestObjectPermissions(t *testing.T) {
	l := newLab(t, deals.Demo()[:2], func(c *salesforce.Config) { c.Fields = map[string]string{"term_months": "Contract.ContractTerm"} })
	for _, p := range []string{"Opportunity.read", "Account.read", "Contact.read", "Contract.read"} {
		l.revoke(t, p)
	}
	if _, _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "may not read opportunities") {
		t.Errorf("without permissions: %v", err)
	}
	apply(t, l.client, mustPlan(t, l.client), nil)
	records, _ := pull(t, l.client, nil)
	if len(records) != 2 || len(records[0].Snapshot.Unread) > 0 || records[0].Snapshot.Deal.Account == "" {
		t.Errorf("after setup %d deals come: %+v", len(records), records)
	}
	for _, id := range l.ids(t, "SELECT Id FROM ObjectPermissions WHERE SobjectType = 'Account'") {
		l.call(t, http.MethodPatch, "/services/data/v62.0/sobjects/ObjectPermissions/"+id, map[string]any{"PermissionsEdit": false})
	}
	plan := mustPlan(t, l.client)
	if len(plan.Steps) != 1 || plan.Steps[0].Change != connectors.Alter || plan.Steps[0].Target != "Account" {
		t.Errorf("with too little on accounts: %v", lines(plan.Steps))
	}
	apply(t, l.client, plan, nil)
	if plan = mustPlan(t, l.client); len(plan.Steps) > 0 {
		t.Errorf("still to do: %v", lines(plan.Steps))
	}
}

func TestByHand(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	l.setup(t, []crm.FieldSpec{{Object: crm.DealObject, Name: "score", Label: "Score", Type: crm.Text, Length: 255}})
	has := func(plan connectors.Plan, text string) bool {
		return slices.ContainsFunc(plan.ByHand, func(s string) bool { return strings.Contains(s, text) })
	}
	bare, laidOut := mustPlan(t, l.client), mustPlan(t, l.client, "Opportunity Layout")
	if !has(bare, "Opportunity.Handoff_Score__c: the field's type is Text; Number(3,0) is needed.") || !has(bare, "Dynamic Forms") || !has(bare, "AEs need Handoff Gaps") {
		t.Errorf("by hand: %q", bare.ByHand)
	}
	if !has(bare, "--layout") || has(laidOut, "--layout") {
		t.Errorf("how to show the fields, without layouts: %q, with them: %q", bare.ByHand, laidOut.ByHand)
	}
}

func TestProfile(t *testing.T) {
	cases := deals.Demo()
	l := newLab(t, cases, func(c *salesforce.Config) {
		c.Fields = map[string]string{"use_case": "Description", "champion": "No_Such_Field__c"}
	})
	profile, err := l.client.Profile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	won, described := 0, 0
	for _, c := range cases {
		if c.Deal.Won {
			won++
			if c.Deal.Fields["description"] != "" {
				described++
			}
		}
	}
	if profile.Deals != won {
		t.Errorf("%d deals, want %d", profile.Deals, won)
	}
	uses := map[string]connectors.FieldUse{}
	for _, f := range profile.Fields {
		uses[f.Name] = f
	}
	if f := uses["Description"]; f.Filled != described || f.Label != "Description" || f.Feeds == "" {
		t.Errorf("want %d: %+v", described, f)
	}
	if f := uses["Business_Problem__c"]; f.Feeds != "business_problem" || f.Label != "Business Problem" {
		t.Errorf("%+v", f)
	}
	for _, name := range []string{"Name", "IsWon", "Amount", "StageName", "Handoff_Score__c"} {
		if _, there := uses[name]; there {
			t.Errorf("%s is no field for a fact", name)
		}
	}
}
