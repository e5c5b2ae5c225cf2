package rules

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Wording is what the words of a text tell about items: a second opinion beside the slots. `go run ./cmd/learn` makes
// the files in scorecards/wording that hold it.
type Wording struct {
	Items map[string]*ItemWording // by id
	Known []string                // words that are no names even with a capital, in order
	Sure  float64                 // the least probability of an item's points to be called sure
	Idle  Idle
}

// ItemWording is what words tell about one item.
type ItemWording struct {
	Base     Weights            // of a passage without words
	Terms    map[string]Weights // of each term
	Decision [][3]float64       // by clue (clueNames): weights for 0, 1 and 2 points
}

// Idle says on how many items a deal of idle words seems to say something: weights of the clues that IdleClues returns, in the
// order of idleNames.
type Idle []float64

// leastIdle is that number for the shortest records: the words of one fact alone seem to say something on its neighbours, too.
const leastIdle = 2.5

// In returns that number for a deal with such clues.
func (idle Idle) In(clues []float64) float64 {
	items := 0.0
	for i, c := range clues {
		items += c * idle[i]
	}
	return max(items, leastIdle)
}

// Weights speak for (positive) or against (negative) a passage: as saying something on the item, and as being all that is
// needed, among all passages and among those that say something. They are in log odds.
type Weights [3]float64

// The questions that Weights answer.
const (
	Some     = iota // does it say something on the item?
	All             // is it all that is needed?
	AllGiven        // if it says something, is that all that is needed?
	questions
)

// The files of a wording: a table of terms for each item, and a table of the decisions.
const (
	termsExt      = ".terms.tsv"
	decisionsFile = "decisions.tsv"
	knownFile     = "known.txt"
	sureRow       = "sure"
	idleRow       = "idle"
	baseTerm      = "(any)"
)

// ReadWording reads the wording in a folder.
func ReadWording(dir fs.FS) (*Wording, error) {
	files, err := fs.Glob(dir, "*"+termsExt)
	if err != nil {
		return nil, fmt.Errorf("read wording: %w", err)
	}
	w := &Wording{Items: map[string]*ItemWording{}, Idle: make(Idle, len(idleNames))}
	for _, name := range files {
		it := &ItemWording{Terms: map[string]Weights{}}
		w.Items[strings.TrimSuffix(path.Base(name), termsExt)] = it
		err := readTable(dir, name, questions, func(key string, v []float64) error {
			if key == baseTerm {
				it.Base = Weights(v)
			} else {
				it.Terms[key] = Weights(v)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = readTable(dir, decisionsFile, 3, func(key string, v []float64) error {
		if key == sureRow {
			w.Sure = v[0]
			return nil
		}
		id, clue, _ := strings.Cut(key, " ")
		if i := slices.Index(idleNames, clue); id == idleRow && i >= 0 {
			w.Idle[i] = v[0]
			return nil
		}
		it, i := w.Items[id], slices.Index(clueNames, clue)
		if it == nil || i < 0 {
			return fmt.Errorf("no item or clue %q", key)
		}
		if it.Decision == nil {
			it.Decision = make([][3]float64, len(clueNames))
		}
		it.Decision[i] = [3]float64(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	known, err := fs.ReadFile(dir, knownFile)
	if err != nil {
		return nil, fmt.Errorf("read wording: %w", err)
	}
	w.Known = strings.Fields(string(known))
	return w, nil
}

// readTable reads lines of a key and n numbers between tabs; lines that begin with "# " are remarks.
func readTable(dir fs.FS, name string, n int, row func(key string, v []float64) error) error {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return fmt.Errorf("read wording: %w", err)
	}
	at := 0
	for line := range strings.Lines(string(data)) {
		at++
		if strings.HasPrefix(line, "# ") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != n+1 {
			return fmt.Errorf("%s:%d: %d cells, not %d", name, at, len(cells), n+1)
		}
		v := make([]float64, n)
		for i, c := range cells[1:] {
			if v[i], err = strconv.ParseFloat(c, 64); err != nil {
				return fmt.Errorf("%s:%d: %w", name, at, err)
			}
		}
		if err := row(cells[0], v); err != nil {
			return fmt.Errorf("%s:%d: %w", name, at, err)
		}
	}
	return nil
}

// Files returns the files that hold the wording, by name, as ReadWording reads them.
func (w *Wording) Files() map[string][]byte {
	files := map[string][]byte{decisionsFile: w.decisions(), knownFile: []byte(strings.Join(w.Known, "\n") + "\n")}
	for id, it := range w.Items {
		files[id+termsExt] = it.terms(id)
	}
	return files
}

// terms returns the table of an item's terms, the most telling first.
func (it *ItemWording) terms(id string) []byte {
	weight := func(term string) (most float64) {
		for _, v := range it.Terms[term] {
			most = max(most, math.Abs(v))
		}
		return most
	}
	terms := slices.SortedFunc(maps.Keys(it.Terms), func(a, b string) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a, b))
	})
	var b bytes.Buffer
	row := func(term string, v Weights) {
		fmt.Fprintf(&b, "%s\t%.2f\t%.2f\t%.2f\n", term, v[Some], v[All], v[AllGiven])
	}
	fmt.Fprintf(&b, "# What a passage's words tell about item %s, in log odds: that it says something; that it is all that is needed; that it is,\n"+
		"# given that it says something. Made by: go run ./cmd/learn\n", id)
	row(baseTerm, it.Base)
	for _, t := range terms {
		row(t, it.Terms[t])
	}
	return b.Bytes()
}

// decisions returns the table of what the clues about each item weigh.
func (w *Wording) decisions() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What the clues about each item weigh for 0, 1 and 2 points, in log odds; and how probable points must be to be sure,\n"+
		"# and what clues about all items weigh for the number of items that idle words seem to say something on. Made by: go run ./cmd/learn\n%s\t%.3f\t0\t0\n", sureRow, w.Sure)
	for i, v := range w.Idle {
		fmt.Fprintf(&b, "%s %s\t%.4f\t0\t0\n", idleRow, idleNames[i], v)
	}
	for _, id := range slices.Sorted(maps.Keys(w.Items)) {
		for i, v := range w.Items[id].Decision {
			fmt.Fprintf(&b, "%s %s\t%.3f\t%.3f\t%.3f\n", id, clueNames[i], v[0], v[1], v[2])
		}
	}
	return b.Bytes()
}

// builtinWording returns the wording that is built in.
var builtinWording = sync.OnceValues(func() (*wording, error) {
	dir, err := fs.Sub(scorecards, "scorecards/wording")
	if err != nil {
		return nil, fmt.Errorf("read wording: %w", err)
	}
	w, err := ReadWording(dir)
	if err != nil {
		return nil, err
	}
	return newWording(w), nil
})

// wordingLanguages are those of the texts that the built-in wording was learned from.
var wordingLanguages = []string{"de", "en", "es"}

// wordingTexts returns the files of the built-in wording.
var wordingTexts = sync.OnceValue(func() [][]byte {
	var texts [][]byte
	names, err := fs.Glob(scorecards, "scorecards/wording/*")
	for _, name := range names {
		if data, readErr := scorecards.ReadFile(name); readErr == nil {
			texts = append(texts, data)
		} else {
			err = readErr
		}
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	return texts
})

// wording is a Wording made ready for reading. Its tables are by the numbers that words, stems and signs have in it: to look a
// word up once, and not each term that it is part of, is half of what makes reading fast.
type wording struct {
	items      []wordedItem
	tokens     map[string]token
	single     [][]termWeight          // of terms that are one token; none for 0
	pairs      map[uint64][]termWeight // of terms that are two
	lexemes    map[string]*lexeme      // of words that it knows
	stems      map[string]*sense       // of words that it does not know, by how they begin
	knowsNames bool                    // a word with a capital that it does not know is a name

	name, number, month, weekday plainWord // the stand-ins

	sure float64
	idle Idle
}

// token is the number of a word, a stem or a sign of a term; 0: no term has it.
type token int32

// pair is the key of two tokens in a row.
func pair(first, second token) uint64 { return uint64(first)<<32 | uint64(second) }

// lexeme is what a wording knows of a word: as it is, and soon after a negation.
type lexeme struct {
	plain, negated sense
	known          bool // no name, even with a capital
}

// sense is what a wording knows of a word and its stem.
type sense struct {
	whole, stem token        // the stem of a short word is the word
	tells       []termWeight // what both tell, of each item once
	terms       float32      // how many of the two tell anything
}

// wordedItem is an item that a wording speaks about.
type wordedItem struct {
	id   string
	item int  // of the scorecard; -1: it has no say there
	late bool // only what was written after the close counts
	spec *ItemWording
}

// termWeight is what a term tells about an item of a wording.
type termWeight struct {
	item    int32 // of the wording
	weights [questions]float32
}

func newWording(w *Wording) *wording {
	c := &wording{tokens: map[string]token{}, single: make([][]termWeight, 1), pairs: map[uint64][]termWeight{}, lexemes: map[string]*lexeme{}, stems: map[string]*sense{},
		knowsNames: len(w.Known) > 0, sure: w.Sure, idle: w.Idle}
	for k, id := range slices.Sorted(maps.Keys(w.Items)) {
		for term, v := range w.Items[id].Terms {
			c.add(term, termWeight{int32(k), [questions]float32{float32(v[Some]), float32(v[All]), float32(v[AllGiven])}})
		}
		c.items = append(c.items, wordedItem{id: id, item: -1, spec: w.Items[id]})
	}
	for _, word := range w.Known {
		l := c.look(word)
		l.known = true
		c.lexemes[word] = l
	}
	for name, n := range c.tokens {
		if begin, ok := strings.CutSuffix(name, "*"); ok && len(begin) == stemLength {
			c.stems[begin] = &sense{stem: n, tells: c.single[n], terms: float32(min(len(c.single[n]), 1))}
		}
		if word := strings.TrimPrefix(name, not); c.lexemes[word] == nil {
			c.lexemes[word] = c.look(word)
		}
	}
	standIn := func(word string) plainWord { return plainWord{text: word, lexeme: c.lexemes[word]} }
	c.name, c.number, c.month, c.weekday = standIn(anyName), standIn(anyNumber), standIn(anyMonth), standIn(anyWeekday)
	return c
}

// add adds what a term tells.
func (w *wording) add(term string, tells termWeight) {
	number := func(name string) token {
		n, ok := w.tokens[name]
		if !ok {
			n = token(len(w.single))
			w.tokens[name] = n
			w.single = append(w.single, nil)
		}
		return n
	}
	first, second, two := strings.Cut(term, " ")
	n := number(first)
	if !two {
		w.single[n] = append(w.single[n], tells)
		return
	}
	key := pair(n, number(second))
	w.pairs[key] = append(w.pairs[key], tells)
}

// sense returns what w knows of a word of a passage.
func (w *wording) sense(pw *plainWord) *sense {
	switch {
	case pw.lexeme == nil && pw.afterNo:
		return w.byStem(not + pw.text)
	case pw.lexeme == nil:
		return w.byStem(pw.text)
	case pw.afterNo:
		return &pw.negated
	}
	return &pw.plain
}

// byStem returns what w knows of a word that is not among its lexemes.
func (w *wording) byStem(word string) *sense {
	if len(word) > stemLength {
		if s := w.stems[word[:stemLength]]; s != nil {
			return s
		}
	}
	return &unknownWord
}

var unknownWord sense

// look looks up the tokens of a word.
func (w *wording) look(word string) *lexeme {
	var room [96]byte
	find := func(mark, word string) sense {
		buf := append(append(room[:0], mark...), word...)
		s := sense{whole: w.tokens[string(buf)]}
		s.stem, s.tells = s.whole, w.single[s.whole]
		if len(s.tells) > 0 {
			s.terms++
		}
		if len(buf) <= stemLength {
			return s
		}
		s.stem = w.tokens[string(append(buf[:stemLength], '*'))]
		if stem := w.single[s.stem]; len(stem) > 0 {
			s.tells = sum(stem, s.tells)
			s.terms++
		}
		return s
	}
	return &lexeme{plain: find("", word), negated: find(not, word)}
}

// add adds other weights to sum.
func add(sum, other *[questions]float32) {
	sum[Some] += other[Some]
	sum[All] += other[All]
	sum[AllGiven] += other[AllGiven]
}

// sum returns what two terms tell together.
func sum(a, b []termWeight) []termWeight {
	if len(b) == 0 {
		return a
	}
	out := slices.Clone(a)
	for _, t := range b {
		i, found := slices.BinarySearchFunc(out, t.item, func(o termWeight, item int32) int { return int(o.item - item) })
		if !found {
			out = slices.Insert(out, i, t)
			continue
		}
		add(&out[i].weights, &t.weights)
	}
	return out
}

// on returns the wording as it speaks about the items of a scorecard that ask for it; ok is false if none does.
func (w *wording) on(card *Scorecard) (on *wording, ok bool) {
	own := *w
	own.items = slices.Clone(w.items)
	for k := range own.items {
		i := slices.IndexFunc(card.Items, func(it *ItemSpec) bool { return it.ID == own.items[k].id && it.Wording })
		own.items[k].item = i
		own.items[k].late = i >= 0 && card.Items[i].Kind == kindClosing
		ok = ok || i >= 0
	}
	return &own, ok
}
