package salesforce

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a list view.
const (
	maxListColumns = 15
	maxListFilters = 10
	maxListLabel   = 40
)

// listView is a list view as the User Interface API takes it.
// https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_requests_list_info_post_input.htm
type listView struct {
	APIName    string       `json:"listViewApiName"` // "": made from the label
	Label      string       `json:"label"`
	Columns    []string     `json:"displayColumns"` // "Amount", "Account.Name"; none: the object's name
	Filters    []listFilter `json:"filteredByInfo"`
	Logic      string       `json:"filterLogicString"` // "": all filters apply
	Scope      listScope    `json:"scope"`
	Visibility string       `json:"visibility"` // "": Private
	Shares     []string     `json:"listShares"`

	id, object string
}

type listFilter struct {
	Field    string   `json:"fieldApiName"`
	Operator string   `json:"operator"`
	Operands []string `json:"operandLabels"` // any of them
}

// listScope says whose records a list view shows.
type listScope struct {
	APIName       string  `json:"apiName"`
	Entity        *string `json:"entityId"`
	RelatedEntity *string `json:"relatedEntityId"`
}

// listScopes holds what people call the scopes that need nothing else.
var listScopes = map[string]string{"everything": "All", "mine": "My", "team": "My team's"}

// listOperators holds the types of fields that an operator goes with; nil: any that can be filtered by. Excludes, Includes
// and Within are for types that this org has no fields of.
// https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_requests_list_filter_by_info_input.htm
var listOperators = map[string][]FieldType{
	"Equals": nil, "NotEqual": nil,
	"Contains": textTypes, "NotContain": textTypes, "StartsWith": textTypes,
	"GreaterOrEqual": orderedTypes, "GreaterThan": orderedTypes, "LessOrEqual": orderedTypes, "LessThan": orderedTypes,
	"Excludes": {}, "Includes": {}, "Within": {},
}

var (
	textTypes    = []FieldType{TypeString, TypeTextArea, TypePicklist, TypeCombobox, TypeEmail, TypePhone, TypeURL, TypeReference}
	orderedTypes = []FieldType{TypeInt, TypeDouble, TypePercent, TypeCurrency, TypeDate, TypeDateTime, TypeString}
)

// developerName is the form of API names of what people make beside fields.
var developerName = regexp.MustCompile(`^[A-Za-z](_?[A-Za-z0-9])*$`)

// noName matches what labels may hold and such names may not.
var noName = regexp.MustCompile(`[^A-Za-z0-9]+`)

// complete fills in what the view leaves to Salesforce, and refuses what it does not take. What v does not see can be
// neither shown nor filtered by.
func (l *listView) complete(v view, obj *Object) *apiError {
	l.object, l.Visibility, l.Scope.APIName = obj.Name, cmp.Or(l.Visibility, "Private"), cmp.Or(l.Scope.APIName, "everything")
	if l.APIName == "" {
		l.APIName = strings.Trim(noName.ReplaceAllString(l.Label, "_"), "_")
	}
	if l.Columns == nil {
		l.Columns = []string{obj.NameField}
	}
	_, plain := listScopes[l.Scope.APIName]
	switch {
	case l.Label == "":
		return badField("REQUIRED_FIELD_MISSING", "label", "Required fields are missing: [label]")
	case utf8.RuneCountInString(l.Label) > maxListLabel:
		return badField("STRING_TOO_LONG", "label", fmt.Sprintf("View Name: data value too large: %s (max length=%d)", l.Label, maxListLabel))
	case !developerName.MatchString(l.APIName) || len(l.APIName) > 80:
		return badField("FIELD_INTEGRITY_EXCEPTION", "listViewApiName", "The list view API name can only contain underscores and alphanumeric characters. "+
			"It must be unique, begin with a letter, not include spaces, not end with an underscore, and not contain two consecutive underscores: "+l.APIName)
	case !slices.Contains([]string{"Private", "Public", "Shared"}, l.Visibility):
		return badField("INVALID_INPUT", "visibility", "visibility must be Private, Public or Shared, not "+strconv.Quote(l.Visibility))
	case (l.Visibility == "Shared") != (len(l.Shares) > 0):
		return badField("INVALID_INPUT", "listShares", "listShares and the visibility Shared go together")
	case !plain || l.Scope.Entity != nil || l.Scope.RelatedEntity != nil:
		return badField("INVALID_INPUT", "scope", "The sandbox knows the scopes everything, mine and team, not "+strconv.Quote(l.Scope.APIName))
	case len(l.Columns) > maxListColumns:
		return badField("INVALID_INPUT", "displayColumns", fmt.Sprintf("A list view can have at most %d columns", maxListColumns))
	case len(l.Filters) > maxListFilters:
		return badField("INVALID_INPUT", "filteredByInfo", fmt.Sprintf("A list view can have at most %d filters", maxListFilters))
	}
	for i, name := range l.Columns {
		if v.path(obj, name) == nil {
			return badField("INVALID_FIELD", "displayColumns", fmt.Sprintf("Invalid field: %s.%s", obj.Name, name))
		}
		if slices.Contains(l.Columns[:i], name) {
			return badField("DUPLICATE_VALUE", "displayColumns", "Duplicate column: "+name)
		}
	}
	for _, f := range l.Filters {
		if err := f.check(v, obj); err != nil {
			return err
		}
	}
	if err := checkLogic(l.Logic, len(l.Filters)); err != nil {
		return badField("INVALID_INPUT", "filterLogicString", fmt.Sprintf("filterLogicString %q: %v", l.Logic, err))
	}
	return nil
}

// path returns the field that a path such as "Account.Owner.Name" leads to from obj, names in their declared case; nil:
// there is none that the user sees.
func (v view) path(obj *Object, path string) *Field {
	names := strings.Split(path, ".")
	for _, relationship := range names[:len(names)-1] {
		f := obj.Parent(relationship)
		if f == nil || f.Relationship != relationship || len(f.ReferenceTo) != 1 || !v.sees(obj, f) {
			return nil
		}
		if obj = v.object(f.ReferenceTo[0]); obj == nil {
			return nil
		}
	}
	name := names[len(names)-1]
	if f := v.field(obj, name); f != nil && f.Name == name {
		return f
	}
	return nil
}

func (f listFilter) check(v view, obj *Object) *apiError {
	field := v.path(obj, f.Field)
	types, known := listOperators[f.Operator]
	switch {
	case field == nil:
		return badField("INVALID_FIELD", "filteredByInfo", fmt.Sprintf("Invalid field: %s.%s", obj.Name, f.Field))
	case !field.Filterable():
		return badField("INVALID_FIELD", "filteredByInfo", fmt.Sprintf("Field %s.%s cannot be filtered by", obj.Name, f.Field))
	case !known:
		return badField("INVALID_INPUT", "filteredByInfo", fmt.Sprintf("Unknown operator %q", f.Operator))
	case types != nil && !slices.Contains(types, field.Type):
		return badField("INVALID_INPUT", "filteredByInfo", fmt.Sprintf("Operator %s does not go with field %s.%s", f.Operator, obj.Name, f.Field))
	case len(f.Operands) == 0:
		return badField("INVALID_INPUT", "filteredByInfo", fmt.Sprintf("The filter on %s.%s has no operandLabels", obj.Name, f.Field))
	}
	for _, operand := range f.Operands {
		if !field.operand(operand) {
			return badField("INVALID_INPUT", "filteredByInfo", fmt.Sprintf("%q is no value of %s.%s", operand, obj.Name, f.Field))
		}
	}
	return nil
}

// relativeDate is the form of days that move, such as "LAST 90 DAYS" and "THIS FISCAL YEAR".
var relativeDate = regexp.MustCompile(`(?i)^(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)( FISCAL)? (WEEK|MONTH|QUARTER|YEAR)|(LAST|NEXT) \d+ (DAYS|MONTHS|QUARTERS|YEARS))$`)

// operand reports whether a filter can compare f with what people see as one of its values. "" is no value.
func (f *Field) operand(label string) bool {
	switch f.Type {
	case TypeBoolean:
		return slices.Contains([]string{"true", "false", "1", "0"}, strings.ToLower(label))
	case TypeInt, TypeDouble, TypePercent, TypeCurrency:
		_, err := strconv.ParseFloat(label, 64)
		return label == "" || err == nil
	case TypeDate, TypeDateTime:
		_, err := time.Parse(time.DateOnly, label)
		return label == "" || err == nil || relativeDate.MatchString(label)
	case TypePicklist:
		return label == "" || !f.Restricted || slices.Contains(f.Values, label)
	}
	return true
}

// drop takes a field out of the view: its column, its filter, and with a filter the logic that counted on it.
func (l *listView) drop(field string) {
	l.Columns = slices.DeleteFunc(slices.Clone(l.Columns), func(name string) bool { return name == field })
	n := len(l.Filters)
	l.Filters = slices.DeleteFunc(slices.Clone(l.Filters), func(f listFilter) bool { return f.Field == field })
	if len(l.Filters) < n {
		l.Logic = ""
	}
}
