package salesforce_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestRefusedRows: each way in which an org refuses a row among others is classed, says what to do, and leaves the others
// written.
func TestRefusedRows(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	l.setup(t, connectortest.Specs)
	f := l.fixture(t)
	ids := pulledIDs(t, l.client)
	for i, tc := range []struct {
		code  string
		times int
		class error // nil: written in the end
		again time.Duration
	}{
		{"UNABLE_TO_LOCK_ROW", 3, nil, 0},
		{"UNABLE_TO_LOCK_ROW", 0, connectors.ErrRetry, 0},
		{"UNKNOWN_EXCEPTION", 1, nil, 0},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", 0, connectors.ErrPark, 0},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 0, connectors.ErrPark, 0},
		{"STRING_TOO_LONG", 0, connectors.ErrPark, 0},
		{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 0, connectors.ErrPark, 0},
		{"REQUIRED_FIELD_MISSING", 0, connectors.ErrPark, 0},
		{"DUPLICATES_DETECTED", 0, connectors.ErrPark, 0},
		{"ENTITY_IS_LOCKED", 0, connectors.ErrPark, 24 * time.Hour},
		{"CIRCULAR_DEPENDENCY", 0, connectors.ErrPark, 0},
		{"FIELD_INTEGRITY_EXCEPTION", 0, connectors.ErrPark, 0},
		{"A_CODE_OF_TOMORROW", 0, connectors.ErrPark, 0},
		{"STORAGE_LIMIT_EXCEEDED", 0, connectors.ErrQuota, 0},
		{"TXN_SECURITY_METERING_ERROR", 0, connectors.ErrConfig, 0},
		{"INSUFFICIENT_ACCESS_OR_READONLY", 0, connectors.ErrConfig, 0},
		{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 0, connectors.ErrConfig, 0},
		{"INVALID_FIELD_FOR_INSERT_UPDATE", 0, connectors.ErrConfig, 0},
		{"ENTITY_IS_DELETED", 0, connectors.ErrDrop, 0},
		{"INVALID_CROSS_REFERENCE_KEY", 0, connectors.ErrDrop, 0},
		{"NOT_FOUND", 0, connectors.ErrDrop, 0},
	} {
		t.Run(fmt.Sprintf("%s, %d times", tc.code, tc.times), func(t *testing.T) {
			f.Refuse(t, connectortest.Refusal{ID: ids[1], Code: tc.code, Message: "in the org's words", Fields: []string{"StageName"}, Times: tc.times})
			defer f.Accept(t)
			score := fmt.Sprint(i + 1)
			var updates []crm.Update
			for _, id := range ids {
				updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: id}, Values: crm.Values{"score": score}})
			}
			outcomes, err := l.client.Write(t.Context(), updates)
			if err != nil || len(outcomes) != len(ids) {
				t.Fatalf("%d outcomes, %v", len(outcomes), err)
			}
			values, err := l.client.ReadValues(t.Context(), crm.DealObject, ids)
			if err != nil {
				t.Fatal(err)
			}
			for n, o := range outcomes {
				if n != 1 || tc.class == nil {
					if o.Err != nil || values[ids[n]]["score"] != score {
						t.Errorf("row %d: %v, score %q", n, o.Err, values[ids[n]]["score"])
					}
					continue
				}
				switch e := o.Err; {
				case e == nil || !errors.Is(e, tc.class):
					t.Errorf("got %v, want %v", e, tc.class)
				case e.Code != tc.code || e.Message != "in the org's words" || len(e.Fields) != 1 || e.RetryAfter != tc.again:
					t.Errorf("got %+v", e)
				case e.Remedy == "" && !errors.Is(e, connectors.ErrDrop):
					t.Error("it does not say what to do")
				}
				if values[ids[n]]["score"] == score {
					t.Error("a row that was refused is written")
				}
			}
		})
	}
}

// TestRefusedCollections: what an org says of a call as a whole is nothing of its rows.
func TestRefusedCollections(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	l.setup(t, connectortest.Specs)
	f := l.fixture(t)
	ids := pulledIDs(t, l.client)
	const concurrent = `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`
	for i, tc := range []struct {
		name  string
		fault connectortest.Fault
		class error // nil: written in the end
	}{
		{"503 twice", connectortest.Fault{Status: 503, Code: "SERVER_UNAVAILABLE", Times: 2}, nil},
		{"concurrent calls, twice", connectortest.Fault{Status: 403, Body: concurrent, Times: 2}, nil},
		{"a session that ended", connectortest.Fault{Code: "INVALID_SESSION_ID", Times: 1}, nil},
		{"500", connectortest.Fault{Code: "UNKNOWN_EXCEPTION"}, connectors.ErrRetry},
		{"502", connectortest.Fault{Status: http.StatusBadGateway}, connectors.ErrRetry},
		{"504", connectortest.Fault{Status: http.StatusGatewayTimeout}, connectors.ErrRetry},
		{"connection reset", connectortest.Fault{Reset: true}, connectors.ErrRetry},
		{"half an answer", connectortest.Fault{Truncate: true}, connectors.ErrRetry},
		{"daily quota", connectortest.Fault{Code: "REQUEST_LIMIT_EXCEEDED"}, connectors.ErrQuota},
		{"storage", connectortest.Fault{Code: "STORAGE_LIMIT_EXCEEDED"}, connectors.ErrQuota},
		{"security policy", connectortest.Fault{Status: 403, Code: "TXN_SECURITY_METERING_ERROR"}, connectors.ErrConfig},
		{"no API", connectortest.Fault{Code: "API_DISABLED_FOR_ORG"}, connectors.ErrConfig},
		{"no API for the user", connectortest.Fault{Code: "API_CURRENTLY_DISABLED"}, connectors.ErrConfig},
		{"no access", connectortest.Fault{Code: "INSUFFICIENT_ACCESS"}, connectors.ErrConfig},
		{"no such object", connectortest.Fault{Code: "INVALID_TYPE"}, connectors.ErrConfig},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.fault.Path = f.Writes
			if err := f.AddFault(t, tc.fault); err != nil {
				t.Fatal(err)
			}
			defer f.Heal(t)
			score := fmt.Sprint(i + 1)
			outcomes, err := l.client.Write(t.Context(), []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: ids[0]}, Values: crm.Values{"score": score}}})
			if tc.class != nil {
				if !errors.Is(err, tc.class) || len(outcomes) > 0 {
					t.Errorf("%v, %v; want %v and no outcome", outcomes, err, tc.class)
				}
				return
			}
			values, readErr := l.client.ReadValues(t.Context(), crm.DealObject, ids)
			if err != nil || readErr != nil || values[ids[0]]["score"] != score {
				t.Errorf("%v, %v: score %q", err, readErr, values[ids[0]]["score"])
			}
		})
	}
}

// pulledIDs returns the ids of the won deals.
func pulledIDs(t *testing.T, c *salesforce.Client) (ids []string) {
	t.Helper()
	records, _ := pull(t, c, nil)
	for i := range records {
		ids = append(ids, records[i].Snapshot.ID)
	}
	return ids
}
