package rules

import (
	"slices"
	"time"
)

// source is one place of the record that text came from.
type source struct {
	says    string    // in words: "field use_case", "note 2026-09-30 by Dana Ruiz"
	record  string    // record id or place
	at      time.Time // zero: undated
	title   string
	sign    *sign  // of the field; nil: not a field
	field   string // name of the deal field; empty: not a field
	post    bool   // written on the day of the close or later
	summary bool   // a kind of record that can tell how the deal closed
	mail    bool
	spoken  bool // what people said in a call
	lower   bool // written without capitals
	ignored bool // nothing in it is evidence

	from, to int // its passages in the record
}

// items is a set of items of a scorecard, by index.
type items uint64

func (s items) has(i int) bool { return s&(1<<i) != 0 }

// slots is a set of the slots that cues fill, by index.
type slots uint64

// topic is what a place in the text says that the text there is about.
type topic struct {
	items items
	slots slots
}

func (t topic) and(u topic) topic { return topic{t.items | u.items, t.slots | u.slots} }

// piece is a piece of text with the cues in it.
type piece struct {
	text string
	folded
	hits []hit
}

// room holds the words and the cues of many pieces in few arrays: one for each piece would be most of what there is to allocate.
type room struct {
	words []word
	hits  []hit
}

// copied returns a copy of s in the room that is left, or in new room.
func copied[T any](room *[]T, s []T) []T {
	const several = 1024
	if len(s) > cap(*room)-len(*room) {
		*room = make([]T, 0, max(several, len(s)))
	}
	from := len(*room)
	*room = append(*room, s...)
	return slices.Clip((*room)[from:])
}

// part returns the piece that text[start:end] is, in room of its own; no word or cue may be cut by it.
func (p *piece) part(start, end int, in *room) piece {
	before := func(w word, at int) int { return int(w.start) - at }
	from, _ := slices.BinarySearchFunc(p.words, start, before)
	to, _ := slices.BinarySearchFunc(p.words, end, before)
	out := piece{text: p.text[start:end]}
	if from == to {
		return out
	}
	at := p.words[from].at
	out.s = p.s[at:p.wordEnd(to-1)]
	out.words = copied(&in.words, p.words[from:to])
	for i := range out.words {
		w := &out.words[i]
		w.start, w.end, w.at = w.start-int32(start), w.end-int32(start), w.at-at
	}
	begins := func(h hit, at int) int { return int(h.from) - at }
	first, _ := slices.BinarySearchFunc(p.hits, from, begins)
	beyond, _ := slices.BinarySearchFunc(p.hits, to, begins)
	out.hits = slices.DeleteFunc(copied(&in.hits, p.hits[first:beyond]), func(h hit) bool { return int(h.to) > to })
	for i := range out.hits {
		h := &out.hits[i]
		h.from, h.to = h.from-int32(from), h.to-int32(from)
	}
	return out
}

// passage is a sentence, a line or a bullet: the smallest piece of text that is evidence by itself.
type passage struct {
	piece
	src     *source
	block   int    // passages of one paragraph or bullet have the same
	speaker string // folded name or address of who says it, in transcripts, chats and mails; empty: the writer

	about   items  // what it is about
	placed  topic  // what its field, heading, label or the question that it answers points to
	context string // the heading, label and question that it stands under

	facts   facts
	who     []mention
	said    classes // of the languages' cues in it
	langs   languageSet
	headed  bool // placed by a heading further up
	soon    bool // names a day soon after the close
	hedged  bool
	empty   bool // whatever its words, nothing is said about the deal
	ignored bool // empty, or a claim without content: not evidence of anything
}

// has reports whether a cue of class c stands in p.
func (p *passage) has(c class) bool {
	if c < firstFree { // asked often
		return p.said.has(c)
	}
	return hasClass(p.hits, c)
}

// upper reports whether word i is written with a capital.
func (p *passage) upper(i int) bool { return startsUpper(p.text[p.words[i].start:]) }
