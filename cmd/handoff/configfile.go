package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"handoff/rules"
)

// configError lists everything that is wrong in a configuration file, a line for each problem.
type configError struct {
	file     string
	problems []problem
}

type problem struct {
	at   unstable.Position
	key  string // dotted path; empty: the file as a whole
	text string // what is wrong, and after a full stop what to do
}

func (e *configError) Error() string {
	lines := make([]string, len(e.problems))
	for i, p := range e.problems {
		key := p.key
		if key != "" {
			key += ": "
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s%s", e.file, p.at.Line, p.at.Column, key, p.text)
	}
	return strings.Join(lines, "\n")
}

// section is a section of a TOML document, read key by key. Every key that is asked for is known; done reports the others.
// Problems collect in doc, and a key with a problem reads as its zero value.
type section struct {
	doc    *document
	path   []string
	values map[string]any
	asked  []string
}

type document struct {
	positions map[string]unstable.Position // of each key, by joinKey of its path
	problems  []problem
}

// parseDocument returns the top of a TOML document. Its error is a *problem of the syntax.
func parseDocument(data []byte) (*section, *problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Windows' editors begin a file with it
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		var de *toml.DecodeError
		if !errors.As(err, &de) {
			return nil, &problem{at: unstable.Position{Line: 1, Column: 1}, text: err.Error()}
		}
		line, column := de.Position()
		text := strings.TrimPrefix(de.Error(), "toml: ") + `. Write KEY = "text", KEY = 5 or KEY = true below a [section]`
		return nil, &problem{at: unstable.Position{Line: line, Column: column}, text: text}
	}
	return &section{doc: &document{positions: positions(data)}, values: values}, nil
}

// positions finds where each key of a valid document stands first; for a section that is its header.
func positions(data []byte) map[string]unstable.Position {
	found := map[string]unstable.Position{}
	var p unstable.Parser
	p.Reset(data)
	mark := func(path []string, keys unstable.Iterator) []string {
		path = slices.Clone(path)
		for keys.Next() {
			path = append(path, string(keys.Node().Data))
			if key := joinKey(path); found[key].Line == 0 {
				found[key] = p.Shape(keys.Node().Raw).Start
			}
		}
		return path
	}
	var inside func(path []string, n *unstable.Node)
	inside = func(path []string, n *unstable.Node) {
		path = mark(path, n.Key())
		if n.Value().Kind != unstable.InlineTable {
			return
		}
		for children := n.Value().Children(); children.Next(); {
			if children.Node().Kind == unstable.KeyValue {
				inside(path, children.Node())
			}
		}
	}
	var section []string
	for p.NextExpression() {
		switch n := p.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = mark(nil, n.Key())
		case unstable.KeyValue:
			inside(section, n)
		}
	}
	return found
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func joinKey(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if !bareKey.MatchString(p) {
			parts[i] = strconv.Quote(p)
		}
	}
	return strings.Join(parts, ".")
}

// problem notes what is wrong with a key: at the key, or where it is missing at the section's header.
func (s *section) problem(key, format string, args ...any) {
	path := append(slices.Clone(s.path), key)
	at := unstable.Position{Line: 1, Column: 1}
	for n := len(path); n > 0; n-- {
		if p, ok := s.doc.positions[joinKey(path[:n])]; ok {
			at = p
			break
		}
	}
	s.doc.problems = append(s.doc.problems, problem{at, joinKey(path), fmt.Sprintf(format, args...)})
}

func (s *section) has(key string) bool {
	_, ok := s.values[key]
	return ok
}

// value reads a key as a T. Where the document holds something else it notes that and what to write instead.
func value[T any](s *section, key, want, example string) (v T, ok bool) {
	s.asked = append(s.asked, key)
	raw, ok := s.values[key]
	if !ok {
		return v, false
	}
	if v, ok = raw.(T); !ok {
		s.problem(key, "%s stands where %s belongs. Write %s = %s", tomlKind(raw), want, key, example)
	}
	return v, ok
}

// text reads a key; ok is false where it is absent or not text.
func (s *section) text(key, example string) (v string, ok bool) {
	return value[string](s, key, "text in quotes", strconv.Quote(example))
}

func (s *section) flag(key string) bool {
	v, _ := value[bool](s, key, "true or false", "true")
	return v
}

// amount reads a number; nil where the key is absent.
func (s *section) amount(key string) *float64 {
	if n, ok := s.values[key].(int64); ok {
		s.asked = append(s.asked, key)
		f := float64(n)
		return &f
	}
	if f, ok := value[float64](s, key, "a number", "5000"); ok {
		return &f
	}
	return nil
}

func (s *section) texts(key, example string) []string {
	example = fmt.Sprintf("[%q]", example)
	list, _ := value[[]any](s, key, "a list of texts", example)
	var texts []string
	for _, e := range list {
		text, ok := e.(string)
		if !ok {
			s.problem(key, "%s stands in a list of texts. Write %s = %s", tomlKind(e), key, example)
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}

// sub reads a section below this one; an empty one where it is absent.
func (s *section) sub(key string) *section {
	path := append(slices.Clone(s.path), key)
	s.asked = append(s.asked, key)
	values, ok := s.values[key].(map[string]any)
	if !ok && s.has(key) {
		s.problem(key, "%s stands where a section belongs. Write [%s] on a line of its own and its keys below it", tomlKind(s.values[key]), joinKey(path))
	}
	return &section{doc: s.doc, path: path, values: values}
}

// keys lists the keys of the section in alphabetical order.
func (s *section) keys() []string { return slices.Sorted(maps.Keys(s.values)) }

// done reports the keys that nothing asked for.
func (s *section) done() {
	for _, key := range s.keys() {
		if !slices.Contains(s.asked, key) {
			s.problem(key, "unknown key. %s", rules.Suggest(key, s.asked))
		}
	}
}

// tomlKind names what a value is, in words of the file and not of the program.
func tomlKind(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a section"
	case toml.LocalDate, toml.LocalDateTime, toml.LocalTime, time.Time:
		return "a date without quotes"
	}
	return "something else"
}

// err returns what is wrong in the document, in the order of the file; nil: nothing.
func (d *document) err(file string) error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column))
	})
	return &configError{file, d.problems}
}
