package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Limits of composite requests.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
const (
	maxSubrequests = 25
	maxHeavy       = 5 // queries and collections among them
	maxCollection  = 200
	maxChunks      = 10
)

func (o *Org) compositeRoutes(mux *http.ServeMux) {
	const collections = "/services/data/{version}/composite/sobjects"
	mux.Handle("POST "+collections, o.authenticated(o.collection(o.createRecords)))
	mux.Handle("PATCH "+collections, o.authenticated(o.collection(o.updateRecords)))
	mux.Handle("DELETE "+collections, o.authenticated(o.handleDeleteCollection))
	mux.Handle("GET "+collections+"/{object}", o.authenticated(o.handleRetrieveGet))
	mux.Handle("POST "+collections+"/{object}", o.authenticated(o.handleRetrievePost))
	mux.Handle("POST /services/data/{version}/composite", o.authenticated(func(w http.ResponseWriter, r *http.Request, u user, _ string) {
		o.handleComposite(w, r, u, mux)
	}))
}

type saveFunc func(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error)

// collection answers a request to save up to 200 records.
func (o *Org) collection(save saveFunc) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user, _ string) {
		var body struct {
			AllOrNone bool             `json:"allOrNone"`
			Records   []map[string]any `json:"records"`
		}
		if err := readJSON(r, &body); err != nil {
			writeError(w, err)
			return
		}
		rows, err := collectionRows(body.Records, r.Method == http.MethodPatch)
		if err != nil {
			writeError(w, err)
			return
		}
		results, saveErr := save(r.Context(), u, rows, body.AllOrNone)
		writeSaved(w, results, saveErr)
	}
}

func collectionRows(records []map[string]any, update bool) ([]row, *apiError) {
	if len(records) > maxCollection {
		return nil, badRequest("EXCEEDED_ID_LIMIT", fmt.Sprintf("record limit reached. cannot submit more than %d records into this call", maxCollection))
	}
	var rows []row
	chunks := 0
	for i, values := range records {
		attributes, _ := values["attributes"].(map[string]any)
		object, ok := attributes["type"].(string)
		if !ok {
			return nil, badRequest("INVALID_INPUT", fmt.Sprintf("The type attribute is missing from record %d", i))
		}
		if i == 0 || !strings.EqualFold(object, rows[i-1].Object) {
			chunks++
		}
		r := row{Object: object, Values: values}
		if update {
			for _, name := range []string{"id", "Id"} {
				if id, ok := values[name].(string); ok {
					r.ID = id
				}
			}
		}
		rows = append(rows, r)
	}
	if chunks > maxChunks {
		return nil, badRequest("INVALID_INPUT", fmt.Sprintf("The records change their type too often: there can be at most %d chunks", maxChunks))
	}
	return rows, nil
}

func writeSaved(w http.ResponseWriter, results []saved, err error) {
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	list := make([]savedJSON, len(results))
	for i, s := range results {
		list[i] = s.json()
	}
	writeJSON(w, http.StatusOK, list)
}

func (o *Org) handleDeleteCollection(w http.ResponseWriter, r *http.Request, u user, _ string) {
	ids := splitList(r.URL.Query().Get("ids"))
	if len(ids) > maxCollection {
		writeError(w, badRequest("EXCEEDED_ID_LIMIT", fmt.Sprintf("record limit reached. cannot submit more than %d records into this call", maxCollection)))
		return
	}
	var rows []row
	for _, id := range ids {
		rows = append(rows, row{ID: id})
	}
	results, err := o.deleteRecords(r.Context(), u, rows, r.URL.Query().Get("allOrNone") == "true")
	writeSaved(w, results, err)
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func (o *Org) handleRetrieveGet(w http.ResponseWriter, r *http.Request, u user, version string) {
	query := r.URL.Query()
	o.writeRetrieved(w, r, u, version, splitList(query.Get("ids")), splitList(query.Get("fields")))
}

func (o *Org) handleRetrievePost(w http.ResponseWriter, r *http.Request, u user, version string) {
	var body struct{ IDs, Fields []string }
	if err := readJSON(r, &body); err != nil {
		writeError(w, err)
		return
	}
	o.writeRetrieved(w, r, u, version, body.IDs, body.Fields)
}

func (o *Org) writeRetrieved(w http.ResponseWriter, r *http.Request, u user, version string, ids, fields []string) {
	switch {
	case len(ids) > maxBatch:
		writeError(w, badRequest("EXCEEDED_ID_LIMIT", fmt.Sprintf("cannot retrieve more than %d records", maxBatch)))
		return
	case len(ids) == 0 || len(fields) == 0:
		writeError(w, badRequest("INVALID_INPUT", "ids and fields must be given"))
		return
	}
	result, err := o.retrieve(r, u, version, r.PathValue("object"), ids, fields)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, sortByID(result, ids))
}

// subrequest is one part of a composite request.
type subrequest struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Body        json.RawMessage   `json:"body"`
	ReferenceID string            `json:"referenceId"`
	HTTPHeaders map[string]string `json:"httpHeaders"`
}

type subresponse struct {
	Body           json.RawMessage   `json:"body"`
	HTTPHeaders    map[string]string `json:"httpHeaders"`
	HTTPStatusCode int               `json:"httpStatusCode"`
	ReferenceID    *string           `json:"referenceId"` // nil: the answer to the request as a whole
}

var (
	subrequestPath = regexp.MustCompile(`^/services/data/v\d+\.0/(sobjects|query|queryAll|composite/sobjects)(/|\?|$)`)
	heavyPath      = regexp.MustCompile(`^/services/data/v\d+\.0/(query|queryAll|composite/sobjects)(/|\?|$)`)
	referenceForm  = regexp.MustCompile(`@\{(\w+)((?:\.\w+|\[\d+\])*)\}`)
)

// handleComposite answers up to 25 requests in one. A part may refer to the answers to those before it:
// "@{created.id}", "@{found.records[0].Id}".
func (o *Org) handleComposite(w http.ResponseWriter, r *http.Request, u user, mux http.Handler) {
	var body struct {
		AllOrNone        bool         `json:"allOrNone"`
		CompositeRequest []subrequest `json:"compositeRequest"`
	}
	if err := readJSON(r, &body); err != nil {
		writeError(w, err)
		return
	}
	if err := checkComposite(body.CompositeRequest); err != nil {
		refused := answered(err)
		writeJSON(w, http.StatusOK, map[string]any{"compositeResponse": []subresponse{refused}})
		return
	}
	errRolledBack := errors.New("one part failed, so all are rolled back")
	var responses []subresponse
	run := func(ctx context.Context) error {
		c := composite{mux: mux, ctx: part(ctx, u), answers: map[string]any{}}
		for i, s := range body.CompositeRequest {
			responses = append(responses, c.run(s))
			if body.AllOrNone && responses[i].HTTPStatusCode >= 300 {
				return errRolledBack
			}
		}
		return nil
	}
	var err error
	if body.AllOrNone {
		err = o.write(r.Context(), func(ctx context.Context, _ *tx) error { return run(ctx) })
	} else {
		err = run(r.Context())
	}
	switch {
	case errors.Is(err, errRolledBack):
		responses = rolledBack(body.CompositeRequest, responses)
	case err != nil:
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"compositeResponse": responses})
}

// checkComposite refuses a composite request as a whole. Salesforce then answers like to a single part without a
// reference id.
func checkComposite(requests []subrequest) *apiError {
	if len(requests) > maxSubrequests {
		return badRequest("LIMIT_EXCEEDED", fmt.Sprintf("The request can’t contain more than %d operations.", maxSubrequests))
	}
	heavy, seen := 0, map[string]bool{}
	for _, s := range requests {
		if s.ReferenceID == "" || seen[s.ReferenceID] {
			return badRequest("INVALID_INPUT", fmt.Sprintf("Each subrequest needs a referenceId of its own: %q", s.ReferenceID))
		}
		seen[s.ReferenceID] = true
		if heavyPath.MatchString(s.URL) {
			heavy++
		}
	}
	if heavy > maxHeavy {
		return badRequest("LIMIT_EXCEEDED", fmt.Sprintf("The request can’t contain more than %d query or sObject Collections operations.", maxHeavy))
	}
	return nil
}

// rolledBack puts in place of every answer but the failed one, the last, that it was undone or never done.
func rolledBack(requests []subrequest, responses []subresponse) []subresponse {
	all := make([]subresponse, len(requests))
	for i, s := range requests {
		if i == len(responses)-1 {
			all[i] = responses[i]
			continue
		}
		all[i] = halted(s, "The transaction was rolled back since another operation in the same transaction failed.")
	}
	return all
}

func halted(s subrequest, message string) subresponse {
	r := answered(badRequest("PROCESSING_HALTED", message))
	r.ReferenceID = &s.ReferenceID
	return r
}

func answered(e *apiError) subresponse {
	body, err := json.Marshal([]*apiError{e})
	if err != nil { // strings always marshal
		panic(err)
	}
	return subresponse{Body: body, HTTPHeaders: map[string]string{}, HTTPStatusCode: e.Status}
}

// composite runs the parts of one composite request.
type composite struct {
	mux     http.Handler
	ctx     context.Context
	answers map[string]any // decoded bodies by reference id
}

func (c *composite) run(s subrequest) subresponse {
	address, body, missing := c.resolve(s)
	if missing != "" {
		return halted(s, "Invalid reference specified. No value for "+missing+" found")
	}
	if !subrequestPath.MatchString(address) {
		return halted(s, "This resource cannot be part of a composite request: "+address)
	}
	// Clients write spaces into the address of a query; a URL has none.
	r, err := http.NewRequestWithContext(c.ctx, s.Method, strings.ReplaceAll(address, " ", "%20"), bytes.NewReader(body))
	if err != nil {
		return halted(s, "Invalid url: "+address)
	}
	for name, v := range s.HTTPHeaders {
		r.Header.Set(name, v)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	c.mux.ServeHTTP(w, r)
	answer := subresponse{HTTPStatusCode: w.status, HTTPHeaders: map[string]string{}, ReferenceID: &s.ReferenceID, Body: json.RawMessage("null")}
	if w.body.Len() > 0 {
		answer.Body = w.body.Bytes()
	}
	if w.status < 300 {
		var decoded any
		if json.Unmarshal(answer.Body, &decoded) == nil {
			c.answers[s.ReferenceID] = decoded
		}
	}
	return answer
}

// resolve puts answers in the place of references to them. missing is a reference to nothing; "": there is none.
func (c *composite) resolve(s subrequest) (address string, body []byte, missing string) {
	value := func(ref string) string {
		v, ok := c.answer(ref)
		if !ok {
			missing = ref
		}
		return v
	}
	address = referenceForm.ReplaceAllStringFunc(s.URL, func(ref string) string { return url.QueryEscape(value(ref)) })
	body = referenceForm.ReplaceAllFunc(s.Body, func(ref []byte) []byte {
		quoted, err := json.Marshal(value(string(ref)))
		if err != nil { // strings always marshal
			panic(err)
		}
		return quoted[1 : len(quoted)-1]
	})
	return address, body, missing
}

// answer returns the text that a reference such as "@{found.records[0].Id}" stands for; ok is false when there is none.
func (c *composite) answer(ref string) (text string, ok bool) {
	m := referenceForm.FindStringSubmatch(ref)
	v, ok := c.answers[m[1]]
	path := strings.FieldsFunc(m[2], func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	for _, key := range path {
		switch of := v.(type) {
		case map[string]any:
			v, ok = of[key]
		case []any:
			i, err := strconv.Atoi(key)
			if ok = err == nil && i < len(of); ok {
				v = of[i]
			}
		default:
			ok = false
		}
	}
	if !ok {
		return "", false
	}
	text, ok = v.(string)
	return text, ok
}

// recorder keeps the answer to a part.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
