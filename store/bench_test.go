package store

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// fullDeal returns a deal of realistic size: some 6 KB of record, 20 items with evidence.
func fullDeal(i int) *jobs.Handoff {
	return deal(fmt.Sprintf("006%012dAAA", i), func(h *jobs.Handoff) {
		words := strings.Fields("kickoff champion rollout security review migration legal approval competitor finance sandbox renewal integration")
		text := func(n int) string {
			var b strings.Builder
			for k := range n {
				b.WriteString(words[(i*7+k*k)%len(words)])
				b.WriteByte(' ')
			}
			return b.String()
		}
		for n := range 6 {
			h.Snapshot.Notes = append(h.Snapshot.Notes, crm.Note{ID: fmt.Sprintf("069%d-%d", i, n), At: new(at(n, 0)), Author: "Dana Ruiz", Body: text(90)})
		}
		for n := range 3 {
			h.Snapshot.Contacts = append(h.Snapshot.Contacts, crm.Contact{ID: fmt.Sprintf("003%d-%d", i, n), Name: "Ines Cho", Email: "ines@example.com", Roles: []string{"Champion"}})
		}
		h.Card.Items = nil
		for n := range 20 {
			id := fmt.Sprintf("%d.%d", n/4+1, n%4+1)
			h.Card.Items = append(h.Card.Items, rules.Item{ID: id, Score: n % 3, Reason: text(12), Remedy: text(8), Sure: true,
				Evidence: []rules.Evidence{{Source: "note", Record: "069", Quote: text(15)}}})
			h.Merged["item_"+id] = fmt.Sprint(n % 3)
		}
		for n := range 12 { // the last four are on many deals
			hash := int64(i*12 + n)
			if n >= 8 {
				hash = -int64(n*100 + i%100)
			}
			h.Texts = append(h.Texts, hash)
		}
		h.Merged["gaps"], h.Merged["item_notes"] = text(120), text(160)
	})
}

// BenchmarkSave saves deals in the size of one batch of a run, each with a new card and an intended write.
func BenchmarkSave(b *testing.B) {
	benchmarkBatches(b, func(db *DB, run int64, changes []jobs.Change) {
		check(b, db.Save(b.Context(), run, changes))
	}, func(*DB, int64, []jobs.Change) {})
}

// BenchmarkFinishWrites saves the outcomes of such a batch.
func BenchmarkFinishWrites(b *testing.B) {
	benchmarkBatches(b, func(db *DB, _ int64, changes []jobs.Change) {
		var done []jobs.Write
		for _, c := range changes {
			w := *c.Write
			w.State = jobs.WriteDone
			done = append(done, w)
		}
		check(b, db.FinishWrites(b.Context(), done))
	}, func(db *DB, run int64, changes []jobs.Change) {
		check(b, db.Save(b.Context(), run, changes))
	})
}

// benchmarkBatches times do with batches of new deals, but not prepare, which comes first.
func benchmarkBatches(b *testing.B, do, prepare func(db *DB, run int64, changes []jobs.Change)) {
	const batch = 200
	db := openTemp(b, filepath.Join(b.TempDir(), "handoff.db"))
	run := begin(b, db)
	n := 0
	for b.Loop() {
		b.StopTimer()
		changes := make([]jobs.Change, batch)
		for i := range changes {
			h := fullDeal(n)
			changes[i] = intent(h, h.Merged)
			changes[i].Message = nil
			n++
		}
		prepare(db, run, changes)
		b.StartTimer()
		do(db, run, changes)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "deals/s")
}

// fill returns a store of n deals, all written.
func fill(b *testing.B, n int) *DB {
	db := openTemp(b, filepath.Join(b.TempDir(), "handoff.db"))
	run := begin(b, db)
	for i := 0; i < n; i += 1000 {
		var handoffs []*jobs.Handoff
		for k := range 1000 {
			h := fullDeal(i + k)
			h.Written = h.Merged
			handoffs = append(handoffs, h)
		}
		save(b, db, run, handoffs...)
	}
	return db
}

// BenchmarkReads times what each run asks of a store of 20,000 deals without news, and what commands ask.
func BenchmarkReads(b *testing.B) {
	const n = 20_000
	db := fill(b, n)
	ctx := b.Context()
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fullDeal(i * 97).DealID
	}
	for _, read := range []struct {
		name string
		do   func() error
	}{
		{"Handoffs200", func() error { _, err := db.Handoffs(ctx, "acme", ids); return err }},
		{"WaitingNone", func() error { _, err := db.Waiting(ctx, "acme", "book 1", at(0, 0), "", 200); return err }},
		{"FindTemplates", func() error { return db.FindTemplates(ctx, "acme", jobs.TemplateDeals) }},
		{"Count", func() error { _, _, err := db.CountHandoffs(ctx, "acme"); return err }},
		{"Accounts200", func() error { _, err := db.Accounts(ctx, "acme", "", 200); return err }},
		{"FindName", func() error { _, err := db.Find(ctx, "Deal "+ids[3]); return err }},
		{"FindShortID", func() error { _, err := db.Find(ctx, ids[3][:15]); return err }},
		{"ListFlagged", func() error { _, err := db.List(ctx, jobs.Filter{Flagged: true}); return err }},
		{"ListAll", func() error { _, err := db.List(ctx, jobs.Filter{}); return err }},
	} {
		b.Run(read.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check(b, read.do())
			}
		})
	}
}
