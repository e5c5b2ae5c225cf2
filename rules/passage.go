package rules

import (
	"time"
)

// source is one place of the record that text came from.
type source struct {
	says    string    // in words: "field use_case", "note 2026-09-30 by Dana Ruiz"
	record  string    // record id or place
	at      time.Time // zero: undated
	title   string
	field   string // name of the deal field; empty: not a field
	post    bool   // written after the close
	close   bool   // a kind of record that can be the summary of a close
	ignored bool   // nothing in it is evidence
	small   bool   // written without capitals
}

// items is a set of items of a scorecard, by index.
type items uint64

func (s items) has(i int) bool { return s&(1<<i) != 0 }

// passage is a sentence, a line or a bullet: the smallest piece of text that is evidence by itself.
type passage struct {
	src   *source
	text  string
	block int // passages of one paragraph or bullet have the same

	folded
	langs    uint16
	upcoming bool // names a day soon after the close
	hits     []hit
	placed   items // the items that its field, heading or label points to
	slots    slots // the slots that these fill
	headed   bool  // placed by a heading further up, not by its own label
	label    string
	speaker  string // folded name or address of who says it, in transcripts, chats and mails; empty: the writer
	asked    bool   // it answers a question
	hedged   bool
	ignored  bool // not evidence of anything
	facts    facts
	who      []mention
}

// span returns the folded words of h.
func (p *passage) span(h hit) string {
	end := len(p.s)
	if int(h.to) < len(p.words) {
		end = int(p.words[h.to].at) - 1
	}
	return p.s[p.words[h.from].at:end]
}

// has reports whether a cue of class c stands in p.
func (p *passage) has(c class) bool {
	for _, h := range p.hits {
		if h.class == c {
			return true
		}
	}
	return false
}

func (p *passage) first(c class) (hit, bool) {
	for _, h := range p.hits {
		if h.class == c {
			return h, true
		}
	}
	return hit{}, false
}
