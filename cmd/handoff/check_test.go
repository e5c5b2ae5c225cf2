package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/jobs"
)

func TestPrintNotices(t *testing.T) {
	hidden := func(places ...string) []connectors.Finding {
		var list []connectors.Finding
		for _, p := range places {
			list = append(list, connectors.Finding{Severity: connectors.Problem, Place: p, Text: "hidden", Remedy: "show it"})
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		findings []connectors.Finding
		want     string
	}{
		{"in order", []connectors.Finding{{Place: "url", Text: "answers"}}, "  ✓ url: answers\n"},
		{"no place", []connectors.Finding{{Severity: connectors.Warning, Text: "slow"}}, "  ! slow\n"},
		{"one", hidden("a"), "  ✗ a: hidden\n    → show it\n"},
		{"the same at six places", hidden("a", "b", "c", "d", "e", "f"), "  ✗ a, b, c, d, e, f: hidden\n    → show it\n"},
		{"at more", hidden("a", "b", "c", "d", "e", "f", "g", "h"), "  ✗ a, b, c, d, e, f and 2 more: hidden\n    → show it\n"},
		{"twice at one place", hidden("a", "a"), "  ✗ a: hidden\n    → show it\n"},
		{"another remedy, severity and text", []connectors.Finding{
			{Severity: connectors.Problem, Place: "a", Text: "hidden", Remedy: "show it"},
			{Severity: connectors.Problem, Place: "b", Text: "hidden", Remedy: "ask"},
			{Severity: connectors.Warning, Place: "c", Text: "hidden", Remedy: "ask"},
			{Severity: connectors.Warning, Place: "d", Text: "gone", Remedy: "ask"},
			{Severity: connectors.Problem, Place: "e", Text: "hidden", Remedy: "show it"},
		}, "  ✗ a, e: hidden\n    → show it\n  ✗ b: hidden\n    → ask\n  ! c: hidden\n    → ask\n  ! d: gone\n    → ask\n"},
		{"text from outside", []connectors.Finding{{Place: "a", Text: "two\nlines \x1b[31mred", Remedy: "\u202eback"}}, "  ✓ a: two lines [31mred\n    → back\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got bytes.Buffer
			printNotices(&got, fold(tt.findings))
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSumOfChapters(t *testing.T) {
	of := func(severities ...connectors.Severity) []connectors.Finding {
		var list []connectors.Finding
		for i, s := range severities {
			list = append(list, connectors.Finding{Severity: s, Text: strings.Repeat("x", i+1)})
		}
		return list
	}
	for _, tt := range []struct {
		findings []connectors.Finding
		want     string
	}{
		{of(connectors.Fine), "Everything is in order."},
		{of(connectors.Fine, connectors.Warning), "1 warning"},
		{of(connectors.Problem), "1 problem"},
		{of(connectors.Problem, connectors.Warning, connectors.Problem), "2 problems, 1 warning"},
	} {
		var got bytes.Buffer
		printChapters(&got, []chapter{{title: "here"}, {title: "there", findings: tt.findings}})
		if _, sum, _ := strings.Cut(got.String(), "\n\nthere\n"); !strings.HasSuffix(sum, "\n\n"+tt.want+"\n") {
			t.Errorf("%q, want it to end with %q", got.String(), tt.want)
		}
	}
}

func TestPlace(t *testing.T) {
	salesforce, hubspot := &Connection{Name: "acme", CRM: "salesforce"}, &Connection{Name: "portal", CRM: "hubspot"}
	for _, tt := range []struct {
		conn        *Connection
		where, want string
	}{
		{salesforce, "client_secret", "connections.acme.client_secret"},
		{salesforce, "url", "connections.acme.url"},
		{salesforce, "fields.use_case", "connections.acme.fields.use_case"},
		{hubspot, "handoff_fields.score", "connections.portal.handoff_fields.score"},
		{hubspot, "token", "connections.portal.token"},
		{salesforce, "token", "token"}, // no key of this CRM
		{salesforce, "Opportunity.Handoff_Score__c", "Opportunity.Handoff_Score__c"},
		{hubspot, "deals", "deals"},
		{hubspot, "", ""},
		{salesforce, "Salesforce", "connections.acme"},
	} {
		if got := tt.conn.place(tt.where); got != tt.want {
			t.Errorf("%q of %s is %q, want %q", tt.where, tt.conn.Name, got, tt.want)
		}
	}
}

func TestPlaced(t *testing.T) {
	conn := &Connection{Name: "acme", CRM: "salesforce"}
	if err := placed(conn, nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	cause := &connectors.Error{Op: "log in", CRM: "Salesforce", Class: connectors.ErrConfig, Message: "no", Setting: "client_secret", Remedy: "Correct it"}
	if err := placed(conn, cause); err.Error() != "connections.acme.client_secret: Salesforce: log in: no. Correct it" {
		t.Errorf("with a setting: %v", err)
	}
	cause.Setting = ""
	if err := placed(conn, cause); err.Error() != "connections.acme: Salesforce: log in: no. Correct it" {
		t.Errorf("without: %v", err)
	}
}

func TestOverlaps(t *testing.T) {
	org := func(name string, pipelines, dealTypes []string) Connection {
		return Connection{Name: name, CRM: "salesforce", Pipelines: pipelines, DealTypes: dealTypes}
	}
	const same = "connection b reads the same org, and neither pipelines nor deal_types keep their deals apart: both would score and write the same deals"
	for _, tt := range []struct {
		name  string
		list  []Connection
		found []connectors.Checkup
		want  string // at the first connection
	}{
		{"another account", []Connection{org("a", nil, nil), org("b", nil, nil)}, []connectors.Checkup{{Account: "1"}, {Account: "2"}}, ""},
		{"accounts that are not known", []Connection{org("a", nil, nil), org("b", nil, nil)}, []connectors.Checkup{{}, {}}, ""},
		{"the same account", []Connection{org("a", nil, nil), org("b", nil, nil)}, []connectors.Checkup{{Account: "1"}, {Account: "1"}}, same},
		{"one is filtered", []Connection{org("a", []string{"New"}, nil), org("b", nil, nil)}, []connectors.Checkup{{Account: "1"}, {Account: "1"}}, same},
		{"pipelines in common", []Connection{org("a", []string{"New", "Old"}, nil), org("b", []string{"old"}, nil)}, []connectors.Checkup{{Account: "1"}, {Account: "1"}}, same},
		{"other pipelines", []Connection{org("a", []string{"New"}, nil), org("b", []string{"Old"}, nil)}, []connectors.Checkup{{Account: "1"}, {Account: "1"}}, ""},
		{"other types in one pipeline", []Connection{org("a", []string{"New"}, []string{"x"}), org("b", []string{"New"}, []string{"y"})}, []connectors.Checkup{{Account: "1"}, {Account: "1"}}, ""},
		{"copies of the other's deals", []Connection{{Name: "a", CRM: "hubspot"}, org("b", nil, nil)},
			[]connectors.Checkup{{Account: "1", Mirrored: map[string]int{"salesforce": 12}}, {Account: "1"}},
			"12 won deals of a are copies of deals in Salesforce, and connection b reads those too: each would be scored and announced twice"},
		{"copies of nobody's deals", []Connection{{Name: "a", CRM: "hubspot"}, {Name: "b", CRM: "hubspot"}},
			[]connectors.Checkup{{Account: "1", Mirrored: map[string]int{"salesforce": 12}}, {Account: "2"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range overlaps(tt.list, tt.found, 0) {
				if f.Severity != connectors.Warning || f.Place != "pipelines" || f.Remedy == "" {
					t.Errorf("finding %+v: want a warning at pipelines with a remedy", f)
				}
				got = append(got, f.Text)
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestHealth asks a service how it is: before the first run, after a run that did its work, after one that left some of it
// to a person, and after one that failed. A check beside it sees that the port is its own.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := newScene(t, "hubspot")
	address := s.freePort()
	s.set("server", "listen", `"`+address+`"`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout, w := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		now := func() time.Time { return time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC) }
		exit <- run(ctx, []string{"--config", s.config, "run", "--connection", "hubspot"}, strings.NewReader(""), w, io.Discard, env(), now)
		w.Close()
	}()
	out := make([]byte, 512)
	if n, err := stdout.Read(out); err != nil || !strings.HasPrefix(string(out[:n]), "health: http://"+address+"/healthz\n") {
		t.Fatalf("the service says %q, %v", out[:n], err)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()

	ask := func(method, path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	wantHealth := func(status int, want string) {
		t.Helper()
		got, body := ask("GET", "/healthz")
		body = regexp.MustCompile(`"last_run":"[^"]+"`).ReplaceAllString(body, `"last_run":"T"`)
		if got != status || body != want+"\n" {
			t.Errorf("HTTP %d %s, want %d %s", got, body, status, want)
		}
	}
	const next = `"next_run":"2026-03-01T12:15:00Z"}]}`
	wantHealth(200, `{"status":"ok","connections":[{"connection":"hubspot","last_run":null,"ok":true,"error":"",`+next)
	if code, text := s.exec("run", "--once", "--connection", "hubspot"); code != exitDone {
		t.Fatalf("run: exit %d: %s", code, text)
	}
	wantHealth(200, `{"status":"ok","connections":[{"connection":"hubspot","last_run":"T","ok":true,"error":"",`+next)
	s.property("DELETE", "/handoff_gaps", "")
	s.revoke("crm.objects.contacts.read")
	if code, text := s.exec("run", "--once", "--connection", "hubspot"); code != exitIssue {
		t.Fatalf("run: exit %d: %s", code, text)
	}
	wantHealth(503, `{"status":"failing","connections":[{"connection":"hubspot","last_run":"T","ok":false,"error":"1 of the 41 fields of handoff cannot be written; `+
		"4 deals not scored in full, because handoff could not read: contacts, emails, events, notes, tasks. `handoff check` says why, and what to do\","+next)
	s.call("POST", "/_sandbox/faults", "", "application/json", `{"status": 401}`, nil)
	if code, text := s.exec("run", "--once", "--connection", "hubspot"); code != exitIssue {
		t.Fatalf("run: exit %d: %s", code, text)
	}
	if status, body := ask("GET", "/healthz"); status != 503 || !strings.Contains(body, `{"status":"failing","connections":[{"connection":"hubspot",`) ||
		!strings.Contains(body, `"ok":false,"error":"HubSpot: `) || strings.Contains(body, hubspotToken) {
		t.Errorf("after a run that failed: HTTP %d %s", status, body)
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{{"POST", "/healthz", 405}, {"GET", "/", 404}} {
		if status, _ := ask(c.method, c.path); status != c.want {
			t.Errorf("%s %s: HTTP %d, want %d", c.method, c.path, status, c.want)
		}
	}
	if f := checkListen(t.Context(), address); f.Severity != connectors.Fine || f.Text != "a handoff service is running at "+address {
		t.Errorf("a check beside the service says %+v", f)
	}

	cancel()
	if code := <-exit; code != exitDone {
		t.Errorf("the service ended with %d", code)
	}
	if f := checkListen(t.Context(), address); f.Text != address+" is free" {
		t.Errorf("a check after the service says %+v", f)
	}
}

// TestHealthOfAnInterruptedRun checks that a run that was told to stop does not count as one that failed.
func TestHealthOfAnInterruptedRun(t *testing.T) {
	s := newScene(t, "hubspot")
	cfg, err := loadConfig(s.config, env())
	if err != nil {
		t.Fatal(err)
	}
	db, err := openHistory(t.Context(), cfg.StoreURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	id, err := db.BeginRun(t.Context(), jobs.Run{Connection: "hubspot", Job: jobs.ScoreJob, StartedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	ended := jobs.Run{ID: id, EndedAt: &now, Error: "interrupted", Summary: jobs.Summary{Interrupted: true}}
	if err := db.EndRun(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	service := service{app: &app{clock: func() time.Time { return now }}, cfg: cfg, db: db}
	if h, err := service.health(t.Context()); err != nil || h.Status != healthy || !h.Connections[0].OK || !h.Connections[0].LastRun.Equal(now) {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestCheckJSON(t *testing.T) {
	s := newScene(t, "salesforce")
	s.configure("write_back", "false")
	s.deleteField("Handoff_Gaps__c")
	exit, text := s.exec("check", "--json")
	if exit != exitIssue {
		t.Errorf("exit %d, want 1", exit)
	}
	severities := map[string]bool{}
	gaps, off := 0, 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "time=") {
			continue
		}
		var f map[string]string
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if len(f) != 5 || f["text"] == "" || f["severity"] != "ok" && f["remedy"] == "" {
			t.Errorf("line %s: want connection, severity, place, text and remedy", line)
		}
		severities[f["severity"]] = true
		switch {
		case f["place"] == "Opportunity.Handoff_Gaps__c" && f["connection"] == "salesforce" && f["severity"] == "problem":
			gaps++
		case f["place"] == "connections.salesforce.write_back" && f["severity"] == "ok" && f["remedy"] != "":
			off++
		}
	}
	if gaps != 1 || off != 1 || !severities["problem"] {
		t.Errorf("the missing field is there %d times, write_back that is off %d times:\n%s", gaps, off, text)
	}
}
