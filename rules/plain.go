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
