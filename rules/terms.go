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
	for _, context := range []string{p.context, p.src.title} {
		for w := range strings.FieldsSeq(foldString(context)) {
			yield(append(append(buf[:0], '^'), w...), true)
		}
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
	sign(p.src.field != "", "#field:"+p.src.field)
	for i, it := range r.e.card.Items {
		sign(p.placed.items.has(i), "#under:"+it.ID)
	}
	for i, s := range r.e.card.Slots {
		sign(p.placed.slots&(1<<i) != 0, "#under:"+s.Name)
	}
	for _, h := range p.hits {
		name := r.e.className(h.class)
		if name != "" && h.class >= firstFree && denied(p, h) {
			name += "!"
		}
		sign(name != "" && !slices.Contains(signs, name), name)
	}
	return signs
}

// className names what a cue of class c stands for: a slot or an item of the scorecard, or a kind of words; empty: a
// class that tells nothing.
func (e *Engine) className(c class) string {
	switch {
	case c < firstFree:
		return classNames[c]
	case c < e.itemHeading(0):
		return "#cue:" + e.card.Items[c-e.itemCue(0)].ID
	case c >= e.slotCue(0) && c < e.slotHeading(0):
		return "#cue:" + e.card.Slots[c-e.slotCue(0)].Name
	}
	return ""
}

var classNames = [firstFree]string{
	none: "#none", placeholder: "#placeholder", negation: "#negation", unknown: "#unknown", hedge: "#hedge", vague: "#vague", claim: "#claim",
	elsewhere: "#elsewhere", automatic: "#automatic", title: "#title", group: "#group", product: "#product", season: "#season", unit: "#unit",
}
