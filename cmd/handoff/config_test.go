package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

// minimal is the shortest configuration that works; its last line is line 5.
const minimal = `[connections.acme]
crm = "salesforce"
url = "https://acme.my.salesforce.com"
client_id = "id"
client_secret = "env:SECRET"
`

func env(pairs ...string) lookupEnv {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// load writes text to DIR/config.toml and loads it; DIR is left out of the error.
func load(t *testing.T, text string) (*Config, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	for name, content := range map[string]string{"config.toml": text, "empty": "\n", "secret": "hunter2\n", "scorecard.toml": `base = "handoff"`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := loadConfig(path, env("SECRET", "hunter2", "HOOK", "https://hooks.example/T0/B0"))
	if err == nil {
		return cfg, ""
	}
	return nil, strings.NewReplacer(dir+string(filepath.Separator), "", dir, "DIR").Replace(err.Error())
}

func TestConfigDefaults(t *testing.T) {
	cfg, bad := load(t, minimal)
	if bad != "" {
		t.Fatal(bad)
	}
	got := cfg.Connections[0]
	want := Connection{
		Name: "acme", CRM: "salesforce", URL: "https://acme.my.salesforce.com", Auth: "client_credentials", ClientID: "id",
		ClientSecret: Secret{"hunter2"}, Spool: filepath.Join(filepath.Dir(strings.TrimPrefix(cfg.StoreURL, "sqlite:")), "acme.spool"), Schedule: "0 7 * * *", Reconcile: "30 3 * * *", TimeZone: "UTC", QuotaShare: 80,
		Since: since{Window: 90 * 24 * time.Hour}, Fields: map[string]string{}, HandoffFields: map[string]string{},
	}
	if diff := cmp.Diff(want, got, compareConfig); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !filepath.IsAbs(strings.TrimPrefix(cfg.StoreURL, "sqlite:")) || filepath.Base(cfg.StoreURL) != "handoff.db" {
		t.Errorf("store %q, want handoff.db beside the file", cfg.StoreURL)
	}
	if cfg.Slack != nil || cfg.Listen != "" {
		t.Error("a webhook without a [slack] section, or a listener without [server]")
	}
}

var compareConfig = cmp.Options{
	cmp.AllowUnexported(Secret{}),
	cmp.Comparer(func(a, b crm.Date) bool { return a == b }),
}

func TestConfigEverything(t *testing.T) {
	cfg, bad := load(t, `
[store]
url = "sqlite:/var/lib/handoff/history.db"

[server]
listen = "127.0.0.1:8080"

[slack]
webhook = "env:HOOK"

[connections.acme]
crm = "salesforce"
url = "http://127.0.0.1:18181/"
auth = "password"
client_id = "id"
client_secret = "file:secret"
username = "revops@acme.example"
password = "env:SECRET"
api_version = "62.0"
schedule = "30 6 * * 1-5"
reconcile = "0 4 * * *"
time_zone = "Europe/Berlin"
since = "2000-01-01"
overlap = "1s"
pipelines = ["New business", "Partner"]
deal_types = ["New Business"]
min_amount = 5000
quota_share = 50
methodology = "meddpicc"
write_back = true
alerts_from = "2026-10-01"
as_of = "case"

[connections.acme.fields]
use_case = "Use_Case__c"

[connections.acme.handoff_fields]
score = "CS_Score__c"

[connections.portal]
crm = "hubspot"
token = "file:secret"
fields = { use_case = "why" }
`)
	if bad != "" {
		t.Fatal(bad)
	}
	if cfg.Listen != "127.0.0.1:8080" || cfg.StoreURL != "sqlite:/var/lib/handoff/history.db" || cfg.Slack.Reveal() != "https://hooks.example/T0/B0" {
		t.Errorf("address %q, store %q, webhook %q", cfg.Listen, cfg.StoreURL, cfg.Slack.Reveal())
	}
	amount := 5000.0
	day, october := crm.NewDate(2000, 1, 1), crm.NewDate(2026, 10, 1)
	want := []Connection{{
		Name: "acme", CRM: "salesforce", URL: "http://127.0.0.1:18181", Auth: "password", ClientID: "id", ClientSecret: Secret{"hunter2"},
		Username: "revops@acme.example", Password: Secret{"hunter2"}, APIVersion: "62.0", Spool: "/var/lib/handoff/acme.spool",
		Schedule: "30 6 * * 1-5", Reconcile: "0 4 * * *", TimeZone: "Europe/Berlin", Since: since{Day: &day}, Overlap: time.Second,
		Pipelines: []string{"New business", "Partner"}, DealTypes: []string{"New Business"}, MinAmount: &amount, QuotaShare: 50, Methodology: "meddpicc",
		WriteBack: true, AlertsFrom: &october, AsOf: asOf{Case: true},
		Fields: map[string]string{"use_case": "Use_Case__c"}, HandoffFields: map[string]string{"score": "CS_Score__c"},
	}, {
		Name: "portal", CRM: "hubspot", URL: "https://api.hubapi.com", Token: Secret{"hunter2"}, Spool: "/var/lib/handoff/portal.spool", Schedule: "0 7 * * *", Reconcile: "30 3 * * *", TimeZone: "UTC", QuotaShare: 80,
		Since: since{Window: 90 * 24 * time.Hour}, Fields: map[string]string{"use_case": "why"}, HandoffFields: map[string]string{},
	}}
	if diff := cmp.Diff(want, cfg.Connections, compareConfig, cmp.AllowUnexported(since{}, asOf{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestConfigProblems(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", `config.toml:1:1: connections: no CRM is configured. Add a section [connections.NAME]; config.example.toml shows one`},
		{"syntax", "[store\n", `config.toml:1:7: expected ']' to close table name. Write KEY = "text", KEY = 5 or KEY = true below a [section]`},
		{"doubled key", minimal + "client_id = \"again\"\n", `config.toml:6:1: key client_id is already defined. Write KEY = "text", KEY = 5 or KEY = true below a [section]`},
		{"unknown key", minimal + "shedule = \"0 7 * * *\"\n", `config.toml:6:1: connections.acme.shedule: unknown key. Did you mean "schedule"?`},
		{"unknown key like no other", "[store]\nhorsepower = 7\n" + minimal, `config.toml:2:1: store.horsepower: unknown key. Known here: url`},
		{"unknown section", "[conections.acme]\n" + minimal, `config.toml:1:2: conections: unknown key. Did you mean "connections"?`},
		{"unknown field", minimal + "[connections.acme.fields]\nuse_cse = \"X__c\"\n", `config.toml:7:1: connections.acme.fields.use_cse: unknown field. Did you mean "use_case"?`},
		{"unknown own field", minimal + "handoff_fields = { scor = \"X__c\" }\n", `config.toml:6:20: connections.acme.handoff_fields.scor: unknown field. Did you mean "score"?`},
		{"empty field name", minimal + "[connections.acme.fields]\nuse_case = \"\"\n", `config.toml:7:1: connections.acme.fields.use_case: empty. Write the CRM's name of the field, such as use_case = "Use_Case__c", or leave the line out`},
		{"text for a flag", minimal + "write_back = \"yes\"\n", `config.toml:6:1: connections.acme.write_back: text stands where true or false belongs. Write write_back = true`},
		{"text for a number", minimal + "min_amount = \"5,000\"\n", `config.toml:6:1: connections.acme.min_amount: text stands where a number belongs. Write min_amount = 5000`},
		{"unknown methodology", minimal + "methodology = \"sandler\"\n", `config.toml:6:1: connections.acme.methodology: "sandler" is not known here. This version knows "bant", "meddic", "meddpicc", "spiced"`},
		{"negative amount", minimal + "min_amount = -1\n", `config.toml:6:1: connections.acme.min_amount: not an amount. Write min_amount = 5000`},
		{"no amount", minimal + "min_amount = nan\n", `config.toml:6:1: connections.acme.min_amount: not an amount. Write min_amount = 5000`},
		{"text for a list", minimal + "pipelines = \"New\"\n", `config.toml:6:1: connections.acme.pipelines: text stands where a list of texts belongs. Write pipelines = ["New business"]`},
		{"number in a list", minimal + "pipelines = [1]\n", `config.toml:6:1: connections.acme.pipelines: a number stands in a list of texts. Write pipelines = ["New business"]`},
		{"date for text", minimal + "since = 2000-01-01\n", `config.toml:6:1: connections.acme.since: a date without quotes stands where text in quotes belongs. Write since = "90d"`},
		{"text for a section", "store = \"handoff.db\"\n" + minimal, `config.toml:1:1: store: text stands where a section belongs. Write [store] on a line of its own and its keys below it`},
		{"bad cron line of the reconciliation", minimal + "reconcile = \"daily\"\n", `config.toml:6:1: connections.acme.reconcile: schedule "daily" cannot be read (expected exactly 5 fields, found 1: [daily]). Write five fields, minute hour day month weekday, such as "0 7 * * 1-5", or "@every 15m"`},
		{"bad cron line", minimal + "schedule = \"0 7 * *\"\n", `config.toml:6:1: connections.acme.schedule: schedule "0 7 * *" cannot be read (expected exactly 5 fields, found 4: [0 7 * *]). Write five fields, minute hour day month weekday, such as "0 7 * * 1-5", or "@every 15m"`},
		{"bad time zone", minimal + "time_zone = \"London\"\n", `config.toml:6:1: connections.acme.time_zone: "London" is not a time zone. Write one like "Europe/London" or "America/New_York"`},
		{"bad address", strings.Replace(minimal, "https://", "", 1), `config.toml:3:1: connections.acme.url: "acme.my.salesforce.com" is not a web address. Write it as "https://example.my.salesforce.com"`},
		{"http", strings.Replace(minimal, "https://", "http://", 1), `config.toml:3:1: connections.acme.url: "http://acme.my.salesforce.com" would send credentials over http, where anyone on the way can read them. Write it as "https://example.my.salesforce.com"`},
		{"credentials in the address", strings.Replace(minimal, "https://", "https://me:hunter2@", 1), `config.toml:3:1: connections.acme.url: "…@acme.my.salesforce.com" carries a user name; credentials have keys of their own. Write it as "https://example.my.salesforce.com"`},
		{"no address", strings.Replace(minimal, "url", "#url", 1), `config.toml:1:14: connections.acme.url: missing. Write your My Domain address: url = "https://example.my.salesforce.com"`},
		{"unknown CRM", strings.Replace(minimal, `"salesforce"`, `"pipedrive"`, 1), `config.toml:2:1: connections.acme.crm: "pipedrive" is not known here. This version knows "hubspot", "salesforce"`},
		{"no CRM", strings.Replace(minimal, "crm", "#crm", 1), `config.toml:1:14: connections.acme.crm: missing. Write crm = "hubspot"; this version knows "hubspot", "salesforce"`},
		{"unknown login", minimal + "auth = \"magic\"\n", `config.toml:6:1: connections.acme.auth: "magic" is not known here. This version knows "client_credentials", "jwt", "password", "soap"`},
		{"JWT without a key", minimal + "auth = \"jwt\"\nusername = \"u\"\n", `config.toml:1:14: connections.acme.private_key: missing; auth = "jwt" needs it. Write private_key = "file:acme.private_key"`},
		{"no secret", strings.Replace(minimal, "client_secret", "#", 1), `config.toml:1:14: connections.acme.client_secret: missing; auth = "client_credentials" needs it. Write client_secret = "file:acme.client_secret"`},
		{"literal secret", strings.Replace(minimal, "env:SECRET", "hunter2", 1), `config.toml:5:1: connections.acme.client_secret: a secret itself does not belong into this file. Put it into an environment variable and write "env:NAME", or into a file that only handoff can read and write "file:PATH"`},
		{"absent variable", strings.Replace(minimal, "env:SECRET", "env:ABSENT", 1), `config.toml:5:1: connections.acme.client_secret: environment variable ABSENT is not set. Set it where handoff runs, or keep the secret in a file and write "file:PATH"`},
		{"absent file", strings.Replace(minimal, "env:SECRET", "file:absent", 1), `config.toml:5:1: connections.acme.client_secret: there is no file absent. Create it with nothing but the secret in it`},
		{"empty file", strings.Replace(minimal, "env:SECRET", "file:empty", 1), `config.toml:5:1: connections.acme.client_secret: file empty is empty. It should hold nothing but the secret`},
		{"unreadable file", strings.Replace(minimal, "env:SECRET", "file:.", 1), `config.toml:5:1: connections.acme.client_secret: file DIR cannot be read: is a directory. Let the user that handoff runs as read it`},
		{"webhook that is none", "[slack]\nwebhook = \"env:SECRET\"\n" + minimal, `config.toml:2:1: slack.webhook: the secret is not the address of a webhook: it should start with https://. Copy it from the Slack app, under Incoming Webhooks`},
		{"unknown store", "[store]\nurl = \"postgres://me:hunter2@db/handoff\"\n" + minimal, `config.toml:2:1: store.url: this version keeps its history in SQLite. Write "sqlite:FILE"`},
		{"a port alone", "[server]\nlisten = \"8080\"\n" + minimal, `config.toml:2:1: server.listen: "8080" is not an address to listen at. Write listen = "127.0.0.1:8080"`},
		{"no port", "[server]\nlisten = \"127.0.0.1:0\"\n" + minimal, `config.toml:2:1: server.listen: "127.0.0.1:0" is not an address to listen at. Write listen = "127.0.0.1:8080"`},
		{"too many ports", "[server]\nlisten = \"127.0.0.1:80800\"\n" + minimal, `config.toml:2:1: server.listen: "127.0.0.1:80800" is not an address to listen at. Write listen = "127.0.0.1:8080"`},
		{"a number for an address", "[server]\nlisten = 8080\n" + minimal, `config.toml:2:1: server.listen: a number stands where text in quotes belongs. Write listen = "127.0.0.1:8080"`},
		{"quota_share", minimal + "quota_share = 0\n", `config.toml:6:1: connections.acme.quota_share: 0 is not between 1 and 100 percent. Write quota_share = 80`},
		{"quota_share with its sign", minimal + "quota_share = \"80 %\"\n", `config.toml:6:1: connections.acme.quota_share: text stands where a whole number belongs. Write quota_share = 80`},
		{"since", minimal + "since = \"a while\"\n", `config.toml:6:1: connections.acme.since: "a while" is neither a length of time nor a date. Write "90d" or "2026-01-01"`},
		{"overlap", minimal + "overlap = \"-5m\"\n", `config.toml:6:1: connections.acme.overlap: "-5m" is no length of time. Write it as "30s", "5m" or "2h"`},
		{"alerts_from", minimal + "alerts_from = \"soon\"\n", `config.toml:6:1: connections.acme.alerts_from: "soon" is not a date of the form YYYY-MM-DD. Write alerts_from = "2026-01-01"`},
		{"api_version", minimal + "api_version = \"latest\"\n", `config.toml:6:1: connections.acme.api_version: "latest" is no API version from 62.0 on. Write it as "62.0", or leave the line out`},
		{"old api_version", minimal + "api_version = \"58.0\"\n", `config.toml:6:1: connections.acme.api_version: "58.0" is no API version from 62.0 on. Write it as "62.0", or leave the line out`},
		{"SOAP at a new version", strings.ReplaceAll(minimal, "client_", "#") + "auth = \"soap\"\nusername = \"u\"\npassword = \"file:secret\"\napi_version = \"65.0\"\n",
			`config.toml:9:1: connections.acme.api_version: auth = "soap" does not exist from version 65.0 on. Write api_version = "64.0", or log in with auth = "client_credentials" or "jwt"`},
		{"as_of in a real CRM", minimal + "as_of = \"case\"\n", "config.toml:6:1: connections.acme.as_of: another moment than now is for `handoff sandbox` on this machine alone, and would put wrong scores into a real CRM. Leave it out"},
		{"as_of", minimal + "as_of = \"soon\"\n", `config.toml:6:1: connections.acme.as_of: "soon" is not a moment. Write it as "2026-10-15T09:00:00Z" or "2026-10-15", or "case" for each deal's own`},
		{"a key of another CRM", strings.Replace(minimal, `"salesforce"`, `"hubspot"`, 1) + "token = \"file:secret\"\n", `config.toml:4:1: connections.acme.client_id: unknown key. Known here: alerts_from, api_version, as_of, crm, deal_types, fields, handoff_fields, methodology, min_amount, overlap, pipelines, quota_share, reconcile, schedule, since, time_zone, token, url, write_back
config.toml:5:1: connections.acme.client_secret: unknown key. Known here: alerts_from, api_version, as_of, crm, deal_types, fields, handoff_fields, methodology, min_amount, overlap, pipelines, quota_share, reconcile, schedule, since, time_zone, token, url, write_back`},
		{"no token", "[connections.acme]\ncrm = \"hubspot\"\n", `config.toml:1:14: connections.acme.token: missing. Write token = "file:acme.token", and put the service key into that file`},
		{"no release of HubSpot's API", "[connections.acme]\ncrm = \"hubspot\"\ntoken = \"file:secret\"\napi_version = \"v3\"\n",
			`config.toml:4:1: connections.acme.api_version: "v3" is no release of HubSpot's API. Write it as "2026-09", or leave the line out`},
		{"HubSpot over http", "[connections.acme]\ncrm = \"hubspot\"\nurl = \"http://api.hubapi.com\"\ntoken = \"file:secret\"\n",
			`config.toml:3:1: connections.acme.url: "http://api.hubapi.com" would send credentials over http, where anyone on the way can read them. Write it as "https://api.hubapi.com"`},
		{"empty property name", "[connections.acme]\ncrm = \"hubspot\"\ntoken = \"file:secret\"\nfields = { use_case = \"\" }\n",
			`config.toml:4:12: connections.acme.fields.use_case: empty. Write the CRM's name of the field, such as use_case = "use_case", or leave the line out`},
		{"connection name", strings.Replace(minimal, "acme", `"acme: uat"`, 1), `config.toml:1:14: connections."acme: uat": "acme: uat" is no name for a connection. Use letters, digits, - and _`},
		{"all at once, in order", "[store]\nurl = 5\n" + strings.Replace(minimal, "env:SECRET", "hunter2", 1) + "schedule = \"7\"\n",
			`config.toml:2:1: store.url: a number stands where text in quotes belongs. Write url = "sqlite:handoff.db"
config.toml:7:1: connections.acme.client_secret: a secret itself does not belong into this file. Put it into an environment variable and write "env:NAME", or into a file that only handoff can read and write "file:PATH"
config.toml:8:1: connections.acme.schedule: schedule "7" cannot be read (expected exactly 5 fields, found 1: [7]). Write five fields, minute hour day month weekday, such as "0 7 * * 1-5", or "@every 15m"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, got := load(t, tc.text)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is printed: %s", got)
			}
		})
	}
}

var settingLine = regexp.MustCompile(`^[a-z_]+ += `)

// TestConfigWithByteOrderMark reads a file as Windows' editors write it.
func TestConfigWithByteOrderMark(t *testing.T) {
	if cfg, bad := load(t, "\ufeff"+strings.ReplaceAll(minimal, "\n", "\r\n")); bad != "" || len(cfg.Connections) != 1 {
		t.Errorf("refused: %s", bad)
	}
	if _, bad := load(t, "\ufeffhorsepower = 7\n"+minimal); !strings.HasPrefix(bad, "config.toml:1:1: horsepower: unknown key.") {
		t.Errorf("says %s", bad)
	}
}

func TestConfigExample(t *testing.T) {
	example := filepath.Join("..", "..", "config.example.toml")
	if _, err := loadConfig(example, env("SALESFORCE_CLIENT_SECRET", "s", "HUBSPOT_TOKEN", "s")); err != nil {
		t.Errorf("filled in: %v", err)
	}

	// What stands behind "# " and looks like a setting must be one.
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		if setting, ok := strings.CutPrefix(line, "# "); ok && (settingLine.MatchString(setting) || strings.HasPrefix(setting, "[slack]") || strings.HasPrefix(setting, "[server]") || strings.HasPrefix(setting, "[scorecard]")) {
			line = setting
		}
		all.WriteString(line)
	}
	cfg, bad := load(t, strings.NewReplacer("SALESFORCE_CLIENT_SECRET", "SECRET", "file:salesforce.password", "file:secret", "file:salesforce.key", "file:secret", "HUBSPOT_TOKEN", "SECRET", "HANDOFF_SLACK_WEBHOOK", "HOOK").Replace(all.String()))
	if bad != "" {
		t.Fatalf("with every line in force: %s", bad)
	}
	if len(cfg.Connections) != len(crms) || cfg.Slack == nil || cfg.Listen == "" || !slices.ContainsFunc(cfg.Connections, func(c Connection) bool { return c.AlertsFrom != nil }) {
		t.Errorf("with every line in force, some are not: %+v", cfg)
	}
	for _, c := range cfg.Connections {
		if c.MinAmount == nil || len(c.Fields) != len(crms[c.CRM].fields()) || len(c.HandoffFields) == 0 {
			t.Errorf("with every line in force, some are not: %+v", c)
		}
	}
}

func TestConfigWithoutSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("[slack]\nwebhook = \"env:ABSENT\"\n"+minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadConfig(path, nil); err != nil {
		t.Errorf("a command that calls nobody asks for secrets: %v", err)
	}
}

func TestSecretPrintsRedacted(t *testing.T) {
	s := Secret{"hunter2"}
	text, err := json.Marshal(map[string]any{"a": s, "b": &s})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "a", s, "b", &s, "c", struct{ S Secret }{s})
	conn := Connection{Password: s}
	for _, printed := range []string{
		string(text), log.String(), s.String(), fmt.Sprint(s, &s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", conn, conn, conn), fmt.Sprintf("%v %+v %#v", &conn, &conn, &conn),
	} {
		if strings.Contains(printed, "hunter2") || strings.Contains(printed, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("a secret is printed: %s", printed)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(minimal)
	f.Add("[store]\nurl = { a = [1, {b = 2}] }\n'' = 1979-05-27\n[[x.\"y\"]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		top, bad := parseDocument([]byte(text))
		if bad != nil {
			return
		}
		c := configReader{dir: t.TempDir(), env: env()}
		c.config(top)
		for _, p := range top.doc.problems {
			if p.at.Line < 1 || p.at.Column < 1 || p.text == "" {
				t.Errorf("problem without a place: %+v", p)
			}
		}
	})
}
