package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what tests compare with anew: testdata/messages.golden, docs/faults.md")

// says is what a command has to say: its exit code and parts of its text, literally.
type says struct {
	exit  int
	parts []string
}

// mishap is something that goes wrong in the first hour, and what `handoff check` and `handoff run` say about it.
type mishap struct {
	name       string
	connection string
	happens    func(*scene)
	check, run says
	service    bool // it is the service that meets it, not a run
}

// TestMessages lets everything happen that goes wrong in the first hour. Each message names place, cause and remedy; all of
// them stand on one page, testdata/messages.golden, to be read aloud.
func TestMessages(t *testing.T) {
	t.Parallel()
	pages := make([]string, len(mishaps))
	t.Run("each", func(t *testing.T) {
		for i, m := range mishaps {
			t.Run(m.name+"/"+m.connection, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, m.connection)
				m.happens(s)
				runArgs := []string{"run", "--once", "--connection", m.connection}
				if m.service {
					runArgs = []string{"run"}
				}
				pages[i] = fmt.Sprintf("%s (%s)\n%s\n\n", m.name, m.connection, strings.Repeat("=", len(m.name+m.connection)+3)) +
					s.hears(m.check, "check", "--connection", m.connection) + s.hears(m.run, runArgs...)
			})
		}
	})
	if t.Failed() && !*update {
		return
	}
	page := strings.Join(pages, "\n")
	golden := filepath.Join("testdata", "messages.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), page); diff != "" {
		t.Errorf("-want +got (go test -run TestMessages -update writes it anew):\n%s", diff)
	}
}

var (
	wrongSecret = func(s *scene) {
		for _, file := range s.files(s.config + ".secrets/*") {
			s.write(file, "not-the-secret\n")
		}
	}
	unreachable = func(s *scene) { s.configure("url", `"http://127.0.0.1:1"`) }
	noFolder    = func(s *scene) { s.runsAsNobody(); s.configureStore(s.closedFolder() + "/handoff.db") }
)

var mishaps = []mishap{
	{"wrong secret", "salesforce", wrongSecret,
		says{1, []string{"✗ connections.salesforce.client_secret: Salesforce: log in: ", "→ Correct client_secret: copy the consumer secret again"}},
		says{1, []string{"connections.salesforce.client_secret: Salesforce: log in: ", "Correct client_secret: copy the consumer secret again"}}, false},
	{"wrong secret", "hubspot", wrongSecret,
		says{1, []string{"✗ connections.hubspot.token: HubSpot does not accept the token", "→ Correct the token, or create a new service key"}},
		says{1, []string{"connections.hubspot.token: HubSpot: ", "Correct the token, or create a new service key"}}, false},
	{"expired token", "hubspot", func(s *scene) { s.fault(`{"status": 401, "code": "EXPIRED_AUTHENTICATION"}`) },
		says{1, []string{"✗ connections.hubspot.token: HubSpot says that the token has expired", "→ Create a service key under Development > Keys > Service keys"}},
		says{1, []string{"connections.hubspot.token: HubSpot: ", "Create a service key under Development > Keys > Service keys"}}, false},
	{"JWT of another key", "salesforce", func(s *scene) {
		s.configure("auth", `"jwt"`)
		s.configure("username", `"revops@sandbox.example"`)
		s.configure("private_key", `"file:other.key"`)
		s.write(filepath.Join(filepath.Dir(s.config), "other.key"), privateKey(s.t))
	},
		says{1, []string{"✗ connections.salesforce.private_key: Salesforce: log in: invalid assertion", "→ Upload the certificate of this key to the app"}},
		says{1, []string{"connections.salesforce.private_key: Salesforce: log in: invalid assertion", "Upload the certificate of this key to the app"}}, false},
	{"JWT of a user who is not approved", "salesforce", func(s *scene) {
		s.configure("auth", `"jwt"`)
		s.configure("username", `"casey@sandbox.example"`)
		s.configure("private_key", `"file:config.toml.secrets/salesforce_private_key"`)
	},
		says{1, []string{"✗ connections.salesforce.username: Salesforce: log in: user hasn't approved this consumer", `Permitted Users = "Admin approved users are pre-authorized"`}},
		says{1, []string{"connections.salesforce.username: Salesforce: log in: user hasn't approved this consumer", `Permitted Users = "Admin approved users are pre-authorized"`}}, false},
	{"quota used up by others", "salesforce", func(s *scene) { s.use(80_000) },
		says{0, []string{"! connections.salesforce.quota_share: 96 runs a day; ", "a run stops when 80000 of 100000 are used (80 %), which they are: runs stop at once", "→ Wait"}},
		says{1, []string{"salesforce: not all deals are read yet: Salesforce: list won deals: ", " of 100000 API calls of the day are used, by all integrations, and reading all deals stops at 40 %. What was done is saved"}}, false},
	{"quota used up by others", "hubspot", func(s *scene) { s.use(520_000) },
		says{0, []string{"! connections.hubspot.quota_share: 96 runs a day; ", "a run stops when 520000 of 650000 are used (80 %), which they are: runs stop at once", "→ Wait"}},
		says{1, []string{"connections.hubspot.quota_share: HubSpot: ", " of 650000 API calls of the day are used, by all integrations, and a run stops at 80 %. What was done is saved"}}, false},
	{"unreachable host", "salesforce", unreachable,
		says{1, []string{"✗ connections.salesforce.url: Salesforce: log in: ", "connection refused", "→ Check the address, and that this machine reaches it"}},
		says{1, []string{"connections.salesforce.url: Salesforce: log in: ", "connection refused", "Check the address, and that this machine reaches it"}}, false},
	{"unreachable host", "hubspot", unreachable,
		says{1, []string{"✗ connections.hubspot.url: HubSpot does not answer", "connection refused", "→ Check the address, and that this machine reaches it"}},
		says{1, []string{"connections.hubspot.url: HubSpot: ", "connection refused", "Check the address, and that this machine reaches it"}}, false},
	{"missing scopes of deals", "hubspot", func(s *scene) { s.write(s.files(s.config + ".secrets/hubspot*")[0], "sandbox-token-noscope\n") },
		says{1, []string{"✗ connections.hubspot.token: the scope crm.objects.deals.read is missing", "to the service key, under Development > Keys > Service keys"}},
		says{1, []string{"connections.hubspot.token: HubSpot: ", "Add to the service key, under Development > Keys > Service keys", "deals.read"}}, false},
	{"missing scope of owners", "hubspot", func(s *scene) { s.revoke("crm.objects.owners.read") },
		says{1, []string{"✗ connections.hubspot.token: the scope crm.objects.owners.read is missing", "to the service key, under Development > Keys > Service keys"}},
		says{1, []string{"hubspot: 3 deals not scored in full, because handoff could not read: fields. `handoff check` says why"}}, false},
	{"user without API access", "salesforce", func(s *scene) {
		s.fault(`{"path": "/services/data/.*", "status": 403, "code": "API_CURRENTLY_DISABLED"}`)
	},
		says{1, []string{"✗ connections.salesforce: Salesforce: ", `→ Grant the integration user the permission "API Enabled"`}},
		says{1, []string{"connections.salesforce: Salesforce: ", `Grant the integration user the permission "API Enabled"`}}, false},
	{"may not read deals", "salesforce", func(s *scene) { s.forgetGrants("Opportunity"); s.revoke("Opportunity.read") },
		says{1, []string{"✗ Opportunity: the integration user may not read opportunities", "→ Grant the integration user Read"}},
		says{1, []string{"connections.salesforce: Salesforce: ", "Grant the integration user"}}, false},
	{"may not read deals", "hubspot", func(s *scene) { s.revoke("crm.objects.deals.read") },
		says{1, []string{"✗ ", "crm.objects.deals.read"}},
		says{1, []string{"connections.hubspot.token: HubSpot: ", "crm.objects.deals.read"}}, false},
	{"may not read notes", "salesforce", func(s *scene) { s.revoke("Note.read") },
		says{1, []string{"✗ Note: the integration user may not read classic notes", "→ Grant the integration user Read"}},
		says{1, []string{"salesforce: 4 deals not scored in full, because handoff could not read: notes. `handoff check` says why"}}, false},
	{"may not read contacts, notes and activities", "hubspot", func(s *scene) { s.revoke("crm.objects.contacts.read") },
		says{1, []string{"✗ connections.hubspot.token: the scope crm.objects.contacts.read is missing", "→ Add it to the service key"}},
		says{1, []string{"hubspot: 4 deals not scored in full, because handoff could not read: contacts, ", "notes", "`handoff check` says why"}}, false},
	{"may not edit deals", "salesforce", func(s *scene) { s.forgetGrants("Opportunity"); s.revoke("Opportunity.edit") },
		says{1, []string{"✗ Opportunity: the integration user may not edit opportunities", "→ Grant the integration user Edit on opportunities"}},
		says{1, []string{"the integration user may not edit opportunities", "→ Grant the integration user Edit on opportunities"}}, false},
	{"may not edit deals", "hubspot", func(s *scene) { s.revoke("crm.objects.deals.write") },
		says{1, []string{"✗ ", "crm.objects.deals.write"}},
		says{1, []string{"connections.hubspot.token: the deals are scored, but cannot be written: HubSpot: ", "Add to the service key", "crm.objects.deals.write"}}, false},
	{"may not read companies", "hubspot", func(s *scene) { s.revoke("crm.objects.companies.read") },
		says{1, []string{"✗ connections.hubspot.token: the scope crm.objects.companies.read is missing"}},
		says{1, []string{"hubspot: 1 of the 41 fields of handoff cannot be written", "✗ companies.handoff_health: the service key may not read companies", "→ Add to the service key", "companies.read"}}, false},
	{"may not edit companies", "hubspot", func(s *scene) { s.revoke("crm.objects.companies.write") },
		says{1, []string{"✗ connections.hubspot.token: the scope crm.objects.companies.write is missing"}},
		says{1, []string{"hubspot: the health of accounts cannot be written: HubSpot: ", "Add to the service key", "companies.write"}}, false},
	{"missing field", "salesforce", func(s *scene) { s.deleteField("Handoff_Gaps__c") },
		says{1, []string{"✗ Opportunity.Handoff_Gaps__c: the field does not exist", "→ Run `handoff setup --apply`"}},
		says{1, []string{"✗ Opportunity.Handoff_Gaps__c: the field does not exist", "→ Run `handoff setup --apply`"}}, false},
	{"missing field", "hubspot", func(s *scene) { s.configure("handoff_fields", `{ gaps = "handoff_holes" }`) },
		says{1, []string{"✗ deals.handoff_holes: the property does not exist", "→ Run `handoff setup"}},
		says{1, []string{"✗ deals.handoff_holes: the property does not exist", "→ Run `handoff setup"}}, false},
	{"archived field", "hubspot", func(s *scene) { s.property("DELETE", "/handoff_gaps", "") },
		says{1, []string{"✗ deals.handoff_gaps: the property is archived", "→ Restore it under Settings > Properties"}},
		says{1, []string{"✗ deals.handoff_gaps: the property ", "→ "}}, false},
	{"invisible field", "salesforce", func(s *scene) { s.hide("Handoff_Gaps__c") },
		says{1, []string{"✗ Opportunity.Handoff_Gaps__c: the field exists, but the integration user cannot see it", "→ Run `handoff setup --apply`"}},
		says{1, []string{"✗ Opportunity.Handoff_Gaps__c: the field does not exist, or the integration user cannot see it", "→ Run `handoff setup --apply`"}}, false},
	{"wrong field type", "salesforce", func(s *scene) {
		s.deleteField("Handoff_Score__c")
		s.createField("Handoff_Score__c", `{"label": "Score", "type": "Text", "length": 20}`)
	},
		says{1, []string{"✗ Opportunity.Handoff_Score__c: the field's type is Text; Number(3,0) is needed", "→ "}},
		says{1, []string{"✗ Opportunity.Handoff_Score__c: the field's type is Text; Number(3,0) is needed", "→ "}}, false},
	{"wrong field type", "hubspot", func(s *scene) {
		s.property("DELETE", "/handoff_score", "")
		s.property("POST", "", `{"name": "handoff_score", "label": "Score", "groupName": "dealinformation", "type": "string", "fieldType": "text"}`)
	},
		says{1, []string{"✗ deals.handoff_score: ", "→ "}},
		says{1, []string{"✗ deals.handoff_score: ", "→ "}}, false},
	{"missing picklist value", "salesforce", func(s *scene) {
		s.deleteField("Handoff_Rating__c")
		s.createField("Handoff_Rating__c", `{"label": "Rating", "type": "Picklist", "valueSet": {"restricted": true, "valueSetDefinition": {"sorted": false,
			"value": [{"fullName": "Excellent", "label": "Excellent", "default": false}, {"fullName": "Acceptable", "label": "Acceptable", "default": false}]}}}`)
	},
		says{1, []string{"✗ Opportunity.Handoff_Rating__c: ", "Below Standard, Incomplete", "→ Add these values"}},
		says{1, []string{"✗ Opportunity.Handoff_Rating__c: ", "Below Standard, Incomplete", "→ Add these values"}}, false},
	{"missing picklist value", "hubspot", func(s *scene) {
		s.property("PATCH", "/handoff_rating", `{"options": [{"label": "Excellent", "value": "Excellent", "displayOrder": 0, "hidden": false},
			{"label": "Acceptable", "value": "Acceptable", "displayOrder": 1, "hidden": false}]}`)
	},
		says{1, []string{"✗ deals.handoff_rating: ", "Below Standard, Incomplete", "→ "}},
		says{1, []string{"✗ deals.handoff_rating: ", "Below Standard, Incomplete", "→ "}}, false},
	{"unknown key", "salesforce", func(s *scene) { s.configure("shedule", `"0 7 * * *"`) },
		says{2, []string{`config.toml:`, `: connections.salesforce.shedule: unknown key. Did you mean "schedule"?`}},
		says{2, []string{`config.toml:`, `: connections.salesforce.shedule: unknown key. Did you mean "schedule"?`}}, false},
	{"wrong type in TOML", "hubspot", func(s *scene) { s.configure("write_back", `"yes"`) },
		says{2, []string{`: connections.hubspot.write_back: text stands where true or false belongs. Write write_back = true`}},
		says{2, []string{`: connections.hubspot.write_back: text stands where true or false belongs. Write write_back = true`}}, false},
	{"bad cron line", "salesforce", func(s *scene) { s.configure("schedule", `"7 o'clock"`) },
		says{2, []string{`: connections.salesforce.schedule: `, `Write five fields, minute hour day month weekday, such as "0 7 * * 1-5"`}},
		says{2, []string{`: connections.salesforce.schedule: `, `Write five fields, minute hour day month weekday, such as "0 7 * * 1-5"`}}, false},
	{"bad time zone", "hubspot", func(s *scene) { s.configure("time_zone", `"London"`) },
		says{2, []string{`: connections.hubspot.time_zone: "London" is not a time zone`, `"Europe/London"`}},
		says{2, []string{`: connections.hubspot.time_zone: "London" is not a time zone`, `"Europe/London"`}}, false},
	{"store folder that may not be written", "salesforce", noFolder,
		says{1, []string{"✗ store.url: ", "/handoff.db cannot be opened: permission denied", "→ Let the user that handoff runs as write the file and its folder"}},
		says{1, []string{"store.url: ", "/handoff.db cannot be opened: permission denied. Let the user that handoff runs as write the file and its folder"}}, false},
	{"store in a folder that is a file", "hubspot", func(s *scene) { s.configureStore(s.config + "/handoff.db") },
		says{1, []string{"✗ store.url: ", "config.toml is not a folder", "→ In url under [store], name a file in a folder that exists"}},
		says{1, []string{"store.url: ", "config.toml is not a folder. In url under [store], name a file in a folder that exists"}}, false},
	{"store in a folder that is missing", "hubspot", func(s *scene) { s.configureStore(filepath.Dir(s.config) + "/history/handoff.db") },
		says{1, []string{"✗ store.url: ", "there is no folder ", "/history\n", "→ Create it, or name another file in url under [store]"}},
		says{1, []string{"store.url: ", "there is no folder ", "/history. Create it, or name another file in url under [store]"}}, false},
	{"store that is another kind of file", "salesforce", func(s *scene) { s.configureStore(s.config) },
		says{1, []string{"✗ store.url: ", "config.toml cannot be opened: file is not a database", "→ Restore a backup, or name another file in url under [store]"}},
		says{1, []string{"store.url: ", "config.toml cannot be opened: file is not a database. Restore a backup, or name another file in url under [store]"}}, false},
	{"store that another program holds", "hubspot", func(s *scene) { s.lockStore() },
		says{1, []string{"✗ store.url: ", "handoff.db cannot be opened: another program has held it for more than 10s", "→ Look whether a second \"handoff run\" is using it"}},
		says{1, []string{"store.url: ", "handoff.db cannot be opened: another program has held it for more than 10s", "Look whether a second \"handoff run\" is using it"}}, false},
	{"store with deals that another program holds", "hubspot", func(s *scene) { s.exec("run", "--once", "--connection", "hubspot"); s.lockStore() },
		says{1, []string{"✗ store.url: another program has held it for more than 10s", "→ Look whether a second \"handoff run\" is using it"}},
		says{1, []string{"another program has held it for more than 10s", "Look whether a second \"handoff run\" is using it"}}, false},
	{"port in use", "salesforce", func(s *scene) { s.occupyPort() },
		says{1, []string{"✗ server.listen: 127.0.0.1:", " is in use by another program", "→ End that program, or write another port"}},
		says{1, []string{"server.listen: 127.0.0.1:", " is in use by another program. End that program, or write another port"}}, true},
	{"API version that the org does not know", "salesforce", func(s *scene) { s.configure("api_version", `"99.0"`) },
		says{1, []string{"✗ connections.salesforce.api_version: ", "99.0", "→ Set api_version to "}},
		says{1, []string{"connections.salesforce.api_version: ", "99.0", "Set api_version to "}}, false},
	{"API version that is no more", "hubspot", func(s *scene) { s.configure("api_version", `"2019-03"`) },
		says{1, []string{"✗ connections.hubspot.api_version: ", "2019-03", "→ "}},
		says{1, []string{"connections.hubspot.api_version: ", "2019-03", "api_version"}}, false},
}

// hears runs a command, fails the test unless it says what it should, and returns it for the page.
func (s *scene) hears(want says, args ...string) string {
	s.t.Helper()
	exit, text := s.exec(args...)
	if exit != want.exit {
		s.t.Errorf("%s: exit %d, want %d", args[0], exit, want.exit)
	}
	for _, part := range want.parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("%s does not say %q", args[0], part)
		}
	}
	if s.t.Failed() {
		s.t.Logf("%s:\n%s", strings.Join(args, " "), text)
	}
	return fmt.Sprintf("$ handoff %s\n%s(exit %d)\n\n", strings.Join(args, " "), s.normal(text), exit)
}

var differs = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(?m)^(time=|  ✓ |$).*\n`), ""}, // the log, what is in order, and empty lines
	{regexp.MustCompile(`127\.0\.0\.1:[0-9]{4,5}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\b[0-9]{5,6}( of (the account's )?[0-9]{6}\b)`), "N$1"},
	{regexp.MustCompile(`handoff-(scene|closed)-[0-9]+`), "DIR"},
	{regexp.MustCompile(`\b(00[0-9A-Za-z]{13}|00[0-9A-Za-z]{16})\b`), "ID"},
}

// normal leaves out what differs from run to run, and what is in order.
func (*scene) normal(text string) string {
	text = strings.ReplaceAll(text, os.TempDir(), "/tmp")
	for _, d := range differs {
		text = d.what.ReplaceAllString(text, d.as)
	}
	return text
}
