package hubspot

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The limits of a Professional portal.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
const (
	callsPerTenSeconds = 190
	searchesPerSecond  = 5
	callsPerDay        = 650_000
)

// limiter counts calls. The zero value has seen none.
type limiter struct {
	mu       sync.Mutex
	calls    window
	searches window
	today    int
	day      string
}

// window holds the moments of the calls that still count.
type window []time.Time

// take counts a call at now and returns how many more are free; negative: the call is one too many, and not counted.
func (w *window) take(now time.Time, limit int, span time.Duration) int {
	for len(*w) > 0 && now.Sub((*w)[0]) >= span {
		*w = (*w)[1:]
	}
	if len(*w) >= limit {
		return -1
	}
	*w = append(*w, now)
	return limit - len(*w)
}

// use sets how many calls the day that now is in has seen.
func (l *limiter) use(now time.Time, calls int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.day, l.today = now.In(timeZone).Format(time.DateOnly), calls
}

// countDay counts a call of the day that now is in, by the portal's time zone, and returns how many that day has seen.
func (l *limiter) countDay(now time.Time) int {
	if day := now.In(timeZone).Format(time.DateOnly); day != l.day {
		l.day, l.today = day, 0
	}
	l.today++
	return l.today
}

// limit counts a call, and says in the headers of all but searches how many are left.
func (p *Portal) limit(h http.Header, search bool) error {
	l, now := &p.limits, p.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	today := l.countDay(now)
	spent := !p.unlimited && today > callsPerDay
	if search {
		switch {
		case spent:
			return tooMany("DAILY")
		case !p.unlimited && l.searches.take(now, searchesPerSecond, time.Second) < 0:
			return tooMany("SECONDLY")
		}
		return nil
	}
	left := callsPerTenSeconds
	if !p.unlimited {
		left = l.calls.take(now, callsPerTenSeconds, 10*time.Second)
	}
	for name, n := range map[string]int{
		"Max": callsPerTenSeconds, "Remaining": max(left, 0), "Interval-Milliseconds": 10_000,
		"Daily": callsPerDay, "Daily-Remaining": max(callsPerDay-today, 0),
	} {
		h.Set("X-HubSpot-RateLimit-"+name, strconv.Itoa(n))
	}
	switch {
	case spent:
		return tooMany("DAILY")
	case left < 0:
		return tooMany("TEN_SECONDLY_ROLLING")
	}
	return nil
}

// tooMany is a 429 by one of HubSpot's policies.
func tooMany(policy string) *apiError {
	word := strings.ToLower(policy)
	return &apiError{HTTP: http.StatusTooManyRequests, Status: "error", ErrorType: "RATE_LIMIT", PolicyName: policy,
		Message:   "You have reached your " + word + " limit.",
		GroupName: "publicapi:private-app-api-calls-" + strings.ReplaceAll(word, "_", "-")}
}
