package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// reader cuts the text of one source into passages.
type reader struct {
	e      *Engine
	src    *source
	names  words       // folded name words of people on either side
	ofText languageSet // of the text as a whole
	langs  languageSet // of the line at hand
	whole  piece       // the line at hand, in the room of the last one
	out    []passage   // of this source and of those before it
	room   *room       // for the words and cues of out
	block  int

	fixed      topic  // what the deal field is about
	heading    topic  // what the last heading points to
	lasting    bool   // the heading holds beyond its paragraph
	paragraphs int    // ended since the heading
	under      string // that heading
	question   topic  // what the last question asked for
	asked      string // that question
	answers    int    // lines that may still answer it
	speaker    string
	other      string // who speaks in the quoted mail; inside it, who quotes
	signature  int    // lines of a signature still to come
	signed     bool   // the signature began with the mark for it: even long lines belong to it
	sigLines   []string
}

// answerLines is how many lines may answer a question.
const answerLines = 3

// read cuts plain text into passages, each a substring of it.
func (r *reader) read(text string) {
	quoted := false
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, ">") != quoted { // an earlier mail, which the record need not hold itself, begins or ends
			quoted = !quoted
			r.block++
			r.signature, r.signed, r.heading, r.under = 0, false, topic{}, ""
			r.speaker, r.other = r.other, r.speaker
		}
		if trimmed = strings.TrimLeft(trimmed, "> "); trimmed != "" {
			r.line(trimmed)
			continue
		}
		r.block++
		r.paragraphs++
		if r.paragraphs > 1 && !r.lasting {
			r.heading, r.under = topic{}, ""
		}
	}
}

func startsUpper(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

func startsLower(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(r)
}

// isUpper reports whether no letter of s has a capital that it could be.
func isUpper(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.ToUpper(r) != r }) < 0
}

// isLower reports whether s has no capital.
func isLower(s string) bool { return strings.IndexFunc(s, unicode.IsUpper) < 0 }

func endsSentence(s string) bool {
	return s != "" && strings.IndexByte(".!?:", s[len(s)-1]) >= 0
}

// line reads one line: a heading, a line with a label, a bullet, a part of a signature, or sentences.
func (r *reader) line(s string) {
	switch {
	case isRule(s):
		r.signature, r.signed, r.heading, r.under = 0, false, topic{}, ""
		if strings.HasPrefix(s, "--") && len(s) <= 3 {
			r.signature, r.signed = signatureLines, true
		}
		return
	case isMailHeader(s):
		r.signature, r.signed, r.heading, r.under = 0, false, topic{}, ""
		if name, from, _ := strings.Cut(s, ":"); name == "From" || name == "Von" || name == "De" {
			r.speaker = foldString(from)
		}
		return
	case isAttribution(s):
		r.signature, r.signed, r.heading, r.under = 0, false, topic{}, ""
		r.other = foldString(s)
		return
	}
	if r.signature > 0 && (r.signed || len(s) < 100) {
		r.signature--
		r.sigLines = append(r.sigLines, s)
		return
	}
	if s = r.turn(s); s == "" {
		return
	}
	body, bullet, hashed := r.trimBullet(s)
	r.whole.text, r.whole.folded = body, foldInto(r.whole.words, body)
	whole := &r.whole
	if len(whole.words) == 0 {
		return
	}
	if bullet || hashed {
		r.block++
	}
	r.langs = r.e.languagesOf(&whole.folded, r.ofText)
	whole.hits = r.e.lex.findInto(whole.hits, &whole.folded, r.langs)
	if !bullet && len(whole.words) <= 4 && whole.covered(closing) {
		r.signature = signatureLines
		return
	}
	if label, rest, ok := splitLabel(body); ok {
		t, known := r.e.headings(label, r.langs)
		switch {
		case strings.TrimSpace(rest) == "":
			r.head(t, hashed, label)
			return
		case known:
			r.sentences(rest, t.and(r.fixed), false, label)
			if !bullet && !r.lasting {
				r.heading, r.under = topic{}, ""
			}
			r.block++
			return
		}
	}
	if hashed || r.isHeading(bullet) {
		t, _ := r.e.headings(body, r.langs)
		r.head(t, hashed, body)
		return
	}
	t, context := r.fixed.and(r.heading), r.under
	if r.answers > 0 && !strings.HasSuffix(body, "?") {
		t, context = t.and(r.question), context+" "+r.asked
		r.answers--
	}
	r.sentences(body, t, r.heading != topic{}, context)
	if n := len(r.out); n > r.src.from && strings.HasSuffix(body, "?") {
		r.ask(r.out[n-1].text)
	}
}

func (r *reader) head(t topic, lasting bool, words string) {
	r.heading, r.lasting, r.paragraphs, r.under = t, lasting, 0, words
}

// ask notes what a question is about, so that what follows answers it.
func (r *reader) ask(question string) {
	f := fold(question)
	r.question, r.answers, r.asked = topic{}, answerLines, question
	if len(f.words) <= 4 {
		r.question, _ = r.e.headings(question, r.langs)
	}
	for _, h := range r.e.lex.find(&f, r.langs) {
		if h.class >= r.e.itemCue(0) && h.class < r.e.itemHeading(0) {
			r.question.items |= 1 << (h.class - r.e.itemCue(0))
		}
	}
}

// signatureLines is how many short lines below a closing word belong to the signature.
const signatureLines = 6

// turn takes the time and the speaker off a line of a chat or a transcript, and remembers the speaker.
func (r *reader) turn(s string) string {
	t := s
	if strings.HasPrefix(t, "[") {
		if end := strings.IndexByte(t, ']'); end > 0 && end < 12 && isClock(t[1:end]) {
			t = strings.TrimSpace(t[end+1:])
		}
	}
	rest := t
	for i := range 4 { // "Kiki  2:02 PM", "bea 13:01 so", "06:14 Dr. Estes: …"
		word, after := cutWord(rest)
		if !isClock(word) {
			rest = after
			continue
		}
		if i > 0 {
			r.setSpeaker(t[:len(t)-len(rest)])
		}
		if half, later := cutWord(after); half == "PM" || half == "AM" || half == "pm" || half == "am" {
			after = later
		}
		t = strings.TrimSpace(after)
		break
	}
	if label, rest, ok := strings.Cut(t, ": "); ok && len(label) < 30 && strings.Count(label, " ") <= 2 && (startsUpper(label) || r.names[foldString(label)]) {
		if _, known := r.e.headings(label, r.langs); !known && !strings.ContainsAny(label, "0123456789,;") {
			r.setSpeaker(label)
			return rest
		}
	}
	return t
}

func (r *reader) setSpeaker(name string) {
	r.speaker = foldString(name)
	r.block++
	r.heading, r.under = topic{}, ""
}

// cutWord cuts off the first of the words of s that space is between.
func cutWord(s string) (word, after string) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	if end := strings.IndexFunc(s, unicode.IsSpace); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

func isClock(s string) bool {
	h, m, ok := strings.Cut(s, ":")
	return ok && len(h) >= 1 && len(h) <= 2 && len(m) >= 2 && isDigit(h[0]) && isDigit(m[0]) && isDigit(m[1]) && strings.Trim(m, "0123456789:") == ""
}

// maxLabel is the most bytes of a label.
const maxLabel = 64

// splitLabel splits a line at what ends a label; ok is false if it has none.
func splitLabel(s string) (label, rest string, ok bool) {
	at, width := -1, 0
	begin := s[:min(len(s), maxLabel+len(" – "))]
	for _, sep := range []string{":", " - ", " – ", " — ", " = ", " -> ", "="} {
		if i := strings.Index(begin, sep); i > 0 && i <= maxLabel && (at < 0 || i < at) {
			at, width = i, len(sep)
		}
	}
	if at < 0 {
		return "", "", false
	}
	label, rest = s[:at], s[at+width:]
	if strings.Count(label, " ") > 7 || strings.HasPrefix(rest, "//") {
		return "", "", false
	}
	return label, rest, true
}

// isHeading reports whether the line at hand, short and without an end, names what follows it.
func (r *reader) isHeading(bullet bool) bool {
	s, n := r.whole.text, len(r.whole.words)
	if bullet || r.src.field != "" || n > 5 || strings.ContainsAny(s, ",@!?0123456789") || endsSentence(s) && n > 2 {
		return false
	}
	_, known := r.e.headings(s, r.langs)
	return known
}

func isRule(s string) bool {
	return len(s) >= 2 && strings.Trim(s, "-_=*~ ") == ""
}

func isMailHeader(s string) bool {
	name, _, ok := strings.Cut(s, ":")
	return ok && mailHeaders[name] || strings.HasPrefix(s, "-----")
}

// isAttribution reports whether s is the line that mail programs put above a quoted mail: "On 10 Mar, Ana Ruiz wrote:".
func isAttribution(s string) bool {
	for _, wrote := range []string{"wrote:", "schrieb:", "escribió:"} {
		if strings.HasSuffix(s, wrote) && len(s) < 120 {
			return true
		}
	}
	return false
}

// mailHeaders are the lines above a forwarded mail, as mail programs of our languages write them.
var mailHeaders = words{
	"From": true, "Sent": true, "To": true, "Cc": true, "Date": true, "Subject": true,
	"Von": true, "Gesendet": true, "An": true, "Datum": true, "Betreff": true,
	"De": true, "Enviado": true, "Para": true, "Fecha": true, "Asunto": true,
}

// trimBullet takes the bullet or the heading mark off a line.
func (r *reader) trimBullet(s string) (body string, bullet, heading bool) {
	if strings.HasPrefix(s, "#") {
		return strings.TrimSpace(strings.TrimLeft(s, "# ")), false, true
	}
	if t := strings.TrimLeft(s, "-*•·–—►▪●○✔✓☑+ "); t != s && t != "" {
		return strings.TrimSpace(t), true, false
	}
	n := strings.IndexAny(s, ".)") // 1. 2) a)
	if n > 0 && n <= 2 && n+1 < len(s) && s[n+1] == ' ' && (strings.Trim(s[:n], "0123456789") == "" || n == 1 && s[n] == ')') {
		rest := strings.TrimSpace(s[n+1:])
		if first, _, _ := strings.Cut(rest, " "); r.e.vocabulary.months[foldString(first)] == 0 {
			return rest, true, false
		}
	}
	return s, false, false
}

// covered reports whether a cue of class c is the whole of p, but for one word such as a name.
func (p *piece) covered(c class) bool {
	for _, h := range p.hits {
		if h.class == c && h.from == 0 && int(h.to) >= len(p.words)-1 && len(p.words) <= int(h.to)+1 {
			return true
		}
	}
	return false
}

// sentences adds the sentences of s, a part of the line at hand.
func (r *reader) sentences(s string, t topic, headed bool, context string) {
	at := 0
	for _, text := range r.e.splitSentences(s) {
		at += strings.Index(r.whole.text[at:], text)
		p := r.whole.part(at, at+len(text), r.room)
		at += len(text)
		if len(p.words) > 0 {
			r.out = append(r.out, passage{piece: p, src: r.src, block: r.block, speaker: r.speaker, said: classesOf(p.hits), langs: r.langs, placed: t, headed: headed, context: context})
		}
	}
}
