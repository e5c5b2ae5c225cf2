package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestLogsHoldNoSecretsAndNoNotes greps everything that setup and two runs log at the highest level for the sandbox's
// credentials, for every token that it gave out, and for what people wrote into notes, mails and fields.
func TestLogsHoldNoSecretsAndNoNotes(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.toml")
	stop, err := startTestSandbox(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	var log bytes.Buffer
	for _, args := range [][]string{{"setup", "--apply"}, {"run", "--dry-run"}, {"run", "--once"}, {"run", "--once"}} {
		if code := run(t.Context(), append([]string{"-vv", "--config", config}, args...), strings.NewReader(""), io.Discard, &log, env(), time.Now); code != exitDone {
			t.Fatalf("%v: exit %d: %s", args, code, log.String())
		}
	}
	if n := strings.Count(log.String(), "level=DEBUG"); n < 10 {
		t.Errorf("only %d lines at the highest level: the test sees nothing", n)
	}
	for _, secret := range []string{tokenStart(t, config), "sandbox-secret", "sandbox-password", "sandbox-token", "Bearer "} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for _, text := range writtenByPeople(t) {
		if strings.Contains(log.String(), text) {
			t.Errorf("the log holds text from a record: %q", text)
		}
	}
}

// tokenStart asks the sandbox for an access token and returns what all of its tokens begin with.
func tokenStart(t *testing.T, config string) string {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`(?m)^url = "(http[^"]+)"`).FindSubmatch(text)[1]
	res, err := http.PostForm(string(address)+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	start, _, found := strings.Cut(answer.AccessToken, "!") // of the form ORGANISATION!RANDOM
	if !found {
		t.Fatalf("token %q has no organisation in front", answer.AccessToken)
	}
	return start + "!"
}

// writtenByPeople lists the lines of notes, activities and fields of the demo's deals that are long enough to be told
// from anything else.
func writtenByPeople(t *testing.T) []string {
	t.Helper()
	cases, err := readCases(demoCases)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	add := func(text string) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); len(line) > 24 {
				lines = append(lines, line)
			}
		}
	}
	for _, c := range cases {
		for _, n := range c.Notes {
			add(n.Body)
		}
		for _, a := range c.Activities {
			add(a.Body)
		}
		for _, f := range c.Deal.Fields {
			add(f)
		}
	}
	if len(lines) < 100 {
		t.Fatalf("only %d lines of text in the demo's deals", len(lines))
	}
	return lines
}
