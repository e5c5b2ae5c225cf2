package hubspot

import (
	"testing"

	"handoff/crm"
)

// TestFlaw: what keeps a property from holding a field of ours is said by name, with what would be right.
func TestFlaw(t *testing.T) {
	score := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "score", Type: crm.Number}, "handoff_score"}
	rating := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "rating", Type: crm.Picklist, Options: []string{"Excellent", "Incomplete", "Lost"}}, "handoff_rating"}
	ghost := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "ghost", Type: crm.Checkbox}, "handoff_ghost"}
	gaps := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "gaps", Type: crm.LongText}, "handoff_gaps"}
	action := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "next_action", Type: crm.Text}, "handoff_next_action"}
	at := ownField{crm.FieldSpec{Object: crm.DealObject, Name: "scored_at", Type: crm.DateTime}, "handoff_scored_at"}
	all := []option{{Label: "Lost", Value: "Lost"}, {Label: "Good", Value: "Excellent"}, {Label: "Incomplete", Value: "Incomplete"}}
	const changeType = "Change its field type under Settings > Properties, or name another property under handoff_fields."
	for _, tc := range []struct {
		name  string
		field ownField
		has   property
		want  flaw
	}{
		{"number", score, property{Type: "number", FieldType: "number"}, flaw{}},
		{"text for a number", score, property{Type: "string", FieldType: "text"},
			flaw{"the property's type is single-line text (string/text), and has to be number (number/number)", changeType + "score; `handoff setup --apply` creates it"}},
		{"a type that nobody knows", score, property{Type: "json", FieldType: "tree"},
			flaw{"the property's type is json/tree, and has to be number (number/number)", changeType + "score; `handoff setup --apply` creates it"}},
		{"calculated", score, property{Type: "number", FieldType: "number", Calculated: true},
			flaw{"HubSpot computes this property and lets nobody else set it", "Name another property under handoff_fields.score; `handoff setup --apply` creates it"}},
		{"dropdown, in another order, with other labels", rating, property{Type: "enumeration", FieldType: "select", Options: all}, flaw{}},
		{"radio", rating, property{Type: "enumeration", FieldType: "radio", Options: all}, flaw{}},
		{"several at once", rating, property{Type: "enumeration", FieldType: "checkbox", Options: all},
			flaw{"the property's type is multiple checkboxes (enumeration/checkbox), and has to be dropdown select (enumeration/select)", changeType + "rating; `handoff setup --apply` creates it"}},
		{"an option is missing", rating, property{Name: "handoff_rating", Type: "enumeration", FieldType: "select", Options: all[1:]},
			flaw{"the property lacks the option Lost", "Under Settings > Properties, edit the options of handoff_rating: add what is missing, with the same words as label and as internal value"}},
		{"options are missing, and hidden", rating, property{Name: "handoff_rating", Type: "enumeration", FieldType: "select", Options: []option{{Value: "Lost", Hidden: true}}},
			flaw{"the property lacks the options Excellent, Incomplete, and the property hides the option Lost",
				"Under Settings > Properties, edit the options of handoff_rating: add what is missing, with the same words as label and as internal value, and show what is hidden"}},
		{"checkbox", ghost, property{Type: "bool", FieldType: "booleancheckbox"}, flaw{}},
		{"checkbox as it used to be", ghost, property{Type: "enumeration", FieldType: "booleancheckbox"}, flaw{}},
		{"multi-line", gaps, property{Type: "string", FieldType: "textarea"}, flaw{}},
		{"one line for several", gaps, property{Type: "string", FieldType: "text"},
			flaw{"the property's type is single-line text (string/text), and has to be multi-line text (string/textarea)", changeType + "gaps; `handoff setup --apply` creates it"}},
		{"several lines for one", action, property{Type: "string", FieldType: "textarea"}, flaw{}},
		{"moment", at, property{Type: "datetime", FieldType: "date"}, flaw{}},
		{"day", at, property{Type: "date", FieldType: "date"},
			flaw{"the property's type is date picker (date/date), and has to be date and time picker (datetime/date)", changeType + "scored_at; `handoff setup --apply` creates it"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &schema{properties: map[string]map[string]property{deals: {tc.field.property: tc.has}}}
			if got := s.flaw(tc.field); got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}
