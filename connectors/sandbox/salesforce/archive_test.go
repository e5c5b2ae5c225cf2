package salesforce

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestArchive: today is 2026-11-21; what is 365 days old is of 2025-11-21 or before.
func TestArchive(t *testing.T) {
	o := queryOrg(t)
	at := func(s string) time.Time {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	err := o.bulkInsert(context.Background(), func(insert insertFunc) error {
		deal := newID("006", 1)
		for _, r := range []struct {
			object, subject, created string
			values                   map[string]any
		}{
			{"Task", "closed, due a year ago", "2026-11-01", map[string]any{"Status": "Completed", "ActivityDate": at("2025-11-21")}},
			{"Task", "closed, due later", "2020-01-01", map[string]any{"Status": "Completed", "ActivityDate": at("2025-11-22")}},
			{"Task", "closed, never due, old", "2025-11-21", map[string]any{"Status": "Completed"}},
			{"Task", "closed, never due", "2025-11-22", map[string]any{"Status": "Completed"}},
			{"Task", "open, due a year ago", "2020-01-01", map[string]any{"ActivityDate": at("2020-01-01")}},
			{"Event", "a year ago", "2026-11-01", map[string]any{"ActivityDateTime": at("2025-11-21").Add(time.Hour)}},
			{"Event", "later", "2020-01-01", map[string]any{"ActivityDateTime": at("2025-11-22")}},
			{"Event", "without a day", "2020-01-01", map[string]any{}},
		} {
			r.values["Subject"], r.values["WhatId"] = r.subject, deal
			if _, err := insert(r.object, r.values, system{CreatedDate: at(r.created)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ofDeal := "WHERE WhatId = '" + newID("006", 1) + "' AND Subject != 'Call A' "
	for _, tc := range []struct {
		name, soql string
		opt        queryOptions
		want       []string
	}{
		{"tasks", "SELECT Subject FROM Task " + ofDeal, queryOptions{}, []string{"closed, due later", "closed, never due", "open, due a year ago"}},
		{"tasks in bulk", "SELECT Subject FROM Task " + ofDeal, queryOptions{Bulk: true}, []string{"closed, due later", "closed, never due", "open, due a year ago"}},
		{"all tasks", "SELECT Subject, IsArchived FROM Task " + ofDeal, queryOptions{All: true}, []string{"closed, due a year ago|true", "closed, due later|false",
			"closed, never due, old|true", "closed, never due|false", "open, due a year ago|false"}},
		{"events", "SELECT Subject FROM Event " + ofDeal, queryOptions{}, []string{"later", "without a day"}},
		{"all events in bulk", "SELECT Subject, IsArchived FROM Event " + ofDeal, queryOptions{All: true, Bulk: true},
			[]string{"a year ago|true", "later|false", "without a day|false"}},
		{"archived ones", "SELECT Subject FROM Task " + ofDeal + "AND IsArchived = true", queryOptions{All: true}, []string{"closed, due a year ago", "closed, never due, old"}},
		{"archived ones of a query", "SELECT Subject FROM Task " + ofDeal + "AND IsArchived = true", queryOptions{}, []string{}},
		{"count", "SELECT COUNT(Id) FROM Event " + ofDeal, queryOptions{}, []string{"2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, answer(t, o, tc.soql, tc.opt)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
