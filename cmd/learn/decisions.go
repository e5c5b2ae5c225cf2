package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"

	"handoff/rules"
)

const (
	decisionPenalty = 20
	exampleWeight   = 0.3  // of a boundary example beside a deal
	sureMargin      = 0.95 // how often points must be right, among deals of held-out writers, to be called sure
)

// learnDecisions learns what the clues about each item weigh, into the items. It returns how probable the points of each
// deal's items are by decisions learned without its writer's group; nil for a boundary example.
func learnDecisions(wordings map[string]*rules.ItemWording, deals []deal, clues []map[string][]float64) []map[string][3]float64 {
	out := make([]map[string][3]float64, len(deals))
	for _, id := range items {
		wordings[id].Decision = decide(clues, deals, id, func(int) bool { return true })
		for held := range groups {
			other := rules.ItemWording{Decision: decide(clues, deals, id, func(i int) bool { return deals[i].group != held })}
			for i, d := range deals {
				if d.group != held {
					continue
				}
				if out[i] == nil {
					out[i] = map[string][3]float64{}
				}
				out[i][id] = other.Decide(clues[i][id])
			}
		}
	}
	return out
}

// leastSure returns how probable points must be to be sure: so that they are right sureMargin of the time.
func leastSure(deals []deal, probable []map[string][3]float64) float64 {
	type guess struct {
		p     float64
		right bool
	}
	var guesses []guess
	for i, d := range deals {
		if probable[i] == nil {
			continue
		}
		for _, id := range items {
			p := probable[i][id]
			best := slices.Index(p[:], slices.Max(p[:]))
			guesses = append(guesses, guess{p[best], best == d.scores[id]})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(b.p, a.p) })
	right, sure, share := 0, 1.0, 0.0
	for i, g := range guesses {
		if g.right {
			right++
		}
		if float64(right) >= sureMargin*float64(i+1) {
			sure, share = g.p, float64(i+1)/float64(len(guesses))
		}
	}
	fmt.Fprintf(os.Stderr, "held-out writers: %.4f exact; sure from %.3f: %.3f of the items\n", float64(right)/float64(len(guesses)), sure, share)
	return sure
}

// idleWords learns on how many items idle words seem to say something: so that a deal with as much context as makes it a ghost by
// a narrow margin is as likely a ghost as not, among deals of held-out writers.
func idleWords(sc *rules.Scorecard, deals []deal, clues []map[string][]float64, probable []map[string][3]float64) rules.Idle {
	var x [][]float64 // the items with context, and what says how idle the words are
	var y []float64
	for i, d := range deals {
		if d.snapshot.Deal.CloseDate == nil || !d.snapshot.Deal.Won || probable[i] == nil {
			continue
		}
		context, firm := 0.0, false
		var counting [][]float64
		for _, spec := range sc.Items {
			if p, ok := probable[i][spec.ID]; ok && spec.Kind != "closing" {
				counting = append(counting, clues[i][spec.ID])
				context += 1 - p[0]
				firm = firm || p[2] >= rules.FirmContext
			}
		}
		if !firm { // else it is no ghost, whatever its words
			x, y = append(x, append([]float64{context}, rules.IdleClues(counting)...)), append(y, sign(d.ghost))
		}
	}
	odds := func(w, x []float64) (sum float64) {
		for c := range x {
			sum += w[c] * x[c]
		}
		return sum
	}
	w := minimise(func(grad, w []float64) float64 {
		clear(grad)
		var loss float64
		for i := range x {
			o := y[i] * odds(w, x[i])
			loss += math.Log1p(math.Exp(-o))
			for c := range grad {
				grad[c] -= y[i] * x[i][c] / (1 + math.Exp(o))
			}
		}
		return loss
	}, len(x[0]))
	right, counted := 0.0, 0.0
	for i := range x {
		for _, ghost := range []bool{odds(w, x[i]) > 0, y[i] > 0} {
			if ghost {
				counted++
			}
		}
		if odds(w, x[i]) > 0 && y[i] > 0 {
			right++
		}
	}
	fmt.Fprintf(os.Stderr, "held-out writers: ghost F1 %.3f of %d deals without a firm answer\n", 2*right/counted, len(x))
	idle := make(rules.Idle, len(w)-1)
	for i := range idle {
		idle[i] = -w[i+1] / w[0]
	}
	idle[0] -= sc.Ghost.Signals
	return idle
}

// decide fits a multinomial logistic regression with a quadratic penalty to the deals that use picks.
func decide(clues []map[string][]float64, deals []deal, id string, use func(int) bool) [][3]float64 {
	n := len(clues[0][id])
	w := minimise(func(grad, w []float64) float64 {
		var sum float64
		for i := range grad {
			if i >= 3 { // the first clue is the base
				grad[i] = decisionPenalty * w[i]
				sum += decisionPenalty / 2 * w[i] * w[i]
			} else {
				grad[i] = 0
			}
		}
		for i := range clues {
			label, ok := deals[i].scores[id]
			if !ok || !use(i) {
				continue
			}
			weight := 1.0
			if deals[i].group < 0 {
				weight = exampleWeight
			}
			x := clues[i][id]
			p := (&rules.ItemWording{Decision: table(w)}).Decide(x)
			sum -= weight * math.Log(max(p[label], 1e-300))
			for points := range p {
				g := p[points]
				if points == label {
					g--
				}
				for c := range x {
					grad[3*c+points] += weight * g * x[c]
				}
			}
		}
		return sum
	}, 3*n)
	return table(w)
}

func table(w []float64) [][3]float64 {
	out := make([][3]float64, len(w)/3)
	for i := range out {
		out[i] = [3]float64(w[3*i : 3*i+3])
	}
	return out
}
