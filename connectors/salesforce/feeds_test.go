package salesforce_test

import (
	"bytes"
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

// TestRefusedFeeds: where Salesforce refuses to list what is new, a pull says of what, loses nothing of it, and check says why.
func TestRefusedFeeds(t *testing.T) {
	for _, tc := range []struct {
		object, list string // that is refused: its beginning
		part         crm.Part
	}{
		{"Task", "SELECT Id, SystemModstamp, WhatId FROM Task", crm.PartTasks},
		{"ContentDocumentLink", "SELECT Id, SystemModstamp, LinkedEntityId FROM ContentDocumentLink", crm.PartNotes},
	} {
		t.Run(tc.object, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:3])
			l.setup(t, nil)
			refusing := true
			cfg := l.cfg
			cfg.URL = newOddOrg(t, l, func(soql string, _ int) string {
				if refusing && strings.Contains(soql, tc.list) {
					return "MALFORMED_QUERY"
				}
				return ""
			}).URL
			odd := newClient(t, cfg)
			all, marks := pull(t, odd, nil)
			l.clock.Advance(time.Hour)
			deal := all[0].Snapshot.ID
			f := l.fixture(t)
			add := map[string]func(string, string) error{"Task": f.AddTask, "ContentDocumentLink": f.AddNote}
			if err := add[tc.object](deal, "News"); err != nil {
				t.Fatal(err)
			}
			checkup, err := odd.Check(t.Context())
			if err != nil || !slices.ContainsFunc(checkup.Findings, func(found connectors.Finding) bool {
				return found.Severity == connectors.Problem && found.Place == tc.object && strings.Contains(found.Text, "refuses to list what is new of "+string(tc.part)) && found.Remedy != ""
			}) {
				t.Errorf("%v; check finds %+v", err, checkup.Findings)
			}
			unlisted := func() (parts []crm.Part) {
				t.Helper()
				if err := odd.Pull(t.Context(), marks, func(b connectors.Batch) error {
					parts = append(parts, b.Unlisted...)
					if b.Watermarks != nil {
						marks = connectortest.Save(marks, b.Watermarks)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				return parts
			}
			for range 2 {
				if parts := unlisted(); !slices.Equal(parts, []crm.Part{tc.part}) {
					t.Errorf("unlisted are %v, want %s", parts, tc.part)
				}
				l.clock.Advance(time.Hour)
			}
			refusing = false
			if late, _ := pull(t, odd, marks); len(late) != 1 || late[0].Snapshot.ID != deal {
				t.Errorf("%d deals come once the list is there", len(late))
			}
			if parts := unlisted(); len(parts) > 0 {
				t.Errorf("unlisted are %v", parts)
			}
			if checkup, err = odd.Check(t.Context()); err != nil || slices.ContainsFunc(checkup.Findings, func(found connectors.Finding) bool { return strings.Contains(found.Text, "refuses to list") }) {
				t.Errorf("%v; check finds %+v", err, checkup.Findings)
			}
		})
	}
}
