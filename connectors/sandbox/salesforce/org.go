// Package salesforce emulates a Salesforce org over HTTP: OAuth and SOAP login, SOQL, records, collections, composite
// requests, Bulk API 2.0, and the parts of the Tooling API and the User Interface API that make custom fields, page
// layouts and list views. Permission sets decide what a user sees and edits.
//
// The records live in an SQLite database in memory, a table for each sObject; SOQL is translated to SQL.
package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	_ "github.com/mattn/go-sqlite3"
)

// Org is one emulated org. Its methods may be called concurrently.
type Org struct {
	now  func() time.Time
	db   *sqlx.DB
	keep *sqlx.Conn // the database lives as long as one connection does

	// mu orders readers and writers of the database, so that SQLite never answers "locked", and guards the schema.
	mu        sync.RWMutex
	objects   []*Object
	byName    map[string]*Object // by lower-case name
	serials   map[string]int64   // the last id's number, by key prefix
	layouts   []*layout
	listViews []*listView
	revoked   map[permission]bool // what the profile of the integration's user lacks

	stages   lazy[map[string]stage]
	grants   lazy[map[string]grants] // by user id
	sessions sessions
	cursors  cursors
	late     lateWrites
	calls    usage
	bulk     *bulkJobs

	unlimited bool // calls are not counted
}

var databases atomic.Int64 // numbers the databases of this process, whose names must differ

// New returns an org that holds its users, stages and settings, and no other records. Close it after use.
func New(now func() time.Time) (*Org, error) {
	ctx := context.Background()
	o, err := open(ctx, now, standardSchema())
	if err != nil {
		return nil, err
	}
	o.layouts = standardLayouts(o.object("Account"), o.object("Opportunity"))
	if err := o.bulkInsert(ctx, seed); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// open returns an org without records.
func open(ctx context.Context, now func() time.Time, schema []*Object) (*Org, error) {
	o := &Org{now: now, byName: map[string]*Object{}, serials: map[string]int64{}, revoked: map[permission]bool{}, bulk: newBulkJobs()}
	var err error
	// Through the memdb VFS many connections share one database in memory.
	o.db, err = sqlx.Open("sqlite3", fmt.Sprintf("file:/salesforce-%d?vfs=memdb", databases.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("open org: %w", err)
	}
	if o.keep, err = o.db.Connx(ctx); err != nil {
		return nil, fmt.Errorf("open org: %w", errors.Join(err, o.db.Close()))
	}
	for _, object := range schema {
		if err := o.addObject(ctx, object); err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// Close ends the org's jobs and frees its database.
func (o *Org) Close() error {
	o.bulk.close()
	return errors.Join(o.keep.Close(), o.db.Close())
}

// Handler serves the org's API and pages.
func (o *Org) Handler() http.Handler {
	mux := http.NewServeMux()
	o.loginRoutes(mux)
	o.describeRoutes(mux)
	o.queryRoutes(mux)
	o.recordRoutes(mux)
	o.compositeRoutes(mux)
	o.bulkRoutes(mux)
	o.toolingRoutes(mux)
	o.layoutRoutes(mux)
	o.listViewRoutes(mux)
	o.pageRoutes(mux)
	mux.Handle("/services/data/{version}/", o.authenticated(func(w http.ResponseWriter, _ *http.Request, _ user, _ string) {
		writeError(w, errNoResource)
	}))
	return o.dated(guardSize(trimSlash(mux)))
}

// object returns the sObject of that name, in any case of letters; nil: there is none. The caller holds o's lock, as it
// does inside read and write.
func (o *Org) object(name string) *Object { return o.byName[strings.ToLower(name)] }

// objectOfID returns the stored sObject that an id belongs to; nil: there is none.
func (o *Org) objectOfID(id string) *Object {
	i := slices.IndexFunc(o.objects, func(obj *Object) bool { return obj.View == "" && strings.HasPrefix(id, obj.KeyPrefix) })
	if i < 0 {
		return nil
	}
	return o.objects[i]
}

func (o *Org) addObject(ctx context.Context, object *Object) error {
	ddl := []string{fmt.Sprintf("CREATE VIEW %s AS %s", object.Name, object.View)}
	if object.View == "" {
		var columns []string
		for _, f := range object.Fields {
			columns = append(columns, f.ddl())
		}
		ddl[0] = fmt.Sprintf("CREATE TABLE %s (%s) STRICT", object.Name, strings.Join(columns, ", "))
		for _, f := range object.Fields {
			if f.Children != "" || f.Name == "SystemModstamp" {
				ddl = append(ddl, fmt.Sprintf("CREATE INDEX %s_%s ON %[1]s (%[2]s)", object.Name, f.Name))
			}
		}
	}
	for _, statement := range ddl {
		if _, err := o.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("create object %s: %w", object.Name, err)
		}
	}
	o.objects = append(o.objects, object)
	o.byName[strings.ToLower(object.Name)] = object
	return nil
}

// ddl returns the column definition of f. Text compares as Salesforce compares it, without regard to case; ids, dates
// and datetimes sort as their bytes do.
func (f *Field) ddl() string {
	switch f.Type {
	case TypeID:
		return f.Name + " TEXT PRIMARY KEY"
	case TypeReference, TypeDate, TypeDateTime:
		return f.Name + " TEXT"
	case TypeBoolean:
		return f.Name + " INTEGER NOT NULL DEFAULT 0"
	case TypeInt:
		return f.Name + " INTEGER"
	case TypeDouble, TypePercent, TypeCurrency:
		return f.Name + " REAL"
	case TypeBase64:
		return f.Name + " BLOB"
	case TypeAny:
		return f.Name + " ANY"
	}
	return f.Name + " TEXT COLLATE NOCASE"
}

// customName is the form of a custom field's API name.
var customName = regexp.MustCompile(`^[A-Za-z](_?[A-Za-z0-9])*__c$`)

// maxTracked is how many fields of an object may track history.
const maxTracked = 20

// addField adds a custom field to an sObject, with null (false for a checkbox) or its default in every row. The error is
// an *apiError where the caller asked for something impossible.
func (o *Org) addField(ctx context.Context, object string, f Field) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	obj := o.object(object)
	switch {
	case obj == nil:
		return invalidType(object)
	case !customName.MatchString(f.Name):
		return badRequest("FIELD_INTEGRITY_EXCEPTION", "The name can only contain underscores and alphanumeric characters, and must end in __c: "+f.Name)
	case obj.Field(f.Name) != nil:
		return badRequest("DUPLICATE_DEVELOPER_NAME", fmt.Sprintf("There is already a field named %s on %s.", strings.TrimSuffix(f.Name, "__c"), obj.Name))
	}
	if f.TrackHistory {
		if err := obj.trackOneMore(); err != nil {
			return err
		}
	}
	if _, err := o.db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s", obj.Name, f.ddl())); err != nil {
		return fmt.Errorf("add field %s.%s: %w", obj.Name, f.Name, err)
	}
	if v := f.store(f.Default); v != nil {
		if _, err := o.db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s = ?", obj.Name, f.Name), v); err != nil {
			return fmt.Errorf("add field %s.%s: %w", obj.Name, f.Name, err)
		}
	}
	obj.Fields = append(obj.Fields, &f)
	return nil
}

// trackOneMore refuses to track the history of another field where that is one too many.
func (o *Object) trackOneMore() *apiError {
	n := 0
	for _, f := range o.Fields {
		if f.TrackHistory {
			n++
		}
	}
	if n >= maxTracked {
		return badRequest("FIELD_INTEGRITY_EXCEPTION", fmt.Sprintf("You can track the history of at most %d fields of %s.", maxTracked, o.Name))
	}
	return nil
}

// dropField removes a custom field, its values, the permissions on it, and its places on layouts and in list views. The
// error is an *apiError where there is no such field.
func (o *Org) dropField(ctx context.Context, object, name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	obj := o.object(object)
	if obj == nil {
		return invalidType(object)
	}
	f := obj.Field(name)
	if f == nil || !f.Custom() {
		return errNoResource
	}
	if _, err := o.db.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s", obj.Name, f.Name)); err != nil {
		return fmt.Errorf("drop field %s.%s: %w", obj.Name, f.Name, err)
	}
	if _, err := o.db.ExecContext(ctx, "DELETE FROM FieldPermissions WHERE Field = ?", obj.Name+"."+f.Name); err != nil {
		return fmt.Errorf("drop field %s.%s: %w", obj.Name, f.Name, err)
	}
	obj.Fields = slices.DeleteFunc(obj.Fields, func(other *Field) bool { return other == f })
	for _, l := range o.layouts {
		if l.object == obj.Name {
			l.drop(f.Name)
		}
	}
	for _, l := range o.listViews {
		if l.object == obj.Name {
			l.drop(f.Name)
		}
	}
	o.grants.forget()
	return nil
}

// lazy is a value worked out from the database when it is needed.
type lazy[T any] struct {
	mu    sync.Mutex
	value *T
}

func (l *lazy[T]) get(load func() (T, error)) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.value == nil {
		v, err := load()
		if err != nil {
			return v, err
		}
		l.value = &v
	}
	return *l.value, nil
}

func (l *lazy[T]) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.value = nil
}
