package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"handoff/jobs"
)

// routine is something that people let handoff do again and again: a table of what becomes of it.
type routine struct {
	title string
	about string // what all its calls are, for people
	only  string // the connection that has it; "": each
	deals bool   // it reads deals
	pulls bool   // it looks for what has changed

	begin  func(*faultScene) // once, when the scene is set up; nil: nothing
	before func(*faultScene) // each time; nil: nothing
	run    func(*faultScene) string
	state  func(*faultScene) map[string]any
}

var routines = []routine{
	{
		title: "A run with news", about: "`handoff run --once`, when every kind of record has news.", deals: true, pulls: true,
		begin: (*faultScene).everyKind,
		run:   func(s *faultScene) string { return s.job(jobs.ScoreJob) }, state: (*faultScene).values,
	},
	{
		title: "A first run in bulk", about: "`handoff run --once` with an empty store, and more deals than are read by REST.", only: "salesforce", deals: true, pulls: true,
		begin: func(s *faultScene) { s.bulkFrom = 3; s.everyKind() }, before: (*faultScene).forgetAll,
		run: func(s *faultScene) string { return s.job(jobs.ScoreJob) }, state: (*faultScene).values,
	},
	{
		title: "The daily reconciliation", about: "`handoff run --once --job reconcile`, when one deal has changed, one has left Closed Won or come back, and one was deleted.", deals: true,
		begin: (*faultScene).holdDeals,
		run:   func(s *faultScene) string { return s.job(jobs.ReconcileJob) }, state: (*faultScene).cards,
	},
	{
		title: "Setup", about: "`handoff setup --apply`, where nothing is set up. The state is all that setup makes.",
		before: func(s *faultScene) { s.must("setup", "--remove") },
		run:    (*faultScene).setUp, state: func(s *faultScene) map[string]any { return inventories[s.connection](s.lab) },
	},
	{
		title: "Check", about: "`handoff check`, which changes nothing: the state is what it prints. → is a finding that says what could not be looked at.",
		begin: func(s *faultScene) {
			s.must("setup", "--apply", "--layout", "Opportunity Layout", "--layout", "Renewal Layout", "--layout", "Account Layout")
			s.must("run", "--once")
		},
		run: (*faultScene).check, state: func(s *faultScene) map[string]any { return map[string]any{"printed": s.printed} },
	},
}

// job runs the named job of the connection once, as `handoff run --once` does.
func (s *faultScene) job(name string) string {
	s.t.Helper()
	a, text := s.app()
	service, err := a.openService(s.t.Context(), s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	err = errors.Join(service.once(s.t.Context(), name, false), service.close())
	switch {
	case err == nil:
		return ""
	case !errors.Is(err, errReported):
		fmt.Fprintln(text, plainLines(err.Error()))
	}
	return text.String()
}

// values are all fields of ours in the CRM, by the kind of record and its name.
func (s *faultScene) values() map[string]any {
	all := map[string]any{}
	for name, values := range state(s.lab) {
		if !strings.Contains(name, doomedName) {
			all[name] = values
		}
	}
	return all
}

// holdDeals scores all deals, and deletes one of them. Then people change the fields of one, and let another leave Closed Won and
// come back.
func (s *faultScene) holdDeals() {
	s.everyKind()
	s.must("run", "--once")
	s.delete(s.dealIDs()[fmt.Sprintf("%s %d", doomedName, 0)])
	s.doomed++
	won := s.dealIDs()["email"]
	stage := map[string]func(bool) (string, map[string]any){
		"salesforce": func(told bool) (string, map[string]any) {
			return "Opportunity", map[string]any{"StageName": map[bool]string{true: "Closed Won", false: "Closed Lost"}[told]}
		},
		"hubspot": func(told bool) (string, map[string]any) {
			return "deals", map[string]any{"pipeline": "default", "dealstage": map[bool]string{true: "closedwon", false: "closedlost"}[told]}
		},
	}[s.connection]
	s.kinds = append(s.kinds[:1], newsKind{"email", func(told bool) {
		object, fields := stage(told)
		s.editRecord(object, won, fields)
	}, nil})
}

// cards are the values, with what handoff itself says of each deal.
func (s *faultScene) cards() map[string]any {
	s.t.Helper()
	all := s.values()
	for line := range strings.Lines(s.must("deals", "--json")) {
		var row dealRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			s.t.Fatal(err)
		}
		if values, ok := all["deal "+row.Name]; ok {
			all["deal "+row.Name] = []any{values, row.Account, row.Why}
		}
	}
	return all
}

// forgetAll is a new beginning: the store is gone, and all fields of ours are new and empty.
func (s *faultScene) forgetAll() {
	s.t.Helper()
	for _, path := range []string{"handoff.db", "handoff.db-wal", "handoff.db-shm"} {
		if err := os.Remove(filepath.Join(filepath.Dir(s.config), path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Fatal(err)
		}
	}
	s.must("setup", "--remove")
	s.must("setup", "--apply")
}

// setUp sets up all that there is.
func (s *faultScene) setUp() string {
	s.t.Helper()
	exit, text := s.command(append([]string{"setup", "--apply"}, everyOption[s.connection]...)...)
	if exit == exitDone {
		return ""
	}
	return text
}

// figures match what differs between two checks of the same.
var figures = regexp.MustCompile(`next run: .*|\d+`)

func (s *faultScene) check() string {
	s.t.Helper()
	exit, text := s.command("check")
	s.printed = figures.ReplaceAllString(text, "…")
	if exit == exitDone && !strings.Contains(text, "! ") && !strings.Contains(text, "not looked at") {
		return ""
	}
	return text
}

// commitLate sets a field of a record in Salesforce, by a transaction that ends only after 40 minutes.
func (s *faultScene) commitLate(object, id, field, text string) {
	s.t.Helper()
	s.look(s.connection)
	path := salesforceAPI + "/sobjects/" + object + "/" + id
	s.fault(map[string]any{"method": "PATCH", "path": path, "times": 1, "commit_delay_ms": (40 * time.Minute).Milliseconds()})
	body, err := json.Marshal(map[string]string{field: text})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), "PATCH", s.url+path, strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.crm.(*salesforceView).token)
	req.Header.Set("Content-Type", "application/json")
	s.late = make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			err = res.Body.Close()
			if res.StatusCode != http.StatusNoContent {
				err = fmt.Errorf("%s: HTTP %d", path, res.StatusCode)
			}
		}
		s.late <- err
	}()
	s.clock.AwaitSleepers(1)
}

// findLate sets a property of a record in HubSpot, which searches know only after 40 minutes.
func (s *faultScene) findLate(object, id, property, text string) {
	s.t.Helper()
	path := "/crm/objects/2026-09/" + object + "/" + id
	s.fault(map[string]any{"method": "PATCH", "path": path, "times": 1, "lag_ms": (40 * time.Minute).Milliseconds()})
	body, err := json.Marshal(map[string]any{"properties": map[string]string{property: text}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.call("PATCH", path, hubspotToken, "application/json", string(body), nil)
}
