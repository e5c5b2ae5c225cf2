package hubspot

import "strings"

// The tokens that the portal knows.
const (
	Token        = "sandbox-token"
	TokenNoScope = "sandbox-token-noscope" // without the scopes of deals
)

// scopes reports whether a token was granted a scope.
type scopes func(scope string) bool

var tokens = map[string]scopes{
	Token:        func(string) bool { return true },
	TokenNoScope: func(scope string) bool { return !strings.Contains(scope, ".deals.") },
}

// need returns a 403 that names the first scope that was not granted.
func (s scopes) need(wanted ...string) error {
	for _, scope := range wanted {
		if !s(scope) {
			return missingScope(scope)
		}
	}
	return nil
}

// scope returns the scope that reading or writing the object's records needs. Engagements go with contacts.
func (o *object) scope(right string) string {
	switch {
	case o.Name == "emails" && right == "read":
		return "sales-email-read"
	case o.Name == "deals", o.Name == "companies":
		return "crm.objects." + o.Name + "." + right
	}
	return "crm.objects.contacts." + right
}

// schemaScope returns the scope that reading or writing the object's properties needs.
func (o *object) schemaScope(right string) string {
	return strings.Replace(o.scope(right), "crm.objects.", "crm.schemas.", 1)
}
