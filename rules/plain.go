package rules

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plain returns the text of a body that may be HTML: tags become line breaks where a reader sees one, list items
// become bullets, bold lines become headings, entities their characters. Invalid UTF-8 is dropped.
func plain(body string) string {
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "")
	}
	if looksLikeHTML(body) {
		body = htmlText(body)
	} else if strings.Contains(body, "&") {
		body = html.UnescapeString(body)
	}
	return spaces.Replace(body)
}

var spaces = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u202f", " ", "\u2009", " ", "\t", " ", "\u200b", "", "\ufeff", "")

func looksLikeHTML(body string) bool {
	i := strings.IndexByte(body, '<')
	for i >= 0 && i+1 < len(body) {
		rest := body[i+1:]
		if end := strings.IndexAny(rest, " />\n"); end > 0 && atom.Lookup([]byte(strings.ToLower(strings.TrimPrefix(rest[:end], "/")))) != 0 {
			return true
		}
		if strings.HasPrefix(rest, "/") {
			return true
		}
		next := strings.IndexByte(rest, '<')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
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
