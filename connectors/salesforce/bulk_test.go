package salesforce_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

const (
	jobsRoute    = "POST /services/data/…/jobs/query"
	resultsRoute = "GET /services/data/…/jobs/query/…/results"

	jobsPath    = `/services/data/v62.0/jobs/query`
	statePath   = jobsPath + `/[^/]+`
	resultsPath = jobsPath + `/[^/]+/results`
)

// bulkObjects are those that a sweep reads in bulk from an org with everything on.
const bulkObjects = 11

// smallBulk is how many deals are still read by REST here.
const smallBulk = 250

// newBulkLab is an org with so many won deals that they are read in bulk.
func newBulkLab(t *testing.T) *lab {
	t.Helper()
	cases := deals.Generate(450, 3, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	for i, c := range cases {
		if i%20 != 0 { // long ones are a call each
			c.Notes = nil
		}
	}
	l := newLab(t, cases)
	if _, err := l.insert(t, "Task", map[string]any{"WhatId": l.ids(t, "SELECT Id FROM Opportunity WHERE IsWon = true LIMIT 1")[0], "Subject": "Call",
		"Description": "Typed on Windows:\r\ntwo lines, \"quoted\""}); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Hour) // that all this was made is no news
	return l
}

// spooling is a client with a spool of its own, or the one in dir.
func (l *lab) spooling(t *testing.T, dir string, change ...func(*salesforce.Config)) *salesforce.Client {
	t.Helper()
	cfg := l.cfg
	cfg.Spool, cfg.Sleep = filepath.Join(dir, "acme.spool"), hurried
	for _, c := range change {
		c(&cfg)
	}
	return newClient(t, cfg)
}

// inBulk reads these deals in bulk, in pages of so many rows; 0: pages are as large as ever.
func inBulk(rows int) func(*salesforce.Config) {
	return func(c *salesforce.Config) { c.BulkFrom, c.BulkRows = smallBulk, rows }
}

// hurried waits a little: jobs of the sandbox take a moment, too.
func hurried(ctx context.Context, d time.Duration) error { return connectors.Sleep(ctx, d/500) }

// byREST is what the deals of the lab are where they are few enough.
func (l *lab) byREST(t *testing.T) []connectors.Record {
	t.Helper()
	records, _ := pull(t, l.spooling(t, t.TempDir()), nil)
	return records
}

// tidy fails where a sweep that has ended leaves jobs or files behind.
func (l *lab) tidy(t *testing.T, dir string) {
	t.Helper()
	var jobs struct{ Records []any }
	if err := json.Unmarshal(l.call(t, http.MethodGet, "/services/data/v62.0/jobs/query", nil), &jobs); err != nil {
		t.Fatal(err)
	}
	if len(jobs.Records) > 0 {
		t.Errorf("%d jobs stay behind", len(jobs.Records))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("the spool stays behind: %v, %v", files, err)
	}
}

var dates = cmp.Comparer(func(a, b crm.Date) bool { return a == b })

// TestBulk: deals that are read in bulk are those that REST reads, in the same order, whatever becomes of the jobs.
func TestBulk(t *testing.T) {
	l := newBulkLab(t)
	want := l.byREST(t)
	f := l.fixture(t)
	failed := map[string]any{"id": "750", "state": "Failed", "errorMessage": "InternalServerError"}
	working := map[string]any{"id": "750", "state": "InProgress"}
	for _, tc := range []struct {
		name  string
		fault *connectortest.Fault
		rows  int // of a page
		jobs  int // that are asked for
	}{
		{name: "all is well", jobs: bulkObjects},
		{name: "many pages", rows: 100, jobs: bulkObjects},
		{name: "the quota of jobs is spent", fault: &connectortest.Fault{Method: "POST", Path: jobsPath, Status: 403, Code: "REQUEST_LIMIT_EXCEEDED"}, jobs: 1},
		{name: "the quota ends halfway", fault: &connectortest.Fault{Method: "POST", Path: jobsPath, After: 6, Status: 400, Code: "LIMIT_EXCEEDED"}, jobs: bulkObjects},
		{name: "jobs fail", fault: &connectortest.Fault{Method: "GET", Path: statePath, Body: failed}, jobs: bulkObjects},
		{name: "one job fails", fault: &connectortest.Fault{Method: "GET", Path: statePath, After: 3, Times: 1, Body: failed}, jobs: bulkObjects},
		{name: "a job is slow", fault: &connectortest.Fault{Method: "GET", Path: statePath, After: 2, Times: 20, Body: working}, jobs: bulkObjects},
		{name: "a job is stuck", fault: &connectortest.Fault{Method: "GET", Path: statePath, After: 2, Times: 100, Body: working}, jobs: bulkObjects},
		{name: "polls fail", fault: &connectortest.Fault{Method: "GET", Path: statePath, After: 2, Times: 12, Status: 503}, jobs: bulkObjects},
		{name: "results are gone", fault: &connectortest.Fault{Method: "GET", Path: resultsPath, After: 4, Status: 404, Code: "NOT_FOUND"}, jobs: bulkObjects},
		{name: "a locator is lost", rows: 100, fault: &connectortest.Fault{Method: "GET", Path: resultsPath, After: 5, Times: 1, Status: 400, Code: "INVALID_QUERY_LOCATOR"}, jobs: bulkObjects},
		{name: "half a page", rows: 100, fault: &connectortest.Fault{Method: "GET", Path: resultsPath, After: 4, Times: 2, Truncate: true}, jobs: bulkObjects},
		{name: "a page in HTML", fault: &connectortest.Fault{Method: "GET", Path: resultsPath, After: 1, Times: 1, Status: 200, Body: "<html>", ContentType: "text/html"}, jobs: bulkObjects},
		{name: "jobs cannot be deleted", fault: &connectortest.Fault{Method: "DELETE", Path: statePath, Times: 5, Status: 503}, jobs: bulkObjects},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			c := l.spooling(t, dir, inBulk(tc.rows))
			if tc.fault != nil {
				if err := f.AddFault(t, *tc.fault); err != nil {
					t.Fatal(err)
				}
			}
			var got []connectors.Record
			_, routes := l.calls(t, func() { got, _ = pull(t, c, nil) })
			l.heal(t)
			if diff := cmp.Diff(want, got, dates); diff != "" {
				t.Errorf("-by REST +in bulk:\n%s", diff[:min(len(diff), 2000)])
			}
			if routes[jobsRoute] != tc.jobs {
				t.Errorf("%d jobs asked for, want %d", routes[jobsRoute], tc.jobs)
			}
			if tc.name != "jobs cannot be deleted" {
				l.tidy(t, dir)
			}
		})
	}
}

var errKilled = errors.New("killed")

// TestKilledBulk: a sweep that is killed goes on where it was, with the jobs that it has.
func TestKilledBulk(t *testing.T) {
	l := newBulkLab(t)
	want := dealNames(l.byREST(t))
	f := l.fixture(t)
	for _, tc := range []struct {
		name    string
		fault   *connectortest.Fault // the sweep is killed when it waits after it
		batches int                  // that are saved before it is killed
		lost    bool                 // the spool as well
		jobs    int                  // asked for in all
	}{
		{name: "while jobs are at work", fault: &connectortest.Fault{Method: "GET", Path: statePath, Times: 1, Body: map[string]any{"state": "InProgress"}}, jobs: bulkObjects},
		{name: "between pages", fault: &connectortest.Fault{Method: "GET", Path: resultsPath, After: 8, Times: 1, Reset: true}, jobs: bulkObjects},
		{name: "while jobs are asked for", fault: &connectortest.Fault{Method: "POST", Path: jobsPath, After: 3, Times: 1, Status: 503}, jobs: bulkObjects + 1},
		{name: "between deals", batches: 1, jobs: bulkObjects},
		{name: "between the last deals", batches: 2, jobs: bulkObjects},
		{name: "between deals, and the spool is lost", batches: 1, lost: true, jobs: bulkObjects},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			if tc.fault != nil {
				if err := f.AddFault(t, *tc.fault); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			var marks crm.Watermarks
			_, routes := l.calls(t, func() {
				c := l.spooling(t, dir, inBulk(100), func(cfg *salesforce.Config) {
					if tc.fault != nil {
						cfg.Sleep = func(ctx context.Context, _ time.Duration) error { kill(); return ctx.Err() }
					}
				})
				batches := 0
				err := c.Pull(ctx, nil, func(b connectors.Batch) error {
					if len(b.Records) > 0 || batches > 0 { // the first says that the sweep has begun
						batches++
					}
					if batches > tc.batches {
						return errKilled
					}
					got, marks = append(got, dealNames(b.Records)...), b.Watermarks
					return nil
				})
				if !errors.Is(err, errKilled) && !errors.Is(err, context.Canceled) {
					t.Fatalf("the first sweep ends with %v", err)
				}
				if tc.lost {
					dir = t.TempDir()
				}
				c = l.spooling(t, dir, inBulk(100))
				rest, next := pull(t, c, marks)
				got, marks = append(got, dealNames(rest)...), next
			})
			l.heal(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff[:min(len(diff), 2000)])
			}
			if routes[jobsRoute] != tc.jobs {
				t.Errorf("%d jobs asked for, want %d", routes[jobsRoute], tc.jobs)
			}
			l.tidy(t, dir)
		})
	}
}

// TestBulkOutage: what was read in bulk is worth more than a run. While Salesforce answers nothing, or the calls of the day are
// spent, jobs and spool wait for the next one.
func TestBulkOutage(t *testing.T) {
	l := newBulkLab(t)
	want := dealNames(l.byREST(t))
	f := l.fixture(t)
	for _, tc := range []struct {
		name   string
		fault  connectortest.Fault
		want   error // with which the run ends; nil: it does all of its work
		failed int   // calls for a job
	}{
		{name: "of some minutes", fault: connectortest.Fault{Path: resultsPath, After: 8, Times: 30, Status: 503}},
		{name: "that begins before the jobs", fault: connectortest.Fault{Path: jobsPath, Times: 30, Status: 503}, failed: 30},
		{name: "that lasts", fault: connectortest.Fault{Method: "GET", Path: jobsPath + "/.*", After: 20, Status: 503}, want: connectors.ErrRetry},
		{name: "for lack of calls", fault: connectortest.Fault{Method: "GET", Path: jobsPath + "/.*", After: 20, Status: 403, Code: "REQUEST_LIMIT_EXCEEDED"}, want: connectors.ErrQuota},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := f.AddFault(t, tc.fault); err != nil {
				t.Fatal(err)
			}
			var got []string
			var marks crm.Watermarks
			save := func(b connectors.Batch) error {
				got, marks = append(got, dealNames(b.Records)...), b.Watermarks
				return nil
			}
			var log bytes.Buffer
			c := l.spooling(t, dir, inBulk(100), func(c *salesforce.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			_, routes := l.calls(t, func() {
				if err := c.Pull(t.Context(), nil, save); !errors.Is(err, tc.want) {
					t.Fatalf("the run ends with %v, want %v", err, tc.want)
				}
				l.heal(t)
				if tc.want != nil {
					if err := c.Pull(t.Context(), marks, save); err != nil {
						t.Fatal(err)
					}
				}
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff[:min(len(diff), 2000)])
			}
			if routes[jobsRoute] != bulkObjects+tc.failed || strings.Contains(log.String(), "read by REST") {
				t.Errorf("%d jobs asked for, want %d; log:\n%s", routes[jobsRoute], bulkObjects, log.String())
			}
			l.tidy(t, dir)
		})
	}
}

func dealNames(records []connectors.Record) []string {
	var names []string
	for _, r := range records {
		names = append(names, r.Snapshot.Deal.Name)
	}
	return names
}

// TestNewestFirst: what matters most is read first.
func TestNewestFirst(t *testing.T) {
	l := newLab(t, deals.Demo())
	records, _ := pull(t, l.client, nil)
	if !slices.IsSortedFunc(records, func(a, b connectors.Record) int {
		return strings.Compare(b.Snapshot.Deal.CloseDate.String(), a.Snapshot.Deal.CloseDate.String())
	}) {
		t.Error("deals do not come newest first")
	}
}
