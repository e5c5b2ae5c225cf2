package salesforce

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fieldMetadata is the part of Metadata API's CustomField that this org keeps, and what it accepts beside it.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
type fieldMetadata struct {
	Label          string    `json:"label"`
	Type           string    `json:"type"`
	Length         int       `json:"length,omitzero"`
	Precision      int       `json:"precision,omitzero"`
	Scale          *int      `json:"scale,omitzero"`
	VisibleLines   int       `json:"visibleLines,omitzero"`
	ValueSet       *valueSet `json:"valueSet,omitzero"`
	DefaultValue   any       `json:"defaultValue,omitzero"`
	InlineHelpText string    `json:"inlineHelpText,omitzero"`
	TrackHistory   bool      `json:"trackHistory"`
	Required       bool      `json:"required,omitzero"`
	Description    string    `json:"description,omitzero"`
	ExternalID     bool      `json:"externalId,omitzero"` // accepted and not kept
}

type valueSet struct {
	Restricted bool               `json:"restricted"`
	Definition valueSetDefinition `json:"valueSetDefinition"`
}

type valueSetDefinition struct {
	Sorted bool            `json:"sorted"`
	Value  []metadataValue `json:"value"`
}

type metadataValue struct {
	FullName  string `json:"fullName,omitzero"`
	ValueName string `json:"valueName,omitzero"` // the older name of FullName
	Label     string `json:"label"`
	Default   bool   `json:"default"`
	IsActive  *bool  `json:"isActive,omitzero"`
}

// metadataTypes maps the types of metadata to those of describe. A text area of more than 255 characters is a long one.
var metadataTypes = map[string]FieldType{
	"Checkbox": TypeBoolean, "Currency": TypeCurrency, "Date": TypeDate, "DateTime": TypeDateTime, "Email": TypeEmail,
	"LongTextArea": TypeTextArea, "Number": TypeDouble, "Percent": TypePercent, "Phone": TypePhone, "Picklist": TypePicklist,
	"Text": TypeString, "TextArea": TypeTextArea, "Url": TypeURL,
}

// field returns the field that m describes.
func (m fieldMetadata) field(name string) (*Field, *apiError) {
	t, ok := metadataTypes[m.Type]
	if !ok {
		return nil, badField("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "type", "Field Type: bad value for restricted picklist field: "+m.Type)
	}
	if m.Label == "" {
		return nil, badField("REQUIRED_FIELD_MISSING", "label", "You must specify a label for the field "+name)
	}
	f := &Field{Name: name, Label: m.Label, Type: t, Help: m.InlineHelpText, Description: m.Description, TrackHistory: m.TrackHistory, Required: m.Required, Guarded: true}
	if utf8.RuneCountInString(m.Description) > 1_000 {
		return nil, badField("STRING_TOO_LONG", "description", "Description: data value too large (max length=1000)")
	}
	var err *apiError
	switch m.Type {
	case "Number", "Currency", "Percent":
		err = m.number(f)
	case "Text":
		f.Length = m.Length
		err = within("length", m.Length, 1, 255)
	case "LongTextArea":
		f.Length = m.Length
		err = cmp.Or(within("length", m.Length, 256, 131_072), within("visibleLines", m.VisibleLines, 2, 50))
	case "TextArea", "Url":
		f.Length = 255
	case "Email":
		f.Length = 80
	case "Phone":
		f.Length = 40
	case "Checkbox":
		err = m.checkbox(f)
	case "Picklist":
		err = m.picklist(f)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m fieldMetadata) number(f *Field) *apiError {
	if m.Scale == nil {
		return badField("FIELD_INTEGRITY_EXCEPTION", "scale", "You must specify a scale for a field of type "+m.Type)
	}
	f.Precision, f.Scale = m.Precision, *m.Scale
	return cmp.Or(within("precision", m.Precision, 1, 18), within("scale", *m.Scale, 0, m.Precision))
}

func (m fieldMetadata) checkbox(f *Field) *apiError {
	switch m.DefaultValue {
	case true, "true":
		f.Default = true
	case false, "false":
		f.Default = false
	default:
		return badField("FIELD_INTEGRITY_EXCEPTION", "defaultValue", "Must specify defaultValue true or false for a field of type Checkbox")
	}
	return nil
}

func (m fieldMetadata) picklist(f *Field) *apiError {
	if m.ValueSet == nil || len(m.ValueSet.Definition.Value) == 0 {
		return badField("FIELD_INTEGRITY_EXCEPTION", "valueSet", "Must specify a valueSet with values for a field of type Picklist")
	}
	f.Length, f.Restricted = 255, m.ValueSet.Restricted
	for _, v := range m.ValueSet.Definition.Value {
		name := cmp.Or(v.FullName, v.ValueName)
		if name == "" || v.Label == "" {
			return badField("REQUIRED_FIELD_MISSING", "valueSet", "Each picklist value must have a fullName and a label")
		}
		if slices.ContainsFunc(f.Values, func(other string) bool { return strings.EqualFold(other, name) }) {
			return badField("DUPLICATE_VALUE", "valueSet", "Duplicate picklist value: "+name)
		}
		if v.IsActive != nil && !*v.IsActive {
			continue
		}
		f.Values = append(f.Values, name)
		if v.Default {
			f.Default = name
		}
	}
	if m.ValueSet.Definition.Sorted {
		slices.Sort(f.Values)
	}
	return nil
}

// metadataOf describes a custom field.
func metadataOf(f *Field) fieldMetadata {
	m := fieldMetadata{Label: f.label(), Length: f.Length, Precision: f.Precision, DefaultValue: f.Default, InlineHelpText: f.Help, Description: f.Description, TrackHistory: f.TrackHistory, Required: f.Required}
	for name, t := range metadataTypes {
		if t == f.Type && (t != TypeTextArea || (name == "LongTextArea") == f.LongText()) {
			m.Type = name
		}
	}
	if f.Precision > 0 {
		m.Scale = &f.Scale
	}
	if f.LongText() {
		m.VisibleLines = 3
	}
	if f.Type == TypePicklist {
		m.ValueSet = &valueSet{Restricted: f.Restricted}
		for _, v := range f.Values {
			m.ValueSet.Definition.Value = append(m.ValueSet.Definition.Value, metadataValue{FullName: v, Label: v, Default: v == f.Default})
		}
	}
	return m
}

// splitFullName takes "Opportunity.Handoff_Score__c" apart.
func splitFullName(full string) (object, field string, _ *apiError) {
	object, field, ok := strings.Cut(full, ".")
	if !ok || len(field) > len("__c")+40 {
		return "", "", badField("FIELD_INTEGRITY_EXCEPTION", "FullName", fmt.Sprintf("%q is not the full name of a custom field, such as Opportunity.My_Field__c, "+
			"with at most 40 characters before __c", full))
	}
	return object, field, nil
}

func within(key string, n, low, high int) *apiError {
	if n < low || n > high {
		return badField("FIELD_INTEGRITY_EXCEPTION", key, key+" must be between "+strconv.Itoa(low)+" and "+strconv.Itoa(high))
	}
	return nil
}

func badField(code, key, message string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: message, Fields: []string{key}}
}
