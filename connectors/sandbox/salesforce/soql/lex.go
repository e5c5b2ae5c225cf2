package soql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is a statement that is not SOQL: MALFORMED_QUERY.
type Error struct {
	Message string
	Pos     int // byte offset into the statement
}

func (e *Error) Error() string { return e.Message }

// At returns message in the form in which Salesforce shows where in a statement something is wrong.
func At(text string, pos int, message string) string {
	const before, after = 40, 40
	pos = min(pos, len(text))
	row := 1 + strings.Count(text[:pos], "\n")
	lineStart := strings.LastIndexByte(text[:pos], '\n') + 1
	column := utf8.RuneCountInString(text[lineStart:pos])

	line := text[lineStart:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	runes := []rune(line)
	from, to := max(0, column-before), min(len(runes), column+after)
	return fmt.Sprintf("\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s",
		string(runes[from:to]), strings.Repeat(" ", column-from), row, column+1, message)
}

type tokenKind int

const (
	tokEOF tokenKind = iota
	tokWord
	tokString // text is what stands between the quotes, escapes and all
	tokNumber // a number, a date or a datetime
	tokPunct
)

type token struct {
	kind tokenKind
	text string
	pos  int
}

func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "<EOF>"
	case tokString:
		return "'" + t.text + "'"
	}
	return t.text
}

// lex splits a statement into tokens, the last of which is tokEOF.
func lex(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		c, start := text[i], i
		kind := tokPunct
		switch {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			i++
			continue
		case isLetter(c):
			kind = tokWord
			for i < len(text) && (isLetter(text[i]) || isDigit(text[i])) {
				i++
			}
		case isDigit(c), (c == '-' || c == '+') && i+1 < len(text) && isDigit(text[i+1]):
			kind = tokNumber
			for i++; i < len(text) && (isLetter(text[i]) || isDigit(text[i]) || strings.IndexByte(":.+-", text[i]) >= 0); {
				i++
			}
		case c == '\'':
			for i++; i < len(text) && text[i] != '\''; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if i >= len(text) {
				return nil, &Error{fmt.Sprintf("line 1:%d mismatched character '<EOF>' expecting '''", len(text)), start}
			}
			tokens = append(tokens, token{tokString, text[start+1 : i], start})
			i++
			continue
		case strings.HasPrefix(text[i:], "!="), strings.HasPrefix(text[i:], "<>"), strings.HasPrefix(text[i:], "<="), strings.HasPrefix(text[i:], ">="):
			i += 2
		case strings.IndexByte("=<>(),.:*", c) >= 0:
			i++
		default:
			r, _ := utf8.DecodeRuneInString(text[i:])
			return nil, &Error{fmt.Sprintf("line 1:%d no viable alternative at character '%c'", i, r), i}
		}
		tokens = append(tokens, token{kind, text[start:i], start})
	}
	return append(tokens, token{kind: tokEOF, pos: len(text)}), nil
}

func isLetter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unescape resolves the escapes of a string literal: its text, and the LIKE pattern that it spells.
func unescape(t token) (text, pattern string, err error) {
	if !strings.Contains(t.text, `\`) {
		return t.text, t.text, nil
	}
	var plain, like strings.Builder
	for i := 0; i < len(t.text); i++ {
		c := t.text[i]
		if c != '\\' {
			plain.WriteByte(c)
			like.WriteByte(c)
			continue
		}
		i++ // lex lets no string end in a lone backslash
		switch c = t.text[i]; c {
		case '\\', '%', '_':
			plain.WriteByte(c)
			like.WriteByte('\\')
			like.WriteByte(c)
			continue
		case '\'', '"':
		case 'n', 'N':
			c = '\n'
		case 'r', 'R':
			c = '\r'
		case 't', 'T':
			c = '\t'
		case 'b', 'B':
			c = '\b'
		case 'f', 'F':
			c = '\f'
		default:
			return "", "", &Error{fmt.Sprintf(`Illegal character sequence '\%c' in string literal`, c), t.pos}
		}
		plain.WriteByte(c)
		like.WriteByte(c)
	}
	return plain.String(), like.String(), nil
}
