package connectortest

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

const page = "<html><head><title>Down for maintenance</title></head><body>We will be back soon.</body></html>"

// readFaults: a temporary fault is waited out and leaves no trace; one that stays ends the pull in the right class, and
// after it is gone the next pull is complete.
func readFaults(t *testing.T, start Start) {
	cases := few()
	f := start(t, cases)
	want := mustPull(t, f, nil)
	for _, tc := range []struct {
		name  string
		fault Fault
		stays error // class of the error when the fault does not go away
	}{
		{"503", Fault{Status: 503, Code: "SERVER_UNAVAILABLE"}, connectors.ErrRetry},
		{"empty list of errors", Fault{Status: 500, Body: []any{}}, connectors.ErrRetry},
		{"null", Fault{Status: 500, Body: "null"}, connectors.ErrRetry},
		{"empty body", Fault{Status: 502}, connectors.ErrRetry},
		{"HTML page", Fault{Status: 503, Body: page, ContentType: "text/html"}, connectors.ErrRetry},
		{"HTML page that claims success", Fault{Status: 200, Body: page, ContentType: "text/html"}, connectors.ErrRetry},
		{"connection reset", Fault{Reset: true}, connectors.ErrRetry},
		{"half an answer", Fault{Truncate: true}, connectors.ErrRetry},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.fault.Path = f.Reads
			for _, after := range []int{0, 1, 2} {
				tc.fault.After, tc.fault.Times = after, 2
				f.fault(t, tc.fault)
				if diff := cmp.Diff(want.names(), mustPull(t, f, nil).names()); diff != "" {
					t.Errorf("behind call %d, -without +with the fault:\n%s", after, diff)
				}
				f.Heal(t)
			}
			tc.fault.After, tc.fault.Times = 1, 0
			f.fault(t, tc.fault)
			got, err := pull(t.Context(), f.Connector, nil)
			f.Heal(t)
			checkError(t, err, tc.stays)
			got = mustPull(t, f, got.marks)
			if diff := cmp.Diff(want.names(), got.names()); diff != "" {
				t.Errorf("after the fault, -want +got:\n%s", diff)
			}
		})
	}
}

func checkError(t *testing.T, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("got %v, want %v", err, class)
	}
	var e *connectors.Error
	if !errors.As(err, &e) || e.Op == "" || e.CRM == "" {
		t.Errorf("the error does not say what was attempted: %v", err)
	}
	if strings.Contains(err.Error(), "<html>") || strings.Contains(err.Error(), "SELECT") {
		t.Errorf("the error repeats what it should not: %v", err)
	}
}

// writeFaults: a write that was certainly not carried out is sent again; one that may have been is left to the caller.
func writeFaults(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	update := func(value string) []crm.Update {
		return []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: p.records[0].Snapshot.ID}, Values: crm.Values{"score": value}}}
	}
	f.fault(t, Fault{Path: f.Writes, Times: 2, Status: http.StatusServiceUnavailable})
	outcomes, err := f.Connector.Write(t.Context(), update("7"))
	if err != nil || len(outcomes) != 1 || outcomes[0].Err != nil {
		t.Errorf("after two 503: %+v, %v", outcomes, err)
	}
	f.Heal(t)

	f.fault(t, Fault{Path: f.Writes, Reset: true})
	before := f.requests(t)
	outcomes, err = f.Connector.Write(t.Context(), update("8"))
	checkError(t, err, connectors.ErrRetry)
	if len(outcomes) > 0 {
		t.Errorf("an outcome that nobody knows: %+v", outcomes)
	}
	if sent := total(f.requests(t)) - total(before); sent != 1 {
		t.Errorf("a write that may have been carried out was sent %d times", sent)
	}
	f.Heal(t)
	values, err := f.Connector.ReadValues(t.Context(), crm.DealObject, []string{p.records[0].Snapshot.ID})
	if err != nil || values[p.records[0].Snapshot.ID]["score"] != "8" {
		t.Errorf("reading tells what became of it: %v, %v", values, err)
	}
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// loginFaults: an expired session is replaced once; one that is refused for ever ends the pull for a person to look at,
// before anyone is locked out. A spent quota is neither waited for nor retried.
func loginFaults(t *testing.T, start Start) {
	f := start(t, few())
	want := mustPull(t, f, nil)
	unauthorized := Fault{Path: f.Reads, Status: http.StatusUnauthorized, Code: "INVALID_SESSION_ID"}
	if f.Logins != "" {
		for _, after := range []int{0, 1} {
			unauthorized.After, unauthorized.Times = after, 1
			f.fault(t, unauthorized)
			if diff := cmp.Diff(want.names(), mustPull(t, f, nil).names()); diff != "" {
				t.Errorf("after 401 once, -want +got:\n%s", diff)
			}
			f.Heal(t)
		}
	}

	unauthorized.After, unauthorized.Times = 0, 0
	f.fault(t, unauthorized)
	before := f.requests(t)
	_, err := pull(t.Context(), f.Connector, nil)
	f.Heal(t)
	checkError(t, err, connectors.ErrConfig)
	if calls := total(f.requests(t)) - total(before); calls > 4 {
		t.Errorf("401 for ever: %d requests before it stops", calls)
	}
	mustPull(t, f, nil)

	if f.Logins != "" {
		f.fault(t, Fault{Path: f.Reads, Status: http.StatusUnauthorized, Code: "INVALID_SESSION_ID", Times: 1})
		f.fault(t, Fault{Path: f.Logins, Status: http.StatusServiceUnavailable, Times: 2})
		if diff := cmp.Diff(want.names(), mustPull(t, f, nil).names()); diff != "" {
			t.Errorf("after two 503 of the login, -want +got:\n%s", diff)
		}
		f.Heal(t)
	}
}
