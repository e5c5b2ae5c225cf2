package hubspot

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"
)

type filterGroup struct {
	Filters []filter `json:"filters"`
}

// filter compares a property with values.
type filter struct {
	Property  string   `json:"propertyName"`
	Operator  string   `json:"operator"`
	Value     *string  `json:"value"`
	HighValue *string  `json:"highValue"`
	Values    []string `json:"values"`
}

// selection returns which records of o match, and their order. Its errors are for the client.
func (b *searchBody) selection(o *object) (selection, error) {
	s := selection{Where: "_archived_at IS NULL", Order: idProperty}
	if len(b.FilterGroups) > maxGroups {
		return s, invalid("A search has at most %d filter groups, not %d", maxGroups, len(b.FilterGroups))
	}
	all := 0
	var groups []string
	for _, g := range b.FilterGroups {
		if all += len(g.Filters); len(g.Filters) > maxFilters || all > maxAllFilters {
			return s, invalid("A search has at most %d filters in a group and %d in all", maxFilters, maxAllFilters)
		}
		conditions := []string{"1"}
		for _, f := range g.Filters {
			sql, args, err := o.condition(f)
			if err != nil {
				return s, err
			}
			conditions, s.Args = append(conditions, sql), append(s.Args, args...)
		}
		groups = append(groups, "("+strings.Join(conditions, " AND ")+")")
	}
	if len(groups) > 0 {
		s.Where += " AND (" + strings.Join(groups, " OR ") + ")"
	}
	if len(b.Query) > maxQuery {
		return s, invalid("The query has at most %d characters", maxQuery)
	}
	if b.Query != "" {
		var hits []string
		for _, name := range o.Queried {
			hits, s.Args = append(hits, "contains_token("+quoted(name)+", ?)"), append(s.Args, b.Query+"*")
		}
		s.Where += " AND (" + strings.Join(hits, " OR ") + ")"
	}
	if len(b.Sorts) > 1 {
		return s, invalid("A search has at most one sort, not %d", len(b.Sorts))
	}
	for _, by := range b.Sorts {
		pr := o.property(by.Property)
		if pr == nil {
			return s, noProperty(o, by.Property)
		}
		s.Order = pr.operand() + direction(by.Descending) + ", " + idProperty
		if pr.Name == idProperty { // by which the table is sorted: no need to sort again
			s.Order = idProperty + direction(by.Descending)
		}
	}
	return s, nil
}

func direction(descending bool) string {
	if descending {
		return " DESC"
	}
	return ""
}

func noProperty(o *object, name string) *apiError {
	return invalid("There was a problem with the request. Property %q does not exist on %s.", name, o.Name)
}

// operand returns the property as comparisons take it: numbers by value, texts without regard to case.
func (pr *property) operand() string {
	switch {
	case pr.Name == idProperty:
		return idProperty
	case pr.Type == typeNumber:
		return "CAST(" + pr.column() + " AS REAL)"
	case pr.Type == typeString:
		return pr.column() + " COLLATE NOCASE"
	}
	return pr.column()
}

// argument returns a value of a filter in the form that operand compares with.
func (pr *property) argument(value string) (any, error) {
	switch {
	case pr.Name == idProperty:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, invalid("%q is not a valid value of %s: it must be a whole number", value, pr.Name)
		}
		return n, nil
	case pr.Type == typeNumber:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || !numberForm.MatchString(value) {
			return nil, invalid("%q is not a valid value of %s: it must be a number", value, pr.Name)
		}
		return n, nil
	case pr.Type == typeDateTime, pr.Type == typeDate:
		t, ok := parseMoment(value)
		if !ok {
			return nil, invalid("%q is not a valid value of %s: it must be a date or milliseconds since 1970", value, pr.Name)
		}
		if pr.Type == typeDate {
			return t.Format(dayForm), nil
		}
		return t.Format(momentForm), nil
	}
	return value, nil
}

var comparisons = map[string]string{"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}

// condition translates a filter to SQL. A record without a value matches NOT_HAS_PROPERTY and nothing else.
// https://developers.hubspot.com/docs/api-reference/search/guide#filter-search-results
func (o *object) condition(f filter) (string, []any, error) {
	pr := o.property(f.Property)
	if pr == nil {
		return "", nil, noProperty(o, f.Property)
	}
	compare, simple := comparisons[f.Operator]
	needed := []*string{f.Value}
	switch {
	case f.Operator == "HAS_PROPERTY":
		return pr.column() + " IS NOT NULL", nil, nil
	case f.Operator == "NOT_HAS_PROPERTY":
		return pr.column() + " IS NULL", nil, nil
	case f.Operator == "IN", f.Operator == "NOT_IN":
		return pr.among(f)
	case f.Operator == "BETWEEN":
		needed = append(needed, f.HighValue)
	case !simple && f.Operator != "CONTAINS_TOKEN" && f.Operator != "NOT_CONTAINS_TOKEN":
		return "", nil, invalid("Invalid input JSON: Cannot deserialize value of type `OperatorEnum` from String %q", f.Operator)
	}
	var args []any
	for _, v := range needed {
		if v == nil {
			return "", nil, invalid("The filter %s of %s lacks a value", f.Operator, f.Property)
		}
		if !simple && f.Operator != "BETWEEN" {
			args = append(args, *v)
			continue
		}
		arg, err := pr.argument(*v)
		if err != nil {
			return "", nil, err
		}
		args = append(args, arg)
	}
	switch f.Operator {
	case "BETWEEN":
		return pr.operand() + " BETWEEN ? AND ?", args, nil
	case "CONTAINS_TOKEN":
		return "contains_token(" + pr.column() + ", ?)", args, nil
	case "NOT_CONTAINS_TOKEN":
		return "(" + pr.column() + " IS NOT NULL AND NOT contains_token(" + pr.column() + ", ?))", args, nil
	}
	return fmt.Sprintf("%s %s ?", pr.operand(), compare), args, nil
}

// among translates IN and NOT_IN. They take the values of texts for lower-case ones, and those of enumerations as they are.
func (pr *property) among(f filter) (string, []any, error) {
	if len(f.Values) == 0 {
		return "", nil, invalid("The filter %s of %s lacks values", f.Operator, f.Property)
	}
	operand := pr.operand()
	if pr.Type == typeString {
		operand = "lower(" + pr.column() + ")"
	}
	values := make([]any, len(f.Values))
	for i, v := range f.Values {
		arg, err := pr.argument(v)
		if err != nil {
			return "", nil, err
		}
		values[i] = arg
	}
	sql, args, err := sqlx.In(operand+" "+strings.ReplaceAll(f.Operator, "_", " ")+" (?)", values)
	if err != nil {
		return "", nil, fmt.Errorf("translate %s: %w", f.Operator, err)
	}
	return sql, args, nil
}

// containsToken reports whether each word of pattern is a word of the text, in any case of letters. "*" stands for any
// characters. nil, the text of a record without a value, contains nothing.
func containsToken(text any, pattern string) bool {
	s, ok := text.(string)
	if !ok {
		return false
	}
	words := strings.Fields(strings.ToLower(s))
	for _, word := range words {
		words = append(words, strings.FieldsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	patterns := strings.Fields(strings.ToLower(pattern))
	for _, p := range patterns {
		matched := false
		for _, word := range words {
			matched = matched || matchesWild(word, p)
		}
		if !matched {
			return false
		}
	}
	return len(patterns) > 0
}

// matchesWild reports whether a word is what a pattern with "*" for any characters says.
func matchesWild(word, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return word == pattern
	}
	word, ok := strings.CutPrefix(word, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(word, part)
		if i < 0 {
			return false
		}
		word = word[i+len(part):]
	}
	return strings.HasSuffix(word, parts[len(parts)-1])
}
