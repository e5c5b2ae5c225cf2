package rules

import "strings"

// facts counts what makes a passage specific.
type facts struct {
	figures   int32 // numbers that count or measure something, money and percentages among them
	money     int32
	percents  int32
	durations int32 // "3 weeks"
	dates     int32 // days
	periods   int32 // months, quarters, seasons: no day
	weekdays  int32
	versions  int32
	systems   int32 // products known by name
	names     int32 // other proper names
	days      []day
}

// firm counts what one can check.
func (f *facts) firm() int32 {
	return f.figures + f.dates + f.durations + f.weekdays + f.versions + f.systems
}

// findFacts reads what is specific in p.
func (e *Engine) findFacts(p *passage) {
	marks := marks(p)
	taken := make([]bool, len(p.words)) // words that belong to a date
	for i := range p.words {
		switch marks[i] {
		case month:
			e.readMonth(p, i, taken)
		case season:
			p.facts.periods++
		case weekday:
			p.facts.weekdays++
		case number:
			p.facts.figures++
			if i+1 < len(p.words) && marks[i+1] == unit {
				p.facts.durations++
			}
		}
	}
	monthFirst := !e.capitalNouns(p.langs) // of the languages that we read, German puts the day first most firmly
	for i := range p.words {
		if !taken[i] && isDigit(p.word(i)[0]) && !p.readDigits(i, taken, monthFirst) {
			e.readFigure(p, i, marks, taken)
		}
	}
	for i := range p.words {
		if isVersion(p.word(i)) {
			p.facts.versions++
		}
		if marks[i] != product && !taken[i] && p.isName(i) {
			p.facts.names++
		}
	}
	for _, h := range p.hits {
		if h.class == product {
			p.facts.systems++
		}
	}
}

// marks says for each word of p which kind of fact a cue makes of it; -1: none.
func marks(p *passage) []class {
	m := make([]class, len(p.words))
	for i := range m {
		m[i] = -1
	}
	for _, h := range p.hits {
		switch h.class {
		case month, weekday, season, unit, number, product:
			for i := h.from; i < h.to; i++ {
				if m[i] < 0 || h.class == month || h.class == product {
					m[i] = h.class
				}
			}
		}
	}
	return m
}

func byteAt(s string, i int) byte {
	if i < 0 || i >= len(s) {
		return 0
	}
	return s[i]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isName reports whether word i looks like a name: it has a capital where a sentence does not begin.
func (p *passage) isName(i int) bool {
	return i > 0 && p.words[i].end-p.words[i].start > 1 && p.upper(i)
}

// isVersion reports whether a word is like v23 or rev8.
func isVersion(w string) bool {
	rest, ok := strings.CutPrefix(w, "v")
	if !ok {
		rest, ok = strings.CutPrefix(w, "rev")
	}
	return ok && rest != "" && isDigit(rest[0])
}
