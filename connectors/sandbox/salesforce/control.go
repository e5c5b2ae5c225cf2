package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"handoff/connectors/sandbox/control"
)

// Control says what the sandbox's control endpoints need to know of this org.
func (o *Org) Control() control.CRM {
	return control.CRM{
		Handler: o.Handler(),
		API: func(path string) bool {
			return strings.HasPrefix(path, "/services/") || strings.HasPrefix(path, "/id/")
		},
		Secret: func(path string) bool {
			return strings.HasPrefix(path, "/services/oauth2/") || strings.HasPrefix(path, "/services/Soap/") || strings.HasPrefix(path, "/id/")
		},
		Varies:     varying.MatchString,
		WriteError: writeCode,
		Edit:       o.edit,
		Revoke:     o.revoke,
		Restore:    o.restore,
		Use:        func(calls int) { o.calls.set(o.now(), calls) },
	}
}

// NoLimits keeps calls from counting against the daily limit. Call it before the org is served.
func (o *Org) NoLimits() { o.unlimited = true }

// varying matches API versions, record ids and query locators.
var varying = regexp.MustCompile(`^(v?\d+\.\d|[0-9a][0-9A-Za-z]{14}([0-9A-Za-z]{3})?(-\d+)?)$`)

// faultStatus holds the statuses of codes that do not come as 400.
var faultStatus = map[string]int{
	"INVALID_SESSION_ID":     http.StatusUnauthorized,
	"REQUEST_LIMIT_EXCEEDED": http.StatusForbidden,
	"STORAGE_LIMIT_EXCEEDED": http.StatusForbidden,
	"API_DISABLED_FOR_ORG":   http.StatusForbidden,
	"API_CURRENTLY_DISABLED": http.StatusForbidden,
	"INSUFFICIENT_ACCESS":    http.StatusForbidden,
	"NOT_FOUND":              http.StatusNotFound,
	"ENTITY_IS_DELETED":      http.StatusNotFound,
	"UNKNOWN_EXCEPTION":      http.StatusInternalServerError,
	"SERVER_UNAVAILABLE":     http.StatusServiceUnavailable,
}

func writeCode(w http.ResponseWriter, status int, code string) {
	if status == 0 {
		status = http.StatusBadRequest
		if s, ok := faultStatus[code]; ok {
			status = s
		}
	}
	writeError(w, &apiError{Status: status, Code: code, Message: strings.ToLower(strings.ReplaceAll(code, "_", " ")) + " (by a fault of the sandbox)"})
}

// edit changes fields of a record as the people on the record pages do.
func (o *Org) edit(ctx context.Context, object, id string, fields map[string]any) error {
	outcomes, err := o.updateRecords(ctx, pageUser, []row{{Object: object, ID: id, Values: fields}}, false)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range outcomes[0].Errors {
		errs = append(errs, e.request())
	}
	return errors.Join(errs...)
}

// revoke takes a permission out of the profile of the integration's user. Permission sets may still give it.
func (o *Org) revoke(name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok := o.permission(strings.Split(name, "."))
	if !ok {
		return fmt.Errorf("there is no permission %q: it is Object.read, Object.edit or, of a field that may be hidden, Object.Field.read, such as Opportunity.Amount.read", name)
	}
	o.revoked[p] = true
	return nil
}

// permission finds the permission that is called so; false: there is none.
func (o *Org) permission(name []string) (permission, bool) {
	kind := name[len(name)-1]
	obj := o.object(name[0])
	switch {
	case obj == nil:
	case len(name) == 2 && (kind == "read" || kind == "edit"):
		return permission{object: obj.Name, edit: kind == "edit"}, true
	case len(name) == 3 && kind == "read":
		if f := obj.Field(name[1]); f != nil && obj.permissionable(f) {
			return permission{object: obj.Name, field: f.Name}, true
		}
	}
	return permission{}, false
}

func (o *Org) restore() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.revoked)
}
