package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/jmoiron/sqlx"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// masterRecordType is the id of the record type of objects that have no other.
const masterRecordType = "012000000000000AAA"

func (o *Org) layoutRoutes(mux *http.ServeMux) {
	// The Tooling API's reference lists only GET for REST; an update works all the same, and admins' tools rely on it.
	// https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_layout.htm
	const layouts = "/services/data/{version}/tooling/sobjects/Layout/{id}"
	mux.Handle("GET "+layouts, o.authenticated(o.showLayout))
	mux.Handle("PATCH "+layouts, o.authenticated(o.changeLayout))
	mux.Handle("GET /services/data/{version}/sobjects/{object}/describe/layouts", o.authenticated(o.handleDescribeLayouts))
}

// layoutOfID returns the page layout of that id; nil: there is none. The caller holds o's lock.
func (o *Org) layoutOfID(id string) *layout {
	full, _ := fullID(id)
	i := slices.IndexFunc(o.layouts, func(l *layout) bool { return l.id == full })
	if i < 0 {
		return nil
	}
	return o.layouts[i]
}

func layoutRow(l *layout) map[string]any {
	return map[string]any{"Id": l.id, "Name": l.name, "TableEnumOrId": l.object, "LayoutType": "Standard", "NamespacePrefix": nil}
}

func (o *Org) showLayout(w http.ResponseWriter, r *http.Request, _ user, version string) {
	_ = o.read(r.Context(), func(sqlx.QueryerContext) error {
		l := o.layoutOfID(r.PathValue("id"))
		if l == nil {
			writeError(w, errNoResource)
			return nil
		}
		row := layoutRow(l)
		row["attributes"] = map[string]any{"type": "Layout", "url": fmt.Sprintf("/services/data/v%s/tooling/sobjects/Layout/%s", version, l.id)}
		row["FullName"], row["Metadata"] = l.fullName(), l.metadata()
		writeJSON(w, http.StatusOK, row)
		return nil
	})
}

func (o *Org) changeLayout(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	var change struct {
		FullName string                    `json:"FullName"`
		Metadata map[string]jsontext.Value `json:"Metadata"`
	}
	if err := jsonv2.UnmarshalRead(r.Body, &change, jsonv2.RejectUnknownMembers(true)); err != nil {
		writeError(w, badRequest("JSON_PARSER_ERROR", err.Error()))
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.layoutOfID(r.PathValue("id"))
	var err *apiError
	switch {
	case l == nil:
		err = errNoResource
	case change.Metadata == nil:
		err = badField("REQUIRED_FIELD_MISSING", "Metadata", "Required fields are missing: [Metadata]")
	case change.FullName != "" && change.FullName != l.fullName():
		err = badField("FIELD_INTEGRITY_EXCEPTION", "FullName", "The sandbox does not rename layouts")
	default:
		err = l.setMetadata(o.object(l.object), change.Metadata)
	}
	writeNoContent(w, err)
}

// What describe says of a page layout: the part that tells where its fields are.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts.htm
type (
	layoutDescription struct {
		ID                   string               `json:"id"`
		DetailLayoutSections []sectionDescription `json:"detailLayoutSections"`
		EditLayoutSections   []sectionDescription `json:"editLayoutSections"`
		RelatedLists         []any                `json:"relatedLists"`
	}
	sectionDescription struct {
		Heading               string           `json:"heading"`
		Columns               int              `json:"columns"`
		Rows                  int              `json:"rows"`
		LayoutRows            []rowDescription `json:"layoutRows"`
		ParentLayoutID        string           `json:"parentLayoutId"`
		TabOrder              string           `json:"tabOrder"`
		UseCollapsibleSection bool             `json:"useCollapsibleSection"`
		UseHeading            bool             `json:"useHeading"`
	}
	rowDescription struct {
		LayoutItems []itemDescription `json:"layoutItems"`
		NumItems    int               `json:"numItems"`
	}
	itemDescription struct {
		EditableForNew    bool                   `json:"editableForNew"`
		EditableForUpdate bool                   `json:"editableForUpdate"`
		Label             string                 `json:"label"`
		LayoutComponents  []componentDescription `json:"layoutComponents"`
		Placeholder       bool                   `json:"placeholder"`
		Required          bool                   `json:"required"`
	}
	componentDescription struct {
		Details      *fieldDescription `json:"details"`
		DisplayLines int               `json:"displayLines"`
		TabOrder     int               `json:"tabOrder"`
		Type         string            `json:"type"`
		Value        *string           `json:"value"`
	}
)

// handleDescribeLayouts shows the layout that the user's profile has, without fields that the user does not see.
func (o *Org) handleDescribeLayouts(w http.ResponseWriter, r *http.Request, u user, _ string) {
	var description layoutDescription
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		if obj == nil {
			return errNoResource
		}
		i := slices.IndexFunc(o.layouts, func(l *layout) bool { return l.object == obj.Name })
		if i < 0 {
			return errNoResource
		}
		l := o.layouts[i]
		description = layoutDescription{ID: l.id}
		for _, s := range l.sections {
			rows, err := view.describeRows(r.Context(), db, obj, s)
			if err != nil {
				return err
			}
			d := sectionDescription{
				Heading: s.Label, Columns: len(s.LayoutColumns), Rows: len(rows), LayoutRows: rows, ParentLayoutID: l.id,
				TabOrder: "TopToBottom", UseHeading: s.DetailHeading,
			}
			if s.Style == "TwoColumnsLeftToRight" {
				d.TabOrder = "LeftToRight"
			}
			description.DetailLayoutSections = append(description.DetailLayoutSections, d)
			d.UseHeading = s.EditHeading
			description.EditLayoutSections = append(description.EditLayoutSections, d)
		}
		return nil
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"layouts": []layoutDescription{description},
		"recordTypeMappings": []map[string]any{{
			"active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "layoutId": description.ID,
			"master": true, "name": "Master", "picklistsForRecordType": []any{}, "recordTypeId": masterRecordType,
		}},
		"recordTypeSelectorRequired": []bool{false},
	})
}

// describeRows turns the columns of a section, which may differ in length, into rows.
func (v view) describeRows(ctx context.Context, db sqlx.QueryerContext, obj *Object, s layoutSection) ([]rowDescription, error) {
	var rows []rowDescription
	for column, c := range s.LayoutColumns {
		row := 0
		for _, item := range c.LayoutItems {
			if item.Field != nil && v.field(obj, *item.Field) == nil {
				continue
			}
			if row == len(rows) {
				empty := itemDescription{Placeholder: true, LayoutComponents: []componentDescription{{Type: "EmptySpace"}}}
				rows = append(rows, rowDescription{LayoutItems: slices.Repeat([]itemDescription{empty}, len(s.LayoutColumns)), NumItems: len(s.LayoutColumns)})
			}
			d := &rows[row].LayoutItems[column]
			row++
			switch {
			case item.CustomLink != nil:
				*d = itemDescription{LayoutComponents: []componentDescription{{Type: "CustomLink", Value: item.CustomLink}}}
			case item.Field != nil:
				f := obj.Field(*item.Field)
				values, err := picklistValues(ctx, db, f)
				if err != nil {
					return nil, err
				}
				details := v.describe(obj, f, values)
				editable := *item.Behavior != "Readonly"
				*d = itemDescription{
					EditableForNew: editable && details.Createable, EditableForUpdate: editable && details.Updateable, Label: f.label(),
					Required:         *item.Behavior == "Required",
					LayoutComponents: []componentDescription{{Details: &details, DisplayLines: 1, TabOrder: row*len(s.LayoutColumns) + column, Type: "Field", Value: &f.Name}},
				}
			}
		}
	}
	return rows, nil
}
