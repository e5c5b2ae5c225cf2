package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"handoff/jobs"
)

var found = jobs.Message{
	Key:   "acme/006A/ghost/3",
	Title: "Ghost handoff: Acme & <!channel> renewal",
	Body:  "AE: *Sam* <@U123>\nWhy: no note was written after the close",
}

func TestSlackSendsAMessage(t *testing.T) {
	var got struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	var key, contentType string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, contentType = r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type")
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Errorf("the body is not JSON: %v", err)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	defer hook.Close()

	s, err := NewSlack(hook.URL + "/services/T0/B0/secret")
	if err != nil {
		t.Fatal(err)
	}
	if retry, err := s.Notify(t.Context(), found); err != nil || retry {
		t.Fatalf("Notify: retry %v, %v", retry, err)
	}
	if key != "acme/006A/ghost/3" || contentType != "application/json" {
		t.Errorf("Idempotency-Key %q, Content-Type %q", key, contentType)
	}
	if got.Text != "Ghost handoff: Acme &amp; &lt;!channel&gt; renewal" {
		t.Errorf("text %q: what comes from a CRM must be escaped", got.Text)
	}
	if len(got.Blocks) != 2 || got.Blocks[0].Type != "header" || got.Blocks[1].Type != "section" {
		t.Fatalf("blocks %+v, want a header and a section", got.Blocks)
	}
	for i, want := range []string{found.Title, found.Body} {
		if b := got.Blocks[i].Text; b.Text != want || b.Type != "plain_text" {
			t.Errorf("block %d is %s %q, want plain text %q", i, b.Type, b.Text, want)
		}
	}
}

func TestSlackClassesAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		retry  bool
		says   string // empty: sent
	}{
		{"ok", status(200), false, ""},
		{"no content, from another receiver", status(204), false, ""},
		{"too many, wait 30 s", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(429)
		}, true, "30s"},
		{"too many, no hint", status(429), true, "HTTP 429"},
		{"server error", status(503), true, "HTTP 503"},
		{"the webhook is gone", status(404), false, "HTTP 404; check that it still exists"},
		{"not allowed", status(403), false, "HTTP 403"},
		{"moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, false, "HTTP 302"},
		{"connection cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, "cannot be reached"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hook := httptest.NewServer(tt.answer)
			defer hook.Close()
			s, err := NewSlack(hook.URL + "/services/T0/B0/secret")
			if err != nil {
				t.Fatal(err)
			}
			retry, err := s.Notify(t.Context(), found)
			if retry != tt.retry || (err == nil) != (tt.says == "") {
				t.Fatalf("retry %v, error %v; want retry %v", retry, err, tt.retry)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("error %q: want it to say %q and to keep the address to itself", err, tt.says)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestSlackTimeOut(t *testing.T) {
	release := make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hook.Close()
	defer close(release)
	s, err := NewSlack(hook.URL + "/services/T0/B0/secret")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	retry, err := s.Notify(ctx, found)
	if !retry || err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("retry %v, error %v", retry, err)
	}
}

func TestNewSlackKeepsTheAddressToItself(t *testing.T) {
	for _, webhook := range []string{"", "hooks.slack.com/services/secret", "ftp://host/secret", "https:///secret", "https://host/%zzsecret"} {
		if _, err := NewSlack(webhook); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("NewSlack(%q): %v", webhook, err)
		}
	}
}

func TestShorten(t *testing.T) {
	tests := []struct {
		name, in string
		limit    int
		want     string
	}{
		{"fits", "abc", 3, "abc"},
		{"too long", "abcdef", 4, "abc…"},
		{"on a whole line", "ab\ncdef", 6, "ab…"},
		{"counts characters, not bytes", "äöü", 3, "äöü"},
	}
	for _, tt := range tests {
		if got := shorten(tt.in, tt.limit); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
