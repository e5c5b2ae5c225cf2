package hubspot

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The tokens that the portal knows.
const (
	Token        = "sandbox-token"
	TokenNoScope = "sandbox-token-noscope" // without the scopes of deals
)

// grants are the scopes of Token. The zero value is all that there are.
type grants struct {
	mu      sync.RWMutex
	revoked map[string]bool
}

func (g *grants) has(scope string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return !g.revoked[scope]
}

// revoke takes a scope away from Token.
func (p *Portal) revoke(scope string) error {
	if known := p.scopes(); !slices.Contains(known, scope) {
		return fmt.Errorf("there is no scope %q; this portal knows %s", scope, strings.Join(known, ", "))
	}
	p.grants.mu.Lock()
	defer p.grants.mu.Unlock()
	if p.grants.revoked == nil {
		p.grants.revoked = map[string]bool{}
	}
	p.grants.revoked[scope] = true
	return nil
}

// restore gives Token all scopes.
func (p *Portal) restore() {
	p.grants.mu.Lock()
	defer p.grants.mu.Unlock()
	p.grants.revoked = nil
}

// scopes returns all that there are, in the order of their names.
func (p *Portal) scopes() []string {
	all := []string{ownerScope}
	for _, o := range p.objects {
		for _, right := range []string{"read", "write"} {
			all = append(append(all, o.schemaScope(right)), o.scopes(right)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// scopes reports whether a token was granted a scope.
type scopes func(scope string) bool

// granted returns the scopes of a token; false: it is no token of this portal.
func (p *Portal) granted(token string) (scopes, bool) {
	switch token {
	case Token:
		return p.grants.has, true
	case TokenNoScope:
		return func(scope string) bool { return !strings.Contains(scope, ".deals.") }, true
	}
	return nil, false
}

// need returns a 403 that names the scopes that were not granted.
func (s scopes) need(wanted ...string) error {
	missing := slices.DeleteFunc(wanted, s)
	if len(missing) == 0 {
		return nil
	}
	return missingScopes(missing)
}

// needOne returns a 403 that names the first scope, the narrowest, unless one of them was granted.
func (s scopes) needOne(of ...string) error {
	if slices.ContainsFunc(of, s) {
		return nil
	}
	return missingScopes(of[:1])
}

// scopes returns the scopes that reading or writing the object's records needs. Engagements go with contacts.
func (o *object) scopes(right string) []string {
	switch o.Name {
	case "deals", "companies":
		return []string{"crm.objects." + o.Name + "." + right}
	case "emails":
		return []string{"crm.objects.contacts." + right, "sales-email-read"}
	}
	return []string{"crm.objects.contacts." + right}
}

// schemaScope returns the scope of the object's definitions. Engagements go with contacts.
func (o *object) schemaScope(right string) string {
	return strings.Replace(o.scopes(right)[0], "crm.objects.", "crm.schemas.", 1)
}

// needDefinitions returns a 403 unless the object's properties or pipelines may be read: the scopes of its records will do.
// https://developers.hubspot.com/docs/api-reference/latest/crm/properties/get-properties
func (s scopes) needDefinitions(o *object) error {
	return s.needOne(o.schemaScope("read"), o.scopes("read")[0], o.scopes("write")[0])
}
