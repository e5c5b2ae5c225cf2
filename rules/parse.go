package rules

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// scorecardFile is the TOML form of a scorecard.
type scorecardFile struct {
	Title      string         `toml:"title"`
	Products   []string       `toml:"products"` // business systems known by name
	Ghost      GhostSpec      `toml:"ghost"`
	Categories []CategorySpec `toml:"category"`
	Ratings    []RatingSpec   `toml:"rating"`
	Slots      []SlotSpec     `toml:"slot"`
	Items      []*ItemSpec    `toml:"item"`
}

// ParseScorecard reads a scorecard file. name is what errors call the file. The error joins a *FileError for each
// problem.
func ParseScorecard(name string, data []byte) (*Scorecard, error) {
	f := scorecardFile{}
	file := &sourceFile{name: name, lines: strings.Split(string(data), "\n")}
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, file.decodeError(err)
	}
	file.index(data)
	langs, langFiles, err := readLanguages()
	if err != nil {
		return nil, err
	}
	sc := &Scorecard{
		Title: f.Title, Categories: f.Categories, Items: f.Items, Ratings: f.Ratings, Ghost: f.Ghost, Slots: f.Slots,
		version: versionOf(append(langFiles, data)...),
	}
	c := &checker{file: file, sc: sc, langs: langs, products: f.Products}
	c.check()
	if c.errs == nil {
		sc.engine = c.compile()
	}
	if c.errs == nil {
		c.runExamples()
	}
	if c.errs != nil {
		return nil, errors.Join(c.errs...)
	}
	return sc, nil
}

// FileError is a problem in a scorecard file.
type FileError struct {
	File         string
	Line, Column int    // from 1
	Text         string // the line
	Problem      string
	Remedy       string
}

func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s\n    %s\n    remedy: %s", e.File, e.Line, e.Column, e.Problem, strings.TrimSpace(e.Text), e.Remedy)
}

// sourceFile knows where in a file each key stands.
type sourceFile struct {
	name  string
	lines []string
	at    map[string]unstable.Position // by path, such as "item[3].partial"
}

// index finds the keys of a file that has been decoded.
func (f *sourceFile) index(data []byte) {
	f.at = map[string]unstable.Position{}
	count := map[string]int{}
	prefix := ""
	p := unstable.Parser{}
	p.Reset(data)
	for p.NextExpression() {
		node := p.Expression()
		var parts []string
		var start unstable.Position
		for it := node.Key(); it.Next(); {
			if parts == nil {
				start = p.Shape(it.Node().Raw).Start
			}
			parts = append(parts, string(it.Node().Data))
		}
		path := strings.Join(parts, ".")
		switch node.Kind {
		case unstable.ArrayTable:
			// "item.example" counts from 0 within its item
			if parent, last, nested := strings.Cut(path, "."); nested {
				path = fmt.Sprintf("%s[%d].%s", parent, count[parent]-1, last)
			}
			prefix = fmt.Sprintf("%s[%d]", path, count[path])
			count[path]++
			f.at[prefix] = start
			prefix += "."
		case unstable.Table:
			f.at[path] = start
			prefix = path + "."
		default:
			f.at[prefix+path] = start
		}
	}
}

// errorAt returns an error for the key at path, or where it would belong: at what holds it.
func (f *sourceFile) errorAt(path, problem, remedy string) *FileError {
	for {
		if pos, ok := f.at[path]; ok {
			return f.errorIn(pos.Line, pos.Column, problem, remedy)
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return f.errorIn(1, 1, problem, remedy)
		}
		path = path[:i]
	}
}

func (f *sourceFile) errorIn(line, column int, problem, remedy string) *FileError {
	e := &FileError{File: f.name, Line: line, Column: column, Problem: problem, Remedy: remedy}
	if line >= 1 && line <= len(f.lines) {
		e.Text = f.lines[line-1]
	}
	return e
}

// goType matches what the decoder says about our own types, which a reader of the file does not know.
var goType = regexp.MustCompile(` into (struct field \S+ of type \S+|a? ?Go .*|.*\bof type .*)$`)

// decodeError turns the decoder's errors into ours.
func (f *sourceFile) decodeError(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var errs []error
		for i := range unknown.Errors {
			e := &unknown.Errors[i]
			line, column := e.Position()
			key := e.Key()
			errs = append(errs, f.errorIn(line, column, fmt.Sprintf("unknown key %q", key[len(key)-1]), "correct its name or remove it"))
		}
		return errors.Join(errs...)
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		problem := strings.TrimPrefix(syntax.Error(), "toml: ")
		remedy := "correct the line: the file is TOML (https://toml.io)"
		if short := goType.ReplaceAllString(problem, ""); short != problem {
			problem, remedy = short+" here", "give a value of the kind that the built-in scorecard has here"
		}
		return f.errorIn(line, column, problem, remedy)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}
