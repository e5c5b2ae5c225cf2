package salesforce

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

const crmName = "Salesforce"

// approvalTakes is when a record that waits for an approval may be worth another try.
const approvalTakes = 24 * time.Hour

// verdict is how a code of Salesforce is classed, and what a person can do about it.
type verdict struct {
	class  error
	remedy string
}

// The remedies that more than one refusal has.
const (
	seeField = "The field does not exist, or the integration user cannot see it: run `handoff setup`, or grant the field in a permission set " +
		"(Setup > Permission Sets > the user's set > Object Settings > Field Permissions)"
	seeOther = "If the record is there, a trigger or flow that its saving starts refers to another one that is gone, or hidden from the integration user: " +
		"ask the admin who owns it"
	seeApp    = "Setup > External Client App Manager > the app > "
	seeSecret = "Correct client_secret: copy the consumer secret again from " + seeApp + "Settings > OAuth Settings > Consumer Key and Secret"
	seeID     = "Correct client_id: copy the consumer key again from " + seeApp + "Settings > OAuth Settings > Consumer Key and Secret"
)

// settings are the keys of the configuration that codes of a refused login point at.
var settings = map[string]string{
	"INVALID_LOGIN":              "password",
	mustUseToken:                 "password",
	passwordLockout:              "password",
	"INVALID_OPERATION":          "auth",
	"unsupported_grant_type":     "auth",
	"invalid_grant":              "client_id",
	"invalid_client_id":          "client_id",
	"invalid_app_access":         "client_id",
	"invalid_client":             "client_secret",
	"invalid_client_credentials": "client_secret",
	unsupportedVersion:           "api_version",
}

// verdicts classes the codes of Salesforce.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
var verdicts = map[string]verdict{
	"UNABLE_TO_LOCK_ROW":     {connectors.ErrRetry, "Another process held the record, or its account: if that happens often, let large jobs run at another time than handoff"},
	"SERVER_UNAVAILABLE":     {connectors.ErrRetry, ""},
	"UNKNOWN_EXCEPTION":      {connectors.ErrRetry, ""},
	queryTimeout:             {connectors.ErrRetry, "Salesforce gives up a query after two minutes: let handoff run while the org is quiet. If it stays so, ask Salesforce Support for an index that speeds the query up"},
	invalidLocator:           {connectors.ErrRetry, "Salesforce lost its place in a long result: do the same once more"},
	"STORAGE_LIMIT_EXCEEDED": {connectors.ErrQuota, "The org's storage is full (Setup > Storage Usage): free some, or buy more"},

	invalidSession:                            {connectors.ErrConfig, "Salesforce refuses a session that it has just given: look at the IP restrictions under " + seeApp + "Policies, and at the login IP ranges and the permission \"API Enabled\" of the integration user's profile"},
	"INVALID_LOGIN":                           {connectors.ErrConfig, "Correct user name or password (with the security token right behind it), or unlock the user under Setup > Users"},
	mustUseToken:                              {connectors.ErrConfig, "Put the user's security token right behind the password, or name this machine's address under Setup > Network Access"},
	passwordLockout:                           {connectors.ErrConfig, "Correct the password, then unlock the user under Setup > Users: wrong passwords have locked it"},
	"LOGIN_DURING_RESTRICTED_TIME":            {connectors.ErrConfig, "Let the integration user log in at any hour: Setup > Profiles > the user's profile > Login Hours"},
	"LOGIN_DURING_RESTRICTED_DOMAIN":          {connectors.ErrConfig, "Let the integration user log in from this machine's address: Setup > Profiles > the user's profile > Login IP Ranges"},
	"INVALID_OPERATION":                       {connectors.ErrConfig, "The org does not allow this login: use an External Client App, and auth = \"client_credentials\""},
	"invalid_grant":                           {connectors.ErrConfig, "Look at " + seeApp + "Policies: client credentials need the flow enabled and a run-as user, who is active"},
	"invalid_client":                          {connectors.ErrConfig, seeSecret},
	"invalid_client_id":                       {connectors.ErrConfig, seeID},
	"invalid_client_credentials":              {connectors.ErrConfig, seeSecret},
	"invalid_app_access":                      {connectors.ErrConfig, "Let the integration user use the app: " + seeApp + "Policies > App Policies names the profiles and permission sets that may"},
	"unsupported_grant_type":                  {connectors.ErrConfig, "Enable this OAuth flow under " + seeApp + "Settings, or choose another auth"},
	unsupportedVersion:                        {connectors.ErrConfig, "Set api_version to one that the org has"},
	"API_DISABLED_FOR_ORG":                    {connectors.ErrConfig, "The org's edition has no API access: ask Salesforce to enable it"},
	"API_CURRENTLY_DISABLED":                  {connectors.ErrConfig, "Grant the integration user the permission \"API Enabled\" (Setup > Permission Sets > the user's set > System Permissions)"},
	"INVALID_FIELD":                           {connectors.ErrConfig, seeField},
	"INVALID_FIELD_FOR_INSERT_UPDATE":         {connectors.ErrConfig, "The integration user may not edit the field: grant edit access to it in a permission set"},
	"INVALID_TYPE":                            {connectors.ErrConfig, "The object does not exist in this org, or the integration user cannot see it"},
	"MALFORMED_QUERY":                         {connectors.ErrConfig, "This is a fault of handoff, or of a field name in the configuration: please report it"},
	"FIELD_INTEGRITY_EXCEPTION":               {connectors.ErrPark, "A value on the record does not go with another one: open the record, correct it, and save it by hand"},
	"FIELD_CUSTOM_VALIDATION_EXCEPTION":       {connectors.ErrPark, "A validation rule refuses the deal as it is: correct the deal, or let the rule pass the integration user"},
	triggerFails:                              {connectors.ErrPark, "A trigger or flow fails on this record: ask the admin who owns it"},
	"STRING_TOO_LONG":                         {connectors.ErrPark, "The field is shorter than handoff expects: let `handoff setup` create it, or make it longer"},
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": {connectors.ErrPark, "Add the value to the picklist, for the record's record type too"},
	"REQUIRED_FIELD_MISSING":                  {connectors.ErrPark, "Fill in the required field on the record"},
	"DUPLICATES_DETECTED":                     {connectors.ErrPark, "A duplicate rule blocks the record: merge it, or let the rule allow saves"},
	entityLocked:                              {connectors.ErrPark, "The record waits for an approval: approve or recall it, or let the integration user edit locked records"},
	"CIRCULAR_DEPENDENCY":                     {connectors.ErrPark, "Records refer to each other in a circle: ask the admin to take one of the links away"},
	"ENTITY_IS_DELETED":                       {connectors.ErrDrop, seeOther},
	"INVALID_CROSS_REFERENCE_KEY":             {connectors.ErrDrop, seeOther},
	"NOT_FOUND":                               {connectors.ErrDrop, seeOther},
}

const (
	invalidSession     = "INVALID_SESSION_ID"
	invalidLocator     = "INVALID_QUERY_LOCATOR"
	queryTimeout       = "QUERY_TIMEOUT"
	unsupportedVersion = "UNSUPPORTED_API_VERSION"
	mustUseToken       = "LOGIN_MUST_USE_SECURITY_TOKEN"
	passwordLockout    = "PASSWORD_LOCKOUT"
	entityLocked       = "ENTITY_IS_LOCKED"
	triggerFails       = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
)

// judge classes a code; status decides where the code is unknown or missing. Status 0: the code belongs to one row.
func judge(status int, code, message string) verdict {
	if v, ok := verdicts[code]; ok {
		if errors.Is(v.class, connectors.ErrDrop) && status != 0 { // nothing that a call as a whole asks for is a record
			return verdict{connectors.ErrConfig, "The org does not know what was asked for: look at the address and the API version"}
		}
		return v
	}
	switch {
	case code == "REQUEST_LIMIT_EXCEEDED" && strings.Contains(message, "Concurrent"):
		return verdict{connectors.ErrRetry, ""}
	case code == "REQUEST_LIMIT_EXCEEDED":
		return verdict{connectors.ErrQuota, "The org has used its API calls of the last 24 hours, which all its integrations share: wait, let the others use fewer, or buy more"}
	case strings.HasPrefix(code, "TXN_SECURITY"):
		return verdict{connectors.ErrConfig, "A transaction security policy blocks the integration user: grant it the permission \"Exempt from Transaction Security\""}
	case strings.HasPrefix(code, "INSUFFICIENT_ACCESS"):
		return verdict{connectors.ErrConfig, "Grant the integration user access to this record or object"}
	case status == 0:
		return verdict{connectors.ErrPark, "Open the record, try to save it by hand, and ask the admin about what Salesforce says"}
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return verdict{connectors.ErrRetry, "The trouble is on Salesforce's side, and the next run tries again: status.salesforce.com tells more"}
	case status < 400:
		return verdict{connectors.ErrConfig, "The address leads elsewhere: set url to the org's My Domain address, which Setup > My Domain shows"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return verdict{connectors.ErrConfig, "Look at " + seeApp + "Policies, and whether a proxy on the way refuses the call"}
	}
	return verdict{connectors.ErrConfig, ""}
}

// reported is an error in the words of Salesforce. A request error names its code "errorCode", a row error "statusCode",
// OAuth "error".
type reported struct {
	Code       string   `json:"errorCode"`
	StatusCode string   `json:"statusCode"`
	OAuth      string   `json:"error"`
	Message    string   `json:"message"`
	OAuthText  string   `json:"error_description"`
	Fields     []string `json:"fields"`
}

func (r reported) at(op string, status int) *connectors.Error {
	code := r.Code + r.StatusCode + r.OAuth // one of them
	message := connectors.Clip(r.Message + r.OAuthText)
	v := judge(status, code, message)
	e := &connectors.Error{
		Op: op, CRM: crmName, Class: v.class, Status: status, Code: code, Message: message, Setting: settings[code], Remedy: v.remedy,
		Fields: r.Fields,
	}
	switch code {
	case entityLocked:
		e.RetryAfter = approvalTakes
	case queryTimeout: // after two minutes, so that it is not tried as often as other faults
		e.Err = os.ErrDeadlineExceeded
	}
	return e
}

// refusal classes an answer that is not a success. The body may be anything: an array of errors, an empty one, OAuth's
// object, a SOAP fault, a page of HTML.
func refusal(op string, status int, header http.Header, body []byte) *connectors.Error {
	err := report(status, header, body).at(op, status)
	if s, convErr := strconv.Atoi(header.Get("Retry-After")); convErr == nil && s > 0 {
		err.RetryAfter = time.Duration(s) * time.Second
	}
	if status/100 == 3 {
		err.Setting = "url"
	}
	return err
}

func report(status int, header http.Header, body []byte) reported {
	var list []reported
	if json.Unmarshal(body, &list, lenient) == nil && len(list) > 0 {
		return list[0]
	}
	var one reported
	if json.Unmarshal(body, &one, lenient) == nil && one.OAuth+one.Code != "" {
		return one
	}
	var fault struct {
		Code string `xml:"Body>Fault>faultcode"`
		Text string `xml:"Body>Fault>faultstring"`
	}
	if xml.Unmarshal(body, &fault) == nil && fault.Code != "" {
		_, code, _ := strings.Cut(fault.Code, ":")
		return reported{Code: code, Message: fault.Text}
	}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return reported{Message: http.StatusText(status) + ", without a word why"}
	case len(list) == 0 && bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")):
		return reported{Message: http.StatusText(status) + ", with an empty list of errors"}
	}
	return reported{Message: fmt.Sprintf("%s, with %d bytes of %s that are no answer of the API", http.StatusText(status), len(body), kind)}
}

// refused returns what Salesforce said; nil: err is none of its errors.
func refused(err error) *connectors.Error {
	e := (*connectors.Error)(nil)
	errors.As(err, &e)
	return e
}

// code returns Salesforce's own code of an error; "": it has none.
func code(err error) string {
	if e := refused(err); e != nil {
		return e.Code
	}
	return ""
}

// undone reports whether a call that failed is certain not to have been carried out.
func undone(err error) bool {
	e := refused(err)
	return connectors.Unsent(err) || e != nil && (e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests || e.Code == "REQUEST_LIMIT_EXCEEDED")
}

// temporary reports whether trying again may help. A lost cursor stays lost.
func temporary(err error) bool {
	return errors.Is(err, connectors.ErrRetry) && code(err) != invalidLocator
}
