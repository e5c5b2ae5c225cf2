package rules

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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
	hits    []hit
	placed  items // the items that its field, heading or label points to
	slots   slots // the slots that these fill
	headed  bool  // placed by a heading further up, not by its own label
	label   string
	hedged  bool
	ignored bool // not evidence of anything
	facts   facts
	who     []mention
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

// reader cuts the text of one source into passages.
type reader struct {
	e     *Engine
	src   *source
	langs uint16
	out   []passage
	block int

	fieldSlots   slots
	heading      items // what the last heading points to
	headingSlots slots
	signature    int // lines of a signature still to come
	sigLines     []string
}

// lines cuts text, of one source, into passages.
func (r *reader) lines(text string, placed items) {
	blank := true
	var pending string // a line that the next one continues
	flush := func() {
		if pending != "" {
			r.line(pending, placed)
			pending = ""
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" {
			flush()
			if !blank {
				r.block++
				r.signature = min(r.signature, 6)
			}
			blank = true
			continue
		}
		blank = false
		if pending != "" && len(pending) > 55 && startsLower(trimmed) && !endsSentence(pending) {
			pending += " " + trimmed
			continue
		}
		flush()
		pending = trimmed
	}
	flush()
}

func startsLower(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(r)
}

func endsSentence(s string) bool {
	return strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, ":")
}

// line reads one line: a heading, a line with a label, a bullet, a part of a signature, or sentences.
func (r *reader) line(s string, placed items) {
	switch {
	case strings.HasPrefix(s, ">"): // quoted from a mail that the record has, or had, itself
		return
	case isRule(s):
		r.signature, r.heading, r.headingSlots = 0, 0, 0
		if strings.HasPrefix(s, "--") && len(s) <= 3 {
			r.signature = 6
		}
		return
	case isMailHeader(s):
		r.signature, r.heading, r.headingSlots = 0, 0, 0
		return
	}
	if r.signature > 0 {
		r.signature--
		if len(s) < 100 {
			r.sigLines = append(r.sigLines, s)
			return
		}
	}
	body, bullet, hashed := trimBullet(s)
	if body == "" {
		return
	}
	if bullet || hashed {
		r.block++
	}
	whole := fold(body)
	if len(whole.words) == 0 {
		return
	}
	hits := r.e.lex.find(&whole, r.langs, nil)
	if !bullet && len(whole.words) <= 4 && covers(hits, closing, whole) {
		r.signature = 6
		return
	}
	if label, rest, ok := r.label(body); ok {
		is, ss, known := r.e.headings(label, r.langs)
		if strings.TrimSpace(rest) == "" {
			r.heading, r.headingSlots = is, ss
			return
		}
		if known {
			r.sentences(rest, is|placed, ss, false, label)
			if !bullet {
				r.heading, r.headingSlots = 0, 0
			}
			r.block++
			return
		}
	}
	if hashed || r.isHeading(body, whole, bullet) {
		r.heading, r.headingSlots, _ = r.e.headings(body, r.langs)
		return
	}
	r.sentences(body, placed|r.heading, r.headingSlots|r.fieldSlots, r.heading != 0, "")
}

// label splits a line at what ends a label; ok is false if it has none.
func (r *reader) label(s string) (label, rest string, ok bool) {
	at, width := -1, 0
	for _, sep := range []string{":", " - ", " – ", " — ", " = ", " -> ", "="} {
		if i := strings.Index(s, sep); i > 0 && i <= 64 && (at < 0 || i < at) {
			at, width = i, len(sep)
		}
	}
	if at < 0 {
		return "", "", false
	}
	label = s[:at]
	if strings.Count(label, " ") > 7 || strings.Contains(label, "http") || strings.HasSuffix(label, " http") {
		return "", "", false
	}
	if rest = s[at+width:]; strings.HasPrefix(rest, "//") {
		return "", "", false
	}
	return label, rest, true
}

// isHeading reports whether a short line without an end names what follows it.
func (r *reader) isHeading(s string, f folded, bullet bool) bool {
	if bullet || len(f.words) > 6 || endsSentence(s) && !strings.HasSuffix(s, ":") || strings.ContainsAny(s, ",@0123456789") {
		return false
	}
	_, _, known := r.e.headings(s, r.langs)
	return known && len(f.words) <= 5
}

func isRule(s string) bool {
	return len(s) >= 2 && strings.Trim(s, "-_=*~ ") == ""
}

func isMailHeader(s string) bool {
	for _, h := range []string{"From:", "Sent:", "To:", "Cc:", "Date:", "Von:", "Gesendet:", "An:", "De:", "Enviado:", "Para:", "Betreff:", "Subject:", "Asunto:", "---------- Forwarded"} {
		if strings.HasPrefix(s, h) {
			return true
		}
	}
	return false
}

// trimBullet takes the bullet or the heading mark off a line.
func trimBullet(s string) (body string, bullet, heading bool) {
	switch {
	case strings.HasPrefix(s, "#"):
		return strings.TrimSpace(strings.TrimLeft(s, "# ")), false, true
	case strings.HasPrefix(s, "**") && strings.HasSuffix(s, "**") && len(s) > 4:
		return strings.Trim(s, "* "), false, true
	}
	t := strings.TrimLeft(s, "-*•·–—►▪●○✔✓☑+> ")
	if t != s && t != "" {
		return strings.TrimSpace(strings.ReplaceAll(t, "**", "")), true, false
	}
	for i, c := range s { // 1. 2) a)
		if c >= '0' && c <= '9' && i < 2 {
			continue
		}
		if (c == ')' || c == '.') && i > 0 && i+1 < len(s) && s[i+1] == ' ' {
			if r, _ := utf8.DecodeRuneInString(strings.TrimSpace(s[i+1:])); unicode.IsUpper(r) || c == ')' || strings.Contains(s, ":") {
				return strings.TrimSpace(s[i+1:]), true, false
			}
		}
		break
	}
	return strings.ReplaceAll(t, "**", ""), false, false
}

// covers reports whether a cue of class c is the whole of f, but for one word such as a name.
func covers(hits []hit, c class, f folded) bool {
	for _, h := range hits {
		if h.class == c && h.from == 0 && int(h.to) >= len(f.words)-1 && len(f.words) <= int(h.to)+1 {
			return true
		}
	}
	return false
}

// sentences adds the sentences of s.
func (r *reader) sentences(s string, placed items, filled slots, headed bool, label string) {
	for _, text := range splitSentences(s) {
		p := passage{src: r.src, text: text, block: r.block, placed: placed, slots: filled, headed: headed, label: label, folded: fold(text)}
		if len(p.words) == 0 {
			continue
		}
		p.hits = r.e.lex.find(&p.folded, r.langs, nil)
		r.out = append(r.out, p)
	}
}

// splitSentences cuts a line into sentences; the pieces are substrings of s.
func splitSentences(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '.' && c != '!' && c != '?' {
			continue
		}
		j := i + 1
		for j < len(s) && (s[j] == '.' || s[j] == '!' || s[j] == '?' || s[j] == ')' || s[j] == '"' || s[j] == '\'') {
			j++
		}
		if j < len(s) && s[j] != ' ' {
			continue
		}
		if s[i] == '.' && j < len(s) && !sentenceEnd(s, start, i, j) {
			continue
		}
		if t := strings.TrimSpace(s[start:j]); t != "" {
			out = append(out, t)
		}
		start = j
		i = j
	}
	if t := strings.TrimSpace(s[start:]); t != "" {
		out = append(out, t)
	}
	return out
}

// sentenceEnd reports whether the full stop at dot ends a sentence: not after an abbreviation or the number of a
// German date, not before a small letter.
func sentenceEnd(s string, start, dot, next int) bool {
	from := strings.LastIndexAny(s[start:dot], " (") + 1 + start
	w := strings.ToLower(s[from:dot])
	after := strings.TrimLeft(s[next:], " \"'(“„")
	r, _ := utf8.DecodeRuneInString(after)
	if abbreviations[w] || utf8.RuneCountInString(w) == 1 && w >= "a" {
		return false
	}
	if w != "" && len(w) <= 2 && w[0] >= '0' && w[0] <= '9' { // "am 20. Oktober"
		first, _, _ := strings.Cut(after, " ")
		return !germanMonth[foldString(first)] && !unicode.IsLower(r)
	}
	return true
}

var abbreviations = set("mr mrs ms dr prof hr fr frau herr sr sra srta lic ing st nr no vs ca approx incl excl inkl exkl max min etc e.g i.e z.b d.h u.a bzw ggf evtl usw str tel dept mgr jr inc ltd co corp gen vol ext d.c p.m a.m dipl abt geb art abs aprox pág núm dpto avda ud uds s.a c.v")

var germanMonth = set("januar janner februar marz april mai juni juli august september oktober november dezember")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
