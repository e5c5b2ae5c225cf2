package salesforce

import (
	"fmt"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// minDigits are those before the point that a number field of ours needs: it holds up to 100 points.
const minDigits = 3

// What keeps a field of ours from being used, where setup mends it.
const (
	missingField  = "the field does not exist, or the integration user cannot see it"
	readOnlyField = "the integration user may see the field, but not edit it"

	createsOrShows = "which creates it, or lets the integration user see it"
)

// unusable says why a field of ours cannot hold what we write, as far as the describe of its object tells; nil: it can.
// Where it is the object that keeps us from all of its fields, all of them get the same text and remedy.
func unusable(f ownField, d *description) *connectors.Finding {
	text, remedy := objectTrouble(d)
	if text == "" {
		text, remedy = fieldTrouble(f, d)
	}
	if text == "" {
		return nil
	}
	return &connectors.Finding{Severity: connectors.Problem, Place: d.object + "." + f.API, Field: f.Name, Text: text, Remedy: remedy}
}

// plurals are what people call the records that carry our fields, or whose permissions we ask for.
var plurals = map[string]string{"Opportunity": "opportunities", "Account": "accounts", "Contact": "contacts", "Contract": "contracts"}

// grantOn tells an admin where the permissions on an object are granted.
func grantOn(object, permissions string) string {
	tab := strings.ToUpper(plurals[object][:1]) + plurals[object][1:]
	return fmt.Sprintf("Grant the integration user %s on %s (Setup > Permission Sets > the user's set > Object Settings > %s); `handoff setup --apply` does so too",
		permissions, plurals[object], tab)
}

func objectTrouble(d *description) (text, remedy string) {
	switch {
	case d.off():
		return "the integration user may not read " + plurals[d.object], grantOn(d.object, "Read and Edit")
	case !d.updateable:
		return "the integration user may not edit " + plurals[d.object], grantOn(d.object, "Edit")
	}
	return "", ""
}

func fieldTrouble(f ownField, d *description) (text, remedy string) {
	seen, ok := d.field(f.API)
	if !ok {
		remedy := "Run `handoff setup --apply`, " + createsOrShows
		if f.renamed {
			remedy += ". Or correct its name under handoff_fields." + f.Name
		}
		return missingField, remedy
	}
	replace := fmt.Sprintf("Name another field under handoff_fields.%s, or delete this one and let `handoff setup --apply` create it", f.Name)
	switch is := seen.kind(); {
	case seen.Calculated:
		return "the field is a formula or a summary, which nobody can write", replace
	case is != kinds[f.Type]:
		return fmt.Sprintf("the field's type is %s; %s is needed", is, fieldDetail(f.FieldSpec)), replace
	case f.Type == crm.Number && seen.digits() < minDigits:
		return fmt.Sprintf("the field's numbers have at most %s before the point; %d are needed", countOf(seen.digits(), "digit"), minDigits),
			"Set the field's length to 3 or more: Setup > Object Manager > Fields & Relationships"
	case (f.Type == crm.Text || f.Type == crm.LongText) && seen.Length < f.Length:
		return fmt.Sprintf("the field holds %d characters; %d are needed", seen.Length, f.Length),
			fmt.Sprintf("Set the field's length to %d: Setup > Object Manager > Fields & Relationships", f.Length)
	case f.Type == crm.Picklist && seen.Restricted && len(seen.without(f.Options)) > 0:
		return "the picklist takes no value but its own, and lacks, or has switched off: " + strings.Join(seen.without(f.Options), ", "),
			"Add these values, or activate them: Setup > Object Manager > Fields & Relationships. With record types, each of them needs the values too"
	case !seen.Updateable:
		return readOnlyField, "Grant edit access to the field in a permission set; `handoff setup --apply` does so too"
	}
	return "", ""
}

func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// kinds are the types of our fields as Setup calls them.
var kinds = map[crm.FieldType]string{
	crm.Number: "Number", crm.Picklist: "Picklist", crm.Checkbox: "Checkbox", crm.LongText: "Text Area (Long)", crm.Text: "Text", crm.DateTime: "Date/Time",
}

// kind is the type of a field as Setup calls it.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
func (f field) kind() string {
	const plainTextArea = 255 // characters at most
	switch f.Type {
	case "string":
		return "Text"
	case "double", "int":
		return "Number"
	case "boolean":
		return "Checkbox"
	case "datetime":
		return "Date/Time"
	case "multipicklist":
		return "Picklist (Multi-Select)"
	case "reference":
		return "Lookup"
	case "encryptedstring":
		return "Text (Encrypted)"
	case "textarea":
		switch {
		case f.HTML:
			return "Text Area (Rich)"
		case f.Length > plainTextArea:
			return "Text Area (Long)"
		}
		return "Text Area"
	case "":
		return "unknown"
	}
	return strings.ToUpper(f.Type[:1]) + f.Type[1:]
}

// digits are those before the point.
func (f field) digits() int {
	if f.Type == "int" {
		return f.Digits
	}
	return f.Precision - f.Scale
}

// without returns the options that the field does not offer.
func (f field) without(options []string) []string {
	var lacking []string
	for _, o := range options {
		if !slices.ContainsFunc(f.Options, func(v pickValue) bool { return v.Active && v.Value == o }) {
			lacking = append(lacking, o)
		}
	}
	return lacking
}
