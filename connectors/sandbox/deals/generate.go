package deals

import (
	"fmt"
	"html"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"handoff/crm"
)

// How many deals are out of the ordinary.
const (
	notWonEvery = 25 // one deal of these is not won
	shareBlock  = 40 // deals; the first sharedDeals of them come in pairs, two on one account
	sharedDeals = 6
)

// quality is how well a deal was handed over.
type quality int

const (
	good quality = iota
	partial
	placeholder
	ghost
)

// qualities is drawn from: each quality as often as it is common.
var qualities = []quality{good, good, good, partial, partial, partial, partial, placeholder, ghost, ghost}

// meddpicc maps items to the fields where teams that sell by MEDDPICC keep them.
var meddpicc = map[string]string{
	"business_problem":  "identify_pain",
	"competitors":       "competition",
	"executive_sponsor": "economic_buyer",
	"success_criteria":  "metrics",
}

// items are the fields that a handoff is about, in a fixed order.
var items = crm.FieldNames[:slices.Index(crm.FieldNames, "description")]

// Generate returns n deals with everything around them, at least 95 % of them won, each with its own name. Dates are
// relative to midnight UTC of now, none lies after the deal's as-of but a kickoff. The same seed on the same day gives
// the same deals, and a smaller n a prefix of them.
func Generate(n int, seed int64, now time.Time) []*crm.Snapshot {
	p := loadPhrases()
	today := now.UTC().Truncate(24 * time.Hour)
	pcg := rand.NewPCG(0, 0)
	all := make([]*crm.Snapshot, n)
	for i := range all {
		pcg.Seed(uint64(seed), uint64(i)*0x9e3779b97f4a7c15)
		all[i] = newWriter(p, rand.New(pcg), i, uint64(seed), today).write()
	}
	return all
}

// writer makes one deal up.
type writer struct {
	*language
	rng     *rand.Rand
	words   *phrases
	quality quality
	domain  string
	slots   map[string]string
	close   time.Time
	asOf    time.Time
	today   time.Time
	deal    *crm.Snapshot
}

func newWriter(p *phrases, rng *rand.Rand, i int, seed uint64, today time.Time) *writer {
	account, second := accountOf(i)
	l, k := p.account(account)
	word, name := l.company(uint64(k) + seed)
	w := &writer{language: l, rng: rng, words: p, quality: qualities[rng.IntN(len(qualities))], domain: fold(word) + ".example", today: today}

	ago := 2 + rng.IntN(119)
	w.close = today.AddDate(0, 0, -ago)
	w.asOf = w.close.AddDate(0, 0, min(ago, 1+rng.IntN(20))).Add(-time.Minute)
	kind := l.Again
	if !second {
		kind = w.pick(l.Kinds)
	}
	id := fmt.Sprintf("gen-%06d", i+1)
	arr, term := float64(500*(8+rng.IntN(200))), 12*(1+rng.IntN(3))
	w.deal = &crm.Snapshot{ID: id, AsOf: &w.asOf, Deal: crm.Deal{
		ID: id, Name: name + " - " + kind, Account: name, Stage: "Closed Won", Won: true,
		Amount: sometimes(w, 98, arr*float64(term)/12), Currency: w.pick(l.Currency), ARR: sometimes(w, 94, arr),
		TermMonths: sometimes(w, 94, term), Owner: &crm.User{Name: w.pick(p.Owners), Role: "AE"},
	}}
	if i%notWonEvery == notWonEvery-1 {
		w.deal.Deal.Stage, w.deal.Deal.Won = w.pick(p.Stages), false
	}
	closed := crm.NewDate(w.close.Date())
	w.deal.Deal.CloseDate = &closed
	return w
}

// accountOf returns the number of deal i's account, and whether the deal is its second.
func accountOf(i int) (account int, second bool) {
	block, at := i/shareBlock, i%shareBlock
	first := block * (shareBlock - sharedDeals/2)
	if at < sharedDeals {
		return first + at/2, at%2 == 1
	}
	return first + at - sharedDeals/2, false
}

func (w *writer) write() *crm.Snapshot {
	d := &w.deal.Deal
	if w.chance(96) {
		assigned := w.close.Add(time.Duration(8+w.rng.IntN(9)) * time.Hour)
		if assigned.Before(w.asOf) {
			d.CSM = &crm.CSM{Name: w.pick(w.words.CSMs), AssignedAt: &assigned}
		}
	}
	if w.quality != ghost && w.chance(60) {
		kickoff := w.asOf.AddDate(0, 0, 1+w.rng.IntN(14)).Truncate(24 * time.Hour).Add(time.Duration(8+w.rng.IntN(8)) * time.Hour)
		d.KickoffAt = &kickoff
	}
	people := w.people()
	w.fillSlots(people)
	if w.quality == ghost {
		w.notices()
	} else {
		w.handOver()
		w.chatter()
	}
	slices.SortStableFunc(w.deal.Notes, func(a, b crm.Note) int { return a.At.Compare(*b.At) })
	slices.SortStableFunc(w.deal.Activities, func(a, b crm.Activity) int { return a.At.Compare(*b.At) })
	return w.deal
}

// parts lists what people of the customer play in a deal, and the roles that a sales team ticks for each.
var parts = []struct {
	slot  string
	roles []string
}{
	{"champion", []string{"Champion", "Project Lead"}},
	{"sponsor", []string{"Executive Sponsor", "Economic Buyer", "Decision Maker"}},
	{"user", []string{"Day-to-day contact", "Business User"}},
	{"skeptic", []string{"Evaluator", "Technical Buyer", "Influencer"}},
	{"other", []string{"Billing", "Other"}},
	{"other", []string{"Influencer"}},
}

// people makes up the customer's people and records the first few of them as contacts.
func (w *writer) people() []crm.Contact {
	people := make([]crm.Contact, len(parts))
	for i, part := range parts {
		first, last := w.pick(w.First), w.pick(w.Last)
		people[i] = crm.Contact{Name: first + " " + last, Title: w.pick(w.Titles[part.slot])}
		c := people[i]
		if w.chance(92) {
			c.Email = fold(first) + "." + fold(last) + "@" + w.domain
			c.EmailBounced = w.chance(4)
		}
		if w.chance(map[quality]int{good: 90, partial: 55, placeholder: 40, ghost: 30}[w.quality]) {
			c.Phone = fmt.Sprintf(w.Phone, 100+w.rng.IntN(9900))
		}
		if w.chance(map[quality]int{good: 95, partial: 75, placeholder: 50, ghost: 35}[w.quality]) {
			c.Roles = []string{part.roles[w.rng.IntN(len(part.roles))]}
		}
		if len(part.roles) > 1 && w.chance(8) {
			c.Roles = part.roles[:2:2]
		}
		w.deal.Contacts = append(w.deal.Contacts, c)
	}
	known := map[quality]int{good: 3 + w.rng.IntN(4), partial: 1 + w.rng.IntN(5), placeholder: 1 + w.rng.IntN(3), ghost: 1 + w.rng.IntN(2)}[w.quality]
	w.deal.Contacts = w.deal.Contacts[:known:known]
	return people
}

// fillSlots says what each slot of phrases.toml stands for.
func (w *writer) fillSlots(people []crm.Contact) {
	d := &w.deal.Deal
	csm := "CS"
	if d.CSM != nil {
		csm = d.CSM.Name
	}
	system := w.rng.IntN(len(w.words.Systems))
	term := 12
	if d.TermMonths != nil {
		term = *d.TermMonths
	}
	arr := "see order form"
	if d.ARR != nil {
		arr = strconv.Itoa(int(*d.ARR)) + " " + d.Currency
	}
	w.slots = map[string]string{
		"owner": d.Owner.Name, "csm": csm, "account": d.Account, "arr": arr, "term": strconv.Itoa(term),
		"topic": w.pick(w.Topics), "rival": w.pick(w.words.Rivals),
		"system": w.words.Systems[system], "system2": w.words.Systems[(system+1+w.rng.IntN(len(w.words.Systems)-1))%len(w.words.Systems)],
		"version": fmt.Sprintf("%d.%d", 1+w.rng.IntN(12), w.rng.IntN(10)),
		"n":       strconv.Itoa(3 + w.rng.IntN(60)), "big": strconv.Itoa(50 * (4 + w.rng.IntN(150))),
		"pct": strconv.Itoa(5 + w.rng.IntN(30)), "weeks": strconv.Itoa(2 + w.rng.IntN(8)),
		"close":  w.close.Format(w.Date),
		"due":    w.close.AddDate(0, 0, 20+w.rng.IntN(40)).Format(w.Date),
		"golive": w.close.AddDate(0, 0, 60+w.rng.IntN(60)).Format(w.Date),
	}
	for i, part := range parts {
		if part.slot != "other" {
			w.slots[part.slot], w.slots[part.slot+"_title"] = people[i].Name, people[i].Title
		}
	}
}

// handOver writes what the AE passed on: a sentence an item, in its field, a note or an e-mail.
func (w *writer) handOver() {
	fields := map[string]string{}
	w.deal.Deal.Fields = fields
	whole := map[quality]int{good: 88, partial: 35, placeholder: 5}[w.quality]
	silent := map[quality]int{good: 4, partial: 30, placeholder: 45}[w.quality]
	bySelling := w.chance(30)
	var told []string
	for _, item := range items {
		if w.chance(silent) {
			continue
		}
		field := item
		if bySelling && meddpicc[item] != "" {
			field = meddpicc[item]
		}
		switch say := w.Item[item]; {
		case w.chance(whole):
			s := w.say(say.Whole)
			if w.chance(50) {
				fields[field] = s
			} else {
				told = append(told, s)
			}
		case w.quality == placeholder:
			fields[field] = w.pick(w.words.Placeholders)
		default:
			fields[field] = w.say(say.Thin)
		}
	}
	w.tell(told)
	if w.chance(map[quality]int{good: 90, partial: 50, placeholder: 30}[w.quality]) {
		sayings := w.Signed.Thin
		if w.chance(whole) {
			sayings = w.Signed.Whole
		}
		w.note(w.after(), "", w.say(sayings))
	}
}

// tell spreads sentences over up to three notes and an e-mail to the CSM.
func (w *writer) tell(told []string) {
	if len(told) == 0 {
		return
	}
	if w.deal.Deal.CSM != nil && w.chance(35) {
		k := (len(told) + 1) / 2
		w.mail(w.after(), w.address(w.deal.Deal.Owner.Name), w.address(w.deal.Deal.CSM.Name), w.deal.Deal.Name, strings.Join(told[:k], "\n\n"))
		told = told[k:]
	}
	for part := range slices.Chunk(told, max(2, (len(told)+2)/3)) {
		at := w.after()
		if w.chance(50) {
			at = w.before(60)
		}
		title := ""
		if w.chance(50) {
			title = "Handoff"
		}
		w.note(at, title, w.prose(part))
	}
}

// prose joins sentences as people format notes.
func (w *writer) prose(sentences []string) string {
	switch w.rng.IntN(5) {
	case 0:
		var b strings.Builder
		for _, s := range sentences {
			b.WriteString("<p>" + html.EscapeString(s) + "</p>")
		}
		return b.String()
	case 1:
		return "- " + strings.Join(sentences, "\n- ")
	case 2:
		return strings.Join(sentences, "\n\n")
	}
	return strings.Join(sentences, " ")
}

// chatter adds the everyday records that say nothing about the handoff.
func (w *writer) chatter() {
	owner := w.address(w.deal.Deal.Owner.Name)
	for range w.rng.IntN(6) {
		to := w.deal.Contacts[w.rng.IntN(len(w.deal.Contacts))].Email
		at := w.before(90)
		switch {
		case w.chance(25) && to != "":
			w.mail(at, owner, to, w.pick(w.Subject), w.say(w.Mail))
		case to != "" && w.chance(25):
			w.mail(at, to, owner, w.pick(w.Subject), w.pick(w.Reply))
		case w.chance(40):
			w.activity(crm.Activity{Kind: crm.Call, At: &at, Subject: w.pick(w.Subject), Body: w.say(w.Meeting), From: owner})
		case w.chance(50):
			a := crm.Activity{Kind: crm.Meeting, At: &at, Subject: w.slots["account"] + " x us", Body: w.say(w.Meeting), From: owner}
			if to != "" {
				a.To = []string{to}
			}
			w.activity(a)
		default:
			w.activity(crm.Activity{Kind: crm.Task, At: &at, Subject: w.pick(w.Task)})
		}
	}
}

// notices adds what software leaves on a deal that nobody handed over.
func (w *writer) notices() {
	if w.chance(70) {
		w.notice("Opportunity stage changed from Contract Sent to Closed Won by Automation.")
	}
	if c := w.deal.Deal.CSM; c != nil {
		if w.chance(60) {
			w.notice("CSM assigned: " + c.Name + ".")
		}
		if w.chance(40) {
			at := w.after()
			w.activity(crm.Activity{Kind: crm.Task, At: &at, Subject: "Schedule kickoff", Body: "Auto-created task. Due in 5 days."})
		}
	}
	if w.chance(40) {
		w.mail(w.after(), "dse@docusign.example", w.address(w.deal.Deal.Owner.Name), "Completed: Please DocuSign: Order Form.pdf",
			"All parties have completed Please DocuSign: Order Form.pdf.\n\nDo not share this email.")
	}
	if w.chance(25) {
		w.note(w.after(), "", w.say(w.Signed.Thin))
	}
}

func (w *writer) notice(body string) {
	at := w.after()
	w.deal.Notes = append(w.deal.Notes, crm.Note{At: &at, Author: "Automation", Title: "System", Body: body})
}

func (w *writer) note(at time.Time, title, body string) {
	w.deal.Notes = append(w.deal.Notes, crm.Note{At: &at, Author: w.deal.Deal.Owner.Name, Title: title, Body: body})
}

func (w *writer) mail(at time.Time, from, to, subject, body string) {
	w.activity(crm.Activity{Kind: crm.Email, At: &at, Subject: subject, Body: body, From: from, To: []string{to}})
}

func (w *writer) activity(a crm.Activity) { w.deal.Activities = append(w.deal.Activities, a) }

// after returns a moment between close and as-of, of the first three days where there are more.
func (w *writer) after() time.Time {
	open := min(w.asOf.Sub(w.close), 72*time.Hour)
	return w.close.Add(time.Duration(w.rng.Int64N(int64(open/time.Second))) * time.Second)
}

// before returns a moment in the given number of days that end with the close.
func (w *writer) before(days int) time.Time {
	return w.close.Add(-time.Duration(w.rng.IntN(days*24*3600)) * time.Second)
}

// address returns the e-mail address of one of our own people.
func (w *writer) address(name string) string {
	return fold(strings.ReplaceAll(name, " ", ".")) + "@vendor.example"
}

// say returns one of the sentences, its slots filled.
func (w *writer) say(sentences []string) string {
	s := fill(w.pick(sentences), w.slots)
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

func (w *writer) pick(from []string) string { return from[w.rng.IntN(len(from))] }

func (w *writer) chance(percent int) bool { return w.rng.IntN(100) < percent }

// sometimes returns v in the given percentage of cases, else nil.
func sometimes[T any](w *writer, percent int, v T) *T {
	if !w.chance(percent) {
		return nil
	}
	return &v
}

var folder = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n", " ", "")

// fold spells s as mail addresses do.
func fold(s string) string { return folder.Replace(strings.ToLower(s)) }
