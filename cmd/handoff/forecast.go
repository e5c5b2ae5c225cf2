package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"handoff/connectors"
	"handoff/jobs"
)

// recentRuns is how far back the runs go that a forecast rests on.
const recentRuns = 7 * 24 * time.Hour

// usage is what the runs of a connection have cost and what those of a day will cost, in API calls.
type usage struct {
	runs  int // a day
	today int // calls of the runs of the last 24 hours
	each  int // calls of a run, rounded up; 0: no run has shown it yet
	total int // calls of a day
}

// usages returns the usage of each connection, in their order.
func usages(ctx context.Context, cfg *Config, now time.Time) (all []usage, err error) {
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		first, err := db.Succeeded(ctx, conn.Name, jobs.ScoreJob)
		if err != nil {
			return nil, err
		}
		runs, err := db.RunsSince(ctx, conn.Name, jobs.ScoreJob, now.Add(-recentRuns))
		if err != nil {
			return nil, err
		}
		all = append(all, newUsage(conn.runsADay(now), first, runs, now))
	}
	return all, nil
}

// newUsage judges by recent runs, but for those that read all deals for the first time: up to first, the first that
// succeeded.
func newUsage(aDay int, first *time.Time, runs []jobs.Run, now time.Time) usage {
	u := usage{runs: aDay}
	n, calls := 0, 0
	for _, run := range runs {
		if !run.StartedAt.Before(now.Add(-24 * time.Hour)) {
			u.today += run.Summary.Calls
		}
		if first != nil && run.StartedAt.After(*first) {
			n++
			calls += run.Summary.Calls
		}
	}
	if n > 0 {
		u.each = (calls + n - 1) / n
		u.total = u.runs * u.each
	}
	return u
}

// runsADay is how often the schedule runs the connection in the 24 hours that begin with its next run.
func (conn *Connection) runsADay(now time.Time) int {
	n := 0
	first := conn.nextRun(now)
	for at := first; !at.IsZero() && at.Before(first.Add(24*time.Hour)); at = conn.nextRun(at) {
		n++
	}
	return n
}

// forecast says of the i-th connection what a day of its schedule costs. Connections to one org or portal share its calls.
func forecast(list []Connection, checkups []connectors.Checkup, all []usage, i int) connectors.Finding {
	u, conn, quota := all[i], &list[i], checkups[i].Quota
	f := connectors.Finding{Place: "quota_share"}
	if u.each == 0 {
		f.Text = fmt.Sprintf("%s a day; what they cost is known once two have done their work", count(u.runs, "run"))
	} else {
		f.Text = fmt.Sprintf("%s a day, of %s each as in the last days, will cost %s a day", count(u.runs, "run"), count(u.each, "API call"), count(u.total, "API call"))
	}
	if u.today > 0 {
		f.Text += fmt.Sprintf("; those of the last 24 hours cost %d", u.today)
	}
	if quota.Limit == 0 {
		return f
	}
	f.Text += fmt.Sprintf("; a run stops when %d of %d are used (%d %%)", quota.Limit*conn.QuotaShare/100, quota.Limit, conn.QuotaShare)
	sum := 0
	for j := range list {
		if j == i || checkups[i].Account != "" && list[j].CRM == conn.CRM && checkups[j].Account == checkups[i].Account {
			sum += all[j].total
		}
	}
	switch {
	case quota.Reached(conn.QuotaShare):
		f.Severity = connectors.Warning
		f.Text += ", which they are: runs stop at once"
		f.Remedy = "Wait, let other integrations use fewer calls, or raise quota_share"
	case connectors.Quota{Used: sum, Limit: quota.Limit}.Reached(conn.QuotaShare):
		f.Severity, f.Remedy = connectors.Warning, "Run less often (schedule), or raise quota_share"
		if sum > u.total {
			f.Text += fmt.Sprintf(", and all connections to this %s together will cost %d", crms[conn.CRM].account, sum)
		}
	}
	return f
}
