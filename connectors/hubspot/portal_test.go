package hubspot_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	sandbox "handoff/connectors/sandbox/hubspot"
	"handoff/crm"
)

// news is what a pull yielded.
type news struct {
	records []connectors.Record
	left    []string
	marks   crm.Watermarks
}

func tryPull(t *testing.T, c *hubspot.Client, since crm.Watermarks) (news, error) {
	n := news{marks: since}
	err := c.Pull(t.Context(), since, func(b connectors.Batch) error {
		n.records, n.left = append(n.records, b.Records...), append(n.left, b.Left...)
		if b.Watermarks != nil {
			n.marks = connectortest.Save(n.marks, b.Watermarks)
		}
		return nil
	})
	return n, err
}

func pull(t *testing.T, c *hubspot.Client, since crm.Watermarks) news {
	t.Helper()
	n, err := tryPull(t, c, since)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMissingScope: what a scope keeps from us is not read, and told; once the scope is there, it is news.
// https://github.com/airbytehq/airbyte/issues/12484
// https://github.com/singer-io/tap-hubspot/pull/16
func TestMissingScope(t *testing.T) {
	for _, tc := range []struct {
		object string
		part   crm.Part // "": nothing of a score depends on it
	}{
		{"contacts", crm.PartContacts}, {"notes", crm.PartNotes}, {"calls", crm.PartTasks}, {"tasks", crm.PartTasks},
		{"meetings", crm.PartEvents}, {"emails", crm.PartEmails}, {"companies", ""},
	} {
		t.Run(tc.object, func(t *testing.T) {
			var unread []crm.Part
			if tc.part != "" {
				unread = append(unread, tc.part)
			}
			l := newLab(t, deals.Demo()[:4])
			f := l.fixture(t)
			whole := pull(t, l.client, nil)
			refused := connectortest.Fault{Path: `/crm/(objects|properties)/2026-09/` + tc.object + `(/.*)?|/crm/associations/2026-09/.*` + tc.object + `.*`,
				Status: http.StatusForbidden, Code: "MISSING_SCOPES"}
			if err := f.AddFault(t, refused); err != nil {
				t.Fatal(err)
			}
			for _, since := range []crm.Watermarks{nil, whole.marks} {
				l.clock.Advance(time.Minute)
				if since != nil {
					if err := f.Edit(whole.records[0].Snapshot.ID, "score", "1"); err == nil {
						t.Fatal("a property that was not set up can be edited")
					}
					if err := f.EditRecord(t, "deals", whole.records[0].Snapshot.ID, map[string]any{"description": "news"}); err != nil {
						t.Fatal(err)
					}
				}
				n := pull(t, l.client, since)
				if len(n.records) == 0 {
					t.Fatal("no deals")
				}
				for _, r := range n.records {
					if !slices.Equal(r.Snapshot.Unread, unread) {
						t.Errorf("unread: %v, want %v", r.Snapshot.Unread, unread)
					}
				}
				if !n.marks[tc.object].Time.IsZero() {
					t.Errorf("a watermark of what was not read: %v", n.marks)
				}
				if _, ok := n.marks["deals"]; !ok {
					t.Errorf("no watermark of deals: %v", n.marks)
				}
			}
		})
	}
}

func TestMissingScopeOfDeals(t *testing.T) {
	l := newLab(t, deals.Demo()[:1], func(c *hubspot.Config) { c.Token = sandbox.TokenNoScope })
	_, err := tryPull(t, l.client, nil)
	if !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), ": crm.objects.deals.read") || !strings.Contains(err.Error(), "Development > Keys > Service keys") {
		t.Errorf("got %v", err)
	}
	l = newLab(t, deals.Demo()[:1], func(c *hubspot.Config) { c.Token = "wrong-token" })
	if _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || strings.Contains(err.Error(), "wrong-token") {
		t.Errorf("wrong token: %v", err)
	}
}

// TestOwnersHidden: without their scope nobody has a name, and that is told.
func TestOwnersHidden(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	if err := l.fixture(t).AddFault(t, connectortest.Fault{Path: `/crm/owners/2026-09`, Status: http.StatusForbidden, Code: "MISSING_SCOPES"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range pull(t, l.client, nil).records {
		if o := r.Snapshot.Deal.Owner; o == nil || o.ID == "" || o.Name != "" || !slices.Equal(r.Snapshot.Unread, []crm.Part{crm.PartFields}) {
			t.Errorf("owner %+v, unread %v", o, r.Snapshot.Unread)
		}
	}
}

func TestFilters(t *testing.T) {
	since := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	cases := deals.Demo()
	count := func(is func(crm.Deal) bool) (n int) {
		for _, c := range cases {
			if c.Deal.Won && is(c.Deal) {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		name   string
		change func(*hubspot.Config)
		want   int
	}{
		{"deal type by value", func(c *hubspot.Config) { c.DealTypes = []string{"existingbusiness"} }, 0},
		{"deal type by label", func(c *hubspot.Config) { c.DealTypes = []string{"NewBusiness"} }, count(func(crm.Deal) bool { return true })},
		{"pipeline without deals", func(c *hubspot.Config) { c.Pipelines = []string{"sales pipeline"} }, 0},
		{"first window", func(c *hubspot.Config) { c.Since = since }, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, cases, tc.change)
			n := pull(t, l.client, nil)
			if tc.want >= 0 && len(n.records) != tc.want {
				t.Errorf("%d deals, want %d", len(n.records), tc.want)
			}
			for _, r := range n.records {
				if d := r.Snapshot.Deal; tc.want < 0 && d.CloseDate != nil && d.CloseDate.Time().Before(since) {
					t.Errorf("%s was closed on %s", d.Name, d.CloseDate)
				}
			}
			if tc.want < 0 && (len(n.records) == 0 || len(n.records) == count(func(crm.Deal) bool { return true })) {
				t.Errorf("%d deals: the window does nothing", len(n.records))
			}
		})
	}
	l := newLab(t, cases[:1], func(c *hubspot.Config) { c.Pipelines = []string{"Renewals"} })
	if _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "New business") {
		t.Errorf("unknown pipeline: %v", err)
	}
	l = newLab(t, cases[:1], func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "no_such"} })
	if _, err := tryPull(t, l.client, nil); !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "no_such") {
		t.Errorf("unknown property: %v", err)
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
	n := pull(t, l.client, nil)
	if len(n.records[0].Values) != 0 {
		t.Errorf("values of properties that do not exist: %v", n.records[0].Values)
	}
	outcomes, err := l.client.Write(t.Context(), []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: n.records[0].Snapshot.ID}, Values: crm.Values{"score": "1"}}})
	if err != nil || outcomes[0].Err == nil || !errors.Is(outcomes[0].Err, connectors.ErrConfig) || !strings.Contains(outcomes[0].Err.Error(), "handoff setup") {
		t.Errorf("written all the same: %+v, %v", outcomes, err)
	}
	setUp(t, l)
	if missing, err = l.client.Unusable(t.Context()); err != nil || len(missing) != 0 {
		t.Errorf("after setup: %v, %v", missing, err)
	}
	const scope = "crm.objects.companies.read"
	l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": scope})
	pull(t, l.client, nil)
	missing, err = l.client.Unusable(t.Context())
	if err != nil || len(missing) != 1 || missing[0].Place != "companies.handoff_health" || !strings.Contains(missing[0].Remedy, scope) {
		t.Errorf("without %s: %v, %v", scope, missing, err)
	}
}

func setUp(t *testing.T, l *lab) []connectors.Step {
	t.Helper()
	plan, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
	steps := plan.Steps
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if err := l.client.Apply(t.Context(), s); err != nil {
			t.Fatalf("%s %s: %v", s.What, s.Target, err)
		}
	}
	return steps
}

func TestPlan(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	var got []string
	for _, s := range setUp(t, l) {
		got = append(got, strings.Join([]string{s.What, s.Target, s.Detail}, ", "))
	}
	want := []string{
		"property group, deals.handoff, Handoff",
		"property, deals.handoff_score, Number",
		"property, deals.handoff_item_1_1, Number",
		"property, deals.handoff_health, Dropdown select: Green, Yellow, Red",
		"property, deals.handoff_ghost, Single checkbox",
		"property, deals.handoff_gaps, Multi-line text",
		"property, deals.handoff_next_action, Single-line text",
		"property, deals.handoff_scored_at, Date and time picker",
		"property group, companies.handoff, Handoff",
		"property, companies.handoff_health, Dropdown select: Green, Yellow, Red",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	for _, name := range []string{"hs_own", "Handoff_score", "handoff score", "2nd_score", "score'; drop"} {
		l = newLab(t, deals.Demo()[:1], func(c *hubspot.Config) { c.HandoffFields = map[string]string{"score": name} })
		_, err := l.client.Plan(t.Context(), connectors.SetupOptions{})
		if e := (*connectors.Error)(nil); !errors.As(err, &e) || e.Setting != "handoff_fields.score" || !strings.Contains(e.Message, "there is no property "+name+",") {
			t.Errorf("a name that no property is created with, %s: %v", name, err)
		}
	}
}

// TestPeopleInHistory: who changed a stage or one of our properties is told by name.
func TestPeopleInHistory(t *testing.T) {
	l := newLab(t, deals.Demo()[:1])
	setUp(t, l)
	f := l.fixture(t)
	n := pull(t, l.client, nil)
	id := n.records[0].Snapshot.ID
	for _, value := range []string{"1", "2"} {
		l.clock.Advance(time.Minute)
		if err := f.Edit(id, "item_1_1", value); err != nil {
			t.Fatal(err)
		}
	}
	last := l.clock.Now()
	l.clock.Advance(time.Minute)
	if _, err := l.client.Write(t.Context(), []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: id}, Values: crm.Values{"item_1_1": "0"}}}); err != nil {
		t.Fatal(err)
	}
	r := pull(t, l.client, n.marks).records[0]
	want := []connectors.FieldEdit{
		{Field: "item_1_1", Value: "1", By: "Casey CSM", At: last.Add(-time.Minute)},
		{Field: "item_1_1", Value: "2", By: "Casey CSM", At: last},
	}
	if diff := cmp.Diff(want, r.Edits); diff != "" {
		t.Errorf("edits, -want +got:\n%s", diff)
	}
	if r.ModifiedBy != "Casey CSM" || !r.ModifiedAt.Equal(last) {
		t.Errorf("modified by %q at %v", r.ModifiedBy, r.ModifiedAt)
	}
	history := r.Snapshot.History
	if len(history) == 0 {
		t.Fatal("no history")
	}
	if c := history[len(history)-1]; c.Field != "stage" || c.From != "Contract review" || c.To != "Closed Won" || c.By != "Dana Ruiz" || c.At == nil {
		t.Errorf("the last change of stage is %+v", c)
	}
}

// TestFilteredOut: a deal that the filters do not pass any more has left, and is read from the beginning when they pass it again.
func TestFilteredOut(t *testing.T) {
	l := newLab(t, deals.Demo()[:4], func(c *hubspot.Config) { c.DealTypes = []string{"newbusiness"} })
	setUp(t, l)
	n := l.memory.save(pull(t, l.client, nil))
	id := withNote(t, l)
	note := l.ids(t, id, "notes")[0]
	l.clock.Advance(time.Hour)
	l.patch(t, "deals", id, map[string]string{"dealtype": "existingbusiness"})
	l.clock.Advance(time.Minute)
	if n = pull(t, l.client, n.marks); !slices.Equal(n.left, []string{id}) || len(n.records) != 0 {
		t.Fatalf("left %v, %d deals", n.left, len(n.records))
	}
	delete(l.memory.snapshots, id) // as a run does
	l.clock.Advance(time.Hour)
	l.patch(t, "notes", note, map[string]string{"hs_note_body": "<p>They go live on 9 November.</p>"})
	l.clock.Advance(time.Minute)
	n = pull(t, l.client, n.marks)
	l.clock.Advance(time.Hour)
	l.patch(t, "deals", id, map[string]string{"dealtype": "newbusiness"})
	l.clock.Advance(time.Minute)
	n = pull(t, l.client, n.marks)
	if len(n.records) != 1 || !slices.ContainsFunc(n.records[0].Snapshot.Notes, func(x crm.Note) bool { return strings.Contains(x.Body, "9 November") }) {
		t.Errorf("%d deals come back: %+v", len(n.records), n.records)
	}
}
