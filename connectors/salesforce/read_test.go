package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"handoff/connectors"
)

// composites answers composite requests: reply gets each part's path or statement.
func composites(t *testing.T, reply func(asked string) (status int, body string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request struct {
			CompositeRequest []struct{ URL, ReferenceID string }
		}
		if err := json.Unmarshal(body, &request); err != nil {
			t.Errorf("request: %v", err)
		}
		var parts []string
		for _, p := range request.CompositeRequest {
			asked := p.URL
			if u, err := url.Parse(p.URL); err == nil && u.Query().Get("q") != "" {
				asked = u.Query().Get("q")
			}
			status, body := reply(asked)
			parts = append(parts, fmt.Sprintf(`{"body":%s,"httpStatusCode":%d,"referenceId":%q}`, body, status, p.ReferenceID))
		}
		slices.Reverse(parts) // they are found by reference
		fmt.Fprintf(w, `{"compositeResponse":[%s]}`, strings.Join(parts, ","))
	}
}

type idRow struct {
	ID string `json:"Id"`
}

func TestReadPacks(t *testing.T) {
	s := newStub(t)
	s.api = composites(t, func(asked string) (int, string) {
		return 200, fmt.Sprintf(`{"totalSize":1,"done":true,"records":[{"Id":%q}]}`, asked)
	})
	c := s.client(t)
	var all []part
	var selections []*selection[idRow]
	for i := range 12 {
		selections = append(selections, &selection[idRow]{soql: fmt.Sprintf("SELECT Id FROM X%d", i)})
		all = append(all, selections[i], &selection[idRow]{})
	}
	for range 3 {
		all = append(all, &description{object: "Task"})
	}
	at, err := c.read(t.Context(), "test", all...)
	if err != nil || at.IsZero() {
		t.Fatalf("answered at %v, %v", at, err)
	}
	for i, sel := range selections {
		if len(sel.rows) != 1 || sel.rows[0].ID != sel.soql {
			t.Errorf("selection %d: %+v", i, sel.rows)
		}
	}
	if c.Calls() != 3 {
		t.Errorf("%d calls for twelve queries and three describes, want 3", c.Calls())
	}
}

func TestReadPages(t *testing.T) {
	s := newStub(t)
	var lost atomic.Int64
	lost.Store(2)
	first := composites(t, func(string) (int, string) {
		return 200, `{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-1","records":[{"Id":"a"}]}`
	})
	s.api = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/services/data/v62.0/query/01g-1":
			fmt.Fprint(w, `{"totalSize":3,"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-2","records":[{"Id":"b"}]}`)
		case "/services/data/v62.0/query/01g-2":
			if lost.Add(-1) >= 0 {
				refuse(w, http.StatusBadRequest, invalidLocator)
				return
			}
			fmt.Fprint(w, `{"totalSize":3,"done":true,"records":[{"Id":"c"}]}`)
		default:
			first(w, r)
		}
	}
	sel := selection[idRow]{soql: "SELECT Id FROM Task"}
	if _, err := s.client(t).read(t.Context(), "test", &sel); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sel.rows, []idRow{{"a"}, {"b"}, {"c"}}) {
		t.Errorf("rows %v: a lost cursor begins again and doubles nothing", sel.rows)
	}

	lost.Store(100)
	if _, err := s.client(t).read(t.Context(), "test", &sel); !errors.Is(err, connectors.ErrRetry) || code(err) != invalidLocator {
		t.Errorf("a cursor that is always lost: %v", err)
	}
}

func TestReadPartsFail(t *testing.T) {
	s := newStub(t)
	var slow atomic.Int64
	s.api = composites(t, func(asked string) (int, string) {
		switch {
		case strings.Contains(asked, "Hidden"):
			return 400, `[{"errorCode":"INVALID_TYPE","message":"sObject type 'Hidden' is not supported."}]`
		case strings.Contains(asked, "Slow") && slow.Add(1) != 2:
			return 400, `[{"errorCode":"QUERY_TIMEOUT","message":"too long"}]`
		case strings.Contains(asked, "Spent"):
			return 403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`
		}
		return 200, `{"totalSize":1,"done":true,"records":[{"Id":"a"}]}`
	})
	hidden, slowly, good := &selection[idRow]{soql: "SELECT Id FROM Hidden"}, &selection[idRow]{soql: "SELECT Id FROM Slow"}, &selection[idRow]{soql: "SELECT Id FROM Good"}
	if _, err := s.client(t).read(t.Context(), "test", hidden, slowly, good); err != nil {
		t.Fatal(err)
	}
	if hidden.err == nil || hidden.err.Code != "INVALID_TYPE" || good.err != nil || len(good.rows) != 1 || len(slowly.rows) != 1 {
		t.Errorf("hidden %v, slow %v, good %v", hidden.err, slowly.rows, good.rows)
	}
	narrow := &selection[idRow]{soql: "SELECT Id FROM Slow LIMIT 1", narrows: true}
	if _, err := s.client(t).read(t.Context(), "test", good, narrow); err != nil || !narrow.timedOut() || len(good.rows) != 1 || slow.Load() != 3 {
		t.Errorf("a list that is slow: %v, refused %v, asked for %d times", err, narrow.err, slow.Load()-2)
	}
	if _, err := s.client(t).read(t.Context(), "test", good, slowly); code(err) != queryTimeout || slow.Load() != 5 {
		t.Errorf("another query that is slow: %v, asked for %d times, want 2", err, slow.Load()-3)
	}
	if _, err := s.client(t).read(t.Context(), "test", good, &selection[idRow]{soql: "SELECT Id FROM Spent"}); !errors.Is(err, connectors.ErrQuota) {
		t.Errorf("got %v", err)
	}
}

func TestNoDateHeader(t *testing.T) {
	s := newStub(t)
	answer := composites(t, func(string) (int, string) { return 200, `{"totalSize":0,"done":true,"records":[]}` })
	s.api = func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		answer(w, r)
	}
	if _, err := s.client(t).read(t.Context(), "test", &selection[idRow]{soql: "SELECT Id FROM Task"}); !errors.Is(err, connectors.ErrConfig) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadComposite(f *testing.F) {
	f.Add([]byte(`{"compositeResponse":[{"body":[],"httpStatusCode":400,"referenceId":"r0"}]}`))
	f.Add([]byte(`{"compositeResponse":[{"body":null,"httpStatusCode":200,"referenceId":"r0"}]}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		answers, err := readComposite("test", body, 1)
		if err == nil && answers[0].err == nil {
			_, _ = (&selection[row]{}).take(answers[0].body)
			_, _ = (&selection[roleRow]{}).take(answers[0].body)
			_, _ = (&description{}).take(answers[0].body)
		}
	})
}
