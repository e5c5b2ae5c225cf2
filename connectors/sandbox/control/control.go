// Package control wraps an emulated CRM in what demos and tests need around it: counts and a log of the calls, faults,
// latency, edits by another user, and permissions taken away. It knows no CRM.
//
// Its own endpoints lie below /_sandbox/ and are never counted, logged, delayed or hit by a fault:
//
//	GET    /_sandbox/requests               {"total":3,"by_route":{"GET /services/data/…/query":3}}
//	DELETE /_sandbox/requests               sets the counts to zero
//	GET    /_sandbox/log                    one JSON object a line for each call since the start, in order of completion
//	PATCH  /_sandbox/records/{object}/{id}  changes fields of a record as another user would
//	POST   /_sandbox/faults                 adds a Fault
//	DELETE /_sandbox/faults                 removes all faults
//	POST   /_sandbox/refusals               adds a Refusal
//	DELETE /_sandbox/refusals               removes all refusals
//	POST   /_sandbox/revoked                {"permission":"Note.read"} takes a permission away from the integration's user
//	DELETE /_sandbox/revoked                gives all of them back
//	PUT    /_sandbox/usage                  {"calls":79990} sets how many API calls of the day are used, by all integrations
//
// How a permission is called is the CRM's affair; one that it does not know is refused.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// CRM is what this package needs of an emulated CRM. Every field is required, unless it says what nil means.
type CRM struct {
	Handler http.Handler

	// API reports whether a path belongs to the CRM's API. Anything else, such as a page for people, passes untouched.
	API func(path string) bool

	// Secret reports whether calls of a path carry credentials: neither their query nor their bodies are logged.
	Secret func(path string) bool

	// Varies reports whether a path segment differs between calls of one route, as a record id does.
	Varies func(segment string) bool

	// WriteError answers with an error of the CRM's own form. Status 0 is the status that the CRM sends with that code.
	WriteError func(w http.ResponseWriter, status int, code string)

	// Edit changes fields of a record as a user other than the integration's would. Values are as encoding/json decodes
	// them, numbers json.Number. Its error is shown to the caller.
	Edit func(ctx context.Context, object, id string, fields map[string]any) error

	// Revoke takes a permission away from the integration's user, until Restore gives all of them back. To take one away
	// twice is no error; its error is shown to the caller. Nil, both of them: this CRM's permissions are fixed.
	Revoke  func(permission string) error
	Restore func()

	// Use sets how many API calls of the day are used, as other integrations of the org or portal may have done.
	Use func(calls int)
}

// Options are the same for every CRM.
type Options struct {
	Latency time.Duration // every call of the API waits this long before it is handled
	NoLog   bool          // keep no log; without it every call's bodies stay in memory

	// Sleep waits until a change may be committed that a fault puts off; nil: time.Sleep. Clocks that are moved by hand
	// bring their own.
	Sleep func(time.Duration)
}

// maxBody is well above Salesforce's 150 MB, the largest upload that either CRM takes.
const maxBody = 256 << 20

// New returns a handler that serves the CRM and the control endpoints.
func New(crm CRM, opts Options) http.Handler {
	if opts.Sleep == nil {
		opts.Sleep = time.Sleep
	}
	c := &controller{crm: crm, opts: opts, journal: journal{counts: map[string]int{}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sandbox/requests", c.journal.serveCounts)
	mux.HandleFunc("DELETE /_sandbox/requests", c.journal.reset)
	mux.HandleFunc("GET /_sandbox/log", c.journal.serveLog)
	mux.HandleFunc("PATCH /_sandbox/records/{object}/{id}", c.edit)
	mux.HandleFunc("POST /_sandbox/faults", c.faults.add)
	mux.HandleFunc("DELETE /_sandbox/faults", c.faults.clear)
	mux.HandleFunc("POST /_sandbox/refusals", c.refusals.add)
	mux.HandleFunc("DELETE /_sandbox/refusals", c.refusals.clear)
	mux.HandleFunc("POST /_sandbox/revoked", c.revoke)
	mux.HandleFunc("DELETE /_sandbox/revoked", c.restore)
	mux.HandleFunc("PUT /_sandbox/usage", c.use)
	mux.HandleFunc("/_sandbox/", http.NotFound)
	mux.HandleFunc("/", c.serve)
	return mux
}

type controller struct {
	crm      CRM
	opts     Options
	journal  journal
	faults   faults
	refusals refusals
}

func (c *controller) serve(w http.ResponseWriter, r *http.Request) {
	if !c.crm.API(r.URL.Path) {
		c.crm.Handler.ServeHTTP(w, r)
		return
	}
	if !sleep(r.Context(), c.opts.Latency) {
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "read request: "+err.Error(), status)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))

	fault := c.faults.next(r.Method, r.URL.Path)
	a := &answer{header: http.Header{}}
	if fault.answers() {
		fault.answer(a, c.crm.WriteError)
	} else {
		ctx := context.WithValue(r.Context(), faultKey{}, hit{fault, c.opts.Sleep})
		c.crm.Handler.ServeHTTP(a, r.WithContext(context.WithValue(ctx, refusalsKey{}, &c.refusals)))
	}
	fault.amend(a.header)
	// An answer that will not arrive was still given: the log shows what the CRM did.
	c.record(r, body, a)
	if !sleep(r.Context(), fault.delay()) {
		panic(http.ErrAbortHandler)
	}
	switch {
	case fault != nil && fault.Reset:
		reset(w)
	case fault != nil && fault.Truncate:
		a.sendHalf(w)
	default:
		a.send(w)
	}
}

func (c *controller) record(r *http.Request, body []byte, a *answer) {
	c.journal.count(route(r.Method, r.URL.Path, c.crm.Varies))
	if c.opts.NoLog {
		return
	}
	e := entry{Method: r.Method, Path: r.URL.Path, Status: a.code(), ContentType: a.header.Get("Content-Type")}
	if !c.crm.Secret(r.URL.Path) {
		e.Query = r.URL.RawQuery
		e.RequestBody = jsonOrText(body)
		e.ResponseBody = jsonOrText(a.body.Bytes())
	}
	c.journal.log(e)
}

func (c *controller) edit(w http.ResponseWriter, r *http.Request) {
	var fields map[string]any
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		http.Error(w, fmt.Sprintf("the body must be a JSON object of fields and their new values: %v", err), http.StatusBadRequest)
		return
	}
	if err := c.crm.Edit(r.Context(), r.PathValue("object"), r.PathValue("id"), fields); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

const fixedPermissions = "the permissions of this CRM are fixed"

func (c *controller) revoke(w http.ResponseWriter, r *http.Request) {
	if c.crm.Revoke == nil {
		http.Error(w, fixedPermissions, http.StatusBadRequest)
		return
	}
	var body struct {
		Permission string `json:"permission"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		http.Error(w, fmt.Sprintf(`the body must be {"permission":"…"}: %v`, err), http.StatusBadRequest)
		return
	}
	if err := c.crm.Revoke(body.Permission); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *controller) restore(w http.ResponseWriter, _ *http.Request) {
	if c.crm.Restore == nil {
		http.Error(w, fixedPermissions, http.StatusBadRequest)
		return
	}
	c.crm.Restore()
	w.WriteHeader(http.StatusNoContent)
}

func (c *controller) use(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Calls *int `json:"calls"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || body.Calls == nil || *body.Calls < 0 {
		http.Error(w, `the body must be {"calls":N}, N a whole number from 0`, http.StatusBadRequest)
		return
	}
	c.crm.Use(*body.Calls)
	w.WriteHeader(http.StatusNoContent)
}

// answer keeps a response back until it is decided how it is delivered.
type answer struct {
	status int // 0: not written yet
	header http.Header
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

func (a *answer) send(w http.ResponseWriter) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.code())
	_, _ = w.Write(a.body.Bytes()) // the client may be gone, which is its own affair
}

// sendHalf announces the whole body, sends the first half of it and closes the connection.
func (a *answer) sendHalf(w http.ResponseWriter) {
	a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	a.body.Truncate(a.body.Len() / 2)
	a.send(w)
	_ = http.NewResponseController(w).Flush() // as much as arrives: the connection breaks here in any case
	panic(http.ErrAbortHandler)
}

// reset breaks the connection with a TCP RST, before any byte of an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2: ending the stream is all that can be done
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a connection that refuses is closed all the same, only less rudely
	}
	_ = conn.Close() // broken is what it should be
}

// sleep waits for d and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
