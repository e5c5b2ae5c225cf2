package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"handoff/connectors/connectortest"
	"handoff/crm"
)

// TestFaults lets every call of a run go wrong in every way, one at a time, and compares the table that comes of it with
// docs/faults.md. As a part of `go test ./...` it tries an eighth of the table; `make faults` tries all of it and writes the
// page anew.
//
// The calls are those of a run in which every kind of record has news, from the log of the sandbox: a new one cannot be
// forgotten. With the fault the run has to end in the same state of the CRM as without it, or to say what it could not do;
// the run after it, without the fault, has to end in that state in any case.
func TestFaults(t *testing.T) {
	t.Parallel()
	const file = "../../docs/faults.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, tables, found := strings.Cut(string(text), tableMark)
	if !found {
		t.Fatalf("%s lacks the line %q", file, tableMark)
	}
	known, now := readTables(tables), map[string]map[string]map[string]outcome{} // by CRM, by call, by class
	var mu sync.Mutex
	t.Run("both", func(t *testing.T) {
		for connection := range faultClasses {
			t.Run(connection, func(t *testing.T) {
				t.Parallel()
				found := testFaults(t, connection, known[connection])
				mu.Lock()
				defer mu.Unlock()
				now[connection] = found
			})
		}
	})
	want := before + tableMark + writeTables(now)
	switch {
	case want == string(text) || t.Failed():
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is out of date (-file +now); `make faults` writes it anew:\n%s", file, gocmp.Diff(string(text), want))
	}
}

// outcome is what became of a run with a fault.
type outcome string

const (
	absorbed outcome = "✓" // the run did all its work
	told     outcome = "→" // the run said what it could not do, and the next one did it
	silent   outcome = "~" // the run did not do all its work, which only its log says; the next one did
	nowhere  outcome = "–" // the fault cannot happen to this call
)

// aCall is one call of a run.
type aCall struct {
	name   string // unique in the run
	route  string
	method string
	path   string // regular expression
	nth    int    // of its route
	write  bool
	answer entry
}

// faultClass is a way to go wrong: the faults that do it to a call; nil: it cannot happen to that.
type faultClass struct {
	name, meaning string
	faults        func(aCall) []connectortest.Fault
	patience      time.Duration    // with an answer; 0: more than enough
	deletes       bool             // while the run waits to repeat the call, somebody deletes a deal that has news
	refuses       string           // every other row of the call is refused with this code; "": none is
	times         int              // and so often; 0: as long as the run lasts
	mayBeSilent   func(aCall) bool // calls of which it is known that only the log tells; nil: none
}

func (f *faultClass) quiet(c aCall) bool { return f.mayBeSilent != nil && f.mayBeSilent(c) }

// once, twice and always say how many calls a fault hits: the call, its repetition, and all behind it.
func once(f connectortest.Fault) func(aCall) []connectortest.Fault   { return hits(1, f) }
func twice(f connectortest.Fault) func(aCall) []connectortest.Fault  { return hits(2, f) }
func always(f connectortest.Fault) func(aCall) []connectortest.Fault { return hits(0, f) }

func hits(times int, f connectortest.Fault) func(aCall) []connectortest.Fault {
	return func(c aCall) []connectortest.Fault {
		f.Method, f.Path, f.After, f.Times = c.method, c.path, c.nth, times
		return []connectortest.Fault{f}
	}
}

// none are faults that are none of the calls: what goes wrong does so elsewhere.
func none(aCall) []connectortest.Fault { return []connectortest.Fault{} }

// only limits faults to the calls for which which holds.
func only(which func(aCall) bool, faults func(aCall) []connectortest.Fault) func(aCall) []connectortest.Fault {
	return func(c aCall) []connectortest.Fault {
		if !which(c) {
			return nil
		}
		return faults(c)
	}
}

func isLogin(c aCall) bool     { return strings.Contains(c.path, "/oauth2/") }
func isNoLogin(c aCall) bool   { return !isLogin(c) }
func isWrite(c aCall) bool     { return c.write }
func isSearch(c aCall) bool    { return strings.HasSuffix(c.path, "/search") }
func isNoSearch(c aCall) bool  { return !isSearch(c) }
func isBatch(c aCall) bool     { return strings.HasSuffix(c.path, "/batch/read") }
func isComposite(c aCall) bool { return strings.HasSuffix(c.path, "/composite") }

// isCompany: without companies deals are scored all the same, and `handoff check` names the scope; accounts wait for their health.
func isCompany(c aCall) bool { return strings.Contains(c.path, "/companies/") }

const (
	maintenance = "<html><head><title>Down for maintenance</title></head><body>We will be back soon.</body></html>"
	loginPage   = "<html><head><title>Log in</title></head><body>Corporate proxy</body></html>"
)

// anyFaults happen to every CRM.
var anyFaults = []faultClass{
	{name: "503", meaning: "503 to the call and to its repetition", faults: twice(connectortest.Fault{Status: 503})},
	{name: "500", meaning: "500 as long as the run lasts", faults: always(connectortest.Fault{Status: 500})},
	{name: "reset", meaning: "the connection is reset instead of an answer; what was asked for is done", faults: once(connectortest.Fault{Reset: true})},
	{name: "half", meaning: "half an answer, then the connection ends; what was asked for is done", faults: once(connectortest.Fault{Truncate: true})},
	{name: "[]", meaning: "500 with an empty list of errors, twice", faults: twice(connectortest.Fault{Status: 500, Body: []any{}})},
	{name: "HTML", meaning: "503 with a page of HTML, twice", faults: twice(connectortest.Fault{Status: 503, Body: maintenance, ContentType: "text/html"})},
	{name: "200 HTML", meaning: "200 with a page of HTML, such as a proxy's, as long as the run lasts", faults: always(connectortest.Fault{Status: 200, Body: loginPage, ContentType: "text/html"})},
	{name: "slow", meaning: "no answer in time; what was asked for is done", faults: once(connectortest.Fault{DelayMS: 60_000}), patience: 250 * time.Millisecond},
	{name: "deleted", meaning: "503, once; before the call is repeated somebody deletes a deal that has news", faults: once(connectortest.Fault{Status: 503}), deletes: true},
}

var faultClasses = map[string][]faultClass{
	"salesforce": append([]faultClass{
		{name: "401", meaning: "401, once: the session has expired", faults: only(isNoLogin, once(connectortest.Fault{Code: "INVALID_SESSION_ID"}))},
		{name: "401…", meaning: "401 as long as the run lasts", faults: always(connectortest.Fault{Status: 401, Code: "INVALID_SESSION_ID"})},
		{name: "busy", meaning: "403 REQUEST_LIMIT_EXCEEDED for too many calls at once, twice", faults: only(isNoLogin, twice(connectortest.Fault{Status: 403,
			Body: []any{map[string]string{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}}}))},
		{name: "quota", meaning: "403 REQUEST_LIMIT_EXCEEDED for the calls of the day", faults: only(isNoLogin, always(connectortest.Fault{Code: "REQUEST_LIMIT_EXCEEDED"}))},
		{name: "403", meaning: "403 API_DISABLED_FOR_ORG as long as the run lasts", faults: only(isNoLogin, always(connectortest.Fault{Code: "API_DISABLED_FOR_ORG"}))},
		{name: "part", meaning: "a part of a composite fails with 500, once", faults: only(isComposite, partFails)},
		{name: "lock", meaning: "UNABLE_TO_LOCK_ROW on every other row, twice", faults: only(isWrite, none), refuses: "UNABLE_TO_LOCK_ROW", times: 2},
		{name: "lock…", meaning: "UNABLE_TO_LOCK_ROW on every other row as long as the run lasts", faults: only(isWrite, none), refuses: "UNABLE_TO_LOCK_ROW"},
		{name: "rule", meaning: "FIELD_CUSTOM_VALIDATION_EXCEPTION on every other row", faults: only(isWrite, none), refuses: "FIELD_CUSTOM_VALIDATION_EXCEPTION"},
	}, anyFaults...),
	"hubspot": append([]faultClass{
		{name: "401", meaning: "401, once", faults: once(connectortest.Fault{Code: "INVALID_AUTHENTICATION"})},
		{name: "401…", meaning: "401 as long as the run lasts", faults: always(connectortest.Fault{Code: "EXPIRED_AUTHENTICATION"})},
		{name: "429 s", meaning: "429 by the policy SECONDLY, twice", faults: only(isSearch, twice(connectortest.Fault{Code: "SECONDLY"}))},
		{name: "429 10 s", meaning: "429 by the policy TEN_SECONDLY_ROLLING, twice", faults: only(isNoSearch, twice(connectortest.Fault{Code: "TEN_SECONDLY_ROLLING"}))},
		{name: "429 day", meaning: "429 by the policy DAILY", faults: always(connectortest.Fault{Code: "DAILY"})},
		{name: "403", meaning: "403 MISSING_SCOPES as long as the run lasts", faults: always(connectortest.Fault{Code: "MISSING_SCOPES"}), mayBeSilent: isCompany},
		{name: "423", meaning: "423, locked, twice", faults: twice(connectortest.Fault{Status: 423})},
		{name: "207", meaning: "207: one row of a batch fails, once", faults: only(isBatch, rowFails)},
		{name: "rule", meaning: "400 VALIDATION_ERROR for every other row, by a rule of the portal", faults: only(isWrite, none), refuses: "VALIDATION_ERROR"},
	}, anyFaults...),
}

// partFails is the answer of a composite without the fault, but for its last part.
func partFails(c aCall) []connectortest.Fault {
	var answer struct {
		Parts []map[string]any `json:"compositeResponse"`
	}
	if err := json.Unmarshal(c.answer.ResponseBody, &answer); err != nil {
		panic(err)
	}
	last := answer.Parts[len(answer.Parts)-1]
	last["httpStatusCode"] = 500
	last["body"] = []any{map[string]string{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred."}}
	return once(connectortest.Fault{Status: 200, Body: map[string]any{"compositeResponse": answer.Parts}})(c)
}

// rowFails is the answer of a batch without the fault, but for its last row.
func rowFails(c aCall) []connectortest.Fault {
	var answer map[string]any
	if err := json.Unmarshal(c.answer.ResponseBody, &answer); err != nil {
		panic(err)
	}
	if rows := answer["results"].([]any); len(rows) > 0 {
		answer["results"] = rows[:len(rows)-1]
	}
	answer["errors"] = []any{map[string]any{"status": "error", "category": "INTERNAL_ERROR", "message": "One row could not be read", "context": map[string]any{}}}
	return once(connectortest.Fault{Status: 207, Body: answer})(c)
}

// testFaults does what each class of faults does to each call of a run in turn, and returns what became of the runs, by call
// and class. Unless -update says to try all, it tries an eighth and takes the rest from known.
func testFaults(t *testing.T, connection string, known map[string]map[string]outcome) map[string]map[string]outcome {
	results := map[string]map[string]outcome{}
	var s *faultScene
	var calls []aCall
	var states map[bool]map[string]crm.Values
	for j, class := range faultClasses[connection] {
		doomed := 0
		if class.deletes {
			doomed = 64 // more than there are calls
		}
		if s == nil || *update || class.deletes { // histories grow, and slow a sandbox down
			s = newFaultScene(t, connection, doomed)
			calls, states = s.clean()
		}
		for i, c := range calls {
			if results[c.name] == nil {
				results[c.name] = map[string]outcome{}
			}
			switch {
			case class.faults(c) == nil:
				results[c.name][class.name] = nowhere
			case *update || (i+j)%8 == 0:
				s.doomed = i
				results[c.name][class.name] = s.try(c, class, states)
			default:
				results[c.name][class.name] = known[c.name][class.name]
			}
		}
	}
	return results
}

// try lets a call go wrong in a run, checks what the run and the one after it make of it, and returns the outcome.
func (s *faultScene) try(c aCall, class faultClass, states map[bool]map[string]crm.Values) outcome {
	t := s.t
	t.Helper()
	var o outcome
	var said string
	for s.patience = cmp.Or(class.patience, time.Minute); ; s.patience *= 4 {
		s.clock.Advance(25 * time.Hour)
		s.news()
		if class.deletes {
			s.doom(s.doomed)
		}
		if said = s.suffer(c, class); said != "" {
			o = told
		} else if gocmp.Equal(states[s.told], s.state()) {
			o = absorbed
		} else {
			o = silent
		}
		if o == absorbed || class.patience == 0 || s.patience > 2*time.Second {
			break
		} // else this machine may be the slow one
	}
	s.patience = time.Minute
	switch {
	case o == absorbed:
		return o
	case o == told:
		s.clear(c, class, said)
	case !class.quiet(c):
		t.Errorf("%s, %s: the run said nothing, and did not do all its work", c.name, class.name)
	}
	s.clock.Advance(time.Hour) // out of reach of the overlap: what the run has passed over stays so
	if again := s.run(); again != "" {
		t.Errorf("%s, %s: the run without the fault does not do all its work: %s", c.name, class.name, again)
	}
	if diff := gocmp.Diff(states[s.told], s.state()); diff != "" {
		t.Fatalf("%s, %s: after the run without the fault the CRM differs (-without +with the fault); the run with it said %q:\n%s", c.name, class.name, said, diff)
	}
	return o
}

// suffer runs while a call goes wrong, and returns what a person reads of a run that did not do all its work.
func (s *faultScene) suffer(c aCall, class faultClass) string {
	s.t.Helper()
	post := func(path string, v any) {
		body, err := json.Marshal(v)
		if err != nil {
			s.t.Fatal(err)
		}
		s.call("POST", path, "", "application/json", string(body), nil)
	}
	for _, f := range class.faults(c) {
		post("/_sandbox/faults", f)
	}
	defer s.call("DELETE", "/_sandbox/faults", "", "", "", nil)
	if class.refuses != "" {
		for i, id := range s.rows(c) {
			if i%2 == 0 {
				post("/_sandbox/refusals", map[string]any{"id": id, "code": class.refuses, "message": "Not now, please.", "times": class.times})
			}
		}
		defer s.call("DELETE", "/_sandbox/refusals", "", "", "", nil)
	}
	return s.run()
}

// rows returns the ids of the records that a write is about.
func (s *faultScene) rows(c aCall) []string {
	type row struct{ ID string }
	var body struct{ Records, Inputs []row } // Salesforce's and HubSpot's
	s.unwrap(c.answer.RequestBody, &body)
	var ids []string
	for _, r := range append(body.Records, body.Inputs...) {
		ids = append(ids, r.ID)
	}
	return ids
}

// clear checks what a person reads of a run that did not do all its work.
func (s *faultScene) clear(c aCall, class faultClass, said string) {
	s.t.Helper()
	if !strings.Contains(said, s.connection) || !strings.Contains(said, ". ") && !strings.Contains(said, "what to do") && !strings.Contains(said, "✗ ") {
		s.t.Errorf("%s, %s: the message does not say where and what to do: %s", c.name, class.name, said)
	}
	for _, raw := range []string{"<html>", "SELECT ", "panic", "sandbox-secret", hubspotToken} {
		if strings.Contains(said, raw) {
			s.t.Errorf("%s, %s: the message holds %q: %s", c.name, class.name, raw, said)
		}
	}
}

// clean runs without faults until both states of the CRM are known, and returns the calls of the last run, sorted by name,
// and the states.
func (s *faultScene) clean() ([]aCall, map[bool]map[string]crm.Values) {
	s.t.Helper()
	states := map[bool]map[string]crm.Values{}
	var calls []aCall
	for range 3 {
		s.clock.Advance(25 * time.Hour)
		s.news()
		before := len(s.log())
		if said := s.run(); said != "" {
			s.t.Fatalf("without a fault: %s", said)
		}
		calls = s.calls(s.log()[before:])
		state := s.state()
		if known := states[s.told]; known != nil {
			if diff := gocmp.Diff(known, state); diff != "" {
				s.t.Fatalf("the same news leads to another state:\n%s", diff)
			}
		}
		states[s.told] = state
	}
	for _, k := range s.kinds {
		if gocmp.Equal(states[true]["deal "+k.name], states[false]["deal "+k.name]) {
			s.t.Fatalf("the %s makes no difference to its deal: the test sees nothing", k.name)
		}
	}
	return calls, states
}

// variable matches what differs between calls of one kind: versions and record ids.
var variable = regexp.MustCompile(`/(v\d+\.\d|20\d\d-\d\d|[0-9][0-9A-Za-z]{14}([0-9A-Za-z]{3})?)(/|$)`)

func (s *faultScene) calls(log []entry) []aCall {
	var calls []aCall
	seen := map[string]int{}
	for _, e := range log {
		path := variable.ReplaceAllString(e.Path, "/…$3")
		path = variable.ReplaceAllString(path, "/…$3")
		route := e.Method + " " + path
		c := aCall{name: route, route: route, method: e.Method, path: strings.ReplaceAll(regexp.QuoteMeta(path), "…", "[^/]+"), nth: seen[route], write: !s.crm.reads(route), answer: e}
		seen[route]++
		calls = append(calls, c)
	}
	for i := range calls {
		c := &calls[i]
		if what := s.asks(c.answer); what != "" {
			c.name += ": " + what
		}
		if seen[c.route] > 1 {
			c.name += fmt.Sprintf(" (%d)", c.nth+1)
		}
	}
	slices.SortFunc(calls, func(a, b aCall) int { return strings.Compare(a.name, b.name) })
	return calls
}

// from matches the object that a query selects from.
var from = regexp.MustCompile(` FROM (\w+)`)

// asks says what the parts of a composite ask for.
func (s *faultScene) asks(e entry) string {
	if !strings.HasSuffix(e.Path, "/composite") {
		return ""
	}
	var body struct {
		Parts []struct{ URL string } `json:"compositeRequest"`
	}
	s.unwrap(e.RequestBody, &body)
	var all []string
	for _, p := range body.Parts {
		what, query, _ := strings.Cut(p.URL, "?")
		what = what[strings.LastIndex(what, "/")+1:]
		if q, err := url.ParseQuery(query); err == nil && q.Has("q") {
			what = from.FindStringSubmatch(q.Get("q"))[1]
		}
		all = append(all, what)
	}
	return strings.Join(slices.Compact(all), ", ")
}

// tableMark begins what TestFaults writes of docs/faults.md.
const tableMark = "<!-- From here on TestFaults writes. -->\n"

// readTables reads what writeTables wrote: outcomes by CRM, by call, by class.
func readTables(text string) map[string]map[string]map[string]outcome {
	tables := map[string]map[string]map[string]outcome{}
	connection := ""
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			connection = strings.ToLower(strings.TrimSpace(name))
			tables[connection] = map[string]map[string]outcome{}
		}
		cells := strings.Split(strings.TrimSpace(line), " | ")
		call, ok := strings.CutPrefix(cells[0], "| `")
		if !ok || len(cells) != len(faultClasses[connection])+1 {
			continue
		}
		row := map[string]outcome{}
		for i, class := range faultClasses[connection] {
			row[class.name] = outcome(strings.TrimSuffix(cells[i+1], " |"))
		}
		tables[connection][strings.TrimSuffix(call, "`")] = row
	}
	return tables
}

func writeTables(results map[string]map[string]map[string]outcome) string {
	var b strings.Builder
	for _, connection := range slices.Sorted(maps.Keys(faultClasses)) {
		fmt.Fprintf(&b, "\n## %s\n\n", crms[connection].name)
		for _, class := range faultClasses[connection] {
			fmt.Fprintf(&b, "- **%s**: %s\n", class.name, class.meaning)
		}
		b.WriteString("\n| Call |")
		for _, class := range faultClasses[connection] {
			b.WriteString(" " + class.name + " |")
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(faultClasses[connection])) + "\n")
		for _, call := range slices.Sorted(maps.Keys(results[connection])) {
			fmt.Fprintf(&b, "| `%s` |", call)
			for _, class := range faultClasses[connection] {
				b.WriteString(" " + string(results[connection][call][class.name]) + " |")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
