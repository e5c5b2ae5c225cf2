package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a text: where it stands in the text, and where its folded form stands in folded.s.
type word struct{ start, end, at int32 }

// folded is a text reduced to what cues are compared with: lower-case words without accents, hyphens or apostrophes,
// one space between them.
type folded struct {
	s     string
	words []word
}

// fold reduces text.
func fold(text string) folded { return foldInto(make([]word, 0, len(text)/5+1), text) }

// foldInto is fold with its words in the room that words has.
func foldInto(words []word, text string) folded {
	var b strings.Builder
	b.Grow(len(text))
	f := folded{words: words[:0]}
	inWord := false
	for i, r := range text {
		switch {
		case r < utf8.RuneSelf && plainASCII[r] != 0 || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if !inWord {
				if b.Len() > 0 {
					b.WriteByte(' ')
				}
				f.words = append(f.words, word{start: int32(i), at: int32(b.Len())})
				inWord = true
			}
			if r < utf8.RuneSelf {
				b.WriteByte(plainASCII[r])
			} else {
				writeFolded(&b, r)
			}
		case !inWord:
		case r == '\'', r == '’': // couldn't and couldnt are one word
		case r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r): // an accent written as its own rune
		default:
			f.words[len(f.words)-1].end = int32(i)
			inWord = false
		}
	}
	if inWord {
		f.words[len(f.words)-1].end = int32(len(text))
	}
	f.s = b.String()
	return f
}

// plainASCII holds the folded form of each ASCII letter and digit; 0: no part of a word.
var plainASCII = func() (plain [utf8.RuneSelf]byte) {
	for c := byte('0'); c <= '9'; c++ {
		plain[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		plain[c], plain[c-'a'+'A'] = c, c
	}
	return plain
}()

// writeFolded writes the folded form of a letter or digit beyond ASCII.
func writeFolded(b *strings.Builder, r rune) {
	r = unicode.ToLower(r)
	if s, ok := plainLetters[r]; ok {
		b.WriteString(s)
	} else {
		b.WriteRune(r)
	}
}

// plainLetters holds the accented letters of European languages, and what hurried people type instead.
var plainLetters = func() map[rune]string {
	m := map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i"}
	for plain, accented := range map[string]string{
		"a": "àáâãäåāăą", "c": "çćĉċč", "d": "ď", "e": "èéêëēĕėęě", "g": "ĝğġģ", "i": "ìíîïĩīĭį", "l": "ĺļľ", "n": "ñńņň",
		"o": "òóôõöōŏő", "r": "ŕŗř", "s": "śŝşšș", "t": "ţťț", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()

// foldString returns the folded form of text alone.
func foldString(text string) string { return fold(text).s }

// word returns the i-th word in its folded form.
func (f *folded) word(i int) string { return f.s[f.words[i].at:f.wordEnd(i)] }

// wordEnd returns where the i-th word ends in f.s.
func (f *folded) wordEnd(i int) int {
	if i+1 < len(f.words) {
		return int(f.words[i+1].at) - 1
	}
	return len(f.s)
}

// span returns the folded words of h.
func (f *folded) span(h hit) string { return f.s[f.words[h.from].at:f.wordEnd(int(h.to)-1)] }
