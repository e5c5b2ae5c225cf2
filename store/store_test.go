package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func TestSQLite(t *testing.T) {
	testStore(t, func(t *testing.T) *DB {
		return openTemp(t, filepath.Join(t.TempDir(), "handoff.db"))
	})
}

func openTemp(tb testing.TB, path string) *DB {
	tb.Helper()
	db, err := Open(tb.Context(), "sqlite:"+path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// testStore is what every database must pass. open returns a new, empty store that is closed after the test.
func testStore(t *testing.T, open func(t *testing.T) *DB) {
	for name, test := range map[string]func(t *testing.T, db *DB){
		"runs":                        testRuns,
		"watermarks":                  testWatermarks,
		"handoff round trip":          testRoundTrip,
		"handoffs of many ids":        testManyHandoffs,
		"versions":                    testVersions,
		"save is all or nothing":      testSaveAtomic,
		"ledger":                      testLedger,
		"finishing is all or nothing": testFinishAtomic,
		"waiting":                     testWaiting,
		"count":                       testCount,
		"accounts":                    testAccounts,
		"writes to accounts":          testAccountWrites,
		"outbox":                      testOutbox,
		"list":                        testList,
		"find":                        testFind,
		"model":                       testModel,
		"crm text":                    testText,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// equal compares without telling a nil map or slice from an empty one.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(crm.Date{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns v, or ends the test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// at returns a moment on the day of the tests.
func at(hour, minute int) time.Time { return time.Date(2026, 11, 20, hour, minute, 0, 0, time.UTC) }

func begin(t testing.TB, db *DB) int64 {
	t.Helper()
	return must[int64](t)(db.BeginRun(t.Context(), jobs.Run{Connection: "acme", Job: "score", StartedAt: at(7, 0)}))
}

// deal returns a scored handoff of connection acme with the given id and changes to it.
func deal(id string, change ...func(*jobs.Handoff)) *jobs.Handoff {
	closed := crm.NewDate(2026, 11, 2)
	h := &jobs.Handoff{
		Connection: "acme",
		DealID:     id,
		AccountID:  "A-" + id,
		Snapshot:   &crm.Snapshot{ID: id, Deal: crm.Deal{ID: id, Name: "Deal " + id, Won: true, CloseDate: &closed}},
		InputHash:  "hash of " + id,
		Rulebook:   "book 1",
		AsOf:       at(7, 0),
		Card: &rules.Card{
			ID: id, Total: 12, Max: 40, Rating: rules.BelowStandard, Health: rules.Red, Ghost: rules.GhostNo, GhostReasons: []string{},
			Categories: []rules.Category{{Name: "Deal Context", Points: 3, Max: 10}},
			Items: []rules.Item{{ID: "1.1", Score: 1, Reason: "names the use case only", Remedy: "ask", Sure: true,
				Evidence: []rules.Evidence{{Source: "field use_case", Record: id, Quote: "reporting"}}}},
		},
		Merged: crm.Values{"score": "12", "health": rules.Red, "ghost": "false", "rating": rules.BelowStandard},
	}
	for _, c := range change {
		c(h)
	}
	return h
}

func save(t testing.TB, db *DB, run int64, handoffs ...*jobs.Handoff) {
	t.Helper()
	changes := make([]jobs.Change, len(handoffs))
	for i, h := range handoffs {
		changes[i] = jobs.Change{Handoff: h, NewVersion: true}
	}
	check(t, db.Save(t.Context(), run, changes))
}

func load(t testing.TB, db *DB, id string) *jobs.Handoff {
	t.Helper()
	h := must[map[string]*jobs.Handoff](t)(db.Handoffs(t.Context(), "acme", []string{id}))[id]
	if h == nil {
		t.Fatalf("deal %s is not in the store", id)
	}
	return h
}

func testRuns(t *testing.T, db *DB) {
	ctx := t.Context()
	start := func(connection, job string, at time.Time) int64 {
		return must[int64](t)(db.BeginRun(ctx, jobs.Run{Connection: connection, Job: job, StartedAt: at}))
	}
	end := func(id int64, at time.Time, sum jobs.Summary, problem string) {
		check(t, db.EndRun(ctx, jobs.Run{ID: id, EndedAt: &at, Summary: sum, Error: problem}))
	}
	failed := start("acme", "score", at(6, 0))
	end(failed, at(6, 1), jobs.Summary{}, "no quota")
	killed := start("acme", "score", at(6, 30))
	first := start("acme", "score", at(7, 0))
	sum := jobs.Summary{Connection: "acme", Pulled: 1, Scored: 2, Written: 3, Flagged: 4, Parked: 5, Calls: 6}
	end(first, at(7, 2), sum, "")
	second := start("acme", "score", at(8, 0))
	end(second, at(8, 1), jobs.Summary{}, "")
	other := start("acme", "digest", at(5, 0))
	end(other, at(5, 1), jobs.Summary{}, "")

	for _, c := range []struct {
		connection, job string
		want            *time.Time
	}{
		{"acme", "score", new(at(7, 0))},
		{"acme", "digest", new(at(5, 0))},
		{"acme", "audit", nil},
		{"globex", "score", nil},
	} {
		got := must[*time.Time](t)(db.Succeeded(ctx, c.connection, c.job))
		equal(t, "first success of "+c.connection+" "+c.job, got, c.want)
	}
	equal(t, "runs, newest first", must[[]jobs.Run](t)(db.Runs(ctx, 4)), []jobs.Run{
		{ID: other, Connection: "acme", Job: "digest", StartedAt: at(5, 0), EndedAt: new(at(5, 1))},
		{ID: second, Connection: "acme", Job: "score", StartedAt: at(8, 0), EndedAt: new(at(8, 1))},
		{ID: first, Connection: "acme", Job: "score", StartedAt: at(7, 0), EndedAt: new(at(7, 2)), Summary: sum},
		{ID: killed, Connection: "acme", Job: "score", StartedAt: at(6, 30)},
	})
	if err := db.EndRun(ctx, jobs.Run{ID: 4711}); err == nil || !strings.Contains(err.Error(), "no such run") {
		t.Errorf("a run that never began ended with %v", err)
	}
}

func testWatermarks(t *testing.T, db *DB) {
	ctx := t.Context()
	read := func(connection string) crm.Watermarks {
		return must[crm.Watermarks](t)(db.Watermarks(ctx, connection))
	}
	if marks := read("acme"); marks == nil || len(marks) > 0 {
		t.Errorf("a new store has watermarks %v, want none, not nil", marks)
	}
	exact := at(7, 0).Add(123 * time.Millisecond)
	check(t, db.SaveWatermarks(ctx, "acme", crm.Watermarks{"Task": {Time: exact, ID: "00T1"}, "Opportunity": {Time: at(6, 0)}}))
	check(t, db.SaveWatermarks(ctx, "globex", crm.Watermarks{"Task": {Time: at(1, 0), ID: "x"}}))
	check(t, db.SaveWatermarks(ctx, "acme", crm.Watermarks{"Opportunity": {Time: at(9, 0), ID: "006"}, "Event": {}}))
	equal(t, "watermarks", read("acme"), crm.Watermarks{
		"Task": {Time: exact, ID: "00T1"}, "Opportunity": {Time: at(9, 0), ID: "006"}, "Event": {},
	})
}

func testRoundTrip(t *testing.T, db *DB) {
	run := begin(t, db)
	amount := 12_500.5
	want := &jobs.Handoff{
		Connection: "acme",
		DealID:     "006A",
		AccountID:  "001A",
		Snapshot: &crm.Snapshot{
			ID:   "006A",
			AsOf: new(at(3, 0)),
			Deal: crm.Deal{
				ID: "006A", Name: "Zürich – Rollout", Account: "Zürich AG", Stage: "Closed Won", Won: true, Amount: &amount, Currency: "CHF",
				CloseDate: new(crm.NewDate(2026, 10, 30)), Owner: &crm.User{ID: "005A", Name: "Dana Ruiz"},
				Fields: map[string]string{"use_case": "line 1\r\nline 2 \"quoted\" <b>&amp;</b> \u2028 \U0001F600"},
			},
			Contacts: []crm.Contact{{ID: "003A", Name: "Ines Cho", Roles: []string{"Champion"}}},
			Notes:    []crm.Note{{ID: "069A", At: new(at(2, 0)), Body: strings.Repeat("long ", 10_000)}},
			Unread:   []crm.Part{crm.PartEmails},
		},
		InputHash: "abc",
		Rulebook:  "book 7",
		AsOf:      at(7, 0),
		Version:   1,
		Card: &rules.Card{
			ID: "006A", Total: 21, Max: 40, Rating: rules.BelowStandard, Health: rules.Yellow, Complete: true, Ghost: rules.GhostPending,
			GhostReasons: []string{"no notes"},
			Categories:   []rules.Category{{Name: "Deal Context", Points: 3, Max: 10}},
			Items: []rules.Item{{ID: "1.1", Score: 2, Reason: "all there", NotRead: true,
				Evidence: []rules.Evidence{{Source: "note", Record: "069A", Quote: "long"}}}},
			DueAt: new(at(23, 0)),
		},
		Merged:    crm.Values{"score": "21", "gaps": "a\nb", "health": "Yellow", "ghost": ""},
		Written:   crm.Values{"score": "20"},
		Edits:     map[string]jobs.Edit{"item_1_1": {Value: "7", By: "Ines", At: at(6, 0), Exact: true, Ignored: "7 is not 0, 1 or 2"}},
		Finalised: true,
		Reopened:  true,
		DueAt:     new(at(23, 0)),
		Pending:   true,
		Parked:    "FIELD_INTEGRITY_EXCEPTION: no",
	}
	saved := *want
	saved.Version = 0
	saved.Snapshot = new(*want.Snapshot)
	saved.Snapshot.Expected = jsontext.Value(`{"total": 3}`)
	save(t, db, run, &saved)
	if saved.Version != 1 {
		t.Errorf("Save left version %d, want 1", saved.Version)
	}
	if saved.Snapshot.Expected == nil {
		t.Error("Save took the labels off the caller's snapshot")
	}
	equal(t, "handoff", load(t, db, "006A"), want)

	// Everything goes back to nothing, the card excepted.
	want = &jobs.Handoff{
		Connection: "acme", DealID: "006A", AccountID: "001B", Snapshot: &crm.Snapshot{ID: "006A"}, InputHash: "def",
		Rulebook: "book 8", AsOf: at(8, 0), Version: 1, Card: new(*want.Card),
	}
	want.Card.DueAt = nil
	check(t, db.Save(t.Context(), run, []jobs.Change{{Handoff: want}}))
	got := load(t, db, "006A")
	equal(t, "emptied handoff", got, want)
	if got.Merged == nil || got.Written == nil || got.Edits == nil {
		t.Error("a map is nil")
	}
}

func testManyHandoffs(t *testing.T, db *DB) {
	run := begin(t, db)
	var handoffs []*jobs.Handoff
	ids := []string{"unknown"}
	for i := range 2500 {
		h := deal(fmt.Sprintf("%04d", i))
		handoffs = append(handoffs, h)
		ids = append(ids, h.DealID)
	}
	save(t, db, run, handoffs...)
	elsewhere := deal("0001", func(h *jobs.Handoff) { h.Connection, h.InputHash = "globex", "other" })
	save(t, db, run, elsewhere)
	got := must[map[string]*jobs.Handoff](t)(db.Handoffs(t.Context(), "acme", ids))
	if len(got) != 2500 || got["unknown"] != nil || got["0001"].InputHash != "hash of 0001" {
		t.Errorf("%d handoffs, deal 0001 has %q; want 2500, of acme only", len(got), got["0001"].InputHash)
	}
	if none := must[map[string]*jobs.Handoff](t)(db.Handoffs(t.Context(), "acme", nil)); none == nil || len(none) > 0 {
		t.Errorf("no ids: %v, want an empty map", none)
	}
}

func testVersions(t *testing.T, db *DB) {
	ctx := t.Context()
	run1 := begin(t, db)
	run2 := must[int64](t)(db.BeginRun(ctx, jobs.Run{Connection: "acme", Job: "score", StartedAt: at(9, 0)}))
	save(t, db, run1, deal("d"))
	second := deal("d", func(h *jobs.Handoff) {
		h.Card.Total, h.InputHash, h.AsOf, h.Rulebook = 20, "new", at(9, 0), "book 2"
	}) // as if it were the first: its Version is 0
	save(t, db, run2, second)
	if second.Version != 2 {
		t.Errorf("the second card is version %d", second.Version)
	}
	second.Rulebook, second.AsOf = "book 3", at(10, 0)
	check(t, db.Save(ctx, run2, []jobs.Change{{Handoff: second}}))
	if second.Version != 2 {
		t.Errorf("a correction made version %d", second.Version)
	}
	equal(t, "latest", load(t, db, "d"), second)
	equal(t, "versions", must[[]jobs.Version](t)(db.Versions(ctx, "acme", "d")), []jobs.Version{
		{Version: 2, Card: second.Card, AsOf: at(9, 0), InputHash: "new", Rulebook: "book 2", RunID: run2, CreatedAt: at(9, 0)},
		{Version: 1, Card: deal("d").Card, AsOf: at(7, 0), InputHash: "hash of d", Rulebook: "book 1", RunID: run1, CreatedAt: at(7, 0)},
	})
	if none := must[[]jobs.Version](t)(db.Versions(ctx, "globex", "d")); len(none) > 0 {
		t.Errorf("another connection has versions %v", none)
	}
}

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
	for _, id := range []string{"done", "parked", "dropped", "open"} {
		h := deal(id, func(h *jobs.Handoff) {
			h.Pending, h.Parked, h.Written = true, "an old refusal", crm.Values{"score": "10", "max": "40"}
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
	check(t, db.FinishWrites(ctx, outcomes))
	equal(t, "open writes after", must[[]jobs.Write](t)(db.OpenWrites(ctx, "acme")), []jobs.Write{ledger("open", jobs.WriteIntended, "")})
	for i, id := range []string{"done", "parked", "dropped"} {
		got := must[[]jobs.Write](t)(db.Writes(ctx, "acme", crm.Ref{Object: crm.DealObject, ID: id}))
		equal(t, "ledger of "+id, got, outcomes[i:i+1])
	}

	old, moved := crm.Values{"score": "10", "max": "40"}, crm.Values{"score": "12", "max": "40", "health": rules.Red}
	for _, c := range []struct {
		id      string
		written crm.Values
		pending bool
		parked  string
	}{
		{"done", moved, false, ""},
		{"parked", old, true, "ROW_LOCKED: later"},
		{"dropped", old, true, "an old refusal"},
		{"open", old, true, "an old refusal"},
	} {
		h := load(t, db, c.id)
		equal(t, c.id+": written", h.Written, c.written)
		if h.Pending != c.pending || h.Parked != c.parked {
			t.Errorf("%s: pending %v, parked %q; want %v, %q", c.id, h.Pending, h.Parked, c.pending, c.parked)
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

func testWaiting(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	due := func(when time.Time) func(*jobs.Handoff) { return func(h *jobs.Handoff) { h.DueAt = &when } }
	pending := func(h *jobs.Handoff) { h.Pending = true }
	finalised := func(h *jobs.Handoff) { h.Finalised = true }
	reopened := func(h *jobs.Handoff) { h.Reopened = true }
	otherBook := func(h *jobs.Handoff) { h.Rulebook = "book 0" }
	save(t, db, run,
		deal("a settled"), deal("b pending", pending), deal("c due", due(at(12, 0))), deal("d due later", due(at(12, 1))),
		deal("e other book", otherBook), deal("f finalised", finalised, due(at(9, 0)), otherBook), deal("g finalised pending", finalised, pending),
		deal("h reopened", reopened, due(at(9, 0)), otherBook), deal("i reopened pending", reopened, pending), deal("j overdue", due(at(1, 0))),
		deal("k elsewhere", pending, func(h *jobs.Handoff) { h.Connection = "globex" }),
	)
	var got []string
	for after := ""; ; {
		page := must[[]*jobs.Handoff](t)(db.Waiting(ctx, "acme", "book 1", at(12, 0), after, 2))
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			t.Fatalf("a page of %d", len(page))
		}
		for _, h := range page {
			got = append(got, h.DealID)
		}
		after = got[len(got)-1]
	}
	equal(t, "waiting", got, []string{"b pending", "c due", "e other book", "g finalised pending", "i reopened pending", "j overdue"})
}

func testCount(t *testing.T, db *DB) {
	run := begin(t, db)
	merged := func(field, value string) func(*jobs.Handoff) {
		return func(h *jobs.Handoff) { h.Merged[field] = value }
	}
	reopened := func(h *jobs.Handoff) { h.Reopened = true }
	save(t, db, run,
		deal("fine"), deal("ghost", merged("ghost", "true")), deal("incomplete", merged("rating", rules.Incomplete)),
		deal("reopened", merged("rating", rules.Incomplete), reopened),
		deal("raised by a person", merged("rating", rules.Excellent), func(h *jobs.Handoff) { h.Card.Rating = rules.Incomplete }),
		deal("elsewhere", merged("ghost", "true"), func(h *jobs.Handoff) { h.Connection = "globex" }),
	)
	all, flagged, err := db.CountHandoffs(t.Context(), "acme")
	if err != nil || all != 5 || flagged != 2 {
		t.Errorf("%d handoffs, %d flagged, error %v; want 5, 2", all, flagged, err)
	}
	all, flagged, err = db.CountHandoffs(t.Context(), "nobody")
	if err != nil || all != 0 || flagged != 0 {
		t.Errorf("of nobody: %d handoffs, %d flagged, error %v", all, flagged, err)
	}
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
	check(t, db.FinishWrites(ctx, []jobs.Write{*done, *parked}))
	equal(t, "accounts after", must[[]jobs.AccountHealth](t)(db.Accounts(ctx, "acme", "", 100)), []jobs.AccountHealth{{AccountID: "parked", Health: rules.Red}})
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

func testOutbox(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	say := func(key string) jobs.Change {
		return jobs.Change{Handoff: deal("d"), Message: &jobs.Message{Key: key, Connection: "acme", DealID: "d", Title: "Ghost handoff", Body: "text", CreatedAt: at(7, 1)}}
	}
	unsent := func(limit int) []jobs.Message { return must[[]jobs.Message](t)(db.Unsent(ctx, limit)) }
	message := func(m jobs.Message, key string) jobs.Message {
		m.Key, m.Connection, m.DealID, m.Title, m.Body, m.CreatedAt = key, "acme", "d", "Ghost handoff", "text", at(7, 1)
		return m
	}
	check(t, db.Save(ctx, run, []jobs.Change{say("ghost/1"), say("ghost/2"), say("ghost/1")}))
	got := unsent(10)
	if len(got) != 2 {
		t.Fatalf("%d messages, want one for each key", len(got))
	}
	first, second := got[0].ID, got[1].ID
	equal(t, "unsent", got, []jobs.Message{message(jobs.Message{ID: first}, "ghost/1"), message(jobs.Message{ID: second}, "ghost/2")})

	check(t, db.MarkSent(ctx, first, at(8, 0), errors.New("https://hooks.example/SECRET: 503")))
	check(t, db.MarkSent(ctx, first, at(8, 5), errors.New("503")))
	equal(t, "after two attempts", unsent(1), []jobs.Message{message(jobs.Message{ID: first, Attempts: 2, TriedAt: at(8, 5)}, "ghost/1")})
	check(t, db.MarkSent(ctx, first, at(8, 10), nil))
	check(t, db.Save(ctx, run, []jobs.Change{say("ghost/1")}))
	equal(t, "after it was sent and found again", unsent(10), []jobs.Message{message(jobs.Message{ID: second}, "ghost/2")})
}

func ids(handoffs []jobs.Handoff) []string {
	var list []string
	for _, h := range handoffs {
		list = append(list, h.Connection+":"+h.DealID)
	}
	return list
}

func testList(t *testing.T, db *DB) {
	run := begin(t, db)
	shown := func(name, score, ghost, rating string) func(*jobs.Handoff) {
		return func(h *jobs.Handoff) {
			h.Snapshot.Deal.Name = name
			h.Merged = crm.Values{"score": score, "ghost": ghost, "rating": rating}
		}
	}
	globex := func(h *jobs.Handoff) { h.Connection = "globex" }
	save(t, db, run,
		deal("1", shown("Zeta", "9", "false", rules.Incomplete)), deal("2", shown("alpha", "10", "false", rules.BelowStandard)),
		deal("3", shown("Beta", "10", "false", rules.BelowStandard)), deal("4", shown("Gamma", "11", "true", rules.BelowStandard)),
		deal("5", shown("Not read yet", "", "", "")), // its card says 12
		deal("6", shown("Other", "1", "false", rules.Incomplete), globex),
	)
	for _, c := range []struct {
		name   string
		filter jobs.Filter
		want   []string
	}{
		{"all", jobs.Filter{}, []string{"acme:4", "acme:1", "acme:2", "acme:3", "acme:5", "globex:6"}},
		{"a connection", jobs.Filter{Connection: "acme"}, []string{"acme:4", "acme:1", "acme:2", "acme:3", "acme:5"}},
		{"flagged", jobs.Filter{Flagged: true}, []string{"acme:4", "acme:1", "globex:6"}},
		{"flagged of a connection", jobs.Filter{Connection: "globex", Flagged: true}, []string{"globex:6"}},
		{"an unknown connection", jobs.Filter{Connection: "nobody"}, nil},
	} {
		equal(t, c.name, ids(must[[]jobs.Handoff](t)(db.List(t.Context(), c.filter))), c.want)
	}
}

func testFind(t *testing.T, db *DB) {
	run := begin(t, db)
	named := func(connection, name string) func(*jobs.Handoff) {
		return func(h *jobs.Handoff) { h.Connection, h.Snapshot.Deal.Name = connection, name }
	}
	const long, upper = "006Aa00000XyZ12IAF", "006AA00000XYZ12QAB"
	save(t, db, run,
		deal(long, named("acme", "Northwind - Platform")), deal(upper, named("acme", "Fabrikam: Phase 2")),
		deal("42", named("acme", "Ärger & Söhne")), deal("42", named("hub", "Northwind - Platform")),
		deal("acme:42", named("hub", "100% _odd'; --")), deal("123456789012345678", named("hub", "hub:42")),
		deal("2345678901234567", named("hub", "Sixteen")),
	)
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"18 characters", long, []string{"acme:" + long}},
		{"15 characters", long[:15], []string{"acme:" + long}},
		{"15 characters, case counts", upper[:15], []string{"acme:" + upper}},
		{"14 characters", long[:14], nil},
		{"15 of another CRM's 16 characters", "234567890123456", nil},
		{"with connection", "acme:" + long, []string{"acme:" + long}},
		{"with connection, 15 characters", "acme:" + long[:15], []string{"acme:" + long}},
		{"with another connection", "hub:" + long, nil},
		{"an id of two connections", "42", []string{"acme:42", "hub:42"}},
		{"an id that looks like a connection's", "acme:42", []string{"acme:42", "hub:acme:42"}},
		{"a name that looks like a connection's id", "hub:42", []string{"hub:123456789012345678", "hub:42"}},
		{"a name of two", "northwind - PLATFORM", []string{"acme:" + long, "hub:42"}},
		{"a name with a colon", "fabrikam: phase 2", []string{"acme:" + upper}},
		{"not only ASCII", "ÄRGER & SÖHNE", []string{"acme:42"}},
		{"signs that SQL knows", "100% _odd'; --", []string{"hub:acme:42"}},
		{"a pattern", "100%", nil},
		{"part of a name", "Northwind", nil},
		{"nothing", "", nil},
	} {
		got := ids(must[[]jobs.Handoff](t)(db.Find(t.Context(), c.query)))
		slices.Sort(got)
		equal(t, c.name, got, c.want)
	}
}

func testText(t *testing.T, db *DB) {
	run := begin(t, db)
	bad := "caf\xe9 \x00 \u2028"
	h := deal("d", func(h *jobs.Handoff) {
		h.Snapshot.Deal.Fields = map[string]string{"use_case": bad}
		h.Merged["gaps"] = bad
		h.Card.Items[0].Evidence[0].Quote = bad
	})
	save(t, db, run, h)
	got := load(t, db, "d")
	const want = "caf\ufffd \x00 \u2028"
	for place, text := range map[string]string{
		"snapshot": got.Snapshot.Deal.Fields["use_case"], "merged": got.Merged["gaps"], "card": got.Card.Items[0].Evidence[0].Quote,
	} {
		if text != want {
			t.Errorf("%s: %q, want %q", place, text, want)
		}
	}
}
