package salesforce_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestArchivedActivities: what Salesforce archives, a year after it happened, stays a part of its deal, however that is read.
func TestArchivedActivities(t *testing.T) {
	cases := deals.Demo()[:12]
	for _, tc := range []struct {
		name string
		read func(*testing.T, *lab, crm.Watermarks) []connectors.Record
	}{
		{"a first run", func(t *testing.T, l *lab, _ crm.Watermarks) []connectors.Record {
			records, _ := pull(t, l.client, nil)
			return records
		}},
		{"a first run in bulk", func(t *testing.T, l *lab, _ crm.Watermarks) []connectors.Record {
			cfg := l.cfg
			cfg.BulkFrom, cfg.Sleep = 1, hurried
			var records []connectors.Record
			if _, routes := l.calls(t, func() { records, _ = pull(t, newClient(t, cfg), nil) }); routes[resultsRoute] == 0 {
				t.Fatalf("nothing was read in bulk: %v", routes)
			}
			return records
		}},
		{"a run with news", func(t *testing.T, l *lab, marks crm.Watermarks) []connectors.Record {
			for _, id := range l.ids(t, "SELECT Id FROM Opportunity WHERE IsWon = true") {
				if err := l.fixture(t).EditRecord(t, "Opportunity", id, map[string]any{"Probability": 99}); err != nil {
					t.Fatal(err)
				}
			}
			records, _ := pull(t, l.client, marks)
			return records
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, cases)
			before, marks := pull(t, l.client, nil)
			l.clock.Advance(400 * 24 * time.Hour)
			l.token = "" // logs in again
			for _, soql := range []string{"SELECT Id FROM Event", "SELECT Id FROM Task WHERE IsClosed = true"} {
				if fresh := l.ids(t, soql); len(fresh) > 0 {
					t.Fatalf("%s: %d are not archived", soql, len(fresh))
				}
			}
			if diff := cmp.Diff(contents(before), contents(tc.read(t, l, marks)), dates); diff != "" {
				t.Errorf("-fresh +archived:\n%s", diff)
			}
		})
	}
}

// contents are the activities of deals.
func contents(records []connectors.Record) map[string][]crm.Activity {
	all := map[string][]crm.Activity{}
	for _, r := range records {
		all[r.Snapshot.ID] = r.Snapshot.Activities
	}
	return all
}
