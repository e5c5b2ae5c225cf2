package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"handoff/connectors"
)

// need is something that a run does, tried by one call that changes nothing.
type need struct {
	object   string
	scope    string // that it needs; HubSpot may name others
	severity connectors.Severity
	loss     string // what does not work without it; "": the object is not read
	try      func(c *Client, object string) call
}

// needs are those of a run. Notes, calls, meetings and tasks go with contacts.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/scopes
var needs = []need{
	{deals, "crm.objects.deals.read", connectors.Problem, "no deal can be read", (*Client).searchOne},
	{deals, "crm.objects.deals.write", connectors.Problem, "nothing can be written to deals", (*Client).writeNone},
	{contacts, contactsScope, connectors.Problem, "", (*Client).listOne},
	{notes, contactsScope, connectors.Problem, "", (*Client).listOne},
	{calls, contactsScope, connectors.Problem, "", (*Client).listOne},
	{meetings, contactsScope, connectors.Problem, "", (*Client).listOne},
	{tasks, contactsScope, connectors.Problem, "", (*Client).listOne},
	{emails, "sales-email-read", connectors.Problem, "", (*Client).listOne},
	{owners.object, "crm.objects.owners.read", connectors.Problem, "owners and CSMs have no name, and most deals get no total, rating or flag", (*Client).listOwner},
	{companies, "crm.objects.companies.read", connectors.Problem, "deals have no account, Handoff Health is not written to it, and a deal whose facts may be kept there gets no total, rating or flag", (*Client).listOne},
	{companies, "crm.objects.companies.write", connectors.Problem, "Handoff Health cannot be written to companies", (*Client).writeNone},
}

const contactsScope = "crm.objects.contacts.read"

func (c *Client) searchOne(object string) call {
	return c.search(opCheck, object, query{After: "0", Groups: []filters{}, Limit: 1, Properties: []string{recordID}, Sorts: []string{recordID}})
}

func (c *Client) listOne(object string) call {
	return call{method: http.MethodGet, path: c.api("objects", object), query: url.Values{"limit": {"1"}}}
}

func (c *Client) listOwner(string) call {
	return call{method: http.MethodGet, path: c.api("owners", ""), query: url.Values{"limit": {"1"}}}
}

// writeNone updates no record: an update changes the records that it names, and this one names none. HubSpot answers with no
// results, or that the body is not right; a scope that is missing it tells before it looks at the body.
// https://github.com/HubSpot/hubspot-api-nodejs/issues/26
func (c *Client) writeNone(object string) call {
	return call{method: http.MethodPost, path: c.api("objects", object+"/batch/update"), body: map[string]any{"inputs": []any{}}}
}

// gap is a scope that the service key lacks.
type gap struct {
	scope    string
	severity connectors.Severity
	losses   []string
	unread   []string // objects
}

// scopes finds out which scopes the service key lacks. An answer that something else is wrong with the call (400) comes only
// where the scope is there.
func (k *checking) scopes(ctx context.Context) {
	var gaps []*gap
	whole := true
	for _, n := range needs {
		err := k.try(ctx, n.try(k.Client, n.object))
		refused := forbidden(err)
		switch {
		case refused != nil && refused.Code == missingScopes:
			for _, scope := range n.lacks(refused) {
				i := slices.IndexFunc(gaps, func(g *gap) bool { return g.scope == scope })
				if i < 0 {
					i, gaps = len(gaps), append(gaps, &gap{scope: scope})
				}
				gaps[i].add(n)
			}
		case refused != nil: // such as a feature that the plan lacks
			k.fail(n.severity, "token", err)
			whole = false
		case errors.Is(err, connectors.ErrQuota): // and so would all others
			k.fail(connectors.Problem, "API calls", err)
			return
		case err != nil && status(err) != http.StatusBadRequest:
			k.fail(connectors.Warning, n.object, err)
			whole = false
		}
	}
	for _, g := range gaps {
		k.add(g.severity, "token", fmt.Sprintf("the scope %s is missing: %s", g.scope, g.loss()), "Add it to the service key, under "+serviceKeys)
	}
	if whole && len(gaps) == 0 {
		k.add(connectors.Fine, "token", "has all scopes that a run needs", "")
	}
}

// lacks are the scopes that a refusal names, as far as a run needs them: HubSpot names alternatives, too.
func (n need) lacks(refused *connectors.Error) []string {
	var named scopes
	errors.As(refused, &named)
	lacking := slices.DeleteFunc(slices.Clone(named), func(scope string) bool {
		return !slices.ContainsFunc(needs, func(known need) bool { return known.scope == scope })
	})
	if len(lacking) == 0 {
		return []string{n.scope}
	}
	return lacking
}

func (g *gap) add(n need) {
	g.severity = max(g.severity, n.severity)
	if n.loss == "" {
		g.unread = append(g.unread, n.object)
	} else {
		g.losses = append(g.losses, n.loss)
	}
}

// loss says what the gap costs.
func (g *gap) loss() string {
	losses := g.losses
	if n := len(g.unread) - 1; n >= 0 {
		list := g.unread[n]
		if n > 0 {
			list = strings.Join(g.unread[:n], ", ") + " and " + list
		}
		losses = append(losses, list+" are not read; a deal that they might say something about gets no total, rating or flag")
	}
	return strings.Join(losses, "; ")
}

// mayDefine finds out whether `handoff setup` can create properties. A batch that names none creates none.
func (k *checking) mayDefine(ctx context.Context, object string) {
	err := k.try(ctx, call{method: http.MethodPost, path: k.api("properties", object+"/batch/create"), body: map[string]any{"inputs": []any{}}})
	if forbidden(err) != nil {
		k.add(connectors.Warning, "token", fmt.Sprintf("the scope crm.schemas.%s.write is missing: `handoff setup` cannot create what %s lack", object, object),
			"Add it to the service key, under "+serviceKeys)
	}
}

// try sends a call for the sake of its status alone.
func (c *Client) try(ctx context.Context, r call) error {
	r.op, r.repeatable = opCheck, true
	return c.order(ctx, r)
}
