package rules

import (
	"io/fs"
	"maps"
	"math"
	"slices"
	"testing"
	"time"
)

// TestWeightsOfTerms: looking words up once, by number, tells what looking up each term would.
func TestWeightsOfTerms(t *testing.T) {
	dir, err := fs.Sub(scorecards, "scorecards/wording")
	if err != nil {
		t.Fatal(err)
	}
	wording, err := ReadWording(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := deal()
	s.Notes[0].Body += "\n\nChampion: nobody negotiated the negotiable parts, not yet approved by Rita or Lena on Monday 4 May; never integrating with Infor."
	s.Deal.Fields["description"] = "Übernahme der Stammdaten ist nicht geklärt. El presupuesto no está aprobado todavía."
	r := builtin(t).read(s, time.Date(2026, 10, 9, 9, 0, 0, 0, time.UTC))
	ids := slices.Sorted(maps.Keys(wording.Items))
	for i := range r.passages {
		p := &r.passages[i]
		want := make([]float64, perItem*len(ids))
		wantCount := 0
		r.terms(p, func(term []byte, sign bool) {
			tells := false
			for k, id := range ids {
				v, ok := wording.Items[id].Terms[string(term)]
				tells = tells || ok
				at := perItem * k
				if sign {
					at += questions
				}
				for q := range v {
					want[at+q] += v[q]
				}
			}
			if tells && !sign {
				wantCount++
			}
		})
		got := make([]float32, len(want))
		if count := r.weights(p, got); int(count) != wantCount {
			t.Errorf("%q: %g terms, want %d", p.text, count, wantCount)
		}
		for j := range want {
			if math.Abs(float64(got[j])-want[j]) > 1e-4 {
				t.Errorf("%q: item %s: %g, want %g", p.text, ids[j/perItem], got[j], want[j])
				break
			}
		}
	}
}
