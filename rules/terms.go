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
// yield returns.
func (r *record) terms(p *passage, yield func(term []byte, sign bool)) {
	var room [96]byte
	buf := room[:0]
	r.plainWords(p)
	var last, lastStem string
	for i, pw := range r.plain {
		w := pw.text
		if pw.afterNo {
			w = not + w
		}
		stem := stemOf(w)
		if len(stem) < len(w) {
			buf = appendStem(buf[:0], w, stem)
			yield(buf, false)
		}
		yield(append(buf[:0], w...), false)
		if i > 0 {
			yield(append(append(append(buf[:0], last...), ' '), w...), false)
			if len(lastStem) < len(last) || len(stem) < len(w) {
				buf = appendStem(buf[:0], last, lastStem)
				buf = appendStem(append(buf, ' '), w, stem)
				yield(buf, false)
			}
		}
		last, lastStem = w, stem
	}
	for w := range strings.FieldsSeq(foldString(p.context)) {
		yield(append(append(buf[:0], under...), w...), true)
	}
	for _, s := range r.signs(p) {
		yield(append(buf[:0], s...), true)
	}
}

func stemOf(word string) string { return word[:min(len(word), stemLength)] }

func appendStem(buf []byte, word, stem string) []byte {
	buf = append(buf, stem...)
	if len(word) > len(stem) {
		buf = append(buf, '*')
	}
	return buf
}

// weights adds to row what the terms of p tell, and returns how many of its words' terms tell anything: for each item of the
// wording, row holds what the words say on its questions, then what the signs do.
func (r *record) weights(p *passage, row []float32) (count float32) {
	w := r.e.wording
	tell := func(found []termWeight, at int) {
		for i := range found {
			t := &found[i]
			told := (*[questions]float32)(row[t.at+at:])
			told[Some] += t.weights[Some]
			told[All] += t.weights[All]
			told[AllGiven] += t.weights[AllGiven]
		}
	}
	both := func(first, second token) {
		if first == 0 || second == 0 {
			return
		}
		if found := w.pairs[pair(first, second)]; len(found) > 0 {
			count++
			tell(found, 0)
		}
	}
	r.plainWords(p)
	var last *sense
	for i := range r.plain {
		s := &r.plain[i].plain
		if r.plain[i].afterNo {
			s = &r.plain[i].negated
		}
		count += s.terms
		tell(s.tells, 0)
		if last != nil {
			both(last.whole, s.whole)
			if last.stem != last.whole || s.stem != s.whole {
				both(last.stem, s.stem)
			}
		}
		last = s
	}
	if p.context != r.above.text {
		r.above.text, r.above.tokens = p.context, r.above.tokens[:0]
		for word := range strings.FieldsSeq(foldString(p.context)) {
			if n := w.tokens[under+word]; n != 0 {
				r.above.tokens = append(r.above.tokens, n)
			}
		}
	}
	for _, n := range r.above.tokens {
		tell(w.single[n], questions)
	}
	for _, s := range r.signs(p) {
		tell(w.single[w.tokens[s]], questions)
	}
	return count
}

// Stand-ins for words that differ from deal to deal. Names in a row are one.
const (
	anyName    = "xname"
	anyNumber  = "xnumber"
	anyMonth   = "xmonth"
	anyWeekday = "xweekday"
)

const (
	// A word soon after a negation says something else than the word.
	not           = "!"
	negationReach = 4 // words

	under = "^" // of a word that a passage stands under
)

// plainWord is a word of a passage, or what stands in for it.
type plainWord struct {
	text    string
	afterNo bool // soon after a negation
	*lexeme
}

// plainWords puts the words of p with stand-ins in r.plain.
func (r *record) plainWords(p *passage) {
	w := r.e.wording
	buf := r.plain[:0]
	for i := range p.words {
		pw := plainWord{text: p.word(i)}
		switch {
		case hasDigit(pw.text):
			pw.text = anyNumber
		case r.names[pw.text] && !r.e.isCommon(pw.text):
			pw.text = anyName
		}
		pw.lexeme = w.lexeme(pw.text)
		if w.knowsNames && !pw.known && p.upper(i) && pw.text != anyNumber && pw.text != anyName {
			pw.text = anyName
			pw.lexeme = w.lexeme(anyName)
		}
		buf = append(buf, pw)
	}
	for _, h := range p.hits {
		switch {
		case h.class == weekday:
			buf[h.from].text = anyWeekday
			buf[h.from].lexeme = w.lexeme(anyWeekday)
		case h.class == month && (p.upper(int(h.from)) || len(buf[h.from].text) > 3): // "may" and "mar" are words as well
			buf[h.from].text = anyMonth
			buf[h.from].lexeme = w.lexeme(anyMonth)
		}
	}
	for _, h := range p.hits {
		if h.class == negation {
			for i := int(h.to); i < min(int(h.to)+negationReach, len(buf)); i++ {
				buf[i].afterNo = true
			}
		}
	}
	isName := func(pw plainWord) bool { return pw.text == anyName && !pw.afterNo }
	r.plain = slices.CompactFunc(buf, func(a, b plainWord) bool { return isName(a) && isName(b) })
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// signs returns what the rules see in p, until it is called again.
func (r *record) signs(p *passage) []string {
	signs := r.seen[:0]
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
	r.seen = signs
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
