package hubspot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/hubspot"
	"handoff/connectors/sandbox/control"
	sandbox "handoff/connectors/sandbox/hubspot"
	"handoff/crm"
)

func TestConnector(t *testing.T) {
	connectortest.Run(t, func(t *testing.T, cases []*crm.Snapshot) *connectortest.Fixture { return newLab(t, cases).fixture(t) })
}

// lab is a sandbox with a client on it. To wait moves its clock, so that limits of calls are kept without waiting.
type lab struct {
	client *hubspot.Client
	clock  *connectortest.Clock
	memory *memory
	url    string
	cfg    hubspot.Config
}

func newLab(t *testing.T, cases []*crm.Snapshot, change ...func(*hubspot.Config)) *lab {
	t.Helper()
	l := &lab{clock: connectortest.NewClock(), memory: &memory{}}
	portal, err := sandbox.New(l.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := portal.Load(t.Context(), cases); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(control.New(portal.Control(), control.Options{}))
	t.Cleanup(func() {
		server.CloseClientConnections() // a test may have left a call that takes a minute
		server.Close()
		if err := portal.Close(); err != nil {
			t.Errorf("close the sandbox: %v", err)
		}
	})
	l.url = server.URL
	cfg := hubspot.Config{
		URL: l.url, Token: sandbox.Token,
		Since: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Overlap: time.Second, Specs: connectortest.Specs, CaseAsOf: true, Memory: l.memory,
		Now: l.clock.Now, Log: slog.New(slog.DiscardHandler),
		Sleep: func(ctx context.Context, d time.Duration) error {
			l.clock.Advance(d)
			return ctx.Err()
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	if l.client, err = hubspot.New(cfg); err != nil {
		t.Fatal(err)
	}
	l.cfg = cfg
	return l
}

// again returns a client on the same sandbox, with another configuration.
func (l *lab) again(t *testing.T, change func(*hubspot.Config)) *hubspot.Client {
	t.Helper()
	cfg := l.cfg
	change(&cfg)
	c, err := hubspot.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lab) fixture(t *testing.T) *connectortest.Fixture {
	f := &connectortest.Fixture{
		Connector: l.client, Sandbox: l.url, Clock: l.clock,
		Reads:  `/crm/(objects/2026-09/[a-z]+(/search|/batch/read)?|(associations|owners|pipelines|properties)/.*)`,
		Writes: `/crm/objects/2026-09/[a-z]+/batch/update`,
		Gone:   "39999999999",
		Lose:   loseWhatHubSpotLoses,
	}
	f.Narrow = func(t *testing.T, deals ...string) connectors.Connector {
		for _, deal := range deals {
			if err := f.EditRecord(t, "deals", deal, map[string]any{"dealtype": "existingbusiness"}); err != nil {
				t.Fatal(err)
			}
		}
		return l.again(t, func(c *hubspot.Config) { c.DealTypes = []string{"existingbusiness"} })
	}
	f.AddNote = func(deal, body string) error {
		return l.engage(t, deal, "notes", 214, map[string]string{"hs_note_body": "<p>" + body + "</p>"})
	}
	f.AddTask = func(deal, subject string) error {
		return l.engage(t, deal, "tasks", 216, map[string]string{"hs_task_subject": subject})
	}
	f.AddEmail = func(deal, subject, body string) error {
		return l.engage(t, deal, "emails", 210, map[string]string{"hs_email_subject": subject, "hs_email_text": body})
	}
	f.AddContact = func(deal, lastName, role string) error {
		label, err := l.label(t, role)
		if err != nil {
			return err
		}
		types := []associationType{{"HUBSPOT_DEFINED", 4}, {"USER_DEFINED", label}}
		return l.create(t, deal, "contacts", map[string]string{"lastname": lastName}, types)
	}
	f.Edit = func(deal, field, value string) error {
		return f.EditRecord(t, "deals", deal, map[string]any{"handoff_" + field: value})
	}
	f.LoseDeal = func(deal string) error {
		return f.EditRecord(t, "deals", deal, map[string]any{"dealstage": "closedlost", "pipeline": "default"})
	}
	f.RemoveDeal = func(deal string) error { return l.remove(t, "deals", deal) }
	f.RemoveContact = func(contact string) error { return l.remove(t, "contacts", contact) }
	f.CreateField = l.createProperty
	return f
}

// remove archives a record.
func (l *lab) remove(t *testing.T, object, id string) error {
	_, err := l.call(t, http.MethodDelete, "/crm/objects/2026-09/"+object+"/"+id, nil)
	return err
}

// createProperty makes a property of a deal as an administrator does.
func (l *lab) createProperty(t *testing.T, spec crm.FieldSpec) error {
	form := map[crm.FieldType][2]string{crm.Number: {"number", "number"}, crm.Text: {"string", "text"}, crm.Picklist: {"enumeration", "select"}}[spec.Type]
	body := map[string]any{"name": "handoff_" + spec.Name, "label": spec.Label, "groupName": "dealinformation", "type": form[0], "fieldType": form[1]}
	var options []any
	for i, o := range spec.Options {
		options = append(options, map[string]any{"label": o, "value": o, "displayOrder": i, "hidden": false})
	}
	if options != nil {
		body["options"] = options
	}
	_, err := l.call(t, http.MethodPost, "/crm/properties/2026-09/deals", body)
	return err
}

// loseWhatHubSpotLoses: the first line of a note is its title where it is bold. Neither the labels of an association nor the
// people of a meeting have an order.
func loseWhatHubSpotLoses(wanted, pulled *crm.Snapshot) {
	for i := range wanted.Notes {
		w := &wanted.Notes[i]
		for _, p := range pulled.Notes {
			if w.Title == "" && p.Title != "" && strings.HasSuffix(w.Body, "<strong>"+p.Title+"</strong></p>"+p.Body) {
				w.Title, w.Body = p.Title, p.Body
			}
		}
	}
	for _, s := range []*crm.Snapshot{wanted, pulled} {
		for i := range s.Contacts {
			slices.Sort(s.Contacts[i].Roles)
		}
		for i := range s.Activities {
			slices.Sort(s.Activities[i].To)
		}
	}
}

func (l *lab) engage(t *testing.T, deal, object string, kind int, properties map[string]string) error {
	properties["hs_timestamp"] = l.clock.Now().Format(time.RFC3339)
	return l.create(t, deal, object, properties, []associationType{{"HUBSPOT_DEFINED", kind}})
}

type associationType struct {
	Category string `json:"associationCategory"`
	TypeID   int    `json:"associationTypeId"`
}

// create adds a record to a deal.
func (l *lab) create(t *testing.T, deal, object string, properties map[string]string, types []associationType) error {
	association := map[string]any{"to": map[string]string{"id": deal}, "types": types}
	_, err := l.call(t, http.MethodPost, "/crm/objects/2026-09/"+object, map[string]any{"properties": properties, "associations": []any{association}})
	return err
}

// label returns the type by which a contact has a role on a deal.
func (l *lab) label(t *testing.T, role string) (int, error) {
	answer, err := l.call(t, http.MethodGet, "/crm/associations/2026-09/contacts/deals/labels", nil)
	if err != nil {
		return 0, err
	}
	var labels struct {
		Results []struct {
			TypeID int    `json:"typeId"`
			Label  string `json:"label"`
		} `json:"results"`
	}
	if err := json.Unmarshal(answer, &labels); err != nil {
		return 0, err
	}
	for _, label := range labels.Results {
		if label.Label == role {
			return label.TypeID, nil
		}
	}
	return 0, fmt.Errorf("no contact is %q on any deal", role)
}

// requests counts the calls since the last time it was asked, by route.
func (l *lab) requests(t *testing.T) map[string]int {
	t.Helper()
	answer, err := l.call(t, http.MethodGet, "/_sandbox/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	if err := json.Unmarshal(answer, &counts); err != nil {
		t.Fatal(err)
	}
	l.must(t, http.MethodDelete, "/_sandbox/requests", nil)
	return counts.ByRoute
}

func (l *lab) call(t *testing.T, method, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: HTTP %d: %s", method, path, resp.StatusCode, answer)
	}
	return answer, err
}
