package hubspot

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors"
)

const crmName = "HubSpot"

// Codes of HubSpot that decide what we do next.
const (
	policySecondly = "SECONDLY"
	policyRolling  = "TEN_SECONDLY_ROLLING"
	policyDaily    = "DAILY"
	expiredToken   = "EXPIRED_AUTHENTICATION"
	missingScopes  = "MISSING_SCOPES"
	notFound       = "OBJECT_NOT_FOUND"
)

// statusMigrating: the account is being moved to another data centre.
// https://developers.hubspot.com/docs/api-reference/error-handling
const statusMigrating = 477

// verdict is how a code of HubSpot is classed, which key of the configuration it is about ("": none), and what a person can
// do about it.
type verdict struct {
	class   error
	setting string
	remedy  string
}

const (
	serviceKeys = "Development > Keys > Service keys"
	seeProperty = "Run `handoff setup --apply`, which creates the property, or correct its name under handoff_fields"
	seeAddress  = "Set url to " + DefaultURL + ", or leave it out"
	seeQuota    = "All integrations of the account share its API calls of the day: wait until midnight in the account's time zone, let the others use fewer, or buy more"
	seeRecord   = "Open the record in HubSpot, and try to save the property there by hand"
	seeExpired  = "Create a service key under " + serviceKeys + ", and put it in the token's place: a key lasts until it is deleted, or for seven days after it was rotated; tokens of OAuth apps, which last half an hour, are not renewed by handoff"
	seeToken    = "Correct the token, or create a new service key under " + serviceKeys
)

// verdicts classes the codes of HubSpot: categories, policies of limits, and what is wrong with a property's value.
var verdicts = map[string]verdict{
	policySecondly: {connectors.ErrRetry, "", "Other integrations of the account search as well: it is tried again by the next run"},
	policyRolling:  {connectors.ErrRetry, "", ""},
	policyDaily:    {connectors.ErrQuota, "", seeQuota},

	"INVALID_AUTHENTICATION": {connectors.ErrConfig, "token", seeToken},
	expiredToken:             {connectors.ErrConfig, "token", seeExpired},
	missingScopes:            {connectors.ErrConfig, "token", "Add the missing scopes to the service key under " + serviceKeys},

	notFound:                {connectors.ErrDrop, "", "If the record is there, open it in HubSpot, and try to save the property by hand"},
	"PROPERTY_DOESNT_EXIST": {connectors.ErrConfig, "", seeProperty},
	"READ_ONLY_VALUE":       {connectors.ErrConfig, "", "HubSpot sets this property itself: name another one under handoff_fields"},
	"INVALID_OPTION":        {connectors.ErrPark, "", "Add the value to the property's options, under Settings > Properties"},
	"VALIDATION_ERROR":      {connectors.ErrPark, "", "A rule of the portal may want another property filled in first: look at the deal, and at the conditional rules of its pipeline"},
	"CONFLICT":              {connectors.ErrPark, "", seeRecord},
}

// judge classes a code; status decides where the code is unknown or missing. Status 0: the code belongs to one row.
func judge(status int, code string) verdict {
	if v, ok := verdicts[code]; ok && !(errors.Is(v.class, connectors.ErrDrop) && status != 0) { // nothing that a call as a whole asks for is a record
		return v
	}
	switch {
	case status == 0, status == http.StatusConflict, status == http.StatusBadRequest && strings.HasPrefix(code, "INVALID_"):
		return verdict{connectors.ErrPark, "", seeRecord}
	case status == http.StatusUnauthorized:
		return verdict{connectors.ErrConfig, "token", seeToken}
	case status == http.StatusForbidden:
		return verdict{connectors.ErrConfig, "token", "Look at the scopes of the service key under " + serviceKeys + ", and whether the account's plan has what was asked for"}
	case status >= 500:
		return verdict{connectors.ErrRetry, "", "The trouble is on HubSpot's side, and the next run tries again: status.hubspot.com tells more"}
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status == http.StatusLocked,
		status == statusMigrating, status == http.StatusMultiStatus:
		return verdict{connectors.ErrRetry, "", "The next run tries again"}
	case status < 400:
		return verdict{connectors.ErrConfig, "url", seeAddress}
	}
	return verdict{connectors.ErrConfig, "", ""}
}

// astray says of a 404 which key of the configuration led to a path that does not exist: HubSpot drops all paths of a version
// at once, and a server that is not HubSpot's has none of them, nor HubSpot's words.
func (c *Client) astray(e *connectors.Error, inItsWords bool) {
	version := c.cfg.APIVersion
	if c.cfg.URL != DefaultURL && !inItsWords {
		e.Setting, e.Message, e.Remedy = "url", "this is not the address of HubSpot's API", seeAddress
		return
	}
	e.Setting, e.Message, e.Remedy = "api_version", fmt.Sprintf("HubSpot does not know version %s of its API, which may have ended", version), "Install a newer handoff"
	if version != DefaultAPIVersion {
		e.Remedy = "Leave api_version out, so that it is " + DefaultAPIVersion
	}
}

// reported is an error in the words of HubSpot, of a call or of one row of it. Every member may be missing.
type reported struct {
	Category      string         `json:"category"`
	SubCategory   jsontext.Value `json:"subCategory"` // documented as an object, sent as a string
	Policy        string         `json:"policyName"`
	Message       string         `json:"message"`
	CorrelationID string         `json:"correlationId"`
	Context       jsontext.Value `json:"context"`
	Errors        []struct {
		Context jsontext.Value `json:"context"`
	} `json:"errors"`
}

// about returns what the context names under key, such as the ids in question.
func (r reported) about(key string) []string {
	var all []string
	for _, context := range append([]jsontext.Value{r.Context}, inner(r)...) {
		var named map[string]jsontext.Value
		var values []text
		if json.Unmarshal(context, &named, lenient) == nil && json.Unmarshal(named[key], &values, lenient) == nil {
			for _, v := range values {
				all = append(all, string(v))
			}
		}
	}
	return all
}

func inner(r reported) []jsontext.Value {
	var all []jsontext.Value
	for _, e := range r.Errors {
		all = append(all, e.Context)
	}
	return all
}

// unassociated reports whether the error only says that a record has no associations of the kind.
func (r reported) unassociated() bool {
	return bytes.Contains(r.SubCategory, []byte("NO_ASSOCIATIONS_FOUND"))
}

// at classes the error. Status 0: it is about one row.
func (r reported) at(op string, status int) *connectors.Error {
	e := &connectors.Error{Op: op, CRM: crmName, Status: status, Code: r.Policy, Message: connectors.Clip(r.Message)}
	if e.Code == "" {
		e.Code = r.Category
	}
	if bad := invalidValues(r.Message); len(bad) > 0 {
		e.Code, e.Message = bad[0].Error, connectors.Clip(bad[0].Message)
		for _, b := range bad {
			e.Fields = append(e.Fields, b.Name)
		}
	}
	v := judge(status, e.Code)
	e.Class, e.Setting, e.Remedy = v.class, v.setting, v.remedy
	if missing := scopes(r.about("requiredGranularScopes")); len(missing) > 0 {
		slices.Sort(missing)
		missing = slices.Compact(missing)
		e.Err, e.Remedy = missing, fmt.Sprintf("Add to the service key, under %s: %s", serviceKeys, missing)
	}
	return e
}

// scopes are those that a call would have needed.
type scopes []string

func (s scopes) Error() string { return strings.Join(s, ", ") }

type invalidValue struct {
	Message string `json:"message"`
	Error   string `json:"error"`
	Name    string `json:"name"`
}

// invalidValues reads which values HubSpot refuses: it says so in JSON inside the message.
func invalidValues(message string) []invalidValue {
	_, list, found := strings.Cut(message, "Property values were not valid: ")
	var values []invalidValue
	if !found || json.Unmarshal([]byte(list), &values, lenient) != nil {
		return nil
	}
	return values
}

// refusal classes an answer that is not a success, and returns the id that HubSpot's support asks for. The body may be
// anything: an error, a list, a page of HTML.
func refusal(op string, status int, header http.Header, body []byte) (*connectors.Error, string) {
	var r reported
	if err := json.Unmarshal(body, &r, lenient); err != nil || r.Message == "" && r.Category == "" {
		kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
		r = reported{Message: fmt.Sprintf("%s, with %d bytes of %s that are no answer of the API", http.StatusText(status), len(body), kind)}
		if len(bytes.TrimSpace(body)) == 0 {
			r.Message = http.StatusText(status) + ", without a word why"
		}
		if status < 400 {
			r.Message = "the address leads elsewhere, as a page for logging in does"
		}
	}
	e := r.at(op, status)
	if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e, r.CorrelationID
}

// status returns the HTTP status of an error; 0: it has none.
func status(err error) int {
	if e := (*connectors.Error)(nil); errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// undone reports whether a call that failed is certain not to have been carried out.
func undone(err error) bool {
	switch status(err) {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusLocked, statusMigrating:
		return true
	}
	return connectors.Unsent(err)
}
