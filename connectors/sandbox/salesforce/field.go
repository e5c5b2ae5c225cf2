package salesforce

import (
	"slices"
	"strings"
)

// FieldType is the type of a field as describe names it.
type FieldType string

// The types of fields.
const (
	TypeID        FieldType = "id"
	TypeReference FieldType = "reference"
	TypeString    FieldType = "string"
	TypeTextArea  FieldType = "textarea"
	TypePicklist  FieldType = "picklist"
	TypeCombobox  FieldType = "combobox"
	TypeEmail     FieldType = "email"
	TypePhone     FieldType = "phone"
	TypeURL       FieldType = "url"
	TypeBoolean   FieldType = "boolean"
	TypeInt       FieldType = "int"
	TypeDouble    FieldType = "double"
	TypePercent   FieldType = "percent"
	TypeCurrency  FieldType = "currency"
	TypeDate      FieldType = "date"
	TypeDateTime  FieldType = "datetime"
	TypeBase64    FieldType = "base64"
	TypeAny       FieldType = "anyType"
)

// Field describes one field of an sObject.
type Field struct {
	Name        string // API name; ends in "__c" for a custom field
	Label       string // "": made from Name
	Type        FieldType
	Length      int // characters, for text
	Precision   int // digits in all, for numbers
	Scale       int // digits after the point
	Values      []string
	Restricted  bool   // a picklist that refuses other values
	Help        string // shown to everybody who edits the field
	Description string // what it is for; only admins see it

	ReferenceTo   []string // objects that a reference may point at
	Relationship  string   // the name of the way up, such as "Account"
	Children      string   // the name of the way down from the parent, such as "Contacts"; "": there is none
	CascadeDelete bool     // the row is deleted with the parent

	Required     bool // a value must be given on create
	ReadOnly     bool // set by the system
	CreateOnly   bool // cannot be changed later
	Default      any
	TrackHistory bool // changes are written to the object's field history
	Guarded      bool // hidden from everybody to whom no permission set grants it
}

// Custom reports whether f is a custom field.
func (f *Field) Custom() bool { return strings.HasSuffix(f.Name, "__c") }

// LongText reports whether f is a long text area, which cannot be filtered, sorted or grouped by.
func (f *Field) LongText() bool { return f.Type == TypeTextArea && f.Length > 255 }

// Filterable reports whether queries may compare f with values and sort by it.
func (f *Field) Filterable() bool {
	return !f.LongText() && f.Type != TypeBase64 && f.Type != TypeAny
}

// groupable reports whether queries may group by f.
func (f *Field) groupable() bool { return f.Filterable() && f.Type != TypeDateTime }

// Object describes one sObject.
type Object struct {
	Name      string
	Label     string // "": made from Name
	Plural    string // "": Label and an s
	KeyPrefix string // first three characters of its ids
	NameField string // "": the object has no name
	Fields    []*Field
	ReadOnly  bool   // rows are made by the system only
	View      string // the SELECT behind an object that is not stored itself
}

// Field returns the field of that name, in any case of letters; nil: there is none.
func (o *Object) Field(name string) *Field {
	i := slices.IndexFunc(o.Fields, func(f *Field) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return nil
	}
	return o.Fields[i]
}

// Parent returns the reference field whose way up has that name, in any case of letters; nil: there is none.
func (o *Object) Parent(relationship string) *Field {
	i := slices.IndexFunc(o.Fields, func(f *Field) bool {
		return f.Relationship != "" && strings.EqualFold(f.Relationship, relationship)
	})
	if i < 0 {
		return nil
	}
	return o.Fields[i]
}

// label returns what people call the field.
func (f *Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	name := strings.TrimSuffix(f.Name, "__c")
	if f.Type == TypeReference && !f.Custom() && strings.HasSuffix(name, "Id") {
		return spaced(strings.TrimSuffix(name, "Id")) + " ID"
	}
	return spaced(name)
}

func (o *Object) label() string {
	if o.Label != "" {
		return o.Label
	}
	return spaced(o.Name)
}

func (o *Object) plural() string {
	if o.Plural != "" {
		return o.Plural
	}
	return o.label() + "s"
}

// spaced splits an API name into words: "StageName" into "Stage Name", "Use_Case" into "Use Case".
func spaced(name string) string {
	var b strings.Builder
	for i, r := range strings.ReplaceAll(name, "_", " ") {
		if i > 0 && 'A' <= r && r <= 'Z' && 'a' <= name[i-1] && name[i-1] <= 'z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
