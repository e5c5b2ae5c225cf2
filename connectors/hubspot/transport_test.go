package hubspot

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
)

const opTest = "test"

func TestNewRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"no token":      {Config{}, "a token is needed"},
		"no address":    {Config{URL: "api.hubapi.com", Token: "t"}, "must look like"},
		"unknown field": {Config{Token: "t", Fields: map[string]string{"usecase": "x"}}, `unknown deal field "usecase"`},
	} {
		if _, err := New(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestToken: a token that is refused is tried once more and no oftener; it is told nowhere.
func TestToken(t *testing.T) {
	var log bytes.Buffer
	s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if got := r.Header.Get("Authorization"); got != "Bearer secret-token" {
			t.Errorf("sent %q", got)
		}
		say(w, 401, `{"message":"no","category":"INVALID_AUTHENTICATION","correlationId":"corr-1"}`)
	})
	c := s.client(t, func(cfg *Config) {
		cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := c.describe(t.Context())
	if !errors.Is(err, connectors.ErrConfig) || len(s.asked) != 2 || c.Calls() != 2 {
		t.Errorf("%v after %d calls, %d counted", err, len(s.asked), c.Calls())
	}
	if text := log.String() + err.Error(); strings.Contains(text, "secret-token") || !strings.Contains(text, "corr-1") {
		t.Errorf("said %s", text)
	}
	n := 0
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		if n++; n == 1 {
			w.WriteHeader(401)
			return
		}
		say(w, 200, `{"results":[]}`)
	}
	if _, err := fetch[object](t.Context(), c, call{op: opTest, method: "GET", path: "/x"}); err != nil || n != 2 {
		t.Errorf("401 once: %v after %d calls", err, n)
	}
}

// TestLimits: each limit is waited out as its policy says; that of the day is not.
func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		policy string
		slept  []time.Duration
		class  error // nil: it passes after two refusals
	}{
		{"SECONDLY", []time.Duration{time.Second, 2 * time.Second}, nil},
		{"TEN_SECONDLY_ROLLING", []time.Duration{10 * time.Second, 20 * time.Second}, nil},
		{"DAILY", nil, connectors.ErrQuota},
	} {
		t.Run(tc.policy, func(t *testing.T) {
			n := 0
			s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				if n++; n <= 2 {
					say(w, 429, `{"message":"limit","policyName":"`+tc.policy+`"}`)
					return
				}
				say(w, 200, `{"results":[]}`)
			})
			_, err := fetch[object](t.Context(), s.client(t), call{op: opTest, method: "POST", path: "/x"})
			if !errors.Is(err, tc.class) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(tc.slept, s.slept); diff != "" {
				t.Errorf("slept, -want +got:\n%s", diff)
			}
		})
	}
}

// TestPacing: searches stay below five a second, whatever their answers, and whichever connection to the account makes them.
func TestPacing(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) { say(w, 200, `{"total":0,"results":[]}`) })
	pace := NewSearches()
	shared := func(cfg *Config) { cfg.Searches = pace }
	one, two, stranger := s.client(t, shared), s.client(t, shared), s.client(t)
	for _, c := range []*Client{one, two, stranger, two, one} {
		if _, err := c.next(t.Context(), &search{op: opTest, object: deals, groups: []group{nil}}); err != nil {
			t.Fatal(err)
		}
	}
	want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, 750 * time.Millisecond} // the clock stands still
	if diff := cmp.Diff(want, s.slept); diff != "" {
		t.Errorf("slept, -want +got:\n%s", diff)
	}
}

// TestBurst: calls stop before the limit of ten seconds is reached, and go on when it looks back no further.
// https://github.com/HubSpot/hubspot-api-nodejs/issues/256
func TestBurst(t *testing.T) {
	for _, tc := range []struct {
		name, max, left string
		want            []time.Duration
	}{
		{"much is left", "190", "19", nil},
		{"little is left", "190", "18", []time.Duration{10 * time.Second}},
		{"nothing is left", "100", "0", []time.Duration{10 * time.Second}},
		{"a search", "", "", nil},
		{"no numbers", "many", "few", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
				w.Header().Set("X-HubSpot-RateLimit-Max", tc.max)
				w.Header().Set("X-HubSpot-RateLimit-Remaining", tc.left)
				w.Header().Set("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
				say(w, 200, `{"results":[]}`)
			})
			c := s.client(t)
			for range 2 {
				if _, err := fetch[object](t.Context(), c, call{op: opTest, method: "POST", path: "/x"}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tc.want, s.slept); diff != "" {
				t.Errorf("slept, -want +got:\n%s", diff)
			}
		})
	}
}

// TestNotRepeated: a write that may have been carried out is not sent again, one that certainly was not is.
func TestNotRepeated(t *testing.T) {
	for _, tc := range []struct {
		name string
		fail func(http.ResponseWriter)
		want int
	}{
		{"502", func(w http.ResponseWriter) { w.WriteHeader(502) }, 1},
		{"503", func(w http.ResponseWriter) { w.WriteHeader(503) }, 5},
		{"423", func(w http.ResponseWriter) { w.WriteHeader(423) }, 5},
		{"477", func(w http.ResponseWriter) { w.WriteHeader(477) }, 5},
		{"reset", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 1},
		{"not JSON", func(w http.ResponseWriter) { w.WriteHeader(200) }, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStub(t, func(w http.ResponseWriter, _ *http.Request, _ string) { tc.fail(w) })
			_, err := fetch[object](t.Context(), s.client(t), call{op: opTest, method: "POST", path: "/x", body: []int{}})
			if got := len(s.calls()); !errors.Is(err, connectors.ErrRetry) || got != tc.want {
				t.Errorf("%v after %d calls, want %d", err, got, tc.want)
			}
		})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	s := &stub{url: gone.URL}
	_, err := fetch[object](t.Context(), s.client(t), call{op: opTest, method: "POST", path: "/x"})
	if !errors.Is(err, connectors.ErrRetry) || len(s.slept) != 5-1 || strings.Contains(err.Error(), gone.URL) {
		t.Errorf("nobody there: %v after %d waits", err, len(s.slept))
	}
}
