package rules

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// File is one of the files that a scorecard is made of.
type File struct {
	Name string // what errors call it
	Data []byte
}

// FileError is a problem in a file of a scorecard.
type FileError struct {
	File         string
	Line, Column int    // from 1; a column is a byte
	Text         string // the line
	Problem      string
	Remedy       string
}

func (e *FileError) Error() string {
	text := strings.TrimLeft(e.Text, " \t")
	before := e.Text[:min(max(e.Column-1, 0), len(e.Text))]
	indent := len([]rune(before)) - (len(e.Text) - len(text))
	return fmt.Sprintf("%s:%d:%d: %s\n    %s\n    %s^\n    remedy: %s", e.File, e.Line, e.Column, e.Problem,
		strings.TrimRight(text, " \t\r"), strings.Repeat(" ", max(indent, 0)), e.Remedy)
}

// joinErrors joins errors in the order of their places; nil: there is none.
func joinErrors(errs []error) error {
	slices.SortStableFunc(errs, func(a, b error) int {
		x, y := new(FileError), new(FileError)
		if !errors.As(a, &x) || !errors.As(b, &y) {
			return 0
		}
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	return errors.Join(errs...)
}

// sourceFile knows where in a file each key and each value stands.
type sourceFile struct {
	name  string
	data  string
	keys  map[string]int      // offset by path, such as "item[3].cues.en"
	texts map[string][]textAt // by the path of their key
}

// textAt is a text that is the value of a key, or one of its values.
type textAt struct {
	text string
	at   int
}

// place is a place in a file: a key, or one of its values. The zero value of both is the file as a whole.
type place struct {
	file *sourceFile
	path string
	text string
	into int // which byte of text it is, from 1; 0: all of it
}

// key returns the place of a key of the block at p.
func (p place) key(name string) place {
	if p.path != "" {
		name = p.path + "." + name
	}
	return place{file: p.file, path: name}
}

// value returns the place of a value of the key at p.
func (p place) value(text string) place { return place{file: p.file, path: p.path, text: text} }

// within returns the place of a byte of a value of the key at p.
func (p place) within(text string, at int) place {
	return place{file: p.file, path: p.path, text: text, into: at + 1}
}

// gives reports whether the block at p holds a key.
func (p place) gives(name string) bool {
	_, ok := p.file.keys[p.key(name).path]
	return ok
}

// line is the place in words: "my.toml:12".
func (p place) line() string {
	e := p.error("", "")
	return fmt.Sprintf("%s:%d", e.File, e.Line)
}

// error returns an error at p, or where p would belong: at what holds it.
func (p place) error(problem, remedy string) *FileError {
	for _, v := range p.file.texts[p.path] {
		if v.text == p.text && p.text != "" {
			at := v.at
			if p.into > 0 {
				at += p.file.quotes(v.at) + p.into - 1
			}
			return p.file.error(at, problem, remedy)
		}
	}
	for path := p.path; path != ""; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		if at, ok := p.file.keys[path]; ok {
			return p.file.error(at, problem, remedy)
		}
	}
	return p.file.error(0, problem, remedy)
}

// quotes is how long the opening quotes of the text at an offset are, with the line break that does not count.
func (f *sourceFile) quotes(at int) int {
	text := f.data[at:]
	switch {
	case !strings.HasPrefix(text, `"""`) && !strings.HasPrefix(text, "'''"):
		return 1
	case strings.HasPrefix(text[3:], "\r\n"):
		return 5
	case strings.HasPrefix(text[3:], "\n"):
		return 4
	}
	return 3
}

// error returns an error at an offset of the file.
func (f *sourceFile) error(at int, problem, remedy string) *FileError {
	at = min(at, len(f.data))
	from := strings.LastIndexByte(f.data[:at], '\n') + 1
	text, _, _ := strings.Cut(f.data[from:], "\n")
	return &FileError{
		File: f.name, Line: strings.Count(f.data[:at], "\n") + 1, Column: at - from + 1,
		Text: strings.TrimSuffix(text, "\r"), Problem: problem, Remedy: remedy,
	}
}

// errorIn returns an error where the decoder says.
func (f *sourceFile) errorIn(e *toml.DecodeError, problem, remedy string) *FileError {
	line, column := e.Position()
	at := 0
	for range line - 1 {
		at += strings.IndexByte(f.data[at:], '\n') + 1
	}
	return f.error(min(at+column-1, len(f.data)), problem, remedy)
}

// decode reads a TOML file into v, a pointer to a struct. Keys that v does not have are errors, and the others are read
// all the same; fatal says that the file could not be read further.
func decode(file File, v any) (f *sourceFile, errs []error, fatal bool) {
	data := bytes.TrimPrefix(file.Data, []byte("\ufeff")) // Windows' editors begin a file with it
	f = &sourceFile{name: file.Name, data: string(data), keys: map[string]int{}, texts: map[string][]textAt{}}
	err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(v)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		for i := range unknown.Errors {
			errs = append(errs, f.unknownKey(&unknown.Errors[i], reflect.TypeOf(v)))
		}
	case errors.As(err, &wrong):
		return f, []error{f.wrongValue(wrong)}, true
	case err != nil:
		return f, []error{fmt.Errorf("%s: %w", f.name, err)}, true
	}
	f.index(data)
	return f, errs, false
}

// index finds the keys and texts of a valid file.
func (f *sourceFile) index(data []byte) {
	count := map[string]int{}
	var table string
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		switch node := p.Expression(); node.Kind {
		case unstable.ArrayTable, unstable.Table:
			table = f.table(node, count)
		case unstable.KeyValue:
			f.value(table, node)
		}
	}
}

// table notes the header of a table and returns its path. "item.example" counts from 0 within its item.
func (f *sourceFile) table(node *unstable.Node, count map[string]int) string {
	path := ""
	start := 0
	for it := node.Key(); it.Next(); {
		if path == "" {
			start = int(it.Node().Raw.Offset)
		} else {
			path += "."
		}
		path += string(it.Node().Data)
		if n := count[path]; n > 0 && (node.Kind == unstable.Table || !it.IsLast()) {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
	}
	f.note(path, start)
	if node.Kind == unstable.ArrayTable {
		count[path]++
		path = fmt.Sprintf("%s[%d]", path, count[path]-1)
		f.note(path, start)
	}
	return path
}

// value notes a key of a table and its texts.
func (f *sourceFile) value(table string, node *unstable.Node) {
	path := table
	for it := node.Key(); it.Next(); {
		if path != "" {
			path += "."
		}
		path += string(it.Node().Data)
		f.note(path, int(it.Node().Raw.Offset))
	}
	switch v := node.Value(); v.Kind {
	case unstable.String:
		f.texts[path] = []textAt{{string(v.Data), int(v.Raw.Offset)}}
	case unstable.Array:
		for it := v.Children(); it.Next(); {
			if n := it.Node(); n.Kind == unstable.String {
				f.texts[path] = append(f.texts[path], textAt{string(n.Data), int(n.Raw.Offset)})
			}
		}
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			if n := it.Node(); n.Kind == unstable.KeyValue {
				f.value(path, n)
			}
		}
	}
}

func (f *sourceFile) note(path string, at int) {
	if _, ok := f.keys[path]; !ok {
		f.keys[path] = at
	}
}

// unknownKey says which part of a key the file's form, t, does not have.
func (f *sourceFile) unknownKey(e *toml.DecodeError, t reflect.Type) *FileError {
	var known []string
	var key string
	for i, part := range e.Key() {
		if known, key = keysOf(t, e.Key()[:i]), part; !slices.Contains(known, part) {
			break
		}
	}
	return f.errorIn(e, fmt.Sprintf("unknown key %q", key), "correct its name or remove it. "+Suggest(key, known))
}

// keysOf returns the keys of the table at path in a file that is read into a t.
func keysOf(t reflect.Type, path []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("toml")
		switch {
		case name == "" || name == "-":
		case len(path) == 0:
			keys = append(keys, name)
		case name == path[0]:
			return keysOf(t.Field(i).Type, path[1:])
		}
	}
	return keys
}

// goType matches what the decoder says about our own types, which a reader of the file does not know.
var goType = regexp.MustCompile(` into (struct field \S+ of type \S+|a? ?Go .*|.*\bof type .*)$`)

func (f *sourceFile) wrongValue(e *toml.DecodeError) *FileError {
	problem := strings.TrimPrefix(e.Error(), "toml: ")
	remedy := "correct the line: the file is TOML (https://toml.io)"
	if short := goType.ReplaceAllString(problem, ""); short != problem {
		problem, remedy = short+" here", "give a value of the kind that the built-in scorecard has here"
	}
	return f.errorIn(e, problem, remedy)
}
