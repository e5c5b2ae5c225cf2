package main

import (
	"cmp"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/optimize"

	"handoff/rules"
)

const (
	leastTexts = 4    // windows that a term must be in
	leastFiles = 3    // writers that must use it: one writer's habit tells nothing about others'
	mostTerms  = 2000 // that an item keeps for each question
	penalty    = 0.5
	signScale  = 0.08 // of a sign beside the words of a window, whose length is 1
)

// row is a window as a sparse vector.
type row struct {
	at     []int32
	v      []float32
	weight float64
}

// learnTerms learns what each term tells about each item, from the texts of the writers that use picks: a logistic
// regression an item for each question that rules.Weights answers.
func learnTerms(texts []text, use func(writer string) bool) map[string]*rules.ItemWording {
	texts = slices.DeleteFunc(slices.Clone(texts), func(t text) bool { return !use(t.writer) })
	terms := vocabulary(texts)
	index := make(map[string]int32, len(terms))
	for i, t := range terms {
		index[t] = int32(i)
	}
	rows := make([]row, len(texts))
	for i := range texts {
		rows[i] = vector(&texts[i], index)
	}
	out := map[string]*rules.ItemWording{}
	var mu sync.Mutex
	each(items, func(id string) {
		it := &rules.ItemWording{Terms: map[string]rules.Weights{}}
		for question := range it.Base {
			w := regress(rows, texts, id, question, len(terms))
			for i, t := range terms {
				if t[0] == '#' || t[0] == '^' {
					w[i] *= signScale
				}
				if w[i] != 0 {
					v := it.Terms[t]
					v[question] = w[i]
					it.Terms[t] = v
				}
			}
			it.Base[question] = w[len(terms)]
		}
		mu.Lock()
		defer mu.Unlock()
		out[id] = it
	})
	return out
}

// knownWords returns the words that enough writers use, in order: a rarer one with a capital is a name.
func knownWords(texts []text) []string {
	var out []string
	for _, term := range vocabulary(texts) {
		if term[0] != '#' && term[0] != '^' && !strings.ContainsAny(term, " *!") {
			out = append(out, term)
		}
	}
	return out
}

// each calls do for each of list, on all processors.
func each[T any](list []T, do func(T)) {
	var wg sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, x := range list {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			do(x)
		})
	}
	wg.Wait()
}

// vocabulary returns the terms that occur often and widely enough, in order.
func vocabulary(texts []text) []string {
	type seen struct {
		texts int
		files map[string]bool
	}
	count := map[string]*seen{}
	for i := range texts {
		t := &texts[i]
		terms := append(slices.Clone(t.words), t.signs...)
		slices.Sort(terms)
		for _, term := range slices.Compact(terms) {
			s := count[term]
			if s == nil {
				s = &seen{files: map[string]bool{}}
				count[term] = s
			}
			s.texts++
			s.files[t.writer] = true
		}
	}
	maps.DeleteFunc(count, func(_ string, s *seen) bool { return s.texts < leastTexts || len(s.files) < leastFiles })
	return slices.Sorted(maps.Keys(count))
}

// vector returns the window's words at a length of 1, and its signs.
func vector(t *text, index map[string]int32) row {
	sum := map[int32]float32{}
	n := 0
	for _, w := range t.words {
		if i, ok := index[w]; ok {
			sum[i]++
			n++
		}
	}
	scale := float32(1 / math.Sqrt(float64(max(n, 1))))
	for i := range sum {
		sum[i] *= scale
	}
	for _, s := range t.signs {
		if i, ok := index[s]; ok {
			sum[i] += signScale
		}
	}
	r := row{at: slices.Sorted(maps.Keys(sum)), weight: t.weight}
	for _, i := range r.at {
		r.v = append(r.v, sum[i])
	}
	return r
}

// regress returns the weight of each of n terms, and the base behind them, in the answer to a question about an item. It
// keeps the terms that tell most.
func regress(rows []row, texts []text, id string, question, n int) []float64 {
	var x []row
	var y []float64
	for i := range texts {
		score := texts[i].scores[id]
		switch {
		case texts[i].open[id], question == rules.AllGiven && score == 0:
		case question == rules.Some:
			x, y = append(x, rows[i]), append(y, sign(score >= 1))
		default:
			x, y = append(x, rows[i]), append(y, sign(score >= 2))
		}
	}
	ratio := ratios(x, y, n)
	for i := range x {
		v := make([]float32, len(x[i].v))
		for k, at := range x[i].at {
			v[k] = x[i].v[k] * ratio[at]
		}
		x[i] = row{x[i].at, v, x[i].weight}
	}
	w := fit(x, y, n, nil)
	power := make([]float64, n)
	for _, r := range x {
		for k, at := range r.at {
			power[at] += float64(r.v[k]) * float64(r.v[k])
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		power[i] = math.Abs(w[i]) * math.Sqrt(power[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(power[b], power[a]) })
	keep := make([]bool, n)
	for _, i := range order[:min(mostTerms, n)] {
		keep[i] = true
	}
	w = fit(x, y, n, keep)
	for i := range ratio {
		w[i] *= float64(ratio[i])
	}
	return w
}

// ratios returns how unevenly each term is spread over the two answers: the size of the log ratio of its shares. A term
// scaled by it costs the less penalty the more it tells (Wang and Manning 2012, "Baselines and Bigrams").
func ratios(x []row, y []float64, n int) []float32 {
	const smooth = 0.3
	count := [2][]float64{make([]float64, n), make([]float64, n)}
	total := [2]float64{smooth * float64(n), smooth * float64(n)}
	for i, r := range x {
		side := 0
		if y[i] > 0 {
			side = 1
		}
		for k, at := range r.at {
			count[side][at] += float64(r.v[k])
			total[side] += float64(r.v[k])
		}
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.Abs(math.Log((count[1][i]+smooth)/total[1]) - math.Log((count[0][i]+smooth)/total[0])))
	}
	return out
}

func sign(is bool) float64 {
	if is {
		return 1
	}
	return -1
}

// fit fits a logistic regression with a quadratic penalty: n weights and the base. keep says which weights may differ
// from 0; nil: all.
func fit(x []row, y []float64, n int, keep []bool) []float64 {
	loss := func(grad, w []float64) float64 {
		var sum float64
		for i := range grad {
			grad[i] = penalty * w[i]
			sum += penalty / 2 * w[i] * w[i]
		}
		for i, r := range x {
			z := w[n]
			for k, at := range r.at {
				z += w[at] * float64(r.v[k])
			}
			z *= y[i]
			var g float64
			if z > 0 {
				e := math.Exp(-z)
				sum += r.weight * math.Log1p(e)
				g = -y[i] * e / (1 + e)
			} else {
				e := math.Exp(z)
				sum += r.weight * (math.Log1p(e) - z)
				g = -y[i] / (1 + e)
			}
			g *= r.weight
			for k, at := range r.at {
				grad[at] += g * float64(r.v[k])
			}
			grad[n] += g
		}
		for i := range keep {
			if !keep[i] {
				grad[i] = 0
			}
		}
		return sum
	}
	return minimise(loss, n+1)
}

// minimise returns where loss is least, looking from 0. loss also fills in its gradient.
func minimise(loss func(grad, w []float64) float64, n int) []float64 {
	var at, grad []float64
	var value float64
	eval := func(w []float64) {
		if at == nil || !slices.Equal(at, w) {
			at = append(at[:0], w...)
			grad = slices.Grow(grad[:0], n)[:n]
			value = loss(grad, w)
		}
	}
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(w []float64) float64 { eval(w); return value },
		Grad: func(out, w []float64) { eval(w); copy(out, grad) },
	}, make([]float64, n), &optimize.Settings{GradientThreshold: 1e-2, MajorIterations: 150}, &optimize.LBFGS{})
	if err != nil && result == nil {
		panic(err) // a problem without a starting point, which ours always has
	}
	return result.X
}
