package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"github.com/jmoiron/sqlx"
)

// The part of the Tooling API that makes custom fields, and finds them and layouts.
// https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm
func (o *Org) toolingRoutes(mux *http.ServeMux) {
	const fields = "/services/data/{version}/tooling/sobjects/CustomField"
	mux.Handle("POST "+fields, o.authenticated(o.createField))
	mux.Handle("GET "+fields+"/{id}", o.authenticated(o.showField))
	mux.Handle("PATCH "+fields+"/{id}", o.authenticated(o.changeField))
	mux.Handle("DELETE "+fields+"/{id}", o.authenticated(o.deleteField))
	mux.Handle("GET /services/data/{version}/tooling/query", o.authenticated(o.toolingQuery))
}

// customField is a custom field as the Tooling API has it.
type customField struct {
	FullName string          `json:"FullName"`
	Metadata json.RawMessage `json:"Metadata"`
}

// readField reads a custom field, strictly.
func readField(r *http.Request) (full string, m fieldMetadata, _ *apiError) {
	var c customField
	if err := readJSON(r, &c); err != nil {
		return "", m, err
	}
	if len(c.Metadata) == 0 || string(c.Metadata) == "null" {
		return "", m, badField("REQUIRED_FIELD_MISSING", "Metadata", "Required fields are missing: [Metadata]")
	}
	d := json.NewDecoder(bytes.NewReader(c.Metadata))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return "", m, badRequest("JSON_PARSER_ERROR", "Metadata: "+err.Error())
	}
	return c.FullName, m, nil
}

func (o *Org) createField(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	full, m, err := readField(r)
	if err != nil {
		writeError(w, err)
		return
	}
	object, name, err := splitFullName(full)
	if err != nil {
		writeError(w, err)
		return
	}
	f, err := m.field(name)
	if err != nil {
		writeError(w, err)
		return
	}
	if err := o.addField(r.Context(), object, *f); err != nil {
		writeError(w, asAPIError(err))
		return
	}
	var id string
	_ = o.read(r.Context(), func(sqlx.QueryerContext) error {
		id = fieldID(o.object(object), f)
		return nil
	})
	writeJSON(w, http.StatusCreated, map[string]any{"id": id, "success": true, "errors": []any{}, "warnings": []any{}, "infos": []any{}})
}

func (o *Org) showField(w http.ResponseWriter, r *http.Request, _ user, version string) {
	_ = o.read(r.Context(), func(sqlx.QueryerContext) error {
		obj, f := o.fieldOfID(r.PathValue("id"))
		if f == nil {
			writeError(w, errNoResource)
			return nil
		}
		row := customFieldRow(obj, f)
		row["attributes"] = map[string]any{"type": "CustomField", "url": fmt.Sprintf("/services/data/v%s/tooling/sobjects/CustomField/%s", version, row["Id"])}
		row["Metadata"] = metadataOf(f)
		writeJSON(w, http.StatusOK, row)
		return nil
	})
}

// changeField replaces a field's metadata. What a field is called and its type stay as they are.
func (o *Org) changeField(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	full, m, err := readField(r)
	if err != nil {
		writeError(w, err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	obj, f := o.fieldOfID(r.PathValue("id"))
	if f == nil {
		writeError(w, errNoResource)
		return
	}
	changed, err := m.field(f.Name)
	switch {
	case err != nil:
	case full != "" && !strings.EqualFold(full, obj.Name+"."+f.Name):
		err = badField("FIELD_INTEGRITY_EXCEPTION", "FullName", "The sandbox does not rename fields")
	case changed.Type != f.Type || changed.LongText() != f.LongText():
		err = badField("FIELD_INTEGRITY_EXCEPTION", "type", "Cannot change the type of "+obj.Name+"."+f.Name)
	case changed.Length < f.Length:
		err = badField("FIELD_INTEGRITY_EXCEPTION", "length", "Cannot decrease the length of "+obj.Name+"."+f.Name)
	case changed.TrackHistory && !f.TrackHistory:
		err = obj.trackOneMore()
	}
	if err != nil {
		writeError(w, err)
		return
	}
	changed.Guarded = f.Guarded
	*f = *changed
	w.WriteHeader(http.StatusNoContent)
}

func (o *Org) deleteField(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	var object, name string
	_ = o.read(r.Context(), func(sqlx.QueryerContext) error {
		if obj, f := o.fieldOfID(r.PathValue("id")); f != nil {
			object, name = obj.Name, f.Name
		}
		return nil
	})
	if object == "" {
		writeError(w, errNoResource)
		return
	}
	if err := o.dropField(r.Context(), object, name); err != nil {
		writeError(w, asAPIError(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fieldID returns the id of a custom field's definition, which follows from its name.
func fieldID(obj *Object, f *Field) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(obj.Name + "." + f.Name))
	return newID("00N", int64(h.Sum64()>>8)) // 56 bits fit into the digits of an id
}

// fieldOfID returns the custom field of that id; nil: there is none. The caller holds o's lock.
func (o *Org) fieldOfID(id string) (*Object, *Field) {
	full, ok := fullID(id)
	if !ok {
		return nil, nil
	}
	for _, obj := range o.objects {
		for _, f := range obj.Fields {
			if f.Custom() && fieldID(obj, f) == full {
				return obj, f
			}
		}
	}
	return nil, nil
}

// toolingQuery answers from a database that is made of the present fields, so that queries have all that SOQL offers.
func (o *Org) toolingQuery(w http.ResponseWriter, r *http.Request, u user, version string) {
	definitions, err := o.definitions(r.Context())
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	defer definitions.Close() //nolint:errcheck // in memory: there is nothing to lose
	page, aerr := definitions.query(r.Context(), u, r.FormValue("q"), queryOptions{Version: version})
	if aerr != nil {
		writeError(w, aerr)
		return
	}
	writeJSON(w, http.StatusOK, page)
}

// definitions returns an org whose records are the definitions of o's objects, fields and layouts.
func (o *Org) definitions(ctx context.Context) (*Org, error) {
	d, err := open(ctx, o.now, []*Object{
		{Name: "EntityDefinition", KeyPrefix: "4ie", NameField: "QualifiedApiName", Fields: []*Field{
			id(), text("QualifiedApiName", 70), text("DeveloperName", 70), text("Label", 70), text("KeyPrefix", 3),
		}},
		{Name: "CustomField", KeyPrefix: "00N", NameField: "DeveloperName", Fields: []*Field{
			id(), text("DeveloperName", 40), text("TableEnumOrId", 70), text("FullName", 120), text("NamespacePrefix", 15),
			reference("EntityDefinitionId", "EntityDefinition", "EntityDefinition"),
			integer("Length"), integer("Precision"), integer("Scale"), text("InlineHelpText", 510), text("Description", 1_000),
		}},
		{Name: "EntityParticle", KeyPrefix: "4pt", NameField: "QualifiedApiName", Fields: []*Field{
			id(), text("QualifiedApiName", 70), text("Label", 70), boolean("IsPermissionable"),
			reference("EntityDefinitionId", "EntityDefinition", "EntityDefinition"),
		}},
		{Name: "FieldDefinition", KeyPrefix: "4fd", NameField: "QualifiedApiName", Fields: []*Field{
			id(), text("QualifiedApiName", 70), text("Label", 70), boolean("IsFieldHistoryTracked"),
			reference("EntityDefinitionId", "EntityDefinition", "EntityDefinition"),
		}},
		{Name: "Layout", KeyPrefix: "00h", NameField: "Name", Fields: []*Field{
			id(), text("Name", 80), text("TableEnumOrId", 70), text("LayoutType", 40), text("NamespacePrefix", 15),
			reference("EntityDefinitionId", "EntityDefinition", "EntityDefinition"),
		}},
	})
	if err != nil {
		return nil, err
	}
	err = o.read(ctx, func(sqlx.QueryerContext) error {
		return d.bulkInsert(ctx, func(insert insertFunc) error {
			for _, obj := range o.objects {
				entity, err := insert("EntityDefinition", map[string]any{
					"QualifiedApiName": obj.Name, "DeveloperName": obj.Name, "Label": obj.label(), "KeyPrefix": obj.KeyPrefix,
				}, system{})
				if err != nil {
					return err
				}
				for _, f := range obj.Fields {
					particle := map[string]any{"QualifiedApiName": f.Name, "Label": f.label(), "IsPermissionable": obj.permissionable(f), "EntityDefinitionId": entity}
					if _, err := insert("EntityParticle", particle, system{}); err != nil {
						return err
					}
					definition := map[string]any{"QualifiedApiName": f.Name, "Label": f.label(), "IsFieldHistoryTracked": f.TrackHistory, "EntityDefinitionId": entity}
					if _, err := insert("FieldDefinition", definition, system{}); err != nil {
						return err
					}
					if !f.Custom() {
						continue
					}
					row := customFieldRow(obj, f)
					row["EntityDefinitionId"] = entity
					if _, err := insert("CustomField", row, system{}); err != nil {
						return err
					}
				}
				for _, l := range o.layouts {
					if l.object != obj.Name {
						continue
					}
					row := layoutRow(l)
					row["EntityDefinitionId"] = entity
					if _, err := insert("Layout", row, system{}); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	if err == nil { // nothing in it is guarded
		_, err = d.grants.get(func() (map[string]grants, error) { return nil, nil })
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func customFieldRow(obj *Object, f *Field) map[string]any {
	return map[string]any{
		"Id": fieldID(obj, f), "DeveloperName": strings.TrimSuffix(f.Name, "__c"), "TableEnumOrId": obj.Name, "FullName": obj.Name + "." + f.Name,
		"Length": f.Length, "Precision": f.Precision, "Scale": f.Scale, "InlineHelpText": f.Help, "Description": f.Description,
	}
}
