package salesforce

import (
	"errors"
	"fmt"
	"net/http"
)

// apiError refuses a whole request, in Salesforce's words.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
type apiError struct {
	Status  int      `json:"-"`
	Message string   `json:"message"`
	Code    string   `json:"errorCode"`
	Fields  []string `json:"fields,omitempty"`
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func badRequest(code, message string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: message}
}

var (
	errNoResource = &apiError{Status: http.StatusNotFound, Code: "NOT_FOUND", Message: "The requested resource does not exist"}
	errSession    = &apiError{Status: http.StatusUnauthorized, Code: "INVALID_SESSION_ID", Message: "Session expired or invalid"}
)

func invalidType(object string) *apiError {
	return badRequest("INVALID_TYPE", fmt.Sprintf("sObject type '%s' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.", object))
}

// asAPIError returns the *apiError in err; any other error becomes a 500 UNKNOWN_EXCEPTION.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return &apiError{Status: http.StatusInternalServerError, Code: "UNKNOWN_EXCEPTION", Message: "An unexpected error occurred: " + err.Error()}
}

// rowError says why one row was not saved. A row error names its code "statusCode", a request error "errorCode".
type rowError struct {
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func refuse(code, message string, fields ...string) *rowError {
	if fields == nil {
		fields = []string{}
	}
	return &rowError{code, message, fields}
}

var (
	errUnknownID = refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	errDeleted   = refuse("ENTITY_IS_DELETED", "entity is deleted")
	errNoAccess  = refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
)

// request turns the error of the only row of a request into the error of that request.
func (e *rowError) request() *apiError {
	switch {
	case e.StatusCode == errUnknownID.StatusCode && len(e.Fields) == 0, e.StatusCode == "MALFORMED_ID" && len(e.Fields) == 0:
		return errNoResource
	case e.StatusCode == errDeleted.StatusCode:
		return &apiError{Status: http.StatusNotFound, Code: e.StatusCode, Message: e.Message}
	case e.StatusCode == errNoAccess.StatusCode:
		return &apiError{Status: http.StatusForbidden, Code: e.StatusCode, Message: e.Message}
	}
	return &apiError{Status: http.StatusBadRequest, Code: e.StatusCode, Message: e.Message, Fields: e.Fields}
}
