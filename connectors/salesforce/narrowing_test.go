package salesforce_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestSlowLists: what Salesforce cannot list in its two minutes is listed in parts, and nothing of it is lost.
func TestSlowLists(t *testing.T) {
	l := newLab(t, deals.Demo())
	want, marks := pull(t, l.client, nil)
	most := 5 // rows of a list that does not take too long
	slow := newOddOrg(t, l, func(soql string, rows int) string {
		if list := strings.Contains(soql, " LIMIT ") || strings.Contains(soql, "COUNT()"); list && rows > most {
			return "QUERY_TIMEOUT"
		}
		return ""
	})
	cfg := l.cfg
	cfg.URL = slow.URL
	refused := connectortest.Fault{Method: http.MethodPost, Path: jobsPath, Status: 400, Code: "LIMIT_EXCEEDED"} // no bulk jobs are left

	t.Run("a first run without bulk", func(t *testing.T) {
		if err := l.fixture(t).AddFault(t, refused); err != nil {
			t.Fatal(err)
		}
		defer l.heal(t)
		got, _ := pull(t, newClient(t, cfg), nil)
		if !slices.Equal(dealNames(got), dealNames(want)) {
			t.Errorf("the deals are %v, want %v", dealNames(got), dealNames(want))
		}
	})

	t.Run("a first run in bulk", func(t *testing.T) {
		slow.refused = nil
		cfg := cfg
		cfg.Sleep = hurried
		var got []connectors.Record
		_, routes := l.calls(t, func() { got, _ = pull(t, newClient(t, cfg), nil) })
		if !slices.Equal(dealNames(got), dealNames(want)) {
			t.Errorf("the deals are %v, want %v", dealNames(got), dealNames(want))
		}
		if routes[jobsRoute] != bulkObjects || len(slow.refused) != 2 {
			t.Errorf("%d jobs, want %d, after these took too long, which are to be the list and the count: %q", routes[jobsRoute], bulkObjects, slow.refused)
		}
	})

	t.Run("news", func(t *testing.T) {
		slow.refused = nil
		f := l.fixture(t)
		for _, r := range want {
			l.clock.Advance(time.Hour)
			l.token = "" // logs in again
			if err := f.AddTask(r.Snapshot.ID, "News"); err != nil {
				t.Fatal(err)
			}
		}
		got, next := pull(t, newClient(t, cfg), marks)
		if all := slices.Sorted(slices.Values(dealNames(want))); !slices.Equal(slices.Sorted(slices.Values(dealNames(got))), all) {
			t.Errorf("of %v come %v", all, dealNames(got))
		}
		if len(slow.refused) == 0 || len(slow.refused) > 12 {
			t.Errorf("%d lists took too long", len(slow.refused))
		}
		if got, _ := pull(t, newClient(t, cfg), next); len(got) > 1 { // the last one lies within the overlap
			t.Errorf("%d deals come again", len(got))
		}
	})

	t.Run("however little is asked for", func(t *testing.T) {
		most = -1
		if err := l.fixture(t).AddFault(t, refused); err != nil {
			t.Fatal(err)
		}
		for name, since := range map[string]crm.Watermarks{"a first run": nil, "news": marks} {
			got, moved, err := tryPull(t, newClient(t, cfg), since)
			if !errors.Is(err, connectors.ErrRetry) || !strings.Contains(err.Error(), "QUERY_TIMEOUT") || !strings.Contains(err.Error(), "Salesforce Support") {
				t.Errorf("%s: %v", name, err)
			}
			if moved["Opportunity"].Time != since["Opportunity"].Time || len(got) > 0 {
				t.Errorf("%s: %d deals come, and watermarks %v", name, len(got), moved)
			}
		}
	})
}
