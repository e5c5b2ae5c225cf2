package salesforce

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors"
	"handoff/crm"
)

// Page layouts are read and written whole, as metadata of which we know only the part that is ours.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm

// sectionLabel is the heading of our section, and what it is known by.
const sectionLabel = "Handoff Scorecard"

// pageLayout is a page layout of the opportunity or the account.
type pageLayout struct {
	id     string
	object crm.Object
	name   string // such as "Opportunity Layout"
}

func (l pageLayout) String() string { return sobjects[l.object] + "-" + l.name }

// pageLayouts lists the layouts of the objects that carry our fields.
func (c *Client) pageLayouts(ctx context.Context) ([]pageLayout, error) {
	rows, err := c.tooling(ctx, selectFrom("Layout", []string{"Id", "Name", "TableEnumOrId"}, anyOf("TableEnumOrId", []string{"Opportunity", "Account"}), "ORDER BY TableEnumOrId DESC, Name"))
	var layouts []pageLayout
	for _, r := range rows {
		object := crm.DealObject
		if r.text("TableEnumOrId") == sobjects[crm.AccountObject] {
			object = crm.AccountObject
		}
		layouts = append(layouts, pageLayout{r.text("Id"), object, r.text("Name")})
	}
	return layouts, err
}

// planLayouts lists the named layouts that do not show all of our fields.
func (c *Client) planLayouts(ctx context.Context, names []string) ([]connectors.Step, error) {
	if len(names) == 0 {
		return nil, nil
	}
	layouts, err := c.pageLayouts(ctx)
	if err != nil {
		return nil, err
	}
	var steps []connectors.Step
	var planned []string
	for _, name := range names {
		known := false
		for _, l := range layouts {
			if !strings.EqualFold(name, l.name) && !strings.EqualFold(name, l.String()) {
				continue
			}
			known = true
			if slices.Contains(planned, l.id) {
				continue
			}
			planned = append(planned, l.id)
			page, err := c.page(ctx, l)
			if err != nil {
				return nil, err
			}
			missing := c.notOn(page, l.object)
			if len(missing) == 0 {
				continue
			}
			change := connectors.Create
			if slices.ContainsFunc(page.sections, section.ours) {
				change = connectors.Alter
			}
			steps = append(steps, connectors.Step{Change: change, What: "layout section", Target: l.String(), Detail: fmt.Sprintf("%s: %s", sectionLabel, countOf(len(missing), "field")),
				Do: func(ctx context.Context) error { return c.show(ctx, l) }})
		}
		if !known {
			return nil, &connectors.Error{Op: opSetup, CRM: crmName, Class: connectors.ErrConfig, Setting: "--layout",
				Message: fmt.Sprintf("there is no page layout %q of opportunities or accounts", name), Remedy: "The org has: " + strings.Join(layoutNames(layouts), ", ")}
		}
	}
	return steps, nil
}

func layoutNames(layouts []pageLayout) []string {
	var names []string
	for _, l := range layouts {
		names = append(names, l.String())
	}
	return names
}

// page is the metadata of a layout.
type page struct {
	rest     map[string]jsontext.Value // all but the sections
	sections []section
}

// section is a section of a layout. What we do not know of it is kept as it is.
type section struct {
	CustomLabel bool           `json:"customLabel"`
	Label       string         `json:"label"`
	Columns     []column       `json:"layoutColumns"`
	Style       string         `json:"style"`
	Rest        jsontext.Value `json:",embed"`
}

type column struct {
	Items []item         `json:"layoutItems"`
	Rest  jsontext.Value `json:",embed"`
}

type item struct {
	Field    string         `json:"field,omitzero"`
	Behavior string         `json:"behavior,omitzero"` // of a field: "Edit", "Required" or "Readonly"
	Rest     jsontext.Value `json:",embed"`
}

// blank reports whether an item is a blank space, rather than a field, a link, a page or a component.
func (i item) blank() bool {
	var others map[string]jsontext.Value
	if i.Field != "" || len(i.Rest) > 0 && json.Unmarshal(i.Rest, &others, lenient) != nil {
		return false
	}
	for name, value := range others {
		if name != "emptySpace" && value.Kind() != 'n' {
			return false
		}
	}
	return true
}

// ours reports whether a section is the one that we make.
func (s section) ours() bool { return s.CustomLabel && s.Label == sectionLabel }

// page reads a layout.
func (c *Client) page(ctx context.Context, l pageLayout) (*page, error) {
	p := &page{}
	get := call{op: opSetup, method: http.MethodGet, path: c.base + "/tooling/sobjects/Layout/" + l.id, repeatable: true}
	err := c.do(ctx, get, func(_ http.Header, body []byte) error {
		var reply struct {
			Metadata map[string]jsontext.Value `json:"Metadata"`
		}
		err := json.Unmarshal(body, &reply, lenient)
		if err == nil {
			err = json.Unmarshal(reply.Metadata["layoutSections"], &p.sections, lenient)
		}
		if err != nil {
			return connectors.Garbled(crmName, opSetup, err)
		}
		delete(reply.Metadata, "layoutSections")
		p.rest = reply.Metadata
		return nil
	})
	return p, err
}

// savePage replaces a layout's metadata.
func (c *Client) savePage(ctx context.Context, l pageLayout, p *page) error {
	sections, err := json.Marshal(p.sections, json.FormatNilSliceAsNull(true)) // as they came
	if err != nil {
		return err
	}
	metadata := maps.Clone(p.rest)
	metadata["layoutSections"] = sections
	return c.change(ctx, http.MethodPatch, "/tooling/sobjects/Layout/"+l.id, map[string]any{"Metadata": metadata})
}

// notOn returns our fields on an object that a page does not show, in the order in which they should stand on it.
func (c *Client) notOn(p *page, object crm.Object) []ownField {
	shown := map[string]bool{}
	for _, s := range p.sections {
		for _, col := range s.Columns {
			for _, i := range col.Items {
				shown[strings.ToLower(i.Field)] = true
			}
		}
	}
	missing := slices.DeleteFunc(slices.Clone(c.specs[object]), func(f ownField) bool { return shown[strings.ToLower(f.API)] })
	slices.SortStableFunc(missing, func(a, b ownField) int { return a.place() - b.place() })
	return missing
}

// place is where a field stands on a page: totals and what they mean, categories, items, text.
func (f ownField) place() int {
	switch {
	case f.Type == crm.Text || f.Type == crm.LongText:
		return 4
	case strings.HasPrefix(f.Name, "item_"):
		return 3
	case f.Type == crm.Number && !slices.Contains([]string{"score", "max", "final_score"}, f.Name):
		return 2
	}
	return 1
}

// show adds what a layout does not show of our fields to our section.
func (c *Client) show(ctx context.Context, l pageLayout) error {
	p, err := c.page(ctx, l)
	if err != nil {
		return err
	}
	missing := c.notOn(p, l.object)
	if len(missing) == 0 {
		return nil
	}
	p.add(missing)
	return c.savePage(ctx, l, p)
}

// add puts fields into our section, which is made if need be.
func (p *page) add(fields []ownField) {
	at := slices.IndexFunc(p.sections, section.ours)
	if at < 0 {
		// Links to elsewhere, if there are any, stand last.
		at = len(p.sections)
		if at > 0 && p.sections[at-1].Style == "CustomLinks" {
			at--
		}
		p.sections = slices.Insert(p.sections, at, section{CustomLabel: true, Label: sectionLabel, Style: "TwoColumnsLeftToRight",
			Columns: []column{{Items: []item{}}, {Items: []item{}}}, Rest: jsontext.Value(`{"detailHeading":true,"editHeading":true}`)})
	}
	columns := p.sections[at].Columns
	if len(columns) == 0 { // no layout has such a section
		return
	}
	for n, f := range fields {
		behavior := "Readonly"
		if peopleEdit(f) {
			behavior = "Edit"
		}
		col := &columns[n%len(columns)]
		col.Items = append(col.Items, item{Field: f.API, Behavior: behavior})
	}
}

// hide takes our section off a page, or of one to which people added something, our fields, whose API names are given in lower
// case. It reports whether there was anything to take.
func hide(p *page, ours map[string]bool) bool {
	at := slices.IndexFunc(p.sections, section.ours)
	if at < 0 {
		return false
	}
	taken, foreign := false, false
	for i := range p.sections[at].Columns {
		col := &p.sections[at].Columns[i]
		before := len(col.Items)
		col.Items = slices.DeleteFunc(col.Items, func(i item) bool {
			return ours[strings.ToLower(i.Field)]
		})
		taken = taken || len(col.Items) < before
		foreign = foreign || slices.ContainsFunc(col.Items, func(i item) bool { return !i.blank() })
	}
	if !foreign {
		p.sections = slices.Delete(p.sections, at, at+1)
		return true
	}
	return taken
}
