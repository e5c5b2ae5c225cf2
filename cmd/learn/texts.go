package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"handoff/crm"
	"handoff/rules"
)

// dealWeight is the weight of a deal's text beside others: such is what there is to be read later.
const dealWeight = 2.5

// text is a window of a labelled text.
type text struct {
	writer string // the file
	weight float64
	words  []string
	signs  []string
	scores map[string]int  // by item; absent: 0
	open   map[string]bool // items on which the label does not tell
}

// items are those that a wording speaks about: all that text decides.
var items = []string{
	"1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "5.2",
}

// labelled is a line of testdata/passages or testdata/notes.
type labelled struct {
	ID     string         `json:"id"`
	Place  string         `json:"place"`
	Title  string         `json:"title"`
	Text   string         `json:"text"`
	Scores map[string]int `json:"scores"`
	Pieces []piece        `json:"pieces"`
	Spans  []span         `json:"spans"`
}

// piece is a piece of a note with its scores.
type piece struct {
	text   string
	scores map[string]int
}

func (p *piece) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&p.text, &p.scores})
}

// span is pieces first to last of a note, with the scores that they get together.
type span struct {
	first, last int
	scores      map[string]int
}

func (s *span) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&s.first, &s.last, &s.scores})
}

var (
	closed = crm.NewDate(2026, 9, 30)
	asOf   = time.Date(2026, 10, 10, 9, 0, 0, 0, time.UTC)
)

// snapshot is a won deal that has nothing but the text.
func (l *labelled) snapshot(body string) *crm.Snapshot {
	at := closed.Time().Add(-39 * time.Hour)
	s := &crm.Snapshot{ID: l.ID, Deal: crm.Deal{ID: l.ID, Won: true, CloseDate: &closed}}
	field, inField := strings.CutPrefix(l.Place, "field:")
	switch {
	case inField:
		s.Deal.Fields = map[string]string{field: body}
	case l.Place == "email":
		s.Activities = []crm.Activity{{Kind: crm.Email, At: &at, Subject: l.Title, Body: body}}
	case l.Place == "call":
		s.Activities = []crm.Activity{{Kind: crm.Call, At: &at, Subject: l.Title, Body: body}}
	case l.Place == "post":
		at = closed.Time().Add(57 * time.Hour)
		s.Notes = []crm.Note{{At: &at, Title: l.Title, Body: body}}
	default:
		s.Notes = []crm.Note{{At: &at, Title: l.Title, Body: body}}
	}
	return s
}

// readTexts reads the labelled passages and notes, and the labelled pieces of deals.
func readTexts(e *rules.Engine, dir string, deals []deal) ([]text, error) {
	byID := map[string]*deal{}
	for i := range deals {
		byID[deals[i].snapshot.ID] = &deals[i]
	}
	var out []text
	for _, kind := range []string{"passages", "notes", "spans"} {
		files, err := filepath.Glob(filepath.Join(dir, kind, "*.jsonl"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			err := readLines(name, func(line []byte) error {
				var l labelled
				if err := json.Unmarshal(line, &l); err != nil {
					return err
				}
				from := len(out)
				switch kind {
				case "passages":
					out = append(out, whole(e, name, &l)...)
				case "notes":
					out = append(out, l.parts(name, e.Windows(l.snapshot(l.body()), asOf))...)
				default:
					d := byID[l.ID]
					if d == nil {
						return fmt.Errorf("there is no deal %s", l.ID)
					}
					out = append(out, l.parts(d.writer, e.Windows(d.snapshot, *d.snapshot.AsOf))...)
				}
				for i := range out[from:] {
					out[from+i].weight = 1
					if kind == "spans" {
						out[from+i].weight = dealWeight
					}
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// body is the whole text of a note.
func (l *labelled) body() string {
	lines := make([]string, len(l.Pieces))
	for i, p := range l.Pieces {
		lines[i] = p.text
	}
	return strings.Join(lines, "\n")
}

func readLines(name string, each func(line []byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := each(lines.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}

// whole returns the largest window of a passage, with the passage's label.
func whole(e *rules.Engine, file string, l *labelled) []text {
	var best *rules.Window
	windows := e.Windows(l.snapshot(l.Text), asOf)
	for i := range windows {
		if w := &windows[i]; best == nil || len(w.Passages) > len(best.Passages) {
			best = w
		}
	}
	if best == nil {
		return nil
	}
	return []text{{writer: file, words: best.Words, signs: best.Signs, scores: l.Scores}}
}

// parts returns the windows that are single passages or hold whole pieces that are told apart.
func (l *labelled) parts(writer string, windows []rules.Window) []text {
	plain := make([]string, len(l.Pieces))
	for i, p := range l.Pieces {
		plain[i] = letters(p.text)
	}
	piece := map[int]int{} // of each passage
	count := map[int]int{} // passages of each piece
	at := 0
	for _, w := range windows {
		if len(w.Passages) != 1 {
			continue
		}
		key := letters(w.Passages[0])
		for n := range plain {
			j := (at + n) % len(plain)
			if strings.Contains(plain[j], key) {
				piece[w.First], at = j, j
				count[j]++
				break
			}
		}
	}
	var out []text
	for _, w := range windows {
		t := text{writer: writer, words: w.Words, signs: w.Signs, scores: map[string]int{}, open: map[string]bool{}}
		inside := map[int]int{}
		known := true
		for i := range w.Passages {
			j, ok := piece[w.First+i]
			known = known && ok
			inside[j]++
		}
		if !known {
			continue
		}
		for j := range inside {
			for id, score := range l.Pieces[j].scores {
				if inside[j] == count[j] {
					t.scores[id] = max(t.scores[id], score)
				} else {
					t.open[id] = true
				}
			}
		}
		spanned := false
		for _, s := range l.Spans {
			whole := true
			for j := s.first; j <= s.last; j++ {
				whole = whole && count[j] > 0 && inside[j] == count[j]
			}
			if whole {
				spanned = true
				for id, score := range s.scores {
					t.scores[id] = max(t.scores[id], score)
				}
			}
		}
		if len(w.Passages) == 1 || spanned || len(t.scores) > 0 {
			if len(w.Passages) > 1 && !spanned { // tells what is there, not what is absent
				for _, id := range items {
					t.open[id] = t.open[id] || t.scores[id] == 0
				}
			}
			out = append(out, t)
		}
	}
	return out
}

// letters reduces s to its letters and digits.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
