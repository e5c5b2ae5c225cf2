package rules

import (
	"slices"
	"strings"
)

// namesIn adds the people that p introduces: a name with a title beside it, or with Mr, Frau, Dr before it, or in a
// place for people.
func (r *record) namesIn(p *passage) {
	for i := 0; i < len(p.words); i++ {
		if !r.isNameWord(p, i) {
			continue
		}
		j := i + 1
		for j < len(p.words) && j < i+3 && r.isNameWord(p, j) && joined(p, j) {
			j++
		}
		formal := i > 0 && r.e.vocabulary.honorifics[p.word(i-1)]
		t := r.titleBeside(p, i, j)
		single := j == i+1 && !formal && r.e.capitalNouns(p.langs) && (t == "" || i == 0) // any German noun
		single = single || j == i+1 && i == 0 && t == "" && len(p.words) > 4              // the first word of a sentence
		if !single && (t != "" || formal || p.placed.items&r.e.people != 0) {
			r.introduce(p, i, j, t)
		}
		i = j - 1
	}
}

// introduce adds the person named by words [i, j) of p, unless it is one that we know, who may get a title.
func (r *record) introduce(p *passage, i, j int, t string) {
	var name []string
	for w := i; w < j; w++ {
		name = append(name, p.word(w))
		for _, known := range r.people.byWord[p.word(w)] {
			if len(p.word(w)) > 2 {
				if known.title == "" && t != "" {
					r.people.entitle(known, t)
				}
				return
			}
		}
	}
	r.people.add(&person{
		name: p.text[p.words[i].start:p.words[j-1].end], title: t, words: name, contact: -1,
		email: strings.Contains(p.text, "@"), phone: hasPhone(p.text),
	})
}

// isNameWord reports whether word i of p can be part of a customer's person's name.
func (r *record) isNameWord(p *passage, i int) bool {
	w := p.word(i)
	s := p.text[p.words[i].start:p.words[i].end]
	if len(w) < 2 || !p.upper(i) || isUpper(s) || hasDigit(s) ||
		r.own[w] || r.e.vocabulary.honorifics[w] || slices.Contains(r.account, w) {
		return false
	}
	for _, h := range p.hits {
		if int(h.from) <= i && i < int(h.to) && (h.class >= firstFree || notNames.has(h.class)) {
			return false
		}
	}
	return true
}

// notNames are the classes of words that are no names, capital or not.
const notNames classes = 1<<title | 1<<product | 1<<month | 1<<weekday | 1<<stopword | 1<<negation | 1<<placeholder | 1<<none

// joined reports whether nothing but a space or a hyphen stands before word j.
func joined(p *passage, j int) bool {
	gap := p.text[p.words[j-1].end:p.words[j].start]
	return gap == " " || gap == "-"
}

// titleBeside returns the title of the name [i, j): after it, behind a comma, a bracket or a dash, or before it.
func (r *record) titleBeside(p *passage, i, j int) string {
	if j < len(p.words) {
		gap := p.text[p.words[j-1].end:p.words[j].start]
		apart := strings.ContainsAny(gap, ",(-–—:/=") || slices.Contains([]string{"is", "ist", "es", "the"}, p.word(j))
		if apart && !strings.ContainsAny(gap, ".;!?") {
			for _, h := range p.hits {
				if h.class != title || int(h.from) < j || int(h.from) > j+3 {
					continue
				}
				start := int(p.words[j].start)
				if strings.ContainsAny(p.text[start:p.words[h.from].start], ".;!?,)") {
					break
				}
				if end := strings.IndexAny(p.text[start:], ",.;:()!?"); end > 0 && end < 60 {
					return strings.TrimSpace(p.text[start : start+end])
				}
				return p.text[start:p.words[h.to-1].end]
			}
		}
	}
	for _, h := range p.hits {
		if h.class != title || int(h.to) > i || int(h.to) < i-1 {
			continue
		}
		between := int(h.to) == i || r.e.vocabulary.honorifics[p.word(i-1)] || p.word(i-1) == "is" || p.word(i-1) == "ist"
		if between && !strings.ContainsAny(p.text[p.words[h.to-1].end:p.words[i].start], ".;!?") {
			return p.text[p.words[h.from].start:p.words[h.to-1].end]
		}
	}
	return ""
}

// hasPhone reports whether a phone number stands in s.
func hasPhone(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune(" +-()/.", c):
			digits = 0
		}
		if digits >= 8 {
			return true
		}
	}
	return false
}

// readSignature gives the contact details in the lines of a signature to the person who signs.
func (r *record) readSignature(lines []string) {
	var who *person
	for _, line := range lines {
		if who == nil {
			who = r.signer(line)
		}
		if who == nil {
			continue
		}
		who.email = who.email || strings.Contains(line, "@")
		who.phone = who.phone || hasPhone(line)
		if who.title == "" && r.isTitle(line) {
			r.people.entitle(who, strings.TrimSpace(line))
		}
	}
}

// signer returns the first person that a line of a signature names and nobody else can be; nil: it names none.
func (r *record) signer(line string) *person {
	f := fold(line)
	for i := range f.words {
		if found := r.people.byWord[f.word(i)]; len(found) == 1 && len(f.word(i)) > 2 {
			return found[0]
		}
	}
	return nil
}

// isTitle reports whether a line of a signature is someone's title.
func (r *record) isTitle(line string) bool {
	f := fold(line)
	return len(f.words) <= 8 && hasClass(r.e.lex.find(&f, everyLanguages), title)
}
