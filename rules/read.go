package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"handoff/crm"
)

// oldDeal is how long before the close a record may date and still be about this deal.
const oldDeal = 550 * 24 * time.Hour

// read cuts the snapshot into passages and finds the people in it. Records dated after as-of are left out.
func (e *Engine) read(s *crm.Snapshot, asOf time.Time) *record {
	r := &record{e: e, s: s, asOf: asOf, own: map[string]bool{}, names: map[string]bool{}}
	for _, u := range []*crm.User{s.Deal.Owner} {
		if u != nil {
			r.addOwn(u.Name)
		}
	}
	if s.Deal.CSM != nil {
		r.addOwn(s.Deal.CSM.Name)
	}
	for i := range s.Notes {
		r.addOwn(s.Notes[i].Author)
	}
	r.addContacts()

	for _, name := range sortedKeys(s.Deal.Fields) {
		r.add(&source{says: "field " + name, record: "fields." + name, field: name}, s.Deal.Fields[name], "")
	}
	for i := range s.Notes {
		n := &s.Notes[i]
		src := &source{record: or(n.ID, fmt.Sprintf("notes[%d]", i)), title: n.Title, close: true}
		if !r.visible(src, n.At) {
			continue
		}
		src.says = "note" + dated(src.at)
		if n.Author != "" {
			src.says += " by " + n.Author
		}
		if r.isRobot(n.Author) {
			continue
		}
		r.add(src, n.Body, "")
	}
	for i := range s.Activities {
		a := &s.Activities[i]
		src := &source{record: or(a.ID, fmt.Sprintf("activities[%d]", i)), title: a.Subject}
		if !r.visible(src, a.At) {
			continue
		}
		src.says = string(a.Kind) + dated(src.at)
		if a.Kind == crm.Email && r.isRobot(localPart(a.From)) {
			continue
		}
		src.close = a.Kind == crm.Call || a.Kind == crm.Email && r.fromOwn(a.From)
		speaker := ""
		if a.Kind == crm.Email {
			speaker = foldString(a.From)
		}
		r.add(src, a.Body, speaker)
	}
	slices.SortStableFunc(r.passages, func(a, b passage) int {
		if c := a.src.at.Compare(b.src.at); c != 0 {
			return c
		}
		if c := cmp.Compare(a.src.field, b.src.field); c != 0 {
			return c
		}
		return 0
	})
	for i := range r.passages {
		p := &r.passages[i]
		e.findFacts(p)
		if s.Deal.CloseDate != nil {
			p.upcoming = slices.ContainsFunc(p.facts.days, func(d day) bool { return d.upcoming(s.Deal.CloseDate.Time()) })
		}
		r.judge(p)
	}
	r.findPeople()
	return r
}

func dated(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " " + t.Format(time.DateOnly)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *record) addOwn(name string) {
	f := fold(name)
	for i := range f.words {
		if w := f.word(i); len(w) > 2 {
			r.own[w], r.names[w] = true, true
		}
	}
}

// visible dates src; it reports false for a record dated after as-of or belonging to an old deal.
func (r *record) visible(src *source, at *time.Time) bool {
	if at == nil {
		return true
	}
	if at.After(r.asOf) {
		if r.later == nil || at.Before(*r.later) {
			r.later = at
		}
		return false
	}
	src.at = *at
	if d := r.s.Deal.CloseDate; d != nil {
		src.post = !at.Before(d.Time())
		return !at.Before(d.Time().Add(-oldDeal))
	}
	return true
}

var robots = set("system automation hubspot salesforce workflow bot noreply reply postmaster marketing newsletter notification notifications docusign dse receipts billing news digest mailer daemon donotreply integration zapier flow process crm alerts")

func (r *record) isRobot(author string) bool {
	f := fold(author)
	for i := range f.words {
		if robots[f.word(i)] {
			return true
		}
	}
	return false
}

func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

// fromOwn reports whether an address is one of our own people's.
func (r *record) fromOwn(address string) bool {
	f := fold(localPart(address))
	for i := range f.words {
		if r.own[f.word(i)] {
			return true
		}
	}
	return false
}

// add cuts a source's text into passages.
func (r *record) add(src *source, body, speaker string) {
	r.sources = append(r.sources, src)
	text := plain(body)
	whole := fold(text[:min(len(text), 4000)])
	langs := r.e.languages(&whole, everyLanguages)
	rd := reader{e: r.e, src: src, langs: langs, ofText: langs, names: r.names, fixed: topic{r.e.fields[src.field], r.e.slotIn[src.field]}, speaker: speaker}
	rd.read(text)
	for i := range rd.out {
		if rd.out[i].has(boilerplate) {
			for j := range rd.out {
				rd.out[j].ignored = rd.out[j].ignored || rd.out[j].block == rd.out[i].block
			}
		}
	}
	title := fold(src.title)
	hits := r.e.lex.find(&title, langs, nil)
	drop := hasClass(hits, automatic) || hasClass(hits, elsewhere)
	for i := range rd.out {
		if i < 2 && rd.out[i].has(automatic) {
			drop = true
		}
		if i == 0 && rd.out[i].has(elsewhere) && strings.HasSuffix(rd.out[i].text, ":") {
			drop = true
		}
	}
	for i := range rd.out {
		rd.out[i].ignored = rd.out[i].ignored || drop
	}
	src.ignored = drop
	r.passages = append(r.passages, rd.out...)
	r.signature(rd.sigLines)
}

func hasClass(hits []hit, c class) bool {
	return slices.ContainsFunc(hits, func(h hit) bool { return h.class == c })
}

// everyLanguages is the set of all languages; its top bit stands for words that belong to none.
const everyLanguages = 1<<(maxLanguages+1) - 1

// languages returns the languages whose cues count in a text: the one that its common words give away, with those
// close to it and English, which is mixed into all of them; or, where the text is too short to tell, those around it.
func (e *Engine) languages(f *folded, around uint16) uint16 {
	var count [maxLanguages]int
	for i := range f.words {
		for l := range e.langs {
			if e.stopwords[l][f.word(i)] {
				count[l]++
			}
		}
	}
	best := slices.Max(count[:])
	if best < 3 {
		return around
	}
	langs := uint16(1 << maxLanguages)
	for l, code := range e.langs {
		if code == "en" || 2*count[l] >= best {
			langs |= 1 << l
		}
	}
	return langs
}

// judge decides whether p is evidence at all, and whether it is hedged.
func (r *record) judge(p *passage) {
	n := len(p.words)
	switch {
	case p.has(automatic), p.has(boilerplate), p.has(elsewhere):
		p.ignored = true
	case strings.HasSuffix(p.text, "?") && n < 25:
		p.ignored = true
	case isPlaceholder(p), isKeywords(p), isClaim(p):
		p.ignored = true
	}
	p.hedged = p.has(hedge)
}

// isKeywords reports whether p strings the right words together and says nothing.
func isKeywords(p *passage) bool {
	commas := strings.Count(p.text, ",") + strings.Count(p.text, ";")
	return commas >= 5 && len(p.words) <= 3*(commas+1) && p.facts.firm() == 0 && p.facts.names <= commas/3
}

// isClaim reports whether p claims that something was done, and holds nothing of it: "Timeline agreed."
func isClaim(p *passage) bool {
	return p.has(claim) && len(p.words) <= 10 && p.facts.firm()+p.facts.names+p.facts.periods == 0
}

// isPlaceholder reports whether p stands in for an answer.
func isPlaceholder(p *passage) bool {
	n := len(p.words)
	for _, h := range p.hits {
		if h.class == placeholder && h.from == 0 && (int(h.to) == n || n <= int(h.to)+2 && p.placed != 0) {
			return true
		}
	}
	if p.src.field != "" && (p.s == strings.ReplaceAll(p.src.field, "_", " ") || p.s == strings.ReplaceAll(p.src.field, "_", "")) {
		return true
	}
	if strings.HasPrefix(p.s, "example") || strings.HasPrefix(p.s, "e g ") || strings.HasPrefix(p.s, "beispiel") || strings.HasPrefix(p.s, "ejemplo") {
		return true
	}
	return n == 1 && len(p.s) <= 1
}
