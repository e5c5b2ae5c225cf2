package jobs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"handoff/crm"
	"handoff/jobs"
)

const (
	pasted    = "They will use it to replace the weekly spreadsheet that four planners keep by hand, chosen over Asprova for the offline mode."
	useCase   = "1.1"
	checkFor  = "Please check, for the same words are on several deals. Use case: "
	checkOnly = "Please check. Use case: "
)

// saying returns a deal whose use case is the given text.
func saying(id, text string) crm.Snapshot {
	s := emptyDeal(id)
	s.Deal.Fields = map[string]string{"use_case": text}
	return s
}

// wantTemplate checks whether the use case of each deal is marked as a template when it is shown.
func (w *world) wantTemplate(want bool, ids ...string) {
	w.t.Helper()
	templates, err := w.db.Templates(w.t.Context(), w.job.Connection)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		h := w.handoff(id)
		h.MarkTemplates(templates)
		it := h.Card.Items[0]
		if it.ID != useCase || len(it.Evidence) == 0 {
			w.t.Fatalf("%s: item %+v, want evidence of %s", id, it, useCase)
		}
		if it.OnTemplate() != want || it.OnTemplate() && it.Sure {
			w.t.Errorf("%s: template %t, sure %t, want template %t, and then not sure", id, it.OnTemplate(), it.Sure, want)
		}
	}
}

// wantGaps checks whether the gaps of each deal begin with the use case to check, for it is a template.
func (w *world) wantGaps(want bool, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		if gaps := w.values(id)["gaps"]; strings.HasPrefix(gaps, checkFor) != want {
			w.t.Errorf("%s: the gaps begin with the template %t, want %t: %q", id, !want, want, gaps)
		}
	}
}

// change is news of deals that says nothing to the rules.
func (w *world) change(ids ...string) {
	for _, id := range ids {
		changed := w.crm.deals[id].snapshot
		amount := float64(w.crm.stamp)
		changed.Deal.Amount = &amount
		w.crm.put(changed, "")
	}
}

func ids(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprintf("d%d", i))
	}
	return list
}

// TestTemplates follows a text that is pasted from deal to deal.
func TestTemplates(t *testing.T) {
	w := newWorld(t)
	for _, id := range ids(1, 4) {
		w.crm.put(saying(id, pasted), "")
	}
	w.crm.put(saying("own", "They will plan two hundred rides a day with it, chosen because dispatchers can drag a ride to another driver."), "")
	w.run()
	w.wantTemplate(false, ids(1, 4)...)
	points := w.handoff("d1").Card.Items[0].Score

	// The fifth is written otherwise, but says the same in the same words.
	w.crm.put(saying("d5", "<p>"+strings.ToUpper(pasted)+"</p>"), "")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 6})
	w.wantTemplate(true, ids(1, 5)...)
	w.wantTemplate(false, "own")
	w.wantGaps(false, ids(1, 5)...)
	w.wantRun(jobs.Summary{Flagged: 6}) // nothing is left to do

	// The CRM knows it of a new deal from the beginning, and of one from before once that is scored again. No points change.
	w.crm.put(saying("d6", pasted), "")
	w.change("d2")
	w.wantRun(jobs.Summary{Pulled: 2, Scored: 2, Written: 2, Flagged: 7})
	w.wantGaps(true, "d2", "d6")
	w.wantGaps(false, "d1", "own")
	if it := w.handoff("d2").Card.Items[0]; it.Score != points || points == 0 || it.Sure || !it.OnTemplate() {
		t.Errorf("use case %+v is stored, want %d points as before, marked and not sure", it, points)
	}

	// A deal that is scored again counts once; one whose text changes does not count any more.
	w.change(ids(1, 6)...)
	w.run()
	w.wantGaps(true, ids(1, 6)...)
	other := "They will route parcels of three depots with it, chosen since it reads the scanners that they own already."
	w.crm.put(saying("d5", other), "")
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 7})
	w.change("d1")
	w.run()
	w.wantTemplate(true, "d1", "d6")
	w.wantTemplate(false, "d5")
	w.crm.put(saying("d6", other), "")
	w.run()
	w.change(ids(1, 6)...)
	w.run()
	w.wantTemplate(false, ids(1, 6)...)
	w.wantGaps(false, ids(1, 6)...)
}

// TestTemplatesOrder checks that it does not matter in which order, and in how many at a time, deals are scored, nor in how many
// runs: the first of them is killed on the way.
func TestTemplatesOrder(t *testing.T) {
	for _, size := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w := newWorld(t)
			w.crm.size = size
			for _, id := range ids(1, 7) {
				w.crm.put(saying(id, pasted), "")
			}
			p := &process{Store: w.db, CRM: w.crm, dieAt: 4}
			w.job.Store, w.job.CRM = p, p
			if _, err := w.job.Run(t.Context()); !errors.Is(err, errKilled) {
				t.Fatalf("run: %v, want it killed", err)
			}
			w.job.Store, w.job.CRM = w.db, w.crm
			w.run()
			w.wantTemplate(true, ids(1, 7)...)
			w.wantGaps(false, ids(1, 7)...)
			w.wantRun(jobs.Summary{Flagged: 7})
		})
	}
}

// TestTemplatesDryRun checks that a dry run finds nothing for good.
func TestTemplatesDryRun(t *testing.T) {
	w := newWorld(t)
	for _, id := range ids(1, 5) {
		w.crm.put(saying(id, pasted), "")
	}
	w.job.DryRun = true
	w.run()
	w.job.DryRun = false
	if known, err := w.db.Templates(t.Context(), "acme"); err != nil || len(known) > 0 {
		t.Errorf("templates %v, %v after a dry run, want none", known, err)
	}
	w.run()
	w.change("d1")
	w.job.DryRun = true
	w.job.Diff = func(_ *jobs.Handoff, write *jobs.Write) {
		if !strings.HasPrefix(write.After["gaps"], checkFor) {
			t.Errorf("a dry run would write %v, want gaps with the template that the run before has found", write.After)
		}
	}
	w.wantRun(jobs.Summary{Pulled: 1, Scored: 1, Written: 1, Flagged: 5})
}

// TestTemplatesOfOthers checks what does not count: deals of another connection, a few words, contacts, a record's one word.
func TestTemplatesOfOthers(t *testing.T) {
	w := newWorld(t)
	for _, id := range ids(1, 4) {
		w.crm.put(saying(id, pasted), "")
	}
	w.run()
	other := newWorld(t)
	other.db, other.job.Store, other.job.Connection = w.db, w.db, "globex"
	other.crm.put(saying("d5", pasted), "")
	other.run()
	w.run()
	w.wantTemplate(false, ids(1, 4)...)

	w = newWorld(t)
	for _, id := range ids(1, 6) {
		s := saying(id, "Replace the planners' spreadsheet, chosen for price.")
		s.Contacts = []crm.Contact{{ID: "c", Name: "Ana Maria Ruiz Lopez", Title: "Chief Financial Officer of the Group", Email: "ana@example.com", Roles: []string{"Champion"}}}
		w.crm.put(s, "")
	}
	w.run()
	for _, id := range ids(1, 6) {
		for _, it := range w.handoff(id).Card.Items {
			if it.OnTemplate() {
				t.Errorf("%s: item %s is on a template: %+v", id, it.ID, it.Evidence)
			}
		}
	}
}

// TestTemplateOfRecord checks that a note which is pasted as a whole is a template, however short its lines.
func TestTemplateOfRecord(t *testing.T) {
	w := newWorld(t)
	for i, id := range ids(1, 6) {
		s := emptyDeal(id)
		body := "Use case: replace the planners' spreadsheet.\nWhy us: price.\nGo-live: May.\nChampion: the planner."
		if i == 5 {
			body = "Use case: replace the planners' spreadsheet.\nWhy us: the offline mode, tested in two plants in June."
		}
		s.Notes = []crm.Note{{ID: "n" + id, At: &w.now, Body: body}}
		w.crm.put(s, "")
	}
	w.run()
	w.wantTemplate(true, ids(1, 5)...)
	w.wantTemplate(false, "d6")
}

// TestTemplateOnFrozenCards checks that a finalised card stays as its CSM left it, and that its text counts.
func TestTemplateOnFrozenCards(t *testing.T) {
	w := newWorld(t)
	for _, id := range ids(1, 4) {
		w.crm.put(saying(id, pasted), "")
	}
	w.run()
	w.crm.edit("d1", "finalised", "true")
	w.run()
	before := w.values("d1")["gaps"]
	w.crm.put(saying("d5", pasted), "")
	w.run()
	w.change(ids(1, 5)...)
	w.run()
	w.wantTemplate(true, ids(2, 5)...)
	w.wantGaps(true, ids(2, 5)...)
	if got := w.values("d1")["gaps"]; got != before || w.handoff("d1").Card.Items[0].OnTemplate() {
		t.Errorf("a finalised card changed: %q", got)
	}
	w.wantRun(jobs.Summary{Flagged: 5})
}

// TestTemplateSetByPerson checks that nobody is asked to check what a person has set.
func TestTemplateSetByPerson(t *testing.T) {
	w := newWorld(t)
	for _, id := range ids(1, 5) {
		w.crm.put(saying(id, pasted), "")
	}
	w.run()
	w.crm.edit("d3", "item_1_1", "0")
	w.change(ids(1, 5)...)
	w.run()
	w.wantGaps(true, "d1", "d2", "d4", "d5")
	if gaps := w.values("d3")["gaps"]; strings.Contains(gaps, checkFor) || strings.Contains(gaps, checkOnly) {
		t.Errorf("gaps ask for what a person has set: %q", gaps)
	}
}
