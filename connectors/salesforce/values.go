package salesforce

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// plain is any value of a field as text; null is "".
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// fromCRM is a value of one of our fields in the form of crm.Values.
func fromCRM(t crm.FieldType, v any) string {
	s := plain(v)
	switch t {
	case crm.Number: // "7.0" in CSV and in histories
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return plain(n)
		}
	case crm.DateTime:
		var m moment
		if m.UnmarshalText([]byte(s)) == nil {
			return m.Time.Truncate(time.Second).Format(time.RFC3339)
		}
	case crm.LongText:
		return lines(s)
	}
	return s
}

// lines is a text with lines as they end here: REST tells how they were typed, and results in CSV do not.
func lines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// toCRM is the reverse of fromCRM. Text that is too long is cut at a word.
func toCRM(f crm.FieldSpec, s string) (any, error) {
	if f.Type == crm.Checkbox { // has no empty state
		switch s {
		case "true":
			return true, nil
		case "false", "":
			return false, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", s)
	}
	if s == "" {
		return nil, nil
	}
	switch f.Type {
	case crm.Number:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		return n, nil
	case crm.DateTime:
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a moment of the form 2006-01-02T15:04:05Z", s)
		}
		return t.UTC().Format("2006-01-02T15:04:05.000Z"), nil
	case crm.Text, crm.LongText:
		return connectors.Cut(s, f.Length, 2), nil
	case crm.Picklist:
		return s, nil
	}
	return nil, errors.New("the field has a type that Salesforce lacks")
}
