package main

import (
	"context"
	"fmt"
	"strings"

	"handoff/crm"
	"handoff/jobs"
)

// parkedRow is a record whose last write the CRM refused. Its JSON form is that of `handoff deals --parked --json`.
type parkedRow struct {
	Connection string     `json:"connection"`
	Object     crm.Object `json:"object"`
	ID         string     `json:"id"`
	Name       string     `json:"name,omitempty"` // of a deal
	jobs.Refusal
}

// parked lists the records whose last write the CRM refused.
func (a *app) parked(ctx context.Context, _ *Config, db *history, filter jobs.Filter, asJSON bool) error {
	list, err := db.Parked(ctx, filter.Connection)
	if err != nil {
		return err
	}
	if asJSON {
		for _, p := range list {
			if err := printJSON(a.stdout, parkedRow{p.Connection, p.Ref.Object, p.Ref.ID, p.Name, p.Refusal}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stdout, "The CRM refuses no write.")
		return nil
	}
	t := newTable("record", "connection", "refused since", "tried", "tried again", "the CRM says", "what to do")
	for _, p := range list {
		r := &p.Refusal
		name := p.Name
		if p.Ref.Object == crm.AccountObject {
			name = "account " + p.Ref.ID
		}
		says := r.String()
		if len(r.Fields) > 0 {
			says += ": " + strings.Join(r.Fields, ", ")
		}
		next := "with the next run"
		if r.Next.After(r.At) {
			next = "after " + r.Next.Format(stamp)
		}
		t.row(name, p.Connection, r.Since.Format(stamp), times(r.Tries), next, says, r.Remedy)
	}
	t.print(a.stdout)
	return nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
