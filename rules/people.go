package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// mention is a person named in a passage.
type mention struct {
	who *person
	at  int // word
}

func (p *person) reachable() bool { return p.email || p.phone }

func (r *record) addContacts() {
	for i := range r.s.Contacts {
		c := &r.s.Contacts[i]
		p := &person{name: strings.TrimSpace(c.Name), title: strings.TrimSpace(c.Title), contact: i,
			email: usableEmail(c), phone: usablePhone(c.Phone)}
		if placeholderName(p.name) {
			continue
		}
		f := fold(p.name)
		for j := range f.words {
			if w := f.word(j); len(w) > 1 && !honorifics[w] {
				p.words = append(p.words, w)
				r.names[w] = true
			}
		}
		if len(p.words) > 0 {
			r.people = append(r.people, p)
		}
	}
}

var honorifics = set("mr mrs ms dr prof professor herr frau hr fr don dona lic ing sr sra srta sir md phd dipl med")

func placeholderName(name string) bool {
	f := foldString(name)
	return f == "" || f == "test" || strings.HasPrefix(f, "test ") || f == "unknown" || f == "x" || f == "xxx" || f == "n n" || f == "tbd" || f == "na" || f == "contact" || f == "no name"
}

var sharedMailboxes = set("info office ap accounts billing procurement admin support hello contact sales kontakt invoices purchasing mail buchhaltung rechnung contacto facturacion noreply test")

func usableEmail(c *crm.Contact) bool {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(c.Email)), "@")
	if !ok || c.EmailBounced || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(local, " ") {
		return false
	}
	host, _, _ := strings.Cut(domain, ".")
	if local == "test" || host == "test" || local == host && len(local) < 5 || local == "noreply" || local == "none" || local == "na" || strings.Trim(local, "x") == "" || strings.Trim(host, "x") == "" {
		return false
	}
	return !strings.HasSuffix(domain, "example.com") || local != "email"
}

func usablePhone(s string) bool {
	digits, distinct := 0, map[rune]bool{}
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
			distinct[c] = true
		}
	}
	return digits >= 6 && len(distinct) > 2
}

// findPeople adds the people that only the text names, and notes who is mentioned where.
func (r *record) findPeople() {
	for k := range r.passages {
		if !r.passages[k].ignored {
			r.namesIn(k)
		}
	}
	byWord := map[string][]*person{}
	for _, p := range r.people {
		for _, w := range p.words {
			if len(w) > 2 || len(p.words) == 1 {
				byWord[w] = append(byWord[w], p)
			}
		}
	}
	var last []mention
	var lastBlock int
	var lastSrc *source
	for k := range r.passages {
		p := &r.passages[k]
		if p.ignored {
			continue
		}
		lower := p.text == strings.ToLower(p.text)
		for i := range p.words {
			found := byWord[p.word(i)]
			if len(found) == 0 || !lower && !startsUpper(p.text[p.words[i].start:]) && !sloppy(p.src) {
				continue
			}
			who := pick(found, p, i)
			if who == nil || len(p.who) > 0 && p.who[len(p.who)-1].who == who && p.who[len(p.who)-1].at+2 >= i {
				continue
			}
			p.who = append(p.who, mention{who, i})
		}
		if who := r.speaking(p, byWord); who != nil && (len(p.who) == 0 || firstPerson(p)) {
			p.who = append(p.who, mention{who, 0})
		}
		if len(p.who) == 0 {
			r.byTitle(p)
		}
		if len(p.who) == 0 && lastSrc == p.src && lastBlock == p.block && startsWithPronoun(p) && len(last) > 0 {
			p.who = []mention{{last[0].who, 0}}
		}
		if len(p.who) > 0 {
			last, lastBlock, lastSrc = p.who, p.block, p.src
		}
		for _, m := range p.who {
			if n := len(m.who.mentions); n == 0 || m.who.mentions[n-1] != k {
				m.who.mentions = append(m.who.mentions, k)
			}
		}
		if p.has(r.e.leaving()) {
			for _, m := range p.who {
				m.who.gone = true
			}
		}
	}
}

// speaking returns the customer's person who says p; nil: one of ours, or nobody that we know.
func (r *record) speaking(p *passage, byWord map[string][]*person) *person {
	if p.speaker == "" {
		return nil
	}
	if strings.HasPrefix(p.speaker, "re ") {
		return nil
	}
	for w := range strings.FieldsSeq(p.speaker) {
		if r.own[w] {
			return nil
		}
	}
	for _, who := range r.people {
		if who.contact >= 0 && foldString(r.s.Contacts[who.contact].Email) == p.speaker {
			return who
		}
	}
	for w := range strings.FieldsSeq(p.speaker) {
		if found := byWord[w]; len(found) == 1 {
			return found[0]
		}
	}
	return nil
}

var firstPersons = set("i im ive id ill my me mine myself ich mein meine mir mich yo mi conmigo")

func firstPerson(p *passage) bool {
	for i := range p.words {
		if firstPersons[p.word(i)] {
			return true
		}
	}
	return false
}

func (e *Engine) leaving() class {
	if s, ok := e.byName["left"]; ok && s.cued {
		return e.slotCue(s.cue)
	}
	return -1
}

func startsUpper(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

// sloppy reports whether the writer of src does not bother with capitals.
func sloppy(src *source) bool { return src.small }

// pick chooses whom the word at i names: where several people share it, the one whose next name word follows.
func pick(found []*person, p *passage, i int) *person {
	if len(found) == 1 {
		return found[0]
	}
	for _, who := range found {
		for d := -1; d <= 1; d += 2 {
			if j := i + d; j >= 0 && j < len(p.words) && p.word(j) != p.word(i) && slices.Contains(who.words, p.word(j)) {
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

var pronouns = set("he she hes shes her his er sie ihr el ella la le lo su sus tambien also knows runs prefers hates likes wants owns will very ex hat ist")

func startsWithPronoun(p *passage) bool {
	if len(p.words) == 0 {
		return false
	}
	return pronouns[p.word(0)] || len(p.words) > 1 && (p.word(0) == "and" || p.word(0) == "but") && pronouns[p.word(1)]
}

// byTitle finds the one contact that a title in p fits, such as "the CFO".
func (r *record) byTitle(p *passage) {
	for _, h := range p.hits {
		if h.class != title {
			continue
		}
		t := p.s[p.words[h.from].at:]
		if int(h.to) < len(p.words) {
			t = p.s[p.words[h.from].at : p.words[h.to].at-1]
		}
		var fit *person
		for _, who := range r.people {
			if who.title == "" || !containsWords(foldString(who.title), t) && acronym(who.title) != t {
				continue
			}
			if fit != nil {
				fit = nil
				break
			}
			fit = who
		}
		if fit != nil {
			p.who = append(p.who, mention{fit, int(h.from)})
			return
		}
	}
}

func containsWords(s, words string) bool {
	return strings.Contains(" "+s+" ", " "+words+" ")
}

// acronym returns the initials of a title: "Chief Financial Officer" is a cfo.
func acronym(title string) string {
	f := fold(title)
	var b strings.Builder
	for i := range f.words {
		if w := f.word(i); w != "of" && w != "and" && w != "the" {
			b.WriteByte(w[0])
		}
	}
	return b.String()
}

// namesIn adds people that a passage introduces: a name with a title beside it, or with Mr, Frau, Dr before it.
func (r *record) namesIn(k int) {
	p := &r.passages[k]
	for i := 0; i < len(p.words); i++ {
		if !r.nameWord(p, i) {
			continue
		}
		j := i + 1
		for j < len(p.words) && j < i+3 && r.nameWord(p, j) && joined(p, j) {
			j++
		}
		formal := i > 0 && honorifics[p.word(i-1)]
		var t string
		if h, ok := titleAt(p, j, 3); ok {
			t = p.text[p.words[h.from].start:p.words[h.to-1].end]
			if end := strings.IndexAny(p.text[p.words[h.from].start:], ",.;:()!?"); end > 0 && end < 60 {
				t = strings.TrimSpace(p.text[p.words[h.from].start : int(p.words[h.from].start)+end])
			}
		} else if h, ok := titleBefore(p, i); ok {
			t = p.text[p.words[h.from].start:p.words[h.to-1].end]
		}
		if german := p.langs&r.e.german() != 0 && j == i+1; german && !formal && (t == "" || i == 0) {
			continue
		}
		if t != "" || formal || p.placed&r.e.peopleItems() != 0 {
			r.introduce(p, i, j, t)
		}
		i = j - 1
	}
}

// introduce adds the person named by words [i, j) unless it is one that we know, who may get a title.
func (r *record) introduce(p *passage, i, j int, t string) {
	var words []string
	for w := i; w < j; w++ {
		words = append(words, p.word(w))
	}
	for _, known := range r.people {
		if overlap(known.words, words) {
			if known.title == "" {
				known.title = t
			}
			return
		}
	}
	who := &person{name: p.text[p.words[i].start:p.words[j-1].end], title: t, words: words, contact: -1}
	who.email = strings.Contains(p.text, "@")
	who.phone = hasPhone(p.text)
	r.people = append(r.people, who)
}

func overlap(a, b []string) bool {
	for _, w := range b {
		if len(w) > 2 && slices.Contains(a, w) {
			return true
		}
	}
	return false
}

// peopleItems are the items about people.
func (e *Engine) peopleItems() items {
	var is items
	for i, it := range e.card.Items {
		if it.Kind == "person" || it.Kind == "objector" {
			is |= 1 << i
		}
	}
	return is
}

func (r *record) nameWord(p *passage, i int) bool {
	s := p.text[p.words[i].start:p.words[i].end]
	w := p.word(i)
	if len(w) < 2 || !startsUpper(s) || r.own[w] || honorifics[w] || s == strings.ToUpper(s) && len(s) > 1 || containsWords(foldString(r.s.Deal.Account), w) {
		return false
	}
	for _, h := range p.hits {
		if int(h.from) <= i && i < int(h.to) {
			switch {
			case h.class == title, h.class == product, h.class == month, h.class == weekday, h.class == stopword, h.class >= firstFree, h.class == negation, h.class == placeholder, h.class == none:
				return false
			}
		}
	}
	return !strings.ContainsAny(s, "0123456789")
}

// joined reports whether only a space stands before the word at j.
func joined(p *passage, j int) bool {
	gap := p.text[p.words[j-1].end:p.words[j].start]
	return gap == " " || gap == "-"
}

// titleAt returns the title that starts within the next words after a name, behind a comma, a bracket, a dash or "is".
func titleAt(p *passage, j, within int) (hit, bool) {
	if j >= len(p.words) {
		return hit{}, false
	}
	gap := p.text[p.words[j-1].end:p.words[j].start]
	if strings.ContainsAny(gap, ".;!?") {
		return hit{}, false
	}
	loose := strings.ContainsAny(gap, ",(-–—:/=") || p.word(j) == "is" || p.word(j) == "ist" || p.word(j) == "es" || p.word(j) == "the"
	if !loose {
		return hit{}, false
	}
	for _, h := range p.hits {
		if h.class == title && int(h.from) >= j && int(h.from) <= j+within && !strings.ContainsAny(p.text[p.words[j].start:p.words[h.from].start], ".;!?,)") {
			return hit{from: int32(j), to: h.to}, true
		}
	}
	return hit{}, false
}

func titleBefore(p *passage, i int) (hit, bool) {
	for _, h := range p.hits {
		if h.class != title {
			continue
		}
		if int(h.to) == i || int(h.to) == i-1 && (honorifics[p.word(i-1)] || p.word(i-1) == "is" || p.word(i-1) == "ist") {
			gap := p.text[p.words[h.to-1].end:p.words[i].start]
			if !strings.ContainsAny(gap, ".;!?") {
				return h, true
			}
		}
	}
	return hit{}, false
}

func hasPhone(s string) bool {
	run, digits := 0, 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
			run++
		case strings.ContainsRune(" +-()/.", c):
			run++
		default:
			if digits >= 8 && run >= 9 {
				return true
			}
			run, digits = 0, 0
		}
	}
	return digits >= 8 && run >= 9
}

// signature gives the contact details in the lines of a signature to the person who signs.
func (r *record) signature(lines []string) {
	var who *person
	for _, line := range lines {
		f := fold(line)
		for i := range f.words {
			for _, p := range r.people {
				if who == nil && len(f.word(i)) > 2 && slices.Contains(p.words, f.word(i)) {
					who = p
				}
			}
		}
		if who == nil {
			continue
		}
		who.email = who.email || strings.Contains(line, "@")
		who.phone = who.phone || hasPhone(line)
		if who.title == "" {
			if hits := r.e.lex.find(&f, everyLanguages, nil); hasClass(hits, title) && len(f.words) <= 8 {
				who.title = strings.TrimSpace(line)
			}
		}
	}
}

func (p *person) evidence(s *crm.Snapshot) Evidence {
	c := &s.Contacts[p.contact]
	quote := c.Name
	for _, part := range []string{c.Title, c.Email, c.Phone} {
		if part != "" {
			quote += ", " + part
		}
	}
	return Evidence{Source: "contact", Record: or(c.ID, fmt.Sprintf("contacts[%d]", p.contact)), Quote: quote}
}

// german is the language that writes every noun with a capital.
func (e *Engine) german() uint16 {
	for l, code := range e.langs {
		if code == "de" {
			return 1 << l
		}
	}
	return 0
}
