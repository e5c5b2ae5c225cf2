package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

// TestSetupIsResumed kills setup again and again, each time while a change that it asked for is made and not yet
// answered, and checks that it ends like an undisturbed one.
func TestSetupIsResumed(t *testing.T) { overBoth(t, testSetupIsResumed) }

func testSetupIsResumed(t *testing.T, connection string) {
	setup := append([]string{"setup", "--apply", "--connection", connection}, everyOption[connection]...)
	calm := newLab(t, connection)
	calm.handoff(0, setup...)

	l := newLab(t, connection)
	for _, after := range []int{0, 1, 5, 20} {
		if !l.killWhileWriting(after, setup...) {
			t.Fatalf("setup ended before it had made %d changes", after+1)
		}
	}
	kills := 0
	for l.killWhileWriting(1, setup...) { // the second at the latest is none that Salesforce refuses, as it does history of too many fields
		if kills++; kills > 50 {
			t.Fatal("setup gets nowhere when it is killed at every other change")
		}
	}
	if diff := cmp.Diff(inventories[connection](calm), inventories[connection](l)); diff != "" {
		t.Errorf("the CRM differs from that of an undisturbed setup (-calm +disturbed):\n%s", diff)
	}
	l.resetRequests()
	if out := l.handoff(0, setup...); !strings.Contains(out, "everything is in place.") {
		t.Errorf("the next setup does not say that everything is in place:\n%s", out)
	}
	if n := l.writing(); n != 0 {
		t.Errorf("the next setup sent %d changes, want none", n)
	}
}

// TestRemoveLeavesNothing checks that --remove leaves the CRM as it was before setup, as far as its API shows.
func TestRemoveLeavesNothing(t *testing.T) { overBoth(t, testRemoveLeavesNothing) }

func testRemoveLeavesNothing(t *testing.T, connection string) {
	l := newLab(t, connection)
	before := inventories[connection](l)
	l.handoff(0, append([]string{"setup", "--apply", "--connection", connection}, everyOption[connection]...)...)
	if diff := cmp.Diff(changedBySetup[connection], changedKinds(before, inventories[connection](l))); diff != "" {
		t.Fatalf("the test does not see all that setup changes (-want +got):\n%s", diff)
	}
	l.run()

	for _, after := range []int{0, 3} {
		if !l.killWhileWriting(after, "setup", "--remove", "--connection", connection) {
			t.Fatalf("remove ended before it had made %d changes", after+1)
		}
	}
	out := l.handoff(0, "setup", "--remove", "--connection", connection)
	if want := "The values in the fields are lost with them."; !strings.Contains(out, want) {
		t.Errorf("%q is not in\n%s", want, out)
	}
	if diff := cmp.Diff(before, inventories[connection](l)); diff != "" {
		t.Errorf("the CRM is not as before (-before setup +after remove):\n%s", diff)
	}
	l.resetRequests()
	if out := l.handoff(0, "setup", "--remove", "--connection", connection); !strings.Contains(out, "nothing of handoff's is left there.") {
		t.Errorf("removing again does not say that nothing is left:\n%s", out)
	}
	if n := l.writing(); n != 0 {
		t.Errorf("removing again sent %d changes, want none", n)
	}
}

// TestRemovedAndMadeAgain checks that all deals show their scores after fields were taken away and made again, though the
// deals have no news, and that no value of a new field passes for a person's.
func TestRemovedAndMadeAgain(t *testing.T) { overBoth(t, testRemovedAndMadeAgain) }

func testRemovedAndMadeAgain(t *testing.T, connection string) {
	l := newLab(t, connection)
	l.handoff(0, "setup", "--apply", "--connection", connection)
	if _, err := os.Stat(filepath.Join(filepath.Dir(l.config), "handoff.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("setup makes a store: %v", err)
	}
	l.run()
	want := map[string]crm.Values{}
	for _, r := range l.crm.records(crm.DealObject) {
		delete(r.values, "scored_at")
		want[r.caseID] = r.values
	}
	l.handoff(0, "setup", "--remove", "--connection", connection)
	l.handoff(0, "setup", "--apply", "--connection", connection)
	l.run()
	for _, r := range l.crm.records(crm.DealObject) {
		delete(r.values, "scored_at")
		if diff := cmp.Diff(want[r.caseID], r.values); diff != "" {
			t.Errorf("%s (-before +made again):\n%s", r.name, diff)
		}
	}
}

// TestRemoveSparesOthers checks that a field which an admin made by hand outlives --remove, though it has our name.
func TestRemoveSparesOthers(t *testing.T) { overBoth(t, testRemoveSparesOthers) }

func testRemoveSparesOthers(t *testing.T, connection string) {
	l := newLab(t, connection)
	switch connection {
	case "salesforce":
		l.call("POST", "/services/data/v62.0/tooling/sobjects/CustomField", l.crm.(*salesforceView).token, "application/json",
			`{"FullName":"Opportunity.Handoff_Score__c","Metadata":{"label":"Our own score","type":"Number","precision":3,"scale":0}}`, nil)
	case "hubspot":
		l.call("POST", "/crm/properties/2026-09/deals", hubspotToken, "application/json",
			`{"name":"handoff_score","label":"Our own score","groupName":"dealinformation","type":"number","fieldType":"number"}`, nil)
	}
	before := inventories[connection](l)
	l.handoff(0, "setup", "--apply", "--connection", connection)
	l.handoff(0, "setup", "--remove", "--connection", connection)
	if diff := cmp.Diff(before, inventories[connection](l)); diff != "" {
		t.Errorf("the CRM is not as before (-before setup +after remove):\n%s", diff)
	}
}

// TestSetupWithoutCustomize checks what is said to somebody who may not customise Salesforce.
func TestSetupWithoutCustomize(t *testing.T) {
	l := newLab(t, "salesforce")
	tests := []struct {
		name  string
		fault map[string]any
		want  []string
	}{
		{"may look", map[string]any{"method": "POST|PATCH", "path": ".*/tooling/sobjects/.*", "code": "INSUFFICIENT_ACCESS"},
			[]string{"connections.salesforce: field Opportunity.Handoff_Score__c: Salesforce: set up our fields: insufficient access", "\n0 of 50 steps are done and stay so; the same command goes on from there\n"}},
		{"may not look", map[string]any{"method": "GET", "path": ".*/tooling/query", "code": "INVALID_TYPE"},
			[]string{"connections.salesforce: Salesforce: set up our fields: invalid type"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l.fault(tt.fault)
			defer l.call("DELETE", "/_sandbox/faults", "", "", "", nil)
			var stderr bytes.Buffer
			cmd := l.command("setup", "--apply", "--connection", "salesforce")
			cmd.Stderr = &stderr
			if err := cmd.Run(); err == nil {
				t.Fatal("setup did not fail")
			}
			for _, want := range append(tt.want, `grant the integration user the permissions "Customize Application"`, "or leave it to an admin: `handoff setup --export FOLDER`") {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q is not in\n%s", want, stderr.String())
				}
			}
		})
	}
}

func TestRemoveAsks(t *testing.T) {
	tests := []struct {
		name, typed string
		want        bool
	}{
		{"the word", "remove\n", true},
		{"with blanks", " remove \r\n", true},
		{"another", "yes\n", false},
		{"in capitals", "REMOVE\n", false},
		{"nothing", "\n", false},
		{"end of input", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked bytes.Buffer
			s := &setup{app: &app{stdin: strings.NewReader(tt.typed), stderr: &asked}, conn: &Connection{Name: "acme"}}
			if got := s.confirmed(t.Context()); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
			if want := "Type remove to delete all of this in acme, or anything else to leave it: "; asked.String() != want {
				t.Errorf("asked %q, want %q", asked.String(), want)
			}
		})
	}
	t.Run("interrupted", func(t *testing.T) {
		stdin, _ := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := &setup{app: &app{stdin: stdin, stderr: io.Discard}, conn: &Connection{Name: "acme"}}
		if s.confirmed(ctx) {
			t.Error("an interrupt counts as yes")
		}
	})
}

// fullOrg is a CRM in which nothing is to be done, with fields of Sales.
type fullOrg struct {
	connectors.Connector
	profile connectors.Profile
}

func (o fullOrg) Profile(context.Context) (connectors.Profile, error) { return o.profile, nil }

// TestShowUse checks which fields are shown to RevOps before the plan.
func TestShowUse(t *testing.T) {
	profile := connectors.Profile{Deals: 500, Fields: []connectors.FieldUse{
		{Name: "Champion__c", Label: "Champion", Filled: 301, Feeds: "champion"},
		{Name: "Color__c", Label: "Favourite colour", Filled: 500},
		{Name: "Competitors__c", Label: "Competitors", Filled: 3, Feeds: "competitors"},
		{Name: "Next_Step_Owner__c", Label: "Next step owner", Filled: 480},
		{Name: "Pain__c", Label: "Pain \x1bpoints", Filled: 250},
		{Name: "Rivals__c", Label: "Main rivals", Filled: 412},
	}}
	var out bytes.Buffer
	s := &setup{app: &app{stdout: &out}, conn: &Connection{Name: "acme", CRM: "salesforce"}, crm: fullOrg{profile: profile}}
	if err := s.showUse(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `acme: where Sales records what handoff looks for, on the newest 500 won deals:

FACT           FIELD           LABEL        FILLED
champion       Champion__c     Champion     301 of 500  read
competitors    Competitors__c  Competitors  3 of 500    read, but hardly ever filled in
competitors    Rivals__c       Main rivals  412 of 500  proposed
identify_pain  Pain__c         Pain points  250 of 500  proposed

To have what is proposed read, paste this below [connections.acme.fields] in the configuration:

competitors = "Rivals__c"
identify_pain = "Pain__c"

`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSetupProposesMapping maps a fact to a field that nobody fills in, and follows setup's proposal to read it from one
// that Sales does fill in.
func TestSetupProposesMapping(t *testing.T) { overBoth(t, testSetupProposesMapping) }

func testSetupProposesMapping(t *testing.T, connection string) {
	l := newLab(t, connection)
	empty, full := l.crm.(fieldMaker).makeField("nobodys_field", "Rivals, long version"), l.crm.(fieldMaker).makeField("rivals", "Main rivals")
	for _, d := range l.crm.records(crm.DealObject) {
		l.editRecord(dealObjects[connection], d.id, map[string]any{full: "Gong"})
	}
	config, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	mapped := func(field string) string {
		text := fmt.Sprintf("%s\n[connections.%s.fields]\ncompetitors = %q\n", config, connection, field)
		if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return l.handoff(0, "setup", "--connection", connection)
	}

	out := mapped(empty)
	for _, want := range []string{
		`(?m)^competitors +` + empty + ` +Rivals, long version +0 of 57 +read, but hardly ever filled in$`,
		`(?m)^competitors +` + full + ` +Main rivals +57 of 57 +proposed$`,
		`(?m)^To have what is proposed read, paste this below \[connections.` + connection + `.fields\] in the configuration:\n\ncompetitors = "` + full + `"\n\n`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	out = mapped(full)
	if want := `(?m)^competitors +` + full + ` +Main rivals +57 of 57 +read$`; !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("%s is not in\n%s", want, out)
	}
	if strings.Contains(out, "proposed") {
		t.Errorf("something is still proposed:\n%s", out)
	}
}

// fieldMaker makes a text field on deals that the integration's user sees, and returns its name in the CRM.
type fieldMaker interface {
	makeField(name, label string) string
}

// dealObjects are what deals are called in the CRMs.
var dealObjects = map[string]string{"salesforce": "Opportunity", "hubspot": "deals"}

func (v *salesforceView) makeField(name, label string) string {
	v.t.Helper()
	name = strings.ToUpper(name[:1]) + name[1:] + "__c"
	create := func(path string, record map[string]any) string {
		v.t.Helper()
		body, err := json.Marshal(record)
		if err != nil {
			v.t.Fatal(err)
		}
		var made struct{ ID string }
		v.call("POST", "/services/data/v62.0"+path, v.token, "application/json", string(body), &made)
		return made.ID
	}
	create("/tooling/sobjects/CustomField", map[string]any{"FullName": "Opportunity." + name, "Metadata": map[string]any{"label": label, "type": "Text", "length": 80}})
	set := create("/sobjects/PermissionSet", map[string]any{"Name": "Sees_" + strings.TrimSuffix(name, "__c"), "Label": label})
	create("/sobjects/FieldPermissions", map[string]any{"ParentId": set, "SobjectType": "Opportunity", "Field": "Opportunity." + name, "PermissionsRead": true})
	var users struct{ Records []struct{ ID string } }
	v.call("GET", "/services/data/v62.0/query?q="+url.QueryEscape("SELECT Id FROM User WHERE Username = 'revops@sandbox.example'"), v.token, "", "", &users)
	create("/sobjects/PermissionSetAssignment", map[string]any{"PermissionSetId": set, "AssigneeId": users.Records[0].ID})
	return name
}

func (v *hubspotView) makeField(name, label string) string {
	v.t.Helper()
	v.call("POST", "/crm/properties/2026-09/deals", hubspotToken, "application/json",
		fmt.Sprintf(`{"name":%q,"label":%q,"groupName":"dealinformation","type":"string","fieldType":"text"}`, name, label), nil)
	return name
}

// everyOption makes setup do all that it can in a CRM.
var everyOption = map[string][]string{"salesforce": {"--layout", "Opportunity Layout", "--layout", "Renewal Layout"}}

// changedBySetup are the kinds of things that setup makes or changes.
var changedBySetup = map[string][]string{
	"salesforce": {"assignment", "field", "field permissions", "layout", "list view", "object permissions", "permission set", "visible field"},
	"hubspot":    {"group", "property"},
}

// changedKinds returns the kinds of the things that differ between two inventories.
func changedKinds(before, after map[string]any) []string {
	kinds := map[string]bool{}
	for name := range after {
		if !cmp.Equal(before[name], after[name]) {
			kind, _, _ := strings.Cut(name, ": ")
			kinds[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

// inventories read all that setup could change in a CRM, through its API: kind and name of a thing to what the CRM says
// of it.
var inventories = map[string]func(*lab) map[string]any{"salesforce": salesforceInventory, "hubspot": hubspotInventory}

func salesforceInventory(l *lab) map[string]any {
	l.t.Helper()
	token := l.crm.(*salesforceView).token
	things := map[string]any{}
	for _, object := range []string{"Opportunity", "Account"} {
		var describe struct{ Fields []map[string]any }
		l.call("GET", "/services/data/v62.0/sobjects/"+object+"/describe", token, "", "", &describe)
		for _, f := range describe.Fields {
			things["visible field: "+object+"."+f["name"].(string)] = f
		}
	}
	query := func(api, soql string, each func(row map[string]any)) {
		var page struct{ Records []map[string]any }
		l.call("GET", "/services/data/v62.0"+api+"/query?q="+url.QueryEscape(soql), token, "", "", &page)
		for _, row := range page.Records {
			delete(row, "attributes")
			for _, value := range row {
				if parent, ok := value.(map[string]any); ok {
					delete(parent, "attributes")
				}
			}
			each(row)
		}
	}
	for what, soql := range map[string]string{
		"permission set":     "SELECT Name, Label, Description FROM PermissionSet",
		"object permissions": "SELECT Parent.Name, SobjectType, PermissionsRead, PermissionsEdit FROM ObjectPermissions",
		"field permissions":  "SELECT Parent.Name, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions",
		"assignment":         "SELECT PermissionSet.Name, AssigneeId FROM PermissionSetAssignment",
		"list view":          "SELECT Name, DeveloperName, SobjectType FROM ListView",
	} {
		query("", soql, func(row map[string]any) { things[fmt.Sprint(what, ": ", row)] = true })
	}
	for what, soql := range map[string]string{
		"field":  "SELECT Id, DeveloperName, TableEnumOrId FROM CustomField",
		"layout": "SELECT Id, Name, TableEnumOrId FROM Layout",
	} {
		query("/tooling", soql, func(row map[string]any) {
			sobject := map[string]string{"field": "CustomField", "layout": "Layout"}[what]
			var thing struct{ Metadata any }
			l.call("GET", "/services/data/v62.0/tooling/sobjects/"+sobject+"/"+row["Id"].(string), token, "", "", &thing)
			delete(row, "Id")
			things[fmt.Sprint(what, ": ", row)] = thing.Metadata
		})
	}
	return things
}

func hubspotInventory(l *lab) map[string]any {
	l.t.Helper()
	things := map[string]any{}
	for _, object := range []string{"deals", "companies"} {
		for what, path := range map[string]string{"property": "", "group": "/groups"} {
			var answer struct{ Results []map[string]any }
			l.call("GET", "/crm/properties/2026-09/"+object+path, hubspotToken, "", "", &answer)
			for _, thing := range answer.Results {
				for _, stamp := range []string{"createdAt", "updatedAt"} {
					delete(thing, stamp)
				}
				things[fmt.Sprint(what, ": ", object, ".", thing["name"])] = thing
			}
		}
	}
	return things
}

// fault makes calls to the CRM go wrong.
func (l *lab) fault(f map[string]any) {
	l.t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		l.t.Fatal(err)
	}
	l.call("POST", "/_sandbox/faults", "", "application/json", string(body), nil)
}

// writing counts the calls that reached the CRM to change something.
func (l *lab) writing() int {
	l.t.Helper()
	n := 0
	for route, calls := range l.requests() {
		if !l.crm.reads(route) {
			n += calls
		}
	}
	return n
}

// killWhileWriting runs a command and kills it while a change waits for its answer, after so many others. It returns
// false if the command ended before that.
func (l *lab) killWhileWriting(after int, args ...string) bool {
	l.t.Helper()
	l.resetRequests()
	l.fault(map[string]any{"method": "POST|PUT|PATCH|DELETE", "path": ".*/(sobjects|properties|ui-api|batch/update)(/.*)?", "after": after, "times": 1, "delay_ms": 600_000})
	defer l.call("DELETE", "/_sandbox/faults", "", "", "", nil)
	cmd := l.command(args...)
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for l.writing() <= after {
		select {
		case err := <-ended:
			if err != nil {
				l.t.Fatalf("it ended by itself: %v", err)
			}
			return false
		default:
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		l.t.Fatal(err)
	}
	<-ended
	return true
}
