package salesforce_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestLostCursor: a query whose page is cut short, and whose cursor is lost then, is asked again from its beginning.
func TestLostCursor(t *testing.T) {
	l := newLab(t, deals.Demo()[:3])
	f := l.fixture(t)
	want := &replica{snapshots: map[string]*crm.Snapshot{}}
	want.pull(t, l.client, 0)
	n := 0
	for line := range bytes.Lines(l.call(t, http.MethodGet, "/_sandbox/log", nil)) {
		var e struct {
			Path         string
			ResponseBody json.RawMessage
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.Path, "/composite") {
			continue
		}
		var answer struct {
			Parts []map[string]any `json:"compositeResponse"`
		}
		if err := json.Unmarshal(e.ResponseBody, &answer); err != nil {
			t.Fatal(err)
		}
		for _, p := range answer.Parts {
			if body, ok := p["body"].(map[string]any); ok && body["records"] != nil {
				body["done"], body["nextRecordsUrl"] = false, "/services/data/v62.0/query/01g5e0000000001AAA-1"
			}
		}
		if err := f.AddFault(t, connectortest.Fault{Path: ".*/composite", After: n, Times: 1, Status: 200, Body: map[string]any{"compositeResponse": answer.Parts}}); err != nil {
			t.Fatal(err)
		}
		got := &replica{snapshots: map[string]*crm.Snapshot{}}
		got.pull(t, newClient(t, l.cfg), 0)
		l.call(t, http.MethodDelete, "/_sandbox/faults", nil)
		if diff := cmp.Diff(want.snapshots, got.snapshots, cmpopts.EquateComparable(crm.Date{})); diff != "" {
			t.Errorf("composite %d, -with the cursor +without it:\n%s", n, diff)
		}
		n++
	}
	if n == 0 {
		t.Error("no composite was sent")
	}
}
