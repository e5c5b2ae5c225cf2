package connectors

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The classes of errors, decided once where an answer of a CRM is read. Test for them with errors.Is.
var (
	ErrRetry  = errors.New("temporary; try again")             // retried already as often as is sensible
	ErrQuota  = errors.New("the CRM's quota is spent")         // pause until it returns
	ErrConfig = errors.New("a person must change something")   // credentials, permissions, fields
	ErrPark   = errors.New("the CRM refuses this row for now") // keep it, list it, try it again later
	ErrDrop   = errors.New("the CRM does not find the record") // forget it once a look confirms that: it may be another one that saving it touches
)

// Error is a failure that a CRM reported, or of reaching it. Its text says what to do.
type Error struct {
	Op         string        // what was attempted, such as "read opportunities"
	CRM        string        // "Salesforce" or "HubSpot"
	Class      error         // one of the classes above
	Status     int           // HTTP status; 0: no answer came
	Code       string        // the CRM's own code, such as INVALID_FIELD
	Message    string        // the CRM's own words; never holds a secret
	Setting    string        // the key of the connection's configuration to look at first, such as "client_secret"; may be empty
	Remedy     string        // what a person can do; may be empty
	Fields     []string      // the CRM's names of the fields in question
	RetryAfter time.Duration // how long to wait before another try, where the CRM says so or its connector knows; 0: not known
	Err        error         // the cause below, such as a network error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.CRM, e.Op)
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	} else if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	switch {
	case e.Code != "" && e.Status != 0:
		fmt.Fprintf(&b, " (%s, HTTP %d)", e.Code, e.Status)
	case e.Code != "":
		fmt.Fprintf(&b, " (%s)", e.Code)
	case e.Status != 0:
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Remedy != "" {
		fmt.Fprintf(&b, ". %s", e.Remedy)
	}
	return b.String()
}

// Unwrap makes errors.Is find the class and errors.As the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}
