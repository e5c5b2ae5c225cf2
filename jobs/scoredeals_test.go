package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
	"handoff/store"
)

// world is a CRM with deals, a store and the job between them. Its clock stands still unless a test moves it.
type world struct {
	t   *testing.T
	now time.Time
	crm *fakeCRM
	db  *store.DB
	log strings.Builder
	job jobs.ScoreDeals
}

// builtin is shared by the tests, for it takes a while to make.
var builtin = sync.OnceValues(func() (*rules.Engine, error) {
	sc, err := rules.Builtin()
	if err != nil {
		return nil, err
	}
	return rules.NewEngine(sc), nil
})

func newWorld(t *testing.T) *world {
	t.Helper()
	engine, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC)}
	w.crm = newFakeCRM(w.clock, jobs.Fields(engine.Scorecard()))
	w.job = jobs.ScoreDeals{
		Connection: "acme", CRM: w.crm, Engine: engine, WriteBack: true,
		Clock: w.clock, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	w.newStore(t)
	return w
}

func (w *world) clock() time.Time { return w.now }

// newStore puts an empty store in place of the present one.
func (w *world) newStore(t *testing.T) {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "handoff.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.db = db
	w.job.Store = db
}

// run lets an hour pass and runs the job.
func (w *world) run() jobs.Summary {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	s, err := w.job.Run(w.t.Context())
	if err != nil {
		w.t.Fatalf("run: %v", err)
	}
	return s
}

// wantRun runs the job and compares what it did; calls are left out.
func (w *world) wantRun(want jobs.Summary) {
	w.t.Helper()
	got := w.run()
	got.Calls = 0
	want.Connection = "acme"
	if got != want {
		w.t.Errorf("run did %+v, want %+v", got, want)
	}
}

const (
	oneRefused  = "1 row refused by the CRM: `handoff deals --parked` says why, what to do, and when the write is tried again"
	oneNotRead  = "1 deal not scored in full, because handoff could not read: notes. `handoff check` says why, and what to do"
	noneWritten = "no field of handoff can be written"
)

func (w *world) values(id string) crm.Values { return w.crm.deals[id].values }

func (w *world) handoff(id string) *jobs.Handoff {
	w.t.Helper()
	held, err := w.db.Handoffs(w.t.Context(), "acme", []string{id})
	if err != nil {
		w.t.Fatal(err)
	}
	return held[id]
}

func (w *world) messages() []jobs.Message {
	w.t.Helper()
	list, err := w.db.Unsent(w.t.Context(), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) wantValues(id string, want crm.Values) {
	w.t.Helper()
	for field, value := range want {
		if got := w.values(id)[field]; got != value {
			w.t.Errorf("%s of %s is %q, want %q", field, id, got, value)
		}
	}
}

// emptyDeal is a won deal that nobody wrote anything about; its card has no points for what people know.
func emptyDeal(id string) crm.Snapshot {
	closed := crm.NewDate(2026, time.June, 1)
	return crm.Snapshot{Deal: crm.Deal{ID: id, Name: "Deal " + id, Account: "Account of " + id, Won: true, CloseDate: &closed,
		Owner: &crm.User{Name: "Sam Reed"}}}
}

// noted is s with a note that tells which competitor lost, and why.
func noted(s crm.Snapshot) crm.Snapshot {
	at := time.Date(2026, time.June, 1, 8, 0, 0, 0, time.UTC)
	s.Notes = append(slices.Clone(s.Notes), crm.Note{ID: "n" + strconv.Itoa(len(s.Notes)), At: &at, Author: "Sam Reed",
		Body: "They evaluated Gong as well. Gong lost because it could not sync with their Salesforce."})
	return s
}

func number(t *testing.T, v crm.Values, field string) int {
	t.Helper()
	n, err := strconv.Atoi(v[field])
	if err != nil {
		t.Fatalf("%s is %q, not a number", field, v[field])
	}
	return n
}

func TestFirstRunWritesEveryFieldAndTheSecondNothing(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"d1", "d2", "d3"} {
		w.crm.put(emptyDeal(id), "a1")
	}
	lost := emptyDeal("lost")
	lost.Deal.Won = false
	w.crm.put(lost, "a1")

	first := w.run()
	if first.Pulled != 3 || first.Scored != 3 || first.Written != 3 || first.Flagged != 3 || first.Parked != 0 {
		t.Errorf("first run: %+v", first)
	}
	empty := []string{"final_score", "ghost_reason"}
	for field, value := range w.values("d1") {
		if (value == "") != slices.Contains(empty, field) {
			t.Errorf("%s is %q", field, value)
		}
	}
	w.wantValues("d1", crm.Values{"max": "40", "item_1_5": "0", "rating": "Incomplete", "health": "Red", "acceptance": "Pending",
		"ghost": "false", "complete": "false", "ready": "false", "finalised": "false", "scored_at": "2026-06-01T10:00:00Z"})
	for field, value := range w.values("lost") {
		if value != "" && value != "false" {
			t.Errorf("the deal that is not won has %s %q", field, value)
		}
	}
	if got := w.crm.accounts["a1"]["health"]; got != "Red" {
		t.Errorf("the account's health is %q", got)
	}

	w.wantRun(jobs.Summary{Flagged: 3}) // our own writes are news to the CRM
	if len(w.crm.applied) != 4 {
		t.Errorf("%d updates in two runs, want one for each deal and one for the account", len(w.crm.applied))
	}
	w.job.Store = unsaving{w.db, t}
	w.wantRun(jobs.Summary{Flagged: 3})
}

// unsaving is a store in which no deal may be saved.
type unsaving struct {
	jobs.Store
	t *testing.T
}

func (u unsaving) Save(_ context.Context, _ int64, changes []jobs.Change) error {
	u.t.Errorf("%d deals were saved although nothing changed", len(changes))
	return nil
}

func TestNewsIsScoredAndOnlyDifferencesWritten(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.crm.put(emptyDeal("d2"), "")
	w.run()
	before := maps.Clone(w.values("d1"))
	w.crm.applied = nil
	w.crm.put(noted(emptyDeal("d1")), "")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 2})
	if len(w.crm.applied) != 1 {
		t.Fatalf("%d updates, want 1", len(w.crm.applied))
	}
	sent := w.crm.applied[0].Values
	if sent["item_1_5"] == "" || sent["scored_at"] != "2026-06-01T11:00:00Z" {
		t.Errorf("sent %v, want item 1.5 and the moment", sent)
	}
	for field, value := range sent {
		if before[field] == value {
			t.Errorf("%s was sent although it did not change", field)
		}
	}
	if v := w.handoff("d1").Version; v != 2 {
		t.Errorf("version %d, want 2", v)
	}
	if v := w.handoff("d2").Version; v != 1 {
		t.Errorf("the other deal has version %d, want 1", v)
	}
}

func TestEditsSurviveCountAndAreHandedBack(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	score := number(t, w.values("d1"), "score")

	w.crm.edit("d1", "item_2_1", "2")
	at := w.now
	for range 3 {
		w.run()
		w.wantValues("d1", crm.Values{"item_2_1": "2", "score": strconv.Itoa(score + 2), "stakeholder_map": "2"})
	}
	want := map[string]jobs.Edit{"item_2_1": {Value: "2", By: "Casey Jones", At: at}}
	if diff := cmp.Diff(want, w.handoff("d1").Edits); diff != "" {
		t.Errorf("edits (-want +got):\n%s", diff)
	}
	if got := w.values("d1")["gaps"]; strings.Contains(got, "Champion:") {
		t.Errorf("gaps ask about an item that a person answered:\n%s", got)
	}
	w.crm.put(noted(emptyDeal("d1")), "") // news does not move it
	w.run()
	w.wantValues("d1", crm.Values{"item_2_1": "2"})

	w.crm.put(emptyDeal("d1"), "")
	w.crm.edit("d1", "item_2_1", "9")
	w.run()
	w.wantValues("d1", crm.Values{"item_2_1": "9", "score": strconv.Itoa(score)})
	if got := w.handoff("d1").Edits["item_2_1"].Ignored; got != "9 is not 0, 1 or 2" {
		t.Errorf("the edit is ignored because %q", got)
	}

	w.crm.edit("d1", "item_2_1", "")
	w.run()
	w.wantValues("d1", crm.Values{"item_2_1": "0", "score": strconv.Itoa(score)})
	if edits := w.handoff("d1").Edits; len(edits) != 0 {
		t.Errorf("handed back, and still edited: %v", edits)
	}

	w.crm.edit("d1", "score", "39") // not for people, and still theirs
	w.crm.edit("d1", "acceptance", "Accepted")
	w.run()
	w.wantValues("d1", crm.Values{"score": "39", "acceptance": "Accepted", "rating": "Incomplete"})
	w.wantRun(jobs.Summary{Flagged: 1})
}

// TestEditsCountWhileTheirFieldIsHidden: an administrator who takes a field away takes nothing back that a person said.
func TestEditsCountWhileTheirFieldIsHidden(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	w.crm.edit("d1", "item_1_5", "2")
	w.run()
	edited := w.values("d1")["score"]
	w.crm.hidden["item_1_5"] = true
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	w.wantValues("d1", crm.Values{"score": edited})
	w.crm.edit("d1", "finalised", "true")
	w.run()
	w.wantValues("d1", crm.Values{"final_score": edited})
	if e := w.handoff("d1").Edits["item_1_5"]; e.Value != "2" || e.By != "Casey Jones" {
		t.Errorf("the edit is remembered as %+v", e)
	}
}

func TestFinalisedCardIsFrozen(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	score := number(t, w.values("d1"), "score")
	w.crm.edit("d1", "item_2_1", "2")
	w.crm.edit("d1", "finalised", "true")
	w.crm.put(noted(emptyDeal("d1")), "") // arrives together with the tick: too late
	w.run()
	final := strconv.Itoa(score + 2)
	w.wantValues("d1", crm.Values{"final_score": final, "score": final, "item_1_5": "0"})

	frozen := maps.Clone(w.values("d1"))
	w.crm.put(noted(noted(emptyDeal("d1"))), "")
	w.wantRun(jobs.Summary{Flagged: 1})
	w.crm.edit("d1", "item_2_2", "1")
	w.wantRun(jobs.Summary{Flagged: 1})
	frozen["item_2_2"] = "1"
	if diff := cmp.Diff(frozen, w.values("d1")); diff != "" {
		t.Errorf("a finalised card changed (-before +after):\n%s", diff)
	}

	w.crm.edit("d1", "finalised", "false")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 1})
	w.wantValues("d1", crm.Values{"final_score": "", "item_2_1": "2", "item_2_2": "1"})
	if w.values("d1")["item_1_5"] == "0" {
		t.Error("a card that is live again is not scored again")
	}
}

// TestFinalisedCardComparedAgain: it stays frozen, and shows its points again where the fields were made again.
func TestFinalisedCardComparedAgain(t *testing.T) {
	w := newWorld(t)
	w.crm.put(noted(emptyDeal("d1")), "")
	w.run()
	w.crm.edit("d1", "finalised", "true")
	w.run()
	w.crm.edit("d1", "item_1_1", "0")
	w.run()
	frozen := maps.Clone(w.values("d1"))
	again := func() {
		t.Helper()
		if err := w.db.CompareAgain(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		w.run()
		if w.handoff("d1").Pending {
			t.Error("it is still to be written")
		}
	}
	again()
	w.wantValues("d1", frozen)
	for _, f := range w.crm.fields {
		if f.Object == crm.DealObject {
			w.crm.edit("d1", f.Name, blank(f))
		}
	}
	again()
	w.wantValues("d1", crm.Values{"score": frozen["score"], "rating": frozen["rating"], "finalised": "false", "acceptance": "Pending"})
	if edits := w.handoff("d1").Edits; len(edits) > 0 {
		t.Errorf("nobody edited anything: %v", edits)
	}
}

func TestFinalScoreStaysWhileItsWriteIsRefused(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	score := w.values("d1")["score"]
	w.crm.edit("d1", "finalised", "true")
	w.crm.refused["d1"] = &connectors.Error{Op: "update opportunities", CRM: "Fake", Class: connectors.ErrPark, Message: "locked for approval"}
	w.wantRun(jobs.Summary{Flagged: 1, Parked: 1, Left: oneRefused})
	delete(w.crm.refused, "d1")
	w.crm.edit("d1", "item_2_1", "2") // after the tick
	w.wantRun(jobs.Summary{Written: 1, Flagged: 1})
	w.wantValues("d1", crm.Values{"final_score": score})
	w.wantRun(jobs.Summary{Flagged: 1})
}

// TestFinalisedCardGetsTheFieldsThatWereHidden: a card is frozen as it should stand, also where a field could not be written
// at that moment.
func TestFinalisedCardGetsTheFieldsThatWereHidden(t *testing.T) {
	for _, runs := range []int{1, 3} {
		w := newWorld(t)
		w.crm.put(emptyDeal("d1"), "")
		w.run()
		before := maps.Clone(w.values("d1"))
		for _, f := range []string{"stakeholder_map", "technical_fit"} {
			w.crm.hidden[f] = true
		}
		for _, item := range []string{"item_2_1", "item_2_2", "item_3_1"} {
			w.crm.edit("d1", item, "2")
		}
		w.crm.edit("d1", "finalised", "true")
		for range runs {
			w.run()
		}
		w.wantValues("d1", crm.Values{"stakeholder_map": before["stakeholder_map"], "final_score": w.values("d1")["score"]})
		w.crm.edit("d1", "technical_fit", "7") // by somebody who sees it
		w.crm.edit("d1", "item_2_3", "2")      // too late to count
		delete(w.crm.hidden, "stakeholder_map")
		delete(w.crm.hidden, "technical_fit")
		w.crm.applied = nil
		w.wantRun(jobs.Summary{Written: 1, Flagged: 1})
		want := map[string]string{"stakeholder_map": "4", "scored_at": w.values("d1")["scored_at"]}
		if diff := cmp.Diff(want, map[string]string(w.crm.applied[0].Values)); diff != "" {
			t.Errorf("after %d runs without the fields, sent (-want +got):\n%s", runs, diff)
		}
		w.wantRun(jobs.Summary{Flagged: 1})
		if w.handoff("d1").Pending {
			t.Error("it is still to be written")
		}
	}
}

func TestCardFinalisedDuringTheRunIsNotScoredAgain(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"d1", "d2", "d3"} {
		w.crm.put(emptyDeal(id), "")
	}
	w.run()
	w.run()
	w.now = w.now.AddDate(0, 0, 60) // all are ghosts by now
	w.crm.reading = func() { w.crm.edit("d1", "finalised", "true") }
	w.run()
	w.crm.reading = nil
	w.wantValues("d1", crm.Values{"ghost": "false", "final_score": w.values("d1")["score"]})
	w.wantValues("d2", crm.Values{"ghost": "true"})
}

func TestNotReadIsNotMissing(t *testing.T) {
	w := newWorld(t)
	s := emptyDeal("d1")
	s.Unread = []crm.Part{crm.PartNotes}
	w.crm.put(s, "a1")
	since := w.now
	w.job.AlertsFrom = &since
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Left: oneNotRead})
	w.wantRun(jobs.Summary{Left: oneNotRead}) // no news, and still not read
	for _, field := range []string{"score", "rating", "health", "deal_context", "ghost_reason", "item_1_1"} {
		if got := w.values("d1")[field]; got != "" {
			t.Errorf("%s is %q although the notes could not be read", field, got)
		}
	}
	if got := w.values("d1")["next_action"]; !strings.Contains(got, "notes") {
		t.Errorf("next action %q does not say what could not be read", got)
	}
	if m := w.messages(); len(m) != 0 || w.crm.accounts["a1"]["health"] != "" {
		t.Errorf("a deal that could not be read has messages %v, its account health %q", m, w.crm.accounts["a1"]["health"])
	}

	s.Unread = nil
	w.crm.put(s, "a1")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 1})
	w.wantValues("d1", crm.Values{"item_1_1": "0", "rating": "Incomplete"})

	s.Unread = []crm.Part{crm.PartNotes}
	was := maps.Clone(w.values("d1"))
	w.crm.put(s, "a1")
	w.run()
	for _, field := range []string{"score", "rating", "health", "item_1_1", "deal_context"} {
		if got := w.values("d1")[field]; got != was[field] {
			t.Errorf("%s went from %q to %q when the notes could not be read", field, was[field], got)
		}
	}
}

// TestUnlisted: what the CRM does not list as new is said as long as it does not.
func TestUnlisted(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	w.crm.unlisted = []crm.Part{crm.PartTasks, crm.PartNotes}
	w.wantRun(jobs.Summary{Flagged: 1, Left: "the CRM refuses to list what is new of: notes, tasks. A deal that has such news alone is scored when it has other news, too. " +
		"`handoff check` says why, and what to do"})
	w.crm.unlisted = nil
	w.wantRun(jobs.Summary{Flagged: 1})
}

// TestNotReadIsSaidUntilItIsRead: also when nothing comes of the deal any more.
func TestNotReadIsSaidUntilItIsRead(t *testing.T) {
	w := newWorld(t)
	s := emptyDeal("d1")
	s.Unread = []crm.Part{crm.PartNotes}
	w.crm.put(s, "")
	w.run()
	w.run()
	w.crm.put(emptyDeal("later"), "")
	w.run()
	w.wantRun(jobs.Summary{Flagged: 1, Left: oneNotRead}) // the later one alone comes again
	w.crm.put(emptyDeal("d1"), "")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 2})
}

func TestReopenedDealKeepsItsCard(t *testing.T) {
	w := newWorld(t)
	s := emptyDeal("d1")
	w.crm.put(s, "")
	w.run()
	w.now = w.now.AddDate(0, 0, 60)
	w.run()
	w.wantValues("d1", crm.Values{"ghost": "true"})
	card := maps.Clone(w.values("d1"))

	s.Deal.Won = false
	w.crm.put(s, "")
	w.wantRun(jobs.Summary{Written: 1})
	w.wantValues("d1", crm.Values{"ghost": "false", "ghost_reason": "", "item_1_1": "0", "rating": card["rating"], "gaps": card["gaps"]})
	w.wantRun(jobs.Summary{})

	s.Deal.Won = true
	w.crm.put(s, "")
	if got := w.run(); got.Written != 1 || got.Flagged != 1 {
		t.Errorf("won again: %+v", got)
	}
	w.wantValues("d1", crm.Values{"ghost": "true", "ghost_reason": card["ghost_reason"]})

	w.crm.deals["d1"].deleted = true
	w.crm.touch(w.crm.deals["d1"])
	w.wantRun(jobs.Summary{})
	w.wantRun(jobs.Summary{})
}

func TestTimeAloneTurnsADealIntoAGhost(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.crm.put(emptyDeal("d2"), "")
	w.run()
	w.wantValues("d1", crm.Values{"ghost": "false"})
	if due := w.handoff("d1").DueAt; due == nil || !due.After(w.now) {
		t.Fatalf("an empty deal just closed is due at %v", due)
	}
	if m := w.messages(); len(m) != 0 {
		t.Errorf("the first run is silent, and left %d messages", len(m))
	}
	w.run()
	w.crm.reads = 0
	w.now = w.now.AddDate(0, 0, 60)
	w.wantRun(jobs.Summary{Scored: 2, Written: 2, Flagged: 2})
	w.wantValues("d1", crm.Values{"ghost": "true", "health": "Red"})
	if w.values("d1")["ghost_reason"] == "" {
		t.Error("a ghost without a reason")
	}
	if w.crm.reads != 1 { // d2 comes with the pull, which overlaps the one before
		t.Errorf("values of %d deals were read, want those of d1 before it is written", w.crm.reads)
	}
	messages := w.messages()
	if len(messages) != 2 {
		t.Fatalf("%d messages, want one for each new ghost", len(messages))
	}
	slices.SortFunc(messages, func(a, b jobs.Message) int { return strings.Compare(a.Key, b.Key) })
	if m := messages[0]; m.Key != "acme/d1/ghost/2" || m.Title != "Ghost handoff: Deal d1" {
		t.Errorf("message %q %q", m.Key, m.Title)
	}
	for _, want := range []string{"Account: Account of d1", "AE: Sam Reed", "CSM: not assigned", "of 40, Incomplete", "Why: ", "Open questions:\n- ", "Next: "} {
		if body := messages[0].Body; !strings.Contains(body, want) {
			t.Errorf("the message lacks %q:\n%s", want, body)
		}
	}
	w.wantRun(jobs.Summary{Flagged: 2})
	if n := len(w.messages()); n != 2 {
		t.Errorf("%d messages after a run without news, want 2", n)
	}
}

func TestFindingsBeginWhereTheyShould(t *testing.T) {
	june := func(day int) *time.Time { return new(time.Date(2026, time.June, day, 15, 0, 0, 0, time.UTC)) }
	tests := []struct {
		name       string
		from       *time.Time
		firstRun   bool // the deal is there in the first run
		closed     crm.Date
		wantAlerts int
	}{
		{"first run", nil, true, crm.NewDate(2026, time.June, 1), 0},
		{"closed before the first run, pulled later", nil, false, crm.NewDate(2026, time.May, 31), 0},
		{"closed on the day of the first run, pulled later", nil, false, crm.NewDate(2026, time.June, 1), 1},
		{"first run, from that day on", june(1), true, crm.NewDate(2026, time.June, 1), 1},
		{"first run, from the next day on", june(2), true, crm.NewDate(2026, time.June, 1), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.job.AlertsFrom = tt.from
			s := emptyDeal("d1")
			s.Deal.CloseDate = &tt.closed
			if !tt.firstRun {
				w.run()
			}
			w.crm.put(s, "")
			w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 1})
			if n := len(w.messages()); n != tt.wantAlerts {
				t.Errorf("%d messages, want %d", n, tt.wantAlerts)
			}
			s.Deal.Owner = &crm.User{Name: "Another AE"}
			w.crm.put(noted(s), "") // better, and still Incomplete
			w.run()
			if n := len(w.messages()); n != tt.wantAlerts {
				t.Errorf("%d messages after news that made nothing worse, want %d", n, tt.wantAlerts)
			}
		})
	}
}

func TestWriteBackTurnedOnLaterWritesAll(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "a1")
	w.crm.put(emptyDeal("d2"), "a2")
	w.job.WriteBack = false
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Flagged: 2})
	w.wantRun(jobs.Summary{Flagged: 2})
	if len(w.crm.applied) != 0 || w.handoff("d1").Version != 1 {
		t.Errorf("%d updates and version %d without write-back", len(w.crm.applied), w.handoff("d1").Version)
	}
	w.crm.edit("d2", "item_1_1", "2")
	w.job.WriteBack = true
	w.wantRun(jobs.Summary{Written: 2, Flagged: 2})
	w.wantValues("d1", crm.Values{"item_1_1": "0", "rating": "Incomplete"})
	w.wantValues("d2", crm.Values{"item_1_1": "2", "deal_context": "2"})
	if w.crm.accounts["a1"]["health"] != "Red" {
		t.Errorf("account health %q", w.crm.accounts["a1"]["health"])
	}
	w.wantRun(jobs.Summary{Flagged: 2})
}

func TestDryRunSavesAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "a1")
	w.crm.put(emptyDeal("d2"), "a1")
	w.run()
	w.crm.put(noted(emptyDeal("d1")), "a1")
	w.crm.put(emptyDeal("d3"), "a1")
	stored, values := w.handoff("d1"), maps.Clone(w.values("d1"))
	marks, err := w.db.Watermarks(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	w.crm.applied = nil

	diff := map[string]crm.Values{}
	w.job.DryRun, w.job.WriteBack = true, false
	w.job.Diff = func(h *jobs.Handoff, write *jobs.Write) { diff[h.Snapshot.Deal.Name] = write.After }
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 2, Flagged: 3})
	if len(diff) != 2 || diff["Deal d1"]["item_1_5"] == "" || diff["Deal d3"]["item_1_5"] != "0" || diff["Deal d1"]["item_2_1"] != "" {
		t.Errorf("difference %v", diff)
	}
	after, err := w.db.Watermarks(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if len(w.crm.applied) != 0 || !cmp.Equal(values, w.values("d1")) || !cmp.Equal(marks, after) || w.handoff("d3") != nil {
		t.Error("a dry run left traces")
	}
	if diff := cmp.Diff(stored.Merged, w.handoff("d1").Merged); diff != "" {
		t.Errorf("a dry run saved a card:\n%s", diff)
	}

	w.job.DryRun, w.job.WriteBack = false, true
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 2, Flagged: 3})
}

func TestRefusedRowThatSomebodyFilledIn(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.crm.put(emptyDeal("d2"), "")
	w.crm.refused["d2"] = &connectors.Error{Op: "update opportunities", CRM: "Fake", Class: connectors.ErrPark, Message: "locked for approval"}
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 1, Flagged: 2, Parked: 1, Left: oneRefused})
	maps.Copy(w.values("d2"), w.values("d1"))
	w.wantRun(jobs.Summary{Flagged: 2})
	if h := w.handoff("d2"); h.Parked != nil || h.Pending || h.Written["rating"] != "Incomplete" {
		t.Errorf("nothing is left to write, and it is parked %v, pending %v", h.Parked, h.Pending)
	}
}

func TestWritesWithoutAnAnswerAreCheckedByTheNextRun(t *testing.T) {
	w := newWorld(t)
	w.crm.size = 4
	for _, id := range []string{"d1", "d2", "d3", "d4"} {
		w.crm.put(emptyDeal(id), "")
	}
	w.job.CRM = exhausted{w.crm}
	w.now = w.now.Add(time.Hour)
	s, err := w.job.Run(t.Context())
	if !errors.Is(err, connectors.ErrQuota) || s.Written != 1 {
		t.Fatalf("run: %+v, %v", s, err)
	}
	open, err := w.db.OpenWrites(t.Context(), "acme")
	if err != nil || len(open) != 3 {
		t.Errorf("%d writes without an outcome, %v; want 3", len(open), err)
	}
	w.job.CRM = w.crm
	w.wantRun(jobs.Summary{Written: 2, Flagged: 4})
	if len(w.crm.applied) != 4 {
		t.Errorf("%d updates, want one for each deal", len(w.crm.applied))
	}
}

// exhausted is a CRM that carries out the first two updates and answers for the first, before its quota is spent.
type exhausted struct{ *fakeCRM }

func (e exhausted) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	outcomes, _ := e.fakeCRM.Write(ctx, updates[:2])
	return outcomes[:1], &connectors.Error{Op: "update opportunities", CRM: "Fake", Class: connectors.ErrQuota, Code: "REQUEST_LIMIT_EXCEEDED"}
}

func TestDealDeletedBeforeItIsWritten(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.crm.reading = func() { w.crm.deals["d1"].deleted = true }
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Flagged: 1})
	w.crm.reading = nil
	w.wantRun(jobs.Summary{})
	w.wantRun(jobs.Summary{})
}

func TestLostStore(t *testing.T) {
	scored := func(t *testing.T) *world {
		w := newWorld(t)
		for _, id := range []string{"d1", "d2", "d3", "d4"} {
			w.crm.put(emptyDeal(id), "")
		}
		w.run()
		return w
	}
	t.Run("equal values are adopted", func(t *testing.T) {
		w := scored(t)
		w.newStore(t)
		w.crm.applied = nil
		w.wantRun(jobs.Summary{Pulled: 4, Scored: 4, Flagged: 4})
		if h := w.handoff("d1"); len(w.crm.applied) != 0 || len(h.Edits) != 0 || h.Written["item_1_1"] != "0" {
			t.Errorf("%d updates, edits %v", len(w.crm.applied), h.Edits)
		}
	})
	t.Run("few differences are people's", func(t *testing.T) {
		w := scored(t)
		w.crm.edit("d1", "item_1_1", "2")
		w.run()
		w.newStore(t)
		w.wantRun(jobs.Summary{Pulled: 4, Scored: 4, Flagged: 4})
		w.wantValues("d1", crm.Values{"item_1_1": "2", "deal_context": "2"})
		if edits := w.handoff("d1").Edits; len(edits) != 1 || edits["item_1_1"].Value != "2" {
			t.Errorf("edits %v", edits)
		}
	})
	t.Run("many need a person", func(t *testing.T) {
		w := scored(t)
		for id := range w.crm.deals {
			for _, item := range []string{"item_2_1", "item_2_2", "item_2_3", "item_2_4"} {
				w.crm.edit(id, item, "2")
			}
		}
		w.run()
		w.newStore(t)
		w.crm.applied = nil
		w.now = w.now.Add(time.Hour)
		_, err := w.job.Run(t.Context())
		if !errors.Is(err, connectors.ErrConfig) || !strings.Contains(err.Error(), "--adopt") {
			t.Errorf("run: %v, want it to ask for --adopt", err)
		}
		if w.handoff("d1") != nil || len(w.crm.applied) != 0 {
			t.Error("something was saved or written before a person decided")
		}
		w.job.Adopt = true
		w.run()
		w.wantValues("d1", crm.Values{"item_2_1": "2", "stakeholder_map": "8"})
		if edits := w.handoff("d1").Edits; len(edits) != 4 || edits["item_2_1"].Value != "2" {
			t.Errorf("edits %v", edits)
		}
		w.job.Adopt = false
		w.wantRun(jobs.Summary{Flagged: 4})
	})
}

func TestOneDealWithForeignValuesIsNoLostStore(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.crm.put(emptyDeal("d"+strconv.Itoa(i)), "")
	}
	w.run()
	w.crm.put(emptyDeal("clone"), "")
	for field := range w.values("clone") {
		if strings.HasPrefix(field, "item_") {
			w.values("clone")[field] = "2"
		}
	}
	w.values("clone")["scored_at"] = "2026-01-01T00:00:00Z"
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 3})
}

func TestValuesReadTooLongAgoAreReadAgain(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	w.crm.put(noted(emptyDeal("d1")), "")
	w.crm.reading = func() { // a slow read, and a person is faster
		w.now = w.now.Add(61 * time.Second)
		w.crm.edit("d1", "item_1_5", "0")
		w.crm.edit("d1", "item_2_1", "2")
	}
	w.run()
	w.crm.reading = nil
	w.wantValues("d1", crm.Values{"item_2_1": "2"})
	if got := w.handoff("d1").Edits["item_2_1"].Value; got != "2" {
		t.Errorf("edit %q", got)
	}
}

func TestAccountShowsItsLatestDealUnlessAPersonSaysOtherwise(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "a1")
	w.crm.accounts["a2"] = crm.Values{"health": "Green"}
	w.crm.put(emptyDeal("d2"), "a2")
	w.run()
	if got := w.crm.accounts["a1"]["health"] + " " + w.crm.accounts["a2"]["health"]; got != "Red Green" {
		t.Errorf("account health %q, want that of the deal, and a person's", got)
	}
	w.wantRun(jobs.Summary{Flagged: 2})
}

func TestFieldsThatAppearLaterAreFilled(t *testing.T) {
	w := newWorld(t)
	for _, f := range w.crm.fields {
		w.crm.hidden[f.Name] = true
	}
	w.crm.put(emptyDeal("d1"), "a1")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Flagged: 1, Left: noneWritten})
	if runs, err := w.db.Runs(t.Context(), 1); err != nil || runs[0].Summary.Left != noneWritten || runs[0].Error != "" {
		t.Errorf("the run is recorded as %+v, %v", runs, err)
	}
	clear(w.crm.hidden)
	w.wantRun(jobs.Summary{Written: 1, Flagged: 1})
	w.wantValues("d1", crm.Values{"rating": "Incomplete"})
	w.wantRun(jobs.Summary{Flagged: 1})
}

// TestAccountsThatAreClosed: deals are written all the same, and the run says that the health of their accounts is not.
func TestAccountsThatAreClosed(t *testing.T) {
	for _, mayRead := range []bool{true, false} {
		w := newWorld(t)
		w.job.CRM = closedAccounts{w.crm, mayRead}
		w.crm.put(emptyDeal("d1"), "a1")
		const left = "the health of accounts cannot be written: Fake: touch accounts: no access"
		w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 1, Left: left})
		w.wantRun(jobs.Summary{Flagged: 1, Left: left})
		w.job.CRM = w.crm
		w.wantRun(jobs.Summary{Flagged: 1})
		if got := w.crm.accounts["a1"]["health"]; got != "Red" {
			t.Errorf("once it may be written, the account's health is %q", got)
		}
	}
}

// closedAccounts is a CRM whose accounts are not for us to write, or not even to read.
type closedAccounts struct {
	*fakeCRM
	mayRead bool
}

var errClosed = &connectors.Error{Op: "touch accounts", CRM: "Fake", Class: connectors.ErrConfig, Message: "no access"}

func (c closedAccounts) ReadValues(ctx context.Context, object crm.Object, ids []string) (map[string]crm.Values, error) {
	if object == crm.AccountObject && !c.mayRead {
		return nil, errClosed
	}
	return c.fakeCRM.ReadValues(ctx, object, ids)
}

func (c closedAccounts) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	if updates[0].Object == crm.AccountObject {
		return nil, errClosed
	}
	return c.fakeCRM.Write(ctx, updates)
}

func TestAnotherScorecardScoresAgain(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	w.run()
	data, err := os.ReadFile("../rules/scorecards/handoff.toml")
	if err != nil {
		t.Fatal(err)
	}
	const action = "Hold the kickoff"
	sc, err := rules.ParseScorecard("changed.toml", []byte(strings.ReplaceAll(string(data), action, "Stop! "+action)))
	if err != nil {
		t.Fatal(err)
	}
	w.job.Engine = rules.NewEngine(sc)
	w.wantRun(jobs.Summary{Scored: 1, Written: 1, Flagged: 1})
	if got := w.values("d1")["next_action"]; !strings.HasPrefix(got, "Stop! ") {
		t.Errorf("next action %q", got)
	}
	w.wantRun(jobs.Summary{Flagged: 1})
}

func TestInterruptedRunFinishesWhatIsAtHand(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		w.crm.put(emptyDeal("d"+strconv.Itoa(i)), "")
	}
	ctx, stop := context.WithCancel(t.Context())
	batches := 0
	w.crm.reading = func() {
		if batches++; batches == 2 {
			stop()
		}
	}
	w.job.CRM = stopping{w.crm}
	s, err := w.job.Run(ctx)
	if !errors.Is(err, context.Canceled) || !s.Interrupted || s.Written != 2 {
		t.Fatalf("run: %+v, %v; want an interrupted one that wrote its batch", s, err)
	}
	if h := w.handoff("d1"); h.Pending || w.handoff("d2") != nil {
		t.Errorf("the batch at hand is not finished, or another was begun")
	}
	w.job.CRM, w.crm.reading = w.crm, nil
	w.wantRun(jobs.Summary{Pulled: 4, Scored: 4, Written: 4, Flagged: 6})
	if runs, err := w.db.Runs(t.Context(), 10); err != nil || len(runs) != 2 || runs[1].Error == "" || runs[0].Error != "" {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

// stopping is a CRM that writes nothing for whoever was told to stop.
type stopping struct{ *fakeCRM }

func (s stopping) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.fakeCRM.Write(ctx, updates)
}

// TestRunGoesOnWithoutWriting checks that everything is scored where the CRM takes no writes at all, and written by the next
// run once it does.
func TestRunGoesOnWithoutWriting(t *testing.T) {
	w := newWorld(t)
	for i := range 250 { // more than are settled together
		w.crm.put(emptyDeal(fmt.Sprintf("d%03d", i)), "")
	}
	w.job.CRM = readOnly{w.crm, &connectors.Error{Op: "write", CRM: "Fake", Class: connectors.ErrConfig, Message: "no permission"}}
	s, err := w.job.Run(t.Context())
	if !errors.Is(err, connectors.ErrConfig) || err.Error() != "the deals are scored, but cannot be written: Fake: write: no permission" {
		t.Errorf("run: %v", err)
	}
	if s.Pulled != 250 || s.Scored != 250 || s.Written != 0 {
		t.Errorf("run did %+v, want 250 deals scored and none written", s)
	}
	w.job.CRM = w.crm
	w.wantRun(jobs.Summary{Written: 250, Flagged: 250})
	w.wantRun(jobs.Summary{Flagged: 250})
}

// readOnly is a CRM that refuses every write.
type readOnly struct {
	*fakeCRM
	err error
}

func (r readOnly) Write(context.Context, []crm.Update) ([]connectors.Outcome, error) {
	return nil, r.err
}

func TestRunReportsAConnectionThatDoesNotFinish(t *testing.T) {
	w := newWorld(t)
	w.crm.put(emptyDeal("d1"), "")
	cause := &connectors.Error{Op: "sign in", CRM: "Fake", Class: connectors.ErrConfig, Message: "invalid client"}
	w.job.CRM = failing{w.crm, cause}
	s, err := w.job.Run(t.Context())
	if !errors.Is(err, connectors.ErrConfig) || err.Error() != "Fake: sign in: invalid client" || s.Interrupted {
		t.Errorf("run: %+v, %v", s, err)
	}
	runs, err := w.db.Runs(t.Context(), 1)
	if err != nil || len(runs) != 1 || runs[0].Error != "Fake: sign in: invalid client" || runs[0].EndedAt == nil {
		t.Errorf("recorded as %+v, %v", runs, err)
	}
}

type failing struct {
	*fakeCRM
	err error
}

func (f failing) Pull(context.Context, crm.Watermarks, func(connectors.Batch) error) error {
	return f.err
}
