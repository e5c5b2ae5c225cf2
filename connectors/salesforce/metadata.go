package salesforce

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// What setup makes, in the terms of the Metadata API: in JSON for the Tooling API, in XML for a project in source format.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm

// madeMark begins the description of a field or a permission set that we made: no other is taken away.
const madeMark = "Made by handoff."

// maxTracked is how many fields an object's history keeps.
const maxTracked = 20

type fieldMetadata struct {
	XMLName      xml.Name  `json:"-" xml:"http://soap.sforce.com/2006/04/metadata CustomField"`
	FullName     string    `json:"-" xml:"fullName"`
	DefaultValue string    `json:"defaultValue,omitzero" xml:"defaultValue,omitempty"`
	Description  string    `json:"description" xml:"description"`
	Help         string    `json:"inlineHelpText,omitzero" xml:"inlineHelpText,omitempty"`
	Label        string    `json:"label" xml:"label"`
	Length       int       `json:"length,omitzero" xml:"length,omitempty"`
	Precision    int       `json:"precision,omitzero" xml:"precision,omitempty"`
	Scale        *int      `json:"scale,omitzero" xml:"scale"`
	TrackHistory bool      `json:"trackHistory,omitzero" xml:"trackHistory,omitempty"`
	Type         string    `json:"type" xml:"type"`
	ValueSet     *valueSet `json:"valueSet,omitzero" xml:"valueSet"`
	VisibleLines int       `json:"visibleLines,omitzero" xml:"visibleLines,omitempty"`
}

type valueSet struct {
	Restricted bool               `json:"restricted" xml:"restricted"`
	Definition valueSetDefinition `json:"valueSetDefinition" xml:"valueSetDefinition"`
}

type valueSetDefinition struct {
	Sorted bool          `json:"sorted" xml:"sorted"`
	Values []optionValue `json:"value" xml:"value"`
}

type optionValue struct {
	FullName string `json:"fullName" xml:"fullName"`
	Default  bool   `json:"default" xml:"default"`
	Label    string `json:"label" xml:"label"`
}

// metadataOf describes a field of ours, its history not tracked.
func metadataOf(f ownField) fieldMetadata {
	m := fieldMetadata{FullName: f.API, Label: f.Label, Help: f.Help,
		Description: madeMark + " `handoff setup --remove` deletes it; without these words it would be kept."}
	switch f.Type {
	case crm.Number:
		m.Type, m.Precision, m.Scale = "Number", 3, new(int)
	case crm.Picklist:
		set := &valueSet{Restricted: true}
		for _, option := range f.Options {
			set.Definition.Values = append(set.Definition.Values, optionValue{FullName: option, Label: option})
		}
		m.Type, m.ValueSet = "Picklist", set
	case crm.Checkbox:
		m.Type, m.DefaultValue = "Checkbox", "false"
	case crm.LongText:
		m.Type, m.Length, m.VisibleLines = "LongTextArea", f.Length, 6
	case crm.Text:
		m.Type, m.Length = "Text", f.Length
	case crm.DateTime:
		m.Type = "DateTime"
	}
	return m
}

// fieldDetail says the type as an admin reads it in Setup.
func fieldDetail(f crm.FieldSpec) string {
	switch f.Type {
	case crm.Number:
		return "Number(3,0)"
	case crm.Picklist:
		return "Picklist: " + strings.Join(f.Options, ", ")
	case crm.Checkbox:
		return "Checkbox"
	case crm.LongText:
		return fmt.Sprintf("LongTextArea(%d)", f.Length)
	case crm.Text:
		return fmt.Sprintf("Text(%d)", f.Length)
	}
	return "DateTime"
}

// peopleEdit reports whether a field of ours is for people to change too: how they took the deal over, and their own
// points for an item.
func peopleEdit(f ownField) bool {
	return f.Name == "acceptance" || f.Name == "finalised" || strings.HasPrefix(f.Name, "item_") && f.Type == crm.Number
}

// trackedFields are the fields whose history is most worth having, by neutral name: who finalised and accepted, then who
// edited which item.
func trackedFields(fields []ownField) map[string]bool {
	var names []string
	for _, f := range fields {
		switch {
		case !peopleEdit(f):
		case f.Name == "finalised" || f.Name == "acceptance":
			names = slices.Insert(names, 0, f.Name)
		default:
			names = append(names, f.Name)
		}
	}
	tracked := map[string]bool{}
	for _, name := range names[:min(len(names), maxTracked)] {
		tracked[name] = true
	}
	return tracked
}

// createField creates a field that may exist by now. Where the object's history tracks as many fields as it can, the
// field is created without.
func (c *Client) createField(ctx context.Context, full string, m fieldMetadata) error {
	send := func() error {
		return c.create(ctx, "/tooling/sobjects/CustomField", map[string]any{"FullName": full, "Metadata": m})
	}
	err := send()
	if e := (*connectors.Error)(nil); errors.As(err, &e) && m.TrackHistory && strings.Contains(strings.ToLower(e.Message), "history") {
		m.TrackHistory = false
		return send()
	}
	return err
}
