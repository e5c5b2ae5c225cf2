package hubspot

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
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
	p.handle(mux, v, "DELETE "+path+"/{name}", p.archiveProperty)
	p.handle(mux, v, "GET "+path+"/groups", p.listGroups)
	p.handle(mux, v, "POST "+path+"/groups", p.createGroup)
	p.handle(mux, v, "GET "+path+"/groups/{name}", p.getGroup)
	p.handle(mux, v, "DELETE "+path+"/groups/{name}", p.archiveGroup)
}

// schemaOf returns the kind of record that the path names, if the token may "read" or "write" its definitions.
func (p *Portal) schemaOf(r *request, right string) (*object, error) {
	o, err := p.named(r, "object")
	if err != nil {
		return nil, err
	}
	return o, r.scopes.need(o.schemaScope(right))
}

func (p *Portal) listProperties(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "read")
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
	o, err := p.schemaOf(r, "read")
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
	o, err := p.schemaOf(r, "write")
	if err != nil {
		return 0, nil, err
	}
	var body property
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
	o, err := p.schemaOf(r, "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []property `json:"inputs"`
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

// define adds all of the properties, or none.
func (p *Portal) define(ctx context.Context, o *object, all ...property) ([]property, error) {
	made := make([]property, 0, len(all))
	err := p.write(ctx, func(ctx context.Context, t *tx) error {
		if len(o.Properties)+len(all) > maxProperties {
			return invalid("%s would have more than %d properties", o.Name, maxProperties)
		}
		for i, pr := range all {
			if err := o.definable(&pr); err != nil {
				return err
			}
			if slices.ContainsFunc(all[:i], func(other property) bool { return other.Name == pr.Name }) {
				return alreadyExists("property", pr.Name)
			}
		}
		for _, pr := range all {
			if err := t.addProperty(ctx, o, pr.custom()); err != nil {
				return err
			}
			made = append(made, *o.property(pr.Name))
		}
		return nil
	})
	return made, err
}

// custom returns the property that a client's definition makes.
func (pr property) custom() property {
	for i := range pr.Options {
		if pr.Options[i].DisplayOrder == 0 {
			pr.Options[i].DisplayOrder = i
		}
	}
	pr.Calculated, pr.HubSpotDefined, pr.Archived, pr.ArchivedAt = false, false, false, ""
	pr.ExternalOptions = pr.Referenced == ownerType
	pr.Modification = modification{}
	return pr
}

func alreadyExists(what, name string) *apiError {
	return refuse(http.StatusConflict, "OBJECT_ALREADY_EXISTS", "A "+what+" named '"+name+"' already exists.")
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

// definable returns why a client cannot make a property.
func (o *object) definable(pr *property) error {
	switch {
	case !propertyName.MatchString(pr.Name):
		return invalid("Invalid property name %q: it must be lower-case letters, digits and underscores, with a letter first", pr.Name)
	case strings.HasPrefix(pr.Name, "hs_"):
		return invalid("Invalid property name %q: names that start with hs_ belong to HubSpot", pr.Name)
	case o.property(pr.Name) != nil:
		return alreadyExists("property", pr.Name)
	case pr.Label == "":
		return invalid("Property %q lacks a label", pr.Name)
	case o.group(pr.GroupName) == nil:
		return invalid("Property group %q does not exist", pr.GroupName)
	case !slices.Contains(fieldTypes[pr.Type], pr.FieldType):
		return invalid("Property %q: field type %q does not go with type %q", pr.Name, pr.FieldType, pr.Type)
	case len(pr.Options) == 0 && pr.Referenced != ownerType && (pr.Type == typeEnum || pr.Type == typeBool):
		return invalid("Property %q: type %s wants options", pr.Name, pr.Type)
	}
	return nil
}

func (p *Portal) archiveProperty(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "write")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, p.retire(r.Context(), o, r.PathValue("name"))
}

func (p *Portal) archiveProperties(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "write")
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
	return http.StatusNoContent, nil, p.retire(r.Context(), o, names...)
}

// retire archives the properties that exist; for the others it is done already. Their values stay.
func (p *Portal) retire(ctx context.Context, o *object, names ...string) error {
	return p.write(ctx, func(_ context.Context, t *tx) error {
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
	})
}

func (p *Portal) listGroups(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "read")
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		Results []group `json:"results"`
	}{Results: []group{}}
	err = p.read(func() error {
		for _, g := range o.Groups {
			answer.Results = append(answer.Results, *g)
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func (p *Portal) getGroup(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "read")
	if err != nil {
		return 0, nil, err
	}
	var found group
	err = p.read(func() error {
		g := o.group(r.PathValue("name"))
		if g == nil {
			return notFound("Property group %q does not exist", r.PathValue("name"))
		}
		found = *g
		return nil
	})
	return http.StatusOK, found, err
}

// groupName is the form of a group's name.
var groupName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (p *Portal) createGroup(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "write")
	if err != nil {
		return 0, nil, err
	}
	made := group{DisplayOrder: -1}
	if err := r.readJSON(&made); err != nil {
		return 0, nil, err
	}
	made.Archived = false
	err = p.write(r.Context(), func(_ context.Context, t *tx) error {
		switch {
		case !groupName.MatchString(made.Name) || made.Label == "":
			return invalid("A property group wants a name of lower-case letters, digits and underscores, and a label")
		case o.group(made.Name) != nil:
			return alreadyExists("property group", made.Name)
		}
		t.addGroup(o, made)
		return nil
	})
	return http.StatusCreated, made, err
}

// archiveGroup removes a group. A group with properties stays.
func (p *Portal) archiveGroup(r *request) (int, any, error) {
	o, err := p.schemaOf(r, "write")
	if err != nil {
		return 0, nil, err
	}
	name := r.PathValue("name")
	return http.StatusNoContent, nil, p.write(r.Context(), func(context.Context, *tx) error {
		if slices.ContainsFunc(o.Properties, func(pr *property) bool { return pr.GroupName == name && !pr.Archived }) {
			return invalid("Property group %q holds properties", name)
		}
		o.Groups = slices.DeleteFunc(o.Groups, func(g *group) bool { return g.Name == name })
		return nil
	})
}
