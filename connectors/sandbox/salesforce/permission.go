package salesforce

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// fieldGrants holds the guarded fields that a user's permission sets open, by lower-case "object.field".
type fieldGrants struct{ read, edit map[string]bool }

// view is the org's fields as one user sees them: a guarded field without a grant looks like one that does not exist.
type view struct {
	all    bool
	grants fieldGrants
}

// view returns what u sees. The caller is inside read or write, and db what it was given there.
func (o *Org) view(ctx context.Context, db sqlx.QueryerContext, u user) (view, error) {
	grants, err := o.grants.get(func() (map[string]fieldGrants, error) { return loadGrants(ctx, db) })
	return view{all: u.AllFields, grants: grants[u.ID]}, err
}

func loadGrants(ctx context.Context, db sqlx.QueryerContext) (map[string]fieldGrants, error) {
	var rows []struct {
		AssigneeID string `db:"AssigneeId"`
		Field      string `db:"Field"`
		Read       bool   `db:"PermissionsRead"`
		Edit       bool   `db:"PermissionsEdit"`
	}
	err := sqlx.SelectContext(ctx, db, &rows, `
		SELECT a.AssigneeId, p.Field, p.PermissionsRead, p.PermissionsEdit
		FROM FieldPermissions p
			JOIN PermissionSet s ON s.Id = p.ParentId AND NOT s.IsDeleted
			JOIN PermissionSetAssignment a ON a.PermissionSetId = s.Id AND NOT a.IsDeleted
		WHERE NOT p.IsDeleted`)
	if err != nil {
		return nil, fmt.Errorf("load field permissions: %w", err)
	}
	users := map[string]fieldGrants{}
	for _, r := range rows {
		g, ok := users[r.AssigneeID]
		if !ok {
			g = fieldGrants{map[string]bool{}, map[string]bool{}}
			users[r.AssigneeID] = g
		}
		field := strings.ToLower(r.Field)
		g.read[field] = g.read[field] || r.Read
		g.edit[field] = g.edit[field] || r.Edit
	}
	return users, nil
}

// field returns the field of that name, in any case of letters, if the user sees it; nil: not.
func (v view) field(obj *Object, name string) *Field {
	if f := obj.Field(name); f != nil && v.sees(obj, f) {
		return f
	}
	return nil
}

func (v view) sees(obj *Object, f *Field) bool {
	return v.all || !f.Guarded || v.grants.read[strings.ToLower(obj.Name+"."+f.Name)]
}

// edits reports whether the user may set f on create, or change it later.
func (v view) edits(obj *Object, f *Field, create bool) bool {
	if f.ReadOnly || f.CreateOnly && !create {
		return false
	}
	return v.all || !f.Guarded || v.grants.edit[strings.ToLower(obj.Name+"."+f.Name)]
}

// checkPermission refuses rows of the permission objects that Salesforce refuses. It returns nil for good ones.
func (t *tx) checkPermission(ctx context.Context, obj *Object, values map[string]any) (*rowError, error) {
	var key []string
	switch obj.Name {
	case "PermissionSet":
		key = []string{"Name"}
	case "PermissionSetAssignment":
		key = []string{"PermissionSetId", "AssigneeId"}
	case "FieldPermissions":
		key = []string{"ParentId", "Field"}
		field, _ := values["Field"].(string)
		objectName, fieldName, _ := strings.Cut(field, ".")
		on := t.org.object(objectName)
		if on == nil || on.Field(fieldName) == nil || !strings.EqualFold(fmt.Sprint(values["SobjectType"]), objectName) {
			return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Field Name: bad value for restricted picklist field: "+field, "Field"), nil
		}
		values["SobjectType"], values["Field"] = on.Name, on.Name+"."+on.Field(fieldName).Name
		if values["PermissionsEdit"] == int64(1) && values["PermissionsRead"] != int64(1) {
			return refuse("FIELD_INTEGRITY_EXCEPTION", "Field-level security: a field that can be edited must be readable", "PermissionsEdit"), nil
		}
	default:
		return nil, nil
	}
	var where []string
	var args []any
	for _, k := range key {
		where, args = append(where, k+" = ?"), append(args, values[k])
	}
	var ids []string
	err := sqlx.SelectContext(ctx, t, &ids, fmt.Sprintf("SELECT Id FROM %s WHERE NOT IsDeleted AND %s", obj.Name, strings.Join(where, " AND ")), args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if obj.Name == "PermissionSet" {
		return refuse("DUPLICATE_DEVELOPER_NAME", fmt.Sprintf("The permission set name %v is already in use", values["Name"]), "Name"), nil
	}
	return refuse("DUPLICATE_VALUE", fmt.Sprintf("duplicate value found: %s duplicates value on record with id: %s", strings.Join(key, ","), ids[0])), nil
}
