package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitSentences cuts a line into sentences; the pieces are substrings of s.
func splitSentences(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '.' && c != '!' && c != '?' {
			continue
		}
		j := i + 1
		for j < len(s) && (s[j] == '.' || s[j] == '!' || s[j] == '?' || s[j] == ')' || s[j] == '"' || s[j] == '\'') {
			j++
		}
		if j < len(s) && s[j] != ' ' {
			continue
		}
		if s[i] == '.' && j < len(s) && !sentenceEnd(s, start, i, j) {
			continue
		}
		if t := strings.TrimSpace(s[start:j]); t != "" {
			out = append(out, t)
		}
		start = j
		i = j
	}
	if t := strings.TrimSpace(s[start:]); t != "" {
		out = append(out, t)
	}
	return out
}

// sentenceEnd reports whether the full stop at dot ends a sentence: not after an abbreviation or the number of a
// German date, not before a small letter.
func sentenceEnd(s string, start, dot, next int) bool {
	from := strings.LastIndexAny(s[start:dot], " (") + 1 + start
	w := strings.ToLower(s[from:dot])
	after := strings.TrimLeft(s[next:], " \"'(“„")
	r, _ := utf8.DecodeRuneInString(after)
	if abbreviations[w] || utf8.RuneCountInString(w) == 1 && w >= "a" {
		return false
	}
	if w != "" && len(w) <= 2 && w[0] >= '0' && w[0] <= '9' { // "am 20. Oktober"
		first, _, _ := strings.Cut(after, " ")
		return !germanMonth[foldString(first)] && !unicode.IsLower(r)
	}
	if strings.Trim(w, "0123456789.") == "" && unicode.IsLower(r) { // "am 3.10. erteilt"
		return false
	}
	return true
}

var abbreviations = set("mr mrs ms dr prof hr fr frau herr sr sra srta lic ing st nr no vs ca approx incl excl inkl exkl max min etc e.g i.e z.b d.h u.a bzw ggf evtl usw str tel dept mgr jr inc ltd co corp gen vol ext d.c p.m a.m dipl abt geb art abs aprox pág núm dpto avda ud uds s.a c.v")

var germanMonth = set("januar janner februar marz april mai juni juli august september oktober november dezember")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
