package salesforce

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// coerce turns what a client sent for a field into the form in which it is stored, or refuses it. The client's value is
// one decoded from JSON, or a string in XML schema form. References are only checked for their form.
func (f *Field) coerce(v any) (any, *rowError) {
	if v == nil {
		return f.store(nil), nil
	}
	s, isString := v.(string)
	if n, ok := v.(json.Number); ok {
		s = n.String()
	}
	wrongType := func() *rowError {
		return refuse("INVALID_TYPE_ON_FIELD_IN_RECORD", fmt.Sprintf("%s: value not of required type: %v", f.label(), v), f.Name)
	}
	switch f.Type {
	case TypeBoolean:
		if b, ok := v.(bool); ok {
			return boolValue(b), nil
		}
		if b, err := strconv.ParseBool(strings.ToLower(s)); err == nil && isString {
			return boolValue(b), nil
		}
		return nil, wrongType()
	case TypeInt, TypeDouble, TypePercent, TypeCurrency:
		n, err := strconv.ParseFloat(s, 64)
		if isString && s == "" {
			return nil, nil
		}
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, wrongType()
		}
		return f.coerceNumber(n)
	}
	if !isString {
		return nil, wrongType()
	}
	switch f.Type {
	case TypeDate:
		return coerceTime(s, storedDate, wrongType, time.DateOnly)
	case TypeDateTime:
		return coerceTime(s, storedTime, wrongType, time.RFC3339, "2006-01-02T15:04:05Z0700", time.DateOnly)
	case TypeBase64:
		data, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, wrongType()
		}
		return data, nil
	case TypeReference:
		return f.coerceReference(s)
	}
	return f.coerceText(s)
}

func (f *Field) coerceNumber(n float64) (any, *rowError) {
	scale := math.Pow10(f.Scale)
	n = math.Round(n*scale) / scale
	if math.Abs(n) >= math.Pow10(f.Precision-f.Scale) {
		return nil, refuse("NUMBER_OUTSIDE_VALID_RANGE", fmt.Sprintf("%s: value outside of valid range on numeric field: %v", f.label(), n), f.Name)
	}
	if f.Type == TypeInt {
		return int64(n), nil
	}
	return n, nil
}

func coerceTime(s, stored string, wrongType func() *rowError, layouts ...string) (any, *rowError) {
	if s == "" {
		return nil, nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(stored), nil
		}
	}
	return nil, wrongType()
}

func (f *Field) coerceReference(s string) (any, *rowError) {
	if s == "" {
		return nil, nil
	}
	id, ok := fullID(s)
	if !ok {
		return nil, refuse("MALFORMED_ID", fmt.Sprintf("%s: id value of incorrect type: %s", f.label(), s), f.Name)
	}
	return id, nil
}

func (f *Field) coerceText(s string) (any, *rowError) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	if n := utf8.RuneCountInString(s); f.Length > 0 && n > f.Length {
		return nil, refuse("STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label(), s, f.Length), f.Name)
	}
	switch {
	case f.Type == TypePicklist && f.Restricted:
		i := slices.IndexFunc(f.Values, func(v string) bool { return strings.EqualFold(v, s) })
		if i < 0 {
			return nil, refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fmt.Sprintf("%s: bad value for restricted picklist field: %s", f.label(), s), f.Name)
		}
		return f.Values[i], nil
	case f.Type == TypeEmail:
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return nil, refuse("INVALID_EMAIL_ADDRESS", fmt.Sprintf("%s: invalid email address: %s", f.label(), s), f.Name)
		}
	}
	return s, nil
}
