package rules

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// facts counts what makes a passage specific.
type facts struct {
	figures   int // numbers that count or measure something
	money     int
	percents  int
	durations int // "3 weeks"
	dates     int // days
	periods   int // months, quarters, seasons: no day
	weekdays  int
	versions  int
	systems   int // products known by name
	names     int // other proper names
	days      []day
}

// firm counts what one can check.
func (f *facts) firm() int {
	return f.figures + f.dates + f.durations + f.weekdays + f.versions + f.systems
}

// findFacts reads what is specific in p.
func (e *Engine) findFacts(p *passage) {
	english := p.langs&e.german() == 0
	f := &p.facts
	used := make([]bool, len(p.words)) // words that a date or a name took
	marks := make([]class, len(p.words))
	for i := range marks {
		marks[i] = -1
	}
	for _, h := range p.hits {
		if h.class < firstFree && h.class <= product {
			switch h.class {
			case month, weekday, season, unit, number, product:
				for i := h.from; i < h.to; i++ {
					if marks[i] < 0 || h.class == month || h.class == product {
						marks[i] = h.class
					}
				}
				if h.class == product {
					f.systems++
				}
			}
		}
	}
	for i := range p.words {
		w := p.word(i)
		switch marks[i] {
		case month:
			if w == "may" || w == "mar" || w == "mai" || w == "march" {
				if r, _ := utf8.DecodeRuneInString(p.text[p.words[i].start:]); !unicode.IsUpper(r) && !p.nearNumber(i) {
					continue
				}
			}
			if d := p.dayBeside(i); d >= 0 {
				f.dates++
				used[d] = true
				if n, _ := p.number(d); monthNumber[w] > 0 {
					f.days = append(f.days, day{monthNumber[w], n})
				}
			} else {
				f.periods++
			}
			used[i] = true
		case season:
			f.periods++
		case weekday:
			f.weekdays++
		case number:
			f.figures++
			if i+1 < len(p.words) && marks[i+1] == unit {
				f.durations++
			}
		}
	}
	for i := range p.words {
		if used[i] {
			continue
		}
		w := p.word(i)
		if w[0] < '0' || w[0] > '9' {
			continue
		}
		if n := p.numericDate(i); n > 0 {
			f.dates++
			if m, d := p.monthAndDay(i, n, english); m > 0 {
				f.days = append(f.days, day{m, d})
			}
			for j := i; j < i+n; j++ {
				used[j] = true
			}
			continue
		}
		start, end := int(p.words[i].start), int(p.words[i].end)
		before, after := byteAt(p.text, start-1), strings.TrimLeft(p.text[end:], " ")
		switch {
		case strings.HasPrefix(after, "%") || i+1 < len(p.words) && (p.word(i+1) == "percent" || p.word(i+1) == "prozent" || strings.HasPrefix(p.word(i+1), "porc")):
			f.percents++
			f.figures++
		case before == '$' || strings.HasSuffix(strings.TrimRight(p.text[:start], " "), "£") || strings.HasSuffix(strings.TrimRight(p.text[:start], " "), "€") || strings.HasPrefix(after, "€") || strings.HasPrefix(after, "£") || strings.HasPrefix(after, "$"),
			i+1 < len(p.words) && currency[p.word(i+1)], i > 0 && currency[p.word(i-1)]:
			f.money++
			f.figures++
		case byteAt(p.text, end) == '.' && i+1 < len(p.words) && int(p.words[i+1].start) == end+1 && isDigit(p.text[end+1]):
			f.versions++
			f.figures++
			used[i+1] = true
		case i > 0 && (p.word(i-1) == "v" || p.word(i-1) == "version" || p.word(i-1) == "release" || p.word(i-1) == "rev"):
			f.versions++
		case i+1 < len(p.words) && marks[i+1] == unit:
			f.durations++
			f.figures++
		default:
			f.figures++
		}
	}
	for i := range p.words {
		w := p.word(i)
		if len(w) > 1 && (w[0] == 'v' || strings.HasPrefix(w, "rev")) && isDigit(w[len(w)-1]) && isDigit(strings.TrimPrefix(strings.TrimPrefix(w, "rev"), "v")[0]) {
			f.versions++
		}
		if marks[i] != product && !used[i] && p.properName(i) {
			f.names++
		}
	}
}

var currency = set("k eur euro euros usd gbp dollar dollars pounds lakh lakhs crore mio million millones mil tsd teur rs inr brl mxn chf pesos reais pence cents")

func byteAt(s string, i int) byte {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *passage) number(i int) (int, bool) {
	if i < 0 || i >= len(p.words) {
		return 0, false
	}
	w := p.word(i)
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		w = strings.TrimSuffix(w, suffix)
	}
	n, err := strconv.Atoi(w)
	return n, err == nil
}

func (p *passage) nearNumber(i int) bool {
	_, before := p.number(i - 1)
	_, after := p.number(i + 1)
	return before || after
}

// dayBeside returns the word beside the month at i that holds its day; -1: none does.
func (p *passage) dayBeside(i int) int {
	for _, j := range []int{i - 1, i + 1, i - 2} {
		if j == i-2 && (i < 1 || p.word(i-1) != "de" && p.word(i-1) != "of") {
			continue
		}
		if n, ok := p.number(j); ok && n >= 1 && n <= 31 && byteAt(p.text, int(p.words[j].end)) != '%' {
			return j
		}
	}
	return -1
}

// numericDate returns how many words from i make up a date in digits, such as 2026-10-03, 3.10., 10/3 or 3/10/26.
func (p *passage) numericDate(i int) int {
	a, ok := p.number(i)
	if !ok || i+1 >= len(p.words) {
		return 0
	}
	end := int(p.words[i].end)
	sep := byteAt(p.text, end)
	b, ok := p.number(i + 1)
	if !ok || int(p.words[i+1].start) != end+1 || sep != '-' && sep != '.' && sep != '/' {
		return 0
	}
	if before := byteAt(p.text, int(p.words[i].start)-1); before == '/' || before == '.' || before == '-' {
		return 0
	}
	end2 := int(p.words[i+1].end)
	c, hasC := p.number(i + 2)
	hasC = hasC && int(p.words[i+2].start) == end2+1 && byteAt(p.text, end2) == sep
	dayMonth := func(x, y int) bool { return x >= 1 && x <= 31 && y >= 1 && y <= 12 }
	switch {
	case hasC && a > 1900 && a < 2200 && b >= 1 && b <= 12 && c >= 1 && c <= 31:
		return 3
	case hasC && sep != '-' && (dayMonth(a, b) || dayMonth(b, a)) && (c < 100 || c > 1900 && c < 2200):
		return 3
	case hasC:
		return 0
	case sep == '.' && dayMonth(a, b) && byteAt(p.text, end2) == '.': // 3.10.
		return 2
	case sep == '/' && (dayMonth(a, b) || dayMonth(b, a)) && !(a == 24 && b == 7) && !p.countsNext(i+2):
		return 2
	}
	return 0
}

// countsNext reports whether the word at i is what the numbers before it count, as in "12/4 meters".
func (p *passage) countsNext(i int) bool {
	return i < len(p.words) && len(p.words) <= 3
}

// properName reports whether the word at i looks like a name: written with a capital where grammar asks for none, in
// capitals, or with capitals or digits inside.
func (p *passage) properName(i int) bool {
	s := p.text[p.words[i].start:p.words[i].end]
	r, n := utf8.DecodeRuneInString(s)
	if !unicode.IsUpper(r) {
		return false
	}
	if n == len(s) {
		return false
	}
	return i > 0
}

// day is a day of some year.
type day struct{ month, day int }

// monthAndDay reads the numeric date of n words at i. Where the order is open, English puts the month first.
func (p *passage) monthAndDay(i, n int, english bool) (m, d int) {
	a, _ := p.number(i)
	b, _ := p.number(i + 1)
	c, _ := p.number(i + 2)
	if n == 3 && a > 31 {
		return b, c
	}
	if byteAt(p.text, int(p.words[i].end)) == '/' && english && a <= 12 || b > 12 {
		return a, b
	}
	return b, a
}

var monthNumber = func() map[string]int {
	m := map[string]int{}
	for i, names := range []string{
		"january jan januar janner enero ene", "february feb februar febrero", "march mar marz maerz marzo", "april apr abril abr",
		"may mai mayo", "june jun juni junio", "july jul juli julio", "august aug agosto ago",
		"september sep sept septiembre setiembre", "october oct oktober okt octubre", "november nov noviembre", "december dec dezember dez diciembre dic",
	} {
		for w := range strings.FieldsSeq(names) {
			m[w] = i + 1
		}
	}
	return m
}()

// upcoming reports whether d next comes within half a year after the close.
func (d day) upcoming(close time.Time) bool {
	for _, year := range []int{close.Year(), close.Year() + 1} {
		at := time.Date(year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
		if at.After(close.AddDate(0, 0, 3)) && at.Before(close.AddDate(0, 7, 0)) {
			return true
		}
	}
	return false
}
