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
	runs       int // that score, a day
	today      int // calls of the last 24 hours
	each       int // calls of a run that scores, rounded up; 0: none has shown it yet
	reconciles int // calls of a day's reconciliations; 0: none has shown it yet
	total      int // calls of a day
}

// usages returns the usage of each connection, in their order.
func usages(ctx context.Context, storeURL string, list []Connection, now time.Time) (all []usage, err error) {
	db, err := openHistory(ctx, storeURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for i := range list {
		conn := &list[i]
		first, err := db.Succeeded(ctx, conn.Name, jobs.ScoreJob)
		if err != nil {
			return nil, err
		}
		scores, err := db.RunsSince(ctx, conn.Name, jobs.ScoreJob, now.Add(-recentRuns))
		if err != nil {
			return nil, err
		}
		reconciles, err := db.RunsSince(ctx, conn.Name, jobs.ReconcileJob, now.Add(-recentRuns))
		if err != nil {
			return nil, err
		}
		u := newUsage(conn.runsADay(conn.Schedule, now), first, scores, now)
		r := newUsage(conn.runsADay(conn.Reconcile, now), first, reconciles, now)
		u.today, u.reconciles, u.total = u.today+r.today, r.total, u.total+r.total
		all = append(all, u)
	}
	return all, nil
}

// newUsage judges the runs of one job by recent ones, but for those that read all deals for the first time: up to first, the
// first that succeeded.
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

// runsADay is how often a cron line of the connection comes in the 24 hours that begin with the next time.
func (conn *Connection) runsADay(line string, now time.Time) int {
	n := 0
	first := conn.next(line, now)
	for at := first; !at.IsZero() && at.Before(first.Add(24*time.Hour)); at = conn.next(line, at) {
		n++
	}
	return n
}

// forecast says of the i-th connection what a day of its schedule costs. Connections to one org or portal share its calls with
// each other, and with other integrations. A connection that was not checked has an empty checkup.
func forecast(list []Connection, checkups []connectors.Checkup, all []usage, i int) connectors.Finding {
	u, conn, quota := all[i], &list[i], checkups[i].Quota
	f := connectors.Finding{Place: "quota_share"}
	switch {
	case u.each == 0:
		f.Text = fmt.Sprintf("%s a day; what they cost is known once two have done their work", count(u.runs, "run"))
	case u.reconciles == 0:
		f.Text = fmt.Sprintf("%s a day, of %s each as in the last days, will cost %s a day", count(u.runs, "run"), count(u.each, "API call"), count(u.total, "API call"))
	default:
		f.Text = fmt.Sprintf("%s a day, of %s each as in the last days, and %d for the reconciliation, will cost %s a day",
			count(u.runs, "run"), count(u.each, "API call"), u.reconciles, count(u.total, "API call"))
	}
	if u.today > 0 {
		f.Text += fmt.Sprintf("; those of the last 24 hours cost %d", u.today)
	}
	if quota.Limit == 0 {
		return f
	}
	f.Text += fmt.Sprintf("; a run stops when %d of %d are used (%d %%)", quota.Limit*conn.QuotaShare/100, quota.Limit, conn.QuotaShare)
	sum, others := 0, quota.Used
	for j := range list {
		if j == i || sameAccount(&list[i], &list[j], &checkups[i], &checkups[j]) {
			sum += all[j].total
			others -= all[j].today
		}
	}
	others = max(others, 0) // the CRM's day may have begun later
	switch {
	case quota.Reached(conn.QuotaShare):
		f.Severity = connectors.Warning
		f.Text += ", which they are: runs stop at once"
		f.Remedy = "Wait, let other integrations use fewer calls, or raise quota_share"
	case connectors.Quota{Used: sum + others, Limit: quota.Limit}.Reached(conn.QuotaShare):
		f.Severity, f.Remedy = connectors.Warning, "Run less often (schedule), let other integrations use fewer calls, or raise quota_share"
		if sum > u.total {
			f.Text += fmt.Sprintf(", and all connections to this %s together will cost %d", crms[conn.CRM].account, sum)
		}
		if others > 0 {
			f.Text += fmt.Sprintf(", and other integrations have used %d", others)
		}
	}
	return f
}

// sameAccount reports whether two connections lead to one org or portal, as their checkups tell, or else their configuration.
func sameAccount(a, b *Connection, ofA, ofB *connectors.Checkup) bool {
	if ofA.Account != "" && ofB.Account != "" {
		return a.CRM == b.CRM && ofA.Account == ofB.Account
	}
	return a.CRM == b.CRM && a.URL == b.URL && a.Token == b.Token
}
