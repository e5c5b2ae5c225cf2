package connectors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
	"unicode/utf16"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// This file holds what clients of CRMs have in common.

const (
	attempts     = 5
	silences     = 2 // attempts at a CRM that does not answer in time: each has taken a minute or more
	firstBackoff = 500 * time.Millisecond
	longestWait  = time.Minute // a CRM that asks for more is asked again by the next run
)

// Retry calls attempt until it succeeds, again says that trying on is of no use, or it has been tried often enough. After
// the n-th attempt it waits, with sleep, for as long as pause says. It returns the last error.
func Retry(ctx context.Context, sleep func(context.Context, time.Duration) error, pause func(err error, n int) time.Duration,
	again func(error) bool, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n == attempts || n == silences && timedOut(err) || !again(err) {
			return err
		}
		d := pause(err, n)
		if d > longestWait {
			return err
		}
		if stopped := sleep(ctx, d); stopped != nil {
			return fmt.Errorf("%w, while waiting after: %w", stopped, err)
		}
	}
}

func timedOut(err error) bool {
	timeout := (net.Error)(nil)
	return errors.As(err, &timeout) && timeout.Timeout()
}

// Pause is how long to wait after the n-th attempt: as long as the CRM said, or a Backoff.
func Pause(err error, n int) time.Duration {
	if e := (*Error)(nil); errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return Backoff(n)
}

// Backoff doubles with each attempt; its jitter keeps clients that failed together from coming back together.
func Backoff(n int) time.Duration {
	d := firstBackoff << (n - 1)
	return d/2 + rand.N(d/2)
}

// Sleep waits for d, or until ctx ends, and returns ctx's error then.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Unreachable classes a failure below HTTP: no answer, or half of one. A *url.Error is taken apart, because its text
// holds the whole address.
func Unreachable(ctx context.Context, crm, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %s: %w", crm, op, ctx.Err())
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	e := &Error{Op: op, CRM: crm, Class: ErrRetry, Setting: "url", Err: err,
		Remedy: "Check the address, and that this machine reaches it: name resolution, proxy, firewall"}
	var (
		dns  *net.DNSError
		dial *net.OpError
	)
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Message = "there is no host " + dns.Name
	case errors.Is(err, syscall.ECONNREFUSED) && errors.As(err, &dial):
		e.Message = fmt.Sprintf("connection refused by %s", dial.Addr)
	case timedOut(err):
		e.Message = "no answer in time"
	}
	return e
}

// Unsent reports whether a call failed before anything of it was sent.
func Unsent(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "dial"
}

// Garbled is an answer that says success but cannot be read. Of a decoder's error only the place is told: the rest may
// quote the answer.
func Garbled(crm, op string, err error) error {
	message := "the answer cannot be read"
	if sem := (*json.SemanticError)(nil); errors.As(err, &sem) {
		message += ": a value of a wrong type at " + string(sem.JSONPointer)
	}
	return &Error{Op: op, CRM: crm, Class: ErrRetry, Message: message, Err: err,
		Remedy: "The next run tries again; if it stays so, see whether a proxy answers in the place of " + crm}
}

// NoRedirect makes a redirect an answer, for http.Client.CheckRedirect: an API redirects nowhere; a proxy or a log-in page
// for people does.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Silence is a resty.Logger that keeps resty from logging errors that its caller gets anyway.
type Silence struct{}

// Errorf implements resty.Logger.
func (Silence) Errorf(string, ...any) {}

// Warnf implements resty.Logger.
func (Silence) Warnf(string, ...any) {}

// Debugf implements resty.Logger.
func (Silence) Debugf(string, ...any) {}

// WantJSON returns an error unless the body of an answer, if there is one, is JSON: a proxy's page is not.
func WantJSON(crm, op string, body []byte) error {
	if len(body) > 0 && !jsontext.Value(body).IsValid() {
		return Garbled(crm, op, errors.New("it is not JSON"))
	}
	return nil
}

// Clip cuts a message of a CRM to a length that a person reads.
func Clip(s string) string {
	const longest = 500
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}

// Cut shortens s to n characters as CRMs count them, in UTF-16 units, at the end of a word where there is one. n 0: no
// limit. A line break counts as lineBreak units.
func Cut(s string, n, lineBreak int) string {
	used, word, fits := 0, 0, 0 // units so far; bytes up to the last word, and to the last character, that leave room for the ellipsis
	for i, r := range s {
		if used < n {
			fits = i
			if r == ' ' || r == '\n' {
				word = i
			}
		}
		if r == '\n' {
			used += lineBreak
		} else {
			used += utf16.RuneLen(r)
		}
	}
	switch {
	case n == 0 || used <= n:
		return s
	case word > 0:
		return s[:word] + "…"
	}
	return s[:fits] + "…"
}

// Certain returns those of the outcomes that are certain, in their order.
func Certain(outcomes []Outcome, certain []bool) []Outcome {
	var kept []Outcome
	for i, o := range outcomes {
		if certain[i] {
			kept = append(kept, o)
		}
	}
	return kept
}

// CompareTimes orders times, with those that are not known (nil) first.
func CompareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}
