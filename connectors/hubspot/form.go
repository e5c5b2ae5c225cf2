package hubspot

import (
	"fmt"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// form is how a property holds values of a type of ours. It is created with the first type and field type; a property with
// others of these serves as well.
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide#property-type-and-fieldtype-values
type form struct{ types, fieldTypes []string }

var forms = map[crm.FieldType]form{
	crm.Number:   {[]string{"number"}, []string{"number"}},
	crm.Picklist: {[]string{"enumeration"}, []string{"select", "radio"}},
	crm.Checkbox: {[]string{"bool", "enumeration"}, []string{"booleancheckbox"}},
	crm.LongText: {[]string{"string"}, []string{"textarea"}},
	crm.Text:     {[]string{"string"}, []string{"text", "textarea"}},
	crm.DateTime: {[]string{"datetime"}, []string{"date"}},
}

func (f form) holds(p property) bool {
	return slices.Contains(f.types, p.Type) && slices.Contains(f.fieldTypes, p.FieldType)
}

// fieldTypeNames are what the settings call a type and a field type.
var fieldTypeNames = map[[2]string]string{
	{"number", "number"}:               "number",
	{"enumeration", "select"}:          "dropdown select",
	{"enumeration", "radio"}:           "radio select",
	{"enumeration", "checkbox"}:        "multiple checkboxes",
	{"enumeration", "booleancheckbox"}: "single checkbox",
	{"bool", "booleancheckbox"}:        "single checkbox",
	{"string", "text"}:                 "single-line text",
	{"string", "textarea"}:             "multi-line text",
	{"string", "html"}:                 "rich text",
	{"string", "phonenumber"}:          "phone number",
	{"string", "file"}:                 "file",
	{"date", "date"}:                   "date picker",
	{"datetime", "date"}:               "date and time picker",
}

// fieldTypeName is what the settings call a type and a field type, which stand behind it as the API knows them.
func fieldTypeName(kind, field string) string {
	api := kind + "/" + field
	if name, ok := fieldTypeNames[[2]string{kind, field}]; ok {
		return fmt.Sprintf("%s (%s)", name, api)
	}
	return api
}

// flaw is why a property cannot hold a field of ours. The zero value: it can.
type flaw struct{ text, remedy string }

// judgeOwn finds out which of our fields have a property that can hold them.
func (s *schema) judgeOwn(specs map[crm.Object][]ownField) {
	s.own, s.flaws = map[crm.Object][]ownField{}, map[crm.Object]map[string]flaw{}
	for object, fields := range specs {
		s.flaws[object] = map[string]flaw{}
		for _, f := range fields {
			if found := s.flaw(f); found != (flaw{}) {
				s.flaws[object][f.Name] = found
				continue
			}
			s.own[object] = append(s.own[object], f)
		}
	}
}

func (s *schema) flaw(f ownField) flaw {
	if f.Object == crm.AccountObject && s.hidden != nil {
		return flaw{"the service key may not read the properties of companies", s.hidden.Remedy}
	}
	p, exists := s.properties[objectTypes[f.Object]][f.property]
	needed := forms[f.Type]
	switch {
	case !exists:
		return flaw{"the property does not exist", "Run `handoff setup --apply`, which creates it"}
	case p.readOnly():
		return flaw{"HubSpot computes this property and lets nobody else set it", fmt.Sprintf("Name another property under handoff_fields.%s; `handoff setup --apply` creates it", f.Name)}
	case !needed.holds(p):
		return flaw{fmt.Sprintf("the property's type is %s, and has to be %s", fieldTypeName(p.Type, p.FieldType), fieldTypeName(needed.types[0], needed.fieldTypes[0])),
			fmt.Sprintf("Change its field type under Settings > Properties, or name another property under handoff_fields.%s; `handoff setup --apply` creates it", f.Name)}
	}
	return p.lacks(f.Options)
}

// lacks says which of the options a property does not offer.
func (p property) lacks(wanted []string) flaw {
	var missing, hidden []string
	for _, value := range wanted {
		switch i := slices.IndexFunc(p.Options, func(o option) bool { return o.Value == value }); {
		case i < 0:
			missing = append(missing, value)
		case p.Options[i].Hidden:
			hidden = append(hidden, value)
		}
	}
	var texts, remedies []string
	if len(missing) > 0 {
		texts = append(texts, "the property lacks "+theOptions(missing))
		remedies = append(remedies, "add what is missing, with the same words as label and as internal value")
	}
	if len(hidden) > 0 {
		texts = append(texts, "the property hides "+theOptions(hidden))
		remedies = append(remedies, "show what is hidden")
	}
	if texts == nil {
		return flaw{}
	}
	return flaw{strings.Join(texts, ", and "), fmt.Sprintf("Under Settings > Properties, edit the options of %s: %s", p.Name, strings.Join(remedies, ", and "))}
}

func theOptions(values []string) string {
	if len(values) == 1 {
		return "the option " + values[0]
	}
	return "the options " + strings.Join(values, ", ")
}

// unusable are problems with the properties of our fields, in the order of the fields.
func (c *Client) unusable(s *schema) []connectors.Finding {
	var all []connectors.Finding
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			if found, bad := s.flaws[object][f.Name]; bad {
				all = append(all, connectors.Finding{Severity: connectors.Problem, Place: objectTypes[object] + "." + f.property, Field: f.Name,
					Text: found.text, Remedy: found.remedy})
			}
		}
	}
	return all
}
