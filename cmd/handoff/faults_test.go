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
)

// TestFaults lets every call that handoff makes go wrong in every way, one at a time, and compares the tables that come of it
// with docs/faults.md. As a part of `go test ./...` it tries a small part of the tables; `make faults` tries all of it and
// writes the page anew.
//
// The calls are those of each routine where all that it deals with has news, from the log of the sandbox: a new one cannot be
// forgotten. With the fault the routine has to end in the same state as without it, or to say what it could not do; the
// same routine after it, without the fault, has to end in that state in any case.
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
	known, now := readTables(tables), readTables(tables) // a table whose test -run leaves out stays as it is
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, connection := range slices.Sorted(maps.Keys(faultClasses)) {
			for i := range routines {
				r := &routines[i]
				if r.only != "" && r.only != connection {
					continue
				}
				t.Run(connection+"/"+r.title, func(t *testing.T) {
					t.Parallel()
					found := testFaults(t, connection, r, known[connection][r.title])
					mu.Lock()
					defer mu.Unlock()
					now.add(connection, r.title, found)
				})
			}
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

// outcome is what became of a routine with a fault.
type outcome string

const (
	absorbed outcome = "✓" // it did all its work
	told     outcome = "→" // it said what it could not do, and the next one did it
	silent   outcome = "✗" // it neither did all its work nor said so
	nowhere  outcome = "–" // the fault cannot happen to this call
)

// aCall is one call of a routine.
type aCall struct {
	name    string // unique in the routine
	route   string
	method  string
	path    string   // regular expression
	nth     int      // of its route
	records []string // ids of those that it writes
	answer  entry
	told    bool // what people had written then, as faultScene.told
	routine *routine
}

// testFaults does what each class of faults does to each call of a routine in turn, and returns what became of it, by call
// and class. Unless -update says to try all, it tries a small part and takes the rest from known.
func testFaults(t *testing.T, connection string, r *routine, known faultTable) faultTable {
	const part = 47 // of which one is tried: a prime, so that every class and every call has its turn
	results := faultTable{}
	all := faultClasses[connection]
	together := len(all)
	if *update {
		together = 4 // a sandbox slows down with its history
	}
	for from := 0; from < len(all); from += together {
		classes := all[from:min(len(all), from+together)]
		t.Run(classes[0].name, func(t *testing.T) { // a sandbox goes with its test
			doomed := 8
			if *update && slices.ContainsFunc(classes, func(c faultClass) bool { return c.deletes }) {
				doomed = 64 // more than there are calls
			}
			s := newFaultScene(t, connection, r, doomed)
			calls, states := s.clean()
			for j, class := range classes {
				for i, c := range calls {
					switch {
					case class.faults(c) == nil:
						results.add(c.name, class.name, nowhere)
					case *update || (i*len(all)+from+j)%part == 0:
						results.add(c.name, class.name, s.try(c, class, states))
					default:
						results.add(c.name, class.name, known[c.name][class.name])
					}
				}
			}
		})
	}
	return results
}

// try lets a call go wrong in a routine, checks what that and the one after it make of it, and returns the outcome.
func (s *faultScene) try(c aCall, class faultClass, states map[bool]map[string]any) outcome {
	t := s.t
	t.Helper()
	var o outcome
	var said, differs string
	for patience := cmp.Or(class.patience, time.Minute); ; patience *= 4 {
		if class.replays && s.told == c.told {
			s.dawn(faultClass{})
			s.calm()
		}
		s.dawn(class)
		s.patience = patience
		said = s.suffer(c, class)
		s.patience = time.Minute
		if said != "" {
			o = told
		} else if differs = gocmp.Diff(class.seen(states[s.told]), class.seen(s.state())); differs == "" {
			o = absorbed
		} else {
			o = silent
		}
		if o == absorbed || class.patience == 0 || patience > 2*time.Second {
			break
		}
		// This machine may be the slow one. The next try is to have as much to do as this one.
		s.clock.Advance(time.Hour)
		s.overdue()
		if again := s.run(); again != "" {
			t.Errorf("%s, %s: without the fault %q does not do all its work: %s", c.name, class.name, c.routine.title, again)
		}
	}
	switch o {
	case told:
		s.clear(c, class, said)
	case silent:
		t.Errorf("%s, %s: %q said nothing, and did not do all its work (-without +with the fault):\n%s", c.name, class.name, c.routine.title, differs)
	}
	if o == absorbed && !class.late {
		return o
	}
	s.clock.Advance(time.Hour) // out of reach of the overlap: what was passed over stays so
	s.overdue()
	if again := s.run(); again != "" {
		t.Errorf("%s, %s: without the fault %q does not do all its work: %s", c.name, class.name, c.routine.title, again)
	}
	if diff := gocmp.Diff(states[s.told], s.state()); diff != "" {
		t.Errorf("%s, %s: after %q without the fault the state differs (-without +with the fault); the one with it said %q:\n%s", c.name, class.name, c.routine.title, said, diff)
	}
	return o
}

// suffer lets a call of the routine go wrong, and returns what a person reads where it did not do all its work.
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
		for i, id := range c.records {
			if i%2 == 0 {
				post("/_sandbox/refusals", map[string]any{"id": id, "code": class.refuses, "message": "Not now, please.", "times": class.times})
			}
		}
		defer s.call("DELETE", "/_sandbox/refusals", "", "", "", nil)
	}
	return s.run()
}

// rows returns the ids of the records that a call writes.
func (s *faultScene) rows(e entry) []string {
	if !strings.HasSuffix(e.Path, "/composite/sobjects") && !strings.HasSuffix(e.Path, "/batch/update") {
		return nil
	}
	type row struct{ ID string }
	var body struct{ Records, Inputs []row } // Salesforce's and HubSpot's
	s.unwrap(e.RequestBody, &body)
	var ids []string
	for _, r := range append(body.Records, body.Inputs...) {
		if r.ID != "" { // else it is made
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// clear checks what a person reads where a routine did not do all its work.
func (s *faultScene) clear(c aCall, class faultClass, said string) {
	s.t.Helper()
	if !strings.Contains(said, s.connection) || !strings.Contains(said, ". ") && !strings.Contains(said, "what to do") && !strings.Contains(said, "→ ") {
		s.t.Errorf("%s, %s: the message does not say where and what to do: %s", c.name, class.name, said)
	}
	for _, raw := range []string{"<html>", "SELECT ", "panic", "sandbox-secret", hubspotToken} {
		if strings.Contains(said, raw) {
			s.t.Errorf("%s, %s: the message holds %q: %s", c.name, class.name, raw, said)
		}
	}
}

// clean goes through the routine without faults until both states are known, and returns the calls of the last time, sorted
// by name, and the states.
func (s *faultScene) clean() ([]aCall, map[bool]map[string]any) {
	s.t.Helper()
	states := map[bool]map[string]any{}
	var calls []aCall
	for range 3 {
		s.dawn(faultClass{})
		before := len(s.log())
		s.calm()
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

// dawn is the next day, with its news before a fault of that class.
func (s *faultScene) dawn(class faultClass) {
	s.t.Helper()
	s.clock.Advance(25 * time.Hour)
	s.news(class)
}

// calm goes through the routine without a fault.
func (s *faultScene) calm() {
	s.t.Helper()
	if said := s.run(); said != "" {
		s.t.Fatalf("without a fault: %s", said)
	}
}

// variable matches what differs between calls of one kind: versions, record ids, and names of ours.
var variable = regexp.MustCompile(`/(v\d+\.\d|20\d\d-\d\d|[0-9][0-9A-Za-z]{14}([0-9A-Za-z]{3})?|handoff_\w+)(/|$)`)

// calls returns the calls of a log. Of a route that is called very often it returns the first and the last; of pages of results
// the first two.
func (s *faultScene) calls(log []entry) []aCall {
	const often = 8
	var all []aCall
	seen := map[string]int{}
	last := ""
	for _, e := range log {
		path := variable.ReplaceAllString(e.Path, "/…$3")
		path = variable.ReplaceAllString(path, "/…$3")
		route := e.Method + " " + path
		if strings.HasSuffix(path, "/jobs/query/…") && route+e.Path == last { // how often that is depends on this machine
			continue
		}
		last = route + e.Path
		c := aCall{name: route, route: route, method: e.Method, path: strings.ReplaceAll(regexp.QuoteMeta(path), "…", "[^/]+"), nth: seen[route], answer: e, told: s.told, routine: s.routine}
		if !s.crm.reads(route) {
			c.records = s.rows(e)
		}
		seen[route]++
		all = append(all, c)
	}
	var calls []aCall
	for _, c := range all {
		what := s.asks(c.answer)
		if what != "" {
			c.name += ": " + what
		}
		switch n := seen[c.route]; {
		case n == 1:
		case n <= often || what != "":
			c.name += fmt.Sprintf(" (%d)", c.nth+1)
		case c.nth == 0:
			c.name += " (first)"
		case isResults(c): // the last one moves on with the history of fields
			if c.nth > 1 {
				continue
			}
			c.name += " (second)"
		case c.nth == n-1:
			c.name += " (last)"
		default:
			continue
		}
		calls = append(calls, c)
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
