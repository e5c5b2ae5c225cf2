package salesforce

import (
	"encoding/json"
	"net/http"
)

// user is who a session belongs to.
type user struct {
	ID string
}

// userHandler answers a request of a logged-in user. version is the API version of the path, such as "62.0".
type userHandler func(w http.ResponseWriter, r *http.Request, u user, version string)

// authenticated resolves the session and the API version ({version} in the route's pattern, "v62.0") and counts the call.
// It answers 401 INVALID_SESSION_ID by itself, and 404 for a version that does not exist.
//
//	mux.Handle("POST /services/data/{version}/jobs/query", o.authenticated(o.createQueryJob))
func (o *Org) authenticated(h userHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// writeError answers with an array of the errors, in the status of the first.
func writeError(w http.ResponseWriter, errs ...*apiError) {
	writeJSON(w, errs[0].Status, errs)
}

// readJSON decodes a request body into v; numbers become json.Number.
func readJSON(r *http.Request, v any) *apiError { return nil }
