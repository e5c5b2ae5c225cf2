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
		want := make([]struct{ words, signs Weights }, len(ids))
		wantCount := 0
		r.terms(p, func(term []byte, sign bool) {
			tells := false
			for k, id := range ids {
				v, ok := wording.Items[id].Terms[string(term)]
				tells = tells || ok
				on := &want[k].words
				if sign {
					on = &want[k].signs
				}
				for q := range v {
					on[q] += v[q]
				}
			}
			if tells && !sign {
				wantCount++
			}
		})
		got := make([]told, len(want))
		if count := r.weights(p, got); int(count) != wantCount {
			t.Errorf("%q: %g terms, want %d", p.text, count, wantCount)
		}
		for k, id := range ids {
			for q := range questions {
				if words, signs := float64(got[k].words[q]), float64(got[k].signs[q]); math.Abs(words-want[k].words[q]) > 1e-4 || math.Abs(signs-want[k].signs[q]) > 1e-4 {
					t.Errorf("%q: item %s: %g and %g, want %+v", p.text, id, words, signs, want[k])
					break
				}
			}
		}
	}
}
