package hubspot

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/crm"
)

func TestToCRM(t *testing.T) {
	open := property{Name: "handoff_x", Options: []option{{Value: "Green"}}}
	for _, tc := range []struct {
		name    string
		f       crm.FieldSpec
		in      string
		want    string
		refused bool
	}{
		{"number", crm.FieldSpec{Type: crm.Number}, "31", "31", false},
		{"no number", crm.FieldSpec{Type: crm.Number}, "many", "", true},
		{"empty number", crm.FieldSpec{Type: crm.Number}, "", "", false},
		{"option", crm.FieldSpec{Type: crm.Picklist}, "Green", "Green", false},
		{"no option", crm.FieldSpec{Type: crm.Picklist}, "green", "", true},
		{"cleared option", crm.FieldSpec{Type: crm.Picklist}, "", "", false},
		{"checked", crm.FieldSpec{Type: crm.Checkbox}, "true", "true", false},
		{"a checkbox is never empty", crm.FieldSpec{Type: crm.Checkbox}, "", "false", false},
		{"no checkbox", crm.FieldSpec{Type: crm.Checkbox}, "yes", "", true},
		{"moment", crm.FieldSpec{Type: crm.DateTime}, "2026-11-20T08:30:00Z", "2026-11-20T08:30:00Z", false},
		{"no moment", crm.FieldSpec{Type: crm.DateTime}, "2026-11-20", "", true},
		{"text", crm.FieldSpec{Type: crm.Text, Length: 255}, "Ask <b>", "Ask <b>", false},
		{"cut at a word", crm.FieldSpec{Type: crm.Text, Length: 10}, "word word word", "word word…", false},
		{"one long word", crm.FieldSpec{Type: crm.LongText, Length: 4}, "wordword", "wor…", false},
		{"an emoji counts as two", crm.FieldSpec{Type: crm.Text, Length: 4}, "ab🙂cd", "ab…", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := toCRM(tc.f, open, tc.in)
			if got != tc.want || (err != nil) != tc.refused {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestFromCRM(t *testing.T) {
	for _, tc := range []struct {
		name string
		t    crm.FieldType
		in   text
		want string
	}{
		{"number", crm.Number, "31", "31"},
		{"number with a point", crm.Number, "31.0", "31"},
		{"no number", crm.Number, "", ""},
		{"never checked", crm.Checkbox, "", "false"},
		{"checked", crm.Checkbox, "true", "true"},
		{"moment", crm.DateTime, "2026-11-20T08:30:00.123Z", "2026-11-20T08:30:00Z"},
		{"milliseconds", crm.DateTime, "1763627400000", "2025-11-20T08:30:00Z"},
		{"no moment", crm.DateTime, "", ""},
		{"line breaks", crm.LongText, "a\r\nb", "a\nb"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fromCRM(tc.t, tc.in); got != tc.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestMoment(t *testing.T) {
	day := time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)
	for in, want := range map[text]*time.Time{"2026-09-30": &day, "2026-09-30T02:00:00+02:00": &day, "1790726400000": &day, "": nil, "soon": nil} {
		got := in.moment()
		if (got == nil) != (want == nil) || got != nil && !got.Equal(*want) {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{`"a"`, `17`, `null`, `true`, `{"a":1}`, `["a"]`, `"\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var v text
		if json.Unmarshal([]byte(in), &v, lenient) == nil && strings.ContainsAny(strings.TrimSpace(in)[:1], "[{") {
			t.Fatalf("%s is read as %q", in, v)
		}
		_ = v.moment()
	})
}
