package store

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"handoff/jobs"
)

// resting sets what a deal's card rests on.
func resting(connection string, texts ...int64) func(*jobs.Handoff) {
	return func(h *jobs.Handoff) { h.Connection, h.Texts = connection, append([]int64{}, texts...) }
}

func testTemplates(t *testing.T, db *DB) {
	ctx := t.Context()
	run := begin(t, db)
	const a, b, c = -1 << 63, 2, 3
	set := func(hashes ...int64) map[int64]bool {
		m := map[int64]bool{}
		for _, hash := range hashes {
			m[hash] = true
		}
		return m
	}
	found := func(what, connection string, deals int, want map[int64]bool) {
		t.Helper()
		check(t, db.FindTemplates(ctx, connection, deals))
		equal(t, what, must[map[int64]bool](t)(db.Templates(ctx, connection)), want)
	}
	found("no deals", "acme", 1, set())
	save(t, db, run, deal("d1", resting("acme", a, b)), deal("d2", resting("acme", a)), deal("d3", resting("acme")))
	save(t, db, run, deal("d1", resting("globex", a, c)))
	equal(t, "before they are looked for", must[map[int64]bool](t)(db.Templates(ctx, "acme")), set())
	found("from 3 deals on", "acme", 3, set())
	found("from 2 deals on", "acme", 2, set(a))
	found("from 1 deal on", "acme", 1, set(a, b))
	found("another connection", "globex", 2, set())
	equal(t, "after another connection's", must[map[int64]bool](t)(db.Templates(ctx, "acme")), set(a, b))

	save(t, db, run, deal("d2", resting("acme", a)))
	found("after the same deal again", "acme", 2, set(a))
	found("after the same deal again, at one more", "acme", 3, set())
	save(t, db, run, deal("d2"))
	found("after a deal that was not scored again", "acme", 2, set(a))
	save(t, db, run, deal("d2", resting("acme", c)), deal("d3", resting("acme", c)))
	found("after a deal whose text changed", "acme", 2, set(c))
}

// testTemplatesTogether saves deals of two connections at once, and looks for templates meanwhile.
func testTemplatesTogether(t *testing.T, db *DB) {
	const savers, deals = 8, 10
	var all errgroup.Group
	for i := range savers {
		connection := []string{"acme", "globex"}[i%2]
		run := begin(t, db)
		all.Go(func() error {
			for n := range deals {
				h := deal(fmt.Sprintf("d%d-%d", i, n), resting(connection, 1, int64(n)*100+100))
				for range 2 { // the second time changes nothing
					if err := db.Save(t.Context(), run, []jobs.Change{{Handoff: h, NewVersion: true}}); err != nil {
						return err
					}
				}
				if err := db.FindTemplates(t.Context(), connection, 3); err != nil {
					return err
				}
			}
			return nil
		})
	}
	check(t, all.Wait())
	for _, connection := range []string{"acme", "globex"} {
		for _, want := range []struct{ deals, templates int }{
			{savers / 2, 1 + deals}, {savers/2 + 1, 1}, {savers / 2 * deals, 1}, {savers/2*deals + 1, 0},
		} {
			check(t, db.FindTemplates(t.Context(), connection, want.deals))
			if got := must[map[int64]bool](t)(db.Templates(t.Context(), connection)); len(got) != want.templates {
				t.Errorf("%s: %d templates from %d deals on, want %d", connection, len(got), want.deals, want.templates)
			}
		}
	}
}
