package salesforce_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// slowOrg stands before a sandbox, as an org of so many records that lists of more than most rows take it too long.
type slowOrg struct {
	*httptest.Server
	most int

	mu    sync.Mutex
	lists []string // that took too long
}

func newSlowOrg(t *testing.T, l *lab, most int) *slowOrg {
	t.Helper()
	behind, err := url.Parse(l.url)
	if err != nil {
		t.Fatal(err)
	}
	o := &slowOrg{most: most}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasSuffix(r.Request.URL.Path, "/composite") {
				return nil
			}
			return o.tire(r)
		},
	}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("X-Asked", url.QueryEscape(string(body)))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(o.Close)
	return o
}

// tire puts QUERY_TIMEOUT in the place of long lists.
func (o *slowOrg) tire(r *http.Response) error {
	asked, err := url.QueryUnescape(r.Request.Header.Get("X-Asked"))
	if err != nil {
		return err
	}
	var request struct {
		CompositeRequest []struct{ URL string }
	}
	if err := json.Unmarshal([]byte(asked), &request); err != nil {
		return err
	}
	var answer struct {
		CompositeResponse []map[string]json.RawMessage `json:"compositeResponse"`
	}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return err
	}
	for i, part := range answer.CompositeResponse {
		var page struct{ TotalSize int }
		if bytes.HasPrefix(part["body"], []byte("{")) {
			if err := json.Unmarshal(part["body"], &page); err != nil {
				return err
			}
		}
		soql, err := url.QueryUnescape(request.CompositeRequest[i].URL)
		if err != nil {
			return err
		}
		if list := strings.Contains(soql, " LIMIT ") || strings.Contains(soql, "COUNT()"); list && page.TotalSize > o.most {
			part["httpStatusCode"] = json.RawMessage("400")
			part["body"] = json.RawMessage(`[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]`)
			o.mu.Lock()
			o.lists = append(o.lists, soql)
			o.mu.Unlock()
		}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// TestSlowLists: what Salesforce cannot list in its two minutes is listed in parts, and nothing of it is lost.
func TestSlowLists(t *testing.T) {
	l := newLab(t, deals.Demo())
	want, marks := pull(t, l.client, nil)
	slow := newSlowOrg(t, l, 5)
	cfg := l.cfg
	cfg.URL = slow.URL
	refused := connectortest.Fault{Method: http.MethodPost, Path: jobsPath, Status: 400, Code: "LIMIT_EXCEEDED"} // no bulk jobs are left

	t.Run("a first run without bulk", func(t *testing.T) {
		if err := l.fixture(t).AddFault(t, refused); err != nil {
			t.Fatal(err)
		}
		defer l.heal(t)
		got, _ := pull(t, newClient(t, cfg), nil)
		if !slices.Equal(dealNames(got), dealNames(want)) {
			t.Errorf("the deals are %v, want %v", dealNames(got), dealNames(want))
		}
	})

	t.Run("a first run in bulk", func(t *testing.T) {
		slow.lists = nil
		cfg := cfg
		cfg.Sleep = hurried
		var got []connectors.Record
		_, routes := l.calls(t, func() { got, _ = pull(t, newClient(t, cfg), nil) })
		if !slices.Equal(dealNames(got), dealNames(want)) {
			t.Errorf("the deals are %v, want %v", dealNames(got), dealNames(want))
		}
		if routes[jobsRoute] != bulkObjects || len(slow.lists) != 2 {
			t.Errorf("%d jobs, want %d, after these took too long, which are to be the list and the count: %q", routes[jobsRoute], bulkObjects, slow.lists)
		}
	})

	t.Run("news", func(t *testing.T) {
		slow.lists = nil
		f := l.fixture(t)
		for _, r := range want {
			l.clock.Advance(time.Hour)
			l.token = "" // logs in again
			if err := f.AddTask(r.Snapshot.ID, "News"); err != nil {
				t.Fatal(err)
			}
		}
		got, next := pull(t, newClient(t, cfg), marks)
		if all := slices.Sorted(slices.Values(dealNames(want))); !slices.Equal(slices.Sorted(slices.Values(dealNames(got))), all) {
			t.Errorf("of %v come %v", all, dealNames(got))
		}
		if len(slow.lists) == 0 || len(slow.lists) > 12 {
			t.Errorf("%d lists took too long", len(slow.lists))
		}
		if got, _ := pull(t, newClient(t, cfg), next); len(got) > 1 { // the last one lies within the overlap
			t.Errorf("%d deals come again", len(got))
		}
	})

	t.Run("however little is asked for", func(t *testing.T) {
		slow.most = -1
		if err := l.fixture(t).AddFault(t, refused); err != nil {
			t.Fatal(err)
		}
		for name, since := range map[string]crm.Watermarks{"a first run": nil, "news": marks} {
			got, moved, err := tryPull(t, newClient(t, cfg), since)
			if !errors.Is(err, connectors.ErrRetry) || !strings.Contains(err.Error(), "QUERY_TIMEOUT") || !strings.Contains(err.Error(), "Salesforce Support") {
				t.Errorf("%s: %v", name, err)
			}
			if !moved["Opportunity"].Time.IsZero() || len(got) > 0 {
				t.Errorf("%s: %d deals come, and watermarks %v", name, len(got), moved)
			}
		}
	})
}
