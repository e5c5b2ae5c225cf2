package hubspot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// stub is a HubSpot that answers what a test wants, and keeps what it was asked and how long the client waited.
type stub struct {
	url    string
	answer func(w http.ResponseWriter, r *http.Request, body string)

	mu    sync.Mutex
	asked []string // "POST /crm/… {body}"
	slept []time.Duration
}

func newStub(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body string)) *stub {
	t.Helper()
	s := &stub{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)))
		s.answer(w, r, string(body))
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// calls returns what the stub was asked. Behind it, what answer wrote may be read, also where no answer came.
func (s *stub) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// client returns a client whose clock stands still and that waits for nothing.
func (s *stub) client(t *testing.T, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{URL: s.url, Token: "secret-token", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.slept = append(s.slept, d)
			return ctx.Err()
		}}
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// say answers with a body.
func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
