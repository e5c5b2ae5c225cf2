package store

import (
	"strings"
	"testing"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// intent returns a change with a write of the given values to the deal and a message about it.
func intent(h *jobs.Handoff, after crm.Values) jobs.Change {
	before := crm.Values{}
	for field := range after {
		before[field] = "old " + field
	}
	return jobs.Change{
		Handoff: h, NewVersion: true,
		Write: &jobs.Write{Connection: h.Connection, Ref: crm.Ref{Object: crm.DealObject, ID: h.DealID}, Before: before, After: after,
			State: jobs.WriteIntended, At: at(7, 1)},
		Message: &jobs.Message{Key: "ghost/" + h.DealID, Connection: h.Connection, DealID: h.DealID, Title: "t", Body: "b", CreatedAt: at(7, 1)},
	}
}

func testSaveAtomic(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	good := func() jobs.Change { return intent(deal("good"), crm.Values{"score": "12"}) }
	for _, c := range []struct {
		name    string
		run     int64
		changes []jobs.Change
		want    string
	}{
		{"a run that never began", 4711, []jobs.Change{good()}, "foreign key"},
		{"a new version without a card", run, []jobs.Change{good(), {NewVersion: true, Handoff: deal("bad", func(h *jobs.Handoff) { h.Card = nil })}},
			"deal bad of acme: no card"},
		{"no snapshot", run, []jobs.Change{good(), {Handoff: deal("bad", func(h *jobs.Handoff) { h.Snapshot = nil })}}, "deal bad of acme: no snapshot"},
	} {
		err := db.Save(ctx, c.run, c.changes)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), c.want) {
			t.Errorf("%s: error %v, want it to say %q", c.name, err, c.want)
		}
		first := c.changes[0]
		if first.Handoff.Version != 0 || first.Write.ID != 0 {
			t.Errorf("%s: version %d and write id %d are left of a save that failed", c.name, first.Handoff.Version, first.Write.ID)
		}
	}
	all, _, err := db.CountHandoffs(ctx, "acme")
	check(t, err)
	writes := must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme"))
	messages := must[[]jobs.Message](t)(db.Unsent(ctx, 10))
	if all != 0 || len(writes) != 0 || len(messages) != 0 {
		t.Errorf("%d handoffs, %d writes, %d messages are left of saves that failed", all, len(writes), len(messages))
	}
	check(t, db.Save(ctx, run, nil))
}

func testLedger(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	changes := map[string]jobs.Change{}
	old := &jobs.Refusal{Message: "an old refusal", Tries: 1}
	for _, id := range []string{"done", "parked", "dropped", "open"} {
		h := deal(id, func(h *jobs.Handoff) {
			h.Pending, h.Parked, h.Written = true, old, crm.Values{"score": "10", "max": "40"}
		})
		changes[id] = intent(h, crm.Values{"score": "12", "health": rules.Red})
		check(t, db.Save(ctx, run, []jobs.Change{changes[id]}))
	}
	elsewhere := intent(deal("open", func(h *jobs.Handoff) { h.Connection = "globex" }), crm.Values{"score": "1"})
	check(t, db.Save(ctx, run, []jobs.Change{elsewhere}))

	ledger := func(id string, state jobs.WriteState, detail string) jobs.Write {
		w := *changes[id].Write
		w.RunID, w.State, w.Detail = run, state, detail
		return w
	}
	equal(t, "open writes, oldest first", must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme")), []jobs.Write{
		ledger("done", jobs.WriteIntended, ""), ledger("parked", jobs.WriteIntended, ""),
		ledger("dropped", jobs.WriteIntended, ""), ledger("open", jobs.WriteIntended, ""),
	})
	outcomes := []jobs.Write{
		ledger("done", jobs.WriteDone, ""), ledger("parked", jobs.WriteParked, "ROW_LOCKED: later"), ledger("dropped", jobs.WriteDropped, "ENTITY_IS_DELETED"),
	}
	outcomes[1].Refusal = &jobs.Refusal{Code: "ROW_LOCKED", Message: "later", Since: at(7, 1), At: at(7, 1), Tries: 1, Next: at(7, 6)}
	check(t, db.FinishWrites(ctx, outcomes))
	outcomes[1].Refusal = nil // is kept with the deal
	equal(t, "open writes after", must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme")), []jobs.Write{ledger("open", jobs.WriteIntended, "")})
	for i, id := range []string{"done", "parked", "dropped"} {
		got := must[[]jobs.Write](t)(db.Writes(ctx, "acme", crm.Ref{Object: crm.DealObject, ID: id}))
		equal(t, "ledger of "+id, got, outcomes[i:i+1])
	}

	before, moved := crm.Values{"score": "10", "max": "40"}, crm.Values{"score": "12", "max": "40", "health": rules.Red}
	for _, c := range []struct {
		id      string
		written crm.Values
		pending bool
		parked  string
	}{
		{"done", moved, false, ""},
		{"parked", before, true, "later"},
		{"dropped", before, true, "an old refusal"},
		{"open", before, true, "an old refusal"},
	} {
		h := load(t, db, c.id)
		equal(t, c.id+": written", h.Written, c.written)
		words := ""
		if h.Parked != nil {
			words = h.Parked.Message
		}
		if h.Pending != c.pending || words != c.parked {
			t.Errorf("%s: pending %v, parked %q; want %v, %q", c.id, h.Pending, words, c.pending, c.parked)
		}
	}

	again := intent(load(t, db, "done"), crm.Values{"score": "13"})
	again.NewVersion, again.Message = false, nil
	check(t, db.Save(ctx, run, []jobs.Change{again}))
	history := must[[]jobs.Write](t)(db.Writes(ctx, "acme", crm.Ref{Object: crm.DealObject, ID: "done"}))
	if len(history) != 2 || history[0].ID != again.Write.ID || history[1].State != jobs.WriteDone {
		t.Errorf("ledger %+v, want the new write first", history)
	}
}

func testFinishAtomic(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	a, b := intent(deal("a"), crm.Values{"score": "12"}), intent(deal("b"), crm.Values{"score": "12"})
	check(t, db.Save(ctx, run, []jobs.Change{a, b}))
	done := func(w *jobs.Write) jobs.Write { d := *w; d.State = jobs.WriteDone; return d }
	for _, c := range []struct {
		name   string
		second jobs.Write
		want   string
	}{
		{"a write that never was", jobs.Write{ID: 4711, State: jobs.WriteDone}, "write 4711: it is not open"},
		{"one write twice", done(a.Write), "it is not open"},
		{"no outcome", *b.Write, `"intended" is no outcome`},
	} {
		err := db.FinishWrites(ctx, []jobs.Write{done(a.Write), c.second})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %q", c.name, err, c.want)
		}
	}
	if open := must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme")); len(open) != 2 {
		t.Errorf("%d writes are open, want both", len(open))
	}
	equal(t, "written", load(t, db, "a").Written, crm.Values{})
}

// won returns a change of a handoff to a deal of the given account with the given close date and health.
func won(account string, day int, health string) func(*jobs.Handoff) {
	return func(h *jobs.Handoff) {
		h.AccountID = account
		h.Merged["health"] = health
		h.Snapshot.Deal.CloseDate = nil
		if day > 0 {
			h.Snapshot.Deal.CloseDate = new(crm.NewDate(2026, 11, day))
		}
	}
}

func testAccounts(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	reopened := func(h *jobs.Handoff) { h.Reopened = true }
	save(t, db, run,
		deal("01", won("a one deal", 1, rules.Green)),
		deal("02", won("b latest by day", 9, rules.Red)), deal("03", won("b latest by day", 10, rules.Green)), deal("04", won("b latest by day", 8, rules.Yellow)),
		deal("05", won("c latest by id", 9, rules.Red)), deal("06", won("c latest by id", 9, rules.Yellow)),
		deal("07", won("d latest reopened", 3, rules.Yellow)), deal("08", won("d latest reopened", 4, rules.Green), reopened),
		deal("09", won("e latest not read", 3, rules.Yellow)), deal("10", won("e latest not read", 4, "")),
		deal("11", won("f nothing read", 3, "")),
		deal("12", won("g a day before none", 1, rules.Red)), deal("13", won("g a day before none", 0, rules.Green)),
		deal("14", won("", 1, rules.Red)),
		deal("15", won("h written", 1, rules.Red)),
		deal("16", won("i written otherwise", 1, rules.Red)),
		deal("17", won("j kept", 1, rules.Red)),
		deal("18", won("k edit does not count", 1, rules.Red)),
		deal("19", won("a one deal", 20, rules.Red), func(h *jobs.Handoff) { h.Connection = "globex" }),
	)
	written := func(id, health string, edits map[string]jobs.Edit) jobs.AccountHealth {
		return jobs.AccountHealth{AccountID: id, Written: crm.Values{"health": health}, Edits: edits}
	}
	kept := map[string]jobs.Edit{"health": {Value: rules.Green, By: "Ines", At: at(6, 0)}}
	ignored := map[string]jobs.Edit{"health": {Value: "Purple", At: at(6, 0), Ignored: "no such health"}}
	check(t, db.SaveAccounts(ctx, "acme", []jobs.AccountHealth{
		written("h written", rules.Red, nil), written("i written otherwise", rules.Green, nil),
		written("j kept", rules.Yellow, kept), written("k edit does not count", rules.Yellow, ignored),
	}, nil))
	want := []jobs.AccountHealth{
		{AccountID: "a one deal", Health: rules.Green},
		{AccountID: "b latest by day", Health: rules.Green},
		{AccountID: "c latest by id", Health: rules.Yellow},
		{AccountID: "d latest reopened", Health: rules.Yellow},
		{AccountID: "e latest not read", Health: rules.Yellow},
		{AccountID: "g a day before none", Health: rules.Red},
		{AccountID: "i written otherwise", Health: rules.Red, Written: crm.Values{"health": rules.Green}},
		{AccountID: "j kept", Health: rules.Red, Written: crm.Values{"health": rules.Yellow}, Edits: kept},
		{AccountID: "k edit does not count", Health: rules.Red, Written: crm.Values{"health": rules.Yellow}, Edits: ignored},
	}
	equal(t, "accounts", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 100)), want)
	equal(t, "a page", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "b latest by day", 2)), want[2:4])
}

func testAccountWrites(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	save(t, db, run, deal("1", won("done", 1, rules.Red)), deal("2", won("parked", 1, rules.Red)))
	write := func(id string) *jobs.Write {
		return &jobs.Write{RunID: run, Connection: "acme", Ref: crm.Ref{Object: crm.AccountObject, ID: id}, State: jobs.WriteIntended,
			Before: crm.Values{"health": ""}, After: crm.Values{"health": rules.Red}, At: at(7, 1)}
	}
	done, parked := write("done"), write("parked")
	accounts := must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 100))
	check(t, db.SaveAccounts(ctx, "acme", accounts, []*jobs.Write{done, parked}))
	equal(t, "open writes", must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme")), []jobs.Write{*done, *parked})
	done.State, parked.State, parked.Detail = jobs.WriteDone, jobs.WriteParked, "ROW_LOCKED"
	refusal := &jobs.Refusal{Message: "ROW_LOCKED", Since: at(7, 1), At: at(7, 1), Tries: 1, Next: at(7, 6)}
	parked.Refusal = refusal
	check(t, db.FinishWrites(ctx, []jobs.Write{*done, *parked}))
	equal(t, "accounts after", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 100)), []jobs.AccountHealth{{AccountID: "parked", Health: rules.Red, Parked: refusal}})
	parked.Refusal = nil // is kept with the account
	equal(t, "ledger", must[[]jobs.Write](t)(db.Writes(ctx, "acme", parked.Ref)), []jobs.Write{*parked})

	save(t, db, run, deal("1", won("done", 1, rules.Green)))
	equal(t, "accounts with news", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 1)),
		[]jobs.AccountHealth{{AccountID: "done", Health: rules.Green, Written: crm.Values{"health": rules.Red}}})

	orphan := write("never saved")
	orphan.RunID = 4711
	before := len(must[[]jobs.Write](t)(db.Writes(ctx, "acme", done.Ref)))
	if err := db.SaveAccounts(ctx, "acme", nil, []*jobs.Write{write("done"), orphan}); err == nil {
		t.Error("a write of a run that never began was saved")
	}
	if after := len(must[[]jobs.Write](t)(db.Writes(ctx, "acme", done.Ref))); after != before || orphan.ID != 0 {
		t.Error("half of a save that failed was kept")
	}
}
