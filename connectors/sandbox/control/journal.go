package control

import (
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// journal counts calls by route and keeps a line for each.
type journal struct {
	mu     sync.Mutex
	total  int
	counts map[string]int
	lines  [][]byte
}

// entry is a line of the log. Bodies are JSON values where they are JSON, else strings.
type entry struct {
	Method       string         `json:"method"`
	Path         string         `json:"path"`
	Query        string         `json:"query"` // as sent, without the question mark
	RequestBody  jsontext.Value `json:"requestBody,omitzero"`
	Status       int            `json:"status"`
	ContentType  string         `json:"contentType"` // of the answer
	ResponseBody jsontext.Value `json:"responseBody,omitzero"`
}

func (j *journal) count(route string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total++
	j.counts[route]++
}

func (j *journal) log(e entry) {
	line, err := json.Marshal(e, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic("control: log: " + err.Error()) // every field of an entry has a JSON form
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, append(line, '\n'))
}

func (j *journal) serveCounts(w http.ResponseWriter, _ *http.Request) {
	j.mu.Lock()
	b, err := json.Marshal(struct {
		Total   int            `json:"total"`
		ByRoute map[string]int `json:"by_route"`
	}{j.total, j.counts}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	j.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client may be gone, which is its own affair
}

func (j *journal) reset(w http.ResponseWriter, _ *http.Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.total = 0
	clear(j.counts)
	w.WriteHeader(http.StatusNoContent)
}

func (j *journal) serveLog(w http.ResponseWriter, _ *http.Request) {
	j.mu.Lock()
	lines := j.lines // lines are only ever appended
	j.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-ndjson")
	for _, line := range lines {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

// route names what calls of one kind have in common: the method and the path, segments that vary replaced by "…".
func route(method, path string, varies func(string) bool) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if varies(s) {
			segments[i] = "…"
		}
	}
	return method + " " + strings.Join(segments, "/")
}

// jsonOrText returns b where it is JSON, else as a JSON string; nil for an empty body.
func jsonOrText(b []byte) jsontext.Value {
	if len(b) == 0 {
		return nil
	}
	if v := jsontext.Value(b).Clone(); v.IsValid() {
		return v
	}
	v, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(string(b), "\uFFFD"))
	if err != nil {
		panic("control: quote: " + err.Error()) // only invalid UTF-8 is refused
	}
	return v
}
