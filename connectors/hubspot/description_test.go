package hubspot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// memory is a connectors.Memory that a test can look into.
type memory struct {
	data      []byte
	snapshots map[string]*crm.Snapshot
}

var _ connectors.Memory = (*memory)(nil)

func (m *memory) Recall(context.Context) ([]byte, error) { return m.data, nil }

func (m *memory) Remember(_ context.Context, data []byte) error {
	m.data = data
	return nil
}

func (m *memory) Snapshots(context.Context, []string) (map[string]*crm.Snapshot, error) {
	return m.snapshots, nil
}

// describes is one of the calls that describe a portal.
const describes = "GET /crm/pipelines/…/deals"

// TestDescription: what a portal says of itself is read once a day, by whatever process, and at once where it is contradicted.
func TestDescription(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(t *testing.T, l *lab)              // the first pull
		change func(t *testing.T, l *lab, deal string) // between the two
		with   func(*hubspot.Config)
		want   int // how often it is read
	}{
		{name: "nothing"},
		{name: "almost a day later", change: func(_ *testing.T, l *lab, _ string) { l.clock.Advance(23*time.Hour - time.Minute) }},
		{name: "a day later", change: func(_ *testing.T, l *lab, _ string) { l.clock.Advance(23 * time.Hour) }, want: 1},
		{name: "another mapping", with: func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "metrics"} }},
		{name: "a mapping of what is new", change: func(t *testing.T, l *lab, _ string) {
			if err := l.createProperty(t, crm.FieldSpec{Name: "own", Label: "Own", Type: crm.Text}); err != nil {
				t.Fatal(err)
			}
		}, with: func(c *hubspot.Config) { c.Fields = map[string]string{"use_case": "handoff_own"} }, want: 1},
		{name: "another version", with: func(c *hubspot.Config) { c.APIVersion = "2026-03" }, want: 1},
		{name: "a scope was missing", before: func(t *testing.T, l *lab) {
			l.must(t, http.MethodPost, "/_sandbox/revoked", map[string]string{"permission": "crm.objects.owners.read"})
		}, want: 1},
		{name: "garbled memory", change: func(_ *testing.T, l *lab, _ string) { l.memory.data = []byte("{") }, want: 1},
		{name: "news", change: func(t *testing.T, l *lab, deal string) {
			l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+deal, map[string]any{"description": "news"})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:4])
			setUp(t, l)
			if tc.before != nil {
				tc.before(t, l)
			}
			n := pull(t, l.client, nil)
			l.clock.Advance(time.Hour)
			if tc.change != nil {
				tc.change(t, l, n.records[0].Snapshot.ID)
			}
			if tc.with == nil {
				tc.with = func(*hubspot.Config) {}
			}
			c := l.again(t, tc.with) // in another process
			l.requests(t)
			n = pull(t, c, n.marks)
			if got := l.requests(t)[describes]; got != tc.want {
				t.Errorf("described %d times, want %d", got, tc.want)
			}
			if _, err := c.Unusable(t.Context()); err != nil {
				t.Fatal(err)
			}
			pull(t, c, n.marks) // brings the same once more
			if got := l.requests(t)[describes]; got != 0 && tc.name != "a scope was missing" {
				t.Errorf("described again: %d", got)
			}
		})
	}
}

// TestNewOwner: who has come to the portal since it was described is named all the same.
func TestNewOwner(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	setUp(t, l)
	answer, err := l.call(t, http.MethodGet, "/crm/owners/2026-09", nil)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Results []map[string]any `json:"results"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		t.Fatal(err)
	}
	isCasey := func(o map[string]any) bool { return o["firstName"] == "Casey" }
	casey := list.Results[slices.IndexFunc(list.Results, isCasey)]["id"]
	list.Results = slices.DeleteFunc(list.Results, isCasey)
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/crm/owners/2026-09", "times": 2, "body": list})
	n := pull(t, l.client, nil)
	id := n.records[0].Snapshot.ID
	for i, want := range []int{1, 0} {
		l.clock.Advance(time.Hour)
		l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+id, map[string]any{"hubspot_owner_id": casey, "description": strconv.Itoa(i)})
		l.requests(t)
		n = pull(t, l.client, n.marks)
		if got := l.requests(t)[describes]; len(n.records) != 1 || n.records[0].Snapshot.Deal.Owner.Name != "Casey CSM" || got != want {
			t.Errorf("pull %d: described %d times, %+v", i, got, n.records)
		}
	}
}

// TestUnlisted: an owner who is in no list is asked for once a day, and not with each deal.
func TestUnlisted(t *testing.T) {
	l := newLab(t, deals.Demo()[:2])
	setUp(t, l)
	l.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/crm/owners/2026-09", "body": map[string]any{"results": []any{}}})
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+n.records[0].Snapshot.ID, map[string]any{"description": "news"})
	l.requests(t)
	if n = pull(t, l.client, n.marks); len(n.records) != 1 || l.requests(t)[describes] != 0 {
		t.Errorf("%d deals", len(n.records))
	}
}

// TestPropertyGone: a property that does not exist any more is no value that somebody cleared.
func TestPropertyGone(t *testing.T) {
	for _, tc := range []struct {
		name string
		read func(t *testing.T, l *lab, marks crm.Watermarks, deal string) crm.Values
	}{
		{"news", func(t *testing.T, l *lab, marks crm.Watermarks, deal string) crm.Values {
			l.must(t, http.MethodPatch, "/_sandbox/records/deals/"+deal, map[string]any{"description": "news"})
			return pull(t, l.client, marks).records[0].Values
		}},
		{"our values", func(t *testing.T, l *lab, _ crm.Watermarks, deal string) crm.Values {
			values, err := l.client.ReadValues(t.Context(), crm.DealObject, []string{deal})
			if err != nil {
				t.Fatal(err)
			}
			return values[deal]
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLab(t, deals.Demo()[:4])
			setUp(t, l)
			n := pull(t, l.client, nil)
			id := n.records[0].Snapshot.ID
			l.clock.Advance(time.Hour)
			n = pull(t, l.client, n.marks) // by the description of the pull before
			l.must(t, http.MethodDelete, "/crm/properties/2026-09/deals/handoff_score", nil)
			l.requests(t)
			values := tc.read(t, l, n.marks, id)
			if _, there := values["score"]; there || len(values) == 0 {
				t.Errorf("values: %v", values)
			}
			if got := l.requests(t)[describes]; got != 1 {
				t.Errorf("described %d times", got)
			}
		})
	}
}

// TestRefusedWrite: a write that HubSpot refuses for what the property is now is checked against it, and the others are written.
func TestRefusedWrite(t *testing.T) {
	l := newLab(t, deals.Demo()[:4])
	setUp(t, l)
	n := pull(t, l.client, nil)
	l.clock.Advance(time.Hour)
	pull(t, l.client, n.marks) // by the description of the pull before
	l.must(t, http.MethodDelete, "/crm/properties/2026-09/deals/handoff_score", nil)
	var updates []crm.Update
	for i, r := range n.records {
		updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: r.Snapshot.ID}, Values: crm.Values{"gaps": "Who signs?"}})
		if i == 0 {
			updates[i].Values = crm.Values{"score": "1"}
		}
	}
	l.requests(t)
	outcomes, err := l.client.Write(t.Context(), updates)
	if err != nil || len(outcomes) != len(updates) {
		t.Fatalf("%d outcomes, %v", len(outcomes), err)
	}
	for i, o := range outcomes {
		if refused := o.Err != nil && errors.Is(o.Err, connectors.ErrConfig) && o.Err.Setting == "handoff_fields.score"; refused != (i == 0) {
			t.Errorf("outcome %d: %v", i, o.Err)
		}
	}
	if got := l.requests(t); got[describes] != 1 || got["POST /crm/objects/…/deals/batch/update"] != 2 {
		t.Errorf("calls: %v", got)
	}
}

// TestAnotherPortal: the watermarks of one portal mean nothing in another; a new token for the same one changes nothing.
func TestAnotherPortal(t *testing.T) {
	for _, tc := range []struct {
		name, portal string
		want         int
	}{
		{"the same portal", `{"portalId":48120917}`, 0},
		{"another portal", `{"portalId":48120918}`, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, second := newLab(t, deals.Demo()[:4]), newLab(t, deals.Demo()[:4])
			for _, l := range []*lab{first, second} {
				setUp(t, l)
			}
			n := pull(t, first.client, nil)
			second.must(t, http.MethodPost, "/_sandbox/faults", map[string]any{"path": "/account-info/.*", "body": json.RawMessage(tc.portal)})
			second.clock.Advance(time.Hour)
			second.memory.data = first.memory.data
			if n = pull(t, second.client, n.marks); len(n.records) != tc.want {
				t.Errorf("%d deals, want %d", len(n.records), tc.want)
			}
			second.clock.Advance(time.Hour)
			if n = pull(t, second.client, n.marks); len(n.records) != 0 {
				t.Errorf("%d deals come again", len(n.records))
			}
		})
	}
}

// TestPortalNotTold: a portal that does not tell its id is read all the same, and is the one that it was.
func TestPortalNotTold(t *testing.T) {
	for name, fault := range map[string]connectortest.Fault{
		"it fails": {Status: http.StatusInternalServerError}, "it does not exist": {Status: http.StatusNotFound},
		"a scope is missing": {Status: http.StatusForbidden, Code: "MISSING_SCOPES"}, "half an answer": {Truncate: true},
	} {
		fault.Path = "/account-info/.*"
		for _, told := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, told before: %v", name, told), func(t *testing.T) {
				l := newLab(t, deals.Demo()[:4])
				setUp(t, l)
				hide := func() {
					if err := l.fixture(t).AddFault(t, fault); err != nil {
						t.Fatal(err)
					}
				}
				if !told {
					hide()
				}
				n := pull(t, l.client, nil)
				if len(n.records) != 4 {
					t.Errorf("%d deals come, want 4", len(n.records))
				}
				if told {
					hide()
				}
				l.clock.Advance(25 * time.Hour)
				if n = pull(t, l.again(t, func(*hubspot.Config) {}), n.marks); len(n.records) > 0 {
					t.Errorf("a day later %d deals come again", len(n.records))
				}
			})
		}
	}
}
