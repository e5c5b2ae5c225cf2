package salesforce

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// layout is a page layout.
type layout struct {
	id, object, name string

	sections []layoutSection
	rest     map[string]jsontext.Value // what else its metadata holds, a value for each key of layoutRest
}

// layoutSection is a section of a page layout, with what stands in it.
// https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm
type layoutSection struct {
	CustomLabel   bool           `json:"customLabel"`
	DetailHeading bool           `json:"detailHeading"`
	EditHeading   bool           `json:"editHeading"`
	Label         string         `json:"label"`
	LayoutColumns []layoutColumn `json:"layoutColumns"`
	Style         string         `json:"style"`
}

type layoutColumn struct {
	LayoutItems []layoutItem `json:"layoutItems"` // null where there are none
	Reserved    *string      `json:"reserved"`
}

// layoutItem is one place of a column. Exactly one of its kinds is set.
type layoutItem struct {
	AnalyticsCloudComponent any     `json:"analyticsCloudComponent"`
	Behavior                *string `json:"behavior"` // of a field
	Canvas                  *string `json:"canvas"`
	Component               *string `json:"component"`
	CustomLink              *string `json:"customLink"`
	EmptySpace              *bool   `json:"emptySpace"`
	Field                   *string `json:"field"`
	Height                  *int    `json:"height"`
	Page                    *string `json:"page"`
	ReportChartComponent    any     `json:"reportChartComponent"`
	SControl                *string `json:"scontrol"`
	ShowLabel               *bool   `json:"showLabel"`
	ShowScrollbars          *bool   `json:"showScrollbars"`
	Width                   *string `json:"width"`
}

// layoutStyles holds the number of columns of each style of section.
var layoutStyles = map[string]int{"OneColumn": 1, "TwoColumnsTopToBottom": 2, "TwoColumnsLeftToRight": 2, "CustomLinks": 3}

// layoutRest is what metadata holds beside its sections, as it is where nothing is set.
var layoutRest = map[string]jsontext.Value{
	"customButtons": jsontext.Value("[]"), "customConsoleComponents": jsontext.Value("null"), "emailDefault": jsontext.Value("false"),
	"excludeButtons": jsontext.Value("[]"), "feedLayout": jsontext.Value("null"), "headers": jsontext.Value("[]"), "miniLayout": jsontext.Value("null"),
	"multilineLayoutFields": jsontext.Value("[]"), "platformActionList": jsontext.Value("null"), "quickActionList": jsontext.Value("null"),
	"relatedContent": jsontext.Value("null"), "relatedLists": jsontext.Value("[]"), "relatedObjects": jsontext.Value("[]"),
	"runAssignmentRulesDefault": jsontext.Value("false"), "showEmailCheckbox": jsontext.Value("false"), "showHighlightsPanel": jsontext.Value("false"),
	"showInteractionLogPanel": jsontext.Value("false"), "showKnowledgeComponent": jsontext.Value("null"), "showRunAssignmentRulesCheckbox": jsontext.Value("false"),
	"showSolutionSection": jsontext.Value("null"), "showSubmitAndAttachButton": jsontext.Value("false"), "summaryLayout": jsontext.Value("null"), "urls": jsontext.Value("null"),
}

// metadata returns the layout's metadata by key.
func (l *layout) metadata() map[string]jsontext.Value {
	sections, err := jsonv2.Marshal(l.sections, jsonv2.FormatNilSliceAsNull(true))
	if err != nil { // it was read from JSON
		panic(err)
	}
	m := maps.Clone(l.rest)
	m["layoutSections"] = sections
	return m
}

// setMetadata replaces what the layout shows, in whole: what the new metadata leaves out is gone.
func (l *layout) setMetadata(obj *Object, metadata map[string]jsontext.Value) *apiError {
	rest := maps.Clone(layoutRest)
	for key, v := range metadata {
		switch _, known := layoutRest[key]; {
		case known:
			rest[key] = v
		case key != "layoutSections":
			return badRequest("JSON_PARSER_ERROR", fmt.Sprintf("No such column '%s' on sobject of type LayoutMetadata", key))
		}
	}
	var sections []layoutSection
	if v, ok := metadata["layoutSections"]; ok {
		if err := jsonv2.Unmarshal(v, &sections, jsonv2.RejectUnknownMembers(true)); err != nil {
			return badRequest("JSON_PARSER_ERROR", "layoutSections: "+err.Error())
		}
	}
	if err := checkSections(obj, sections); err != nil {
		return err
	}
	l.sections, l.rest = sections, rest
	return nil
}

// checkSections refuses what a page layout of obj cannot show. It returns nil for good sections.
func checkSections(obj *Object, sections []layoutSection) *apiError {
	invalid := func(format string, args ...any) *apiError {
		return badRequest("FIELD_INTEGRITY_EXCEPTION", fmt.Sprintf(format, args...))
	}
	if len(sections) == 0 {
		return invalid("Layout must have at least 1 section")
	}
	shown := map[string]bool{}
	for _, s := range sections {
		columns, ok := layoutStyles[s.Style]
		switch {
		case !ok:
			return badRequest("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fmt.Sprintf("'%s' is not a valid value for the enum 'LayoutSectionStyle'", s.Style))
		case len(s.LayoutColumns) != columns:
			return invalid("Section %s: style %s has %d column(s), not %d", s.Label, s.Style, columns, len(s.LayoutColumns))
		case s.CustomLabel && s.Label == "":
			return badRequest("REQUIRED_FIELD_MISSING", "Required field is missing: label")
		case utf8.RuneCountInString(s.Label) > 80:
			return badRequest("STRING_TOO_LONG", "Section label: data value too large: "+s.Label+" (max length=80)")
		}
		for _, item := range slices.Concat(items(s)...) {
			if item.kinds() != 1 {
				return invalid("Section %s: a layout item must be exactly one of field, emptySpace, customLink, page, component and the like", s.Label)
			}
			if item.Field == nil {
				continue
			}
			if err := checkField(obj, item, shown); err != nil {
				return err
			}
		}
	}
	for _, f := range obj.Fields {
		if f.Required && !shown[f.Name] {
			return invalid("Layout must contain an item for required layout field: %s", f.Name)
		}
	}
	return nil
}

// checkField refuses a field that cannot stand on a layout of obj beside those shown, to which it adds a good one.
func checkField(obj *Object, item layoutItem, shown map[string]bool) *apiError {
	name, behaviour := *item.Field, ""
	if item.Behavior != nil {
		behaviour = *item.Behavior
	}
	f := obj.Field(name)
	switch {
	case f == nil || f.Name != name:
		return badRequest("INVALID_CROSS_REFERENCE_KEY", fmt.Sprintf("In field: field - no CustomField named %s.%s found", obj.Name, name))
	case shown[name]:
		return badRequest("DUPLICATE_VALUE", "Field: field, value:"+name+" appears more than once")
	case behaviour != "Edit" && behaviour != "Required" && behaviour != "Readonly":
		return badRequest("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fmt.Sprintf("'%s' is not a valid value for the enum 'UiBehavior'", behaviour))
	case f.Required && behaviour != "Required":
		return badRequest("FIELD_INTEGRITY_EXCEPTION", "Field:"+name+" must be Required")
	case f.ReadOnly && behaviour != "Readonly":
		return badRequest("FIELD_INTEGRITY_EXCEPTION", "Field:"+name+" must be Readonly")
	case f.Type == TypeBoolean && behaviour == "Required":
		return badRequest("FIELD_INTEGRITY_EXCEPTION", "Field:"+name+" must not be Required")
	}
	shown[name] = true
	return nil
}

// items returns the items of each column of a section.
func items(s layoutSection) [][]layoutItem {
	var columns [][]layoutItem
	for _, c := range s.LayoutColumns {
		columns = append(columns, c.LayoutItems)
	}
	return columns
}

// kinds returns how many kinds of thing the item says it is.
func (i layoutItem) kinds() int {
	n := 0
	for _, set := range []bool{
		i.AnalyticsCloudComponent != nil, i.Canvas != nil, i.Component != nil, i.CustomLink != nil, i.EmptySpace != nil && *i.EmptySpace,
		i.Field != nil, i.Page != nil, i.ReportChartComponent != nil, i.SControl != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

// drop takes a field off the layout.
func (l *layout) drop(field string) {
	for _, s := range l.sections {
		for i := range s.LayoutColumns {
			c := &s.LayoutColumns[i]
			c.LayoutItems = slices.DeleteFunc(c.LayoutItems, func(item layoutItem) bool { return item.Field != nil && *item.Field == field })
		}
	}
}

// fullName is what the Metadata API calls the layout.
func (l *layout) fullName() string { return l.object + "-" + l.name }
