package crm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

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
	return func(yield func(*Snapshot, error) bool) {
		br := bufio.NewReaderSize(r, 1<<16)
		for n := 1; ; n++ {
			line, err := br.ReadBytes('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, fmt.Errorf("read cases: %w", err))
				return
			}
			if strings.TrimSpace(string(line)) != "" {
				s, lerr := parseCase(line, n)
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

func parseCase(line []byte, n int) (*Snapshot, error) {
	s := new(Snapshot)
	if err := json.Unmarshal(line, s, json.RejectUnknownMembers(true)); err != nil {
		return nil, lineError(n, err)
	}
	if s.ID == "" {
		return nil, &LineError{n, "/id", errors.New("a case needs an id")}
	}
	if s.Deal.ID == "" {
		return nil, &LineError{n, "/deal/id", errors.New("a deal needs an id")}
	}
	for i, a := range s.Activities {
		switch a.Kind {
		case Meeting, Call, Email, Task:
		default:
			return nil, &LineError{n, fmt.Sprintf("/activities/%d/kind", i), fmt.Errorf("%q is not one of meeting, call, email, task", a.Kind)}
		}
	}
	return s, nil
}

// lineError turns the decoder's errors into words without Go types.
func lineError(n int, err error) error {
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
