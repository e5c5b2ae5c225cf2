package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// cellWidth is where a cell of a table wraps, in characters.
const cellWidth = 44

// grid is a table for people.
type grid struct {
	writer table.Writer
	rows   int
}

func newTable(columns ...string) *grid {
	w := table.NewWriter()
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		header[i] = strings.ToUpper(c)
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: cellWidth, WidthMaxEnforcer: text.WrapSoft}
	}
	w.AppendHeader(header)
	w.SetColumnConfigs(configs)
	return &grid{writer: w}
}

// row adds a row; cells may hold text from a CRM.
func (g *grid) row(cells ...string) {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		row[i] = plain(c)
	}
	g.writer.AppendRow(row)
	g.rows++
}

// print draws the table with lines on a terminal, and in bare columns otherwise.
func (g *grid) print(w io.Writer) {
	if g.rows == 0 {
		return
	}
	style := table.StyleLight
	if !isTerminal(w) {
		style = table.StyleDefault
		style.Options = table.OptionsNoBordersAndSeparators
		style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	}
	style.Format.Header = text.FormatDefault
	g.writer.SetStyle(style)
	for line := range strings.Lines(g.writer.Render() + "\n") {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// plainLines makes text from outside safe to print, line by line.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.Map(printable, l), " ")
	}
	return strings.Join(lines, "\n")
}

// plain makes text from outside safe to print on one line: no control characters, which a terminal would obey.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(printable, s))
}

func printable(r rune) rune {
	switch {
	case r == '\n', r == '\r', r == '\t':
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// jsonOptions print text from outside as it is, with replacement characters for what is not UTF-8.
var jsonOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), json.Deterministic(true))

// printJSON prints each value on a line of its own.
func printJSON[T any](w io.Writer, values ...T) error {
	for _, v := range values {
		b, err := json.Marshal(v, jsonOptions)
		if err != nil {
			return fmt.Errorf("print JSON: %w", err)
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return fmt.Errorf("print JSON: %w", err)
		}
	}
	return nil
}

// count says how many there are, with the plural's s where it belongs.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
