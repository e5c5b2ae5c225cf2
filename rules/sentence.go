package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSentence is the most bytes that count as one sentence. It bounds the work on any passage.
const maxSentence = 1200

// splitSentences cuts a line into sentences; the pieces are substrings of s.
func (e *Engine) splitSentences(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		if i-start > maxSentence && s[i] == ' ' {
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i
			continue
		}
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
		if s[i] == '.' && j < len(s) && !e.sentenceEnd(s, start, i, j) {
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
func (e *Engine) sentenceEnd(s string, start, dot, next int) bool {
	from := strings.LastIndexAny(s[start:dot], " (") + 1 + start
	w := strings.ToLower(s[from:dot])
	after := strings.TrimLeft(s[next:], " \"'(“„")
	r, _ := utf8.DecodeRuneInString(after)
	if e.vocabulary.abbreviation[w] || utf8.RuneCountInString(w) == 1 && w >= "a" {
		return false
	}
	if w != "" && len(w) <= 2 && w[0] >= '0' && w[0] <= '9' { // "am 20. Oktober"
		first, _, _ := strings.Cut(after, " ")
		return e.vocabulary.months[foldString(first)] == 0 && !unicode.IsLower(r)
	}
	if strings.Trim(w, "0123456789.") == "" && unicode.IsLower(r) { // "am 3.10. erteilt"
		return false
	}
	return true
}
