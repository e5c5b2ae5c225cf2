package salesforce_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox"
	"handoff/crm"
)

func TestConnector(t *testing.T) {
	connectortest.Run(t, func(t *testing.T, cases []*crm.Snapshot) *connectortest.Fixture { return newLab(t, cases).fixture(t) })
}

// lab is a sandbox with a client on it.
type lab struct {
	client *salesforce.Client
	cfg    salesforce.Config
	clock  *connectortest.Clock
	url    string
	token  string // of somebody who adds records by hand
}

func newLab(t *testing.T, cases []*crm.Snapshot, change ...func(*salesforce.Config)) *lab {
	t.Helper()
	return startLab(t, &lab{clock: connectortest.NewClock()}, sandbox.Options{Cases: cases}, change...)
}

// startLab starts the sandbox of a lab, by the lab's clock.
func startLab(t *testing.T, l *lab, opts sandbox.Options, change ...func(*salesforce.Config)) *lab {
	t.Helper()
	opts.Salesforce, opts.HubSpot, opts.Now = "127.0.0.1:0", "127.0.0.1:0", l.clock.Now
	sb, err := sandbox.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := sb.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) { // connections without a request
			t.Errorf("close the sandbox: %v", err)
		}
	})
	l.url = sb.SalesforceURL()
	cfg := salesforce.Config{
		URL: l.url, ClientID: "sandbox-client", ClientSecret: "sandbox-secret",
		Since: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Overlap: time.Second, Specs: connectortest.Specs, CaseAsOf: true,
		Spool: filepath.Join(t.TempDir(), "acme.spool"), Now: l.clock.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	for _, c := range change {
		c(&cfg)
	}
	l.cfg, l.client = cfg, newClient(t, cfg)
	return l
}

func newClient(t *testing.T, cfg salesforce.Config) *salesforce.Client {
	t.Helper()
	c, err := salesforce.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// apply carries out a plan.
func apply(t *testing.T, c *salesforce.Client, plan connectors.Plan, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Steps {
		if err := c.Apply(t.Context(), s); err != nil {
			t.Fatalf("%s %s: %v", s.What, s.Target, err)
		}
	}
}

// setup makes the fields of specs, on the named layouts, as an administrator would.
func (l *lab) setup(t *testing.T, specs []crm.FieldSpec, layouts ...string) {
	t.Helper()
	cfg := l.cfg
	cfg.Specs = specs
	c := newClient(t, cfg)
	plan, err := c.Plan(t.Context(), connectors.SetupOptions{Layouts: layouts})
	apply(t, c, plan, err)
}

func (l *lab) fixture(t *testing.T) *connectortest.Fixture {
	f := &connectortest.Fixture{
		Connector: l.client, Sandbox: l.url, Clock: l.clock,
		Reads:  `/services/data/v[0-9.]+/(composite|query.*|sobjects/ContentVersion/.*)`,
		Writes: `/services/data/v[0-9.]+/composite/sobjects`,
		Logins: `/services/oauth2/token`,
		Gone:   "006000000000001AAA",
		Lose:   loseWhatSalesforceLoses,
	}
	f.Narrow = func(t *testing.T, deals ...string) connectors.Connector {
		for _, deal := range deals {
			if err := f.EditRecord(t, "Opportunity", deal, map[string]any{"Type": "Existing Business"}); err != nil {
				t.Fatal(err)
			}
		}
		cfg := l.cfg
		cfg.DealTypes = []string{"Existing Business"}
		return newClient(t, cfg)
	}
	f.AddNote = func(deal, body string) error {
		document, err := l.insert(t, "ContentNote", map[string]any{"Title": "Note", "Content": []byte("<p>" + body + "</p>")})
		if err == nil {
			_, err = l.insert(t, "ContentDocumentLink", map[string]any{"ContentDocumentId": document, "LinkedEntityId": deal, "ShareType": "V"})
		}
		return err
	}
	f.AddContact = func(deal, lastName, role string) error {
		contact, err := l.insert(t, "Contact", map[string]any{"LastName": lastName})
		if err == nil {
			_, err = l.insert(t, "OpportunityContactRole", map[string]any{"OpportunityId": deal, "ContactId": contact, "Role": role})
		}
		return err
	}
	f.AddTask = func(deal, subject string) error {
		_, err := l.insert(t, "Task", map[string]any{"WhatId": deal, "Subject": subject})
		return err
	}
	f.AddEmail = func(deal, subject, body string) error {
		_, err := l.insert(t, "EmailMessage", map[string]any{"RelatedToId": deal, "Subject": subject, "TextBody": body, "Status": "3",
			"MessageDate": l.clock.Now().Format(time.RFC3339)})
		return err
	}
	f.Edit = func(deal, field, value string) error {
		names := map[string]string{"item_1_1": "Handoff_Item_1_1__c", "score": "Handoff_Score__c"}
		return f.EditRecord(t, "Opportunity", deal, map[string]any{names[field]: json.Number(value)})
	}
	f.CreateField = func(t *testing.T, spec crm.FieldSpec) error {
		l.setup(t, []crm.FieldSpec{spec})
		return nil
	}
	f.LoseDeal = func(deal string) error {
		return f.EditRecord(t, "Opportunity", deal, map[string]any{"StageName": "Closed Lost"})
	}
	f.RemoveDeal = func(deal string) error {
		l.remove(t, "Opportunity", deal)
		return nil
	}
	f.RemoveContact = func(contact string) error {
		l.remove(t, "Contact", contact)
		return nil
	}
	return f
}

// loseWhatSalesforceLoses: an Opportunity has a close date, and tasks and calls name nobody whom they are with.
func loseWhatSalesforceLoses(wanted, pulled *crm.Snapshot) {
	if wanted.Deal.CloseDate == nil {
		wanted.Deal.CloseDate = pulled.Deal.CloseDate
	}
	for i := range wanted.Activities {
		if a := &wanted.Activities[i]; a.Kind == crm.Task || a.Kind == crm.Call {
			a.To = nil
		}
	}
}

// insert adds a record as the integration user.
func (l *lab) insert(t *testing.T, object string, fields map[string]any) (string, error) {
	if l.token == "" {
		var token struct {
			AccessToken string `json:"access_token"`
		}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"}}
		if err := l.post(t, "/services/oauth2/token", "application/x-www-form-urlencoded", []byte(form.Encode()), &token); err != nil {
			return "", err
		}
		l.token = token.AccessToken
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"id"`
	}
	err = l.post(t, "/services/data/v62.0/sobjects/"+object, "application/json", body, &made)
	return made.ID, err
}

// remove deletes a record as an administrator would.
func (l *lab) remove(t *testing.T, object, id string) {
	t.Helper()
	l.call(t, http.MethodDelete, "/services/data/v62.0/sobjects/"+object+"/"+id, nil)
}

// ids returns the ids that a query finds.
func (l *lab) ids(t *testing.T, soql string) []string {
	t.Helper()
	var page struct{ Records []struct{ ID string } }
	if err := json.Unmarshal(l.call(t, http.MethodGet, "/services/data/v62.0/query?q="+url.QueryEscape(soql), nil), &page); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range page.Records {
		ids = append(ids, r.ID)
	}
	return ids
}

// call sends a request as the integration user and returns what is answered, which must be a success.
func (l *lab) call(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	if l.token == "" { // insert logs in
		if _, err := l.insert(t, "Task", map[string]any{"Subject": "Of no deal"}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, answer)
	}
	return answer
}

func (l *lab) post(t *testing.T, path, contentType string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+l.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("POST %s: HTTP %d: %s", path, resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, into)
}
