package store

import (
	"testing"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func testRollback(t *testing.T, db *DB) {
	ctx := t.Context()
	account := crm.Ref{Object: crm.AccountObject, ID: "A"}
	write := func(run, undoes int64, ref crm.Ref, before, after crm.Values) *jobs.Write {
		return &jobs.Write{RunID: run, Undoes: undoes, Connection: "acme", Ref: ref, Before: before, After: after, State: jobs.WriteIntended, At: at(7, 1)}
	}
	finish := func(state jobs.WriteState, writes ...*jobs.Write) {
		t.Helper()
		var done []jobs.Write
		for _, w := range writes {
			w.State = state
			done = append(done, *w)
			if state == jobs.WriteParked {
				done[len(done)-1].Refusal = &jobs.Refusal{Message: "no"}
			}
		}
		check(t, db.FinishWrites(ctx, done))
	}
	first := begin(t, db)
	var scored []*jobs.Write
	for _, id := range []string{"a", "b", "c", "d"} {
		change := intent(deal(id, won("A", 1, rules.Red)), crm.Values{"score": "12", "rating": rules.BelowStandard})
		change.Write.Before = crm.Values{"score": "", "rating": ""}
		check(t, db.Save(ctx, first, []jobs.Change{change}))
		change.Write.RunID = first
		scored = append(scored, change.Write)
	}
	toAccount := write(first, 0, account, crm.Values{"health": ""}, crm.Values{"health": rules.Red})
	check(t, db.SaveAccounts(ctx, "acme", []jobs.AccountHealth{{AccountID: "A", Health: rules.Red}}, []*jobs.Write{toAccount}))
	finish(jobs.WriteDone, scored[0], scored[1], toAccount)
	finish(jobs.WriteParked, scored[2]) // never was in the CRM
	second := begin(t, db)
	later := intent(load(t, db, "a"), crm.Values{"score": "13"})
	later.NewVersion, later.Message = false, nil
	check(t, db.Save(ctx, second, []jobs.Change{later}))
	later.Write.RunID = second
	finish(jobs.WriteDone, later.Write)

	run := *must[*jobs.Run](t)(db.Run(ctx, first))
	equal(t, "since the first run", must[[]jobs.Write](t)(db.WritesSince(ctx, run, crm.Ref{}, 10)),
		[]jobs.Write{*toAccount, *scored[0], *later.Write, *scored[1], *scored[3]})
	equal(t, "a page", must[[]jobs.Write](t)(db.WritesSince(ctx, run, account, 1)), []jobs.Write{*scored[0], *later.Write})
	if none := must[*jobs.Run](t)(db.Run(ctx, 4711)); none != nil {
		t.Errorf("a run that never was: %+v", none)
	}

	third := begin(t, db)
	undo := []*jobs.Write{
		write(third, first, account, crm.Values{"health": rules.Red}, crm.Values{"health": ""}),
		write(third, first, scored[0].Ref, crm.Values{"rating": rules.BelowStandard}, crm.Values{"rating": "", "score": "11"}),
		write(third, first, scored[1].Ref, crm.Values{"rating": rules.BelowStandard}, crm.Values{"rating": ""}),
	}
	check(t, db.Hold(ctx, run, undo))
	equal(t, "held", must[map[int64]int](t)(db.Held(ctx, "acme")), map[int64]int{first: 3})
	equal(t, "held elsewhere", must[map[int64]int](t)(db.Held(ctx, "globex")), map[int64]int{})
	finish(jobs.WriteDone, undo[:2]...)
	finish(jobs.WriteParked, undo[2])
	equal(t, "taken back", load(t, db, "a").Written, crm.Values{"score": "11"})
	equal(t, "not taken back", load(t, db, "b").Written, crm.Values{"score": "12", "rating": rules.BelowStandard})
	for id, want := range map[string]jobs.Handoff{"a": {Held: first, Pending: true}, "b": {Held: first}, "c": {}, "d": {}} {
		if h := load(t, db, id); h.Held != want.Held || h.Pending != want.Pending || (h.Parked != nil) != (id == "c") {
			t.Errorf("%s: held for %d, pending %v, parked %v", id, h.Held, h.Pending, h.Parked)
		}
	}
	if due := must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 10)); len(due) > 0 {
		t.Errorf("an account that is held is due: %+v", due)
	}
	save(t, db, second, load(t, db, "a"))
	if h := load(t, db, "a"); h.Held != first {
		t.Errorf("saved by a run, and held for %d", h.Held)
	}

	equal(t, "runs that wrote", must[[]jobs.Written](t)(db.RunsThatWrote(ctx, 2)), []jobs.Written{
		{Run: third, Connection: "acme", StartedAt: at(7, 0), Records: 2, Undoes: first},
		{Run: second, Connection: "acme", StartedAt: at(7, 0), Records: 1},
	})
	equal(t, "the first of them", must[[]jobs.Written](t)(db.RunsThatWrote(ctx, 10))[2],
		jobs.Written{Run: first, Connection: "acme", StartedAt: at(7, 0), Records: 3, UndoneBy: third, Held: 3})

	for _, want := range []int64{3, 0} {
		if n := must[int64](t)(db.Release(ctx, first)); n != want {
			t.Errorf("%d records let go, want %d", n, want)
		}
	}
	equal(t, "accounts after", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 10)), []jobs.AccountHealth{{AccountID: "A", Health: rules.Red}})
}
