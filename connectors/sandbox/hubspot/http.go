package hubspot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// version is a version of the API as its paths name it. The versions have the same routes at different places.
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
type version string

var versions = []version{"v3", "2026-03", "2026-09"}

// path returns the path that the routes of an area begin with.
func (v version) path(area string) string {
	switch {
	case area == "account-info":
		return "/account-info/" + string(v)
	case v == "v3" && area == "associations":
		return "/crm/v4/associations"
	case v == "v3":
		return "/crm/v3/" + area
	}
	return "/crm/" + area + "/" + string(v)
}

// request is a call of somebody whose token is good.
type request struct {
	*http.Request
	version version
	scopes  scopes
}

// handler answers a call: with a status and a body (nil: none), or with an error, which says its status itself.
type handler func(r *request) (status int, body any, err error)

// handle adds a route that wants a token and counts against the limits.
func (p *Portal) handle(mux *http.ServeMux, v version, pattern string, h handler) {
	search := strings.HasSuffix(pattern, "/search")
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		granted, ok := p.granted(token)
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			writeError(w, errToken)
			return
		}
		if err := p.limit(w.Header(), search); err != nil {
			writeError(w, err)
			return
		}
		// A request that its client gives up is finished all the same, as the real API does, and its log tells of it.
		r = r.WithContext(context.WithoutCancel(r.Context()))
		status, body, err := h(&request{r, v, granted})
		switch {
		case err != nil:
			writeError(w, err)
		case body == nil:
			w.WriteHeader(status)
		default:
			writeJSON(w, status, body)
		}
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	// A failure here is the client's hanging up, or it would have failed before: nobody is left to tell.
	_ = json.MarshalWrite(w, v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
}

func writeError(w http.ResponseWriter, err error) {
	e := asAPIError(err)
	writeJSON(w, e.HTTP, e)
}

// readJSON decodes the body into v.
func (r *request) readJSON(v any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return invalid("Unable to read the request: %v", err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		offset, why := int64(len(body)), err.Error()
		var syntax *jsontext.SyntacticError
		var semantic *json.SemanticError
		switch {
		case errors.As(err, &syntax):
			offset, why = syntax.ByteOffset, syntax.Err.Error()
		case errors.As(err, &semantic):
			offset, why = semantic.ByteOffset, "Cannot deserialize the value of "+string(semantic.JSONPointer)
		}
		before := body[:min(offset, int64(len(body)))]
		line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
		return invalid("Invalid input JSON on line %d, column %d: %s", line, column, why)
	}
	return nil
}

// named returns the kind of record that a wildcard of the path names.
func (p *Portal) named(r *request, wildcard string) (*object, error) {
	o := p.object(r.PathValue(wildcard))
	if o == nil {
		return nil, invalid("Unable to infer object type from: %s", r.PathValue(wildcard))
	}
	return o, nil
}

// objectOf returns the kind of record that a wildcard of the path names, if the token may "read" or "write" its records.
func (p *Portal) objectOf(r *request, wildcard, right string) (*object, error) {
	o, err := p.named(r, wildcard)
	if err != nil {
		return nil, err
	}
	return o, r.scopes.need(o.scopes(right)...)
}

// names returns the values of a query parameter, which may be repeated and hold several with commas between them.
func (r *request) names(key string) []string {
	var names []string
	for _, v := range r.URL.Query()[key] {
		for name := range strings.SplitSeq(v, ",") {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// page tells the client how to go on.
type page struct {
	Next struct {
		After string `json:"after"`
		Link  string `json:"link,omitempty"`
	} `json:"next"`
}

func nextPage(after, link string) *page {
	var p page
	p.Next.After, p.Next.Link = after, link
	return &p
}

// maxAddress is how many bytes the address of a request may have.
const maxAddress = 16_384

// guardSize refuses addresses that are too long as the web server in front of HubSpot does: in HTML.
func guardSize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) <= maxAddress {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusRequestURITooLong)
		fmt.Fprint(w, "<html><head><title>414 Request-URI Too Large</title></head><body><center><h1>414 Request-URI Too Large</h1></center></body></html>")
	})
}

// dated sets the Date header by the portal's clock, which its stamps come from too.
func (p *Portal) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", p.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// isAPI reports whether a path belongs to the API; any other is a page's.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/crm/") || strings.HasPrefix(path, "/account-info/")
}

// trimSlash makes a path of the API with a slash at its end mean the same as without; the official client sends both.
func trimSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := strings.TrimRight(r.URL.Path, "/"); path != r.URL.Path && isAPI(path) {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = path, ""
		}
		next.ServeHTTP(w, r)
	})
}
