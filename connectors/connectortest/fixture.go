// Package connectortest holds the suite that every connector passes unchanged, over real HTTP against its CRM in the
// sandbox.
package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"handoff/connectors"
	"handoff/crm"
)

// Specs are the fields that the suite sets up and writes: one of each type, and one on the account.
var Specs = []crm.FieldSpec{
	{Object: crm.DealObject, Name: "score", Label: "Handoff Score", Type: crm.Number, Help: "Points in all"},
	{Object: crm.DealObject, Name: "item_1_1", Label: "1.1 Use case", Type: crm.Number},
	{Object: crm.DealObject, Name: "health", Label: "Handoff Health", Type: crm.Picklist, Options: []string{"Green", "Yellow", "Red"}},
	{Object: crm.DealObject, Name: "ghost", Label: "Ghost Handoff", Type: crm.Checkbox},
	{Object: crm.DealObject, Name: "gaps", Label: "Handoff Gaps", Type: crm.LongText, Length: 32768},
	{Object: crm.DealObject, Name: "next_action", Label: "Handoff Next Action", Type: crm.Text, Length: 255},
	{Object: crm.DealObject, Name: "scored_at", Label: "Handoff Scored At", Type: crm.DateTime},
	{Object: crm.AccountObject, Name: "health", Label: "Handoff Health", Type: crm.Picklist, Options: []string{"Green", "Yellow", "Red"}},
}

// Start returns a connector over a fresh sandbox that holds the cases. The connector knows Specs, takes each deal's own
// as-of time, reads every won deal, overlaps by a second and does not really wait between attempts.
type Start func(t *testing.T, cases []*crm.Snapshot) *Fixture

// Fixture is a connector, its sandbox, and what the suite needs to do there as somebody else.
type Fixture struct {
	Connector connectors.Connector
	Sandbox   string // address of the CRM's listener
	Clock     *Clock // the sandbox's

	// Regular expressions of paths.
	Reads  string
	Writes string
	Logins string // "": the CRM knows no logins, a credential is good or not

	Gone string // a good id of no deal

	// Lose takes from a case what the CRM cannot carry, and adds what it makes up instead, as pulled.
	Lose func(wanted, pulled *crm.Snapshot)

	// Narrow makes the deals of these ids be existing business, and returns the connector with a filter: of the deals only
	// those are its own.
	Narrow func(t *testing.T, deals ...string) connectors.Connector

	// What other people do, each to the deal of that id.
	AddNote    func(deal, body string) error
	AddContact func(deal, lastName, role string) error
	AddTask    func(deal, subject string) error
	AddEmail   func(deal, subject, body string) error
	Edit       func(deal, field, value string) error // one of Specs, by another user
	LoseDeal   func(deal string) error               // it is not Closed Won any more
	RemoveDeal func(deal string) error

	RemoveContact func(contact string) error

	// CreateField makes, in the place of one of Specs, a field of another kind, as an administrator would who lets
	// everyone see it. Nil: that is not tested.
	CreateField func(t *testing.T, spec crm.FieldSpec) error
}

// Fault makes calls go wrong: the JSON form of the sandbox's POST /_sandbox/faults.
type Fault struct {
	Method        string `json:"method,omitempty"`
	Path          string `json:"path,omitempty"`
	After         int    `json:"after,omitempty"`
	Times         int    `json:"times,omitempty"`
	Status        int    `json:"status,omitempty"`
	Code          string `json:"code,omitempty"`
	Body          any    `json:"body,omitempty"`
	ContentType   string `json:"content_type,omitempty"`
	DelayMS       int    `json:"delay_ms,omitempty"`
	CommitDelayMS int    `json:"commit_delay_ms,omitempty"`
	Truncate      bool   `json:"truncate,omitempty"`
	Reset         bool   `json:"reset,omitempty"`
}

// AddFault makes calls go wrong from now on.
func (f *Fixture) AddFault(t *testing.T, fault Fault) error {
	_, err := f.send(t, http.MethodPost, "/_sandbox/faults", fault)
	return err
}

func (f *Fixture) fault(t *testing.T, fault Fault) {
	t.Helper()
	if err := f.AddFault(t, fault); err != nil {
		t.Fatal(err)
	}
}

// Heal ends all faults.
func (f *Fixture) Heal(t *testing.T) {
	t.Helper()
	f.control(t, http.MethodDelete, "/_sandbox/faults", nil)
}

// Refusal makes the CRM refuse changes of one record: the JSON form of the sandbox's POST /_sandbox/refusals.
type Refusal struct {
	ID      string   `json:"id"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
	Times   int      `json:"times"`
}

// Refuse makes the CRM refuse changes of a record from now on.
func (f *Fixture) Refuse(t *testing.T, r Refusal) {
	t.Helper()
	f.control(t, http.MethodPost, "/_sandbox/refusals", r)
}

// Accept ends all refusals.
func (f *Fixture) Accept(t *testing.T) {
	t.Helper()
	f.control(t, http.MethodDelete, "/_sandbox/refusals", nil)
}

// requests counts the calls that reached the CRM since it started, by route.
func (f *Fixture) requests(t *testing.T) map[string]int {
	t.Helper()
	var counts struct {
		ByRoute map[string]int `json:"by_route"`
	}
	if err := json.Unmarshal(f.control(t, http.MethodGet, "/_sandbox/requests", nil), &counts); err != nil {
		t.Fatalf("read request counts: %v", err)
	}
	return counts.ByRoute
}

func (f *Fixture) control(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	answer, err := f.send(t, method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (f *Fixture) send(t *testing.T, method, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(t.Context(), method, f.Sandbox+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
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

// EditRecord changes fields of a record of the sandbox as another user would. Fixtures build their hooks on it.
func (f *Fixture) EditRecord(t *testing.T, object, id string, fields map[string]any) error {
	_, err := f.send(t, http.MethodPatch, "/_sandbox/records/"+object+"/"+id, fields)
	return err
}
