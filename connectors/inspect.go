package connectors

import (
	"fmt"
	"time"
)

// Bounds beyond which something is worth a warning.
const (
	maxSkew  = time.Minute // between the clocks
	maxUsage = 80          // percent of a quota
)

// Skew compares this machine's clock, which says now, with that of a CRM, which said at, in whole seconds.
func Skew(crm string, now, at time.Time) Finding {
	f := Finding{Severity: Warning, Place: "clock", Remedy: "Let this machine set its clock over the network (NTP): due times are judged by it"}
	switch skew := now.Sub(at).Round(time.Second); {
	case skew > maxSkew:
		f.Text = fmt.Sprintf("this machine's clock is %v ahead of %s's", skew, crm)
	case skew < -maxSkew:
		f.Text = fmt.Sprintf("this machine's clock is %v behind %s's", -skew, crm)
	default:
		return Finding{Place: "clock", Text: "agrees with " + crm + "'s"}
	}
	return f
}

// Quota judges how many API calls of a limit are used; text tells it, and remedy what to do where few are left.
func Quota(used, limit int, text, remedy string) Finding {
	f := Finding{Place: "API calls", Text: text}
	switch {
	case used >= limit:
		f.Severity, f.Remedy = Problem, remedy
	case used*100 > limit*maxUsage:
		f.Severity, f.Remedy = Warning, remedy
	}
	return f
}
