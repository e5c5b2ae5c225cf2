package hubspot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// profiled is how many won deals a profile looks at.
const profiled = 500

const opProfile = "count which properties are filled in"

// Profile implements connectors.Provisioner. A mapping that is wrong does not keep it from telling what would be right.
func (c *Client) Profile(ctx context.Context) (connectors.Profile, error) {
	var profile connectors.Profile
	s, err := c.survey(ctx)
	if err != nil {
		return profile, err
	}
	fields := s.fillable(c.specs[crm.DealObject])
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	newest, err := c.newest(ctx, (&reader{Client: c, schema: s}).won())
	if err != nil {
		return profile, err
	}
	rows, err := c.batch(ctx, opProfile, deals, newest, names, nil)
	if err != nil {
		return profile, err
	}
	for _, d := range rows {
		for i := range fields {
			if d.text(fields[i].Name) != "" {
				fields[i].Filled++
			}
		}
	}
	return connectors.Profile{Deals: len(rows), Fields: fields}, nil
}

// newest returns the ids of the won deals that were closed last.
func (c *Client) newest(ctx context.Context, won group) ([]string, error) {
	var newest []string
	for len(newest) < profiled {
		p, err := fetch[object](ctx, c, c.search(opProfile, deals, query{Groups: []filters{{won}}, Sorts: []string{"-" + closeDate}, Properties: []string{recordID},
			Limit: min(searchPage, profiled-len(newest)), After: strconv.Itoa(len(newest))}))
		if err != nil {
			return nil, err
		}
		newest = append(newest, ids(p.Results)...)
		if len(p.Results) == 0 || len(newest) >= p.Total {
			break
		}
	}
	slices.SortFunc(newest, compareIDs)
	return slices.Compact(newest), nil // deals may move between two pages
}

// fillable are the properties of a deal that people fill in, in order of names. Of HubSpot's own ones, most of which nobody
// does, only the texts and those that a fact is read from.
func (s *schema) fillable(own []ownField) []connectors.FieldUse {
	feeds := map[string]string{}
	for _, name := range sortedKeys(s.facts) {
		for _, f := range s.facts[name] {
			if f.object == deals {
				feeds[f.Name] = name
			}
		}
	}
	var fields []connectors.FieldUse
	for _, name := range sortedKeys(s.properties[deals]) {
		p := s.properties[deals][name]
		switch {
		case p.readOnly(), p.Type == "bool", p.FieldType == "booleancheckbox", p.HubSpots && feeds[name] == "" && (p.Type != "string" || strings.HasPrefix(name, "hs_")):
		case slices.Contains(dealColumns, name), slices.ContainsFunc(own, func(f ownField) bool { return f.property == name }):
		default:
			fields = append(fields, connectors.FieldUse{Name: name, Label: p.Label, Feeds: feeds[name]})
		}
	}
	return fields
}
