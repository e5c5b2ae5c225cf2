package salesforce

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
)

func TestRefusal(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		class  error
		text   string // what the error says
	}{
		{"field", 400, `[{"message":"No such column 'X__c' on entity 'Opportunity'","errorCode":"INVALID_FIELD"}]`, connectors.ErrConfig,
			"Salesforce: test: No such column 'X__c' on entity 'Opportunity' (INVALID_FIELD, HTTP 400). The field does not exist, or the integration user cannot see it"},
		{"daily quota", 403, `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, connectors.ErrQuota, "API calls of the last 24 hours"},
		{"concurrent calls", 403, `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, connectors.ErrRetry, "Concurrent"},
		{"security policy", 403, `[{"message":"blocked","errorCode":"TXN_SECURITY_METERING_ERROR"}]`, connectors.ErrConfig, "Exempt from Transaction Security"},
		{"no access", 403, `[{"message":"insufficient access rights","errorCode":"INSUFFICIENT_ACCESS_OR_READONLY"}]`, connectors.ErrConfig, "Grant the integration user access"},
		{"query timeout", 400, `[{"message":"Your query request was running for too long.","errorCode":"QUERY_TIMEOUT"}]`, connectors.ErrRetry, "QUERY_TIMEOUT"},
		{"unknown code", 400, `[{"message":"odd","errorCode":"BRAND_NEW"}]`, connectors.ErrConfig, "odd (BRAND_NEW, HTTP 400)"},
		{"unknown code of the server", 500, `[{"message":"odd","errorCode":"BRAND_NEW"}]`, connectors.ErrRetry, "odd (BRAND_NEW, HTTP 500)"},
		{"call for what is not there", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`, connectors.ErrConfig, "API version"},
		{"several", 400, `[{"message":"first","errorCode":"MALFORMED_QUERY"},{"message":"second","errorCode":"X"}]`, connectors.ErrConfig, "first"},
		{"OAuth", 400, `{"error":"invalid_client","error_description":"invalid client credentials"}`, connectors.ErrConfig, "invalid client credentials (invalid_client, HTTP 400). Correct client_secret: copy"},
		{"SOAP", 500, `<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><e:Body><e:Fault><faultcode>sf:INVALID_LOGIN</faultcode><faultstring>INVALID_LOGIN: Invalid username</faultstring></e:Fault></e:Body></e:Envelope>`,
			connectors.ErrConfig, "INVALID_LOGIN: Invalid username (INVALID_LOGIN, HTTP 500). Correct user name or password"},
		{"empty list", 500, `[]`, connectors.ErrRetry, "Internal Server Error, with an empty list of errors (HTTP 500)"},
		{"null", 400, `null`, connectors.ErrConfig, "Bad Request, with 4 bytes of application/json that are no answer of the API (HTTP 400)"},
		{"no body", 503, ``, connectors.ErrRetry, "Service Unavailable, without a word why (HTTP 503)"},
		{"page", 502, `<html><body>secret</body></html>`, connectors.ErrRetry, "Bad Gateway, with 32 bytes of application/json that are no answer of the API (HTTP 502)"},
		{"address too long", 414, ``, connectors.ErrConfig, "Request URI Too Long, without a word why (HTTP 414)"},
		{"headers too long", 431, `<h1>Bad Message 431</h1>`, connectors.ErrConfig, "Request Header Fields Too Large, with 24 bytes of application/json that are no answer of the API (HTTP 431)"},
		{"redirect", 302, ``, connectors.ErrConfig, "My Domain"},
		{"too many requests", 429, ``, connectors.ErrRetry, "HTTP 429"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := refusal("test", tc.status, http.Header{"Content-Type": {"application/json;charset=UTF-8"}}, []byte(tc.body))
			if !errors.Is(err, tc.class) {
				t.Errorf("class %v, want %v", err.Class, tc.class)
			}
			if !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got  %s\nwant %s", err, tc.text)
			}
		})
	}
}

func TestRowVerdict(t *testing.T) {
	for _, tc := range []struct {
		code  string
		class error
	}{
		{"UNABLE_TO_LOCK_ROW", connectors.ErrRetry},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", connectors.ErrPark},
		{"ENTITY_IS_LOCKED", connectors.ErrPark},
		{"STRING_TOO_LONG", connectors.ErrPark},
		{"ENTITY_IS_DELETED", connectors.ErrDrop},
		{"INVALID_CROSS_REFERENCE_KEY", connectors.ErrDrop},
		{"NOT_FOUND", connectors.ErrDrop},
		{"INVALID_FIELD", connectors.ErrConfig},
		{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", connectors.ErrConfig},
		{"BRAND_NEW", connectors.ErrPark},
	} {
		t.Run(tc.code, func(t *testing.T) {
			t.Parallel()
			if err := (reported{StatusCode: tc.code, Message: "m"}).at("test", 0); !errors.Is(err, tc.class) || err.Code != tc.code {
				t.Errorf("got %v (%v), want %v", err, err.Class, tc.class)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	err := refusal("test", 503, http.Header{"Retry-After": {"7"}}, nil)
	if err.RetryAfter != 7*time.Second {
		t.Errorf("got %v", err.RetryAfter)
	}
}

func FuzzReport(f *testing.F) {
	f.Add(500, []byte(`[]`))
	f.Add(400, []byte(`[{"errorCode":"X","fields":[null]}]`))
	f.Add(400, []byte(`<e:Envelope>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if err := refusal("test", status, http.Header{}, body); err.Class == nil || err.Error() == "" {
			t.Errorf("not classed: %v", err)
		}
	})
}
