package salesforce

import (
	"testing"
	"time"
)

func TestDailyLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.org.calls.set(a.org.now(), dailyCalls-1)
	last := a.call("GET", "limits", "")
	if got := last.Header.Get("Sforce-Limit-Info"); last.Status != 200 || got != "api-usage=100000/100000" {
		t.Errorf("the last call: HTTP %d, %s", last.Status, got)
	}
	if status, code := a.refused("GET", "limits", ""); status != 403 || code != "REQUEST_LIMIT_EXCEEDED" {
		t.Errorf("one too many: %d %s", status, code)
	}
	a.org.NoLimits()
	if r := a.call("GET", "limits", ""); r.Status != 200 {
		t.Errorf("without limits: HTTP %d", r.Status)
	}
}

// The day is no day of the calendar: calls count for 24 hours.
func TestUsage(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var u usage
	u.set(noon, dailyCalls-1)
	if !u.take(noon.Add(12*time.Hour)) || u.take(noon.Add(23*time.Hour)) {
		t.Error("not one more call is left until the next noon")
	}
	if got := u.used(noon.Add(24 * time.Hour)); got != 1 {
		t.Errorf("at noon %d calls count, want that of midnight", got)
	}
}
