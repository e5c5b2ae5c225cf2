package crm

import "time"

// Object is the kind of record that a field sits on.
type Object string

// The objects that carry our fields.
const (
	DealObject    Object = "deal"
	AccountObject Object = "account"
)

// FieldType is the type of one of our own fields in a CRM.
type FieldType int

// The types of our fields. A connector maps each to its CRM's type of design section 6.
const (
	Number   FieldType = iota // whole number
	Picklist                  // one of Options, nothing else
	Checkbox                  // "true" or "false"
	LongText                  // up to Length characters
	Text                      // up to Length characters, one line
	DateTime                  // RFC 3339, UTC, whole seconds
)

// FieldSpec describes a field that we own in the CRM.
type FieldSpec struct {
	Object  Object
	Name    string // neutral name, such as "item_1_1"; a connector derives the CRM's name from it
	Label   string
	Type    FieldType
	Length  int      // characters, for Text and LongText
	Options []string // for Picklist; value and label are the same
	Help    string   // what a person reads beside the field
}

// Values holds field values by neutral name, each in the one textual form of its type: a number in digits, "true" or
// "false", a moment in RFC 3339 (UTC, whole seconds), text as it is. "" is an empty field; an absent key is a field that
// was not read.
type Values map[string]string

// Ref names one record of a CRM.
type Ref struct {
	Object Object
	ID     string
}

// Update sets fields of one record to new values.
type Update struct {
	Ref
	Values Values
}

// Watermark is how far one kind of record has been read: all rows up to Time, and of those stamped exactly Time the ones
// up to ID.
type Watermark struct {
	Time time.Time `json:"time"`
	ID   string    `json:"id,omitempty"`
}

// Watermarks holds a watermark for each kind of record, by the CRM's own object name.
type Watermarks map[string]Watermark
