package rules

import (
	"strconv"
	"strings"
	"time"
)

// day is a day of some year.
type day struct{ month, day int }

// soonAfter reports whether d next comes within half a year or so after the close: when things that are still to happen
// are planned for.
func (d day) soonAfter(close time.Time) bool {
	for _, year := range []int{close.Year(), close.Year() + 1} {
		at := time.Date(year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
		if at.After(close.AddDate(0, 0, 3)) && at.Before(close.AddDate(0, 7, 0)) {
			return true
		}
	}
	return false
}

// readMonth counts the month at word i, with its day if it has one.
func (e *Engine) readMonth(p *passage, i int, taken []bool) {
	d := p.dayBeside(i)
	switch w := p.word(i); {
	case (w == "may" || w == "mar" || w == "march" || w == "dec") && d < 0 && !p.upper(i):
		return // a verb, the sea
	case d >= 0:
		n, _ := p.number(d)
		p.facts.dates++
		p.facts.days = append(p.facts.days, day{e.vocabulary.months[w], n})
		taken[d] = true
	default:
		p.facts.periods++
	}
	taken[i] = true
}

// dayBeside returns the word beside the month at word i that holds its day; -1: none does.
func (p *passage) dayBeside(i int) int {
	around := []int{i - 1, i + 1}
	if i > 0 && (p.word(i-1) == "de" || p.word(i-1) == "of") {
		around = append(around, i-2)
	}
	for _, j := range around {
		if n, ok := p.number(j); ok && n >= 1 && n <= 31 && byteAt(p.text, int(p.words[j].end)) != '%' {
			return j
		}
	}
	return -1
}

// number returns the number that word i is, an ordinal included.
func (p *passage) number(i int) (int, bool) {
	if i < 0 || i >= len(p.words) {
		return 0, false
	}
	w := p.word(i)
	if !isDigit(w[0]) {
		return 0, false
	}
	if len(w) > 2 && !isDigit(w[len(w)-1]) {
		for _, ordinal := range []string{"st", "nd", "rd", "th"} {
			w = strings.TrimSuffix(w, ordinal)
		}
	}
	n, err := strconv.Atoi(w)
	return n, err == nil
}

// readDigits counts the date that begins with word i, such as 2026-10-03, 3.10., 10/3 or 3/10/26.
func (p *passage) readDigits(i int, taken []bool, monthFirst bool) bool {
	n, d := p.numericDate(i, monthFirst)
	for j := i; j < i+n; j++ {
		taken[j] = true
	}
	if n > 0 {
		p.facts.dates++
		p.facts.days = append(p.facts.days, d)
	}
	return n > 0
}

// numericDate returns how many words from i make up a date in digits, and the date; 0: they do not.
func (p *passage) numericDate(i int, monthFirst bool) (int, day) {
	a, ok := p.number(i)
	b, more := p.number(i + 1)
	if !ok || !more {
		return 0, day{}
	}
	sep := byteAt(p.text, int(p.words[i].end))
	if int(p.words[i+1].start) != int(p.words[i].end)+1 || sep != '-' && sep != '.' && sep != '/' {
		return 0, day{}
	}
	if i > 0 && int(p.words[i-1].end) == int(p.words[i].start)-1 && isDigit(p.word(i - 1)[0]) {
		return 0, day{} // the end of something longer
	}
	end := int(p.words[i+1].end)
	c, third := p.number(i + 2)
	third = third && int(p.words[i+2].start) == end+1 && byteAt(p.text, end) == sep
	first, swapped := day{a, b}, day{b, a} // month before day, and after it
	either := func() (day, bool) {
		if monthFirst && sep == '/' && first.valid() || !swapped.valid() {
			return first, first.valid()
		}
		return swapped, true
	}
	switch {
	case third && a > 1900 && a < 2200:
		d := day{b, c}
		if d.valid() {
			return 3, d
		}
	case third && sep != '-' && (c < 100 || c > 1900 && c < 2200):
		if d, ok := either(); ok {
			return 3, d
		}
	case third:
	case sep == '.' && swapped.valid() && byteAt(p.text, end) == '.': // 3.10.
		return 2, swapped
	case sep == '/' && (len(p.words) > 3 || len(p.words) == 2) && !(a == 24 && b == 7): // not "12/4 meters"
		if d, ok := either(); ok {
			return 2, d
		}
	}
	return 0, day{}
}

func (d day) valid() bool { return d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= 31 }
