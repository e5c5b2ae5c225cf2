package store

import (
	"testing"

	"handoff/crm"
	"handoff/jobs"
)

func testMemory(t *testing.T, db *DB) {
	ctx := t.Context()
	acme, globex := db.Memory("acme"), db.Memory("globex")
	recalled := func(m *Memory) string { return string(must[[]byte](t)(m.Recall(ctx))) }
	if data := must[[]byte](t)(acme.Recall(ctx)); data != nil {
		t.Errorf("a new store remembers %q, want nil", data)
	}
	check(t, acme.Remember(ctx, []byte("first")))
	check(t, acme.Remember(ctx, []byte("second")))
	check(t, globex.Remember(ctx, []byte("other")))
	if got := recalled(acme) + ", " + recalled(globex); got != "second, other" {
		t.Errorf("recalled %s", got)
	}
	check(t, acme.Remember(ctx, nil))
	if got := recalled(acme) + ", " + recalled(globex); got != ", other" {
		t.Errorf("after forgetting, recalled %s", got)
	}

	d, finalised, reopened := deal("d1"), deal("d3"), deal("d4")
	finalised.Finalised, reopened.Reopened = true, true
	check(t, db.Save(ctx, begin(t, db), []jobs.Change{{Handoff: d}, {Handoff: finalised}, {Handoff: reopened}}))
	equal(t, "snapshots", must[map[string]*crm.Snapshot](t)(acme.Snapshots(ctx, []string{"d1", "d2", "d3", "d4"})), map[string]*crm.Snapshot{"d1": d.Snapshot})
	equal(t, "snapshots of another connection", must[map[string]*crm.Snapshot](t)(globex.Snapshots(ctx, []string{"d1"})), map[string]*crm.Snapshot{})
}
