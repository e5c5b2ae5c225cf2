package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"handoff/connectors"
	"handoff/connectors/hubspot"
	"handoff/connectors/salesforce"
	"handoff/connectors/sandbox"
	"handoff/crm"
	"handoff/jobs"
	"handoff/notify"
	"handoff/rules"
	"handoff/scheduler"
	"handoff/store"
)

// This file alone names concrete types: it says what is behind the interfaces that the commands use.

// newEngine returns the engine with the scorecard that is built in.
func newEngine() (*rules.Engine, error) {
	card, err := rules.Builtin()
	if err != nil {
		return nil, fmt.Errorf("load the scorecard: %w", err)
	}
	return rules.NewEngine(card), nil
}

// history is an open store.
type history = store.DB

// historyError is why a store cannot be used.
type historyError = store.Error

// openHistory opens the store. Its error begins with the place in the configuration.
func openHistory(ctx context.Context, url string) (*history, error) {
	db, err := store.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	return db, nil
}

// crms are the CRMs that this version knows, by their name in the configuration.
var crms = map[string]struct {
	name      string                                     // as people write it
	account   string                                     // what a customer has there
	login     func(*configReader, *section, *Connection) // reads where the CRM is and how to log in
	loginKeys []string                                   // what it reads beside url
	connect   func(*app, *Connection, []crm.FieldSpec, connectors.Memory) (connectors.Connector, error)
	fields    func() []string // neutral names of the deal fields that a connection can map

	// export returns what setup creates as files for an admin to deploy, by path; nil: this CRM takes none.
	export func(*app, *Connection, []crm.FieldSpec) (map[string][]byte, error)

	example, ownExample string // names of a field in this CRM: one of a sales team, one of ours
	ownSuffix           string // ends the names of custom fields
}{
	"hubspot": {
		name: "HubSpot", account: "HubSpot account",
		login: (*configReader).hubspotLogin, loginKeys: []string{"token", "api_version"},
		connect: (*app).connectHubSpot,
		fields:  func() []string { return slices.Sorted(maps.Keys(hubspot.DefaultFields)) },
		example: "use_case", ownExample: "handoff_score",
	},
	"salesforce": {
		name: "Salesforce", account: "org",
		login:     (*configReader).salesforceLogin,
		loginKeys: []string{"auth", "client_id", "client_secret", "username", "password", "private_key", "api_version"},
		connect:   (*app).connectSalesforce, export: (*app).exportSalesforce,
		fields:  func() []string { return slices.Sorted(maps.Keys(salesforce.DefaultFields)) },
		example: "Use_Case__c", ownExample: "Handoff_Score__c", ownSuffix: "__c",
	},
}

// connect returns the connector of a connection, which holds the given fields of ours; it makes no call yet. Without a
// memory it starts each time anew.
func (a *app) connect(conn *Connection, own []crm.FieldSpec, memory connectors.Memory) (connectors.Connector, error) {
	c, err := crms[conn.CRM].connect(a, conn, own, memory)
	if err != nil {
		return nil, useError{fmt.Errorf("connections.%s: %w", conn.Name, err)}
	}
	return c, nil
}

func (a *app) salesforceConfig(conn *Connection, own []crm.FieldSpec) salesforce.Config {
	return salesforce.Config{
		URL: conn.URL, Auth: conn.Auth, APIVersion: conn.APIVersion,
		ClientID: conn.ClientID, ClientSecret: conn.ClientSecret.Reveal(),
		Username: conn.Username, Password: conn.Password.Reveal(), PrivateKey: conn.PrivateKey.Reveal(),
		Since: conn.Since.From(a.clock()), Pipelines: conn.Pipelines, DealTypes: conn.DealTypes,
		NeedsAmount: conn.MinAmount != nil, Overlap: conn.Overlap, Fields: conn.Fields, Methodology: conn.Methodology, HandoffFields: conn.HandoffFields, Specs: own,
		CaseAsOf: conn.AsOf.Case, Spool: conn.Spool, BulkFrom: a.bulkFrom, BulkRows: a.bulkRows, Patience: a.patience, Now: a.clock, Sleep: a.sleep, Log: a.log,
	}
}

func (a *app) connectSalesforce(conn *Connection, own []crm.FieldSpec, memory connectors.Memory) (connectors.Connector, error) {
	cfg := a.salesforceConfig(conn, own)
	cfg.Memory = memory
	return salesforce.New(cfg)
}

func (a *app) exportSalesforce(conn *Connection, own []crm.FieldSpec) (map[string][]byte, error) {
	return salesforce.Export(a.salesforceConfig(conn, own))
}

// hubspotAccess is how a connection gets into a HubSpot account.
type hubspotAccess struct{ url, token string }

// searchPace returns what paces the searches of a connection, and of those that get in alike.
func (a *app) searchPace(conn *Connection) *rate.Limiter {
	pace, _ := a.searches.LoadOrStore(hubspotAccess{conn.URL, conn.Token.Reveal()}, hubspot.NewSearches())
	return pace.(*rate.Limiter)
}

func (a *app) connectHubSpot(conn *Connection, own []crm.FieldSpec, memory connectors.Memory) (connectors.Connector, error) {
	return hubspot.New(hubspot.Config{
		URL: conn.URL, Token: conn.Token.Reveal(), APIVersion: conn.APIVersion,
		Since: conn.Since.From(a.clock()), Pipelines: conn.Pipelines, DealTypes: conn.DealTypes,
		Overlap: conn.Overlap, Fields: conn.Fields, Methodology: conn.Methodology, HandoffFields: conn.HandoffFields, Specs: own,
		CaseAsOf: conn.AsOf.Case, Memory: memory, Searches: a.searchPace(conn), Patience: a.patience, Now: a.clock, Sleep: a.sleep, Log: a.log,
	})
}

// newNotifiers returns whoever is told of findings; none: nobody.
func newNotifiers(cfg *Config) ([]jobs.Notifier, error) {
	if cfg.Slack == nil {
		return nil, nil
	}
	slack, err := notify.NewSlack(cfg.Slack.Reveal())
	if err != nil {
		return nil, useError{err}
	}
	return []jobs.Notifier{slack}, nil
}

// checkSchedule says what is wrong with a cron line or a time zone, and what would be right.
func checkSchedule(spec, timeZone string) error { return scheduler.Validate(spec, timeZone) }

// next is when a cron line of the connection comes after a moment; zero: never.
func (conn *Connection) next(line string, after time.Time) time.Time {
	return scheduler.Next(line, conn.TimeZone, after)
}

type scheduledJob = scheduler.Job

// schedule runs the jobs at their times until ctx ends, and waits for those that are running then.
func (a *app) schedule(ctx context.Context, list []scheduledJob) error {
	return scheduler.Run(ctx, a.log, list)
}

const (
	defaultSalesforceAddress = sandbox.DefaultSalesforce
	defaultHubSpotAddress    = sandbox.DefaultHubSpot
)

type (
	crmSandbox     = sandbox.Sandbox
	sandboxOptions = sandbox.Options
)

func startSandbox(ctx context.Context, opts sandboxOptions) (*crmSandbox, error) {
	return sandbox.Start(ctx, opts)
}
