package salesforce_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// TestMisconfigured: what a key of the configuration causes names the key.
func TestMisconfigured(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	for _, tc := range []struct {
		setting string
		change  func(*salesforce.Config)
		text    string
	}{
		{"client_secret", func(c *salesforce.Config) { c.ClientSecret = "wrong" }, "Correct client_secret: "},
		{"client_id", func(c *salesforce.Config) { c.ClientID = "wrong" }, "Correct client_id: "},
		{"password", func(c *salesforce.Config) {
			c.Auth, c.Username, c.Password = salesforce.Password, "revops@sandbox.example", "wrong"
		}, "Correct user name or password"},
		{"password", func(c *salesforce.Config) {
			c.Auth, c.Username, c.Password = salesforce.SOAP, "revops@sandbox.example", "wrong"
		}, "Correct user name or password"},
		{"url", func(c *salesforce.Config) { c.URL = "http://127.0.0.1:1" }, "Check the address"},
		{"url", func(c *salesforce.Config) { c.URL += "/elsewhere" }, "set url to the org's My Domain address"},
		{"api_version", func(c *salesforce.Config) { c.APIVersion = "99.0" }, "version 99.0 of the API; it has 31.0 to 68.0 (NOT_FOUND). Set api_version to one of these"},
		{"pipelines", func(c *salesforce.Config) { c.Pipelines = []string{"Services"} }, "The org has: none that the integration user can see"},
		{"deal_types", func(c *salesforce.Config) { c.DealTypes = []string{"Gift"} }, "The org has: New Business, "},
		{"fields.use_case", func(c *salesforce.Config) { c.Fields = map[string]string{"use_case": "Usecase__c"} }, "Correct its API name"},
	} {
		t.Run(tc.setting, func(t *testing.T) {
			cfg := l.cfg
			tc.change(&cfg)
			_, _, err := tryPull(t, newClient(t, cfg), nil)
			e := (*connectors.Error)(nil)
			if !errors.As(err, &e) || e.Setting != tc.setting || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want setting %s and %q", err, tc.setting, tc.text)
			}
		})
	}
}

// TestRevoked: what a permission keeps from us is a gap where there may be something behind it, and no error.
func TestRevoked(t *testing.T) {
	cases := deals.Demo()
	noted := map[string]bool{} // deals with notes that are not classic ones
	all, _ := pull(t, newLab(t, cases).client, nil)
	for _, r := range all {
		noted[r.Snapshot.Deal.Name] = slices.ContainsFunc(r.Snapshot.Notes, func(n crm.Note) bool { return strings.HasPrefix(n.ID, "069") })
	}
	for _, tc := range []struct {
		permission string
		want       func(deal string) []crm.Part
	}{
		{"Note.read", func(string) []crm.Part { return []crm.Part{crm.PartNotes} }},
		{"ContentNote.read", func(deal string) []crm.Part {
			if noted[deal] {
				return []crm.Part{crm.PartNotes}
			}
			return nil // no link leads to a note: the feature may as well be off
		}},
		{"Contact.read", func(string) []crm.Part { return []crm.Part{crm.PartContacts} }},
		{"Task.read", func(string) []crm.Part { return []crm.Part{crm.PartTasks} }},
		{"Account.read", func(string) []crm.Part { return nil }},
		{"Opportunity.Amount.read", func(string) []crm.Part { return nil }},
		{"Opportunity.AccountId.read", func(string) []crm.Part { return nil }},
		{"Opportunity.NextStep.read", func(string) []crm.Part { return []crm.Part{crm.PartFields} }},
		{"Contact.Title.read", func(string) []crm.Part { return []crm.Part{crm.PartContacts} }},
		{"Task.WhatId.read", func(string) []crm.Part { return []crm.Part{crm.PartTasks} }},
		{"Event.Description.read", func(string) []crm.Part { return []crm.Part{crm.PartEvents} }},
	} {
		t.Run(tc.permission, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, cases)
			l.revoke(t, tc.permission)
			records, marks := pull(t, l.client, nil)
			if len(records) == 0 {
				t.Fatal("no deals come")
			}
			for _, r := range records {
				if want := tc.want(r.Snapshot.Deal.Name); !slices.Equal(r.Snapshot.Unread, want) {
					t.Errorf("%s: unread %v, want %v", r.Snapshot.Deal.Name, r.Snapshot.Unread, want)
				}
			}
			l.clock.Advance(time.Hour)
			if _, _, err := tryPull(t, l.client, marks); err != nil {
				t.Errorf("the next pull: %v", err)
			}
		})
	}
}
