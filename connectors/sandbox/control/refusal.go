package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"
)

// Refusal makes the CRM refuse what its API is asked to change of one record, as a rule, an approval or another process that
// holds it does, in the CRM's own form. What other users do passes.
type Refusal struct {
	ID      string   `json:"id"`      // of the record
	Code    string   `json:"code"`    // the CRM's own
	Message string   `json:"message"` // in the CRM's own words
	Fields  []string `json:"fields"`  // that it is about; may be empty
	Times   int      `json:"times"`   // changes that are refused; 0: all of them, until the refusals are deleted
}

type refusalsKey struct{}

// Refused returns the refusal that a change of a record meets, and counts it; false: none.
func Refused(ctx context.Context, id string) (Refusal, bool) {
	if r, _ := ctx.Value(refusalsKey{}).(*refusals); r != nil {
		return r.next(id)
	}
	return Refusal{}, false
}

// refusals are those in force, in the order in which they were added.
type refusals struct {
	mu   sync.Mutex
	list []*refusalInForce
}

type refusalInForce struct {
	Refusal
	seen int
}

func (rs *refusals) next(id string) (Refusal, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		if r.ID == id && (r.Times == 0 || r.seen < r.Times) {
			r.seen++
			return r.Refusal, true
		}
	}
	return Refusal{}, false
}

func (rs *refusals) add(w http.ResponseWriter, r *http.Request) {
	var in refusalInForce
	err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxBody), &in.Refusal, json.RejectUnknownMembers(true))
	if err == nil && (in.ID == "" || in.Code == "" || in.Times < 0) {
		err = errors.New(`"id" and "code" are required, and "times" cannot be negative`)
	}
	if err != nil {
		http.Error(w, fmt.Sprintf("not a refusal: %v", err), http.StatusBadRequest)
		return
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.list = append(rs.list, &in)
	w.WriteHeader(http.StatusNoContent)
}

func (rs *refusals) clear(w http.ResponseWriter, _ *http.Request) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.list = nil
	w.WriteHeader(http.StatusNoContent)
}
