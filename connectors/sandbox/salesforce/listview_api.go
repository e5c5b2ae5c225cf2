package salesforce

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	jsonv2 "github.com/go-json-experiment/json"
)

// The part of the User Interface API that makes list views.
// https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_resources_lists_object_post.htm
func (o *Org) listViewRoutes(mux *http.ServeMux) {
	const lists = "/services/data/{version}/ui-api/list-info/{object}"
	mux.Handle("POST "+lists, o.authenticated(since(61, o.createListView)))
	mux.Handle("GET "+lists+"/{name}", o.authenticated(since(42, o.showListView)))
	mux.Handle("DELETE "+lists+"/{name}", o.authenticated(since(61, o.deleteListView)))
}

// since answers as if there were no such resource in versions before the given one.
func since(first int, h userHandler) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user, version string) {
		if n, err := strconv.Atoi(strings.TrimSuffix(version, ".0")); err != nil || n < first {
			writeError(w, errNoResource)
			return
		}
		h(w, r, u, version)
	}
}

func (o *Org) createListView(w http.ResponseWriter, r *http.Request, u user, _ string) {
	l := new(listView)
	if err := jsonv2.UnmarshalRead(r.Body, l, jsonv2.RejectUnknownMembers(true)); err != nil {
		writeError(w, badRequest("JSON_PARSER_ERROR", err.Error()))
		return
	}
	var info map[string]any
	err := o.write(r.Context(), func(ctx context.Context, t *tx) error {
		view, err := o.view(ctx, t, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		if obj == nil || obj.ReadOnly || obj.NameField == "" {
			return errNoResource
		}
		if err := l.complete(view, obj); err != nil {
			return err
		}
		if o.listView(obj, l.APIName) != nil {
			return badField("DUPLICATE_DEVELOPER_NAME", "listViewApiName", "The list view API name "+l.APIName+" is already in use")
		}
		if err := t.addListView(ctx, l, u.ID); err != nil {
			return err
		}
		info = view.listInfo(obj, l)
		return nil
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusCreated, info)
}

// addListView keeps a list view that is complete, and makes the row that queries find it by.
func (t *tx) addListView(ctx context.Context, l *listView, userID string) (err error) {
	l.id, err = t.create(ctx, t.org.object("ListView"), map[string]any{
		"Name": l.Label, "DeveloperName": l.APIName, "SobjectType": l.object, "IsSoqlCompatible": int64(1),
	}, system{CreatedByID: userID})
	if err == nil {
		t.org.listViews = append(t.org.listViews, l)
	}
	return err
}

// listView returns the list view of that name; nil: there is none. The caller holds o's lock.
func (o *Org) listView(obj *Object, name string) *listView {
	i := slices.IndexFunc(o.listViews, func(l *listView) bool { return l.object == obj.Name && strings.EqualFold(l.APIName, name) })
	if i < 0 {
		return nil
	}
	return o.listViews[i]
}

// findListView returns the list view in the path of a request of a user with this view.
func (o *Org) findListView(r *http.Request, v view) (*Object, *listView, error) {
	obj := v.object(r.PathValue("object"))
	if obj == nil {
		return nil, nil, errNoResource
	}
	l := o.listView(obj, r.PathValue("name"))
	if l == nil {
		return nil, nil, errNoResource
	}
	return obj, l, nil
}

func (o *Org) showListView(w http.ResponseWriter, r *http.Request, u user, _ string) {
	var info map[string]any
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj, l, err := o.findListView(r, view)
		if err == nil {
			info = view.listInfo(obj, l)
		}
		return err
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, info)
}

func (o *Org) deleteListView(w http.ResponseWriter, r *http.Request, u user, _ string) {
	err := o.write(r.Context(), func(ctx context.Context, t *tx) error {
		view, err := o.view(ctx, t, u)
		if err != nil {
			return err
		}
		_, l, err := o.findListView(r, view)
		if err != nil {
			return err
		}
		o.listViews = slices.DeleteFunc(o.listViews, func(other *listView) bool { return other == l })
		return t.remove(ctx, o.object("ListView"), u.ID, l.id)
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listInfo describes a list view to a user, who does not see columns of hidden fields.
// https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_responses_list_metadata.htm
func (v view) listInfo(obj *Object, l *listView) map[string]any {
	columns, filters := []map[string]any{}, []map[string]any{}
	for _, name := range l.Columns {
		if f := v.path(obj, name); f != nil {
			columns = append(columns, map[string]any{"fieldApiName": name, "label": f.label(), "sortable": f.Filterable()})
		}
	}
	for _, filter := range l.Filters {
		label := filter.Field
		if f := v.path(obj, filter.Field); f != nil {
			label = f.label()
		}
		filters = append(filters, map[string]any{
			"fieldApiName": filter.Field, "label": label, "operandLabels": filter.Operands, "operator": filter.Operator,
		})
	}
	var logic *string
	if l.Logic != "" {
		logic = &l.Logic
	}
	h := fnv.New128a()
	fmt.Fprintf(h, "%+v", *l)
	return map[string]any{
		"cloneable": true, "createable": true, "deletable": true, "displayColumns": columns, "eTag": fmt.Sprintf("%x", h.Sum(nil)),
		"filterLogicString": logic, "filteredByInfo": filters, "label": l.Label,
		"listReference": map[string]any{"id": l.id, "listViewApiName": l.APIName, "objectApiName": obj.Name, "type": "listView"},
		"listShares":    []any{}, "objectApiNames": []string{obj.Name}, "orderedByInfo": []any{},
		"scope":      map[string]any{"apiName": l.Scope.APIName, "entity": nil, "label": listScopes[l.Scope.APIName] + " " + strings.ToLower(obj.plural()), "relatedEntity": nil},
		"searchable": true, "updateable": true, "userPreferences": map[string]any{"columnWidths": map[string]any{}, "columnWrap": map[string]any{}},
		"visibility": l.Visibility, "visibilityEditable": true,
	}
}
