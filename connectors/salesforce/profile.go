package salesforce

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

const (
	profiled       = 500 // won deals, the newest
	profileColumns = 50  // of one query: rows may hold many long texts
)

// Profile implements connectors.Provisioner. It reads the values, and keeps none: long text cannot be counted by a query.
func (c *Client) Profile(ctx context.Context) (connectors.Profile, error) {
	s, _, err := c.look(ctx)
	if err != nil {
		return connectors.Profile{}, err
	}
	deals := s.objects["Opportunity"]
	if deals.off() {
		return connectors.Profile{}, s.faults[0]
	}
	var fields []field
	for _, f := range deals.fields {
		if c.mayHoldFact(f) {
			fields = append(fields, f)
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.Name, b.Name) })
	var queries []*selection[row]
	for some := range slices.Chunk(fields, profileColumns) {
		columns := []string{"Id"}
		for _, f := range some {
			columns = append(columns, f.Name)
		}
		queries = append(queries, &selection[row]{soql: selectFrom("Opportunity", columns, c.won(), "ORDER BY CloseDate DESC, Id DESC LIMIT "+number(profiled))})
	}
	if _, err := c.read(ctx, "look at which fields are filled in", parts(queries)...); err != nil {
		return connectors.Profile{}, err
	}
	feeds := map[string]string{}
	for _, name := range sortedKeys(s.facts) {
		for _, place := range s.facts[name] {
			if len(place.path) == 1 && feeds[place.path[0]] == "" {
				feeds[place.path[0]] = name
			}
		}
	}
	profile := connectors.Profile{}
	for i, f := range fields {
		query := queries[i/profileColumns]
		if query.err != nil {
			return connectors.Profile{}, query.err
		}
		profile.Deals = len(query.rows)
		use := connectors.FieldUse{Name: f.Name, Label: f.Label, Feeds: feeds[f.Name]}
		for _, r := range query.rows {
			if strings.TrimSpace(plain(r.at(f.Name))) != "" {
				use.Filled++
			}
		}
		profile.Fields = append(profile.Fields, use)
	}
	return profile, nil
}

// mayHoldFact reports whether a fact of a deal may be read from a field: it is custom, or text that people type in, and
// not ours.
func (c *Client) mayHoldFact(f field) bool {
	if slices.ContainsFunc(c.specs[crm.DealObject], func(own ownField) bool { return strings.EqualFold(own.API, f.Name) }) {
		return false
	}
	switch f.Type {
	case "string", "textarea":
		return !slices.Contains([]string{"Name", "Fiscal"}, f.Name)
	case "boolean", "id", "base64", "address", "location": // never empty, or no fact
		return false
	}
	return strings.HasSuffix(f.Name, "__c")
}
