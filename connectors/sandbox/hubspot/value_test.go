package hubspot

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	day := define("day", "Day", typeDate, "date")
	level := enum("level", "Level", "select", "low", "high")
	roles := enum("roles", "Roles", "checkbox", "a", "b")
	tests := []struct {
		name     string
		property *property
		value    string
		want     string // stored form, or error and message
	}{
		{"cleared", number("n", "N"), "", ""},
		{"whole", number("n", "N"), "70", "70"},
		{"fraction", number("n", "N"), "-0.5", "-0.5"},
		{"exponent", number("n", "N"), "1e3", "1e3"},
		{"word for number", number("n", "N"), "seventy", "INVALID_DOUBLE seventy was not a valid number."},
		{"no number", number("n", "N"), "NaN", "INVALID_DOUBLE NaN was not a valid number."},
		{"hexadecimal", number("n", "N"), "0x10", "INVALID_DOUBLE 0x10 was not a valid number."},
		{"moment", datetime("d", "D"), "2026-10-01T11:00:00+02:00", "2026-10-01T09:00:00.000Z"},
		{"moment in milliseconds", datetime("d", "D"), "1790845200123", "2026-10-01T09:00:00.123Z"},
		{"day for moment", datetime("d", "D"), "2026-10-01", "2026-10-01T00:00:00.000Z"},
		{"word for moment", datetime("d", "D"), "today", "INVALID_LONG today was not a valid long."},
		{"day", day, "2026-10-01", "2026-10-01"},
		{"day in milliseconds", day, "1790812800000", "2026-10-01"},
		{"day with a time", day, "1790845200000", "INVALID_DATE 1790845200000 is at 09:00:00.000 UTC, not midnight!"},
		{"no day", day, "2026-02-30", "INVALID_DATE 2026-02-30 was not a valid date."},
		{"option", level, "low", "low"},
		{"label for option", level, "Low", `INVALID_OPTION Low was not one of the allowed options: [label: "low" value: "low", label: "high" value: "high"]`},
		{"several options", roles, "a;b", "a;b"},
		{"one wrong option", roles, "a;c", `INVALID_OPTION c was not one of the allowed options: [label: "a" value: "a", label: "b" value: "b"]`},
		{"several for one", level, "low;high", `INVALID_OPTION low;high was not one of the allowed options: [label: "low" value: "low", label: "high" value: "high"]`},
		{"checked", flag("f", "F"), "true", "true"},
		{"yes", flag("f", "F"), "yes", `INVALID_OPTION yes was not one of the allowed options: [label: "true" value: "true", label: "false" value: "false"]`},
		{"owner", external(ownerProperty, "Owner"), repID, repID},
		{"former owner", external(ownerProperty, "Owner"), formerID, formerID},
		{"no owner", external(ownerProperty, "Owner"), "1", "INVALID_OPTION 1 was not one of the allowed options."},
		{"stage", ofPipeline("dealstage", "Stage", "radio"), "closedwon", "closedwon"},
		{"label for stage", ofPipeline("dealstage", "Stage", "radio"), "Closed Won", "INVALID_OPTION Closed Won was not one of the allowed options."},
		{"pipeline", ofPipeline("pipeline", "Pipeline", "select"), "default", "default"},
		{"text", area("t", "T"), "a <b>& \"é\"\nline", "a <b>& \"é\"\nline"},
		{"longest text", area("t", "T"), strings.Repeat("é", maxText), strings.Repeat("é", maxText)},
		{"too long a text", area("t", "T"), strings.Repeat("x", maxText+1), "INVALID_STRING The value of t is longer than 65536 characters."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, bad := a.portal.parse(tt.property, tt.value)
			if bad != nil {
				got = bad.Code + " " + bad.Message
			}
			if got != tt.want {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
}

// What is stored is read back as it is.
func FuzzParse(f *testing.F) {
	for _, v := range []string{"70", "1e3", "2026-10-01T11:00:00+02:00", "1790812800000", "2026-10-01", "a;b", "true", "-1", "9999-12-31T23:59:59-01:00"} {
		f.Add(v)
	}
	p := &Portal{}
	all := []*property{number("n", "N"), datetime("d", "D"), define("day", "Day", typeDate, "date"), enum("e", "E", "checkbox", "a", "b"), flag("f", "F"), text("t", "T")}
	f.Fuzz(func(t *testing.T, value string) {
		for _, pr := range all {
			stored, bad := p.parse(pr, value)
			if bad != nil {
				continue
			}
			again, bad := p.parse(pr, stored)
			if bad != nil || again != stored {
				t.Errorf("%s: %q is stored as %q and that as %q (%v)", pr.Type, value, stored, again, bad)
			}
		}
	})
}
