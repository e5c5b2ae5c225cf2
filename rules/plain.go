package rules

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// PlainText returns the text of a title, a body or a field value, which may be HTML or Markdown, in the one form in which it
// is read, shown and quoted: the quote of an Evidence is a substring of it, byte for byte. Tags become line breaks where a
// reader sees one, list items bullets, HTML headings and bold lines headings ("## …"), entities their characters; bold marks are left
// out, and the lines of a sentence that a mail program broke are one line. Invalid UTF-8 is dropped.
func PlainText(body string) string {
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "")
	}
	if looksLikeHTML(body) {
		body = htmlText(body)
	} else if strings.Contains(body, "&") {
		body = html.UnescapeString(body)
	}
	for _, s := range spaces {
		body = strings.ReplaceAll(body, s.odd, s.plain)
	}
	return joinLines(body)
}

// wrapped is the length from which a line may be one that a mail program broke.
const wrapped = 55

// joinLines puts together the lines of a sentence, and leaves bold marks out.
func joinLines(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	var last string // the line written last, as far as the next one may continue it
	for line := range strings.Lines(text) {
		line = unbold(strings.TrimRight(line, "\n "))
		trimmed := strings.TrimSpace(line)
		switch n := len(last); {
		case n > wrapped && n < maxSentence && startsLower(trimmed) && !endsSentence(last) && !hasLabel(trimmed):
			b.WriteByte(' ')
			b.WriteString(trimmed)
			last += " " + trimmed
			continue
		case b.Len() > 0:
			b.WriteByte('\n')
		}
		b.WriteString(line)
		last = trimmed
	}
	return b.String()
}

// unbold takes the bold marks off a line; one that is bold as a whole becomes a heading.
func unbold(line string) string {
	const mark = "**"
	if !strings.Contains(line, mark) || isRule(line) {
		return line
	}
	trimmed := strings.TrimSpace(line)
	if inner, ok := strings.CutPrefix(trimmed, mark); ok {
		if inner, ok = strings.CutSuffix(inner, mark); ok && !strings.Contains(inner, mark) {
			return "## " + strings.Trim(inner, "* ")
		}
	}
	return strings.ReplaceAll(line, mark, "")
}

func hasLabel(s string) bool {
	_, _, ok := splitLabel(s)
	return ok
}

// spaces are what stands for a space, a line break or nothing, and that. Most texts have none of them, which ReplaceAll sees faster
// than a Replacer.
var spaces = []struct{ odd, plain string }{
	{"\r\n", "\n"}, {"\r", "\n"}, {"\u00a0", " "}, {"\u202f", " "}, {"\u2009", " "}, {"\t", " "}, {"\u200b", ""}, {"\ufeff", ""},
}

// looksLikeHTML reports whether body has a tag that HTML knows.
func looksLikeHTML(body string) bool {
	const longest = 12 // of a tag's name
	for {
		_, rest, ok := strings.Cut(body, "<")
		if !ok {
			return false
		}
		tag := strings.TrimPrefix(rest[:min(len(rest), longest)], "/")
		if end := strings.IndexAny(tag, " />\n"); end > 0 && atom.Lookup([]byte(strings.ToLower(tag[:end]))) != 0 {
			return true
		}
		body = rest
	}
}

func htmlText(body string) string {
	z := html.NewTokenizer(strings.NewReader(body))
	var b strings.Builder
	b.Grow(len(body))
	hidden := 0 // depth inside script and style
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(strings.ReplaceAll(string(z.Text()), "\n", " "))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch tag := atom.Lookup(name); tag {
			case atom.Script, atom.Style, atom.Head:
				hidden++
			case atom.Li:
				b.WriteString("\n- ")
			case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
				b.WriteString("\n\n## ")
			case atom.P, atom.Table, atom.Ul, atom.Ol, atom.Blockquote:
				b.WriteString("\n\n")
			case atom.Br, atom.Div, atom.Tr:
				b.WriteByte('\n')
			case atom.Td, atom.Th:
				b.WriteByte(' ')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch tag := atom.Lookup(name); tag {
			case atom.Script, atom.Style, atom.Head:
				hidden = max(0, hidden-1)
			case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.P, atom.Table, atom.Ul, atom.Ol:
				b.WriteString("\n\n")
			case atom.Li, atom.Div, atom.Tr:
				b.WriteByte('\n')
			}
		}
	}
}
