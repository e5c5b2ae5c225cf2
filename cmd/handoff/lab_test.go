package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"handoff/connectors"
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

// lab is a sandbox in a process of its own, with a configuration that works against it, and a view of one of its CRMs.
type lab struct {
	t          *testing.T
	bin        string
	config     string
	connection string // to the CRM
	url        string // of the CRM
	crm        view
}

func newLab(t *testing.T, connection string, sandboxFlags ...string) *lab {
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
	l.look(connection)
	return l
}

// look turns the lab to a connection and its CRM.
func (l *lab) look(connection string) {
	l.t.Helper()
	text, err := os.ReadFile(l.config)
	if err != nil {
		l.t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\[connections\.` + connection + `\].*?\nurl = "(http[^"]+)"`)
	l.connection, l.url = connection, string(section.FindSubmatch(text)[1])
	l.crm = views[connection](l)
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
	Connection, Left                                string
	Pulled, Scored, Written, Flagged, Parked, Calls int
}

// run runs the lab's connection once.
func (l *lab) run() summary {
	l.t.Helper()
	out := l.handoff(0, "run", "--once", "--connection", l.connection, "--json")
	var s summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		l.t.Fatalf("run --once --json: %v: %s", err, out)
	}
	return s
}

// call calls the CRM, and reads the answer into a string or as JSON; nil: it does not matter.
func (l *lab) call(method, path, token, contentType, body string, into any) {
	l.t.Helper()
	ctx := context.WithoutCancel(l.t.Context()) // also while a test cleans up
	res := l.send(ctx, method, path, token, contentType, body)
	for res.StatusCode == http.StatusTooManyRequests { // the command at hand has used the limit up
		res.Body.Close()
		_ = connectors.Sleep(ctx, time.Second/2)
		res = l.send(ctx, method, path, token, contentType, body)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		l.t.Fatal(err)
	}
	if res.StatusCode >= 300 {
		l.t.Fatalf("%s %s: HTTP %d: %s", method, path, res.StatusCode, answer.String())
	}
	switch into := into.(type) {
	case nil:
	case *string:
		*into = answer.String()
	default:
		if err := json.Unmarshal(answer.Bytes(), into); err != nil {
			l.t.Fatalf("%s %s: %v: %.300s", method, path, err, answer.String())
		}
	}
}

// send sends one call to the CRM.
func (l *lab) send(ctx context.Context, method, path, token, contentType, body string) *http.Response {
	l.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, strings.NewReader(body))
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
	return res
}

// editRecord sets fields of a record as a person would: as another user.
func (l *lab) editRecord(object, id string, fields map[string]any) {
	l.t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		l.t.Fatal(err)
	}
	l.call("PATCH", "/_sandbox/records/"+object+"/"+id, "", "application/json", string(body), nil)
}

// requests counts what reached the CRM since the last reset, by route.
func (l *lab) requests() map[string]int {
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	l.call("GET", "/_sandbox/requests", "", "", "", &counts)
	return counts.ByRoute
}

func (l *lab) resetRequests() { l.call("DELETE", "/_sandbox/requests", "", "", "", nil) }

// change is one field of one record that a request set.
type change struct{ record, field string }

// writtenValue is what a request set a field to.
type writtenValue struct {
	change
	value string
}

// writes counts, from the request log, how often each field of each record was written.
func (l *lab) writes() map[change]int {
	l.t.Helper()
	counts := map[change]int{}
	for _, e := range l.log() {
		for _, w := range l.crm.wrote(e) {
			counts[w.change]++
		}
	}
	return counts
}

// entry is a call in the CRM's log.
type entry struct {
	Method, Path, Query string
	Status              int
	ContentType         string // of the answer
	RequestBody         json.RawMessage
	ResponseBody        json.RawMessage
}

// json reports whether the answer is in the CRM's own form; a proxy's is not.
func (e *entry) json() bool { return strings.HasPrefix(e.ContentType, "application/json") }

// log reads the log of the calls that reached the CRM.
func (l *lab) log() []entry {
	l.t.Helper()
	var text string
	l.call("GET", "/_sandbox/log", "", "", "", &text)
	var entries []entry
	for line := range strings.Lines(text) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			l.t.Fatalf("request log: %v: %.200s", err, line)
		}
		entries = append(entries, e)
	}
	return entries
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
