package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The API versions that the org speaks.
const (
	firstVersion = 31
	lastVersion  = 68
)

// maxRequest is how many bytes the address and the headers of a request may have together.
const maxRequest = 16_384

// user is who a session belongs to.
type user struct {
	ID        string
	AllFields bool // sees and edits guarded fields whatever the permission sets say
}

// userHandler answers a request of a logged-in user. version is the API version of the path, such as "62.0".
type userHandler func(w http.ResponseWriter, r *http.Request, u user, version string)

// partKey marks the context of a request that is a part of another, and holds its user.
type partKey struct{}

// authenticated resolves the session and the API version ({version} in the route's pattern, "v62.0") and counts the call.
// It answers 401 INVALID_SESSION_ID by itself, 403 REQUEST_LIMIT_EXCEEDED, and 404 for a version that does not exist.
//
//	mux.Handle("POST /services/data/{version}/jobs/query", o.authenticated(o.createQueryJob))
func (o *Org) authenticated(h userHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		version, apiErr := apiVersion(r)
		if apiErr != nil {
			writeError(w, apiErr)
			return
		}
		if u, ok := r.Context().Value(partKey{}).(user); ok {
			h(w, r, u, version)
			return
		}
		u, ok := o.sessions.user(bearer(r), o.now())
		if !ok {
			writeError(w, errSession)
			return
		}
		now := o.now()
		granted := o.unlimited || o.calls.take(now)
		w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", o.calls.used(now), dailyCalls))
		if !granted {
			writeError(w, errCalls)
			return
		}
		h(w, r, u, version)
	})
}

// part returns the context of a request that is a part of another one of u: it needs no session and is not counted.
func part(ctx context.Context, u user) context.Context { return context.WithValue(ctx, partKey{}, u) }

// apiVersion returns the version in the path, "" where the route has none.
func apiVersion(r *http.Request) (string, *apiError) {
	segment := r.PathValue("version")
	if segment == "" {
		return "", nil
	}
	major, ok := strings.CutSuffix(strings.TrimPrefix(segment, "v"), ".0")
	n, err := strconv.Atoi(major)
	switch {
	case !ok || err != nil || !strings.HasPrefix(segment, "v") || n > lastVersion:
		return "", errNoResource
	case n < firstVersion:
		return "", &apiError{Status: http.StatusGone, Code: "UNSUPPORTED_API_VERSION", Message: fmt.Sprintf("API version %d.0 is retired", n)}
	}
	return segment[1:], nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth") {
		return token
	}
	return ""
}

// writeJSON answers with v, equal values in equal bytes, so that what an org holds can be compared by what it answers.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	// A failure here is the client's hanging up, or it would have failed before: nobody is left to tell.
	_ = jsonv2.MarshalWrite(w, v, jsontext.AllowInvalidUTF8(true), jsonv2.Deterministic(true))
}

// writeError answers with an array of the errors, in the status of the first.
func writeError(w http.ResponseWriter, errs ...*apiError) {
	writeJSON(w, errs[0].Status, errs)
}

// readJSON decodes a request body into v; numbers become json.Number.
func readJSON(r *http.Request, v any) *apiError {
	dec := json.NewDecoder(r.Body)
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return badRequest("JSON_PARSER_ERROR", err.Error())
	}
	return nil
}

// guardSize refuses requests whose address and headers are too long, as the web server in front of Salesforce does: in
// HTML, without an error code.
func guardSize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := len(r.Method) + len(r.RequestURI)
		status := http.StatusRequestURITooLong
		if size <= maxRequest {
			status = http.StatusRequestHeaderFieldsTooLarge
			for name, values := range r.Header {
				for _, v := range values {
					size += len(name) + len(v) + len(": \r\n")
				}
			}
		}
		if size <= maxRequest {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html;charset=iso-8859-1")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<h1>Bad Message %d</h1><pre>reason: %s</pre>", status, http.StatusText(status))
	})
}

// dated sets the Date header by the org's clock, which its stamps come from too.
func (o *Org) dated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", o.now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// trimSlash makes a path with a slash at its end mean the same as without, below /services.
func trimSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := strings.TrimRight(r.URL.Path, "/"); path != r.URL.Path && strings.HasPrefix(path, "/services/") {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = path, ""
		}
		next.ServeHTTP(w, r)
	})
}
