package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"handoff/connectors/sandbox/control"
)

// Control says what the sandbox's control endpoints need to know of this portal.
func (p *Portal) Control() control.CRM {
	return control.CRM{
		Handler:    p.Handler(),
		API:        isAPI,
		Secret:     func(string) bool { return false },
		Varies:     varying.MatchString,
		WriteError: writeCode,
		Edit:       p.edit,
		Revoke:     p.revoke,
		Restore:    p.restore,
		Use:        func(calls int) { p.limits.use(p.now(), calls) },
	}
}

// NoLimits takes the rate limits away. Call it before the portal is served.
func (p *Portal) NoLimits() { p.unlimited = true }

// varying matches versions and record ids.
var varying = regexp.MustCompile(`^(v?\d+|20\d\d-\d\d)$`)

// faultStatus holds the statuses of categories that do not come as 400.
var faultStatus = map[string]int{
	"INVALID_AUTHENTICATION": http.StatusUnauthorized,
	"EXPIRED_AUTHENTICATION": http.StatusUnauthorized,
	"MISSING_SCOPES":         http.StatusForbidden,
	"BANNED":                 http.StatusForbidden,
	"OBJECT_NOT_FOUND":       http.StatusNotFound,
	"CONFLICT":               http.StatusConflict,
	"INTERNAL_ERROR":         http.StatusInternalServerError,
	"SECONDLY":               http.StatusTooManyRequests,
	"TEN_SECONDLY_ROLLING":   http.StatusTooManyRequests,
	"DAILY":                  http.StatusTooManyRequests,
}

// writeCode answers with an error. code is the policy of a 429 and the category of any other.
func writeCode(w http.ResponseWriter, status int, code string) {
	if status == 0 {
		status = http.StatusBadRequest
		if s, ok := faultStatus[code]; ok {
			status = s
		}
	}
	if status == http.StatusTooManyRequests {
		writeError(w, tooMany(code))
		return
	}
	writeError(w, refuse(status, code, strings.ToLower(strings.ReplaceAll(code, "_", " "))+" (by a fault of the sandbox)"))
}

// edit changes properties of a record as the people on the record pages do.
func (p *Portal) edit(ctx context.Context, name, id string, fields map[string]any) error {
	o := p.object(name)
	if o == nil {
		return fmt.Errorf("there is no object %q", name)
	}
	values := make(map[string]string, len(fields))
	for k, v := range fields {
		switch v := v.(type) {
		case nil:
			values[k] = ""
		case string, bool, json.Number:
			values[k] = fmt.Sprint(v)
		default:
			return fmt.Errorf("property %s: a value is a string, a number, true, false or null", k)
		}
	}
	return p.updateOne(ctx, o, id, values, pageUser)
}
