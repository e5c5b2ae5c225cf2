package hubspot_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// pageSizes are how many rows a call brings at most.
var pageSizes = map[string]int{"deals/search": 200, "deals/batch/read": 50} // with history; every other kind: 100

var objectCall = regexp.MustCompile(`^/crm/objects/2026-09/(\w+)/(search|batch/read)$`)

// reads returns how many calls have listed or read records since the log had that length, associations counted, and how many the
// same rows take in full pages, associations not counted. It also returns how long the log is now.
func (l *lab) reads(t *testing.T, since int) (calls, pages, length int) {
	t.Helper()
	log, err := l.call(t, http.MethodGet, "/_sandbox/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]bool{}
	for line := range strings.Lines(string(log)) {
		if length++; length <= since {
			continue
		}
		var e struct {
			Path         string
			ResponseBody struct {
				Results []struct {
					ID string `json:"id"`
				} `json:"results"`
			} `json:"responseBody"`
		}
		if strings.Contains(line, `"status":429,`) {
			t.Errorf("a call too many: %.200s", line)
		}
		if strings.Contains(line, `"path":"/crm/associations/`) {
			calls++
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			continue // an answer of another form
		}
		found := objectCall.FindStringSubmatch(e.Path)
		if found == nil {
			continue
		}
		calls++
		kind := found[1] + "/" + found[2]
		if rows[kind] == nil {
			rows[kind] = map[string]bool{}
		}
		for _, r := range e.ResponseBody.Results {
			rows[kind][r.ID] = true
		}
	}
	for kind, ids := range rows {
		size, ok := pageSizes[kind]
		if !ok {
			size = 100
		}
		pages += (len(ids) + size - 1) / size
	}
	return calls, pages, length
}

// TestCallBudgets counts what runs cost, from the log of the portal: calls are what an account shares between all its
// integrations.
func TestCallBudgets(t *testing.T) {
	l := newLab(t, deals.Generate(1000, 7, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)))
	setUp(t, l)
	_, _, length := l.reads(t, 0)

	n := l.memory.save(pull(t, l.client, nil))
	calls, pages, length := l.reads(t, length)
	if calls*100 > pages*115 || pages < 100 {
		t.Errorf("the first pull of %d deals: %d calls for %d pages, want 15 %% more at most", len(n.records), calls, pages)
	}

	companies, now := map[string]bool{}, l.clock.Now().Format(time.RFC3339)
	var updates []crm.Update
	for _, r := range n.records {
		updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: r.Snapshot.ID}, Values: crm.Values{"score": "7", "scored_at": now}})
		companies[r.AccountID] = true
	}
	for id := range companies {
		updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.AccountObject, ID: id}, Values: crm.Values{"health": "Green"}})
	}
	l.requests(t)
	if _, err := l.client.Write(t.Context(), updates); err != nil {
		t.Fatal(err)
	}
	want := (len(n.records)+99)/100 + (len(companies)+99)/100
	if got := total(l.requests(t)); got > want+1 {
		t.Errorf("%d writes of deals and %d of companies: %d calls, want %d", len(n.records), len(companies), got, want+1)
	}

	l.clock.Advance(time.Hour)
	n = pull(t, l.client, n.marks)
	if again, _, _ := l.reads(t, length); again > calls/2 {
		t.Errorf("%d deals that only we have changed: %d calls, want half of %d", len(n.records), again, calls)
	}

	l.clock.Advance(time.Hour)
	l.requests(t)
	n = pull(t, l.client, n.marks)
	if _, err := l.client.Unusable(t.Context()); err != nil {
		t.Fatal(err)
	}
	quiet := l.requests(t)
	if len(n.records) > 0 || total(quiet) > 8 {
		t.Errorf("without news: %d calls, want 8: %v", total(quiet), quiet)
	}
	for _, tc := range []struct {
		name string
		do   func(deal string) error
		want int // calls beside those without news
	}{
		{"a changed note", func(deal string) error {
			return l.fixture(t).EditRecord(t, "notes", l.ids(t, deal, "notes")[0], map[string]any{"hs_note_body": "<p>They go live on 9 November.</p>"})
		}, 5},
		{"a new note", func(deal string) error { return l.fixture(t).AddNote(deal, "They sign on 2 November.") }, 5},
		{"our own write", func(deal string) error {
			_, err := l.client.Write(t.Context(), []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: deal}, Values: crm.Values{"score": "8"}}})
			return err
		}, 3},
	} {
		l.clock.Advance(time.Hour)
		if err := tc.do(withNote(t, l)); err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(time.Minute)
		l.requests(t)
		n = l.memory.save(pull(t, l.client, n.marks))
		if got := l.requests(t); len(n.records) != 1 || total(got) > total(quiet)+tc.want {
			t.Errorf("%s: %d deals, %d calls, want %d: %v", tc.name, len(n.records), total(got), total(quiet)+tc.want, got)
		}
	}
}
