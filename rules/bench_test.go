package rules

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"handoff/crm"
)

// deal is an ordinary deal: some fields filled, three contacts, three notes, two activities; about 3 KB of text.
func deal() *crm.Snapshot {
	at := func(s string) *time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return &t
	}
	closed, arr, term := crm.NewDate(2026, 9, 30), 48000.0, 12
	return &crm.Snapshot{
		ID: "006X",
		Deal: crm.Deal{
			ID: "006X", Name: "Harbour Tiles - Planning", Account: "Harbour Tiles Ltd", Stage: "Closed Won", Won: true, ARR: &arr, CloseDate: &closed, TermMonths: &term,
			Owner: &crm.User{Name: "Ines Vogel"}, CSM: &crm.CSM{Name: "Tom Adler"},
			Fields: map[string]string{
				"use_case":             "One production plan for both kilns instead of a whiteboard per shift. They chose us because the foremen can replan on a tablet.",
				"business_problem":     "In May two orders went out nine days late as nobody saw that kiln 2 was booked twice; the penalty was 31,000 EUR.",
				"compelling_event":     "Their largest customer audits them on 12 November and wants to see one plan per kiln by then, or the frame contract goes.",
				"competitors":          "Asprova",
				"success_criteria":     "Late orders from 14% to under 4% by end of March, measured in their ERP.",
				"nonstandard_promises": "None",
				"champion":             "Rita Solano",
			},
		},
		Contacts: []crm.Contact{
			{ID: "003A", Name: "Rita Solano", Title: "Head of Production", Email: "rita@harbourtiles.example", Phone: "+44 20 7946 0123", Roles: []string{"Champion"}},
			{ID: "003B", Name: "Paul Brandt", Title: "CFO", Email: "paul@harbourtiles.example", Roles: []string{"Economic Buyer"}},
			{ID: "003C", Name: "Lena Okoye", Title: "Planner", Email: "lena@harbourtiles.example", Phone: "+44 20 7946 0199"},
		},
		Notes: []crm.Note{
			{ID: "069A", At: at("2026-09-12T10:00:00Z"), Author: "Ines Vogel", Title: "Technical call", Body: "ERP is Infor LN 10.7, orders by REST every hour. Their IT needs 10 working days for a firewall change, and there is a freeze from 18 December to 6 January.\n\nGo live: kiln 1 on 9 November, kiln 2 on 30 November."},
			{ID: "069B", At: at("2026-10-01T08:30:00Z"), Author: "Ines Vogel", Title: "Handover", Body: "<p>Signed on the 30th. Paul wanted net 60 in the last meeting, we settled on net 45 and 10% off for year one only.</p><ul><li>Rita pushed this through two board meetings, call her after 2 pm.</li><li>Paul approved it from his own budget and decides the renewal.</li><li>Lena is your person for everything, she runs the daily plan.</li></ul><p>Almost died on works council worries: Marco Reyes, shift lead, feared that the tablets track people. Settled with a letter that says they do not.</p>"},
			{ID: "069C", At: at("2026-09-20T10:00:00Z"), Author: "Automation", Body: "Stage changed from Negotiation to Closed Won."},
		},
		Activities: []crm.Activity{
			{ID: "00TA", Kind: crm.Email, At: at("2026-09-22T07:00:00Z"), From: "rita@harbourtiles.example", To: []string{"ines@vendor.example"}, Subject: "Re: plan", Body: "Hi Ines,\n\nthe first milestone we agreed on is one full week planned for kiln 1 without the whiteboard.\n\nBest regards\nRita Solano\nHead of Production\n+44 20 7946 0123"},
			{ID: "00UA", Kind: crm.Meeting, At: at("2026-10-08T09:00:00Z"), Subject: "Kickoff"},
		},
	}
}

var builtinOnce = sync.OnceValues(Builtin)

func builtin(tb testing.TB) *Engine {
	tb.Helper()
	sc, err := builtinOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return NewEngine(sc)
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := Builtin(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	e, s := builtin(b), deal()
	n := 0
	for _, v := range s.Deal.Fields {
		n += len(v)
	}
	for i := range s.Notes {
		n += len(s.Notes[i].Body)
	}
	for i := range s.Activities {
		n += len(s.Activities[i].Body)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		e.Score(s, time.Date(2026, 10, 9, 9, 0, 0, 0, time.UTC))
	}
}

// BenchmarkScoreLong scores one note of 1 MB and of 10 MB: time must grow with the text, not faster.
func BenchmarkScoreLong(b *testing.B) {
	e := builtin(b)
	for _, size := range []struct {
		name  string
		bytes int
	}{{"1MB", 1 << 20}, {"10MB", 10 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			s := deal()
			s.Notes[1].Body = strings.Repeat(s.Notes[0].Body+"\n"+s.Activities[0].Body+"\n", size.bytes/600)
			b.SetBytes(int64(len(s.Notes[1].Body)))
			for b.Loop() {
				e.Score(s, time.Date(2026, 10, 9, 9, 0, 0, 0, time.UTC))
			}
		})
	}
}

// BenchmarkScoreMany scores a thousand and a hundred thousand ordinary deals, one after the other as a run does, and reports the
// most memory in use: it must not grow with their number.
func BenchmarkScoreMany(b *testing.B) {
	e := builtin(b)
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			most := uint64(0)
			for b.Loop() {
				for i := range n {
					s := deal()
					s.ID = strconv.Itoa(i)
					s.Deal.Fields["description"] = strings.Repeat("The "+s.ID+"th deal, which says little more. ", 15)
					e.Score(s, time.Date(2026, 10, 9, 9, 0, 0, 0, time.UTC))
					if i%100 == 0 {
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapInuse)
					}
				}
			}
			b.ReportMetric(float64(most)/(1<<20), "heap-MB")
		})
	}
}
