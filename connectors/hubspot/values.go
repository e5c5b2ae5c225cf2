package hubspot

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors"
	"handoff/crm"
)

// text is a value that HubSpot sends as a string, or as a number or a boolean where it is of a mind to; null is "".
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case 'n':
		*t = ""
	case '"':
		var s string
		if err := json.Unmarshal(v, &s, lenient); err != nil {
			return err
		}
		*t = text(s)
	case '0', 't', 'f':
		*t = text(v)
	default:
		return fmt.Errorf("a %s where text is due", v.Kind())
	}
	return nil
}

// object is a record.
type object struct {
	ID         text                 `json:"id"`
	Created    text                 `json:"createdAt"`
	Updated    text                 `json:"updatedAt"`
	Properties map[string]text      `json:"properties"`
	History    map[string][]version `json:"propertiesWithHistory"` // newest first
}

// version is a value that a property had.
type version struct {
	Value  text `json:"value"`
	At     text `json:"timestamp"`
	Source text `json:"sourceType"`
	User   text `json:"updatedByUserId"` // "": nobody in person
}

func (o object) text(property string) string { return string(o.Properties[property]) }

// number returns nil where there is none.
func (o object) number(property string) *float64 {
	if n, err := strconv.ParseFloat(o.text(property), 64); err == nil {
		return &n
	}
	return nil
}

func (o object) moment(property string) *time.Time { return o.Properties[property].moment() }

// moment reads RFC 3339, milliseconds since 1970, or a day; nil: it is neither.
func (t text) moment() *time.Time {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, string(t)); err == nil {
			at = at.UTC()
			return &at
		}
	}
	if ms, err := strconv.ParseInt(string(t), 10, 64); err == nil {
		at := time.UnixMilli(ms).UTC()
		return &at
	}
	return nil
}

// several splits the values of a property with several of them.
func several(list string) []string {
	var all []string
	for v := range strings.SplitSeq(list, ";") {
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// milliseconds is how a search takes a moment.
func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// compareIDs compares numbers of any length.
func compareIDs(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// fromCRM is a value of one of our properties in the form of crm.Values. A checkbox that was never set is not checked.
func fromCRM(t crm.FieldType, v text) string {
	s := string(v)
	switch t {
	case crm.Number:
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
	case crm.Checkbox:
		return strconv.FormatBool(strings.EqualFold(s, "true"))
	case crm.DateTime:
		if at := v.moment(); at != nil {
			return at.Truncate(time.Second).Format(time.RFC3339)
		}
	case crm.LongText:
		return strings.ReplaceAll(s, "\r\n", "\n")
	}
	return s
}

// toCRM is the reverse of fromCRM, for a property as the portal defines it. Text that is too long is cut at a word.
func toCRM(f crm.FieldSpec, p property, s string) (string, error) {
	switch {
	case f.Type == crm.Checkbox:
		switch s {
		case "true", "false":
			return s, nil
		case "":
			return "false", nil
		}
		return "", fmt.Errorf("%q is neither true nor false", s)
	case s == "":
		return "", nil
	case f.Type == crm.Number:
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return "", fmt.Errorf("%q is not a number", s)
		}
	case f.Type == crm.DateTime:
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return "", fmt.Errorf("%q is not a moment of the form 2006-01-02T15:04:05Z", s)
		}
	case f.Type == crm.Picklist:
		if len(p.Options) > 0 && !p.allows(s) {
			return "", fmt.Errorf("%q is no option of the property %s: add it under Settings > Properties", s, p.Name)
		}
	default:
		return connectors.Cut(s, f.Length, 1), nil
	}
	return s, nil
}
