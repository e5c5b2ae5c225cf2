package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the command once for all tests that need a process of their own: to kill it, or to see its exit code.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "handoff-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "handoff")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

// lab is a sandbox in a process of its own, with a configuration that works against it. What it shows of Salesforce it
// reads through the CRM's API.
type lab struct {
	t      *testing.T
	bin    string
	config string
	url    string // of Salesforce
	token  string // for its API
	portal string // address of HubSpot
}

func newLab(t *testing.T, sandboxFlags ...string) *lab {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, bin: bin, config: filepath.Join(t.TempDir(), "config.toml")}
	args := append([]string{"sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0", "--write-config", l.config}, sandboxFlags...)
	cmd := exec.Command(bin, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("stop the sandbox: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the sandbox ended with %v: %s", err, stderr.String())
		}
	})
	ready := bufio.NewScanner(stdout)
	for ready.Scan() && !strings.HasPrefix(ready.Text(), "ready") {
	}
	if !strings.HasPrefix(ready.Text(), "ready") {
		t.Fatalf("the sandbox did not get ready: %s", stderr.String())
	}
	text, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	address := func(connection string) string {
		return string(regexp.MustCompile(`(?s)\[connections\.` + connection + `\].*?\nurl = "(http[^"]+)"`).FindSubmatch(text)[1])
	}
	l.url, l.portal = address("salesforce"), address("hubspot")

	var token struct {
		AccessToken string `json:"access_token"`
	}
	l.do("POST", "/services/oauth2/token", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"},
	}.Encode(), &token)
	l.token = token.AccessToken
	return l
}

// command returns a handoff command against the lab, not yet started.
func (l *lab) command(args ...string) *exec.Cmd {
	return exec.Command(l.bin, append([]string{"--config", l.config}, args...)...)
}

// handoff runs a command to its end and returns what it printed; any exit code but want fails the test.
func (l *lab) handoff(want int, args ...string) string {
	l.t.Helper()
	cmd := l.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != want {
		l.t.Fatalf("handoff %s: exit %d (%v), want %d\n%s%s", strings.Join(args, " "), got, err, want, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// summary is a line of `run --once --json`.
type summary struct {
	Connection                                      string
	Pulled, Scored, Written, Flagged, Parked, Calls int
}

// run runs the connection to Salesforce once.
func (l *lab) run() summary {
	l.t.Helper()
	out := l.handoff(0, "run", "--once", "--connection", "salesforce", "--json")
	var s summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		l.t.Fatalf("run --once --json: %v: %s", err, out)
	}
	return s
}

// do calls Salesforce.
func (l *lab) do(method, path, contentType, body string, into any) {
	l.t.Helper()
	l.call(method, l.url+path, l.token, contentType, body, into)
}

func (l *lab) call(method, address, token, contentType, body string, into any) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		l.t.Fatal(err)
	}
	if res.StatusCode >= 300 {
		l.t.Fatalf("%s %s: HTTP %d: %s", method, address, res.StatusCode, answer.String())
	}
	switch into := into.(type) {
	case nil:
	case *string:
		*into = answer.String()
	default:
		if err := json.Unmarshal(answer.Bytes(), into); err != nil {
			l.t.Fatalf("%s %s: %v: %.300s", method, address, err, answer.String())
		}
	}
}

// query reads all rows of a SOQL statement.
func (l *lab) query(soql string) []map[string]any {
	l.t.Helper()
	var rows []map[string]any
	for path := "/services/data/v62.0/query?q=" + url.QueryEscape(soql); path != ""; {
		var page struct {
			Records        []map[string]any `json:"records"`
			NextRecordsURL string           `json:"nextRecordsUrl"`
		}
		l.do("GET", path, "", "", &page)
		rows = append(rows, page.Records...)
		path = page.NextRecordsURL
	}
	return rows
}

// portalDeals reads our properties of every deal from HubSpot, by case id.
func (l *lab) portalDeals() map[string]map[string]string {
	l.t.Helper()
	var properties struct{ Results []struct{ Name string } }
	l.call("GET", l.portal+"/crm/properties/2026-09/deals", "sandbox-token", "", "", &properties)
	names := []string{"case_id"}
	for _, p := range properties.Results {
		if strings.HasPrefix(p.Name, "handoff_") {
			names = append(names, p.Name)
		}
	}
	search, err := json.Marshal(map[string]any{"filterGroups": []any{}, "properties": names, "limit": 200})
	if err != nil {
		l.t.Fatal(err)
	}
	var found struct {
		Total   int
		Results []struct{ Properties map[string]string }
	}
	l.call("POST", l.portal+"/crm/objects/2026-09/deals/search", "sandbox-token", "application/json", string(search), &found)
	if found.Total != len(found.Results) {
		l.t.Fatalf("%d of %d deals on the first page", len(found.Results), found.Total)
	}
	deals := map[string]map[string]string{}
	for _, d := range found.Results {
		deals[d.Properties["case_id"]] = d.Properties
	}
	return deals
}

// edit sets fields of a record as a person would: as another user.
func (l *lab) edit(object, id string, fields map[string]any) {
	l.t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		l.t.Fatal(err)
	}
	l.do("PATCH", "/_sandbox/records/"+object+"/"+id, "application/json", string(body), nil)
}

// requests counts what reached the CRM since the last reset, by route.
func (l *lab) requests() map[string]int {
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	l.do("GET", "/_sandbox/requests", "", "", &counts)
	return counts.ByRoute
}

func (l *lab) resetRequests() { l.do("DELETE", "/_sandbox/requests", "", "", nil) }

// change is one field of one record that a request set.
type change struct{ record, field string }

// writes counts, from the request log, how often each field of each record was written.
func (l *lab) writes() map[change]int {
	l.t.Helper()
	var log string
	l.do("GET", "/_sandbox/log", "", "", &log)
	counts := map[change]int{}
	for line := range strings.Lines(log) {
		var entry struct {
			Method, Path string
			Status       int
			RequestBody  json.RawMessage
			ResponseBody json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			l.t.Fatalf("request log: %v: %.200s", err, line)
		}
		if entry.Method != "PATCH" || !strings.HasSuffix(entry.Path, "/composite/sobjects") || entry.Status != 200 {
			continue
		}
		var sent struct{ Records []map[string]any }
		var outcomes []struct{ Success bool }
		l.unwrap(entry.RequestBody, &sent)
		l.unwrap(entry.ResponseBody, &outcomes)
		for i, record := range sent.Records {
			if !outcomes[i].Success {
				continue
			}
			id := ""
			for key, value := range record {
				if strings.EqualFold(key, "Id") {
					id = value.(string)
				}
			}
			for key := range record {
				if key != "attributes" && !strings.EqualFold(key, "Id") {
					counts[change{id, key}]++
				}
			}
		}
	}
	return counts
}

// unwrap reads a logged body, which is JSON or JSON in a string.
func (l *lab) unwrap(raw json.RawMessage, into any) {
	l.t.Helper()
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		l.t.Fatalf("logged body: %v: %.200s", err, raw)
	}
}
