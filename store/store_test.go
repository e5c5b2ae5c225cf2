package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		"memory":                      testMemory,
		"handoff round trip":          testRoundTrip,
		"handoffs of many ids":        testManyHandoffs,
		"versions":                    testVersions,
		"save is all or nothing":      testSaveAtomic,
		"ledger":                      testLedger,
		"finishing is all or nothing": testFinishAtomic,
		"waiting":                     testWaiting,
		"deal ids":                    testDealIDs,
		"count":                       testCount,
		"all":                         testAll,
		"accounts":                    testAccounts,
		"writes to accounts":          testAccountWrites,
		"rollback":                    testRollback,
		"parked":                      testParked,
		"next due":                    testNextDue,
		"outbox":                      testOutbox,
		"list":                        testList,
		"find":                        testFind,
		"templates":                   testTemplates,
		"templates of many at a time": testTemplatesTogether,
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
	later := start("acme", "score", at(9, 0)) // still running
	equal(t, "last runs that ended", must[map[string]jobs.Run](t)(db.LastRuns(ctx, "score")), map[string]jobs.Run{
		"acme": {ID: second, Connection: "acme", Job: "score", StartedAt: at(8, 0), EndedAt: new(at(8, 1))},
	})
	end(later, at(9, 1), jobs.Summary{}, "no quota")
	equal(t, "last runs with a failed one", must[map[string]jobs.Run](t)(db.LastRuns(ctx, "score")), map[string]jobs.Run{
		"acme": {ID: later, Connection: "acme", Job: "score", StartedAt: at(9, 0), EndedAt: new(at(9, 1)), Error: "no quota"},
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
