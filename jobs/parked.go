package jobs

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// How long a write that the CRM refused waits for its next try, where the CRM's connector does not say. It doubles with each
// try, up to the most.
const (
	lockedWait, lockedMost   = 5 * time.Minute, time.Hour // another process held the record
	refusedWait, refusedMost = time.Hour, 24 * time.Hour  // a rule of the CRM
)

// Refusal is what a CRM said when it refused a write, and when that is tried again.
type Refusal struct {
	Code    string    `json:"code,omitzero"`    // the CRM's, such as FIELD_CUSTOM_VALIDATION_EXCEPTION
	Message string    `json:"message"`          // the CRM's own words
	Fields  []string  `json:"fields,omitempty"` // the CRM's names of the fields in question
	Remedy  string    `json:"remedy,omitzero"`  // what a person can do
	Since   time.Time `json:"since"`            // of the first refusal with this code
	At      time.Time `json:"at"`               // of the last one
	Tries   int       `json:"tries"`            // with this code
	Next    time.Time `json:"next"`             // not tried before, unless the record or what is to be written changes
	Changed time.Time `json:"changed,omitzero"` // when the record had changed last, by the CRM's clock; zero: not known
	Sent    string    `json:"sent"`             // a digest of what was refused
}

// Parked is a record whose last write the CRM refused.
type Parked struct {
	Connection string
	Ref        crm.Ref
	Name       string // of a deal
	Refusal    Refusal
}

// refusalOf returns the refusal of w, after an earlier one of the same record; nil: the write before was not refused.
func refusalOf(w *Write, earlier *Refusal, err *connectors.Error) *Refusal {
	r := &Refusal{Code: err.Code, Message: err.Message, Fields: err.Fields, Remedy: err.Remedy, Since: w.At, At: w.At, Tries: 1, Changed: w.Changed, Sent: digest(w.After)}
	if err.Message == "" && err.Err != nil {
		r.Message = err.Err.Error()
	}
	if earlier != nil && earlier.Code == r.Code {
		r.Since, r.Tries = earlier.Since, earlier.Tries+1
	}
	if earlier != nil && r.Changed.IsZero() {
		r.Changed = earlier.Changed
	}
	r.Next = r.At.Add(wait(err, r.Tries))
	return r
}

// wait returns how long a write that was refused with err waits, after so many tries.
func wait(err *connectors.Error, tries int) time.Duration {
	doubled := min(tries-1, 10)
	switch {
	case err.RetryAfter > 0:
		return err.RetryAfter
	case err.Code == "": // refused by our own check of the value: what it needs is made in the CRM's setup, and asking costs no call
		return 0
	case errors.Is(err, connectors.ErrRetry):
		return min(lockedWait<<doubled, lockedMost)
	}
	return min(refusedWait<<doubled, refusedMost)
}

// early reports whether the same is not to be tried again yet; of nil it may be.
func (r *Refusal) early(now time.Time) bool { return r != nil && now.Before(r.Next) }

// waits reports whether a write of the given values is not to be tried yet.
func (r *Refusal) waits(values crm.Values, now time.Time) bool {
	return r.early(now) && r.Sent == digest(values)
}

// before reports whether a record has changed since r, by the CRM's clock: a write that it refuses moves no stamp.
func (r *Refusal) before(change time.Time) bool { return r != nil && change.After(r.Changed) }

// String is what the CRM said, in a line.
func (r *Refusal) String() string {
	if r.Code == "" {
		return r.Message
	}
	return fmt.Sprintf("%s (%s)", r.Message, r.Code)
}

// digest identifies values to be written, but for the moment of scoring.
func digest(values crm.Values) string {
	h := fnv.New64a()
	for _, field := range slices.Sorted(maps.Keys(values)) {
		if field != fieldScoredAt {
			fmt.Fprintf(h, "%q%q", field, values[field])
		}
	}
	return strconv.FormatUint(h.Sum64(), 16)
}
