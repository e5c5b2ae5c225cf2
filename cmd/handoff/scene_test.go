package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"handoff/connectors"
)

// scene is a sandbox in this process, set up, with a few deals and a configuration of its own.
type scene struct {
	*lab
	nobody   bool          // commands run as an ordinary user of no name
	patience time.Duration // with one answer of a CRM
}

func newScene(t *testing.T, connection string) *scene {
	t.Helper()
	dir, err := os.MkdirTemp("", "handoff-scene-") // t.TempDir's parents are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s := &scene{lab: &lab{t: t, config: filepath.Join(dir, "config.toml")}}
	stop, err := startTestSandbox(s.config, "--cases", fewCases(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	s.look(connection)
	if exit, text := s.exec("setup", "--apply", "--connection", connection, "--layout", "Opportunity Layout", "--layout", "Account Layout"); exit != exitDone {
		t.Fatalf("setup: exit %d: %s", exit, text)
	}
	return s
}

// fewCases writes the first cases of the demo to a file.
func fewCases(t *testing.T, dir string) string {
	t.Helper()
	all, err := os.ReadFile(demoCases)
	if err != nil {
		t.Fatal(err)
	}
	few := slices.Collect(strings.Lines(string(all)))[:4]
	path := filepath.Join(dir, "cases.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(few, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exec runs a command and returns its exit code and what a person reads.
func (s *scene) exec(args ...string) (int, string) {
	s.t.Helper()
	args = append([]string{"--config", s.config}, args...)
	var text bytes.Buffer
	if !s.nobody {
		var mu sync.Mutex
		out := &locked{&mu, &text}
		a := &app{stdin: strings.NewReader(""), stdout: out, stderr: out, env: env(), clock: time.Now, patience: s.patience, sleep: hasten}
		return a.main(s.t.Context(), args), text.String()
	}
	bin, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &text, &text, "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// hasten waits for a tenth of the time.
func hasten(ctx context.Context, d time.Duration) error { return connectors.Sleep(ctx, d/10) }

// locked is a writer for several goroutines.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (s *scene) files(pattern string) []string {
	s.t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no file %s: %v", pattern, err)
	}
	return files
}

func (s *scene) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// configure sets a key of the connection to a TOML value.
func (s *scene) configure(key, value string) { s.set("connections."+s.connection, key, value) }

func (s *scene) configureStore(path string) { s.set("store", "url", `"sqlite:`+path+`"`) }

// set sets a key in a section of the configuration, which it adds where there is none.
func (s *scene) set(section, key, value string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	header := "[" + section + "]\n"
	before, after, found := strings.Cut(string(text), header)
	if !found {
		after = "\n"
	}
	own, rest, _ := strings.Cut(after, "\n[")
	if rest != "" {
		rest = "\n[" + rest
	}
	own = regexp.MustCompile(`(?m)^`+key+` = .*\n?`).ReplaceAllString(own, "")
	s.write(s.config, before+header+key+" = "+value+"\n"+own+rest)
}

// runsAsNobody makes the commands run as an ordinary user, who may read the configuration.
func (s *scene) runsAsNobody() {
	s.t.Helper()
	s.nobody = true
	bin, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	dir := filepath.Dir(s.config)
	for _, path := range append(s.files(s.config+".secrets/*"), filepath.Dir(bin), dir, s.config, s.config+".secrets") {
		if err := os.Chmod(path, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
}

// closedFolder returns a folder that nobody may write.
func (s *scene) closedFolder() string {
	s.t.Helper()
	dir := filepath.Join(filepath.Dir(s.config), "closed")
	if err := os.Mkdir(dir, 0o555); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

// lockStore lets another program hold the store until the test ends.
func (s *scene) lockStore() {
	s.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(filepath.Dir(s.config), "handoff.db")+"?_txlock=exclusive")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { tx.Rollback() })
}

// freePort returns an address where nobody listened a moment ago.
func (s *scene) freePort() string {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// occupyPort lets another program listen where the service should.
func (s *scene) occupyPort() {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	s.set("server", "listen", `"`+l.Addr().String()+`"`)
}

// revoke takes a permission away from the integration's user.
func (s *scene) revoke(permission string) {
	s.t.Helper()
	s.call("POST", "/_sandbox/revoked", "", "application/json", fmt.Sprintf(`{"permission": %q}`, permission), nil)
}

// property calls HubSpot's API of deal properties.
// fault makes calls of the CRM go wrong.
func (s *scene) fault(text string) {
	s.t.Helper()
	s.call("POST", "/_sandbox/faults", "", "application/json", text, nil)
}

// use lets other integrations have used so many API calls today.
func (s *scene) use(calls int) {
	s.t.Helper()
	s.call("PUT", "/_sandbox/usage", "", "application/json", fmt.Sprintf(`{"calls": %d}`, calls), nil)
}

// privateKey returns a new RSA key in PEM.
func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func (s *scene) property(method, below, body string) {
	s.t.Helper()
	s.call(method, "/crm/properties/2026-09/deals"+below, hubspotToken, "application/json", body, nil)
}

const salesforceAPI = "/services/data/v62.0"

// salesforce calls Salesforce's API as an administrator.
func (s *scene) salesforce(method, path, body string, into any) {
	s.t.Helper()
	s.call(method, salesforceAPI+path, s.crm.(*salesforceView).token, "application/json", body, into)
}

// ids returns the ids of the records of a query.
func (s *scene) ids(api, soql string) []string {
	s.t.Helper()
	var page struct{ Records []struct{ ID string } }
	s.salesforce("GET", api+"/query?q="+url.QueryEscape(soql), "", &page)
	var ids []string
	for _, r := range page.Records {
		ids = append(ids, r.ID)
	}
	return ids
}

func (s *scene) deleteField(name string) {
	s.t.Helper()
	for _, id := range s.ids("/tooling", fmt.Sprintf("SELECT Id FROM CustomField WHERE TableEnumOrId = 'Opportunity' AND DeveloperName = '%s'", strings.TrimSuffix(name, "__c"))) {
		s.salesforce("DELETE", "/tooling/sobjects/CustomField/"+id, "", nil)
	}
}

// createField makes a field of the opportunity that the integration user sees.
func (s *scene) createField(name, metadata string) {
	s.t.Helper()
	s.salesforce("POST", "/tooling/sobjects/CustomField", fmt.Sprintf(`{"FullName": "Opportunity.%s", "Metadata": %s}`, name, metadata), nil)
	for _, set := range s.ids("", "SELECT Id FROM PermissionSet WHERE Name = 'Handoff_Integration'") {
		s.salesforce("POST", "/sobjects/FieldPermissions", fmt.Sprintf(`{"ParentId": %q, "SobjectType": "Opportunity", "Field": "Opportunity.%s", "PermissionsRead": true, "PermissionsEdit": true}`, set, name), nil)
	}
}

// hide takes a field of the opportunity from the integration user's sight.
func (s *scene) hide(name string) {
	s.t.Helper()
	for _, id := range s.ids("", "SELECT Id FROM FieldPermissions WHERE Field = 'Opportunity."+name+"'") {
		s.salesforce("DELETE", "/sobjects/FieldPermissions/"+id, "", nil)
	}
}

// forgetGrants deletes what permission sets grant on an object.
func (s *scene) forgetGrants(object string) {
	s.t.Helper()
	for _, id := range s.ids("", "SELECT Id FROM ObjectPermissions WHERE SobjectType = '"+object+"'") {
		s.salesforce("DELETE", "/sobjects/ObjectPermissions/"+id, "", nil)
	}
}
