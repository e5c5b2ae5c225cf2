package salesforce_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

// use lets all integrations of the org have used so many API calls.
func (l *lab) use(t *testing.T, calls int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, l.url+"/_sandbox/usage", strings.NewReader(fmt.Sprintf(`{"calls":%d}`, calls)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("set the usage: %s", resp.Status)
	}
}

// TestBulkStopsAtTheQuota: a sweep in bulk that stops at its share of the org's calls goes on with the jobs that it has.
func TestBulkStopsAtTheQuota(t *testing.T) {
	l := newBulkLab(t)
	want := dealNames(l.byREST(t))
	for _, left := range []int{8, 20, 30} { // while jobs are asked for, awaited and read
		dir := t.TempDir()
		var got []string
		_, routes := l.calls(t, func() {
			c := l.spooling(t, dir, inBulk(100))
			l.use(t, 40_000-left)
			var marks crm.Watermarks
			err := c.Pull(connectors.NewBudget(80).Bound(t.Context()), nil, func(b connectors.Batch) error {
				got, marks = append(got, dealNames(b.Records)...), b.Watermarks
				return nil
			})
			if !errors.Is(err, connectors.ErrBudget) || c.Calls() > left {
				t.Errorf("%d calls left: %d sent, %v", left, c.Calls(), err)
			}
			l.use(t, 0)
			l.clock.Advance(time.Hour)
			c = l.spooling(t, dir, inBulk(100))
			rest, _ := pull(t, c, marks)
			got = append(got, dealNames(rest)...)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d calls left: deals of the sweep that goes on, -want +got:\n%s", left, diff)
		}
		if routes[jobsRoute] != bulkObjects {
			t.Errorf("%d calls left: %d jobs asked for, want %d", left, routes[jobsRoute], bulkObjects)
		}
		l.tidy(t, dir)
	}
}
