package connectors

import (
	"testing"
	"time"
)

func TestSkew(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name     string
		skew     time.Duration
		severity Severity
		text     string
	}{
		{"equal", 0, Fine, "agrees with HubSpot's"},
		{"a minute", time.Minute, Fine, "agrees with HubSpot's"},
		{"ahead", 61 * time.Second, Warning, "this machine's clock is 1m1s ahead of HubSpot's"},
		{"behind", -10 * time.Minute, Warning, "this machine's clock is 10m0s behind HubSpot's"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := Skew("HubSpot", now, now.Add(-tc.skew))
			if f.Severity != tc.severity || f.Text != tc.text || (f.Remedy == "") != (tc.severity == Fine) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestQuota(t *testing.T) {
	for used, want := range map[int]Severity{0: Fine, 80: Fine, 81: Warning, 99: Warning, 100: Problem, 120: Problem} {
		f := Quota{used, 100}.Finding("text", "remedy")
		if f.Severity != want || f.Text != "text" || (f.Remedy == "") != (want == Fine) {
			t.Errorf("%d of 100 used: got %+v", used, f)
		}
	}
}
