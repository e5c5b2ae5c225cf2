package rules

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Wording is what the words of a text tell about items, by the id of the item: a second opinion beside the slots.
// `go run ./rules/learn` makes the files in scorecards/wording that hold it.
type Wording map[string]*ItemWording

// ItemWording is what words tell about one item.
type ItemWording struct {
	Base     Weights            // of a passage without words
	Terms    map[string]Weights // of each term
	Decision [][3]float64       // by clue (clueNames): weights for 0, 1 and 2 points
}

// Weights speak for (positive) or against (negative) a passage: as saying something on the item, and as being all that is
// needed. They are in log odds.
type Weights struct{ Some, All float64 }

// The files of a wording: a table of terms for each item, and a table of the decisions.
const (
	termsExt      = ".terms.tsv"
	decisionsFile = "decisions.tsv"
	sureRow       = "sure"
	baseTerm      = "(any)"
)

// ReadWording reads the wording in a folder; sure is the least probability of an item's points to be called sure.
func ReadWording(dir fs.FS) (w Wording, sure float64, err error) {
	files, err := fs.Glob(dir, "*"+termsExt)
	if err != nil {
		return nil, 0, fmt.Errorf("read wording: %w", err)
	}
	w = Wording{}
	for _, name := range files {
		it := &ItemWording{Terms: map[string]Weights{}}
		w[strings.TrimSuffix(path.Base(name), termsExt)] = it
		err := readTable(dir, name, 2, func(key string, v []float64) error {
			if key == baseTerm {
				it.Base = Weights{v[0], v[1]}
			} else {
				it.Terms[key] = Weights{v[0], v[1]}
			}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	err = readTable(dir, decisionsFile, 3, func(key string, v []float64) error {
		if key == sureRow {
			sure = v[0]
			return nil
		}
		id, clue, _ := strings.Cut(key, " ")
		it, i := w[id], slices.Index(clueNames, clue)
		if it == nil || i < 0 {
			return fmt.Errorf("no item or clue %q", key)
		}
		if it.Decision == nil {
			it.Decision = make([][3]float64, len(clueNames))
		}
		it.Decision[i] = [3]float64(v)
		return nil
	})
	return w, sure, err
}

// readTable reads lines of a key and n numbers between tabs; lines that begin with "# " are remarks.
func readTable(dir fs.FS, name string, n int, row func(key string, v []float64) error) error {
	file, err := dir.Open(name)
	if err != nil {
		return fmt.Errorf("read wording: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for at := 1; lines.Scan(); at++ {
		if strings.HasPrefix(lines.Text(), "# ") {
			continue
		}
		cells := strings.Split(lines.Text(), "\t")
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
	return lines.Err()
}

// WriteTerms writes the table of an item's terms, the most telling first.
func (it *ItemWording) WriteTerms(w io.Writer, id string) error {
	weight := func(term string) float64 {
		return math.Max(math.Abs(it.Terms[term].Some), math.Abs(it.Terms[term].All))
	}
	terms := slices.SortedFunc(maps.Keys(it.Terms), func(a, b string) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a, b))
	})
	_, err := fmt.Fprintf(w, "# What a passage's words tell about item %s, in log odds: that it says something, and that it is all that is needed.\n"+
		"# Made by: go run ./rules/learn\n%s\t%.2f\t%.2f\n", id, baseTerm, it.Base.Some, it.Base.All)
	for _, t := range terms {
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\t%.2f\t%.2f\n", t, it.Terms[t].Some, it.Terms[t].All)
		}
	}
	return err
}

// WriteDecisions writes the table of what the clues of each item weigh.
func (w Wording) WriteDecisions(out io.Writer, sure float64) error {
	_, err := fmt.Fprintf(out, "# What the clues about each item weigh for 0, 1 and 2 points, in log odds; and how probable points must be to be sure.\n"+
		"# Made by: go run ./rules/learn\n%s\t%.3f\t0\t0\n", sureRow, sure)
	for _, id := range slices.Sorted(maps.Keys(w)) {
		for i, v := range w[id].Decision {
			if err == nil {
				_, err = fmt.Fprintf(out, "%s %s\t%.3f\t%.3f\t%.3f\n", id, clueNames[i], v[0], v[1], v[2])
			}
		}
	}
	return err
}

// builtinWording returns the wording that is built in.
var builtinWording = sync.OnceValues(func() (*wording, error) {
	dir, err := fs.Sub(scorecards, "scorecards/wording")
	if err != nil {
		return nil, fmt.Errorf("read wording: %w", err)
	}
	w, sure, err := ReadWording(dir)
	if err != nil {
		return nil, err
	}
	return newWording(w, sure), nil
})

// wording is a Wording made ready for reading.
type wording struct {
	items []wordedItem
	terms map[string][]termWeight
	sure  float64
}

// wordedItem is an item that a wording speaks about.
type wordedItem struct {
	id   string
	item int // of the scorecard; -1: it has no say there
	spec *ItemWording
}

// termWeight is what a term tells about the k-th item of a wording.
type termWeight struct {
	k         int
	some, all float32
}

func newWording(w Wording, sure float64) *wording {
	c := &wording{terms: map[string][]termWeight{}, sure: sure}
	for k, id := range slices.Sorted(maps.Keys(w)) {
		for term, v := range w[id].Terms {
			c.terms[term] = append(c.terms[term], termWeight{k, float32(v.Some), float32(v.All)})
		}
		c.items = append(c.items, wordedItem{id, -1, w[id]})
	}
	return c
}

// on returns the wording as it speaks about the items of a scorecard that ask for it; nil: none does.
func (w *wording) on(card *Scorecard) *wording {
	own := &wording{items: slices.Clone(w.items), terms: w.terms, sure: w.sure}
	some := false
	for k := range own.items {
		i := slices.IndexFunc(card.Items, func(it *ItemSpec) bool { return it.ID == own.items[k].id && it.Wording })
		own.items[k].item = i
		some = some || i >= 0
	}
	if !some {
		return nil
	}
	return own
}
