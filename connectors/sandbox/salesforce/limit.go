package salesforce

import (
	"net/http"
	"sync"
	"time"
)

// dailyCalls is how many API calls the org may make in 24 hours.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
const dailyCalls = 100_000

// errCalls is the answer to a call for which nothing is left.
var errCalls = &apiError{Status: http.StatusForbidden, Code: "REQUEST_LIMIT_EXCEEDED", Message: "TotalRequests Limit exceeded."}

// usage counts calls over the last 24 hours, hour by hour. The zero value has seen none.
type usage struct {
	mu    sync.Mutex
	hours map[time.Time]int // by their beginning
}

// used returns how many calls the 24 hours before now have seen.
func (u *usage) used(now time.Time) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sum(now)
}

func (u *usage) sum(now time.Time) int {
	total := 0
	for hour, calls := range u.hours {
		if hour.After(now.Add(-24 * time.Hour)) {
			total += calls
		}
	}
	return total
}

// take counts a call at now; false: it is one too many, and not counted.
func (u *usage) take(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sum(now) >= dailyCalls {
		return false
	}
	if u.hours == nil {
		u.hours = map[time.Time]int{}
	}
	u.hours[now.Truncate(time.Hour)]++
	return true
}

// set says how many calls the 24 hours before now have seen, all of them just now.
func (u *usage) set(now time.Time, calls int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hours = map[time.Time]int{now.Truncate(time.Hour): calls}
}
