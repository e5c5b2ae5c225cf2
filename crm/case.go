package crm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// LineError says which line of a case file is wrong, and where in it.
type LineError struct {
	Line  int    // from 1
	Field string // JSON pointer such as "/deal/close_date"; empty: the line as a whole
	Err   error
}

func (e *LineError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("line %d: field %s: %v", e.Line, e.Field, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// ReadCases yields the snapshots of a case file, one JSON object a line, in order; blank lines are passed over.
// A line that cannot be read yields a *LineError and reading goes on with the next one; an error of r itself ends it.
func ReadCases(r io.Reader) iter.Seq2[*Snapshot, error] {
	return readLines(r, func(s *Snapshot) *LineError {
		if s.Deal.ID == "" {
			return &LineError{Field: "/deal/id", Err: errors.New("a deal needs an id")}
		}
		return nil
	})
}

// ReadLabelled is ReadCases for labelled cases: each needs Expected, and may leave out the deal where another file holds it;
// Deal.ID is empty then.
func ReadLabelled(r io.Reader) iter.Seq2[*Snapshot, error] {
	return readLines(r, func(s *Snapshot) *LineError {
		if len(s.Expected) == 0 || s.Expected.Kind() == 'n' {
			return &LineError{Field: "/expected", Err: errors.New("a labelled case needs the labels")}
		}
		return nil
	})
}

// readLines reads a case file; check says what else is wrong with a case of it, but for the number of the line.
func readLines(r io.Reader, check func(*Snapshot) *LineError) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		br := bufio.NewReaderSize(r, 1<<16)
		for n := 1; ; n++ {
			line, err := br.ReadBytes('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, fmt.Errorf("read cases: %w", err))
				return
			}
			if n == 1 {
				line = bytes.TrimPrefix(line, []byte("\uFEFF")) // Windows tools put a byte order mark in front
			}
			if len(bytes.TrimSpace(line)) > 0 {
				s, lerr := parseCase(line, n)
				if lerr == nil {
					if lerr = check(s); lerr != nil {
						lerr.Line = n
					}
				}
				if lerr != nil {
					if !yield(nil, lerr) {
						return
					}
				} else if !yield(s, nil) {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

func parseCase(line []byte, n int) (*Snapshot, *LineError) {
	s := new(Snapshot)
	if err := json.Unmarshal(line, s, json.RejectUnknownMembers(true), json.WithUnmarshalers(lenient)); err != nil {
		return nil, lineError(n, err)
	}
	if s.ID == "" {
		return nil, &LineError{n, "/id", errors.New("a case needs an id")}
	}
	for i, a := range s.Activities {
		switch a.Kind {
		case Meeting, Call, Email, Task:
		case "":
			s.Activities[i].Kind = Task // what nobody sorted is a task with a text
		default:
			return nil, &LineError{n, fmt.Sprintf("/activities/%d/kind", i), fmt.Errorf("%q is not one of meeting, call, email, task", a.Kind)}
		}
	}
	for i, part := range s.Unread {
		if !slices.Contains(parts, part) {
			return nil, &LineError{n, fmt.Sprintf("/unread/%d", i), fmt.Errorf("%q is not one of %s", part, parts)}
		}
	}
	return s, nil
}

// lenient reads what exports write for an absent moment, "", and for a whole number, 12.0.
var lenient = json.JoinUnmarshalers(
	json.UnmarshalFromFunc(emptyIsAbsent[time.Time]),
	json.UnmarshalFromFunc(emptyIsAbsent[Date]),
	json.UnmarshalFromFunc(func(dec *jsontext.Decoder, n *int) error {
		if dec.PeekKind() != '0' {
			return errors.ErrUnsupported
		}
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			return fmt.Errorf("%s is not a whole number", v)
		}
		*n = int(f)
		return nil
	}),
)

func emptyIsAbsent[T any](dec *jsontext.Decoder, p **T) error {
	if dec.PeekKind() != '"' {
		return errors.ErrUnsupported
	}
	v, err := dec.ReadValue()
	if err != nil || string(v) == `""` {
		return err
	}
	t := new(T)
	if err := json.Unmarshal(v, t); err != nil {
		var sem *json.SemanticError
		if errors.As(err, &sem) && sem.Err != nil {
			err = sem.Err
		}
		return err
	}
	*p = t
	return nil
}

// lineError turns the decoder's errors into words without Go types.
func lineError(n int, err error) *LineError {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		why := sem.Err
		switch {
		case errors.Is(err, json.ErrUnknownName):
			why = errors.New("unknown field; docs/cases.md lists what a case may hold")
		case why == nil:
			why = fmt.Errorf("a JSON %s does not fit here", kindName(sem.JSONKind))
		}
		return &LineError{n, string(sem.JSONPointer), why}
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		return &LineError{n, string(syn.JSONPointer), fmt.Errorf("not valid JSON at byte %d: %w", syn.ByteOffset, syn.Err)}
	}
	return &LineError{Line: n, Err: err}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "string"
	case '0':
		return "number"
	case 't', 'f':
		return "boolean"
	case '{':
		return "object"
	case '[':
		return "array"
	}
	return "value"
}
