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

// Finding judges how much of a quota is used; text tells it, and remedy what to do where few calls are left.
func (q Quota) Finding(text, remedy string) Finding {
	f := Finding{Place: "API calls", Text: text}
	switch {
	case q.Used >= q.Limit:
		f.Severity, f.Remedy = Problem, remedy
	case q.Used*100 > q.Limit*maxUsage:
		f.Severity, f.Remedy = Warning, remedy
	}
	return f
}
