package salesforce

import "net/http"

// apiError refuses a whole request, in Salesforce's words.
type apiError struct {
	Status  int      `json:"-"`
	Message string   `json:"message"`
	Code    string   `json:"errorCode"`
	Fields  []string `json:"fields,omitempty"`
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// rowError says why one row was not saved. A row error names its code "statusCode", a request error "errorCode".
type rowError struct {
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

// request turns the error of the only row of a request into the error of that request.
func (e rowError) request() *apiError {
	status := http.StatusBadRequest
	switch e.StatusCode {
	case "NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY":
		status = http.StatusNotFound
	}
	return &apiError{Status: status, Code: e.StatusCode, Message: e.Message, Fields: e.Fields}
}
