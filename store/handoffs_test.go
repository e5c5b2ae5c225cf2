package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

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
		Gone:      jobs.GoneMerged,
		Heir:      "006H",
		DueAt:     new(at(23, 0)),
		Pending:   true,
		Parked:    &jobs.Refusal{Code: "FIELD_INTEGRITY_EXCEPTION", Message: "no", Fields: []string{"StageName"}, Since: at(6, 0), At: at(7, 0), Tries: 2, Next: at(9, 0), Sent: "1f"},
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

func testDealIDs(t *testing.T, db *DB) {
	begin(t, db)
	elsewhere := func(h *jobs.Handoff) { h.Connection = "globex" }
	save(t, db, 1, deal("10"), deal("2"), deal("1", func(h *jobs.Handoff) { h.Reopened, h.Gone = true, jobs.GoneDeleted }), deal("15", elsewhere))
	var got [][]string
	for _, after := range []string{"", "10", "2"} {
		got = append(got, must[[]string](t)(db.DealIDs(t.Context(), "acme", after, 2)))
	}
	equal(t, "ids above none, 10 and 2", got, [][]string{{"1", "10"}, {"2"}, nil})
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
		deal("l settled elsewhere", func(h *jobs.Handoff) { h.Connection = "globex" }),
	)
	waiting := func() (got []string) {
		for after := ""; ; {
			page := must[[]*jobs.Handoff](t)(db.Waiting(ctx, "acme", "book 1", at(12, 0), after, 2))
			if len(page) == 0 {
				return got
			}
			if len(page) > 2 {
				t.Fatalf("a page of %d", len(page))
			}
			for _, h := range page {
				got = append(got, h.DealID)
			}
			after = got[len(got)-1]
		}
	}
	equal(t, "waiting", waiting(), []string{"b pending", "c due", "e other book", "g finalised pending", "i reopened pending", "j overdue"})
	check(t, db.CompareAgain(ctx, "acme"))
	equal(t, "compared again", waiting(), []string{"a settled", "b pending", "c due", "d due later", "e other book", "f finalised", "g finalised pending", "i reopened pending", "j overdue"})
	if elsewhere := must[map[string]*jobs.Handoff](t)(db.Handoffs(ctx, "globex", []string{"l settled elsewhere"})); elsewhere["l settled elsewhere"].Pending {
		t.Error("a deal of another connection is compared again")
	}
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
	all, flagged, err = db.CountHandoffs(t.Context(), "")
	if err != nil || all != 6 || flagged != 3 {
		t.Errorf("of all: %d handoffs, %d flagged, error %v; want 6, 3", all, flagged, err)
	}
	all, flagged, err = db.CountHandoffs(t.Context(), "nobody")
	if err != nil || all != 0 || flagged != 0 {
		t.Errorf("of nobody: %d handoffs, %d flagged, error %v", all, flagged, err)
	}
}

func testAll(t *testing.T, db *DB) {
	run := begin(t, db)
	elsewhere := func(h *jobs.Handoff) { h.Connection = "globex" }
	save(t, db, run, deal("3"), deal("1", elsewhere), deal("2"), deal("1"))
	upTo := func(n int) (found []string) {
		for h, err := range db.All(t.Context()) {
			check(t, err)
			if found = append(found, h.Connection+":"+h.DealID); len(found) == n {
				break
			}
		}
		return found
	}
	equal(t, "all handoffs", upTo(10), []string{"acme:1", "acme:2", "acme:3", "globex:1"})
	equal(t, "the first two", upTo(2), []string{"acme:1", "acme:2"})

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for h, err := range db.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of ctx: handoff %v, error %v", h, err)
		}
	}
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

func TestUnread(t *testing.T) {
	db := openTemp(t, filepath.Join(t.TempDir(), "handoff.db"))
	open := func(h *jobs.Handoff) { h.Card.Items = []rules.Item{{ID: "1.1", NotRead: true}} }
	save(t, db, begin(t, db), deal("read"), deal("unread", open), deal("unread too", open),
		deal("finalised", open, func(h *jobs.Handoff) { h.Finalised = true }), deal("reopened", open, func(h *jobs.Handoff) { h.Reopened = true }),
		deal("elsewhere", open, func(h *jobs.Handoff) { h.Connection = "globex" }))
	ids := func(after string, limit int) (ids []string) {
		for _, h := range must[[]*jobs.Handoff](t)(db.Unread(t.Context(), "acme", after, limit)) {
			ids = append(ids, h.DealID)
		}
		return ids
	}
	equal(t, "unread", ids("", 2), []string{"unread", "unread too"})
	equal(t, "the first", ids("", 1), []string{"unread"})
	equal(t, "behind it", ids("unread", 2), []string{"unread too"})
	save(t, db, begin(t, db), deal("unread"))
	equal(t, "once it is read", ids("", 2), []string{"unread too"})
}
