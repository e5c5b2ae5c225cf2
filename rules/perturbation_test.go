package rules_test

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"handoff/crm"
	"handoff/rules"
)

// leastStay is the least share of item scores that each kind of change must leave alone.
const leastStay = 0.97

// TestPerturbation changes what must not matter in all cases, one kind of change at a time, and compares the scores. Only deals
// that a change touches count.
func TestPerturbation(t *testing.T) {
	sc, err := rules.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := rules.NewEngine(sc)
	deals := cases(t, slices.Concat(tuning, validation))
	scores := make([][]rules.Item, len(deals))
	for i, s := range deals {
		scores[i] = e.Score(s, *s.AsOf).Items
	}
	known := wordsOf(deals)
	people, companies := lists(t, "names.txt"), lists(t, "companies.txt")
	products := strings.Fields(strings.Join(lists(t, "products.txt"), " "))
	var report strings.Builder
	w := tabwriter.NewWriter(&report, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tdeals\titem scores\tstay\tmost often changed\t")
	for _, kind := range []struct {
		name    string
		perturb func(s *crm.Snapshot, r *rand.Rand)
	}{
		{"people's names", func(s *crm.Snapshot, _ *rand.Rand) { replaceWords(s, newNames(s, known, people)) }},
		{"company names", func(s *crm.Snapshot, r *rand.Rand) { replaceWords(s, newCompanies(s, known, companies, r)) }},
		{"product names", func(s *crm.Snapshot, _ *rand.Rand) { replaceWords(s, swapped(products)) }},
		{"amounts", func(s *crm.Snapshot, _ *rand.Rand) { multiplyAmounts(s, 3) }},
		{"dates, by 2 weeks", func(s *crm.Snapshot, _ *rand.Rand) { shiftDates(s, 2*7, e.Language(s, *s.AsOf)) }},
		{"dates, by 52 weeks", func(s *crm.Snapshot, _ *rand.Rand) { shiftDates(s, 52*7, e.Language(s, *s.AsOf)) }},
		{"synonyms", synonyms(t, e)},
		{"order of records", shuffle},
		{"HTML bodies", func(s *crm.Snapshot, _ *rand.Rand) { wrapBodies(s) }},
		{"signatures", func(s *crm.Snapshot, _ *rand.Rand) { addSignatures(s) }},
	} {
		r := rand.New(rand.NewPCG(4, 97))
		touched, changed := 0, map[string]int{}
		for i, s := range deals {
			other := clone(t, s)
			kind.perturb(other, r)
			if other.Hash() == s.Hash() {
				continue
			}
			touched++
			for k, item := range e.Score(other, *other.AsOf).Items {
				if item.Score != scores[i][k].Score {
					changed[item.ID]++
				}
			}
		}
		n, lost := touched*len(sc.Items), 0
		for _, count := range changed {
			lost += count
		}
		stay := 1 - float64(lost)/float64(n)
		fmt.Fprintf(w, "%s\t%d\t%d\t%.4f\t%s\t\n", kind.name, touched, n, stay, mostOften(changed))
		if !(stay >= leastStay) { // not a number is below every floor
			t.Errorf("%s: %.4f of the item scores stay, want at least %.2f", kind.name, stay, leastStay)
		}
	}
	w.Flush()
	t.Logf("item scores that stay:\n%s", report.String())
}

// mostOften lists the items with the highest counts.
func mostOften(counts map[string]int) string {
	var items []string
	for id := range counts {
		items = append(items, id)
	}
	slices.SortFunc(items, func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) })
	for i, id := range items {
		items[i] = fmt.Sprintf("%s: %d", id, counts[id])
	}
	return strings.Join(items[:min(4, len(items))], ", ")
}

func clone(t *testing.T, s *crm.Snapshot) *crm.Snapshot {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	other := new(crm.Snapshot)
	if err := json.Unmarshal(b, other); err != nil {
		t.Fatal(err)
	}
	return other
}

// lists reads the paragraphs of words in a file of testdata, without remarks.
func lists(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			text.WriteString(line)
		}
	}
	return strings.Split(text.String(), "\n\n")
}

// texts returns all text of s that people or names may stand in.
func texts(s *crm.Snapshot) []*string {
	all := []*string{&s.Deal.Name, &s.Deal.Account}
	if s.Deal.Owner != nil {
		all = append(all, &s.Deal.Owner.Name, &s.Deal.Owner.Email)
	}
	if s.Deal.CSM != nil {
		all = append(all, &s.Deal.CSM.Name, &s.Deal.CSM.Email)
	}
	for i := range s.Contacts {
		c := &s.Contacts[i]
		all = append(all, &c.Name, &c.Title, &c.Email)
	}
	for i := range s.Notes {
		n := &s.Notes[i]
		all = append(all, &n.Author, &n.Title, &n.Body)
	}
	for i := range s.Activities {
		a := &s.Activities[i]
		all = append(all, &a.Subject, &a.Body, &a.From)
		for j := range a.To {
			all = append(all, &a.To[j])
		}
	}
	return all
}

// rewrite changes all text of s.
func rewrite(s *crm.Snapshot, change func(string) string) {
	for _, text := range texts(s) {
		*text = change(*text)
	}
	for name, value := range s.Deal.Fields {
		s.Deal.Fields[name] = change(value)
	}
}

// wrapBodies makes HTML of the bodies that are plain text.
func wrapBodies(s *crm.Snapshot) {
	wrap := func(body *string) {
		if *body == "" || strings.ContainsAny(*body, "<>") {
			return
		}
		var b strings.Builder
		b.WriteString(`<div dir="ltr">`)
		for paragraph := range strings.SplitSeq(*body, "\n\n") {
			b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(paragraph), "\n", "<br>\n") + "</p>")
		}
		*body = b.String() + "</div>"
	}
	for i := range s.Notes {
		wrap(&s.Notes[i].Body)
	}
	for i := range s.Activities {
		wrap(&s.Activities[i].Body)
	}
}

// addSignatures puts a signature below mails that quote no other: what the records say of the sender, and the small print.
func addSignatures(s *crm.Snapshot) {
	for i := range s.Activities {
		a := &s.Activities[i]
		if a.Kind != crm.Email || a.Body == "" || strings.Contains(a.Body, "\n>") || strings.Contains(a.Body, "\n-----") {
			continue
		}
		signature := "\n\n-- \n"
		for _, c := range s.Contacts {
			if c.Email != "" && strings.EqualFold(c.Email, a.From) {
				signature += strings.Join(slices.DeleteFunc([]string{c.Name, c.Title, s.Deal.Account, c.Phone, c.Email},
					func(line string) bool { return line == "" }), "\n") + "\n"
			}
		}
		a.Body += signature + "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received it\n" +
			"in error, please delete it.\nPlease consider the environment before printing this e-mail."
	}
}

func shuffle(s *crm.Snapshot, r *rand.Rand) {
	r.Shuffle(len(s.Notes), func(i, j int) { s.Notes[i], s.Notes[j] = s.Notes[j], s.Notes[i] })
	r.Shuffle(len(s.Contacts), func(i, j int) { s.Contacts[i], s.Contacts[j] = s.Contacts[j], s.Contacts[i] })
	r.Shuffle(len(s.Activities), func(i, j int) { s.Activities[i], s.Activities[j] = s.Activities[j], s.Activities[i] })
}

// synonyms puts the second of each pair of synonyms in the place of the first.
func synonyms(t *testing.T, e *rules.Engine) func(*crm.Snapshot, *rand.Rand) {
	t.Helper()
	others := map[string]map[string]string{} // by language
	for line := range strings.Lines(strings.Join(lists(t, "synonyms.txt"), "\n")) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 {
			t.Fatalf("testdata/synonyms.txt: %q is not a language and two words between tabs", line)
		}
		if others[cells[0]] == nil {
			others[cells[0]] = map[string]string{}
		}
		others[cells[0]][cells[1]] = cells[2]
	}
	phrases := map[string]*regexp.Regexp{}
	for language, pairs := range others {
		phrases[language] = regexp.MustCompile(`(?i)` + strings.Join(slices.Sorted(maps.Keys(pairs)), "|"))
		phrases[language].Longest()
	}
	return func(s *crm.Snapshot, _ *rand.Rand) {
		if language := e.Language(s, *s.AsOf); others[language] != nil {
			rewrite(s, func(text string) string { return replacePhrases(text, phrases[language], others[language]) })
		}
	}
}

// replacePhrases replaces phrases that do not begin or end within a word. A capital stays one.
func replacePhrases(text string, phrases *regexp.Regexp, others map[string]string) string {
	var b strings.Builder
	done := 0
	for _, at := range phrases.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		old := text[at[0]:at[1]]
		other, ok := others[old]
		if !ok {
			other, ok = others[strings.ToLower(old)]
		}
		if !ok || isPartOfWord(before) || isPartOfWord(after) {
			continue
		}
		b.WriteString(text[done:at[0]] + likeCase(other, old))
		done = at[1]
	}
	return b.String() + text[done:]
}

func isPartOfWord(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-_@'", c)
}
