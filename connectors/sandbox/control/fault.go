package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Fault makes calls go wrong. At least one effect is required.
//
// Status, Code and Body take the place of the CRM's answer: such a call changes nothing. All other effects keep to what
// the CRM answers (or to that replacement): the call is carried out, whatever becomes of the answer.
//
// Faults are asked in the order in which they were added. The first that hits a call decides; those behind it do not see
// the call.
type Fault struct {
	// Which calls: regular expressions that match as a whole, the path without the query. "" matches every one.
	Method string `json:"method"`
	Path   string `json:"path"`

	After int `json:"after"` // matching calls that are let through first
	Times int `json:"times"` // matching calls that are hit then; 0: all of them, until the faults are deleted

	Status int            `json:"status"` // without Code and Body: an answer without a body
	Code   string         `json:"code"`   // the CRM's own code, answered in the CRM's own form
	Body   jsontext.Value `json:"body"`   // a string is sent as it is, any other value as JSON

	ContentType string         `json:"content_type"` // with Body, application/json unless set here
	RetryAfter  jsontext.Value `json:"retry_after"`  // seconds; a string is sent as it is
	DelayMS     int            `json:"delay_ms"`     // the answer comes so much later
	SkewMS      int            `json:"skew_ms"`      // the CRM's clock, by the Date header of its own answer, is off by so much; negative: behind
	Truncate    bool           `json:"truncate"`     // the connection closes after half of the announced body
	Reset       bool           `json:"reset"`        // the connection breaks instead of an answer

	LagMS         int `json:"lag_ms"`          // Lag
	CommitDelayMS int `json:"commit_delay_ms"` // CommitDelay

	method, path *regexp.Regexp
	seen         int
}

type faultKey struct{}

// hit is what a call carries to the CRM.
type hit struct {
	fault *Fault // nil: none
	sleep func(time.Duration)
}

func faultOf(ctx context.Context) Fault {
	if h, _ := ctx.Value(faultKey{}).(hit); h.fault != nil {
		return *h.fault
	}
	return Fault{}
}

// Lag is how much later than usual what the call changes shall appear in searches, by a fault; mostly 0.
func Lag(ctx context.Context) time.Duration { return ms(faultOf(ctx).LagMS) }

// CommitDelay is how long after it is stamped what the call changes shall become visible, by a fault; mostly 0.
func CommitDelay(ctx context.Context) time.Duration { return ms(faultOf(ctx).CommitDelayMS) }

// AwaitCommit waits for the CommitDelay of the call.
func AwaitCommit(ctx context.Context) {
	if h, _ := ctx.Value(faultKey{}).(hit); CommitDelay(ctx) > 0 {
		h.sleep(CommitDelay(ctx))
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// parseFault reads a fault from JSON, strictly. Its errors are for the person who wrote it.
func parseFault(b []byte) (*Fault, error) {
	f := new(Fault)
	if err := json.Unmarshal(b, f, json.RejectUnknownMembers(true)); err != nil {
		var sem *json.SemanticError
		if errors.As(err, &sem) {
			if errors.Is(err, json.ErrUnknownName) {
				return nil, fmt.Errorf("unknown key %q", sem.JSONPointer.LastToken())
			}
			if key := sem.JSONPointer.LastToken(); key != "" {
				return nil, fmt.Errorf("key %q: a JSON %s does not fit", key, sem.JSONKind)
			}
		}
		return nil, fmt.Errorf("not a fault: %w", err)
	}
	var err error
	if f.method, err = wholly(f.Method); err != nil {
		return nil, fmt.Errorf("key \"method\": %w", err)
	}
	if f.path, err = wholly(f.Path); err != nil {
		return nil, fmt.Errorf("key \"path\": %w", err)
	}
	if min(f.After, f.Times, f.DelayMS, f.LagMS, f.CommitDelayMS) < 0 {
		return nil, errors.New("after, times, delay_ms, lag_ms and commit_delay_ms cannot be negative")
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return nil, fmt.Errorf("key \"status\": %d is not an HTTP status from 200 to 599", f.Status)
	}
	if f.Code != "" && f.Body != nil {
		return nil, errors.New(`"code" and "body" exclude each other: both say what the answer holds`)
	}
	if f.answers() && f.SkewMS != 0 {
		return nil, errors.New("key \"skew_ms\": an answer in the place of the CRM's does not tell the CRM's time")
	}
	if !f.answers() && f.ContentType == "" && f.RetryAfter == nil && f.DelayMS == 0 && f.SkewMS == 0 && !f.Truncate && !f.Reset && f.LagMS == 0 && f.CommitDelayMS == 0 {
		return nil, errors.New("a fault needs at least one of status, code, body, content_type, retry_after, delay_ms, skew_ms, truncate, reset, lag_ms, commit_delay_ms")
	}
	return f, nil
}

// wholly compiles a pattern that matches a string from its beginning to its end.
func wholly(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		pattern = ".*"
	}
	if _, err := regexp.Compile(pattern); err != nil { // before it is wrapped, so that the message quotes what was written
		return nil, err
	}
	return regexp.Compile(`^(?s:` + pattern + `)$`)
}

// answers reports whether f takes the place of the CRM's answer. Nil is no fault.
func (f *Fault) answers() bool { return f != nil && (f.Status != 0 || f.Code != "" || f.Body != nil) }

// answer writes what f puts in the place of the CRM's answer.
func (f *Fault) answer(w http.ResponseWriter, writeError func(http.ResponseWriter, int, string)) {
	if f.Code != "" {
		writeError(w, f.Status, f.Code)
		return
	}
	if f.Body != nil {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	_, _ = w.Write(text(f.Body)) // into memory, which does not fail
}

// text returns the content of a JSON string, and any other value as it is.
func text(v jsontext.Value) []byte {
	if v.Kind() != '"' {
		return v
	}
	b, _ := jsontext.AppendUnquote(nil, v) // valid: it was decoded
	return b
}

// amend sets the headers that f wants on an answer. Nil sets none.
func (f *Fault) amend(h http.Header) {
	if f == nil {
		return
	}
	if f.ContentType != "" {
		h.Set("Content-Type", f.ContentType)
	}
	if f.RetryAfter != nil {
		h.Set("Retry-After", string(text(f.RetryAfter)))
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil { // a CRM that sends no Date tells no time
		h.Set("Date", date.Add(ms(f.SkewMS)).UTC().Format(http.TimeFormat))
	}
}

func (f *Fault) delay() time.Duration {
	if f == nil {
		return 0
	}
	return ms(f.DelayMS)
}

// faults are those in force, in the order in which they were added.
type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// next returns the fault that hits this call, nil for none.
func (fs *faults) next(method, path string) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.list {
		if !f.method.MatchString(method) || !f.path.MatchString(path) {
			continue
		}
		if f.Times > 0 && f.seen >= f.After+f.Times {
			continue
		}
		f.seen++
		if f.seen > f.After {
			return f
		}
	}
	return nil
}

func (fs *faults) add(w http.ResponseWriter, r *http.Request) {
	b, err := jsontext.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).ReadValue()
	if err != nil {
		http.Error(w, fmt.Sprintf("not a fault: %v", err), http.StatusBadRequest)
		return
	}
	f, err := parseFault(b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = append(fs.list, f)
	w.WriteHeader(http.StatusNoContent)
}

func (fs *faults) clear(w http.ResponseWriter, _ *http.Request) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.list = nil
	w.WriteHeader(http.StatusNoContent)
}
