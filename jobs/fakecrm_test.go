package jobs_test

import (
	"context"
	"maps"
	"slices"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// fakeCRM is a CRM in memory. Every change of a deal, ours included, is news in the next pull, as in a real one.
type fakeCRM struct {
	clock    func() time.Time
	fields   []crm.FieldSpec
	deals    map[string]*fakeDeal
	accounts map[string]crm.Values
	size     int // records in a batch
	stamp    int // of the last change

	applied  []crm.Update // every update that was carried out, in order
	refused  map[string]*connectors.Error
	unlisted []crm.Part      // what it does not list as new
	hidden   map[string]bool // our fields that do not exist

	calls, reads int
	unread       []crm.Part // what cannot be looked at
	withheld     []crm.Part // what a reconciliation cannot read of deals
	failing      error      // why it cannot read any
	toll         int        // calls that a look costs beside its own
	reading      func()     // called after a batch was read, before it is handed over
}

type fakeDeal struct {
	snapshot crm.Snapshot
	account  string
	values   crm.Values
	stamp    int
	deleted  bool
	kickoffs []string // ids of meetings without a text
	merged   []string
	by       string
	at       time.Time
	changed  time.Time
}

func newFakeCRM(clock func() time.Time, fields []crm.FieldSpec) *fakeCRM {
	return &fakeCRM{clock: clock, fields: fields, deals: map[string]*fakeDeal{}, accounts: map[string]crm.Values{}, size: 2,
		refused: map[string]*connectors.Error{}, hidden: map[string]bool{}}
}

// put adds a deal, or replaces what is known of one.
func (c *fakeCRM) put(s crm.Snapshot, account string) {
	s.ID = s.Deal.ID
	d := c.deals[s.ID]
	if d == nil {
		d = &fakeDeal{values: crm.Values{}}
		for _, f := range c.fields {
			if f.Object == crm.DealObject {
				d.values[f.Name] = blank(f)
			}
		}
		c.deals[s.ID] = d
	}
	if account != "" && c.accounts[account] == nil {
		c.accounts[account] = crm.Values{"health": ""}
	}
	d.snapshot, d.account = s, account
	c.touch(d)
}

func blank(f crm.FieldSpec) string {
	if f.Type == crm.Checkbox {
		return "false"
	}
	return ""
}

func (c *fakeCRM) touch(d *fakeDeal) {
	c.stamp++
	d.stamp, d.changed = c.stamp, c.clock().Truncate(time.Second)
}

// edit changes one of our fields as another user would.
func (c *fakeCRM) edit(id, field, value string) {
	d := c.deals[id]
	d.values[field] = value
	d.by, d.at = "Casey Jones", c.clock()
	c.touch(d)
}

func (c *fakeCRM) visible(v crm.Values) crm.Values {
	v = maps.Clone(v)
	maps.DeleteFunc(v, func(field, _ string) bool { return c.hidden[field] })
	return v
}

func (c *fakeCRM) Pull(ctx context.Context, since crm.Watermarks, yield func(connectors.Batch) error) error {
	from := since["Deal"].Time.Unix()
	var ids []string
	for id, d := range c.deals {
		if since == nil || int64(d.stamp) >= from { // the last one comes again
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return c.deals[a].stamp - c.deals[b].stamp })
	for part := range slices.Chunk(ids, c.size) {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.calls++
		b := connectors.Batch{Total: len(ids), Unlisted: c.unlisted}
		for _, id := range part {
			d := c.deals[id]
			switch {
			case d.deleted || !d.snapshot.Deal.Won:
				b.Left = append(b.Left, id)
			default:
				b.Records = append(b.Records, c.record(d))
			}
			b.Watermarks = crm.Watermarks{"Deal": {Time: time.Unix(int64(d.stamp), 0).UTC(), ID: id}}
		}
		if c.reading != nil {
			c.reading()
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (c *fakeCRM) record(d *fakeDeal) connectors.Record {
	return connectors.Record{Snapshot: d.snapshot, AccountID: d.account, Values: c.visible(d.values), ModifiedBy: d.by, ModifiedAt: d.at, ChangedAt: d.changed, Merged: d.merged}
}

func (c *fakeCRM) ReadValues(_ context.Context, object crm.Object, ids []string) (map[string]crm.Values, error) {
	c.calls++
	c.reads += len(ids)
	found := map[string]crm.Values{}
	for _, id := range ids {
		if object == crm.AccountObject {
			if v, ok := c.accounts[id]; ok {
				found[id] = c.visible(v)
			}
		} else if d := c.deals[id]; d != nil && !d.deleted {
			found[id] = c.visible(d.values)
		}
	}
	return found, nil
}

func (c *fakeCRM) Write(_ context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	c.calls++
	var outcomes []connectors.Outcome
	for _, u := range updates {
		o := connectors.Outcome{Ref: u.Ref, Err: c.refused[u.ID]}
		if d := c.deals[u.ID]; u.Object == crm.DealObject && (d == nil || d.deleted) {
			o.Err = &connectors.Error{Op: "update opportunities", CRM: "Fake", Class: connectors.ErrDrop, Message: "entity is deleted"}
		}
		if o.Err == nil {
			c.apply(u)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

func (c *fakeCRM) apply(u crm.Update) {
	c.applied = append(c.applied, crm.Update{Ref: u.Ref, Values: maps.Clone(u.Values)})
	if u.Object == crm.AccountObject {
		maps.Copy(c.accounts[u.ID], u.Values)
		return
	}
	d := c.deals[u.ID]
	maps.Copy(d.values, u.Values)
	c.touch(d)
}

func (c *fakeCRM) Unusable(context.Context) ([]connectors.Finding, error) {
	var found []connectors.Finding
	for _, f := range c.fields {
		if c.hidden[f.Name] {
			found = append(found, connectors.Finding{Severity: connectors.Problem, Field: f.Name, Text: "the field does not exist"})
		}
	}
	return found, nil
}

func (c *fakeCRM) Calls() int { return c.calls }
