package hubspot

import (
	"context"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// Unusable implements connectors.Inspector.
func (c *Client) Unusable(ctx context.Context) ([]connectors.Finding, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	var unusable []connectors.Finding
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			if !slices.ContainsFunc(s.own[object], func(o ownField) bool { return o.Name == f.Name }) {
				unusable = append(unusable, connectors.Finding{Severity: connectors.Problem, Place: objectTypes[object] + "." + f.property, Field: f.Name,
					Text: "the property does not exist", Remedy: "Run `handoff setup`"})
			}
		}
	}
	return unusable, nil
}

// Check implements connectors.Inspector.
func (c *Client) Check(ctx context.Context) (connectors.Checkup, error) {
	return connectors.Checkup{}, nil
}

// PlanRemoval implements connectors.Provisioner.
func (c *Client) PlanRemoval(ctx context.Context) (connectors.Plan, error) {
	return connectors.Plan{}, nil
}

// Profile implements connectors.Provisioner.
func (c *Client) Profile(ctx context.Context) (connectors.Profile, error) {
	return connectors.Profile{}, nil
}
