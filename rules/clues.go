package rules

import (
	"math"
	"slices"
	"time"

	"handoff/crm"
)

// clueNames names what decides on an item's points: what the most telling windows of the text say on it (some: anything;
// all: enough; both: anything, and of that enough), how much of the text does, how rich the record is, and how the rules
// judge it.
var clueNames = []string{
	"any", "some-1", "some-2", "some-3", "all-1", "all-2", "all-3", "both-1", "both-2", "both-3", "some-total", "all-total", "both-total",
	"given-at-some-1", "windows", "some-elsewhere", "all-elsewhere",
	"rules-say-0", "rules-say-1", "rules-say-2", "rules-sure", "rules-sure-points", "rules-mean",
}

// maxWindow is how many passages in a row are read together.
const maxWindow = 3

// reading is what the words of a record tell about one item.
type reading struct {
	some, all, both             [3]float64 // of the most telling windows, best first, in log odds
	sumSome, sumAll, sumBoth    float64    // of the probabilities of all windows
	given                       float64    // of the window that most surely says something: whether it says enough
	bestSome, bestAll, bestBoth best
}

// best is the most telling window, of those that tell as much the shortest.
type best struct {
	window [2]int // passages [from, to); empty: there is none
	told   float64
}

// dear is what each further passage of a window must tell, in log odds, to be shown as evidence.
const dear = 0.4

func (b *best) see(told float64, window [2]int) {
	if told <= b.told { // whatever is taken off it
		return
	}
	if told -= dear * float64(window[1]-window[0]-1); told > b.told {
		*b = best{window, told}
	}
}

// silence is what no text at all says, and most passages say of most items, in log odds.
const silence = -4

// told is what a passage, or several, tell on the questions about one item, in log odds: the words, and the signs.
type told struct{ words, signs [questions]float32 }

// wordings reads all windows of the record, and returns a reading for each item of the wording and the number of windows.
func (r *record) wordings() ([]reading, int) {
	w := r.e.wording
	n := len(w.items)
	out := make([]reading, n)
	for k := range out {
		none, nowhere := [3]float64{silence, silence, silence}, best{told: math.Inf(-1)}
		out[k] = reading{some: none, all: none, both: none, bestSome: nowhere, bestAll: nowhere, bestBoth: nowhere}
	}
	var rows [maxWindow][]told // of the passages at hand, by item
	var counts [maxWindow]float32
	for at := range rows {
		rows[at] = make([]told, n)
	}
	weighed := 0 // passages
	sum := make([]told, n)
	windows := 0
	for i := range r.passages {
		if r.passages[i].empty {
			continue
		}
		clear(sum)
		count := float32(0)
		for j := i; j < i+maxWindow && j < r.passages[i].src.to; j++ {
			p, at := &r.passages[j], j%maxWindow
			if p.empty {
				continue
			}
			if j >= weighed {
				weighed = j + 1
				clear(rows[at])
				counts[at] = r.weights(p, rows[at])
			}
			for k := range sum {
				sum[k].add(&rows[at][k])
			}
			count += counts[at]
			windows++
			scale := 1 / float32(math.Sqrt(float64(max(count, 1))))
			for k := range out {
				if w.items[k].late && !r.passages[i].src.post && r.s.Deal.CloseDate != nil {
					continue
				}
				base := &w.items[k].spec.Base
				if some := sum[k].answer(Some, base, scale); some > silence {
					out[k].see(some, sum[k].answer(All, base, scale), sum[k].answer(AllGiven, base, scale), [2]int{i, j + 1})
				}
			}
		}
	}
	return out, windows
}

// add adds what another passage tells.
func (t *told) add(u *told) {
	add(&t.words, &u.words)
	add(&t.signs, &u.signs)
}

// answer returns what t tells on a question, its words at a scale, beside what any passage does.
func (t *told) answer(question int, base *Weights, scale float32) float64 {
	return base[question] + float64(scale*t.words[question]+t.signs[question])
}

// see takes a window of passages into account that says something: its answers to the questions.
func (o *reading) see(some, all, given float64, window [2]int) {
	if some > o.some[0] {
		o.given = given
	}
	o.bestSome.see(some, window)
	o.bestAll.see(all, window)
	rank(&o.some, some)
	rank(&o.all, all)
	saysSome := sigmoid(some)
	both := saysSome * sigmoid(given)
	if some > min(o.both[2], o.bestBoth.told) { // else it cannot be among the best: it is less likely to say all than to say some
		logOdds := math.Log(both / (1 - both))
		o.bestBoth.see(logOdds, window)
		rank(&o.both, logOdds)
	}
	o.sumSome += saysSome
	o.sumAll += sigmoid(all)
	o.sumBoth += both
}

// rank puts v among the best three.
func rank(best *[3]float64, v float64) {
	for i := range best {
		if v > best[i] {
			v, best[i] = best[i], v
		}
	}
}

// The log odds of which sigmoids holds the probabilities.
const (
	mostOdds     = 16
	stepsPerOdds = 64
)

var sigmoids = func() (p [2*mostOdds*stepsPerOdds + 2]float64) {
	for i := range p {
		p[i] = 1 / (1 + math.Exp(mostOdds-float64(i)/stepsPerOdds))
	}
	return p
}()

// sigmoid turns log odds into a probability, never quite 0 or 1, to five decimals.
func sigmoid(x float64) float64 {
	at := (min(max(x, -mostOdds), mostOdds) + mostOdds) * stepsPerOdds
	i := int(at)
	return sigmoids[i] + (at-float64(i))*(sigmoids[i+1]-sigmoids[i])
}

// idleNames names what says on how many items a deal would seem to say something if all its words were idle: besides a base,
// the log of its windows, how much of their text seems to tell of anything, how surely that would be enough, and how the rules
// judge it.
var idleNames = []string{"any", "windows", "some-share", "given-at-some-1", "rules-mean"}

// IdleClues returns the clues of idleNames, by the clues about each item.
func IdleClues(clues [][]float64) []float64 {
	of := func(clues []float64, name string) float64 { return clues[slices.Index(clueNames, name)] }
	var windows, some, given, mean float64
	for _, c := range clues {
		windows, mean = of(c, "windows"), of(c, "rules-mean") // the same for all items
		some += math.Exp(of(c, "some-total"))
		given += of(c, "given-at-some-1") / float64(len(clues))
	}
	return []float64{1, windows, math.Log(some+least) - windows, given, mean}
}

// least is added to what a log is taken of.
const least = 1e-3

// clues returns the clues about each item of the wording, in the order of clueNames, and the readings.
func (r *record) clues(grades []grade) ([][]float64, []reading) {
	readings, windows := r.wordings()
	var some, all, mean float64
	for _, o := range readings {
		some += o.some[0] / float64(len(readings))
		all += o.all[0] / float64(len(readings))
	}
	for i := range grades {
		mean += float64(grades[i].points) / float64(len(grades))
	}
	out := make([][]float64, len(readings))
	for k, o := range readings {
		judged := make([]float64, 5)
		if i := r.e.wording.items[k].item; i >= 0 {
			g := &grades[i]
			judged[g.points] = 2
			if g.sure {
				judged[3], judged[4] = 1, float64(g.points)
			}
		}
		out[k] = slices.Concat([]float64{1}, o.some[:], o.all[:], o.both[:],
			[]float64{math.Log(o.sumSome + least), math.Log(o.sumAll + least), math.Log(o.sumBoth + least), o.given,
				math.Log(float64(max(windows, 1))), some, all}, judged, []float64{mean})
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

// Clues returns what decides on the points of each item of the wording, by its id: what `go run ./cmd/learn` learns from.
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
			w.Passages = append(slices.Clip(w.Passages), p.text)
			w.Words, w.Signs = slices.Clip(w.Words), slices.Clip(w.Signs)
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
func (e *Engine) WithWording(w *Wording) *Engine {
	other := *e
	other.wording, _ = newWording(w).on(e.card)
	other.signs = other.newSigns()
	return &other
}
