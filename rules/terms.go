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
		yield(append(buf[:0], s.name...), true)
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

// weights adds to row what the terms of p tell about each item of the wording, and returns how many of its words' terms tell
// anything.
func (r *record) weights(p *passage, row []told) (count float32) {
	w := r.e.wording
	words := func(tell []termWeight) {
		for i := range tell {
			t := &tell[i]
			add(&row[t.item].words, &t.weights)
		}
	}
	signs := func(tell []termWeight) {
		for i := range tell {
			t := &tell[i]
			add(&row[t.item].signs, &t.weights)
		}
	}
	both := func(first, second token) {
		if first == 0 || second == 0 {
			return
		}
		if found := w.pairs[pair(first, second)]; len(found) > 0 {
			count++
			words(found)
		}
	}
	r.plainWords(p)
	var last *sense
	for i := range r.plain {
		s := w.sense(&r.plain[i])
		count += s.terms
		words(s.tells)
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
		signs(w.single[n])
	}
	for _, s := range r.signs(p) {
		signs(s.tells)
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
	*lexeme      // nil: the wording does not know it
}

// plainWords puts the words of p with stand-ins in r.plain.
func (r *record) plainWords(p *passage) {
	w := r.e.wording
	buf := r.plain[:0]
	for i := range p.words {
		pw := plainWord{text: p.word(i)}
		switch {
		case hasDigit(pw.text):
			pw = w.number
		case r.names[pw.text] && !r.e.isCommon(pw.text):
			pw = w.name
		default:
			pw.lexeme = w.lexemes[pw.text]
			if w.knowsNames && (pw.lexeme == nil || !pw.known) && p.upper(i) {
				pw = w.name
			}
		}
		buf = append(buf, pw)
	}
	for _, h := range p.hits {
		switch {
		case h.class == weekday:
			buf[h.from] = w.weekday
		case h.class == month && (p.upper(int(h.from)) || len(buf[h.from].text) > 3): // "may" and "mar" are words as well
			buf[h.from] = w.month
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
func (r *record) signs(p *passage) []*sign {
	e := r.e
	all := r.seen[:0]
	see := func(is bool, s *sign) {
		if is {
			all = append(all, s)
		}
	}
	f := &p.facts
	for i, is := range [...]bool{
		dateSign: f.dates > 0, periodSign: f.periods > 0, durationSign: f.durations > 0, weekdaySign: f.weekdays > 0, figureSign: f.figures > 0,
		moneySign: f.money > 0, percentSign: f.percents > 0, versionSign: f.versions > 0, systemSign: f.systems > 0, nameSign: f.names > 0,
		personSign: len(p.who) > 0, soonSign: p.soon, hedgedSign: p.hedged, doubtfulSign: p.ignored, postSign: p.src.post, mailSign: p.src.mail,
		questionSign: strings.HasSuffix(p.text, "?"), sixWordsSign: len(p.words) >= 6, twelveWordsSign: len(p.words) >= 12,
	} {
		see(is, &e.signs.plain[i])
	}
	see(p.src.sign != nil, p.src.sign)
	if p.placed != (topic{}) {
		for i := range e.card.Items {
			see(p.placed.items.has(i), &e.signs.underItem[i])
		}
		for i := range e.card.Slots {
			see(p.placed.slots&(1<<i) != 0, &e.signs.underSlot[i])
		}
	}
	for _, h := range p.hits {
		s := e.signs.said[h.class]
		if s != nil && h.class >= firstFree && denied(p, h) {
			s = e.signs.denied[h.class]
		}
		see(s != nil && !slices.Contains(all, s), s)
	}
	r.seen = all
	return all
}

// sign is something that the rules can see in a passage, and what that tells.
type sign struct {
	name  string
	tells []termWeight
}

// The signs that do not depend on the scorecard.
const (
	dateSign = iota
	periodSign
	durationSign
	weekdaySign
	figureSign
	moneySign
	percentSign
	versionSign
	systemSign
	nameSign
	personSign
	soonSign
	hedgedSign
	doubtfulSign
	postSign
	mailSign
	questionSign
	sixWordsSign
	twelveWordsSign
)

var plainSigns = [...]string{
	dateSign: "#date", periodSign: "#period", durationSign: "#duration", weekdaySign: "#weekday", figureSign: "#figure", moneySign: "#money",
	percentSign: "#percent", versionSign: "#version", systemSign: "#system", nameSign: "#name", personSign: "#person", soonSign: "#soon",
	hedgedSign: "#hedged", doubtfulSign: "#doubtful", postSign: "#post", mailSign: "#mail", questionSign: "#question",
	sixWordsSign: "#words>5", twelveWordsSign: "#words>11",
}

// signs are all that the rules can see with a scorecard.
type signs struct {
	plain                [len(plainSigns)]sign
	underItem, underSlot []sign
	said, denied         []*sign // by the class of a cue; nil: a class that tells nothing
	tells                func(name string) []termWeight
}

// field returns the sign of a passage in the deal field of that name.
func (s *signs) field(name string) *sign { return s.sign("#field:" + name) }

func (s *signs) sign(name string) *sign { return &sign{name, s.tells(name)} }

// newSigns returns the signs that e can see, and what its wording makes of them.
func (e *Engine) newSigns() signs {
	classes := e.slotHeading(len(e.card.Slots))
	s := signs{said: make([]*sign, classes), denied: make([]*sign, classes), tells: func(string) []termWeight { return nil }}
	if w := e.wording; w != nil {
		s.tells = func(name string) []termWeight { return w.single[w.tokens[name]] }
	}
	for i, name := range plainSigns {
		s.plain[i] = *s.sign(name)
	}
	for c, name := range classNames {
		if name != "" {
			s.said[c] = s.sign(name)
		}
	}
	cue := func(c class, of string) {
		s.said[c], s.denied[c] = s.sign("#cue:"+of), s.sign("#cue:"+of+"!")
	}
	for i, it := range e.card.Items {
		s.underItem = append(s.underItem, *s.sign("#under:" + it.ID))
		cue(e.itemCue(i), it.ID)
	}
	for i, spec := range e.card.Slots {
		s.underSlot = append(s.underSlot, *s.sign("#under:" + spec.Name))
		cue(e.slotCue(i), spec.Name)
	}
	return s
}

var classNames = [firstFree]string{
	none: "#none", placeholder: "#placeholder", negation: "#negation", unknown: "#unknown", hedge: "#hedge", vague: "#vague", claim: "#claim",
	elsewhere: "#elsewhere", automatic: "#automatic", title: "#title", group: "#group", product: "#product", season: "#season", unit: "#unit",
}
