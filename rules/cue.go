package rules

import (
	"fmt"
	"slices"
	"strings"
)

// class says what finding a cue means: it belongs to an item, to a slot, or to the vocabulary of a language.
type class int16

// hit is a cue found in a passage: words [from, to).
type hit struct {
	class    class
	from, to int32
}

// lexicon finds all cues of a scorecard in one walk over a text. A cue is one or more words; a word that ends in * also
// matches longer words, and a lone * matches any one word.
type lexicon struct {
	nodes []lexNode
}

type lexNode struct {
	next map[byte]int32 // by the next byte of the folded text
	rest int32          // after the remaining letters of the word: the cue had a *; 0: none
	ends []cueEnd       // cues that end here, at the end of a word
}

type cueEnd struct {
	class class
	lang  int8
}

func newLexicon() *lexicon { return &lexicon{nodes: make([]lexNode, 1)} }

// add adds a cue; an error says what is wrong with it.
func (l *lexicon) add(cue string, c class, lang int8) error {
	var parts []string
	for _, w := range strings.Fields(cue) {
		star := strings.HasSuffix(w, "*")
		f := foldString(strings.TrimSuffix(w, "*"))
		if f == "" && !star {
			return fmt.Errorf("cue %q: %q has no letters or digits to look for", cue, w)
		}
		if star {
			f += "*"
		}
		parts = append(parts, f)
	}
	if len(parts) == 0 || parts[0] == "*" {
		return fmt.Errorf("cue %q must start with a word", cue)
	}
	n := int32(0)
	for i, b := range []byte(strings.Join(parts, " ")) {
		_ = i
		var to int32
		if b == '*' {
			to = l.nodes[n].rest
		} else {
			to = l.nodes[n].next[b]
		}
		if to == 0 {
			to = int32(len(l.nodes))
			l.nodes = append(l.nodes, lexNode{})
			if b == '*' {
				l.nodes[n].rest = to
			} else {
				if l.nodes[n].next == nil {
					l.nodes[n].next = map[byte]int32{}
				}
				l.nodes[n].next[b] = to
			}
		}
		n = to
	}
	if end := (cueEnd{c, lang}); !slices.Contains(l.nodes[n].ends, end) {
		l.nodes[n].ends = append(l.nodes[n].ends, end)
	}
	return nil
}

// find appends the cues found in f to hits, in order of their first word. Cues of a language outside langs are left out.
func (l *lexicon) find(f *folded, langs uint16, hits []hit) []hit {
	for i := range f.words {
		hits = l.walk(f, 0, int(f.words[i].at), int32(i), int32(i), langs, hits)
	}
	return hits
}

// walk follows the cues that continue from node n at byte p of f, in word w; the cue began in word from.
func (l *lexicon) walk(f *folded, n int32, p int, from, w int32, langs uint16, hits []hit) []hit {
	for {
		node := &l.nodes[n]
		atEnd := p == len(f.s) || f.s[p] == ' '
		if atEnd {
			hits = node.emit(from, w+1, langs, hits)
		}
		if node.rest != 0 {
			q := len(f.s)
			if int(w)+1 < len(f.words) {
				q = int(f.words[w+1].at) - 1
			}
			hits = l.walk(f, node.rest, q, from, w, langs, hits)
		}
		if p == len(f.s) {
			return hits
		}
		to, ok := node.next[f.s[p]]
		if !ok {
			return hits
		}
		if f.s[p] == ' ' {
			w++
		}
		n, p = to, p+1
	}
}

func (n *lexNode) emit(from, to int32, langs uint16, hits []hit) []hit {
	for _, e := range n.ends {
		if langs&(1<<e.lang) != 0 {
			hits = append(hits, hit{e.class, from, to})
		}
	}
	return hits
}
