package main

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"handoff/connectors/connectortest"
)

// faultClass is a way to go wrong: the faults that do it to a call; nil: it cannot happen to that.
type faultClass struct {
	name, meaning string
	faults        func(aCall) []connectortest.Fault
	patience      time.Duration // with an answer; 0: more than enough
	deletes       bool          // while the call waits to be repeated, somebody deletes a deal that has news
	late          bool          // while the call waits to be repeated, somebody changes a record, which is to be seen only later
	replays       bool          // an answer of the time without faults is used again, so that the news has to be the same
	refuses       string        // every other row of the call is refused with this code; "": none is
	times         int           // and so often; 0: as long as the run lasts
}

// seen is what a state has to show at the end of what the fault hit: not what is late.
func (f *faultClass) seen(state map[string]any) map[string]any {
	if !f.late {
		return state
	}
	seen := maps.Clone(state)
	delete(seen, "deal "+lateKind)
	delete(seen, "account Account of "+lateKind)
	return seen
}

// once, twice and always say how many calls a fault hits: the call, its repetition, and all behind it.
func once(f connectortest.Fault) func(aCall) []connectortest.Fault   { return hits(1, f) }
func twice(f connectortest.Fault) func(aCall) []connectortest.Fault  { return hits(2, f) }
func always(f connectortest.Fault) func(aCall) []connectortest.Fault { return hits(0, f) }

func hits(times int, f connectortest.Fault) func(aCall) []connectortest.Fault {
	return func(c aCall) []connectortest.Fault {
		hit := f // tables are made side by side
		hit.Method, hit.Path, hit.After, hit.Times = c.method, c.path, c.nth, times
		return []connectortest.Fault{hit}
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
func isWrite(c aCall) bool     { return len(c.records) > 0 }
func isSearch(c aCall) bool    { return strings.HasSuffix(c.path, "/search") }
func isNoSearch(c aCall) bool  { return !isSearch(c) }
func isBatch(c aCall) bool     { return strings.HasSuffix(c.path, "/batch/read") }
func isComposite(c aCall) bool { return strings.HasSuffix(c.path, "/composite") }
func isQuery(c aCall) bool     { return isComposite(c) || strings.HasSuffix(c.path, "/query") }
func isList(c aCall) bool {
	return strings.Contains(c.path, "/owners/") || strings.Contains(c.path, "/associations/")
}
func isNewJob(c aCall) bool  { return c.method == "POST" && strings.HasSuffix(c.path, "/jobs/query") }
func isPoll(c aCall) bool    { return c.method == "GET" && strings.HasSuffix(c.path, "/jobs/query/[^/]+") }
func isResults(c aCall) bool { return strings.HasSuffix(c.path, "/results") }
func ofDeals(c aCall) bool   { return c.routine.deals }
func ofPull(c aCall) bool    { return c.routine.pulls && isNoLogin(c) } // a login is not repeated

const (
	maintenance = "<html><head><title>Down for maintenance</title></head><body>We will be back soon.</body></html>"
	loginPage   = "<html><head><title>Log in</title></head><body>Corporate proxy</body></html>"
)

// anyFaults happen to every CRM.
var anyFaults = []faultClass{
	{name: "503", meaning: "503 to the call and to its repetition", faults: twice(connectortest.Fault{Status: 503})},
	{name: "500", meaning: "500 as long as it lasts", faults: always(connectortest.Fault{Status: 500})},
	{name: "reset", meaning: "the connection is reset instead of an answer; what was asked for is done", faults: once(connectortest.Fault{Reset: true})},
	{name: "half", meaning: "half an answer, then the connection ends; what was asked for is done", faults: once(connectortest.Fault{Truncate: true})},
	{name: "[]", meaning: "500 with an empty list of errors, twice", faults: twice(connectortest.Fault{Status: 500, Body: []any{}})},
	{name: "HTML", meaning: "503 with a page of HTML, twice", faults: twice(connectortest.Fault{Status: 503, Body: maintenance, ContentType: "text/html"})},
	{name: "200 HTML", meaning: "200 with a page of HTML, such as a proxy's, as long as it lasts", faults: always(connectortest.Fault{Status: 200, Body: loginPage, ContentType: "text/html"})},
	{name: "slow", meaning: "no answer in time; what was asked for is done", faults: once(connectortest.Fault{DelayMS: 60_000}), patience: 250 * time.Millisecond},
	{name: "deleted", meaning: "503, once; before the call is repeated somebody deletes a deal that has news", faults: only(ofDeals, once(connectortest.Fault{Status: 503})), deletes: true},
}

var faultClasses = map[string][]faultClass{
	"salesforce": append([]faultClass{
		{name: "401", meaning: "401, once: the session has expired", faults: only(isNoLogin, once(connectortest.Fault{Code: "INVALID_SESSION_ID"}))},
		{name: "401…", meaning: "401 as long as it lasts", faults: always(connectortest.Fault{Status: 401, Code: "INVALID_SESSION_ID"})},
		{name: "busy", meaning: "403 REQUEST_LIMIT_EXCEEDED for too many calls at once, twice", faults: only(isNoLogin, twice(connectortest.Fault{Status: 403,
			Body: []any{map[string]string{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}}}))},
		{name: "quota", meaning: "403 REQUEST_LIMIT_EXCEEDED for the calls of the day", faults: only(isNoLogin, always(connectortest.Fault{Code: "REQUEST_LIMIT_EXCEEDED"}))},
		{name: "403", meaning: "403 API_DISABLED_FOR_ORG as long as it lasts", faults: only(isNoLogin, always(connectortest.Fault{Code: "API_DISABLED_FOR_ORG"}))},
		{name: "part", meaning: "a part of a composite fails with 500, once", faults: only(isComposite, partFails), replays: true},
		{name: "lock", meaning: "UNABLE_TO_LOCK_ROW on every other row, twice", faults: only(isWrite, none), refuses: "UNABLE_TO_LOCK_ROW", times: 2},
		{name: "lock…", meaning: "UNABLE_TO_LOCK_ROW on every other row as long as it lasts", faults: only(isWrite, none), refuses: "UNABLE_TO_LOCK_ROW"},
		{name: "rule", meaning: "FIELD_CUSTOM_VALIDATION_EXCEPTION on every other row", faults: only(isWrite, none), refuses: "FIELD_CUSTOM_VALIDATION_EXCEPTION"},
		{name: "cursor", meaning: "a page says that another follows, and its cursor is lost", faults: only(isQuery, cursorLost), replays: true},
		{name: "no jobs", meaning: "400 LIMIT_EXCEEDED: no bulk jobs are left today", faults: only(isNewJob, always(connectortest.Fault{Status: 400, Code: "LIMIT_EXCEEDED"}))},
		{name: "failed", meaning: "the bulk job fails, and all behind it", faults: only(isPoll, always(connectortest.Fault{Body: map[string]string{"state": "Failed", "errorMessage": "InternalServerError"}}))},
		{name: "stuck", meaning: "the bulk job does not get done, nor do those behind it", faults: only(isPoll, always(connectortest.Fault{Body: map[string]string{"state": "InProgress"}}))},
		{name: "locator", meaning: "400 INVALID_QUERY_LOCATOR: the place in the results is lost", faults: only(isResults, once(connectortest.Fault{Status: 400, Code: "INVALID_QUERY_LOCATOR"}))},
		{name: "late", meaning: "503, once; before the call is repeated somebody's change is stamped, which is committed only 40 minutes later", faults: only(ofPull, once(connectortest.Fault{Status: 503})), late: true},
	}, anyFaults...),
	"hubspot": append([]faultClass{
		{name: "401", meaning: "401, once", faults: once(connectortest.Fault{Code: "INVALID_AUTHENTICATION"})},
		{name: "401…", meaning: "401 as long as it lasts", faults: always(connectortest.Fault{Code: "EXPIRED_AUTHENTICATION"})},
		{name: "429 s", meaning: "429 by the policy SECONDLY, twice", faults: only(isSearch, twice(connectortest.Fault{Code: "SECONDLY"}))},
		{name: "429 10 s", meaning: "429 by the policy TEN_SECONDLY_ROLLING, twice", faults: only(isNoSearch, twice(connectortest.Fault{Code: "TEN_SECONDLY_ROLLING"}))},
		{name: "429 day", meaning: "429 by the policy DAILY", faults: always(connectortest.Fault{Code: "DAILY"})},
		{name: "403", meaning: "403 MISSING_SCOPES as long as it lasts", faults: always(connectortest.Fault{Code: "MISSING_SCOPES"})},
		{name: "423", meaning: "423, locked, twice", faults: twice(connectortest.Fault{Status: 423})},
		{name: "207", meaning: "207: one row of a batch fails, once", faults: only(isBatch, rowFails), replays: true},
		{name: "rule", meaning: "400 VALIDATION_ERROR for every other row, by a rule of the portal", faults: only(isWrite, none), refuses: "VALIDATION_ERROR"},
		{name: "cursor", meaning: "a page says that another follows, and its place is lost", faults: only(isList, placeLost), replays: true},
		{name: "late", meaning: "503, once; before the call is repeated somebody changes a record, which searches find only 40 minutes later", faults: only(ofPull, once(connectortest.Fault{Status: 503})), late: true},
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

// cursorLost is the answer without the fault, but that each query has another page, which nobody knows.
func cursorLost(c aCall) []connectortest.Fault {
	var answer map[string]any
	if err := json.Unmarshal(c.answer.ResponseBody, &answer); err != nil { // a list of errors
		return nil
	}
	bodies := []any{answer}
	if parts, ok := answer["compositeResponse"].([]any); ok {
		bodies = nil
		for _, p := range parts {
			bodies = append(bodies, p.(map[string]any)["body"])
		}
	}
	cut := false
	for _, b := range bodies {
		if page, ok := b.(map[string]any); ok && page["records"] != nil {
			page["done"], page["nextRecordsUrl"] = false, "/services/data/v62.0/query/01g5e0000000001AAA-1"
			cut = true
		}
	}
	if !cut {
		return nil
	}
	return once(connectortest.Fault{Status: 200, Body: answer})(c)
}

// placeLost is the answer without the fault, but that the list, or that of the first record's associations, has another page,
// which nobody knows.
func placeLost(c aCall) []connectortest.Fault {
	var answer map[string]any
	if err := json.Unmarshal(c.answer.ResponseBody, &answer); err != nil {
		panic(err)
	}
	list := answer
	if isBatch(c) {
		results, _ := answer["results"].([]any)
		if len(results) == 0 {
			return nil
		}
		list = results[0].(map[string]any)
	}
	list["paging"] = map[string]any{"next": map[string]string{"after": "lost"}}
	return once(connectortest.Fault{Status: 200, Body: answer})(c)
}
