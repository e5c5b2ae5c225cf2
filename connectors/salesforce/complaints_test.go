package salesforce_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// create adds records of one kind.
func (l *lab) create(t *testing.T, object string, records ...map[string]any) {
	t.Helper()
	for _, r := range records {
		r["attributes"] = map[string]string{"type": object}
	}
	for batch := range slices.Chunk(records, 200) {
		var results []struct{ Success bool }
		answer := l.call(t, http.MethodPost, "/services/data/v62.0/composite/sobjects", map[string]any{"records": batch})
		if err := json.Unmarshal(answer, &results); err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if !r.Success {
				t.Fatalf("%s is not created: %s", object, answer)
			}
		}
	}
}

// TestTies: a data loader stamps more rows with one second than a page holds. All of them are listed, and what is behind
// them, in a number of calls that has an end; one that is stamped with the second in which a pull ended is news to the next.
// https://github.com/airbytehq/airbyte/issues/17148
// https://github.com/supaglue-labs/supaglue/issues/532
func TestTies(t *testing.T) {
	l := newLab(t, deals.Demo()[:4])
	all, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	load := func(deal connectors.Record, rows int) {
		t.Helper()
		var tasks []map[string]any
		for range rows {
			tasks = append(tasks, map[string]any{"WhatId": deal.Snapshot.ID, "Subject": "Loaded"})
		}
		l.create(t, "Task", tasks...)
	}
	load(all[0], 2000)
	load(all[1], 1)
	var changed []connectors.Record
	_, routes := l.calls(t, func() { changed, marks = pull(t, l.client, marks) })
	want := dealNames(all[:2])
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(dealNames(changed)))); diff != "" {
		t.Errorf("deals with news, -want +got:\n%s", diff)
	}
	if n := routes[compositeRoute]; n > 8 {
		t.Errorf("%d calls, want 8 at most", n)
	}
	load(all[2], 1)
	if changed, _ = pull(t, l.client, marks); !slices.Contains(dealNames(changed), all[2].Snapshot.Deal.Name) {
		t.Errorf("the news of %s is lost among that of %v", all[2].Snapshot.Deal.Name, dealNames(changed))
	}
}

// TestQueryTimeout: queries that Salesforce gives up fail the pull, whichever of its calls they are in, and its watermarks
// stay; the pull after it brings the news.
// https://github.com/airbytehq/airbyte/issues/17503
func TestQueryTimeout(t *testing.T) {
	l := newLab(t, deals.Demo()[:4])
	f := l.fixture(t)
	all, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	if err := f.AddTask(all[0].Snapshot.ID, "News"); err != nil {
		t.Fatal(err)
	}
	var changed []connectors.Record
	_, routes := l.calls(t, func() { changed, _ = pull(t, newClient(t, l.cfg), marks) })
	want := dealNames(changed)
	var parts []map[string]any
	for i := range 25 {
		parts = append(parts, map[string]any{"referenceId": fmt.Sprint("r", i), "httpStatusCode": 400,
			"body": []any{map[string]any{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}}})
	}
	for n := range routes[compositeRoute] {
		if err := f.AddFault(t, connectortest.Fault{Path: ".*/composite", After: n, Status: 200, Body: map[string]any{"compositeResponse": parts}}); err != nil {
			t.Fatal(err)
		}
		var moved crm.Watermarks
		err := newClient(t, l.cfg).Pull(t.Context(), marks, func(b connectors.Batch) error { moved = b.Watermarks; return nil })
		if !errors.Is(err, connectors.ErrRetry) || !strings.Contains(err.Error(), "QUERY_TIMEOUT") || moved != nil {
			t.Errorf("call %d: %v, and watermarks %v", n, err, moved)
		}
		l.heal(t)
		if changed, _ = pull(t, newClient(t, l.cfg), marks); !slices.Equal(dealNames(changed), want) || len(want) != 1 {
			t.Errorf("call %d: after it %v come, want one deal: %v", n, dealNames(changed), want)
		}
	}
}

// TestSessionEndsInADownload: sessions end in the middle of the results of a job, and whenever one waits for them.
// https://github.com/singer-io/tap-salesforce/issues/222
func TestSessionEndsInADownload(t *testing.T) {
	l := newBulkLab(t)
	want := l.byREST(t)
	waits := 0
	c := l.spooling(t, t.TempDir(), inBulk(100), func(c *salesforce.Config) {
		c.Sleep = func(ctx context.Context, d time.Duration) error {
			waits++
			l.clock.Advance(3 * time.Hour)
			return hurried(ctx, d)
		}
	})
	if err := l.fixture(t).AddFault(t, connectortest.Fault{Method: "GET", Path: resultsPath, After: 3, Times: 1, Status: 503}); err != nil {
		t.Fatal(err)
	}
	l.token = "" // logs in again
	var got []connectors.Record
	_, routes := l.calls(t, func() { got, _ = pull(t, c, nil) })
	if diff := cmp.Diff(want, got, dates); diff != "" {
		t.Errorf("-in one session +in many:\n%s", diff[:min(len(diff), 2000)])
	}
	if waits == 0 || routes[jobsRoute] != bulkObjects {
		t.Errorf("%d sessions ended, %d jobs were asked for, want %d", waits, routes[jobsRoute], bulkObjects)
	}
}

// TestWideOrg: deals of hundreds of fields are read as those of a few are: what nobody asked for is not selected.
// https://github.com/turbot/steampipe-plugin-salesforce/issues/46
func TestWideOrg(t *testing.T) {
	l := newLab(t, deals.Demo()[:4])
	l.setup(t, connectortest.Specs)
	want := l.byREST(t)
	set := l.ids(t, "SELECT Id FROM PermissionSet WHERE Name = 'Handoff_Integration'")[0]
	var grants []map[string]any
	for i := range 400 { // the names of so many are longer than an address may be
		name := fmt.Sprintf("Opportunity.A_Long_Name_Of_What_Nobody_Needs_%03d__c", i)
		l.call(t, http.MethodPost, "/services/data/v62.0/tooling/sobjects/CustomField", map[string]any{
			"FullName": name, "Metadata": map[string]any{"label": fmt.Sprint("Field ", i), "type": "Text", "length": 80}})
		grants = append(grants, map[string]any{"ParentId": set, "SobjectType": "Opportunity", "Field": name, "PermissionsRead": true, "PermissionsEdit": false})
	}
	l.create(t, "FieldPermissions", grants...)
	if n := bytes.Count(l.call(t, http.MethodGet, "/services/data/v62.0/sobjects/Opportunity/describe", nil), []byte(`_Nobody_Needs_`)); n < len(grants) {
		t.Fatalf("%d fields can be seen, want %d", n, len(grants))
	}
	if diff := cmp.Diff(want, l.byREST(t), dates); diff != "" {
		t.Errorf("-few fields +many:\n%s", diff)
	}
	composites := 0
	for line := range bytes.Lines(l.call(t, http.MethodGet, "/_sandbox/log", nil)) {
		var e struct {
			Path        string
			RequestBody json.RawMessage
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.Path, "/composite") {
			continue
		}
		if composites++; bytes.Contains(e.RequestBody, []byte("_Nobody_Needs_")) {
			t.Errorf("a field that nobody asked for is selected: %s", e.RequestBody)
		}
	}
	if composites == 0 {
		t.Error("no composite was sent")
	}
}
