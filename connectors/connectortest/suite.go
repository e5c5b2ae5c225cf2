package connectortest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// Run runs the suite.
func Run(t *testing.T, start Start) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Start)
	}{
		{"first pull", firstPull},
		{"nothing new", nothingNew},
		{"news", news},
		{"deal lost", dealLost},
		{"killed pull goes on", killedPull},
		{"standing", standing},
		{"gone and left", goneAndLeft},
		{"contact gone", contactGone},
		{"setup", setup},
		{"setup removal", setupRemoval},
		{"check", check},
		{"unusable", unusable},
		{"values", values},
		{"filtered values", filteredValues},
		{"outcomes", outcomes},
		{"edits", edits},
		{"read faults", readFaults},
		{"write faults", writeFaults},
		{"login faults", loginFaults},
		{"cancelled", cancelled},
		{"quota", quota},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, start) })
	}
}

// pulled is what a pull yielded.
type pulled struct {
	records []connectors.Record
	left    []string
	marks   crm.Watermarks
}

// Save returns the watermarks that a store holds once it has saved some.
func Save(held, some crm.Watermarks) crm.Watermarks {
	all := crm.Watermarks{}
	maps.Copy(all, held)
	maps.Copy(all, some)
	return all
}

func pull(ctx context.Context, c connectors.Puller, since crm.Watermarks) (pulled, error) {
	p := pulled{marks: since}
	err := c.Pull(ctx, since, func(b connectors.Batch) error {
		p.records = append(p.records, b.Records...)
		p.left = append(p.left, b.Left...)
		if b.Watermarks != nil {
			p.marks = Save(p.marks, b.Watermarks)
		}
		return nil
	})
	return p, err
}

func mustPull(t *testing.T, f *Fixture, since crm.Watermarks) pulled {
	t.Helper()
	p, err := pull(t.Context(), f.Connector, since)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	return p
}

func (p pulled) names() []string {
	var names []string
	for _, r := range p.records {
		names = append(names, r.Snapshot.Deal.Name)
	}
	slices.Sort(names)
	return names
}

// few are won deals enough for tests of one behaviour.
func few() []*crm.Snapshot { return deals.Demo()[:4] }

func wonNames(cases []*crm.Snapshot) []string {
	var names []string
	for _, c := range cases {
		if c.Deal.Won {
			names = append(names, c.Deal.Name)
		}
	}
	slices.Sort(names)
	return names
}

// firstPull: every won deal comes, whole and equal to its case; the others never do.
func firstPull(t *testing.T, start Start) {
	cases := deals.Demo()
	f := start(t, cases)
	p := mustPull(t, f, nil)
	if diff := cmp.Diff(wonNames(cases), p.names()); diff != "" {
		t.Fatalf("won deals, -cases +pulled:\n%s", diff)
	}
	byName := map[string]*crm.Snapshot{}
	for _, c := range cases {
		byName[c.Deal.Name] = c
	}
	for i := range p.records {
		got := &p.records[i].Snapshot
		if got.ID == "" || got.ID != got.Deal.ID {
			t.Errorf("%s: snapshot id %q, deal id %q", got.Deal.Name, got.ID, got.Deal.ID)
		}
		want := byName[got.Deal.Name]
		f.Lose(want, got)
		if diff := cmp.Diff(comparable(want), comparable(got), comparing); diff != "" {
			t.Errorf("%s: -case +pulled:\n%s", got.Deal.Name, diff)
		}
	}
	again := mustPull(t, f, nil)
	for i := range p.records {
		if p.records[i].Snapshot.Hash() != again.records[i].Snapshot.Hash() {
			t.Errorf("%s: two pulls give different snapshots", p.records[i].Snapshot.Deal.Name)
		}
	}
}

// nothingNew: a pull without news yields nothing, and moves the watermarks on.
func nothingNew(t *testing.T, start Start) {
	f := start(t, few())
	p := mustPull(t, f, nil)
	if len(p.marks) == 0 {
		t.Fatal("the first pull gives no watermarks")
	}
	for range 2 {
		again := mustPull(t, f, p.marks)
		if len(again.records)+len(again.left) > 0 {
			t.Errorf("a pull without news yields %v and left %v", again.names(), again.left)
		}
		for object, mark := range p.marks {
			if again.marks[object].Time.Before(mark.Time) {
				t.Errorf("the watermark of %s moves back from %v to %v", object, mark.Time, again.marks[object].Time)
			}
		}
		p.marks = again.marks
	}
}

// news: whatever kind of record the news is in, its deal comes again, and no other.
func news(t *testing.T, start Start) {
	f := start(t, few())
	provision(t, f)
	p := mustPull(t, f, nil)
	deal := p.records[1].Snapshot.Deal
	for _, tc := range []struct {
		name string
		do   func() error
		seen func(*crm.Snapshot) bool
	}{
		{"note", func() error { return f.AddNote(deal.ID, "They go live on 9 November.") }, func(s *crm.Snapshot) bool {
			return slices.ContainsFunc(s.Notes, func(n crm.Note) bool { return plainText(n.Body) == "Theygoliveon9November." })
		}},
		{"contact", func() error { return f.AddContact(deal.ID, "Newcomer", "Champion") }, func(s *crm.Snapshot) bool {
			return slices.ContainsFunc(s.Contacts, func(c crm.Contact) bool { return c.Name == "Newcomer" && slices.Equal(c.Roles, []string{"Champion"}) })
		}},
		{"task", func() error { return f.AddTask(deal.ID, "Send the plan") }, func(s *crm.Snapshot) bool {
			return slices.ContainsFunc(s.Activities, func(a crm.Activity) bool { return a.Kind == crm.Task && a.Subject == "Send the plan" })
		}},
		{"e-mail", func() error { return f.AddEmail(deal.ID, "Re: plan", "Agreed.") }, func(s *crm.Snapshot) bool {
			return slices.ContainsFunc(s.Activities, func(a crm.Activity) bool { return a.Kind == crm.Email && a.Body == "Agreed." })
		}},
		{"field", func() error { return f.Edit(deal.ID, "item_1_1", "2") }, func(*crm.Snapshot) bool { return true }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.Clock.Advance(time.Minute) // out of reach of the overlap
			before := mustPull(t, f, p.marks)
			f.Clock.Advance(time.Minute)
			if err := tc.do(); err != nil {
				t.Fatal(err)
			}
			after := mustPull(t, f, before.marks)
			if diff := cmp.Diff([]string{deal.Name}, after.names()); diff != "" {
				t.Fatalf("deals, -want +got:\n%s", diff)
			}
			if !tc.seen(&after.records[0].Snapshot) {
				t.Error("the deal comes without its news")
			}
			p = after
		})
	}
}

// dealLost: a deal that is not Closed Won any more is named, and not yielded.
func dealLost(t *testing.T, start Start) {
	f := start(t, few())
	p := mustPull(t, f, nil)
	id := p.records[0].Snapshot.ID
	if err := f.LoseDeal(id); err != nil {
		t.Fatal(err)
	}
	p = mustPull(t, f, p.marks)
	if !slices.Equal(p.left, []string{id}) || len(p.records) > 0 {
		t.Errorf("left %v and deals %v, want %s left and no deal", p.left, p.names(), id)
	}
}

// killedPull: the watermarks of a batch are enough to go on from.
func killedPull(t *testing.T, start Start) {
	cases := deals.Generate(450, 1, time.Now())
	f := start(t, cases)
	f.Clock.Advance(time.Hour) // that the deals were made is no news
	seen := map[string]int{}
	killed := errors.New("killed")
	var marks crm.Watermarks
	for round := 0; ; round++ {
		if round == 10 {
			t.Fatal("the pull does not come to its end")
		}
		err := f.Connector.Pull(t.Context(), marks, func(b connectors.Batch) error {
			for _, r := range b.Records {
				seen[r.Snapshot.Deal.Name]++
			}
			if b.Watermarks != nil {
				marks = Save(marks, b.Watermarks)
			}
			if len(b.Records) > 0 {
				return killed
			}
			return nil
		})
		if err == nil {
			break
		}
		if !errors.Is(err, killed) {
			t.Fatal(err)
		}
	}
	for _, name := range wonNames(cases) {
		if seen[name] != 1 {
			t.Errorf("%s came %d times", name, seen[name])
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("deals that are not won came: %v", seen)
	}
}

// cancelled: a pull ends with its context, in good time.
func cancelled(t *testing.T, start Start) {
	f := start(t, few())
	f.fault(t, Fault{Path: f.Reads, DelayMS: 60_000})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := pull(ctx, f.Connector, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}
