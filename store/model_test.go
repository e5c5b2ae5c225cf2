package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// testModel applies random changes to the store and to a map, and asks both the same questions.
func testModel(t *testing.T, db *DB) {
	checks := 0
	run := begin(t, db)
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		m := &model{T: rt, db: db, run: run, connection: fmt.Sprintf("c%d", checks),
			deals: map[string]*jobs.Handoff{}, versions: map[string]int{}, accounts: map[string]jobs.AccountHealth{}}
		rt.Repeat(map[string]func(*rapid.T){
			"save":     m.save,
			"finish":   m.finish,
			"accounts": m.saveAccounts,
			"":         m.check,
		})
	})
}

type model struct {
	*rapid.T
	db         *DB
	run        int64
	connection string
	deals      map[string]*jobs.Handoff
	versions   map[string]int
	open       []jobs.Write
	accounts   map[string]jobs.AccountHealth
}

func (m *model) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

var (
	healths   = rapid.SampledFrom([]string{"", rules.Green, rules.Yellow, rules.Red})
	dealIDs   = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	accountID = rapid.SampledFrom([]string{"", "x", "y", "z"})
	moments   = rapid.Map(rapid.IntRange(0, 5), func(n int) time.Time { return at(n, 0) })
)

func (m *model) save(t *rapid.T) {
	var changes []jobs.Change
	for _, id := range rapid.SliceOfNDistinct(dealIDs, 1, 4, rapid.ID[string]).Draw(t, "ids") {
		h := deal(id, won(accountID.Draw(t, "account"), rapid.IntRange(0, 3).Draw(t, "day"), healths.Draw(t, "health")))
		h.Connection = m.connection
		h.InputHash = rapid.StringMatching("[ab]").Draw(t, "hash")
		h.Snapshot.Deal.Name = h.InputHash
		h.Rulebook = rapid.SampledFrom([]string{"book 1", "book 2"}).Draw(t, "rulebook")
		h.Pending, h.Finalised, h.Reopened = rapid.Bool().Draw(t, "pending"), rapid.Bool().Draw(t, "finalised"), rapid.Bool().Draw(t, "reopened")
		h.DueAt = rapid.Ptr(moments, true).Draw(t, "due")
		c := jobs.Change{Handoff: h, NewVersion: m.deals[id] == nil || rapid.Bool().Draw(t, "new")}
		if rapid.Bool().Draw(t, "write") {
			c.Write = &jobs.Write{Connection: m.connection, Ref: crm.Ref{Object: crm.DealObject, ID: id}, State: jobs.WriteIntended,
				After: crm.Values{rapid.SampledFrom([]string{"score", "gaps"}).Draw(t, "field"): healths.Draw(t, "value")}}
		}
		changes = append(changes, c)
	}
	m.must(m.db.Save(t.Context(), m.run, changes))
	for _, c := range changes {
		id := c.Handoff.DealID
		if c.NewVersion {
			m.versions[id]++
		}
		if c.Handoff.Version != m.versions[id] {
			t.Fatalf("deal %s is at version %d, want %d", id, c.Handoff.Version, m.versions[id])
		}
		m.deals[id] = c.Handoff
		if c.Write != nil {
			m.open = append(m.open, *c.Write)
		}
	}
}

func (m *model) finish(t *rapid.T) {
	if len(m.open) == 0 {
		t.Skip("no write is open") // rapid draws another action; the test goes on
	}
	n := rapid.IntRange(1, len(m.open)).Draw(t, "writes")
	finished := m.open[:n]
	m.open = slices.Clone(m.open[n:])
	for i := range finished {
		w := &finished[i]
		w.State = rapid.SampledFrom([]jobs.WriteState{jobs.WriteDone, jobs.WriteParked, jobs.WriteDropped}).Draw(t, "state")
		w.Detail = "why"
		if w.State == jobs.WriteParked {
			w.Refusal = &jobs.Refusal{Message: fmt.Sprint("why ", w.ID), At: at(7, 0), Since: at(7, 0), Next: at(8, 0)}
		}
		if w.Ref.Object == crm.AccountObject {
			a := m.accounts[w.Ref.ID]
			switch w.State {
			case jobs.WriteDone:
				a.Written, a.Parked = w.After, nil
			case jobs.WriteParked:
				a.Parked = w.Refusal
			}
			m.accounts[w.Ref.ID] = a
			continue
		}
		h := m.deals[w.Ref.ID]
		switch w.State {
		case jobs.WriteDone:
			if h.Written == nil {
				h.Written = crm.Values{}
			}
			maps.Copy(h.Written, w.After)
			h.Pending, h.Parked = false, nil
		case jobs.WriteParked:
			h.Parked = w.Refusal
		}
	}
	m.must(m.db.FinishWrites(t.Context(), finished))
}

func (m *model) saveAccounts(t *rapid.T) {
	a := jobs.AccountHealth{AccountID: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "account")}
	if rapid.Bool().Draw(t, "written") {
		a.Written = crm.Values{"health": healths.Draw(t, "health")}
	}
	if rapid.Bool().Draw(t, "edited") {
		a.Edits = map[string]jobs.Edit{"health": {Value: "Purple", Ignored: rapid.SampledFrom([]string{"", "no"}).Draw(t, "ignored")}}
	}
	w := &jobs.Write{RunID: m.run, Connection: m.connection, Ref: crm.Ref{Object: crm.AccountObject, ID: a.AccountID},
		State: jobs.WriteIntended, After: crm.Values{"health": healths.Draw(t, "after")}}
	m.must(m.db.SaveAccounts(t.Context(), m.connection, []jobs.AccountHealth{a}, []*jobs.Write{w}))
	m.accounts[a.AccountID] = a
	m.open = append(m.open, *w)
}

func (m *model) check(t *rapid.T) {
	ctx := t.Context()
	compare := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("%s: %s, want %s", what, g, w)
		}
	}
	held, err := m.db.Handoffs(ctx, m.connection, []string{"a", "b", "c", "d", "e", "f"})
	m.must(err)
	compare("deals", len(held), len(m.deals))
	flat := func(h *jobs.Handoff) string {
		return fmt.Sprint(h.AccountID, h.InputHash, h.Snapshot.Deal.Name, h.Rulebook, h.Version, h.Pending, h.Finalised, h.Reopened, h.DueAt, h.Parked,
			h.Merged, maps.Clone(h.Written))
	}
	for id, want := range m.deals {
		compare("deal "+id, flat(held[id]), flat(want))
		versions, err := m.db.Versions(ctx, m.connection, id)
		m.must(err)
		compare("versions of "+id, len(versions), m.versions[id])
	}

	open, err := m.db.OpenWrites(ctx, m.connection)
	m.must(err)
	writes := func(list []jobs.Write) (texts []string) {
		for _, w := range list {
			texts = append(texts, fmt.Sprint(w.ID, w.Ref, w.After, w.State))
		}
		return texts
	}
	compare("open writes", writes(open), writes(m.open))

	now, after, limit := moments.Draw(t, "now"), rapid.SampledFrom([]string{"", "a", "c"}).Draw(t, "after"), rapid.IntRange(1, 7).Draw(t, "limit")
	waiting, err := m.db.Waiting(ctx, m.connection, "book 1", now, after, limit)
	m.must(err)
	var got []string
	for _, h := range waiting {
		got = append(got, h.DealID)
	}
	compare("waiting", got, m.waiting(now, after, limit))

	accounts, err := m.db.Accounts(ctx, m.connection, "", 10)
	m.must(err)
	got = nil
	for _, a := range accounts {
		got = append(got, a.AccountID+" "+a.Health)
	}
	compare("accounts", got, m.latest())
}

func (m *model) waiting(now time.Time, after string, limit int) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(m.deals)) {
		h := m.deals[id]
		stale := !h.Finalised && !h.Reopened && (h.Rulebook != "book 1" || h.DueAt != nil && !h.DueAt.After(now))
		if id > after && len(ids) < limit && (h.Pending || stale) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (m *model) latest() (accounts []string) {
	closed := func(h *jobs.Handoff) string {
		if h.Snapshot.Deal.CloseDate == nil {
			return ""
		}
		return h.Snapshot.Deal.CloseDate.String()
	}
	byAge := slices.SortedFunc(maps.Values(m.deals), func(a, b *jobs.Handoff) int {
		return cmp.Or(cmp.Compare(closed(a), closed(b)), cmp.Compare(a.DealID, b.DealID))
	})
	health := map[string]string{}
	for _, h := range byAge {
		if !h.Reopened && h.Merged["health"] != "" && h.AccountID != "" {
			health[h.AccountID] = h.Merged["health"]
		}
	}
	for _, id := range slices.Sorted(maps.Keys(health)) {
		if a := m.accounts[id]; a.Written["health"] != health[id] || a.Parked != nil {
			accounts = append(accounts, id+" "+health[id])
		}
	}
	return accounts
}
