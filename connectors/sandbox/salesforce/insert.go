package salesforce

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// How moments and days are stored. A moment carries no zone mark, so that a literal with a fraction of a second sorts
// after the whole second before it.
const (
	storedTime = "2006-01-02T15:04:05"
	storedDate = time.DateOnly
)

// system holds the audit fields of a row. Zero values mean: now, by the integration user, not modified since.
type system struct {
	CreatedDate      time.Time
	CreatedByID      string
	LastModifiedDate time.Time
	LastModifiedByID string
	SystemModstamp   time.Time
}

// insertFunc adds one row of trusted values and returns its id. Field names must be in their declared case. A value is a
// string, bool, int, float64, []byte (base64 fields), time.Time (dates and datetimes) or nil. Nothing is validated and
// no history is written; fields that follow from others (IsWon, Name of a person, …) are filled in.
// A ContentNote is inserted with Title and Content ([]byte); its document and version are made with it.
type insertFunc func(object string, values map[string]any, sys system) (id string, err error)

// bulkInsert calls fn with a function that inserts rows, all in one transaction. Nothing is kept when fn fails.
func (o *Org) bulkInsert(ctx context.Context, fn func(insert insertFunc) error) error {
	return o.write(ctx, func(ctx context.Context, t *tx) error {
		return fn(func(object string, values map[string]any, sys system) (string, error) {
			obj := o.object(object)
			if obj == nil {
				return "", fmt.Errorf("insert: there is no object %s", object)
			}
			row := make(map[string]any, len(obj.Fields))
			for name, v := range values {
				f := obj.Field(name)
				if f == nil || f.Name != name {
					return "", fmt.Errorf("insert: %s has no field %s", object, name)
				}
				row[name] = f.store(v)
			}
			return t.create(ctx, obj, row, sys)
		})
	})
}

// store returns v in the form in which f's column holds it.
func (f *Field) store(v any) any {
	switch v := v.(type) {
	case nil:
		if f.Type == TypeBoolean {
			return int64(0)
		}
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case string:
		if v == "" {
			return nil
		}
	case int:
		if f.Type == TypeInt {
			return int64(v)
		}
		return float64(v)
	case time.Time:
		switch {
		case v.IsZero():
			return nil
		case f.Type == TypeDate:
			return v.UTC().Format(storedDate)
		}
		return v.UTC().Format(storedTime)
	}
	return v
}

// create adds a row of stored values, which it completes, and returns its id.
func (t *tx) create(ctx context.Context, obj *Object, row map[string]any, sys system) (string, error) {
	if obj.View != "" {
		return t.createNote(ctx, row, sys)
	}
	if err := t.complete(ctx, obj, row, sys); err != nil {
		return "", err
	}
	if obj.Name == "ContentVersion" {
		if err := t.publish(ctx, row, sys); err != nil {
			return "", err
		}
	}
	return row["Id"].(string), t.insertRow(ctx, obj, row)
}

// complete fills in the id, the audit fields, defaults, and what follows from other fields.
func (t *tx) complete(ctx context.Context, obj *Object, row map[string]any, sys system) error {
	sys.CreatedDate = firstTime(sys.CreatedDate, t.now)
	sys.LastModifiedDate = firstTime(sys.LastModifiedDate, sys.CreatedDate)
	sys.SystemModstamp = firstTime(sys.SystemModstamp, sys.LastModifiedDate)
	if sys.CreatedByID == "" {
		sys.CreatedByID = integrationUserID
	}
	if sys.LastModifiedByID == "" {
		sys.LastModifiedByID = sys.CreatedByID
	}
	audit := map[string]any{
		"CreatedDate": sys.CreatedDate, "CreatedById": sys.CreatedByID, "LastModifiedDate": sys.LastModifiedDate,
		"LastModifiedById": sys.LastModifiedByID, "SystemModstamp": sys.SystemModstamp,
	}
	for _, f := range obj.Fields {
		if v, ok := audit[f.Name]; ok {
			row[f.Name] = f.store(v)
		} else if _, ok := row[f.Name]; !ok {
			row[f.Name] = f.store(f.Default)
		}
	}
	if row["Id"] == nil {
		row["Id"] = t.nextID(obj)
	}
	if f := obj.Field("OwnerId"); f != nil && row["OwnerId"] == nil {
		row["OwnerId"] = sys.CreatedByID
	}
	return t.derive(ctx, obj, nil, row)
}

func firstTime(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (t *tx) nextID(obj *Object) string {
	t.org.serials[obj.KeyPrefix]++
	return newID(obj.KeyPrefix, t.org.serials[obj.KeyPrefix])
}

func (t *tx) insertRow(ctx context.Context, obj *Object, row map[string]any) error {
	statement, ok := t.inserts[obj]
	if !ok {
		names := make([]string, len(obj.Fields))
		for i, f := range obj.Fields {
			names[i] = f.Name
		}
		statement = fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", obj.Name, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1))
		t.inserts[obj] = statement
	}
	args := make([]any, len(obj.Fields))
	for i, f := range obj.Fields {
		args[i] = row[f.Name]
	}
	if err := t.exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("insert %s: %w", obj.Name, err)
	}
	t.forget(obj)
	return nil
}

// forget drops what was worked out from obj's rows.
func (t *tx) forget(obj *Object) {
	switch obj.Name {
	case "OpportunityStage":
		t.org.stages.forget()
	case "PermissionSet", "PermissionSetAssignment", "FieldPermissions", "ObjectPermissions":
		t.org.grants.forget()
	}
}
