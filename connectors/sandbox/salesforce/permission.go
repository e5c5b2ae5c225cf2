package salesforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// access is what a user may do with an sObject.
type access struct{ read, create, edit, remove bool }

// grants is what a user's permission sets open.
type grants struct {
	read, edit map[string]bool   // guarded fields, by lower-case "object.field"
	objects    map[string]access // by name
	viewAll    bool              // every sObject may be read
}

// activities are the sObjects that Access Activities, a permission that is about none of them alone, lets a user read.
var activities = []string{"Event", "EventRelation", "Task"}

// permission names a part of what profiles give: that an sObject is read or edited, or that one of its fields is seen.
type permission struct {
	object string // in its declared case
	field  string // the same; "": the sObject itself
	edit   bool
}

// secured are the standard fields that field-level security guards. The others come with their sObject: names, owners,
// currencies, what is required and what the system keeps.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_fieldpermissions.htm
var secured = map[string][]string{
	"Account":  {"AccountNumber", "AnnualRevenue", "Description", "Industry", "NumberOfEmployees", "ParentId", "Phone", "Type", "Website"},
	"Contact":  {"AccountId", "Department", "Description", "Email", "HasOptedOutOfEmail", "MobilePhone", "Phone", "ReportsToId", "Title"},
	"Contract": {"ContractTerm", "EndDate", "StartDate"},
	"Event":    {"Description", "Location", "ShowAs", "Type", "WhatId", "WhoId"},
	"Opportunity": {"AccountId", "Amount", "ContractId", "Description", "ExpectedRevenue", "IsPrivate", "LeadSource", "NextStep", "Probability",
		"Type"},
	"Task": {"ActivityDate", "CallDisposition", "CallDurationInSeconds", "CallObject", "CallType", "Description", "Type", "WhatId", "WhoId"},
}

// permissionable reports whether permission sets can grant f, so that it may be hidden.
func (o *Object) permissionable(f *Field) bool {
	return f.Custom() && !f.Required || slices.Contains(secured[o.Name], f.Name)
}

// view is the org as one user sees it: a guarded field without a grant looks like one that does not exist, and so does an
// sObject that the user may not read.
type view struct {
	org     *Org
	all     bool
	revoked map[permission]bool // what the user's profile lacks
	grants
}

// view returns what u sees. The caller is inside read or write, and db what it was given there.
func (o *Org) view(ctx context.Context, db sqlx.QueryerContext, u user) (view, error) {
	granted, err := o.grants.get(func() (map[string]grants, error) { return loadGrants(ctx, db) })
	v := view{org: o, all: u.AllFields, grants: granted[u.ID]}
	if u.ID == integrationUserID {
		v.revoked = o.revoked
	}
	return v, err
}

func loadGrants(ctx context.Context, db sqlx.QueryerContext) (map[string]grants, error) {
	const ofAssigned = `
			JOIN PermissionSet s ON s.Id = p.ParentId AND NOT s.IsDeleted
			JOIN PermissionSetAssignment a ON a.PermissionSetId = s.Id AND NOT a.IsDeleted
		WHERE NOT p.IsDeleted`
	var fields []struct {
		AssigneeID string `db:"AssigneeId"`
		Field      string `db:"Field"`
		Read       bool   `db:"PermissionsRead"`
		Edit       bool   `db:"PermissionsEdit"`
	}
	if err := sqlx.SelectContext(ctx, db, &fields, "SELECT a.AssigneeId, p.Field, p.PermissionsRead, p.PermissionsEdit FROM FieldPermissions p"+ofAssigned); err != nil {
		return nil, fmt.Errorf("load field permissions: %w", err)
	}
	var objects []struct {
		AssigneeID string `db:"AssigneeId"`
		Object     string `db:"SobjectType"`
		Read       bool   `db:"PermissionsRead"`
		Create     bool   `db:"PermissionsCreate"`
		Edit       bool   `db:"PermissionsEdit"`
		Delete     bool   `db:"PermissionsDelete"`
	}
	if err := sqlx.SelectContext(ctx, db, &objects, `SELECT a.AssigneeId, p.SobjectType, p.PermissionsRead, p.PermissionsCreate,
		p.PermissionsEdit, p.PermissionsDelete FROM ObjectPermissions p`+ofAssigned); err != nil {
		return nil, fmt.Errorf("load object permissions: %w", err)
	}
	users := map[string]grants{}
	of := func(user string) grants {
		g, ok := users[user]
		if !ok {
			g = grants{read: map[string]bool{}, edit: map[string]bool{}, objects: map[string]access{}}
			users[user] = g
		}
		return g
	}
	for _, r := range fields {
		g, field := of(r.AssigneeID), strings.ToLower(r.Field)
		g.read[field] = g.read[field] || r.Read
		g.edit[field] = g.edit[field] || r.Edit
	}
	for _, r := range objects {
		g := of(r.AssigneeID)
		g.objects[r.Object] = g.objects[r.Object].or(access{r.Read, r.Create, r.Edit, r.Delete})
	}
	var system []struct {
		AssigneeID string `db:"AssigneeId"`
		Activities bool   `db:"PermissionsActivitiesAccess"`
		ViewAll    bool   `db:"PermissionsViewAllData"`
	}
	if err := sqlx.SelectContext(ctx, db, &system, `SELECT p.AssigneeId, s.PermissionsActivitiesAccess, s.PermissionsViewAllData
		FROM PermissionSetAssignment p JOIN PermissionSet s ON s.Id = p.PermissionSetId AND NOT s.IsDeleted WHERE NOT p.IsDeleted`); err != nil {
		return nil, fmt.Errorf("load system permissions: %w", err)
	}
	for _, r := range system {
		g := of(r.AssigneeID)
		if r.Activities {
			for _, name := range activities {
				g.objects[name] = g.objects[name].or(access{read: true})
			}
		}
		g.viewAll = g.viewAll || r.ViewAll
		users[r.AssigneeID] = g
	}
	return users, nil
}

func (a access) or(b access) access {
	return access{a.read || b.read, a.create || b.create, a.edit || b.edit, a.remove || b.remove}
}

// object returns the sObject of that name, in any case of letters, if the user may read it; nil: not.
func (v view) object(name string) *Object {
	if obj := v.org.object(name); obj != nil && v.access(obj).read {
		return obj
	}
	return nil
}

// access returns what the user may do with an sObject, by profile or by permission sets.
func (v view) access(obj *Object) access {
	if v.all {
		return access{true, true, true, true}
	}
	read := !v.revoked[permission{object: obj.Name}]
	edit := read && !v.revoked[permission{object: obj.Name, edit: true}]
	return access{read, edit, edit, edit}.or(v.objects[obj.Name]).or(access{read: v.viewAll})
}

// field returns the field of that name, in any case of letters, if the user sees it; nil: not.
func (v view) field(obj *Object, name string) *Field {
	if f := obj.Field(name); f != nil && v.sees(obj, f) {
		return f
	}
	return nil
}

func (v view) sees(obj *Object, f *Field) bool {
	return v.all || !v.guards(obj, f) || v.read[strings.ToLower(obj.Name+"."+f.Name)]
}

// guards reports whether only permission sets may open f to the user.
func (v view) guards(obj *Object, f *Field) bool {
	return f.Guarded || v.revoked[permission{object: obj.Name, field: f.Name}]
}

// edits reports whether the user may set f on create, or change it later.
func (v view) edits(obj *Object, f *Field, create bool) bool {
	a := v.access(obj)
	if f.ReadOnly || f.CreateOnly && !create || create && !a.create || !create && !a.edit {
		return false
	}
	return v.all || !v.guards(obj, f) || v.edit[strings.ToLower(obj.Name+"."+f.Name)]
}

// checkPermission refuses rows of the permission objects that Salesforce refuses, whole ones, new or changed. It returns
// nil for good ones.
func (t *tx) checkPermission(ctx context.Context, obj *Object, values map[string]any) (*rowError, error) {
	var key []string
	var refused *rowError
	var err error
	switch obj.Name {
	case "PermissionSet":
		key = []string{"Name"}
	case "PermissionSetAssignment":
		key = []string{"PermissionSetId", "AssigneeId"}
	case "FieldPermissions":
		key = []string{"ParentId", "Field"}
		refused = t.checkFieldPermissions(values)
	case "ObjectPermissions":
		key = []string{"ParentId", "SobjectType"}
		refused, err = t.checkObjectPermissions(ctx, values)
	default:
		return nil, nil
	}
	if refused != nil || err != nil {
		return refused, err
	}
	where, args := []string{"NOT IsDeleted", "Id IS NOT ?"}, []any{values["Id"]}
	for _, k := range key {
		where, args = append(where, k+" = ?"), append(args, values[k])
	}
	var ids []string
	err = sqlx.SelectContext(ctx, t, &ids, fmt.Sprintf("SELECT Id FROM %s WHERE %s", obj.Name, strings.Join(where, " AND ")), args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if obj.Name == "PermissionSet" {
		return refuse("DUPLICATE_DEVELOPER_NAME", fmt.Sprintf("The permission set name %v is already in use", values["Name"]), "Name"), nil
	}
	return refuse("DUPLICATE_VALUE", fmt.Sprintf("duplicate value found: %s duplicates value on record with id: %s", strings.Join(key, ","), ids[0])), nil
}

func (t *tx) checkFieldPermissions(values map[string]any) *rowError {
	field, _ := values["Field"].(string)
	objectName, fieldName, _ := strings.Cut(field, ".")
	on := t.org.object(objectName)
	if on == nil || on.Field(fieldName) == nil || !on.permissionable(on.Field(fieldName)) || !strings.EqualFold(fmt.Sprint(values["SobjectType"]), objectName) {
		return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Field Name: bad value for restricted picklist field: "+field, "Field")
	}
	values["SobjectType"], values["Field"] = on.Name, on.Name+"."+on.Field(fieldName).Name
	if values["PermissionsEdit"] == int64(1) && values["PermissionsRead"] != int64(1) {
		return refuse("FIELD_INTEGRITY_EXCEPTION", "Field-level security: a field that can be edited must be readable", "PermissionsEdit")
	}
	return nil
}

// securable are the sObjects whose permissions permission sets hold, with the one that each cannot be read without. The
// others follow from their parents, or from permissions that are about no object.
var securable = map[string]string{"Account": "", "Contact": "Account", "Contract": "Account", "Opportunity": "Account"}

// objectNeeds says which object permissions need which others on the same object.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_objectpermissions.htm
var objectNeeds = []struct {
	field string
	needs []string
}{
	{"PermissionsCreate", []string{"PermissionsRead"}},
	{"PermissionsEdit", []string{"PermissionsRead"}},
	{"PermissionsDelete", []string{"PermissionsRead", "PermissionsEdit"}},
	{"PermissionsViewAllRecords", []string{"PermissionsRead"}},
	{"PermissionsModifyAllRecords", []string{"PermissionsRead", "PermissionsEdit", "PermissionsDelete", "PermissionsViewAllRecords"}},
}

// verbs are what messages call object permissions.
var verbs = strings.NewReplacer("PermissionsViewAllRecords", "Read All", "PermissionsModifyAllRecords", "Edit All", "Permissions", "")

func (t *tx) checkObjectPermissions(ctx context.Context, values map[string]any) (*rowError, error) {
	name, _ := values["SobjectType"].(string)
	obj := t.org.object(name)
	if obj == nil {
		return badObjectType(name), nil
	}
	parent, ok := securable[obj.Name]
	if !ok {
		return badObjectType(name), nil
	}
	values["SobjectType"] = obj.Name
	set := func(field string) bool { return values[field] == int64(1) }
	for _, p := range objectNeeds {
		if !set(p.field) {
			continue
		}
		var missing []string
		for _, need := range p.needs {
			if !set(need) {
				missing = append(missing, verbs.Replace(need)+" "+obj.Name)
			}
		}
		if missing != nil {
			return dependent(verbs.Replace(p.field)+" "+obj.Name, strings.Join(missing, ", ")), nil
		}
	}
	if parent == "" || !set("PermissionsRead") {
		return nil, nil
	}
	var readsParent bool
	if err := sqlx.GetContext(ctx, t, &readsParent, `SELECT EXISTS (SELECT 1 FROM ObjectPermissions
		WHERE NOT IsDeleted AND ParentId = ? AND SobjectType = ? AND PermissionsRead)`, values["ParentId"], parent); err != nil {
		return nil, fmt.Errorf("permissions on %s: %w", parent, err)
	}
	if !readsParent {
		return dependent("Read "+obj.Name, "Read "+parent), nil
	}
	return nil, nil
}

func badObjectType(name string) *rowError {
	return refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Sobject Type Name: bad value for restricted picklist field: "+name, "SobjectType")
}

func dependent(what, needs string) *rowError {
	return refuse("FIELD_INTEGRITY_EXCEPTION", fmt.Sprintf("Permission %s depends on permission(s): %s", what, needs))
}

// checkRemoval refuses to delete a permission set that somebody holds. It returns nil where a row can go.
func (t *tx) checkRemoval(ctx context.Context, obj *Object, row map[string]any) (*rowError, error) {
	if obj.Name != "PermissionSet" {
		return nil, nil
	}
	var holders int
	if err := sqlx.GetContext(ctx, t, &holders, "SELECT count(*) FROM PermissionSetAssignment WHERE NOT IsDeleted AND PermissionSetId = ?", row["Id"]); err != nil {
		return nil, fmt.Errorf("holders of a permission set: %w", err)
	}
	if holders == 0 {
		return nil, nil
	}
	return refuse("DELETE_FAILED", fmt.Sprintf("Your attempt to delete %v could not be completed because it is assigned to %d user(s). Remove the assignments first.", row["Label"], holders)), nil
}
