package hubspot

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
)

const (
	badOption = `{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"x was not one of the allowed options: [Green]\",\"error\":\"INVALID_OPTION\",\"name\":\"handoff_health\"}]","correlationId":"c","category":"VALIDATION_ERROR"}`
	noScope   = `{"status":"error","message":"This app hasn't been granted all required scopes to make this call.","correlationId":"c","category":"MISSING_SCOPES","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.deals.read","crm.objects.contacts.read"]}}]}`
)

func TestRefusal(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		header http.Header
		body   string

		class  error
		code   string
		says   string // part of the text
		fields []string
		after  time.Duration
	}{
		{"bad token", 401, nil, `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION"}`,
			connectors.ErrConfig, "INVALID_AUTHENTICATION", "create a new service key", nil, 0},
		{"unknown code", 401, nil, `{"message":"no","category":"INVALID_SESSION_ID"}`, connectors.ErrConfig, "INVALID_SESSION_ID", "Correct the token", nil, 0},
		{"expired token, scalar context", 401, nil, `{"message":"expired","category":"EXPIRED_AUTHENTICATION","context":{"expire time":["2026-01-01"],"other":7}}`,
			connectors.ErrConfig, "EXPIRED_AUTHENTICATION", "Create a service key", nil, 0},
		{"missing scopes", 403, nil, noScope, connectors.ErrConfig, "MISSING_SCOPES",
			"Add to the service key, under Development > Keys > Service keys: crm.objects.contacts.read, crm.objects.deals.read", nil, 0},
		{"search limit", 429, nil, `{"message":"You have reached your secondly limit.","errorType":"RATE_LIMIT","policyName":"SECONDLY"}`,
			connectors.ErrRetry, "SECONDLY", "secondly", nil, 0},
		{"daily limit", 429, nil, `{"message":"You have reached your daily limit.","policyName":"DAILY"}`, connectors.ErrQuota, "DAILY", "midnight", nil, 0},
		{"limit without a policy", 429, nil, `{"message":"slow down"}`, connectors.ErrRetry, "", "slow down", nil, 0},
		{"locked", 423, nil, ``, connectors.ErrRetry, "", "Locked, without a word why", nil, 0},
		{"migrating", 477, http.Header{"Retry-After": {"30"}}, `{"message":"Migration in progress"}`, connectors.ErrRetry, "", "Migration", nil, 30 * time.Second},
		{"bad option", 400, nil, badOption, connectors.ErrPark, "INVALID_OPTION", "was not one of the allowed options", []string{"handoff_health"}, 0},
		{"unknown property", 400, nil, strings.ReplaceAll(badOption, "INVALID_OPTION", "PROPERTY_DOESNT_EXIST"),
			connectors.ErrConfig, "PROPERTY_DOESNT_EXIST", "handoff setup", []string{"handoff_health"}, 0},
		{"unknown kind of bad value", 400, nil, strings.ReplaceAll(badOption, "INVALID_OPTION", "INVALID_LONG"), connectors.ErrPark, "INVALID_LONG", "", []string{"handoff_health"}, 0},
		{"a rule of the portal", 400, nil, `{"message":"Missing required properties: loss_reason","category":"VALIDATION_ERROR"}`, connectors.ErrPark, "VALIDATION_ERROR", "conditional rules", nil, 0},
		{"unknown path", 404, nil, `{"message":"resource not found","category":"OBJECT_NOT_FOUND"}`, connectors.ErrConfig, "OBJECT_NOT_FOUND", "resource not found", nil, 0},
		{"page", 503, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, `<html>down</html>`, connectors.ErrRetry, "", "17 bytes of text/html", nil, 0},
		{"empty list", 500, nil, `[]`, connectors.ErrRetry, "", "no answer of the API", nil, 0},
		{"null", 500, nil, `null`, connectors.ErrRetry, "", "no answer of the API", nil, 0},
		{"redirect", 302, nil, ``, connectors.ErrConfig, "", DefaultURL, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, _ := refusal("read deals", tc.status, tc.header, []byte(tc.body))
			if !errors.Is(e, tc.class) || e.Code != tc.code || !strings.Contains(e.Error(), tc.says) || e.RetryAfter != tc.after {
				t.Errorf("%v: %v, code %q, after %v", e.Class, e, e.Code, e.RetryAfter)
			}
			if setting := map[int]string{302: "url", 401: "token", 403: "token"}[tc.status]; e.Setting != setting {
				t.Errorf("at %q, want %q", e.Setting, setting)
			}
			if diff := cmp.Diff(tc.fields, e.Fields); diff != "" {
				t.Errorf("fields, -want +got:\n%s", diff)
			}
		})
	}
}

func TestPause(t *testing.T) {
	limit := func(policy string) error { return reported{Policy: policy}.at("read deals", 429) }
	for _, tc := range []struct {
		name        string
		err         error
		n           int
		least, most time.Duration
	}{
		{"searches", limit("SECONDLY"), 2, 2 * time.Second, 2 * time.Second},
		{"all calls", limit("TEN_SECONDLY_ROLLING"), 3, 30 * time.Second, 30 * time.Second},
		{"unnamed limit", limit(""), 1, 10 * time.Second, 10 * time.Second},
		{"asked for", &connectors.Error{Status: 477, RetryAfter: 7 * time.Second}, 1, 7 * time.Second, 7 * time.Second},
		{"locked", &connectors.Error{Status: 423}, 1, 2 * time.Second, 3 * time.Second},
		{"server", &connectors.Error{Status: 502}, 3, time.Second, 2 * time.Second},
		{"no answer", errors.New("reset"), 1, 250 * time.Millisecond, 500 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := pause(tc.err, tc.n); got < tc.least || got > tc.most {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add(400, badOption)
	f.Add(403, noScope)
	f.Add(429, `{"policyName":"DAILY"}`)
	f.Add(207, `{"context":{"ids":[1,"2",null]},"errors":[{"context":[]}],"subCategory":{}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		e, _ := refusal("op", status, nil, []byte(body))
		if e.Class == nil || e.Op != "op" {
			t.Fatalf("%+v", e)
		}
	})
}
