package connectortest

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

func mustReconcile(t *testing.T, c connectors.Reconciler) connectors.Reconciliation {
	t.Helper()
	in, err := c.Reconcile(t.Context())
	if err != nil {
		t.Fatalf("reconcile: %v", err)
	}
	return in
}

func mustStand(t *testing.T, in connectors.Reconciliation, deals ...string) map[string]connectors.Standing {
	t.Helper()
	standing, err := in.Standing(t.Context(), deals)
	if err != nil {
		t.Fatalf("standing: %v", err)
	}
	if len(standing) != len(deals) {
		t.Errorf("standing of %d deals, want %d", len(standing), len(deals))
	}
	return standing
}

// standing: a look at a deal tells what a pull tells of the same, so that a difference is news.
func standing(t *testing.T, start Start) {
	f := start(t, deals.Demo())
	p := mustPull(t, f, nil)
	byID := map[string]*crm.Snapshot{}
	var ids []string
	for i := range p.records {
		s := &p.records[i].Snapshot
		byID[s.ID] = s
		ids = append(ids, s.ID)
	}
	in := mustReconcile(t, f.Connector)
	for id, got := range mustStand(t, in, ids...) {
		s := byID[id]
		want := connectors.Standing{State: connectors.Stands, Deal: s.Deal}
		want.Deal.KickoffAt = nil
		if _, compared := got.Records[crm.PartContacts]; !compared {
			t.Errorf("%s: contacts are not compared", s.Deal.Name)
		}
		want.Records = map[crm.Part][]string{}
		for part, ids := range got.Records {
			held := slices.Sorted(slices.Values(s.IDs(part)))
			if part == crm.PartEvents { // a kickoff that nobody described is no activity
				ids = slices.DeleteFunc(ids, func(id string) bool { return !slices.Contains(held, id) })
				got.Records[part] = ids
			}
			want.Records[part] = held
		}
		if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
			t.Errorf("%s: -pulled +standing:\n%s", s.Deal.Name, diff)
		}
	}
	whole, err := in.Read(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.names(), pulled{records: whole}.names()); diff != "" {
		t.Errorf("read whole: -pulled +read:\n%s", diff)
	}
	for i := range whole {
		if s := &whole[i].Snapshot; byID[s.ID].Hash() != s.Hash() {
			t.Errorf("%s: pulled and read differ", s.Deal.Name)
		}
	}
}

// text is the form in which snapshots are kept, and compared.
func text(t *testing.T, s connectors.Standing) string {
	t.Helper()
	b, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// goneAndLeft: what became of a deal is told apart, and none but ours is read.
func goneAndLeft(t *testing.T, start Start) {
	f := start(t, few())
	p := mustPull(t, f, nil)
	var ids []string
	for _, r := range p.records {
		ids = append(ids, r.Snapshot.ID)
	}
	kept, lost, deleted := ids[0], ids[1], ids[2]
	for _, err := range []error{f.LoseDeal(lost), f.RemoveDeal(deleted)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]connectors.State{kept: connectors.Stands, lost: connectors.Left, deleted: connectors.Deleted, f.Gone: connectors.Missing}
	in := mustReconcile(t, f.Connector)
	got := map[string]connectors.State{}
	for id, s := range mustStand(t, in, kept, lost, deleted, f.Gone) {
		got[id] = s.State
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	records, err := in.Read(t.Context(), []string{kept, lost, deleted, f.Gone})
	if err != nil || len(records) != 1 || records[0].Snapshot.ID != kept {
		t.Errorf("read %v, %v, want %s alone", pulled{records: records}.names(), err, kept)
	}

	narrow := mustReconcile(t, f.Narrow(t, ids[3]))
	if got := mustStand(t, narrow, kept)[kept].State; got != connectors.Left {
		t.Errorf("a deal that the filters exclude is in state %d, want Left", got)
	}
}

// contactGone: a contact that was deleted is none of its deals' any more.
func contactGone(t *testing.T, start Start) {
	f := start(t, few())
	p := mustPull(t, f, nil)
	i := slices.IndexFunc(p.records, func(r connectors.Record) bool { return len(r.Snapshot.Contacts) > 1 })
	s := &p.records[i].Snapshot
	if err := f.RemoveContact(s.Contacts[0].ID); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range s.Contacts[1:] {
		want = append(want, c.ID)
	}
	slices.Sort(want)
	in := mustReconcile(t, f.Connector)
	if got := mustStand(t, in, s.ID)[s.ID].Records[crm.PartContacts]; !slices.Equal(got, want) {
		t.Errorf("contacts %v, want %v", got, want)
	}
}
