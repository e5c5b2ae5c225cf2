package main

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"handoff/crm"
)

// TestWriteBudget counts the calls that write, and the records that they carry, in the CRM's own log: as few as the CRM's
// batches allow for the records of a run, and one more of each kind. HANDOFF_BUDGET_DEALS sets another number of deals.
func TestWriteBudget(t *testing.T) { overBoth(t, testWriteBudget) }

func testWriteBudget(t *testing.T, connection string) {
	deals := setting(t, "HANDOFF_BUDGET_DEALS", 600)
	l := newLab(t, connection, "--generate", strconv.Itoa(deals), "--seed", "7", "--no-limits")
	l.handoff(0, "setup", "--apply")
	seen := len(l.log())
	within := func(what string, least int) {
		t.Helper()
		log := l.log()
		calls, records := map[string]int{}, map[string]int{}
		for _, e := range log[seen:] {
			if of, n := l.written(connection, e); n > 0 {
				calls[of]++
				records[of] += n
			}
		}
		seen = len(log)
		batch, total := map[string]int{"salesforce": 200, "hubspot": 100}[connection], 0
		for of, n := range records {
			total += n
			if most := (n+batch-1)/batch + 1; calls[of] > most {
				t.Errorf("%s: %d calls for %d records of %s, want %d at most", what, calls[of], n, of, most)
			}
		}
		t.Logf("%s: calls %v, records %v", what, calls, records)
		if total < least {
			t.Errorf("%s: %d records written, want %d or more", what, total, least)
		}
	}
	l.run()
	within("first sync", deals)
	for i, r := range l.crm.records(crm.DealObject) {
		switch {
		case i%3 > 0 || r.values["score"] == "":
		case r.values["item_2_1"] == "2":
			l.crm.edit(r.id, map[string]any{"item_2_1": 0})
		default:
			l.crm.edit(r.id, map[string]any{"item_2_1": 2})
		}
	}
	l.run()
	within("news of every third deal, among our own writes", deals/4)
	l.run()
	within("no news", 0)
}

// written returns how many records of which kind a call was to write; 0: it was no such call. Salesforce's collections hold any.
func (l *lab) written(connection string, e entry) (of string, n int) {
	l.t.Helper()
	path, err := url.PathUnescape(e.Path)
	if err != nil {
		l.t.Fatal(err)
	}
	var body struct{ Records, Inputs []struct{} }
	switch {
	case connection == "salesforce" && e.Method == "PATCH" && strings.HasSuffix(path, "/composite/sobjects"):
		of = "all kinds"
	case connection == "hubspot" && strings.HasSuffix(path, "/batch/update"):
		of = path
	default:
		return "", 0
	}
	l.unwrap(e.RequestBody, &body)
	return of, len(body.Records) + len(body.Inputs)
}
