package rules

import (
	"math"
	"time"

	"handoff/crm"
)

// clueNames names what decides on an item's points: what the most telling windows of the text say on it (some: anything;
// all: enough), how much of the text does, how rich the record is, and how the rules judge it.
var clueNames = []string{
	"any", "some1", "some2", "some3", "all1", "all2", "all3", "some total", "all total", "windows", "some elsewhere", "all elsewhere",
	"rules say 0", "rules say 1", "rules say 2", "rules sure", "rules sure points", "rules total",
}

// maxWindow is how many passages in a row are read together.
const maxWindow = 3

// reading is what the words of a record tell about one item.
type reading struct {
	some, all       [3]float64 // of the most telling windows, best first
	sumSome, sumAll float64    // of the probabilities of all windows
	bestSome        [2]int     // passages [from, to) of the best window; empty: there is no text
	bestAll         [2]int
}

const noWindow = -6 // what no text at all says, in log odds

// wordings reads all windows of the record, and returns a reading for each item of the wording and the number of windows.
func (r *record) wordings() ([]reading, int) {
	w := r.e.wording
	n := len(w.items)
	out := make([]reading, n)
	for k := range out {
		out[k].some, out[k].all = [3]float64{noWindow, noWindow, noWindow}, [3]float64{noWindow, noWindow, noWindow}
	}
	rows := make([]float32, 4*n*len(r.passages)) // of each passage: words some and all, signs some and all
	counts := make([]float32, len(r.passages))
	for i := range r.passages {
		p := &r.passages[i]
		if p.empty {
			continue
		}
		row := rows[4*n*i : 4*n*(i+1)]
		r.terms(p, func(term []byte, sign bool) {
			weights, ok := w.terms[string(term)]
			if !ok {
				return
			}
			at := 0
			if sign {
				at = 2 * n
			} else {
				counts[i]++
			}
			for _, t := range weights {
				row[at+t.k] += t.some
				row[at+n+t.k] += t.all
			}
		})
	}
	sum := make([]float32, 4*n)
	windows := 0
	for i := range r.passages {
		if r.passages[i].empty {
			continue
		}
		clear(sum)
		count := float32(0)
		for j := i; j < i+maxWindow && j < r.passages[i].src.to; j++ {
			if r.passages[j].empty {
				continue
			}
			for m, v := range rows[4*n*j : 4*n*(j+1)] {
				sum[m] += v
			}
			count += counts[j]
			windows++
			scale := 1 / math.Sqrt(float64(max(count, 1)))
			for k := range out {
				base := w.items[k].spec.Base
				out[k].see(base.Some+scale*float64(sum[k])+float64(sum[2*n+k]), base.All+scale*float64(sum[n+k])+float64(sum[3*n+k]), i, j+1)
			}
		}
	}
	return out, windows
}

// see takes a window into account.
func (r *reading) see(some, all float64, from, to int) {
	if some > r.some[0] {
		r.bestSome = [2]int{from, to}
	}
	if all > r.all[0] {
		r.bestAll = [2]int{from, to}
	}
	rank(&r.some, some)
	rank(&r.all, all)
	r.sumSome += sigmoid(some)
	r.sumAll += sigmoid(all)
}

// rank puts v among the best three.
func rank(best *[3]float64, v float64) {
	for i := range best {
		if v > best[i] {
			v, best[i] = best[i], v
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// clues returns the clues about each item of the wording, in the order of clueNames, and the readings.
func (r *record) clues(grades []grade) ([][]float64, []reading) {
	readings, windows := r.wordings()
	var elsewhereSome, elsewhereAll, total float64
	for _, o := range readings {
		elsewhereSome += o.some[0] / float64(len(readings))
		elsewhereAll += o.all[0] / float64(len(readings))
	}
	for i := range grades {
		total += float64(grades[i].points) / float64(len(grades))
	}
	out := make([][]float64, len(readings))
	for k, o := range readings {
		c := []float64{1, o.some[0], o.some[1], o.some[2], o.all[0], o.all[1], o.all[2],
			math.Log(o.sumSome + 1e-3), math.Log(o.sumAll + 1e-3), math.Log(float64(max(windows, 1))), elsewhereSome, elsewhereAll, 0, 0, 0, 0, 0, total}
		i := r.e.wording.items[k].item
		if i < 0 {
			continue
		}
		g := &grades[i]
		c[12+g.points] = 2
		if g.sure {
			c[15], c[16] = 1, float64(g.points)
		}
		out[k] = c
	}
	return out, readings
}

// Decide returns the probability of 0, 1 and 2 points by the clues.
func (it *ItemWording) Decide(clues []float64) (p [3]float64) {
	for i, c := range clues {
		for points := range p {
			p[points] += c * it.Decision[i][points]
		}
	}
	top := max(p[0], p[1], p[2])
	var sum float64
	for points := range p {
		p[points] = math.Exp(p[points] - top)
		sum += p[points]
	}
	for points := range p {
		p[points] /= sum
	}
	return p
}

// Clues returns what decides on the points of each item of the wording, by its id: what `go run ./rules/learn` learns from.
func (e *Engine) Clues(s *crm.Snapshot, asOf time.Time) map[string][]float64 {
	r := e.read(s, asOf)
	clues, _ := r.clues(r.grades())
	out := map[string][]float64{}
	for k, w := range e.wording.items {
		out[w.id] = clues[k]
	}
	return out
}

// Window is up to three passages in a row of one source.
type Window struct {
	Passages []string
	First    int      // the number of the first passage in the record
	Words    []string // terms
	Signs    []string // terms that are signs
}

// Windows returns the windows of a snapshot, with the terms that a Wording could weigh.
func (e *Engine) Windows(s *crm.Snapshot, asOf time.Time) []Window {
	r := e.read(s, asOf)
	var out []Window
	for i := range r.passages {
		if r.passages[i].empty {
			continue
		}
		w := Window{First: i}
		for j := i; j < i+maxWindow && j < r.passages[i].src.to; j++ {
			p := &r.passages[j]
			if p.empty {
				continue
			}
			w.Passages = append(w.Passages[:len(w.Passages):len(w.Passages)], p.text)
			w.Words, w.Signs = w.Words[:len(w.Words):len(w.Words)], w.Signs[:len(w.Signs):len(w.Signs)]
			r.terms(p, func(term []byte, sign bool) {
				if sign {
					w.Signs = append(w.Signs, string(term))
				} else {
					w.Words = append(w.Words, string(term))
				}
			})
			out = append(out, w)
		}
	}
	return out
}

// WithWording returns an engine for the same scorecard with another wording.
func (e *Engine) WithWording(w Wording, sure float64) *Engine {
	other := *e
	other.wording = newWording(w, sure).on(e.card)
	return &other
}
