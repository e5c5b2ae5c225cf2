package hubspot

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
)

// apiError refuses a whole request, in HubSpot's words.
// https://developers.hubspot.com/docs/api-reference/error-handling
type apiError struct {
	HTTP          int                 `json:"-"`
	Status        string              `json:"status"` // "error"
	Message       string              `json:"message"`
	CorrelationID string              `json:"correlationId"`
	Category      string              `json:"category,omitempty"`
	SubCategory   string              `json:"subCategory,omitempty"`
	ErrorType     string              `json:"errorType,omitempty"`
	PolicyName    string              `json:"policyName,omitempty"`
	GroupName     string              `json:"groupName,omitempty"`
	Errors        []errorDetail       `json:"errors,omitempty"`
	Context       map[string][]string `json:"context,omitempty"`
	Links         map[string]string   `json:"links,omitempty"`
}

type errorDetail struct {
	Message string              `json:"message"`
	Code    string              `json:"code,omitempty"`
	Context map[string][]string `json:"context,omitempty"`
}

func (e *apiError) Error() string { return e.Category + ": " + e.Message }

func refuse(status int, category, message string) *apiError {
	return &apiError{HTTP: status, Status: "error", Message: message, Category: category}
}

func invalid(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "VALIDATION_ERROR", fmt.Sprintf(format, args...))
}

func notFound(format string, args ...any) *apiError {
	return refuse(http.StatusNotFound, "OBJECT_NOT_FOUND", fmt.Sprintf(format, args...))
}

var (
	errNoRoute = refuse(http.StatusNotFound, "", "resource not found") // also what a version gets that does not exist
	errToken   = refuse(http.StatusUnauthorized, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview")
)

func missingScopes(scopes []string) *apiError {
	e := refuse(http.StatusForbidden, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.")
	e.Errors = []errorDetail{{Message: "One or more of the following scopes are required.", Context: map[string][]string{"requiredGranularScopes": scopes}}}
	e.Links = map[string]string{"scopes": "https://developers.hubspot.com/scopes"}
	return e
}

// asAPIError returns a copy of the *apiError in err with an id of its own; any other error becomes a 500.
func asAPIError(err error) *apiError {
	var e *apiError
	if !errors.As(err, &e) {
		e = refuse(http.StatusInternalServerError, "INTERNAL_ERROR", "internal error: "+err.Error())
	}
	answer := *e
	answer.CorrelationID = newUUID()
	return &answer
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// partError says which inputs of a batch came to nothing.
type partError struct {
	Status      string              `json:"status"` // "error"
	Category    string              `json:"category"`
	SubCategory string              `json:"subCategory,omitempty"`
	Message     string              `json:"message"`
	Context     map[string][]string `json:"context"`
}
