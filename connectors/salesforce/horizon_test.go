package salesforce

import (
	"strings"
	"testing"
	"time"

	"handoff/crm"
)

func TestHorizon(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, body string
		want       time.Time
	}{
		{"a long transaction", `{"ids":[],"latestDateCovered":"2026-11-21T06:12:00.000+0000"}`, time.Date(2026, 11, 21, 6, 12, 0, 0, time.UTC)},
		{"ahead of the answer", `{"ids":[],"latestDateCovered":"2026-11-21T09:05:00.000+0000"}`, now},
		{"not told", `{"ids":[]}`, now},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &horizon{now: now}
			if _, err := h.take([]byte(tc.body)); err != nil {
				t.Fatal(err)
			}
			if got := h.before(now); !got.Equal(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	want := "/base/sobjects/Opportunity/updated?end=2026-11-21T09%3A05%3A00Z&start=2026-11-21T08%3A55%3A00Z"
	if got := (&horizon{now: now}).path("/base"); got != want {
		t.Errorf("asks for %s, want %s", got, want)
	}
}

// TestLookBack: each pull lists again what was stamped shortly before the one before it ended, should Salesforce not tell
// its horizon.
// https://github.com/singer-io/tap-salesforce/issues/135
func TestLookBack(t *testing.T) {
	for _, tc := range []struct {
		name    string
		overlap time.Duration
		want    string
	}{
		{"unless configured", 0, "SystemModstamp >= 2026-11-21T11:45:00Z"},
		{"configured", 2 * time.Hour, "SystemModstamp >= 2026-11-21T10:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newStub(t).client(t, func(c *Config) { c.Overlap = tc.overlap })
			for _, f := range coreFeeds {
				if got := c.begin(f, crm.Watermarks{f.object: {Time: noon}}).soql; !strings.Contains(got, tc.want) {
					t.Errorf("%s: asks %s, want %s in it", f.object, got, tc.want)
				}
			}
		})
	}
}
