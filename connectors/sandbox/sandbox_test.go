package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"handoff/connectors/sandbox"
	"handoff/crm"
)

func start(t *testing.T, opts sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	opts.Salesforce, opts.HubSpot = "127.0.0.1:0", "127.0.0.1:0"
	opts.Now = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }
	s, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// countHubSpot asks the emulated HubSpot how many deals it holds.
func countHubSpot(t *testing.T, s *sandbox.Sandbox) int {
	t.Helper()
	req, err := http.NewRequest("POST", s.HubSpotURL()+"/crm/objects/2026-09/deals/search", strings.NewReader(`{"filterGroups":[],"limit":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sandbox-token")
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Total int }
	decode(t, r, &answer)
	return answer.Total
}

// countSalesforce asks the emulated Salesforce how many deals it holds.
func countSalesforce(t *testing.T, s *sandbox.Sandbox) int {
	t.Helper()
	r, err := http.PostForm(s.SalesforceURL()+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	decode(t, r, &token)
	req, err := http.NewRequest("GET", s.SalesforceURL()+"/services/data/v62.0/query?q="+url.QueryEscape("SELECT COUNT() FROM Opportunity"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	if r, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	var answer struct{ TotalSize int }
	decode(t, r, &answer)
	return answer.TotalSize
}

func decode(t *testing.T, r *http.Response, into any) {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		t.Fatalf("HTTP %d: %s", r.StatusCode, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
}

func TestDeals(t *testing.T) {
	t.Parallel()
	one := &crm.Snapshot{ID: "one", Deal: crm.Deal{ID: "one", Name: "One", Stage: "Closed Won", Won: true}}
	tests := []struct {
		name string
		opts sandbox.Options
		want int
	}{
		{"the demo's by default", sandbox.Options{}, 60},
		{"cases", sandbox.Options{Cases: []*crm.Snapshot{one}}, 1},
		{"generated", sandbox.Options{Generate: 25, Seed: 7}, 25},
		{"both", sandbox.Options{Cases: []*crm.Snapshot{one}, Generate: 3}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.opts)
			if sf, hs := countSalesforce(t, s), countHubSpot(t, s); sf != tt.want || hs != tt.want {
				t.Errorf("%d deals in Salesforce and %d in HubSpot, want %d", sf, hs, tt.want)
			}
		})
	}
}

// A sandbox counts what reaches it and lets its records be edited, control calls left out.
func TestControl(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{Generate: 2})
	_, _ = countSalesforce(t, s), countHubSpot(t, s)
	for url, want := range map[string]map[string]int{
		s.SalesforceURL(): {"POST /services/oauth2/token": 1, "GET /services/data/…/query": 1},
		s.HubSpotURL():    {"POST /crm/objects/…/deals/search": 1},
	} {
		r, err := http.Get(url + "/_sandbox/requests")
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Total   int
			ByRoute map[string]int `json:"by_route"`
		}
		decode(t, r, &got)
		if diff := cmp.Diff(want, got.ByRoute); diff != "" || got.Total != len(want) {
			t.Errorf("total %d, want %d; by route (-want +got):\n%s", got.Total, len(want), diff)
		}
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{Generate: 1})
	for flag, url := range map[string]string{"--salesforce": s.SalesforceURL(), "--hubspot": s.HubSpotURL()} {
		addr := strings.TrimPrefix(url, "http://")
		opts := sandbox.Options{Salesforce: "127.0.0.1:0", HubSpot: addr, Now: time.Now}
		if flag == "--salesforce" {
			opts.Salesforce, opts.HubSpot = addr, "127.0.0.1:0"
		}
		_, err := sandbox.Start(t.Context(), opts)
		want := addr + " is in use, perhaps by another sandbox. Stop that, or choose another address with " + flag + ", such as " + flag + " 127.0.0.1:0 for any free port"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestWriteConfig(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{Generate: 1})
	path := filepath.Join(t.TempDir(), "my config.toml")
	for range 2 { // its own file may be replaced
		if err := s.WriteConfig(path); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nurl = \"sqlite:handoff.db\"\n") {
		t.Errorf("the store's url does not start a line:\n%s", text)
	}
	var got map[string]any
	if err := toml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"store": map[string]any{"url": "sqlite:handoff.db"},
		"connections": map[string]any{
			"salesforce": map[string]any{
				"crm": "salesforce", "url": s.SalesforceURL(), "auth": "client_credentials", "client_id": "sandbox-client",
				"client_secret": "file:my config.toml.secrets/salesforce_client_secret",
				"write_back":    true, "since": "2000-01-01", "overlap": "1s", "as_of": "case", "schedule": "*/15 * * * *", "time_zone": "UTC",
			},
			"hubspot": map[string]any{
				"crm": "hubspot", "url": s.HubSpotURL(), "token": "file:my config.toml.secrets/hubspot_token",
				"write_back": true, "since": "2000-01-01", "overlap": "1s", "as_of": "case", "schedule": "*/15 * * * *", "time_zone": "UTC",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}

	dir := path + ".secrets"
	modes := map[string]os.FileMode{dir: os.ModeDir | 0o700}
	for name, want := range map[string]string{"salesforce_client_secret": "sandbox-secret\n", "hubspot_token": "sandbox-token\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		modes[filepath.Join(dir, name)] = 0o600
	}
	modes[filepath.Join(dir, "salesforce_private_key")] = 0o600
	for name, want := range modes {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

func TestWriteConfigKeepsForeignFiles(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.Options{Generate: 1})
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteConfig(path); err == nil || err.Error() != path+" exists and was not written by the sandbox. Name another file" {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "# mine\n" {
		t.Errorf("the file holds %q (%v)", b, err)
	}
}

// Close lets the call at hand finish and frees the address.
func TestClose(t *testing.T) {
	t.Parallel()
	s, err := sandbox.Start(t.Context(), sandbox.Options{
		Salesforce: "127.0.0.1:0", HubSpot: "127.0.0.1:0", Generate: 1,
		Now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(s.SalesforceURL()+"/_sandbox/faults", "", strings.NewReader(`{"delay_ms":200}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()

	// The server asks for the body once it has begun with the call.
	begun := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }})
	req, err := http.NewRequestWithContext(ctx, "POST", s.SalesforceURL()+"/services/oauth2/token", strings.NewReader("grant_type=none"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Expect", "100-continue")
	answered := make(chan error, 1)
	go func() {
		r, err := (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}).Do(req)
		if err == nil {
			err = r.Body.Close()
		}
		answered <- err
	}()
	<-begun
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the call at hand: %v", err)
	}
	for _, url := range []string{s.SalesforceURL(), s.HubSpotURL()} {
		if r, err := http.Get(url); err == nil {
			_ = r.Body.Close()
			t.Errorf("%s is still listening after Close", url)
		}
	}
}
