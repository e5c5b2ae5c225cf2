package salesforce_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// oddOrg stands before a sandbox, as an org that refuses some of the queries in composites.
type oddOrg struct {
	*httptest.Server

	mu      sync.Mutex
	refuse  func(soql string, rows int) (code string) // "": it does not
	refused []string                                  // queries
}

func newOddOrg(t *testing.T, l *lab, refuse func(soql string, rows int) (code string)) *oddOrg {
	t.Helper()
	behind, err := url.Parse(l.url)
	if err != nil {
		t.Fatal(err)
	}
	o := &oddOrg{refuse: refuse}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasSuffix(r.Request.URL.Path, "/composite") {
				return nil
			}
			return o.amend(r)
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

// amend puts refusals in the place of answers.
func (o *oddOrg) amend(r *http.Response) error {
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
		o.mu.Lock()
		if code := o.refuse(soql, page.TotalSize); code != "" {
			part["httpStatusCode"] = json.RawMessage("400")
			part["body"] = json.RawMessage(`[{"errorCode":"` + code + `","message":"refused by the test"}]`)
			o.refused = append(o.refused, soql)
		}
		o.mu.Unlock()
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
