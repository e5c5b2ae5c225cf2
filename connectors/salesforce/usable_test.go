package salesforce

import (
	"strings"
	"testing"

	"handoff/crm"
)

func TestUnusableFields(t *testing.T) {
	number := ownField{FieldSpec: crm.FieldSpec{Name: "score", Type: crm.Number}, API: "Handoff_Score__c"}
	text := ownField{FieldSpec: crm.FieldSpec{Name: "next_action", Type: crm.Text, Length: 255}, API: "Handoff_Next_Action__c"}
	long := ownField{FieldSpec: crm.FieldSpec{Name: "gaps", Type: crm.LongText, Length: 32768}, API: "Handoff_Gaps__c"}
	pick := ownField{FieldSpec: crm.FieldSpec{Name: "health", Type: crm.Picklist, Options: []string{"Green", "Yellow", "Red"}}, API: "Handoff_Health__c"}
	renamed := number
	renamed.API, renamed.renamed = "Points__c", true
	options := func(values ...string) (all []pickValue) {
		for _, v := range values {
			v, off := strings.CutSuffix(v, " (off)")
			all = append(all, pickValue{v, !off})
		}
		return all
	}
	for _, tc := range []struct {
		name         string
		own          ownField
		is           field
		text, remedy string // what is said; "": nothing
	}{
		{"number", number, field{Type: "double", Precision: 3, Updateable: true}, "", ""},
		{"larger number with decimals", number, field{Type: "double", Precision: 18, Scale: 2, Updateable: true}, "", ""},
		{"whole number", number, field{Type: "int", Digits: 9, Updateable: true}, "", ""},
		{"small number", number, field{Type: "double", Precision: 3, Scale: 1, Updateable: true}, "the field's numbers have at most 2 digits before the point; 3 are needed", "3 or more"},
		{"text for a number", number, field{Type: "string", Length: 255, Updateable: true}, "the field's type is Text; Number(3,0) is needed", "handoff_fields.score"},
		{"currency", number, field{Type: "currency", Precision: 18, Updateable: true}, "the field's type is Currency; Number(3,0) is needed", "delete this one"},
		{"formula", number, field{Type: "double", Precision: 18, Calculated: true}, "the field is a formula or a summary, which nobody can write", "Name another field"},
		{"read-only", number, field{Type: "double", Precision: 3}, "the integration user may see the field, but not edit it", "Grant edit access"},
		{"text", text, field{Type: "string", Length: 255, Updateable: true}, "", ""},
		{"short text", text, field{Type: "string", Length: 80, Updateable: true}, "the field holds 80 characters; 255 are needed", "length to 255"},
		{"text area for text", text, field{Type: "textarea", Length: 255, Updateable: true}, "the field's type is Text Area; Text(255) is needed", "Name another"},
		{"long text", long, field{Type: "textarea", Length: 131072, Updateable: true}, "", ""},
		{"short long text", long, field{Type: "textarea", Length: 5000, Updateable: true}, "the field holds 5000 characters; 32768 are needed", "length to 32768"},
		{"rich text", long, field{Type: "textarea", Length: 32768, HTML: true, Updateable: true}, "the field's type is Text Area (Rich); LongTextArea(32768) is needed", "Name another"},
		{"picklist", pick, field{Type: "picklist", Restricted: true, Options: options("Green", "Yellow", "Red", "Blue"), Updateable: true}, "", ""},
		{"picklist that takes anything", pick, field{Type: "picklist", Updateable: true}, "", ""},
		{"picklist without our options", pick, field{Type: "picklist", Restricted: true, Options: options("Green", "Yellow (off)"), Updateable: true},
			"the picklist takes no value but its own, and lacks, or has switched off: Yellow, Red", "Add these values"},
		{"several options at once", pick, field{Type: "multipicklist", Updateable: true}, "the field's type is Picklist (Multi-Select); Picklist: Green, Yellow, Red is needed", "Name another"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.is.Name = tc.own.API
			d := &description{object: "Opportunity", updateable: true, fields: map[string]field{strings.ToLower(tc.own.API): tc.is}}
			f := unusable(tc.own, d)
			if f == nil {
				if tc.text != "" {
					t.Errorf("nothing is said, want %q", tc.text)
				}
				return
			}
			if f.Text != tc.text || !strings.Contains(f.Remedy, tc.remedy) || f.Field != tc.own.Name || f.Place != "Opportunity."+tc.own.API {
				t.Errorf("got  %+v\nwant %q and a remedy with %q", f, tc.text, tc.remedy)
			}
		})
	}
	empty := &description{object: "Opportunity", updateable: true, fields: map[string]field{}}
	if f := unusable(number, empty); f.Text != missingField || strings.Contains(f.Remedy, "handoff_fields") {
		t.Errorf("missing: %+v", f)
	}
	if f := unusable(renamed, empty); f.Place != "Opportunity.Points__c" || !strings.Contains(f.Remedy, "handoff_fields.score") {
		t.Errorf("missing under a name of the configuration: %+v", f)
	}
	// What keeps us from an object is said in the same words for each field.
	for _, d := range []*description{{object: "Opportunity"}, {object: "Opportunity", fields: map[string]field{}}} {
		a, b := unusable(number, d), unusable(pick, d)
		if a.Text != b.Text || a.Remedy != b.Remedy || !strings.Contains(a.Text, "opportunities") {
			t.Errorf("two words for one thing: %+v, %+v", a, b)
		}
	}
}
