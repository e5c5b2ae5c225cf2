package hubspot

import (
	"regexp"
	"slices"
	"strconv"
)

// object describes one kind of record.
type object struct {
	Name     string // as paths name it: "deals"
	Singular string
	TypeID   string // "0-3"

	Created, Modified string   // the properties that hold when a record was made and last changed
	Default           []string // properties that are answered with when none are asked for
	Queried           []string // properties that a search's free text is looked for in
	Required          []string // properties that a new record must have

	Properties []*property // archived ones too
	Groups     []*group
	lastID     int64
}

// tables returns the names of the object's tables: its records, and what searches still see of records whose last change
// is not yet in the index.
func (o *object) tables() []string { return []string{o.Name, o.indexed()} }

func (o *object) indexed() string { return o.Name + "_indexed" }

// property returns the property of that name that is not archived; nil: there is none.
func (o *object) property(name string) *property {
	if pr := o.anyProperty(name); pr != nil && !pr.Archived {
		return pr
	}
	return nil
}

func (o *object) anyProperty(name string) *property {
	i := slices.IndexFunc(o.Properties, func(pr *property) bool { return pr.Name == name })
	if i < 0 {
		return nil
	}
	return o.Properties[i]
}

func (o *object) group(name string) *group {
	i := slices.IndexFunc(o.Groups, func(g *group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return o.Groups[i]
}

// group is a heading under which properties are shown.
type group struct {
	Name         string `json:"name"`
	Label        string `json:"label"`
	DisplayOrder int    `json:"displayOrder"`
	Archived     bool   `json:"archived"`
}

// The types of properties.
const (
	typeString   = "string"
	typeNumber   = "number"
	typeEnum     = "enumeration"
	typeBool     = "bool"
	typeDate     = "date"
	typeDateTime = "datetime"
)

// property is one property of an object, in the form of the API.
type property struct {
	Name            string       `json:"name"`
	Label           string       `json:"label"`
	Type            string       `json:"type"`
	FieldType       string       `json:"fieldType"`
	Description     string       `json:"description"`
	GroupName       string       `json:"groupName"`
	Options         []option     `json:"options"`
	DisplayOrder    int          `json:"displayOrder"`
	Calculated      bool         `json:"calculated"`
	ExternalOptions bool         `json:"externalOptions"`                // its values are owners, stages or pipelines, not Options
	Referenced      string       `json:"referencedObjectType,omitempty"` // ownerType, or ""
	HasUniqueValue  bool         `json:"hasUniqueValue"`
	Hidden          bool         `json:"hidden"`
	FormField       bool         `json:"formField"`
	HubSpotDefined  bool         `json:"hubspotDefined,omitzero"`
	Archived        bool         `json:"archived"`
	ArchivedAt      string       `json:"archivedAt,omitempty"`
	CreatedAt       string       `json:"createdAt,omitempty"`
	UpdatedAt       string       `json:"updatedAt,omitempty"`
	Modification    modification `json:"modificationMetadata"`
}

type option struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	Description  string `json:"description,omitempty"`
	DisplayOrder int    `json:"displayOrder"`
	Hidden       bool   `json:"hidden"`
}

type modification struct {
	Archivable         bool `json:"archivable"`
	ReadOnlyDefinition bool `json:"readOnlyDefinition"`
	ReadOnlyValue      bool `json:"readOnlyValue"`
}

// ownerType marks a property whose values are ids of owners.
const ownerType = "OWNER"

// propertyName is the form of a property's name, which makes it safe as a column's name too.
var propertyName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// column returns the property's name as SQL writes it.
func (pr *property) column() string { return quoted(pr.Name) }

func quoted(name string) string { return strconv.Quote(name) }

func (pr *property) ddl() string {
	if pr.Name == idProperty {
		return idProperty + " INTEGER PRIMARY KEY"
	}
	return pr.column() + " TEXT"
}
