package salesforce_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"handoff/connectors/sandbox/deals"
)

// TestFeedsOfDealsAlone: what hangs on other records than opportunities is not listed, of which an org may have many more.
func TestFeedsOfDealsAlone(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	all, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	account := all[0].AccountID
	elsewhere := map[string]string{"Task": account, "Event": account, "EmailMessage": account, "Note": account, "EventRelation": ""}
	for object, parent := range elsewhere {
		t.Run(object, func(t *testing.T) {
			ours, other := l.child(t, object, all[0].Snapshot.ID), l.child(t, object, parent)
			before := len(l.call(t, http.MethodGet, "/_sandbox/log", nil))
			if changed, _ := pull(t, l.client, marks); len(changed) != 1 {
				t.Errorf("%d deals come, want 1", len(changed))
			}
			log := l.call(t, http.MethodGet, "/_sandbox/log", nil)[before:]
			if !bytes.Contains(log, []byte(ours)) || bytes.Contains(log, []byte(other)) {
				t.Errorf("of a deal is listed: %v, of something else: %v", bytes.Contains(log, []byte(ours)), bytes.Contains(log, []byte(other)))
			}
		})
	}
}
