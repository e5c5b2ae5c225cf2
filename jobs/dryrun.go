package jobs

import (
	"context"

	"handoff/connectors"
	"handoff/crm"
)

// dryStore reads from a store; of what a run saves it saves nothing.
type dryStore struct{ Store }

func (dryStore) BeginRun(context.Context, Run) (int64, error)                          { return 0, nil }
func (dryStore) EndRun(context.Context, Run) error                                     { return nil }
func (dryStore) SaveWatermarks(context.Context, string, crm.Watermarks) error          { return nil }
func (dryStore) Save(context.Context, int64, []Change) error                           { return nil }
func (dryStore) FindTemplates(context.Context, string, int) error                      { return nil }
func (dryStore) FinishWrites(context.Context, []Write) error                           { return nil }
func (dryStore) SaveAccounts(context.Context, string, []AccountHealth, []*Write) error { return nil }

// dryCRM reads from a CRM and writes nothing; every write seems to succeed.
type dryCRM struct{ CRM }

func (dryCRM) Write(_ context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	outcomes := make([]connectors.Outcome, len(updates))
	for i, u := range updates {
		outcomes[i].Ref = u.Ref
	}
	return outcomes, nil
}
