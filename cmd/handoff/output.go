package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/vbauerster/mpb/v8/cwriter"
)

// grid is a table for people.
type grid struct {
	writer table.Writer
	widths []int // of the widest cell of each column
	rows   int
}

func newTable(columns ...string) *grid {
	g := &grid{writer: table.NewWriter(), widths: make([]int, len(columns))}
	header := make(table.Row, len(columns))
	for i, c := range columns {
		header[i] = strings.ToUpper(c)
		g.widths[i] = text.StringWidth(c)
	}
	g.writer.AppendHeader(header)
	return g
}

// row adds a row; cells may hold text from a CRM.
func (g *grid) row(cells ...string) {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		c = plain(c)
		row[i] = c
		g.widths[i] = max(g.widths[i], text.StringWidth(c))
	}
	g.writer.AppendRow(row)
	g.rows++
}

// print draws the table: on a terminal with lines and as wide as fits, otherwise in bare columns, a line for each row.
func (g *grid) print(w io.Writer) {
	if g.rows == 0 {
		return
	}
	style := table.StyleLight
	if width := terminalWidth(w); width > 0 {
		g.fit(width)
	} else {
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

// fit narrows the widest columns until the table is no wider than width.
func (g *grid) fit(width int) {
	const narrowest, frame = 9, 3 // frame: what a column takes beside its text
	total := 1
	for _, w := range g.widths {
		total += w + frame
	}
	for ; total > width; total-- {
		widest := 0
		for i, w := range g.widths {
			if w > g.widths[widest] {
				widest = i
			}
		}
		if g.widths[widest] <= narrowest {
			break
		}
		g.widths[widest]--
	}
	configs := make([]table.ColumnConfig, len(g.widths))
	for i, w := range g.widths {
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft}
	}
	g.writer.SetColumnConfigs(configs)
}

// terminalWidth is how many characters a line of w has; 0: w is no terminal.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	width, _, err := cwriter.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// sheet is what text for people is written on.
type sheet struct {
	io.Writer
	width   int  // characters of a line
	colours bool // only for a person at a terminal
}

// sheet returns standard output. NO_COLOR turns colours off (https://no-color.org).
func (a *app) sheet() sheet {
	const widest = 100 // that is good to read
	width := terminalWidth(a.stdout)
	never, _ := a.env("NO_COLOR")
	s := sheet{a.stdout, widest, width > 0 && never == ""}
	if width > 0 {
		s.width = min(width, widest)
	}
	return s
}

// paint returns text in colours where there are any, each of its lines by itself.
func (s sheet) paint(words string, colours ...text.Color) string {
	if !s.colours {
		return words
	}
	lines := strings.Split(words, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = text.Colors(colours).Sprint(line)
		}
	}
	return strings.Join(lines, "\n")
}

// indent prints text behind a margin and a label, each of its lines wrapped at words; without text it prints nothing.
func (s sheet) indent(margin, label, words string) {
	if words == "" {
		return
	}
	for paragraph := range strings.SplitSeq(words, "\n") {
		for line := range strings.Lines(text.WrapSoft(paragraph, max(20, s.width-len(margin)-len(label)))) {
			fmt.Fprintln(s, strings.TrimRight(margin+label+strings.TrimSpace(line), " "))
			label = strings.Repeat(" ", len(label))
		}
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
