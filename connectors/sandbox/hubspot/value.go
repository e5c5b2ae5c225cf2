package hubspot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The forms in which moments and days are stored and answered. Both sort as they read.
const (
	momentForm = "2006-01-02T15:04:05.000Z"
	dayForm    = time.DateOnly
)

// moment returns the stored form of t, "" for the zero time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(momentForm)
}

// maxText is how many characters a text may have.
const maxText = 65_536

// valueError says why a property cannot have a value, in the form in which HubSpot lists it in the message.
type valueError struct {
	IsValid bool   `json:"isValid"`
	Message string `json:"message"`
	Code    string `json:"error"`
	Name    string `json:"name"`
}

var (
	numberForm = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$`)
	millisForm = regexp.MustCompile(`^-?\d{1,14}$`)
)

// parse returns the stored form of a property's value; "" is no value. The caller holds p's lock.
func (p *Portal) parse(pr *property, value string) (string, *valueError) {
	refuse := func(code, format string, args ...any) (string, *valueError) {
		return "", &valueError{Code: code, Name: pr.Name, Message: fmt.Sprintf(format, args...)}
	}
	if value == "" {
		return "", nil
	}
	switch pr.Type {
	case typeNumber:
		if !numberForm.MatchString(value) {
			return refuse("INVALID_DOUBLE", "%s was not a valid number.", value)
		}
	case typeDateTime:
		t, ok := parseMoment(value)
		if !ok {
			return refuse("INVALID_LONG", "%s was not a valid long.", value)
		}
		return moment(t), nil
	case typeDate:
		t, ok := parseMoment(value)
		if !ok {
			return refuse("INVALID_DATE", "%s was not a valid date.", value)
		}
		if !t.Equal(t.Truncate(24 * time.Hour)) {
			return refuse("INVALID_DATE", "%s is at %s UTC, not midnight!", value, t.Format("15:04:05.000"))
		}
		return t.Format(dayForm), nil
	case typeEnum, typeBool:
		if pr.ExternalOptions {
			if !p.allows(pr.Name, value) {
				return refuse("INVALID_OPTION", "%s was not one of the allowed options.", value)
			}
			break
		}
		chosen := []string{value}
		if pr.FieldType == "checkbox" {
			chosen = strings.Split(strings.Trim(value, ";"), ";")
		}
		for _, v := range chosen {
			if !slices.ContainsFunc(pr.Options, func(o option) bool { return o.Value == v }) {
				return refuse("INVALID_OPTION", "%s was not one of the allowed options: [%s]", v, pr.optionList())
			}
		}
	default:
		if !utf8.ValidString(value) || utf8.RuneCountInString(value) > maxText {
			return refuse("INVALID_STRING", "The value of %s is longer than %d characters.", pr.Name, maxText)
		}
	}
	return value, nil
}

func (pr *property) optionList() string {
	values := make([]string, len(pr.Options))
	for i, o := range pr.Options {
		values[i] = fmt.Sprintf("label: %q value: %q", o.Label, o.Value)
	}
	return strings.Join(values, ", ")
}

// parseMoment reads milliseconds since 1970, an ISO moment or a day, of the years 0 to 9999.
func parseMoment(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse(dayForm, s)
	}
	if millisForm.MatchString(s) {
		var ms int64
		ms, err = strconv.ParseInt(s, 10, 64)
		t = time.UnixMilli(ms)
	}
	t = t.UTC()
	return t, err == nil && 0 <= t.Year() && t.Year() <= 9999
}

// allows reports whether the stage, pipeline or, with any other property, owner that a value names exists.
func (p *Portal) allows(property, value string) bool {
	switch property {
	case "dealstage":
		return p.stage(value) != nil
	case "pipeline":
		return slices.ContainsFunc(p.pipelines, func(l *pipeline) bool { return l.ID == value })
	}
	return slices.ContainsFunc(p.owners, func(o *owner) bool { return o.ID == value })
}
