package connectors

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		n        int
		want     string
	}{
		{"short", "abc", 3, "abc"},
		{"no limit", "abc", 0, "abc"},
		{"at a word", "one two three", 9, "one two…"},
		{"inside a word", "abcdefgh", 4, "abc…"},
		{"line break counts as two", "ab\ncd", 5, "ab…"},
		{"emoji counts as two", "🙂🙂🙂", 5, "🙂🙂…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := Cut(tc.in, tc.n, 2); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzCut(f *testing.F) {
	f.Add("a b\nc 🙂 d", 4)
	f.Add("word word word", 10)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 1 || !utf8.ValidString(s) {
			return
		}
		for _, lineBreak := range []int{1, 2} {
			got := Cut(s, n, lineBreak)
			if used := len(utf16.Encode([]rune(got))) + (lineBreak-1)*strings.Count(got, "\n"); used > n {
				t.Errorf("Cut(%q, %d, %d) = %q has %d", s, n, lineBreak, got, used)
			}
			if got != s && !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
				t.Errorf("%q is no beginning of %q", got, s)
			}
		}
	})
}

func TestRetry(t *testing.T) {
	fault, silence := &Error{Class: ErrRetry}, &Error{Class: ErrRetry, Err: os.ErrDeadlineExceeded}
	for _, tc := range []struct {
		name   string
		fails  int // attempts that fail
		fault  error
		again  bool
		pause  time.Duration
		wantOK bool
		slept  []time.Duration
	}{
		{"at once", 0, fault, true, time.Second, true, nil},
		{"at the third attempt", 2, fault, true, time.Second, true, []time.Duration{time.Second, time.Second}},
		{"never", 9, fault, true, time.Second, false, []time.Duration{time.Second, time.Second, time.Second, time.Second}},
		{"no answer in time", 9, silence, true, time.Second, false, []time.Duration{time.Second}},
		{"hopeless", 9, fault, false, time.Second, false, nil},
		{"longer than is sensible", 9, fault, true, time.Hour, false, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var slept []time.Duration
			sleep := func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil }
			n := 0
			err := Retry(t.Context(), sleep, func(error, int) time.Duration { return tc.pause }, func(error) bool { return tc.again }, func() error {
				if n++; n <= tc.fails {
					return tc.fault
				}
				return nil
			})
			if (err == nil) != tc.wantOK || err != nil && !errors.Is(err, ErrRetry) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff(tc.slept, slept); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	stopped := errors.New("stopped")
	sleep := func(context.Context, time.Duration) error { return stopped }
	err := Retry(t.Context(), sleep, Pause, func(error) bool { return true }, func() error { return fault })
	if !errors.Is(err, stopped) || !errors.Is(err, ErrRetry) {
		t.Errorf("stopped while it waits: %v", err)
	}
}

func TestPause(t *testing.T) {
	if got := Pause(&Error{RetryAfter: 7 * time.Second}, 3); got != 7*time.Second {
		t.Errorf("got %v, want what the CRM said", got)
	}
	for n, longest := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 4: 4 * time.Second} {
		if got := Pause(errors.New("any"), n); got < longest/2 || got >= longest {
			t.Errorf("after attempt %d: %v, want from half of %v on", n, got, longest)
		}
	}
}

func TestUnreachable(t *testing.T) {
	address := "https://acme.my.salesforce.com/services/data/v62.0/query?q=SELECT+Secret"
	err := Unreachable(t.Context(), "Salesforce", "read", &url.Error{Op: "Get", URL: address, Err: &net.OpError{Op: "dial", Err: errors.New("refused")}})
	if strings.Contains(err.Error(), "SELECT") || !errors.Is(err, ErrRetry) {
		t.Errorf("got %v", err)
	}
	for _, tc := range []struct {
		cause error
		want  string
	}{
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "acme.example", Server: "127.0.0.53:53", IsNotFound: true}}, "Salesforce: read: there is no host acme.example. Check the address"},
		{&net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "Salesforce: read: connection refused by 127.0.0.1:1. Check the address"},
		{os.ErrDeadlineExceeded, "Salesforce: read: no answer in time. Check the address"},
		{io.ErrUnexpectedEOF, "Salesforce: read: unexpected EOF. Check the address"},
	} {
		if err := Unreachable(t.Context(), "Salesforce", "read", &url.Error{Op: "Get", URL: address, Err: tc.cause}); !strings.HasPrefix(err.Error(), tc.want) || !errors.Is(err, tc.cause) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Unreachable(ctx, "Salesforce", "read", errors.New("any")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrRetry) {
		t.Errorf("got %v", err)
	}
}

func TestUnsent(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"no connection", Unreachable(t.Context(), "HubSpot", "write", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), true},
		{"a connection that broke", Unreachable(t.Context(), "HubSpot", "write", &net.OpError{Op: "read", Err: syscall.ECONNRESET}), false},
		{"half an answer", io.ErrUnexpectedEOF, false},
		{"none", nil, false},
	} {
		if got := Unsent(tc.err); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestWantJSON(t *testing.T) {
	for body, want := range map[string]bool{"": true, `{"id":"1"}`: true, "[]": true, "<html>": false, `{"id":`: false} {
		if err := WantJSON("HubSpot", "write", []byte(body)); (err == nil) != want || err != nil && !errors.Is(err, ErrRetry) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestCompareTimes(t *testing.T) {
	first := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	second := first.Add(time.Second)
	for _, tc := range []struct {
		a, b *time.Time
		want int
	}{{nil, nil, 0}, {nil, &first, -1}, {&first, nil, 1}, {&first, &second, -1}, {&second, &first, 1}, {&first, &first, 0}} {
		if got := CompareTimes(tc.a, tc.b); got != tc.want {
			t.Errorf("%v, %v: %d", tc.a, tc.b, got)
		}
	}
}
