package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// excerpt is a part of a record: words that points rest on, and those around them.
type excerpt []span

// span is text that is quoted, or that stands around a quote. It holds line breaks, and no other control characters.
type span struct {
	Text   string
	Quoted bool
}

// surroundings is how many bytes of a record are shown on each side of a quote.
const surroundings = 160

// newExcerpt returns the places of a record's text that hold the quotes, with what surrounds them; … stands where text is left
// out. Quotes that the text does not hold come first, by themselves.
func newExcerpt(text string, quotes []string) excerpt {
	const omission = " … "
	text = strings.TrimSpace(text)
	var e excerpt
	var quoted, shown []stretch
	for _, q := range quotes {
		if i := strings.Index(text, q); i >= 0 {
			quoted = append(quoted, stretch{i, i + len(q)})
			continue
		}
		if len(e) > 0 {
			e = e.with(omission, false)
		}
		e = e.with(q, true)
	}
	quoted = united(quoted)
	for _, q := range quoted {
		shown = append(shown, stretch{wordFrom(text, q.from-surroundings), wordTo(text, q.to+surroundings)})
	}
	told := 0 // how far text is told
	for _, s := range united(shown) {
		if s.from > told || len(e) > 0 {
			e = e.with(omission, false)
		}
		for told = s.from; len(quoted) > 0 && quoted[0].from < s.to; quoted = quoted[1:] {
			e = e.with(text[told:quoted[0].from], false).with(text[quoted[0].from:quoted[0].to], true)
			told = quoted[0].to
		}
		e, told = e.with(text[told:s.to], false), s.to
	}
	if 0 < told && told < len(text) {
		e = e.with(omission, false)
	}
	return e
}

var emptyLines = regexp.MustCompile(` *\n\s*`)

// with returns e with text at its end, free of what a terminal or a page would obey, and of empty lines.
func (e excerpt) with(text string, quoted bool) excerpt {
	text = strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return printable(r)
	}, text)
	if text == "" {
		return e
	}
	return append(e, span{emptyLines.ReplaceAllString(text, "\n"), quoted})
}

// stretch is the bytes of a text from one up to before another.
type stretch struct{ from, to int }

// united returns stretches in order, and those that touch as one.
func united(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var out []stretch
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// wordFrom returns where the first word begins that is wholly behind byte i; 0 if that is before the text.
func wordFrom(text string, i int) int {
	if i <= 0 {
		return 0
	}
	if n := strings.IndexAny(text[i:i+surroundings], " \n"); n >= 0 {
		return i + n + 1
	}
	for !utf8.RuneStart(text[i]) { // no space anywhere near
		i++
	}
	return i
}

// wordTo returns where the last word ends that is wholly before byte i; the end of the text if that is behind it.
func wordTo(text string, i int) int {
	if i >= len(text) {
		return len(text)
	}
	if n := strings.LastIndexAny(text[i-surroundings:i], " \n"); n >= 0 {
		return i - surroundings + n
	}
	for !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}
