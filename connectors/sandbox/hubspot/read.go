package hubspot

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

// record is one record as it is stored.
type record struct {
	ID         int64
	Values     map[string]string // of the columns that were asked for; one without a value is absent
	ArchivedAt string            // "": it is not archived
}

// selection says which records to read, and what of them.
type selection struct {
	From    string   // "": the object's table
	Columns []string // properties of the object
	Where   string
	Args    []any
	Order   string
	Limit   int // 0: all
	Offset  int
}

// fetch reads records.
func (o *object) fetch(ctx context.Context, db sqlx.QueryerContext, s selection) ([]record, error) {
	columns := []string{idProperty, "COALESCE(_archived_at, '')"}
	for _, name := range s.Columns {
		columns = append(columns, quoted(name))
	}
	if s.From == "" {
		s.From = o.Name
	}
	query := fmt.Sprintf("SELECT %s FROM %s WHERE %s", strings.Join(columns, ", "), s.From, s.Where)
	if s.Order != "" {
		query += " ORDER BY " + s.Order
	}
	if s.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d OFFSET %d", s.Limit, s.Offset)
	}
	rows, err := db.QueryxContext(ctx, query, s.Args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Name, err)
	}
	defer rows.Close()
	var records []record
	for rows.Next() {
		rec := record{Values: make(map[string]string, len(s.Columns))}
		values := make([]sql.NullString, len(s.Columns))
		targets := []any{&rec.ID, &rec.ArchivedAt}
		for i := range values {
			targets = append(targets, &values[i])
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("read %s: %w", o.Name, err)
		}
		for i, v := range values {
			if v.Valid {
				rec.Values[s.Columns[i]] = v.String
			}
		}
		records = append(records, rec)
	}
	return records, rows.Err()
}

// answer is a record in the form of the API.
type answer struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
	History    map[string][]entry `json:"propertiesWithHistory,omitempty"`
	CreatedAt  string             `json:"createdAt"`
	UpdatedAt  string             `json:"updatedAt"`
	Archived   bool               `json:"archived"`
	ArchivedAt string             `json:"archivedAt,omitempty"`

	Associations map[string]*associatedIDs `json:"associations,omitempty"` // by kind of record; one without any is absent
}

// entry is a value that a property had from a moment on.
type entry struct {
	Value       string `json:"value"`
	Timestamp   string `json:"timestamp"`
	SourceType  string `json:"sourceType"`
	SourceID    string `json:"sourceId,omitempty"`
	SourceLabel string `json:"sourceLabel,omitempty"`
	UserID      int64  `json:"updatedByUserId,omitzero"`
}

func newEntry(value, at string, user int64) entry {
	if user == integration {
		return entry{Value: value, Timestamp: at, SourceType: "INTEGRATION", SourceID: "1500001", SourceLabel: "Sandbox"}
	}
	return entry{Value: value, Timestamp: at, SourceType: "CRM_UI", SourceID: fmt.Sprintf("userId:%d", user), UserID: user}
}

// wanted says what an answer shall hold. Properties that do not exist are passed over.
type wanted struct {
	Properties []string // none: the object's default
	History    []string
}

// answers reads records in the form of the API. The caller holds p's lock; s.Columns is filled in here.
func (o *object) answers(ctx context.Context, db sqlx.QueryerContext, s selection, w wanted) ([]answer, error) {
	shown := w.Properties
	if len(shown) == 0 {
		shown = o.Default
	}
	shown = append(o.existing(shown), idProperty, o.Created, o.Modified)
	history := o.existing(w.History)
	s.Columns = append(slices.Concat(shown, history), createdBy)
	slices.Sort(s.Columns)
	s.Columns = slices.Compact(s.Columns)
	records, err := o.fetch(ctx, db, s)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(records))
	byID := make(map[int64]*answer, len(records))
	for i, rec := range records {
		a := &answers[i]
		*a = answer{ID: strconv.FormatInt(rec.ID, 10), Properties: make(map[string]*string, len(shown)), CreatedAt: rec.Values[o.Created],
			UpdatedAt: rec.Values[o.Modified], Archived: rec.ArchivedAt != "", ArchivedAt: rec.ArchivedAt}
		for _, name := range shown {
			a.Properties[name] = nil
			if v, ok := rec.Values[name]; ok {
				a.Properties[name] = &v
			}
		}
		byID[rec.ID] = a
	}
	if len(history) == 0 || len(records) == 0 {
		return answers, nil
	}
	entries, err := o.history(ctx, db, history, slices.Collect(maps.Keys(byID)))
	if err != nil {
		return nil, err
	}
	for _, rec := range records {
		a := byID[rec.ID]
		a.History = make(map[string][]entry, len(history))
		for _, name := range history {
			switch all := entries[historyKey{rec.ID, name}]; {
			case len(all) > 0:
				a.History[name] = all
			case rec.Values[name] != "":
				author, _ := strconv.ParseInt(rec.Values[createdBy], 10, 64) // absent: the integration
				a.History[name] = []entry{newEntry(rec.Values[name], rec.Values[o.Created], author)}
			default:
				a.History[name] = []entry{}
			}
		}
	}
	return answers, nil
}

// existing returns those of the names that are properties.
func (o *object) existing(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return o.property(name) == nil })
}

type historyKey struct {
	id       int64
	property string
}

// history returns the recorded changes, newest first. A property that never changed has none.
func (o *object) history(ctx context.Context, db sqlx.QueryerContext, names []string, ids []int64) (map[historyKey][]entry, error) {
	query, args, err := sqlx.In("SELECT id, property, value, at, user_id FROM history WHERE object = ? AND id IN (?) AND property IN (?) ORDER BY at DESC, rowid DESC",
		o.Name, ids, names)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	rows, err := db.QueryxContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	all := map[historyKey][]entry{}
	for rows.Next() {
		var k historyKey
		var value, at string
		var user int64
		if err := rows.Scan(&k.id, &k.property, &value, &at, &user); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		all[k] = append(all[k], newEntry(value, at, user))
	}
	return all, rows.Err()
}

// byIDs selects records, archived ones or not, in the order of their ids. Ids that are no numbers match nothing.
func byIDs(ids []string, archived bool) (selection, error) {
	numbers := []int64{-1}
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			numbers = append(numbers, n)
		}
	}
	where, args, err := sqlx.In(idProperty+" IN (?) AND (_archived_at IS NOT NULL) = ?", numbers, archived)
	if err != nil {
		return selection{}, fmt.Errorf("select by id: %w", err)
	}
	return selection{Where: where, Args: args, Order: idProperty}, nil
}
