// Package hubspot emulates a HubSpot portal over HTTP: CRM records, searches, associations, owners, pipelines, properties
// and the account's own details, on the v3 and v4 paths and on the dated ones, and pages on which people look at deals.
//
// The records live in an SQLite database in memory, a table for each kind of object and a column for each property;
// searches are translated to SQL.
package hubspot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
)

// Portal is one emulated portal. Its methods may be called concurrently.
type Portal struct {
	now  func() time.Time
	db   *sqlx.DB
	keep *sqlx.Conn // the database lives as long as one connection does

	// mu orders readers and writers of the database, so that SQLite never answers "locked", and guards the definitions.
	mu        sync.RWMutex
	objects   []*object
	owners    []*owner
	pipelines []*pipeline // of deals
	labels    []label
	lagUntil  time.Time // until then some changes are not in the search index

	grants    grants
	limits    limiter
	unlimited bool // no call is refused for the number of calls
}

const driver = "sqlite3-hubspot"

func init() {
	sql.Register(driver, &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		return c.RegisterFunc("contains_token", containsToken, true)
	}})
}

var databases atomic.Int64 // numbers the databases of this process, whose names must differ

// New returns a portal that holds its users, its pipeline and the standard properties, and no records. Close it after use.
func New(now func() time.Time) (*Portal, error) {
	ctx := context.Background()
	p := &Portal{now: now, labels: standardLabels()}
	var err error
	// Through the memdb VFS many connections share one database in memory.
	p.db, err = sqlx.Open(driver, fmt.Sprintf("file:/hubspot-%d?vfs=memdb", databases.Add(1)))
	if err != nil {
		return nil, fmt.Errorf("open portal: %w", err)
	}
	if p.keep, err = p.db.Connx(ctx); err != nil {
		return nil, fmt.Errorf("open portal: %w", errors.Join(err, p.db.Close()))
	}
	if err := p.create(ctx); err != nil {
		return nil, fmt.Errorf("open portal: %w", errors.Join(err, p.Close()))
	}
	return p, nil
}

func (p *Portal) create(ctx context.Context) error {
	if _, err := p.db.ExecContext(ctx, tables); err != nil {
		return err
	}
	for _, o := range standardObjects() {
		for _, table := range o.tables() {
			columns := []string{"_archived_at TEXT", "_indexed_at INTEGER NOT NULL DEFAULT 0"}
			for _, pr := range o.Properties {
				columns = append(columns, pr.ddl())
			}
			ddl := fmt.Sprintf("CREATE TABLE %s (%s) STRICT; CREATE INDEX %[1]s_modified ON %[1]s (%[3]s)", table, strings.Join(columns, ", "), o.Modified)
			if _, err := p.db.ExecContext(ctx, ddl); err != nil {
				return fmt.Errorf("create %s: %w", o.Name, err)
			}
		}
		p.objects = append(p.objects, o)
	}
	if _, err := p.db.ExecContext(ctx, counters()); err != nil {
		return err
	}
	return p.load(ctx, seed)
}

// Close frees the portal's database.
func (p *Portal) Close() error { return errors.Join(p.keep.Close(), p.db.Close()) }

// Handler serves the portal's API and pages.
func (p *Portal) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, v := range versions {
		p.recordRoutes(mux, v)
		p.batchRoutes(mux, v)
		p.mergeRoutes(mux, v)
		p.searchRoutes(mux, v)
		p.associationRoutes(mux, v)
		p.ownerRoutes(mux, v)
		p.pipelineRoutes(mux, v)
		p.propertyRoutes(mux, v)
		p.accountRoutes(mux, v)
	}
	for _, rest := range []string{"/crm/", "/account-info/"} {
		p.handle(mux, "", rest, func(*request) (int, any, error) { return 0, nil, errNoRoute })
	}
	p.pageRoutes(mux)
	return p.dated(guardSize(trimSlash(mux)))
}

// tables holds what is not a record.
const tables = `
CREATE TABLE history (object TEXT NOT NULL, id INTEGER NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL,
	user_id INTEGER NOT NULL) STRICT;
CREATE INDEX history_of ON history (object, id, property);
CREATE TABLE association (from_object TEXT NOT NULL, from_id INTEGER NOT NULL, to_object TEXT NOT NULL, to_id INTEGER NOT NULL,
	category TEXT NOT NULL, type_id INTEGER NOT NULL,
	PRIMARY KEY (from_object, from_id, to_object, to_id, category, type_id)) STRICT, WITHOUT ROWID;
CREATE TABLE merged (object TEXT NOT NULL, id INTEGER NOT NULL, heir INTEGER NOT NULL, PRIMARY KEY (object, id)) STRICT, WITHOUT ROWID;
`

// counted are the properties that hold how many records of a kind a record is associated with.
var counted = []struct{ object, with, property string }{
	{"deals", "contacts", "num_associated_contacts"},
	{"contacts", "deals", "num_associated_deals"},
	{"companies", "deals", "num_associated_deals"},
}

// counters returns the triggers that keep them.
func counters() string {
	var b strings.Builder
	for _, c := range counted {
		for event, row := range map[string]string{"INSERT": "NEW", "DELETE": "OLD"} {
			fmt.Fprintf(&b, `
CREATE TRIGGER count_%[1]s_%[2]s_%[4]s AFTER %[4]s ON association WHEN %[5]s.from_object = '%[1]s' AND %[5]s.to_object = '%[2]s' BEGIN
	UPDATE %[1]s SET %[3]s = (SELECT count(DISTINCT to_id) FROM association
		WHERE from_object = '%[1]s' AND from_id = %[5]s.from_id AND to_object = '%[2]s') WHERE hs_object_id = %[5]s.from_id;
END;`, c.object, c.with, c.property, event, row)
		}
	}
	return b.String()
}

// object returns the kind of record of that name, as a path may give it: "deals", "deal" or "0-3". nil: there is none.
// Reading needs no lock: kinds of records never change, only their properties do.
func (p *Portal) object(name string) *object {
	i := slices.IndexFunc(p.objects, func(o *object) bool { return name == o.Name || name == o.Singular || name == o.TypeID })
	if i < 0 {
		return nil
	}
	return p.objects[i]
}

// addColumn makes a place for the values of a new property.
func (t *tx) addColumn(ctx context.Context, o *object, pr *property) error {
	for _, table := range o.tables() {
		if _, err := t.ExecContext(ctx, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s", table, pr.ddl())); err != nil {
			return fmt.Errorf("add property %s.%s: %w", o.Name, pr.Name, err)
		}
	}
	return nil
}
