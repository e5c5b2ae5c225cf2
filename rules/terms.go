package rules

import (
	"slices"
	"strings"
)

// A term is what a wording gives a weight to: a word ("chose"), two words in a row ("chose us"), a word or two by their
// stems ("negot*", "rolle* out"), a word of the heading, label, question or title that a passage stands under ("^champion"), or a
// sign that the rules see in it ("#date").

// stemLength is how many bytes of a word make its stem.
const stemLength = 5

// terms calls yield with each term of p, words first; a term may come more than once. The bytes are only good until
// yield returns. known is as for plainWords.
func (r *record) terms(p *passage, known words, yield func(term []byte, sign bool)) {
	var room [96]byte
	buf := room[:0]
	r.plain = r.plainWords(p, known, r.plain)
	var last, lastStem string
	for i, w := range r.plain {
		stem := w
		if len(w) > stemLength {
			stem = w[:stemLength]
			buf = append(append(buf[:0], stem...), '*')
			yield(buf, false)
		}
		yield(append(buf[:0], w...), false)
		if i > 0 {
			yield(append(append(append(buf[:0], last...), ' '), w...), false)
			if len(last) > stemLength || len(w) > stemLength {
				buf = appendStem(buf[:0], last, lastStem)
				buf = appendStem(append(buf, ' '), w, stem)
				yield(buf, false)
			}
		}
		last, lastStem = w, stem
	}
	for w := range strings.FieldsSeq(foldString(p.context)) {
		yield(append(append(buf[:0], '^'), w...), true)
	}
	for _, s := range r.signs(p) {
		yield(append(buf[:0], s...), true)
	}
}

func appendStem(buf []byte, word, stem string) []byte {
	buf = append(buf, stem...)
	if len(word) > len(stem) {
		buf = append(buf, '*')
	}
	return buf
}

// Stand-ins for words that differ from deal to deal. Names in a row are one.
const (
	anyName    = "xname"
	anyNumber  = "xnumber"
	anyMonth   = "xmonth"
	anyWeekday = "xweekday"
)

// A word soon after a negation says something else than the word.
const (
	not           = "!"
	negationReach = 4 // words
)

// plainWords returns the words of p with stand-ins, in the buffer given. known are the words that are no names even with
// a capital; nil: only those are names that the record's people have.
func (r *record) plainWords(p *passage, known words, buf []string) []string {
	buf = buf[:0]
	for i := range p.words {
		w := p.word(i)
		switch {
		case strings.ContainsAny(w, "0123456789"):
			w = anyNumber
		case r.names[w] && !r.e.isCommon(w) || known != nil && !known[w] && p.upper(i):
			w = anyName
		}
		buf = append(buf, w)
	}
	for _, h := range p.hits {
		switch {
		case h.class == weekday:
			buf[h.from] = anyWeekday
		case h.class == month && (p.upper(int(h.from)) || len(buf[h.from]) > 3): // "may" and "mar" are words as well
			buf[h.from] = anyMonth
		}
	}
	for _, h := range p.hits {
		if h.class != negation {
			continue
		}
		for i := int(h.to); i < min(int(h.to)+negationReach, len(buf)); i++ {
			if !strings.HasPrefix(buf[i], not) {
				buf[i] = not + buf[i]
			}
		}
	}
	return slices.CompactFunc(buf, func(a, b string) bool { return a == anyName && b == anyName })
}

// signs returns what the rules see in p.
func (r *record) signs(p *passage) []string {
	var signs []string
	sign := func(is bool, name string) {
		if is {
			signs = append(signs, name)
		}
	}
	f := &p.facts
	sign(f.dates > 0, "#date")
	sign(f.periods > 0, "#period")
	sign(f.durations > 0, "#duration")
	sign(f.weekdays > 0, "#weekday")
	sign(f.figures > 0, "#figure")
	sign(f.money > 0, "#money")
	sign(f.percents > 0, "#percent")
	sign(f.versions > 0, "#version")
	sign(f.systems > 0, "#system")
	sign(f.names > 0, "#name")
	sign(len(p.who) > 0, "#person")
	sign(p.soon, "#soon")
	sign(p.hedged, "#hedged")
	sign(p.ignored, "#doubtful")
	sign(p.src.post, "#post")
	sign(p.src.mail, "#mail")
	sign(strings.HasSuffix(p.text, "?"), "#question")
	sign(len(p.words) >= 6, "#words>5")
	sign(len(p.words) >= 12, "#words>11")
	sign(p.src.field != "", p.src.sign)
	if p.placed != (topic{}) {
		for i := range r.e.card.Items {
			sign(p.placed.items.has(i), r.e.signs.underItem[i])
		}
		for i := range r.e.card.Slots {
			sign(p.placed.slots&(1<<i) != 0, r.e.signs.underSlot[i])
		}
	}
	for _, h := range p.hits {
		names := r.e.signs.cues[h.class]
		name := names.said
		if name != "" && h.class >= firstFree && denied(p, h) {
			name = names.denied
		}
		sign(name != "" && !slices.Contains(signs, name), name)
	}
	return signs
}

// signNames holds the names of signs that depend on the scorecard.
type signNames struct {
	underItem, underSlot []string
	cues                 []struct{ said, denied string } // by class; empty: a class that tells nothing
}

// nameSigns names the signs for the scorecard of e.
func (e *Engine) nameSigns() signNames {
	n := signNames{cues: make([]struct{ said, denied string }, e.slotHeading(len(e.card.Slots)))}
	for c, name := range classNames {
		n.cues[c].said = name
	}
	cue := func(c class, of string) {
		n.cues[c].said, n.cues[c].denied = "#cue:"+of, "#cue:"+of+"!"
	}
	for i, it := range e.card.Items {
		n.underItem = append(n.underItem, "#under:"+it.ID)
		cue(e.itemCue(i), it.ID)
	}
	for i, s := range e.card.Slots {
		n.underSlot = append(n.underSlot, "#under:"+s.Name)
		cue(e.slotCue(i), s.Name)
	}
	return n
}

var classNames = [firstFree]string{
	none: "#none", placeholder: "#placeholder", negation: "#negation", unknown: "#unknown", hedge: "#hedge", vague: "#vague", claim: "#claim",
	elsewhere: "#elsewhere", automatic: "#automatic", title: "#title", group: "#group", product: "#product", season: "#season", unit: "#unit",
}
