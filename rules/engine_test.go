package rules

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

var asOf = time.Date(2026, 10, 9, 9, 0, 0, 0, time.UTC)

func score(t *testing.T, s *crm.Snapshot, id string) Item {
	t.Helper()
	for _, it := range builtin(t).Score(s, asOf).Items {
		if it.ID == id {
			return it
		}
	}
	t.Fatalf("no item %s", id)
	return Item{}
}

func TestScoreDeal(t *testing.T) {
	c := builtin(t).Score(deal(), asOf)
	got := map[string]int{}
	for _, it := range c.Items {
		got[it.ID] = it.Score
		if it.Score < 2 && it.Remedy == "" || it.Score == 2 && it.Remedy != "" {
			t.Errorf("%s: %d points and the remedy %q", it.ID, it.Score, it.Remedy)
		}
		if it.Score > 0 && it.ID != "5.3" && len(it.Evidence) == 0 {
			t.Errorf("%s: points without evidence", it.ID)
		}
		if prefix := []string{"Missing: ", "Partial: ", "Complete: "}[it.Score]; !strings.HasPrefix(it.Reason, prefix) {
			t.Errorf("%s: %d points because %q", it.ID, it.Score, it.Reason)
		}
	}
	want := map[string]int{"1.1": 2, "1.2": 2, "1.3": 2, "1.4": 2, "1.5": 1, "2.1": 2, "2.2": 2, "2.3": 2, "2.4": 2, "3.1": 2, "3.2": 0, "3.3": 2, "3.4": 2,
		"4.1": 2, "4.2": 1, "4.3": 2, "4.4": 2, "5.1": 1, "5.2": 2, "5.3": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	if c.Total != 35 || c.Rating != Acceptable || c.Health != Green || !c.Complete || c.Ghost != GhostNo {
		t.Errorf("total %d, rating %s, health %s, complete %v, ghost %s", c.Total, c.Rating, c.Health, c.Complete, c.Ghost)
	}
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct{ name, field, text, id, want string }{
		{"what is there and what is missing", "competitors", "Asprova", "1.5", `Partial: says "Asprova"; missing what tipped the decision`},
		{"placeholder", "it_readiness", "see email", "3.4", `Missing: the field says only "see email"; needed: how long, how much or when`},
		{"bare none", "objections", "None", "1.4", `Partial: says only "None"; missing how that is known`},
		{"nothing", "description", "", "3.3", "Missing: nothing on implementation timeline; needed: a date"},
		{"person", "champion", "Gwen", "2.1", "Partial: Gwen as champion; missing the title, e-mail or phone and what there is to know about them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &crm.Snapshot{Deal: crm.Deal{Fields: map[string]string{tt.field: tt.text}}}
			if got := score(t, s, tt.id).Reason; got != tt.want {
				t.Errorf("reason is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAnchors runs the published anchors of category 5, which records decide (S1.27), and an empty category 4 (S1.26).
// Those that text decides are examples in the scorecard file.
func TestAnchors(t *testing.T) {
	closed, arr, term := crm.NewDate(2026, 9, 30), 48000.0, 12
	full := crm.Deal{Won: true, CloseDate: &closed, ARR: &arr, TermMonths: &term}
	with := func(change func(*crm.Deal)) *crm.Snapshot {
		d := full
		change(&d)
		return &crm.Snapshot{Deal: d}
	}
	contact := func(email, phone string, bounced bool) *crm.Snapshot {
		return &crm.Snapshot{Deal: full, Contacts: []crm.Contact{{Name: "Ana Ruiz", Title: "Owner", Email: email, Phone: phone, EmailBounced: bounced,
			Roles: []string{"Champion", "Executive Sponsor", "Day-to-day contact"}}}}
	}
	for _, tt := range []struct {
		name string
		s    *crm.Snapshot
		id   string
		want int
	}{
		{"all of the stage", with(func(*crm.Deal) {}), "5.3", 2},
		{"ARR missing", with(func(d *crm.Deal) { d.ARR = nil }), "5.3", 1},
		{"close date missing", with(func(d *crm.Deal) { d.CloseDate = nil }), "5.3", 1},
		{"nothing but won", with(func(d *crm.Deal) { d.CloseDate, d.ARR, d.TermMonths = nil, nil, nil }), "5.3", 0},
		{"not won", with(func(d *crm.Deal) { d.Won = false }), "5.3", 0},
		{"one person in every role", contact("ana@kiln.example", "+34 600 123 456", false), "5.1", 2},
		{"phone blank", contact("ana@kiln.example", "", false), "5.1", 1},
		{"bounced address, phone", contact("ana@kiln.example", "+34 600 123 456", true), "5.1", 1},
		{"placeholder address", contact("test@test.com", "000-000-0000", false), "5.1", 0},
		{"made-up address", contact("x@x.x", "", false), "5.1", 0},
		{"no contact", with(func(*crm.Deal) {}), "5.1", 0},
		{"role without context", contact("ana@kiln.example", "+34 600 123 456", false), "2.1", 1},
		{"success criteria not recorded", with(func(*crm.Deal) {}), "4.1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := score(t, tt.s, tt.id); got.Score != tt.want {
				t.Errorf("%s gets %d points, want %d: %s", tt.id, got.Score, tt.want, got.Reason)
			}
		})
	}
}

func note(at, body string) crm.Note {
	when, err := time.Parse(time.DateOnly, at)
	if err != nil {
		panic(err)
	}
	return crm.Note{At: &when, Author: "Ines Vogel", Body: body}
}

func won(notes ...crm.Note) *crm.Snapshot {
	closed := crm.NewDate(2026, 9, 30)
	return &crm.Snapshot{ID: "1", Deal: crm.Deal{ID: "1", Won: true, CloseDate: &closed}, Notes: notes}
}

func TestClosing(t *testing.T) {
	for _, tt := range []struct {
		name string
		note crm.Note
		want int
	}{
		{"summary and negotiation", note("2026-10-01", "Signed yesterday for 12 months. Their buyer wanted net 60 in the last call, we settled on net 45."), 2},
		{"thin", note("2026-10-01", "Closed!"), 1},
		{"before the close", note("2026-09-29", "Signed yesterday for 12 months. Their buyer wanted net 60 in the last call, we settled on net 45."), 0},
		{"software", crm.Note{At: &asOf, Author: "Automation", Body: "Opportunity stage changed from Contract Sent to Closed Won."}, 0},
		{"a CSM's questions", note("2026-10-01", "Who is the champion? Was there any discount?"), 0},
		{"headings without content", note("2026-10-01", "## Deal context\n## Stakeholders\n## Technical"), 0},
		{"German", note("2026-10-01", "Am Freitag unterschrieben. Zuletzt ging es um die Haftung, jetzt gedeckelt auf eine Jahresgebühr, dafür zahlen sie jährlich im Voraus."), 2},
		{"Spanish", note("2026-10-01", "Firmado ayer. Al final querían pagar en 18 meses, dijimos que no y a cambio les regalamos la instalación de los equipos."), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := score(t, won(tt.note), "5.2"); got.Score != tt.want {
				t.Errorf("%d points, want %d: %s", got.Score, tt.want, got.Reason)
			}
		})
	}
}

func TestNotEvidence(t *testing.T) {
	later := asOf.AddDate(0, 0, 1)
	for _, tt := range []struct {
		name string
		s    *crm.Snapshot
		id   string
	}{
		{"dated after as-of", won(crm.Note{At: &later, Body: "Go live on 3 November."}), "3.3"},
		{"an old deal", won(note("2023-03-01", "They also looked at Gong, too expensive.")), "1.5"},
		{"another customer", won(note("2026-09-01", "At another customer we went live on 3 November.")), "3.3"},
		{"a story about another customer", won(crm.Note{Title: "reference call prep", Body: "Went live on 3 November."}), "3.3"},
		{"question in a quoted mail", won(note("2026-09-01", "Thanks!\n> Shall we say 3 November for the go-live?")), "3.3"},
		{"signature", won(note("2026-09-01", "Thanks.\n--\nJo Park, Account Executive. Go live on 3 November with us!")), "3.3"},
		{"template heading", won(note("2026-09-01", "Go-live milestone:\n\nPromises:\n")), "4.2"},
		{"template example", won(note("2026-09-01", `Timeline: Example: "go-live April 30"`)), "3.3"},
		{"negated", won(note("2026-09-01", "No champion identified yet.")), "2.1"},
		{"not discussed", won(note("2026-09-01", "We never discussed their IT review.")), "3.4"},
		{"a claim", won(note("2026-09-01", "Success criteria aligned with all stakeholders.")), "4.1"},
		{"keywords", won(note("2026-09-01", "Synergy, champion, ROI, automation, success criteria, integration, go-live.")), "4.1"},
		{"invitation", won(note("2026-09-01", "Ana is inviting you to a meeting on 3 November to go live.")), "3.3"},
		{"a question", won(note("2026-09-01", "When do they go live, on 3 November?")), "3.3"},
		{"the field's own name", &crm.Snapshot{Deal: crm.Deal{Fields: map[string]string{"use_case": "Use case"}}}, "1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := score(t, tt.s, tt.id); got.Score != 0 {
				t.Errorf("%s gets %d points: %s %+v", tt.id, got.Score, got.Reason, got.Evidence)
			}
		})
	}
}

func TestHedge(t *testing.T) {
	firm := score(t, won(note("2026-09-01", "Go live is on 3 November.")), "3.3")
	soft := score(t, won(note("2026-09-01", "Go live is probably on 3 November.")), "3.3")
	if firm.Score != 2 || soft.Score != 1 || soft.Sure {
		t.Errorf("firm %d points, hedged %d, sure %v; want 2, 1, false", firm.Score, soft.Score, soft.Sure)
	}
}

// TestChampionLeft checks that what came later wins: who left is nobody's champion.
func TestChampionLeft(t *testing.T) {
	s := deal()
	if got := score(t, s, "2.1"); got.Score != 2 {
		t.Fatalf("the champion gets %d points", got.Score)
	}
	at := asOf.Add(-time.Hour)
	s.Notes = append(s.Notes, crm.Note{At: &at, Author: "Ines Vogel", Body: "Rita Solano has left the company."})
	if got := score(t, s, "2.1"); got.Score != 0 {
		t.Errorf("a champion who left gets %d points: %s", got.Score, got.Reason)
	}
}

func TestPeopleAcrossRecords(t *testing.T) {
	for _, tt := range []struct {
		name, note string
	}{
		{"by name", "Paul Brandt approved the budget and decides on the renewal."},
		{"by last name", "Mr Brandt approved the budget and decides on the renewal."},
		{"by title", "The CFO approved the budget and decides on the renewal."},
		{"by the long form of a title", "Their Chief Financial Officer approved the budget and decides on the renewal."},
		{"by pronoun", "I met Paul Brandt on Monday. He approved the budget and decides on the renewal."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := won(note("2026-09-12", tt.note))
			title := "CFO"
			if strings.Contains(tt.note, "Chief") {
				title = "Chief Financial Officer"
			}
			s.Contacts = []crm.Contact{{Name: "Paul Brandt", Title: title, Email: "paul@harbourtiles.example"}, {Name: "Lena Okoye", Title: "Planner"}}
			if got := score(t, s, "2.2"); got.Score != 2 {
				t.Errorf("%d points, want 2: %s", got.Score, got.Reason)
			}
		})
	}
}

// TestOrder checks that the order in which a CRM returns records changes no score.
func TestOrder(t *testing.T) {
	e := builtin(t)
	for _, s := range append(labelled(t, demo), deal()) {
		at := asOf
		if s.AsOf != nil {
			at = *s.AsOf
		}
		want := scoresOf(e.Score(s, at))
		rng := rand.New(rand.NewPCG(1, 2))
		for range 3 {
			rng.Shuffle(len(s.Notes), func(i, j int) { s.Notes[i], s.Notes[j] = s.Notes[j], s.Notes[i] })
			rng.Shuffle(len(s.Contacts), func(i, j int) { s.Contacts[i], s.Contacts[j] = s.Contacts[j], s.Contacts[i] })
			rng.Shuffle(len(s.Activities), func(i, j int) { s.Activities[i], s.Activities[j] = s.Activities[j], s.Activities[i] })
			if diff := cmp.Diff(want, scoresOf(e.Score(s, at))); diff != "" {
				t.Fatalf("%s: another order scores differently (-first +shuffled):\n%s", s.ID, diff)
			}
		}
	}
}

func scoresOf(c *Card) map[string]int {
	m := map[string]int{"total": c.Total}
	for _, it := range c.Items {
		m[it.ID] = it.Score
	}
	return m
}

// TestPure checks that the same input gives the same card, byte for byte.
func TestPure(t *testing.T) {
	a, err := json.Marshal(builtin(t).Score(deal(), asOf))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b, err := json.Marshal(builtin(t).Score(deal(), asOf))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestUnread(t *testing.T) {
	for _, tt := range []struct {
		part crm.Part
		want []string // items that are not read
	}{
		{crm.PartHistory, nil},
		{crm.PartContacts, []string{"2.1", "2.2", "2.3", "2.4", "5.1"}},
		{crm.PartFields, []string{"1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "5.1"}},
		{crm.PartNotes, []string{"1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "5.1", "5.2"}},
	} {
		t.Run(string(tt.part), func(t *testing.T) {
			arr, term := 1.0, 1
			s := won()
			s.Deal.ARR, s.Deal.TermMonths, s.Unread = &arr, &term, []crm.Part{tt.part}
			c := builtin(t).Score(s, asOf)
			var got []string
			for _, it := range c.Items {
				if it.NotRead {
					got = append(got, it.ID)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("not read (-want +got):\n%s", diff)
			}
			if tt.want != nil && c.Ghost != GhostNo {
				t.Errorf("ghost %s while items are not read", c.Ghost)
			}
			if tt.want != nil && Ready(c) {
				t.Error("ready while items are not read")
			}
		})
	}
}

func TestUnreadCompleteItem(t *testing.T) {
	s := deal()
	s.Unread = []crm.Part{crm.PartNotes}
	for _, it := range builtin(t).Score(s, asOf).Items {
		if it.NotRead != (it.Score < 2 && it.ID != "5.3") {
			t.Errorf("%s has %d points and not read %v", it.ID, it.Score, it.NotRead)
		}
	}
}

func TestOverride(t *testing.T) {
	e := builtin(t)
	card := e.Score(won(note("2026-10-01", "Closed!")), asOf)
	before := *card
	got := e.Override(card, map[string]int{"1.1": 2, "1.2": 2, "2.1": 2, "3.1": 2, "4.1": 1, "9.9": 2, "1.3": 7})
	if card.Total != before.Total || card.Items[0].Score != 0 {
		t.Error("Override changed the card that it was given")
	}
	// 5.2 has a point of its own and 5.3 one: won, with a close date.
	if got.Total != 11 || got.Categories[0].Points != 4 || got.Categories[3].Points != 1 || !got.Complete || got.Rating != Incomplete || got.Health != Red {
		t.Errorf("total %d, categories %+v, complete %v, rating %s, health %s", got.Total, got.Categories, got.Complete, got.Rating, got.Health)
	}
	if got.Ghost != card.Ghost {
		t.Errorf("ghost %s, want it as computed: %s", got.Ghost, card.Ghost)
	}
}

func TestRatings(t *testing.T) {
	e := builtin(t)
	card := e.Score(deal(), asOf)
	zero := map[string]int{}
	for _, it := range card.Items {
		zero[it.ID] = 0
	}
	for _, tt := range []struct {
		total          int
		rating, health string
		ready          bool
	}{
		{40, Excellent, Green, true}, {36, Excellent, Green, true}, {35, Acceptable, Green, true}, {28, Acceptable, Green, true},
		{27, BelowStandard, Yellow, false}, {20, BelowStandard, Yellow, false}, {19, Incomplete, Red, false}, {0, Incomplete, Red, false},
	} {
		left := tt.total
		scores := map[string]int{}
		for id := range zero {
			scores[id] = min(2, left)
			left -= scores[id]
		}
		got := e.Override(card, scores)
		if got.Total != tt.total || got.Rating != tt.rating || got.Health != tt.health || Ready(got) != tt.ready {
			t.Errorf("total %d: %s, %s, ready %v; want %d: %s, %s, %v", got.Total, got.Rating, got.Health, Ready(got), tt.total, tt.rating, tt.health, tt.ready)
		}
	}
}

// TestCluesOfAnyEngine: engines that are made alike, of maps that have no order, hear the same in a text, to the last digit.
func TestCluesOfAnyEngine(t *testing.T) {
	for range 5 {
		sc, err := Builtin()
		if err != nil {
			t.Fatal(err)
		}
		other := NewEngine(sc)
		for _, s := range labelled(t, "testdata/cases/werkbank.jsonl") {
			if diff := cmp.Diff(builtin(t).Clues(s, *s.AsOf), other.Clues(s, *s.AsOf)); diff != "" {
				t.Fatalf("%s: -one engine +another:\n%s", s.ID, diff)
			}
		}
	}
}
