package salesforce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/control"
)

// row is one record that a client asks to create, update or delete.
type row struct {
	Object string         // sObject name as the client wrote it; "" on delete: that of the ID
	ID     string         // "" on create
	Values map[string]any // as decoded from JSON, or strings in XML schema form as in CSV: "true", "12.5", "2026-01-02"; nil sets null
}

// saved is what became of one row.
type saved struct {
	ID      string // "": never made
	Created bool
	Errors  []*rowError // empty: saved
}

// createRecords creates rows for u and returns what became of each, in the same order. With allOrNone, one bad row
// undoes them all. The error is an internal one.
func (o *Org) createRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return o.save(ctx, rows, allOrNone, func(ctx context.Context, t *tx, r row) (string, *rowError, error) {
		return t.createRecord(ctx, u, r)
	})
}

// updateRecords is createRecords for changes.
func (o *Org) updateRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return o.save(ctx, rows, allOrNone, func(ctx context.Context, t *tx, r row) (string, *rowError, error) {
		return t.updateRecord(ctx, u, r)
	})
}

// deleteRecords moves rows, which need no Values, and what hangs on them to the recycle bin.
func (o *Org) deleteRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return o.save(ctx, rows, allOrNone, func(ctx context.Context, t *tx, r row) (string, *rowError, error) {
		return t.deleteRecord(ctx, u, r)
	})
}

// save saves the rows one by one with one, which returns the row's id as far as it is known.
func (o *Org) save(ctx context.Context, rows []row, allOrNone bool, one func(context.Context, *tx, row) (string, *rowError, error)) ([]saved, error) {
	errRolledBack := errors.New("one row failed, so all are rolled back")
	results := make([]saved, len(rows))
	err := o.write(ctx, func(ctx context.Context, t *tx) error {
		bad := false
		for i, r := range rows {
			id, refused, err := one(ctx, t, r)
			if err != nil {
				return err
			}
			results[i] = saved{ID: id, Created: r.ID == "" && refused == nil}
			if refused != nil {
				results[i].Errors = []*rowError{refused}
				bad = true
			}
		}
		if bad && allOrNone {
			return errRolledBack
		}
		return nil
	})
	if !errors.Is(err, errRolledBack) {
		return results, err
	}
	for i, r := range rows {
		if results[i].Errors == nil {
			results[i] = saved{ID: r.ID, Errors: []*rowError{refuse("ALL_OR_NONE_OPERATION_ROLLED_BACK",
				"Record rolled back because not all records were valid and the request was using AllOrNone header")}}
		}
	}
	return results, nil
}

func (t *tx) createRecord(ctx context.Context, u user, r row) (string, *rowError, error) {
	view, err := t.org.view(ctx, t, u)
	if err != nil {
		return "", nil, err
	}
	obj := view.object(r.Object)
	switch {
	case obj == nil:
		e := invalidType(r.Object)
		return "", refuse(e.Code, e.Message), nil
	case obj.ReadOnly:
		return "", refuse("INVALID_TYPE_FOR_OPERATION", "entity type cannot be inserted: "+obj.label()), nil
	case !view.access(obj).create:
		return "", errNoAccess, nil
	}
	values, refused, err := t.accept(ctx, view, obj, r.Values, true)
	if refused != nil || err != nil {
		return "", refused, err
	}
	var missing []string
	for _, f := range obj.Fields {
		if f.Required && values[f.Name] == nil {
			missing = append(missing, f.Name)
		}
	}
	if missing != nil {
		return "", requiredMissing(missing), nil
	}
	if refused, err = t.checkPermission(ctx, obj, values); refused != nil || err != nil {
		return "", refused, err
	}
	id, err := t.create(ctx, obj, values, system{CreatedByID: u.ID})
	if err != nil {
		return "", nil, err
	}
	return id, nil, t.recordHistory(ctx, u, obj, nil, values)
}

func requiredMissing(fields []string) *rowError {
	return refuse("REQUIRED_FIELD_MISSING", fmt.Sprintf("Required fields are missing: [%s]", strings.Join(fields, ", ")), fields...)
}

func (t *tx) updateRecord(ctx context.Context, u user, r row) (string, *rowError, error) {
	view, err := t.org.view(ctx, t, u)
	if err != nil {
		return r.ID, nil, err
	}
	obj := view.object(r.Object)
	switch {
	case obj == nil:
		e := invalidType(r.Object)
		return r.ID, refuse(e.Code, e.Message), nil
	case obj.ReadOnly || obj.View != "":
		return r.ID, refuse("INVALID_TYPE_FOR_OPERATION", "entity type cannot be updated: "+obj.label()), nil
	case r.ID == "":
		return "", refuse("MISSING_ARGUMENT", "Id not specified in an update call"), nil
	case !view.access(obj).edit:
		return r.ID, errNoAccess, nil
	}
	old, refused, err := t.find(ctx, obj, r.ID)
	if refused != nil || err != nil {
		return r.ID, refused, err
	}
	id := old["Id"].(string)
	values, refused, err := t.accept(ctx, view, obj, r.Values, false)
	if refused != nil || err != nil {
		return id, refused, err
	}
	for _, f := range obj.Fields {
		if v, ok := values[f.Name]; ok && f.Required && v == nil {
			return id, requiredMissing([]string{f.Name}), nil
		}
	}
	changed := maps.Clone(old)
	maps.Copy(changed, values)
	if refused, err = t.checkPermission(ctx, obj, changed); refused != nil || err != nil {
		return id, refused, err
	}
	if r, ok := control.Refused(ctx, id); ok {
		return id, refuse(r.Code, r.Message, r.Fields...), nil
	}
	if err := t.updateRow(ctx, obj, u.ID, old, changed); err != nil {
		return id, nil, err
	}
	return id, nil, t.recordHistory(ctx, u, obj, old, changed)
}

// updateRow stores what differs between two versions of a row, which it completes, and stamps it.
func (t *tx) updateRow(ctx context.Context, obj *Object, userID string, old, changed map[string]any) error {
	if err := t.derive(ctx, obj, old, changed); err != nil {
		return err
	}
	stamp := t.now.Format(storedTime)
	for name, v := range map[string]any{"SystemModstamp": stamp, "LastModifiedDate": stamp, "LastModifiedById": userID} {
		if obj.Field(name) != nil {
			changed[name] = v
		}
	}
	var set []string
	var args []any
	for _, f := range obj.Fields {
		if data, ok := changed[f.Name].([]byte); ok && string(data) == string(asBytes(old[f.Name])) {
			continue
		} else if !ok && changed[f.Name] == old[f.Name] {
			continue
		}
		set, args = append(set, f.Name+" = ?"), append(args, changed[f.Name])
	}
	if set == nil {
		return nil
	}
	if err := t.exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE Id = ?", obj.Name, strings.Join(set, ", ")), append(args, old["Id"])...); err != nil {
		return fmt.Errorf("update %s: %w", obj.Name, err)
	}
	t.forget(obj)
	return nil
}

func asBytes(v any) []byte {
	b, _ := v.([]byte)
	return b
}

func (t *tx) deleteRecord(ctx context.Context, u user, r row) (string, *rowError, error) {
	view, err := t.org.view(ctx, t, u)
	if err != nil {
		return r.ID, nil, err
	}
	obj := view.object(r.Object)
	if r.Object == "" || obj != nil && obj.View != "" {
		obj = t.org.objectOfID(r.ID)
	}
	switch {
	case obj == nil:
		return r.ID, refuse("MALFORMED_ID", "malformed id "+r.ID), nil
	case obj.ReadOnly || obj.Name == "User":
		return r.ID, refuse("INVALID_TYPE_FOR_OPERATION", "entity type cannot be deleted: "+obj.label()), nil
	case !view.access(obj).remove:
		return r.ID, errNoAccess, nil
	}
	old, refused, err := t.find(ctx, obj, r.ID)
	if refused != nil || err != nil {
		return r.ID, refused, err
	}
	if refused, err = t.checkRemoval(ctx, obj, old); refused != nil || err != nil {
		return r.ID, refused, err
	}
	return r.ID, nil, t.remove(ctx, obj, u.ID, old["Id"].(string))
}

// remove moves a row and its dependants to the recycle bin.
func (t *tx) remove(ctx context.Context, obj *Object, userID, id string) error {
	set, args := "IsDeleted = 1, SystemModstamp = ?", []any{t.now.Format(storedTime)}
	if obj.Field("LastModifiedById") != nil {
		set, args = set+", LastModifiedDate = ?, LastModifiedById = ?", append(args, args[0], userID)
	}
	if err := t.exec(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE Id = ?", obj.Name, set), append(args, id)...); err != nil {
		return fmt.Errorf("delete %s: %w", obj.Name, err)
	}
	t.forget(obj)
	for _, child := range t.org.objects {
		for _, f := range child.Fields {
			if !f.CascadeDelete || !slices.Contains(f.ReferenceTo, obj.Name) || child.Field("SystemModstamp") == nil {
				continue
			}
			var ids []string
			if err := sqlx.SelectContext(ctx, t, &ids, fmt.Sprintf("SELECT Id FROM %s WHERE %s = ? AND NOT IsDeleted", child.Name, f.Name), id); err != nil {
				return fmt.Errorf("dependants of %s: %w", id, err)
			}
			for _, childID := range ids {
				if err := t.remove(ctx, child, userID, childID); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// find returns the stored row that a client means by an id.
func (t *tx) find(ctx context.Context, obj *Object, id string) (map[string]any, *rowError, error) {
	full, ok := fullID(id)
	if !ok || !strings.HasPrefix(full, obj.KeyPrefix) {
		return nil, refuse("MALFORMED_ID", fmt.Sprintf("%s ID: id value of incorrect type: %s", obj.label(), id)), nil
	}
	found, err := t.stored(ctx, obj, full)
	switch {
	case err != nil:
		return nil, nil, err
	case found == nil:
		return nil, errUnknownID, nil
	case found["IsDeleted"] == int64(1):
		return nil, errDeleted, nil
	}
	return found, nil, nil
}

// accept checks what a client sent for a row's fields and returns it in the form in which it is stored.
func (t *tx) accept(ctx context.Context, view view, obj *Object, sent map[string]any, create bool) (map[string]any, *rowError, error) {
	values := make(map[string]any, len(obj.Fields))
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if name == "attributes" || !create && strings.EqualFold(name, "Id") {
			continue
		}
		f := view.field(obj, name)
		if f == nil {
			return nil, refuse("INVALID_FIELD", fmt.Sprintf("No such column '%s' on sobject of type %s", name, obj.Name), name), nil
		}
		if !view.edits(obj, f, create) {
			return nil, refuse("INVALID_FIELD_FOR_INSERT_UPDATE", fmt.Sprintf("Unable to create/update fields: %s. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", f.Name), f.Name), nil
		}
		v, refused := f.coerce(sent[name])
		var err error
		if refused == nil && f.Type == TypeReference && v != nil {
			refused, err = t.checkReference(ctx, f, v.(string))
		}
		if refused != nil || err != nil {
			return nil, refused, err
		}
		values[f.Name] = v
	}
	return values, nil, nil
}

// checkReference refuses an id that a reference field cannot hold. It returns nil for a good one.
func (t *tx) checkReference(ctx context.Context, f *Field, id string) (*rowError, error) {
	obj := t.org.objectOfID(id)
	if obj == nil || !slices.Contains(f.ReferenceTo, obj.Name) {
		return refuse("FIELD_INTEGRITY_EXCEPTION", fmt.Sprintf("%s: id value of incorrect type: %s", f.label(), id), f.Name), nil
	}
	var deleted []bool
	if err := sqlx.SelectContext(ctx, t, &deleted, fmt.Sprintf("SELECT IsDeleted FROM %s WHERE Id = ?", obj.Name), id); err != nil {
		return nil, fmt.Errorf("check %s: %w", f.Name, err)
	}
	switch {
	case len(deleted) == 0:
		return refuse(errUnknownID.StatusCode, errUnknownID.Message, f.Name), nil
	case deleted[0]:
		return refuse(errDeleted.StatusCode, errDeleted.Message, f.Name), nil
	}
	return nil, nil
}
