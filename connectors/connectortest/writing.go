package connectortest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

func provision(t *testing.T, f *Fixture) []connectors.Step {
	t.Helper()
	plan, err := f.Connector.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	for _, s := range plan.Steps {
		if err := f.Connector.Apply(t.Context(), s); err != nil {
			t.Fatalf("%s %s: %v", s.What, s.Target, err)
		}
	}
	return plan.Steps
}

// setup: a plan that was carried out leaves nothing to do, half or twice.
func setup(t *testing.T, start Start) {
	f := start(t, few())
	plan, err := f.Connector.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	steps := plan.Steps
	if len(steps) < len(Specs) {
		t.Fatalf("%d steps for %d fields", len(steps), len(Specs))
	}
	for _, s := range steps {
		if s.What == "" || s.Target == "" || s.Detail == "" {
			t.Errorf("a step does not say what it does: %+v", s)
		}
	}
	for _, s := range steps[:3] { // then it is killed
		if err := f.Connector.Apply(t.Context(), s); err != nil {
			t.Fatalf("%s %s: %v", s.What, s.Target, err)
		}
	}
	rest := provision(t, f)
	if len(rest) != len(steps)-3 {
		t.Errorf("after three of %d steps, %d are left", len(steps), len(rest))
	}
	for _, s := range steps {
		if err := f.Connector.Apply(t.Context(), s); err != nil {
			t.Errorf("%s %s, again: %v", s.What, s.Target, err)
		}
	}
	if left, err := f.Connector.Plan(t.Context(), connectors.SetupOptions{}); err != nil || len(left.Steps) > 0 {
		t.Errorf("still to do: %+v, %v", left, err)
	}
}

// full holds a value of each type.
var full = crm.Values{
	"score": "31", "item_1_1": "2", "health": "Yellow", "ghost": "true", "gaps": "What tipped it?\nWho objected? <b>&</b> „ü“ 🙂",
	"next_action": "Ask the AE", "scored_at": "2026-11-20T08:30:00Z",
}

var empty = crm.Values{"score": "", "item_1_1": "", "health": "", "ghost": "false", "gaps": "", "next_action": "", "scored_at": ""}

// values: what is written is read back in the same form, by ReadValues and by the next pull.
func values(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	deal, account := p.records[0].Snapshot.ID, p.records[0].AccountID
	ref := crm.Ref{Object: crm.DealObject, ID: deal}
	if diff := cmp.Diff(empty, p.records[0].Values); diff != "" {
		t.Errorf("before the first write, -want +got:\n%s", diff)
	}
	write := func(updates ...crm.Update) {
		t.Helper()
		outcomes, err := f.Connector.Write(t.Context(), updates)
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		for i, o := range outcomes {
			if o.Err != nil || o.Ref != updates[i].Ref {
				t.Errorf("outcome %d: %+v", i, o)
			}
		}
	}
	read := func(object crm.Object, ids ...string) map[string]crm.Values {
		t.Helper()
		got, err := f.Connector.ReadValues(t.Context(), object, ids)
		if err != nil {
			t.Fatalf("read values: %v", err)
		}
		return got
	}
	accountRef := crm.Ref{Object: crm.AccountObject, ID: account}
	write(crm.Update{Ref: accountRef, Values: crm.Values{"health": "Green"}}, crm.Update{Ref: ref, Values: full})
	if diff := cmp.Diff(map[string]crm.Values{deal: full}, read(crm.DealObject, deal, f.Gone)); diff != "" {
		t.Errorf("deal, -written +read:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]crm.Values{account: {"health": "Green"}}, read(crm.AccountObject, account)); diff != "" {
		t.Errorf("account, -written +read:\n%s", diff)
	}

	p = mustPull(t, f, p.marks) // our own write is news, as anyone's is
	if len(p.records) != 1 {
		t.Fatalf("after a write, %v come", p.names())
	}
	if diff := cmp.Diff(full, p.records[0].Values); diff != "" {
		t.Errorf("pulled, -written +read:\n%s", diff)
	}
	if r := p.records[0]; r.ModifiedBy != "" || len(r.Edits) > 0 {
		t.Errorf("our own write counts as an edit of %q: %+v", r.ModifiedBy, r.Edits)
	}

	write(crm.Update{Ref: ref, Values: empty})
	if diff := cmp.Diff(map[string]crm.Values{deal: empty}, read(crm.DealObject, deal)); diff != "" {
		t.Errorf("emptied, -want +read:\n%s", diff)
	}
	write(crm.Update{Ref: ref, Values: crm.Values{"next_action": strings.Repeat("word ", 100)}})
	if got := read(crm.DealObject, deal)[deal]["next_action"]; !strings.HasPrefix(got, "word word") || len([]rune(got)) > 255 || strings.HasSuffix(got, "wor…") {
		t.Errorf("a text that is too long is kept as %q", got)
	}
}

// filteredValues: of deals that the filters exclude there are no values to write to; whether a deal is won is no filter.
func filteredValues(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	var ids []string
	for _, r := range p.records {
		ids = append(ids, r.Snapshot.ID)
	}
	want := slices.Clone(ids[:2])
	if err := f.LoseDeal(want[0]); err != nil {
		t.Fatal(err)
	}
	narrow := f.Narrow(t, want...)
	values, err := narrow.ReadValues(t.Context(), crm.DealObject, ids)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(values)); !slices.Equal(got, want) {
		t.Errorf("values of %v, want those of %v", got, want)
	}
	account := p.records[0].AccountID
	if values, err = narrow.ReadValues(t.Context(), crm.AccountObject, []string{account}); err != nil || len(values) != 1 {
		t.Errorf("values of the account of a deal that is excluded: %v, %v", values, err)
	}
}

// outcomes: each update has its own, in order; a bad row fails alone.
func outcomes(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	deal := func(i int) crm.Ref { return crm.Ref{Object: crm.DealObject, ID: p.records[i].Snapshot.ID} }
	gone := crm.Ref{Object: crm.DealObject, ID: f.Gone}
	updates := []crm.Update{
		{Ref: deal(0), Values: crm.Values{"score": "10"}},
		{Ref: gone, Values: crm.Values{"score": "11"}},
		{Ref: crm.Ref{Object: crm.AccountObject, ID: p.records[0].AccountID}, Values: crm.Values{"health": "Red"}},
		{Ref: deal(1), Values: crm.Values{"health": "Purple"}},
		{Ref: deal(2), Values: crm.Values{"score": "many"}},
		{Ref: deal(3), Values: crm.Values{"score": "12"}},
	}
	want := []error{nil, connectors.ErrDrop, nil, connectors.ErrPark, connectors.ErrPark, nil}
	got, err := f.Connector.Write(t.Context(), updates)
	if err != nil || len(got) != len(updates) {
		t.Fatalf("%d outcomes and error %v", len(got), err)
	}
	for i, o := range got {
		if o.Ref != updates[i].Ref {
			t.Errorf("outcome %d is of %v, want %v", i, o.Ref, updates[i].Ref)
		}
		if want[i] == nil && o.Err != nil || want[i] != nil && (o.Err == nil || !errors.Is(o.Err, want[i])) {
			t.Errorf("outcome %d: %v, want %v", i, o.Err, want[i])
		}
	}
	written, err := f.Connector.ReadValues(t.Context(), crm.DealObject, []string{deal(0).ID, deal(3).ID})
	if err != nil || written[deal(0).ID]["score"] != "10" || written[deal(3).ID]["score"] != "12" {
		t.Errorf("the good rows hold %v, %v", written, err)
	}
}

// edits: what another user sets is seen, with the user's name.
func edits(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	id := p.records[2].Snapshot.ID
	if err := f.Edit(id, "item_1_1", "1"); err != nil {
		t.Fatal(err)
	}
	p = mustPull(t, f, p.marks)
	i := slices.IndexFunc(p.records, func(r connectors.Record) bool { return r.Snapshot.ID == id })
	if i < 0 {
		t.Fatal("the deal does not come again")
	}
	r := p.records[i]
	if r.Values["item_1_1"] != "1" {
		t.Errorf("the field holds %q, want 1", r.Values["item_1_1"])
	}
	if r.ModifiedBy == "" || r.ModifiedAt.IsZero() {
		t.Errorf("modified by %q at %v", r.ModifiedBy, r.ModifiedAt)
	}
	if len(r.Edits) != 1 || r.Edits[0].Field != "item_1_1" || r.Edits[0].Value != "1" || r.Edits[0].By == "" || r.Edits[0].At.IsZero() {
		t.Errorf("edits %+v", r.Edits)
	}
}
