package rules

import (
	"cmp"
	"slices"
	"strings"

	"handoff/crm"
)

// person is one of the customer's people, joined from a contact record and the text.
type person struct {
	name     string
	title    string
	words    []string // of the name, folded
	contact  int      // index of the contact record; -1: known from text alone
	email    bool     // a usable address, from the record or the text
	phone    bool
	mentions []int // passages, ascending
	gone     bool  // said to have left
}

func (p *person) reachable() bool { return p.email || p.phone }

// mention is a person named in a passage.
type mention struct {
	who *person
	at  int32 // word
}

// people are the customer's people, with indexes to find them by.
type people struct {
	all     []*person
	byWord  map[string][]*person // by the words of the name
	byTitle map[string][]*person // by the words of the title, and its initials
	byEmail map[string]*person   // by the contact record's address, folded
}

// maxPeople is the most people that we tell apart. Deals have dozens; more is not a deal.
const maxPeople = 500

func (ps *people) add(p *person) {
	if len(ps.all) >= maxPeople || len(p.words) == 0 {
		return
	}
	ps.all = append(ps.all, p)
	for _, w := range p.words {
		ps.byWord[w] = append(ps.byWord[w], p)
	}
	ps.entitle(p, p.title)
}

// entitle gives p a title.
func (ps *people) entitle(p *person, t string) {
	p.title = t
	f := fold(t)
	initials := ""
	for i := range f.words {
		w := f.word(i)
		if !slices.Contains(ps.byTitle[w], p) {
			ps.byTitle[w] = append(ps.byTitle[w], p)
		}
		if w != "of" && w != "and" && w != "the" {
			initials += w[:1]
		}
	}
	if len(initials) > 2 { // Chief Financial Officer is a CFO
		ps.byTitle[initials] = append(ps.byTitle[initials], p)
	}
}

func (r *record) addContacts() {
	r.people = people{byWord: map[string][]*person{}, byTitle: map[string][]*person{}, byEmail: map[string]*person{}}
	order := make([]int, len(r.s.Contacts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { // whatever the order that the CRM returned them in
		a, b := &r.s.Contacts[i], &r.s.Contacts[j]
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Email, b.Email),
			cmp.Compare(a.Phone, b.Phone), slices.Compare(a.Roles, b.Roles))
	})
	for _, i := range order {
		c := &r.s.Contacts[i]
		p := &person{name: strings.TrimSpace(c.Name), title: strings.TrimSpace(c.Title), contact: i, email: usableEmail(c), phone: usablePhone(c.Phone)}
		if isPlaceholderName(p.name) {
			continue
		}
		f := fold(p.name)
		for j := range f.words {
			if w := f.word(j); len(w) > 1 && !r.e.vocabulary.honorifics[w] {
				p.words = append(p.words, w)
				r.names[w] = true
			}
		}
		r.people.add(p)
		if c.Email != "" {
			r.people.byEmail[foldString(c.Email)] = p
		}
	}
}

var placeholderNames = words{
	"": true, "test": true, "unknown": true, "x": true, "xxx": true, "n n": true, "tbd": true, "na": true, "n a": true, "contact": true, "no name": true,
}

func isPlaceholderName(name string) bool {
	f := foldString(name)
	return placeholderNames[f] || strings.HasPrefix(f, "test ")
}

// usableEmail reports whether the record's address can reach its person: not bounced, not made up.
func usableEmail(c *crm.Contact) bool {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(c.Email)), "@")
	if !ok || c.EmailBounced || local == "" || strings.Contains(local, " ") {
		return false
	}
	host, top, ok := strings.Cut(domain, ".")
	if !ok || host == "" || top == "" {
		return false
	}
	switch {
	case local == "test", host == "test", local == "noreply", local == "none", local == "na":
		return false
	case local == host && len(local) < 5, strings.Trim(local, "x") == "", strings.Trim(host, "x") == "":
		return false
	}
	return true
}

// usablePhone reports whether s can be a phone number: digits enough, and not all the same.
func usablePhone(s string) bool {
	digits := 0
	seen := map[rune]bool{}
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
			seen[c] = true
		}
	}
	return digits >= 6 && len(seen) > 2
}

// findPeople adds the people that only the text names, and notes who is mentioned where.
func (r *record) findPeople() {
	for k := range r.passages {
		if !r.passages[k].ignored {
			r.namesIn(&r.passages[k])
		}
	}
	var last *passage // the last one that mentions someone
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		r.mentionsIn(p)
		if len(p.who) == 0 && last != nil && last.src == p.src && last.block == p.block && r.startsWithPronoun(p) {
			p.who = []mention{{last.who[0].who, 0}}
		}
		if len(p.who) == 0 {
			continue
		}
		last = p
		left := r.e.says(p, "left")
		for _, m := range p.who {
			if n := len(m.who.mentions); n == 0 || m.who.mentions[n-1] != k {
				m.who.mentions = append(m.who.mentions, k)
			}
			m.who.gone = m.who.gone || left
		}
	}
}

// says reports whether p has a cue of the scorecard's own slot of that name.
func (e *Engine) says(p *passage, name string) bool {
	s, ok := e.slots[name]
	return ok && s.fill == nil && p.has(e.slotCue(s.cue))
}

// mentionsIn notes who p names: by name, by speaking in the first person, or by a title that only one contact has.
func (r *record) mentionsIn(p *passage) {
	lower := p.src.lower || isLower(p.text)
	for i := range p.words {
		if !lower && !p.upper(i) {
			continue
		}
		found := r.people.byWord[p.word(i)]
		if len(found) == 0 || len(p.word(i)) < 3 && len(found[0].words) > 1 {
			continue
		}
		who := pick(found, p, i)
		if n := len(p.who); who == nil || n > 0 && p.who[n-1].who == who && int(p.who[n-1].at)+2 >= i {
			continue
		}
		p.who = append(p.who, mention{who, int32(i)})
	}
	if who := r.speaking(p); who != nil && (len(p.who) == 0 || r.isFirstPerson(p)) {
		p.who = append(p.who, mention{who, 0})
	}
	if len(p.who) == 0 {
		r.titleIn(p)
	}
}

// pick chooses whom word i of p names: where several people share it, the one whose other name stands beside it, else the
// one whose first name it is; nil: nobody can tell.
func pick(found []*person, p *passage, i int) *person {
	if len(found) == 1 {
		return found[0]
	}
	for _, who := range found {
		for _, j := range []int{i - 1, i + 1} {
			if j >= 0 && j < len(p.words) && p.word(j) != p.word(i) && slices.Contains(who.words, p.word(j)) {
				return who
			}
		}
	}
	for _, who := range found {
		if who.words[0] == p.word(i) {
			return who
		}
	}
	return nil
}

// speaking returns the customer's person who says p; nil: one of ours, or nobody that we know.
func (r *record) speaking(p *passage) *person {
	if p.speaker == "" {
		return nil
	}
	if who := r.people.byEmail[p.speaker]; who != nil {
		return who
	}
	var who *person
	for w := range strings.FieldsSeq(p.speaker) {
		if r.own[w] {
			return nil
		}
		if found := r.people.byWord[w]; who == nil && len(found) == 1 {
			who = found[0]
		}
	}
	return who
}

func (r *record) isFirstPerson(p *passage) bool {
	for i := range p.words {
		if r.e.vocabulary.firstPerson[p.word(i)] {
			return true
		}
	}
	return false
}

func (r *record) startsWithPronoun(p *passage) bool {
	i := 0
	if len(p.words) > 1 && (p.word(0) == "and" || p.word(0) == "but") {
		i = 1
	}
	return r.e.vocabulary.pronouns[p.word(i)]
}

// titleIn finds the one contact that a title in p fits, such as "the CFO".
func (r *record) titleIn(p *passage) {
	for _, h := range p.hits {
		if h.class != title {
			continue
		}
		t := p.span(h)
		var fit *person
		several := false
		for _, who := range r.people.byTitle[t[strings.LastIndexByte(t, ' ')+1:]] {
			if containsWords(foldString(who.title), t) || !strings.Contains(t, " ") {
				several = several || fit != nil && fit != who
				fit = who
			}
		}
		if fit != nil && !several {
			p.who = append(p.who, mention{fit, h.from})
			return
		}
	}
}

func containsWords(s, part string) bool { return strings.Contains(" "+s+" ", " "+part+" ") }

// evidence returns the contact record of p.
func (p *person) evidence(s *crm.Snapshot) Evidence {
	return Evidence{Source: "contact", Record: contactRecord(s, p.contact), Quote: cut(contactText(&s.Contacts[p.contact]), maxQuote)}
}
