package rules

import "strings"

// readFigure counts the number that word i is.
func (e *Engine) readFigure(p *passage, i int, marks []class, taken []bool) {
	start, end := int(p.words[i].start), int(p.words[i].end)
	next, last := "", ""
	if i+1 < len(p.words) {
		next = p.word(i + 1)
	}
	if i > 0 {
		last = p.word(i - 1)
	}
	switch before, after := strings.TrimRight(p.text[:start], " "), strings.TrimLeft(p.text[end:], " "); {
	case strings.HasPrefix(after, "%"), percentWords[next]:
		p.facts.percents++
		p.facts.figures++
	case hasAnySuffix(before, "$", "£", "€", "₹"), hasAnyPrefix(after, "$", "£", "€"), e.vocabulary.currencies[next], e.vocabulary.currencies[last]:
		p.facts.money++
		p.facts.figures++
	case byteAt(p.text, end) == '.' && isDigit(byteAt(p.text, end+1)): // 9.01, and with it all of 2024.1.3
		p.facts.versions++
		p.facts.figures++
		for j := i + 1; j < len(p.words) && isDigit(p.word(j)[0]) && int(p.words[j].start) == int(p.words[j-1].end)+1; j++ {
			taken[j] = true
		}
	case last == "v", last == "version", last == "release", last == "rev":
		p.facts.versions++
	case i+1 < len(p.words) && marks[i+1] == unit:
		p.facts.durations++
		p.facts.figures++
	default:
		p.facts.figures++
	}
}

var percentWords = words{"percent": true, "prozent": true, "porciento": true}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(s, x) {
			return true
		}
	}
	return false
}
