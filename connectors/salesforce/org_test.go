package salesforce_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

func pull(t *testing.T, c *salesforce.Client, since crm.Watermarks) ([]connectors.Record, crm.Watermarks) {
	t.Helper()
	records, marks, err := tryPull(t, c, since)
	if err != nil {
		t.Fatal(err)
	}
	return records, marks
}

func tryPull(t *testing.T, c *salesforce.Client, since crm.Watermarks) (records []connectors.Record, marks crm.Watermarks, err error) {
	marks = since
	err = c.Pull(t.Context(), since, func(b connectors.Batch) error {
		records = append(records, b.Records...)
		if b.Watermarks != nil {
			marks = connectortest.Save(marks, b.Watermarks)
		}
		return nil
	})
	return records, marks, err
}

func TestLoginsOfTheSandbox(t *testing.T) {
	for _, auth := range []string{salesforce.ClientCredentials, salesforce.Password, salesforce.SOAP} {
		t.Run(auth, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:2], func(c *salesforce.Config) {
				c.Auth, c.Username, c.Password = auth, "revops@sandbox.example", "sandbox-password"
			})
			if records, _ := pull(t, l.client, nil); len(records) != 2 {
				t.Errorf("%d deals", len(records))
			}
			plan, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
			steps := plan.Steps
			if err != nil || len(steps) == 0 {
				t.Errorf("%d steps, %v", len(steps), err)
			}
		})
	}
	l := newLab(t, deals.Demo()[:1], func(c *salesforce.Config) { c.ClientSecret = "wrong" })
	if _, _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong secret: %v", err)
	}
}

func TestUnusable(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	missing, err := l.client.Unusable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) != len(connectortest.Specs) {
		t.Errorf("before setup: %+v", missing)
	}
	records, _ := pull(t, l.client, nil)
	if len(records[0].Values) != 0 {
		t.Errorf("values of fields that do not exist: %v", records[0].Values)
	}
	plan, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
	steps := plan.Steps
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.What != "field" {
			break
		}
		if err := l.client.Apply(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if missing, err = l.client.Unusable(t.Context()); err != nil || len(missing) != len(connectortest.Specs) {
		t.Errorf("created, granted to nobody: %d missing, %v", len(missing), err)
	}
	if plan, err = l.client.Plan(t.Context(), connectors.SetupOptions{}); err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, s := range plan.Steps {
		what = append(what, s.What+" "+s.Target+" "+s.Detail)
		if err := l.client.Apply(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"permission set Handoff_Integration Handoff integration",
		"object permission Account Read, Edit, View All: reads the customer's name and the facts that are kept with it; writes the health of its latest deal",
		"object permission Opportunity Read, Edit, View All: reads won deals; writes the handoff fields",
		"object permission Contact Read, View All: reads who takes part in a deal, and whether they can be reached",
		"field permissions Handoff_Integration Read and Edit of 8 fields",
		"field permissions Handoff_Integration Read of 43 fields of yours",
		"assignment Handoff_Integration to the integration user",
		"system permission Handoff_Integration Access Activities: reads tasks and events",
		"list view Opportunity.Handoff_Ghost_Or_Incomplete Ghost or incomplete handoffs, for everyone",
	}
	if diff := cmp.Diff(want, what); diff != "" {
		t.Errorf("plan for fields that nobody sees, -want +got:\n%s", diff)
	}
	if missing, err = l.client.Unusable(t.Context()); err != nil || len(missing) > 0 {
		t.Errorf("after setup: %v missing, %v", missing, err)
	}
}

func TestFieldMapping(t *testing.T) {
	demo := deals.Demo()[:1]
	demo[0].Deal.Fields = map[string]string{"champion": "Marcus", "description": "What we sold"}
	l := newLab(t, demo, func(c *salesforce.Config) {
		c.Fields = map[string]string{"use_case": "Description", "competitors": "Account.Name"}
		c.HandoffFields = map[string]string{"score": "CS_Points__c"}
	})
	records, _ := pull(t, l.client, nil)
	want := map[string]string{"champion": "Marcus", "description": "What we sold", "use_case": "What we sold", "competitors": demo[0].Deal.Account}
	if diff := cmp.Diff(want, records[0].Snapshot.Deal.Fields); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	plan, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
	steps := plan.Steps
	if err != nil || steps[0].Target != "Opportunity.CS_Points__c" {
		t.Errorf("plan %+v, %v", steps, err)
	}

	l = newLab(t, demo, func(c *salesforce.Config) { c.Fields = map[string]string{"use_case": "Usecase__c"} })
	if _, _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "no field Usecase__c, which the configuration names for use_case") {
		t.Errorf("a field that does not exist: %v", err)
	}
	l = newLab(t, demo, func(c *salesforce.Config) { c.HandoffFields = map[string]string{"score": "Points"} })
	if _, err := l.client.Plan(t.Context(), connectors.SetupOptions{}); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "Points") {
		t.Errorf("a name that no field can have: %v", err)
	}
}

func TestFilters(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*salesforce.Config)
		keep   func(*crm.Deal) bool
	}{
		{"window", func(c *salesforce.Config) { c.Since = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC) },
			func(d *crm.Deal) bool {
				return d.CloseDate != nil && !d.CloseDate.Time().Before(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC))
			}},
		{"type that no deal has", func(c *salesforce.Config) { c.DealTypes = []string{"renewal"} }, func(*crm.Deal) bool { return false }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo(), tc.change)
			var want, got []string
			for _, c := range deals.Demo() {
				if c.Deal.Won && tc.keep(&c.Deal) {
					want = append(want, c.Deal.Name)
				}
			}
			records, _ := pull(t, l.client, nil)
			for _, r := range records {
				got = append(got, r.Snapshot.Deal.Name)
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNewsAroundDeals: changes of records that a deal only points at, or that point at its records, are its news.
func TestNewsAroundDeals(t *testing.T) {
	var deal connectors.Record
	for _, tc := range []struct {
		name string
		do   func(*lab, *connectortest.Fixture) error
	}{
		{"contact", func(_ *lab, f *connectortest.Fixture) error {
			return f.EditRecord(t, "Contact", deal.Snapshot.Contacts[0].ID, map[string]any{"Phone": "+1 555 0100"})
		}},
		{"account", func(_ *lab, f *connectortest.Fixture) error {
			return f.EditRecord(t, "Account", deal.AccountID, map[string]any{"Name": "Renamed"})
		}},
		{"legacy note", func(l *lab, _ *connectortest.Fixture) error {
			_, err := l.insert(t, "Note", map[string]any{"ParentId": deal.Snapshot.ID, "Title": "Later", "Body": "Text"})
			return err
		}},
		{"event, and who is invited", func(l *lab, _ *connectortest.Fixture) error {
			event, err := l.insert(t, "Event", map[string]any{"WhatId": deal.Snapshot.ID, "Subject": "Kickoff", "Type": "Kickoff",
				"StartDateTime": "2026-12-01T15:00:00Z", "DurationInMinutes": 60})
			if err == nil {
				_, err = l.insert(t, "EventRelation", map[string]any{"EventId": event, "RelationId": deal.Snapshot.Contacts[0].ID})
			}
			return err
		}},
		{"note rewritten", func(l *lab, _ *connectortest.Fixture) error {
			i := slices.IndexFunc(deal.Snapshot.Notes, func(n crm.Note) bool { return strings.HasPrefix(n.ID, "069") })
			_, err := l.insert(t, "ContentVersion", map[string]any{"ContentDocumentId": deal.Snapshot.Notes[i].ID, "PathOnClient": "note.snote", "VersionData": []byte("new")})
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:8])
			records, marks := pull(t, l.client, nil)
			i := slices.IndexFunc(records, func(r connectors.Record) bool {
				return len(r.Snapshot.Contacts) > 0 && slices.ContainsFunc(r.Snapshot.Notes, func(n crm.Note) bool { return strings.HasPrefix(n.ID, "069") })
			})
			deal = records[i]
			l.clock.Advance(time.Hour)
			if err := tc.do(l, l.fixture(t)); err != nil {
				t.Fatal(err)
			}
			changed, _ := pull(t, l.client, marks)
			if len(changed) != 1 || changed[0].Snapshot.ID != deal.Snapshot.ID {
				t.Fatalf("%d deals come", len(changed))
			}
			if changed[0].Snapshot.Hash() == deal.Snapshot.Hash() {
				t.Error("the deal comes unchanged")
			}
		})
	}
}

// TestLateCommit: a row that is stamped before a pull and seen after it is read by the next one.
func TestLateCommit(t *testing.T) {
	l := newLab(t, deals.Demo()[:4], func(c *salesforce.Config) { c.Overlap = time.Minute })
	f := l.fixture(t)
	_, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	records, marks := pull(t, l.client, marks)
	if len(records) > 0 {
		t.Fatalf("%d deals come without news", len(records))
	}
	all, _ := pull(t, l.client, nil)
	if err := f.AddFault(t, connectortest.Fault{Path: `/services/data/v62.0/sobjects/Task`, CommitDelayMS: 1000}); err != nil {
		t.Fatal(err)
	}
	committed := make(chan error)
	go func() { committed <- f.AddTask(all[0].Snapshot.ID, "Late") }()
	l.clock.Advance(time.Second) // the row is saved about now
	_, marks = pull(t, l.client, marks)
	l.clock.Advance(30 * time.Second)
	_, marks = pull(t, l.client, marks)
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	if records, _ = pull(t, l.client, marks); len(records) != 1 {
		t.Errorf("%d deals come, want that of the late row", len(records))
	}
}

// TestLongTransaction: a row that is seen two hours after it was stamped, far behind the overlap, is read by the pull after
// that: Salesforce's own watermark waits for it.
func TestLongTransaction(t *testing.T) {
	clock := connectortest.NewClock()
	l := startLab(t, &lab{clock: clock}, sandbox.Options{Cases: deals.Demo()[:4], Sleep: clock.Sleep})
	f := l.fixture(t)
	all, marks := pull(t, l.client, nil)
	if err := f.AddFault(t, connectortest.Fault{Method: "POST", Path: ".*/sobjects/Task", Times: 1, CommitDelayMS: int((2 * time.Hour).Milliseconds())}); err != nil {
		t.Fatal(err)
	}
	committed := make(chan error, 1)
	go func() { committed <- f.AddTask(all[0].Snapshot.ID, "Late") }()
	clock.AwaitSleepers(1) // stamped
	clock.Advance(time.Hour)
	records, marks := pull(t, l.client, marks)
	if len(records) > 0 {
		t.Fatalf("%d deals come before the row is committed", len(records))
	}
	clock.Advance(time.Hour)
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	if records, _ = pull(t, l.client, marks); len(records) != 1 || records[0].Snapshot.ID != all[0].Snapshot.ID {
		t.Errorf("%d deals come, want that of the late row", len(records))
	}
}

func TestDeletedDealHasLeft(t *testing.T) {
	l := newLab(t, deals.Demo()[:6])
	records, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	id := records[0].Snapshot.ID
	l.remove(t, "Opportunity", id)
	l.clock.Advance(time.Hour)
	var left []string
	err := l.client.Pull(t.Context(), marks, func(b connectors.Batch) error { left = append(left, b.Left...); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0] != id {
		t.Errorf("left %v, want the deleted deal %s", left, id)
	}
}

func TestDeletedChildIsNews(t *testing.T) {
	for _, object := range []string{"OpportunityContactRole", "Task", "Event", "EmailMessage", "Note", "ContentDocument"} {
		t.Run(object, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:2])
			records, marks := pull(t, l.client, nil)
			l.clock.Advance(time.Hour)
			child := l.child(t, object, records[0].Snapshot.ID)
			l.clock.Advance(time.Hour)
			if changed, next := pull(t, l.client, marks); len(changed) != 1 {
				t.Fatalf("%d deals changed when it was created, want 1", len(changed))
			} else {
				marks = next
			}
			l.clock.Advance(time.Hour)
			l.remove(t, object, child)
			l.clock.Advance(time.Hour)
			if changed, _ := pull(t, l.client, marks); len(changed) != 1 {
				t.Errorf("%d deals changed when it was deleted, want 1", len(changed))
			}
		})
	}
}

// child creates a record of a deal and returns the id by which it is deleted.
func (l *lab) child(t *testing.T, object, deal string) string {
	t.Helper()
	now := l.clock.Now().Format(time.RFC3339)
	create := func(object string, fields map[string]any) string {
		t.Helper()
		id, err := l.insert(t, object, fields)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	switch object {
	case "OpportunityContactRole":
		contact := create("Contact", map[string]any{"LastName": "Okafor"})
		return create(object, map[string]any{"OpportunityId": deal, "ContactId": contact, "Role": "Champion"})
	case "ContentDocument":
		note := create("ContentNote", map[string]any{"Title": "Note", "Content": []byte("<p>text</p>")})
		create("ContentDocumentLink", map[string]any{"ContentDocumentId": note, "LinkedEntityId": deal, "ShareType": "V"})
		return note
	case "Task":
		return create(object, map[string]any{"WhatId": deal, "Subject": "Call"})
	case "Event":
		return create(object, map[string]any{"WhatId": deal, "Subject": "Call", "StartDateTime": now, "DurationInMinutes": 30})
	case "EventRelation":
		event := create("Event", map[string]any{"WhatId": deal, "Subject": "Call", "StartDateTime": now, "DurationInMinutes": 30})
		return create(object, map[string]any{"EventId": event, "RelationId": create("Contact", map[string]any{"LastName": "Okafor"})})
	case "EmailMessage":
		return create(object, map[string]any{"RelatedToId": deal, "Subject": "Hello", "Status": "3", "MessageDate": now})
	default:
		return create(object, map[string]any{"ParentId": deal, "Title": "Note", "Body": "text"})
	}
}

// TestAnotherMappingReadsAgain changes what is read: deals that were read before are read again, and no other news is lost.
func TestAnotherMappingReadsAgain(t *testing.T) {
	l := newLab(t, deals.Demo()[:6])
	all, marks := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	_, marks = pull(t, l.client, marks)
	l.clock.Advance(time.Hour)
	if changed, next := pull(t, l.client, marks); len(changed) != 0 {
		t.Fatalf("%d deals read without news", len(changed))
	} else {
		marks = next
	}
	l.clock.Advance(time.Hour)
	lost := all[0].Snapshot.ID
	if err := l.fixture(t).LoseDeal(lost); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(time.Hour)
	other, err := salesforce.New(salesforce.Config{
		URL: l.url, ClientID: "sandbox-client", ClientSecret: "sandbox-secret",
		Since: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Overlap: time.Second, Specs: connectortest.Specs, CaseAsOf: true,
		Fields: map[string]string{"champion": "Business_Problem__c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var changed int
	var left []string
	if err := other.Pull(t.Context(), marks, func(b connectors.Batch) error {
		changed, left = changed+len(b.Records), append(left, b.Left...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if changed != len(all)-1 {
		t.Errorf("%d deals read with another mapping, want the %d that are still won", changed, len(all)-1)
	}
	if len(left) != 1 || left[0] != lost {
		t.Errorf("left %v, want %s", left, lost)
	}
}
