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
	"testing"
	"time"

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
	clock  *connectortest.Clock
	url    string
	token  string // of somebody who adds records by hand
}

func newLab(t *testing.T, cases []*crm.Snapshot, change ...func(*salesforce.Config)) *lab {
	t.Helper()
	l := &lab{clock: connectortest.NewClock()}
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Salesforce: "127.0.0.1:0", HubSpot: "127.0.0.1:0", Cases: cases, Now: l.clock.Now})
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
		Now: l.clock.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	for _, c := range change {
		c(&cfg)
	}
	if l.client, err = salesforce.New(cfg); err != nil {
		t.Fatal(err)
	}
	return l
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
	f.LoseDeal = func(deal string) error {
		return f.EditRecord(t, "Opportunity", deal, map[string]any{"StageName": "Closed Lost"})
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
	if l.token == "" { // insert logs in
		if _, err := l.insert(t, "Task", map[string]any{"Subject": "Of no deal"}); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, l.url+"/services/data/v62.0/sobjects/"+object+"/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE %s: %s", object, resp.Status)
	}
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
