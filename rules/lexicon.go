package rules

import (
	"cmp"
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
	roots [256]int32 // by the first byte of a cue
}

type lexNode struct {
	next []lexEdge // by the next byte of the folded text
	on   uint64    // the low bits of those bytes: most texts go on with another one
	rest int32     // after the remaining letters of the word: the cue had a *; 0: none
	ends []cueEnd  // cues that end here, at the end of a word
}

type lexEdge struct {
	on byte
	to int32
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
		stem, star := strings.CutSuffix(w, "*")
		f := foldString(stem)
		if f == "" && stem != "" || f == "" && !star {
			return fmt.Errorf("%q in cue %q has no letter or digit to look for", w, cue)
		}
		if star {
			f += "*"
		}
		parts = append(parts, f)
	}
	if len(parts) == 0 || parts[0] == "*" {
		return fmt.Errorf("cue %q does not begin with a word", cue)
	}
	pattern := strings.Join(parts, " ")
	n := l.child(&l.roots[pattern[0]])
	for i := 1; i < len(pattern); i++ {
		if pattern[i] == '*' {
			n = l.child(&l.nodes[n].rest)
			continue
		}
		at := slices.IndexFunc(l.nodes[n].next, func(e lexEdge) bool { return e.on == pattern[i] })
		if at < 0 {
			at = len(l.nodes[n].next)
			l.nodes[n].next = append(l.nodes[n].next, lexEdge{on: pattern[i]})
			l.nodes[n].on |= 1 << (pattern[i] % 64)
		}
		to := l.nodes[n].next[at].to
		to = l.child(&to)
		l.nodes[n].next[at].to = to
		n = to
	}
	end := cueEnd{c, lang}
	ends := l.nodes[n].ends
	// In order, as cues are added in none: what a text is found to say must not depend on it, not by a last digit.
	at, found := slices.BinarySearchFunc(ends, end, func(x, y cueEnd) int { return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(x.lang, y.lang)) })
	if !found {
		l.nodes[n].ends = slices.Insert(ends, at, end)
	}
	return nil
}

// child returns the node that *to leads to, and makes one if it leads nowhere yet.
func (l *lexicon) child(to *int32) int32 {
	if *to == 0 {
		*to = int32(len(l.nodes))
		n := *to
		l.nodes = append(l.nodes, lexNode{}) // to may point into the old array from here on
		return n
	}
	return *to
}

// find returns the cues found in f, in order of their first word. Cues of a language outside langs are left out.
func (l *lexicon) find(f *folded, langs languageSet) []hit { return l.findInto(nil, f, langs) }

// findInto is find with its hits in the room that hits has.
func (l *lexicon) findInto(hits []hit, f *folded, langs languageSet) []hit {
	hits = hits[:0]
	for i := range f.words {
		p := int(f.words[i].at)
		if n := l.roots[f.s[p]]; n != 0 {
			hits = l.walk(f, n, p+1, int32(i), int32(i), langs, hits)
		}
	}
	return hits
}

// walk follows the cues that continue from node n at byte p of f, in word w; the cue began in word from.
func (l *lexicon) walk(f *folded, n int32, p int, from, w int32, langs languageSet, hits []hit) []hit {
	for {
		node := &l.nodes[n]
		if p == len(f.s) || f.s[p] == ' ' {
			for _, e := range node.ends {
				if langs&(1<<e.lang) != 0 {
					hits = append(hits, hit{e.class, from, w + 1})
				}
			}
		}
		if node.rest != 0 {
			hits = l.walk(f, node.rest, f.wordEnd(int(w)), from, w, langs, hits)
		}
		if p == len(f.s) || node.on&(1<<(f.s[p]%64)) == 0 {
			return hits
		}
		n = 0
		for _, e := range node.next {
			if e.on == f.s[p] {
				n = e.to
				break
			}
		}
		if n == 0 {
			return hits
		}
		if f.s[p] == ' ' {
			w++
		}
		p++
	}
}
