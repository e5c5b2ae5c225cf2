package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"handoff/crm"
)

// record is a snapshot as read for scoring: what it says, piece by piece, and who is in it.
type record struct {
	e        *Engine
	s        *crm.Snapshot
	asOf     time.Time
	sources  []*source
	passages []passage // of each source together; sources oldest first
	room     room      // of the passages
	idle     float64   // items that idle words would seem to say something on
	telling  int       // passages that are evidence of something
	people   people
	holders  map[int][]*candidate // of the roles of the person items, by index
	own      words                // name words of our own people
	names    words                // name words of everyone that the CRM's records name
	account  []string             // words of the customer's name, folded
	plain    []plainWord          // of the passage at hand
	seen     []*sign              // in the passage at hand
	above    struct {             // what the last passage stands under
		text   string
		tokens []token
	}
	later *time.Time // the earliest date of a record after as-of
}

// oldDeal is how long before the close a record may date and still be about this deal.
const oldDeal = 550 * 24 * time.Hour

// read cuts the snapshot into passages and finds the people in it. Records dated after as-of are left out.
func (e *Engine) read(s *crm.Snapshot, asOf time.Time) *record {
	r := &record{e: e, s: s, asOf: asOf, own: words{}, names: words{}, account: strings.Fields(foldString(s.Deal.Account)), holders: map[int][]*candidate{}}
	if s.Deal.Owner != nil {
		r.addOwn(s.Deal.Owner.Name)
	}
	if s.Deal.CSM != nil {
		r.addOwn(s.Deal.CSM.Name)
	}
	for i := range s.Notes {
		r.addOwn(s.Notes[i].Author)
	}
	r.addContacts()
	texts := r.texts()
	slices.SortFunc(texts, func(a, b text) int { // whatever the order that the CRM returned them in
		return cmp.Or(a.src.at.Compare(b.src.at), cmp.Compare(a.src.field, b.src.field), cmp.Compare(a.src.title, b.src.title),
			cmp.Compare(a.body, b.body), cmp.Compare(a.src.says, b.src.says))
	})
	for _, t := range texts {
		r.add(t)
	}
	for i := range r.passages {
		p := &r.passages[i]
		e.findFacts(p)
		if close := s.Deal.CloseDate; close != nil {
			p.soon = slices.ContainsFunc(p.facts.days, func(d day) bool { return d.soonAfter(close.Time()) })
		}
		p.about = e.about(p)
		p.hedged = p.has(hedge)
		p.empty = p.ignored || e.isEmpty(p)
		p.ignored = p.empty || isClaim(p)
		if !p.ignored {
			r.telling++
		}
	}
	r.findPeople()
	return r
}

// text is the text of one source.
type text struct {
	src     *source
	body    string
	speaker string
}

// texts returns the deal's fields, notes and activities that may hold evidence.
func (r *record) texts() []text {
	var all []text
	for name, value := range r.s.Deal.Fields {
		all = append(all, text{src: &source{says: "field " + name, record: fieldRecord(name), field: name, sign: r.e.signs.field(name)}, body: value})
	}
	for i := range r.s.Notes {
		n := &r.s.Notes[i]
		src := &source{record: noteRecord(r.s, i), title: PlainText(n.Title), summary: true}
		if !r.visible(src, n.At) || r.isRobot(n.Author) {
			continue
		}
		src.says = "note" + dated(src.at)
		if n.Author != "" {
			src.says += " by " + n.Author
		}
		all = append(all, text{src: src, body: n.Body})
	}
	for i := range r.s.Activities {
		a := &r.s.Activities[i]
		src := &source{record: activityRecord(r.s, i), title: PlainText(a.Subject), mail: a.Kind == crm.Email}
		if !r.visible(src, a.At) || src.mail && r.isRobot(localPart(a.From)) {
			continue
		}
		src.says = string(a.Kind) + dated(src.at)
		src.spoken = a.Kind == crm.Call
		src.summary = src.spoken || src.mail && r.fromOwn(a.From)
		t := text{src: src, body: a.Body}
		if src.mail {
			t.speaker = foldString(a.From)
		}
		all = append(all, t)
	}
	return all
}

func dated(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " " + t.Format(time.DateOnly)
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
			later := *at
			r.later = &later
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

// isRobot reports whether the author of a record, or the local part of a sender's address, is software that has nothing
// to tell of what people said.
func (r *record) isRobot(author string) bool {
	f := fold(author)
	return holdsWord(&f, r.e.vocabulary.robots) && !holdsWord(&f, r.e.vocabulary.recorders)
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

// usualPassage is how many bytes a passage has, or some fewer.
const usualPassage = 48

// languageSample is how much of a text decides on its language.
const languageSample = 4000

// add cuts a source's text into passages.
func (r *record) add(t text) {
	src, body := t.src, PlainText(t.body)
	sample := fold(body[:min(len(body), languageSample)])
	langs := r.e.languagesOf(&sample, everyLanguages)
	rd := reader{e: r.e, src: src, names: r.names, ofText: langs, langs: langs, speaker: t.speaker,
		fixed: topic{r.e.fieldItems[src.field], r.e.fieldSlots[src.field]}, out: slices.Grow(r.passages, len(body)/usualPassage), room: &r.room}
	rd.under, rd.lasting = src.title, true // a CRM without titles has it as the first heading
	src.from = len(r.passages)
	rd.read(body)
	r.passages = rd.out
	src.to = len(r.passages)
	src.lower = isLower(body)
	src.ignored = r.isForeign(src, r.passages[src.from:])
	r.sources = append(r.sources, src)
	for i := src.from; src.ignored && i < src.to; i++ {
		r.passages[i].ignored = true
	}
	if src.mail {
		ignoreBoilerplate(r.passages[src.from:src.to])
	}
	r.readSignature(rd.sigLines)
}
