package salesforce

import (
	"testing"

	"handoff/crm"
)

func TestFromCRM(t *testing.T) {
	for _, tc := range []struct {
		name string
		t    crm.FieldType
		in   any
		want string
	}{
		{"whole number", crm.Number, 2.0, "2"},
		{"broken number", crm.Number, 1.5, "1.5"},
		{"no number", crm.Number, nil, ""},
		{"ticked", crm.Checkbox, true, "true"},
		{"unticked", crm.Checkbox, false, "false"},
		{"moment", crm.DateTime, "2026-11-20T09:30:00.000+0100", "2026-11-20T08:30:00Z"},
		{"no moment", crm.DateTime, nil, ""},
		{"lines", crm.LongText, "a\r\nb", "a\nb"},
		{"option", crm.Picklist, "Green", "Green"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := fromCRM(tc.t, tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestToCRM(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec crm.FieldSpec
		in   string
		want any
		bad  bool
	}{
		{"number", crm.FieldSpec{Type: crm.Number}, "12", 12.0, false},
		{"no number", crm.FieldSpec{Type: crm.Number}, "", nil, false},
		{"not a number", crm.FieldSpec{Type: crm.Number}, "many", nil, true},
		{"ticked", crm.FieldSpec{Type: crm.Checkbox}, "true", true, false},
		{"a checkbox has no empty state", crm.FieldSpec{Type: crm.Checkbox}, "", false, false},
		{"not a tick", crm.FieldSpec{Type: crm.Checkbox}, "yes", nil, true},
		{"moment", crm.FieldSpec{Type: crm.DateTime}, "2026-11-20T08:30:00Z", "2026-11-20T08:30:00.000Z", false},
		{"not a moment", crm.FieldSpec{Type: crm.DateTime}, "soon", nil, true},
		{"text", crm.FieldSpec{Type: crm.Text, Length: 12}, "ask the champion", "ask the…", false},
		{"option", crm.FieldSpec{Type: crm.Picklist}, "Red", "Red", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := toCRM(tc.spec, tc.in)
			if got != tc.want || (err != nil) != tc.bad {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}
