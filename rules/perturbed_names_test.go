package rules_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"handoff/crm"
)

var (
	word    = regexp.MustCompile(`[\pL]+`)
	address = regexp.MustCompile(`[\pL\d._%+-]+@[\pL\d.-]+`)
)

// replaceWords gives s other words for those of a map, whose keys are folded; those in mail addresses too.
func replaceWords(s *crm.Snapshot, others map[string]string) {
	old := slices.SortedFunc(maps.Keys(others), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	rewrite(s, func(text string) string {
		var b strings.Builder
		done := 0
		plain := func(text string) string {
			return word.ReplaceAllStringFunc(text, func(w string) string {
				if other, ok := others[folded(w)]; ok {
					return likeCase(other, w)
				}
				return w
			})
		}
		for _, at := range address.FindAllStringIndex(text, -1) {
			b.WriteString(plain(text[done:at[0]]))
			b.WriteString(word.ReplaceAllStringFunc(text[at[0]:at[1]], func(w string) string {
				for _, name := range old {
					if folded(w) == name || len(name) > 3 && strings.Contains(folded(w), name) {
						return strings.ReplaceAll(folded(w), name, strings.ToLower(others[name]))
					}
				}
				return w
			}))
			done = at[1]
		}
		return b.String() + plain(text[done:])
	})
}

var (
	unaccented = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "é", "e", "è", "e", "ê", "e", "ë", "e", "í", "i",
		"ï", "i", "ó", "o", "ò", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "ú", "u", "ü", "u", "ç", "c", "ñ", "n", "ß", "ss")
	transcribed = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")
)

func folded(w string) string { return unaccented.Replace(strings.ToLower(w)) }

// likeCase returns other with the capitals of old.
func likeCase(other, old string) string {
	first, size := utf8.DecodeRuneInString(old)
	switch {
	case len(old) > size && old == strings.ToUpper(old):
		return strings.ToUpper(other)
	case unicode.IsUpper(first):
		first, size = utf8.DecodeRuneInString(other)
		return string(unicode.ToUpper(first)) + other[size:]
	case strings.ToLower(old) == old:
		return strings.ToLower(other)
	}
	return other
}

// words tells how common a folded word is: in how many deals it stands, and in how many without a capital.
type words struct{ deals, lower map[string]int }

func wordsOf(deals []*crm.Snapshot) *words {
	all := &words{map[string]int{}, map[string]int{}}
	for _, s := range deals {
		seen, lower := map[string]bool{}, map[string]bool{}
		for _, text := range allText(s) {
			for _, w := range word.FindAllString(address.ReplaceAllString(text, " "), -1) {
				seen[folded(w)] = true
				if w == strings.ToLower(w) {
					lower[folded(w)] = true
				}
			}
		}
		for w := range seen {
			all.deals[w]++
		}
		for w := range lower {
			all.lower[w]++
		}
	}
	return all
}

// isName reports whether w may be a word of a name.
func (k *words) isName(w string) bool {
	return utf8.RuneCountInString(w) > 2 && w != strings.ToLower(w) && k.lower[folded(w)] < 5
}

// newNames returns another name, with the same initial, for each word of the people's names that the records of s hold.
func newNames(s *crm.Snapshot, known *words, names []string) map[string]string {
	given, family := strings.Fields(names[0]), strings.Fields(names[1])
	all := folded(strings.Join(allText(s), "\n"))
	others, used := map[string]string{}, map[string]bool{}
	name := func(full string) {
		pool := given
		for _, w := range word.FindAllString(full, -1) {
			if !known.isName(w) || others[folded(w)] != "" {
				continue
			}
			i := slices.IndexFunc(pool, func(other string) bool {
				return folded(w)[0] == folded(other)[0] && !strings.Contains(all, folded(other)) && !used[other]
			})
			if i >= 0 {
				used[pool[i]] = true
				others[folded(w)] = pool[i]
				others[folded(transcribed.Replace(strings.ToLower(w)))] = pool[i]
			}
			pool = family
		}
	}
	if s.Deal.Owner != nil {
		name(s.Deal.Owner.Name)
	}
	if s.Deal.CSM != nil {
		name(s.Deal.CSM.Name)
	}
	for _, c := range s.Contacts {
		name(c.Name)
	}
	for _, n := range s.Notes {
		parts := word.FindAllString(n.Author, -1)
		if len(parts) > 1 && !slices.ContainsFunc(parts, func(w string) bool { return !known.isName(w) }) { // no software
			name(n.Author)
		}
	}
	return others
}

// newCompanies returns another name for each word of the account's name and of the mail domains in s that tells companies apart.
func newCompanies(s *crm.Snapshot, known *words, names []string, r *rand.Rand) map[string]string {
	pool := strings.Fields(names[0])
	r.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	others := map[string]string{}
	company := func(w string) {
		if len(w) > 3 && others[folded(w)] == "" && len(pool) > 0 {
			others[folded(w)], pool = pool[0], pool[1:]
		}
	}
	for _, w := range word.FindAllString(s.Deal.Account, -1) {
		if known.isName(w) && known.deals[folded(w)] <= 2 {
			company(w)
		}
	}
	for _, text := range texts(s) {
		for _, at := range address.FindAllString(*text, -1) {
			_, domain, _ := strings.Cut(at, "@")
			for _, label := range word.FindAllString(domain, -1) {
				if !publicDomain[label] && known.lower[folded(label)] < 5 {
					company(label)
				}
			}
		}
	}
	return others
}

// publicDomain holds parts of mail domains that are no company's name.
var publicDomain = map[string]bool{"example": true, "gmail": true, "outlook": true, "hotmail": true, "yahoo": true, "test": true, "mail": true}

// swapped gives each word of a list the one that stands half a list further on.
func swapped(list []string) map[string]string {
	others := map[string]string{}
	for i, w := range list {
		others[folded(w)] = list[(i+len(list)/2)%len(list)]
	}
	return others
}

// allText returns the texts of s.
func allText(s *crm.Snapshot) []string {
	var all []string
	for _, text := range texts(s) {
		all = append(all, *text)
	}
	for _, value := range s.Deal.Fields {
		all = append(all, value)
	}
	return all
}
