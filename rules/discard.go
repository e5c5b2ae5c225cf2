package rules

import "strings"

// classesOf returns the classes of languages' cues among hits.
func classesOf(hits []hit) (all classes) {
	for _, h := range hits {
		if h.class < firstFree {
			all |= 1 << h.class
		}
	}
	return all
}

func hasClass(hits []hit, c class) bool {
	for _, h := range hits {
		if h.class == c {
			return true
		}
	}
	return false
}

// isForeign reports whether all of a source is no evidence: software wrote it, and not down what people said, or it is about
// someone else's deal.
func (r *record) isForeign(src *source, passages []passage) bool {
	title := fold(src.title)
	hits := r.e.lex.find(&title, everyLanguages)
	spoken := src.spoken || holdsWord(&title, r.e.vocabulary.recorders)
	if hasClass(hits, automatic) && !spoken || hasClass(hits, elsewhere) {
		return true
	}
	for i := range passages[:min(len(passages), 2)] {
		p := &passages[i]
		if p.has(automatic) && !spoken || i == 0 && p.has(elsewhere) && strings.HasSuffix(p.text, ":") {
			return true
		}
	}
	return false
}

// ignoreBoilerplate leaves out what lawyers and mail programs wrote: from where it begins to the end of the paragraph, whose
// beginning may be the mail itself.
func ignoreBoilerplate(passages []passage) {
	block := -1 // that boilerplate has begun in
	for i := range passages {
		p := &passages[i]
		if p.has(boilerplate) {
			block = p.block
		}
		p.ignored = p.ignored || p.block == block
	}
}

// shortQuestion is the number of words below which a question tells nothing by itself.
const shortQuestion = 25

// isEmpty reports whether p says nothing about the deal, whatever it mentions.
func (e *Engine) isEmpty(p *passage) bool {
	switch {
	case p.has(automatic), p.has(elsewhere):
		return true
	case strings.HasSuffix(p.text, "?") && len(p.words) < shortQuestion:
		return true
	}
	return isPlaceholder(p) || isKeywords(p) || e.isTopicAlone(p)
}

// isTopicAlone reports whether p, in no field of its own, only names what an item is about: "Go-live."
func (e *Engine) isTopicAlone(p *passage) bool {
	if p.src.field != "" || len(p.words) > 3 || p.facts.firm()+p.facts.names+p.facts.periods > 0 || len(p.who) > 0 {
		return false
	}
	_, known := e.headings(p.text, p.langs)
	return known
}

// isKeywords reports whether p strings the right words together and says nothing.
func isKeywords(p *passage) bool {
	commas := strings.Count(p.text, ",") + strings.Count(p.text, ";")
	return commas >= 5 && len(p.words) <= 3*(commas+1) && p.facts.firm() == 0 && int(p.facts.names) <= commas/3
}

// isClaim reports whether p claims that something was done, and holds nothing of it: "Timeline agreed."
func isClaim(p *passage) bool {
	return p.has(claim) && len(p.words) <= 10 && p.facts.firm()+p.facts.names+p.facts.periods == 0
}

// isPlaceholder reports whether p stands in for an answer.
func isPlaceholder(p *passage) bool {
	n := len(p.words)
	for _, h := range p.hits {
		if h.class == placeholder && h.from == 0 && (int(h.to) == n || n <= int(h.to)+2 && p.placed != topic{}) {
			return true
		}
	}
	if p.src.field != "" && containsWords(strings.ReplaceAll(p.src.field, "_", " "), p.s) {
		return true
	}
	for _, example := range []string{"example", "e g", "beispiel", "ejemplo"} {
		if p.s == example || strings.HasPrefix(p.s, example+" ") {
			return true
		}
	}
	return len(p.s) <= 1
}
