package store

import (
	"testing"
	"time"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func testParked(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	refusal := func(code string, hour int) *jobs.Refusal {
		return &jobs.Refusal{Code: code, Message: "no", Remedy: "mend it", Since: at(hour, 0), At: at(9, 0), Tries: 2, Next: at(11, 0), Sent: "1f"}
	}
	park := func(connection, id string, r *jobs.Refusal) {
		save(t, db, run, deal(id, func(h *jobs.Handoff) { h.Connection, h.Pending, h.Parked, h.AccountID = connection, true, r, "" }))
	}
	park("acme", "late", refusal("VALIDATION", 8))
	park("acme", "early", refusal("VALIDATION", 7))
	park("acme", "locked", refusal("LOCKED", 9))
	park("acme", "taken", nil)
	park("acme", "held", refusal("VALIDATION", 7))
	park("globex", "elsewhere", refusal("VALIDATION", 7))
	save(t, db, run, deal("of an account", won("A", 1, rules.Red)))
	account := jobs.AccountHealth{AccountID: "A", Health: rules.Red, Parked: refusal("VALIDATION", 6)}
	check(t, db.SaveAccounts(ctx, "acme", []jobs.AccountHealth{account}, nil))
	check(t, db.Hold(ctx, jobs.Run{ID: run, Connection: "acme"}, []*jobs.Write{
		{RunID: run, Undoes: run, Connection: "acme", Ref: crm.Ref{Object: crm.DealObject, ID: "held"}}}))

	list := func(connection string) (ids []string) {
		for _, p := range must[[]jobs.Parked](t)(db.Parked(ctx, connection)) {
			ids = append(ids, p.Ref.ID)
		}
		return ids
	}
	equal(t, "parked", list("acme"), []string{"locked", "A", "early", "late"})
	equal(t, "parked anywhere", list(""), []string{"locked", "A", "early", "late", "elsewhere"})
	equal(t, "a row", must[[]jobs.Parked](t)(db.Parked(ctx, "globex")), []jobs.Parked{
		{Connection: "globex", Ref: crm.Ref{Object: crm.DealObject, ID: "elsewhere"}, Name: "Deal elsewhere", Refusal: *refusal("VALIDATION", 7)}})
	for connection, want := range map[string]int{"acme": 4, "globex": 1, "none": 0} {
		if n := must[int](t)(db.CountParked(ctx, connection)); n != want {
			t.Errorf("%d parked of %s, want %d", n, connection, want)
		}
	}
	equal(t, "account", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 10)), []jobs.AccountHealth{account})
	account.Written, account.Parked = crm.Values{"health": rules.Red}, nil // somebody wrote it
	check(t, db.SaveAccounts(ctx, "acme", []jobs.AccountHealth{account}, nil))
	equal(t, "account that is as it should be", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 10)), []jobs.AccountHealth{})

	check(t, db.CompareAgain(ctx, "acme"))
	equal(t, "after the CRM was set up again", list(""), []string{"elsewhere"})
}

func testNextDue(t *testing.T, db *DB) {
	run := begin(t, db)
	due := func(id string, hour int, change ...func(*jobs.Handoff)) {
		save(t, db, run, deal(id, append(change, func(h *jobs.Handoff) { h.DueAt = new(at(hour, 0)) })...))
	}
	due("ghost by then", 10)
	due("later", 15)
	due("finalised", 8, func(h *jobs.Handoff) { h.Finalised = true })
	due("reopened", 9, func(h *jobs.Handoff) { h.Reopened = true })
	due("elsewhere", 8, func(h *jobs.Handoff) { h.Connection = "globex" })
	save(t, db, run, deal("refused", func(h *jobs.Handoff) {
		h.Pending, h.DueAt, h.Parked = true, nil, &jobs.Refusal{Message: "no", Next: at(11, 0)}
	}))
	for _, tt := range []struct {
		name, connection string
		after, want      time.Time
	}{
		{"a card that time changes", "acme", at(7, 0), at(10, 0)},
		{"a write that was refused", "acme", at(10, 0), at(11, 0)},
		{"the last", "acme", at(11, 0), at(15, 0)},
		{"nothing more", "acme", at(15, 0), time.Time{}},
		{"nothing of a connection without deals", "none", at(7, 0), time.Time{}},
	} {
		equal(t, tt.name, must[time.Time](t)(db.NextDue(t.Context(), tt.connection, tt.after)), tt.want)
	}
}
