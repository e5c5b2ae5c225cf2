package salesforce

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"handoff/crm"
)

// Values enter SOQL here and nowhere else.

// quoting holds the escapes of a string literal.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
var quoting = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)

func quote(s string) string { return "'" + quoting.Replace(s) + "'" }

// anyOf is the condition that a field holds one of the values, of which there must be one at least.
func anyOf(field string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return field + " IN (" + strings.Join(quoted, ",") + ")"
}

// datetime is a literal of whole seconds, which are never quoted.
func datetime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// beyond is the condition that a row lies behind a watermark in the order of a stamp and Id. Without an id it includes
// rows stamped exactly then: stamps have whole seconds, and ties are usual. Behind the zero watermark lies all.
func beyond(stamp string, m crm.Watermark) string {
	at := datetime(m.Time)
	switch {
	case m.Time.IsZero():
		return ""
	case m.ID == "":
		return stamp + " >= " + at
	}
	return either(stamp+" > "+at, all(stamp+" = "+at, "Id > "+quote(m.ID)))
}

// before is the condition that a row was stamped before that time; the zero time is behind all.
func before(stamp string, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return stamp + " < " + datetime(at)
}

// all joins conditions by AND, leaving empty ones out.
func all(conditions ...string) string {
	return strings.Join(slices.DeleteFunc(conditions, func(s string) bool { return s == "" }), " AND ")
}

// either joins conditions by OR, in parentheses: SOQL refuses AND beside OR without them.
func either(conditions ...string) string {
	for i, c := range conditions {
		if strings.Contains(c, " AND ") {
			conditions[i] = "(" + c + ")"
		}
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// selectFrom makes a statement; tail is ORDER BY and LIMIT.
func selectFrom(object string, columns []string, where, tail string) string {
	s := "SELECT " + strings.Join(columns, ", ") + " FROM " + object
	if where != "" {
		s += " WHERE " + where
	}
	if tail != "" {
		s += " " + tail
	}
	return s
}
