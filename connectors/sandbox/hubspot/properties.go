package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// propertyRoutes adds the routes of properties and their groups.
// https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
func (p *Portal) propertyRoutes(mux *http.ServeMux, v version) {
	path := v.path("properties") + "/{object}"
	p.handle(mux, v, "GET "+path, p.listProperties)
	p.handle(mux, v, "POST "+path, p.createProperty)
	p.handle(mux, v, "POST "+path+"/batch/create", p.createProperties)
	p.handle(mux, v, "POST "+path+"/batch/archive", p.archiveProperties)
	p.handle(mux, v, "GET "+path+"/{name}", p.getProperty)
	p.handle(mux, v, "PATCH "+path+"/{name}", p.changeProperty)
	p.handle(mux, v, "DELETE "+path+"/{name}", p.archiveProperty)
	p.groupRoutes(mux, v)
}

// definitionsOf returns the kind of record that the path names, if the token may read its definitions.
func (p *Portal) definitionsOf(r *request) (*object, error) {
	o, err := p.named(r, "object")
	if err != nil {
		return nil, err
	}
	return o, r.scopes.needDefinitions(o)
}

// schemaOf returns the kind of record that the path names, if the token may change its definitions.
func (p *Portal) schemaOf(r *request) (*object, error) {
	o, err := p.named(r, "object")
	if err != nil {
		return nil, err
	}
	return o, r.scopes.need(o.schemaScope("write"))
}

func (p *Portal) listProperties(r *request) (int, any, error) {
	o, err := p.definitionsOf(r)
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		Results []property `json:"results"`
	}{Results: []property{}}
	err = p.read(func() error {
		for _, pr := range o.Properties {
			if pr.Archived == r.archived() {
				answer.Results = append(answer.Results, *pr)
			}
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func noSuchProperty(name string) *apiError {
	e := notFound("Property %q does not exist", name)
	e.SubCategory = "PropertiesError.PROPERTY_NOT_FOUND"
	return e
}

func (p *Portal) getProperty(r *request) (int, any, error) {
	o, err := p.definitionsOf(r)
	if err != nil {
		return 0, nil, err
	}
	var found property
	err = p.read(func() error {
		pr := o.anyProperty(r.PathValue("name"))
		if pr == nil || pr.Archived != r.archived() {
			return noSuchProperty(r.PathValue("name"))
		}
		found = *pr
		return nil
	})
	return http.StatusOK, found, err
}

func (p *Portal) createProperty(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	var body definition
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	made, err := p.define(r.Context(), o, body)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, made[0], nil
}

func (p *Portal) createProperties(r *request) (int, any, error) {
	start := p.now()
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []definition `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if err := tooBig(len(body.Inputs), maxBatch); err != nil {
		return 0, nil, err
	}
	made, err := p.define(r.Context(), o, body.Inputs...)
	if err != nil {
		return 0, nil, err
	}
	status, answer, err := finished(p, start, made)
	if r.version != "2026-09" {
		status = http.StatusCreated
	}
	return status, answer, err
}

// maxProperties is how many properties an object may have. SQLite's tables have at most 2000 columns.
const maxProperties = 1500

// definition is a property as a client defines it.
type definition property

// UnmarshalJSON implements json.Unmarshaler.
func (d *definition) UnmarshalJSON(b []byte) error {
	d.DisplayOrder = -1
	return json.Unmarshal(b, (*property)(d))
}

// custom returns the property that the definition makes.
func (d definition) custom() property {
	pr := property(d)
	pr.numberOptions()
	pr.Calculated, pr.HubSpotDefined, pr.Archived, pr.ArchivedAt = false, false, false, ""
	pr.ExternalOptions = pr.Referenced == ownerType
	pr.Modification = modification{}
	return pr
}

// numberOptions gives the options that have no place of their own the one that they stand at.
func (pr *property) numberOptions() {
	for i := range pr.Options {
		if pr.Options[i].DisplayOrder == 0 {
			pr.Options[i].DisplayOrder = i
		}
	}
}

// define adds all of the properties, or none.
func (p *Portal) define(ctx context.Context, o *object, all ...definition) ([]property, error) {
	made := make([]property, 0, len(all))
	err := p.write(ctx, func(ctx context.Context, t *tx) error {
		if len(o.Properties)+len(all) > maxProperties {
			return invalid("%s would have more than %d properties", o.Name, maxProperties)
		}
		for i, d := range all {
			if err := o.definable((*property)(&d)); err != nil {
				return err
			}
			if slices.ContainsFunc(all[:i], func(other definition) bool { return other.Name == d.Name }) {
				return propertyExists(d.Name)
			}
		}
		for _, d := range all {
			if err := t.addProperty(ctx, o, d.custom()); err != nil {
				return err
			}
			made = append(made, *o.property(d.Name))
		}
		return nil
	})
	return made, err
}

func alreadyExists(what, name string) *apiError {
	return refuse(http.StatusConflict, "OBJECT_ALREADY_EXISTS", "A "+what+" named '"+name+"' already exists.")
}

func propertyExists(name string) *apiError {
	e := alreadyExists("property", name)
	e.SubCategory = "Properties.PROPERTY_WITH_NAME_EXISTS"
	return e
}

// fieldTypes holds the field types that a type of property may have.
var fieldTypes = map[string][]string{
	typeString:   {"text", "textarea", "html", "phonenumber", "file"},
	typeNumber:   {"number"},
	typeEnum:     {"select", "radio", "checkbox", "booleancheckbox"},
	typeBool:     {"booleancheckbox"},
	typeDate:     {"date"},
	typeDateTime: {"date"},
}

// definable returns why a client cannot make a property. The name of an archived one is free: to define it brings that one back.
func (o *object) definable(pr *property) error {
	switch {
	case !propertyName.MatchString(pr.Name):
		return invalid("Invalid property name %q: it must be lower-case letters, digits and underscores, with a letter first", pr.Name)
	case strings.HasPrefix(pr.Name, "hs_"):
		return invalid("Invalid property name %q: names that start with hs_ belong to HubSpot", pr.Name)
	case o.property(pr.Name) != nil:
		return propertyExists(pr.Name)
	}
	return o.wellDefined(pr)
}

// wellDefined returns what is wrong with a definition, whatever its name.
func (o *object) wellDefined(pr *property) error {
	has := func(value string) bool {
		return slices.ContainsFunc(pr.Options, func(o option) bool { return o.Value == value })
	}
	switch {
	case pr.Label == "":
		return invalid("Property %q lacks a label", pr.Name)
	case o.group(pr.GroupName) == nil:
		return invalid("Property group %q does not exist", pr.GroupName)
	case !slices.Contains(fieldTypes[pr.Type], pr.FieldType):
		return invalid("Property %q: field type %q does not go with type %q", pr.Name, pr.FieldType, pr.Type)
	case pr.Type == typeEnum && len(pr.Options) == 0 && pr.Referenced != ownerType:
		return invalid("Property %q: type %s wants options", pr.Name, pr.Type)
	case pr.Type == typeBool && (len(pr.Options) != 2 || !has("true") || !has("false")):
		return invalid("Property %q: type %s wants exactly the options true and false", pr.Name, pr.Type)
	}
	return nil
}

// propertyChange is what a client may change of a property; nil: it stays. Options replace all that there were.
type propertyChange struct {
	Label        *string   `json:"label"`
	Description  *string   `json:"description"`
	GroupName    *string   `json:"groupName"`
	Type         *string   `json:"type"`
	FieldType    *string   `json:"fieldType"`
	Options      *[]option `json:"options"`
	DisplayOrder *int      `json:"displayOrder"`
	Hidden       *bool     `json:"hidden"`
	FormField    *bool     `json:"formField"`
}

func (c propertyChange) apply(pr *property) {
	set(&pr.Label, c.Label)
	set(&pr.Description, c.Description)
	set(&pr.GroupName, c.GroupName)
	set(&pr.Type, c.Type)
	set(&pr.FieldType, c.FieldType)
	if c.Options != nil {
		pr.Options = *c.Options
		pr.numberOptions()
	}
	set(&pr.DisplayOrder, c.DisplayOrder)
	set(&pr.Hidden, c.Hidden)
	set(&pr.FormField, c.FormField)
}

func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

func (p *Portal) changeProperty(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	var body propertyChange
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	var changed property
	err = p.write(r.Context(), func(_ context.Context, t *tx) error {
		pr := o.property(r.PathValue("name"))
		switch {
		case pr == nil:
			return noSuchProperty(r.PathValue("name"))
		case pr.Modification.ReadOnlyDefinition:
			return invalid("Property %q is HubSpot's own and cannot be changed", pr.Name)
		}
		changed = *pr
		body.apply(&changed)
		if err := o.wellDefined(&changed); err != nil {
			return err
		}
		changed.UpdatedAt = moment(t.now)
		*pr = changed
		return nil
	})
	return http.StatusOK, changed, err
}

func (p *Portal) archiveProperty(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	name := r.PathValue("name")
	return http.StatusNoContent, nil, p.write(r.Context(), func(_ context.Context, t *tx) error {
		if o.property(name) == nil {
			return noSuchProperty(name)
		}
		return t.retire(o, name)
	})
}

func (p *Portal) archiveProperties(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []struct {
			Name string `json:"name"`
		} `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	var names []string
	for _, in := range body.Inputs {
		names = append(names, in.Name)
	}
	return http.StatusNoContent, nil, p.write(r.Context(), func(_ context.Context, t *tx) error { return t.retire(o, names...) })
}

// retire archives those of the properties that are there; for the others it is done already. Their values stay, and are
// answered with again when a property of that name is defined.
func (t *tx) retire(o *object, names ...string) error {
	for _, name := range names {
		if pr := o.property(name); pr != nil && !pr.Modification.Archivable {
			return invalid("Property %q is HubSpot's own and cannot be archived", name)
		}
	}
	for _, name := range names {
		if pr := o.property(name); pr != nil {
			pr.Archived, pr.ArchivedAt = true, moment(t.now)
		}
	}
	return nil
}
