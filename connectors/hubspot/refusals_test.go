package hubspot_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestRefusedRows: HubSpot refuses a batch whole for one row of it; that row is found, classed and says what to do, and the
// others are written.
func TestRefusedRows(t *testing.T) {
	l := newLab(t, deals.Demo()[:5])
	f := l.fixture(t)
	setUp(t, l)
	ids := dealIDs(t, l)
	for i, tc := range []struct {
		name    string
		refusal connectortest.Refusal
		code    string
		class   error
	}{
		{"a rule of the pipeline", connectortest.Refusal{Code: "VALIDATION_ERROR", Message: "Close plan is required in stage Closed Won"}, "VALIDATION_ERROR", connectors.ErrPark},
		{"an option that went away", connectortest.Refusal{Code: "INVALID_OPTION", Message: "Red was not one of the allowed options", Fields: []string{"handoff_health"}}, "INVALID_OPTION", connectors.ErrPark},
		{"a value of another type", connectortest.Refusal{Code: "INVALID_INTEGER", Message: "3 was not a valid integer", Fields: []string{"handoff_score"}}, "INVALID_INTEGER", connectors.ErrPark},
		{"a text that is too long", connectortest.Refusal{Code: "INVALID_LONG_STRING", Message: "too long", Fields: []string{"handoff_gaps"}}, "INVALID_LONG_STRING", connectors.ErrPark},
		{"a property that went away", connectortest.Refusal{Code: "PROPERTY_DOESNT_EXIST", Message: "Property handoff_score does not exist", Fields: []string{"handoff_score"}}, "PROPERTY_DOESNT_EXIST", connectors.ErrConfig},
		{"a property that HubSpot sets", connectortest.Refusal{Code: "READ_ONLY_VALUE", Message: "read only", Fields: []string{"handoff_score"}}, "READ_ONLY_VALUE", connectors.ErrConfig},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.refusal.ID = ids[1]
			f.Refuse(t, tc.refusal)
			defer f.Accept(t)
			score := fmt.Sprint(i + 1)
			updates := []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: f.Gone}, Values: crm.Values{"score": score}}}
			for _, id := range ids {
				updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: id}, Values: crm.Values{"score": score}})
			}
			outcomes, err := l.client.Write(t.Context(), updates)
			if err != nil || len(outcomes) != len(updates) {
				t.Fatalf("%d outcomes, %v", len(outcomes), err)
			}
			values, err := l.client.ReadValues(t.Context(), crm.DealObject, ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes {
				written := values[o.Ref.ID]["score"] == score
				switch e := o.Err; {
				case o.Ref.ID == f.Gone:
					if e == nil || !errors.Is(e, connectors.ErrDrop) {
						t.Errorf("the deal that is gone: %v", e)
					}
				case o.Ref.ID != ids[1]:
					if e != nil || !written {
						t.Errorf("another row: %v, written %v", e, written)
					}
				case e == nil || !errors.Is(e, tc.class) || e.Code != tc.code || e.Message != tc.refusal.Message || len(e.Fields) != len(tc.refusal.Fields):
					t.Errorf("got %+v", e)
				case e.Remedy == "" || written:
					t.Errorf("what to do: %q, written %v", e.Remedy, written)
				}
			}
		})
	}
}

// TestRefusedBatches: what HubSpot says of a call as a whole is nothing of its rows.
func TestRefusedBatches(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	f := l.fixture(t)
	setUp(t, l)
	ids := dealIDs(t, l)
	for i, tc := range []struct {
		name  string
		fault connectortest.Fault
		class error // nil: written in the end
	}{
		{"too many calls in ten seconds, twice", connectortest.Fault{Code: "TEN_SECONDLY_ROLLING", Times: 2}, nil},
		{"too many calls in a second, twice", connectortest.Fault{Code: "SECONDLY", Times: 2}, nil},
		{"locked, twice", connectortest.Fault{Status: http.StatusLocked, Times: 2}, nil},
		{"migrating, twice", connectortest.Fault{Status: 477, Times: 2}, nil},
		{"503 twice", connectortest.Fault{Status: http.StatusServiceUnavailable, Times: 2}, nil},
		{"500", connectortest.Fault{Code: "INTERNAL_ERROR"}, connectors.ErrRetry},
		{"502", connectortest.Fault{Status: http.StatusBadGateway}, connectors.ErrRetry},
		{"524", connectortest.Fault{Status: 524}, connectors.ErrRetry},
		{"connection reset", connectortest.Fault{Reset: true}, connectors.ErrRetry},
		{"half an answer", connectortest.Fault{Truncate: true}, connectors.ErrRetry},
		{"calls of the day", connectortest.Fault{Code: "DAILY"}, connectors.ErrQuota},
		{"token that ended", connectortest.Fault{Code: "EXPIRED_AUTHENTICATION"}, connectors.ErrConfig},
		{"missing scope", connectortest.Fault{Code: "MISSING_SCOPES"}, connectors.ErrConfig},
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

// dealIDs returns the ids of the won deals.
func dealIDs(t *testing.T, l *lab) (ids []string) {
	t.Helper()
	for _, r := range pull(t, l.client, nil).records {
		ids = append(ids, r.Snapshot.ID)
	}
	return ids
}
