package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/salesforce/soql"
)

// How many rows a page holds.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_queryoptions.htm
const (
	minBatch  = 200
	maxBatch  = 2_000
	wideBatch = 200 // at most, when two or more custom long text fields are selected
)

// queryOptions says how a query is to be answered.
type queryOptions struct {
	Version   string // API version, such as "62.0", for the URLs inside the answer
	All       bool   // rows in the recycle bin and archived activities too
	BatchSize int    // rows a page, child rows included; 0: 2,000
	Check     bool   // only whether it can be answered: no rows
	Bulk      bool   // the rules of Bulk API 2.0: no aggregates, subqueries, OFFSET; one page holds everything
}

// column is one selected value of a row, in the order of the query.
type column struct {
	Name string // as in bulk CSV: "Amount", "Account.Name"
	Type FieldType

	key     string // in JSON
	unnamed bool   // a function without an alias
}

// queryResult is one page of an answer. It marshals to the JSON of /query.
type queryResult struct {
	TotalSize int
	Done      bool
	Next      string // locator of the next page; "" on the last
	Object    string // sObject in FROM, in its declared case
	Columns   []column
	Rows      []resultRow

	shape   *shape // nil: of aggregates
	version string
}

// resultRow is one row of an answer.
type resultRow struct {
	// Values holds a value for each column: nil, string, bool, int64 or float64. A date is "2006-01-02", a datetime
	// "2006-01-02T15:04:05Z". Behind them stand the values of the shapes.
	Values []any

	children []*queryResult // one a child list; nil: an empty one
}

// query answers the SOQL text for u, its first page.
func (o *Org) query(ctx context.Context, u user, text string, opt queryOptions) (*queryResult, *apiError) {
	q, err := soql.Parse(text)
	if err != nil {
		return nil, malformed(text, err)
	}
	var result *queryResult
	err = o.read(ctx, func(db sqlx.QueryerContext) error {
		view, err := o.view(ctx, db, u)
		if err != nil {
			return err
		}
		tr := &translator{org: o, view: view, now: o.now(), text: text, deleted: opt.All, archived: opt.All}
		obj := view.object(q.From)
		if obj == nil {
			return tr.failType(q)
		}
		if opt.Bulk {
			if err := restrictBulk(q); err != nil {
				return err
			}
		}
		if err := restrictLinks(q, obj); err != nil {
			return err
		}
		if err := restrictJoins(q); err != nil {
			return err
		}
		r := &reader{org: o, db: db, user: u, opt: opt}
		switch first := q.Select[0].Operand; {
		case first.Func == "COUNT" && first.Path == nil && len(q.Select) == 1:
			result, err = r.count(ctx, tr, q, obj)
		case q.GroupBy != nil || hasAggregate(q):
			result, err = r.aggregate(ctx, tr, q, obj)
		default:
			result, err = r.records(ctx, tr, q, obj)
		}
		return err
	})
	if err != nil {
		return nil, asAPIError(err)
	}
	return result, nil
}

// restrictBulk refuses what Bulk API 2.0 cannot do.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
func restrictBulk(q *soql.Query) error {
	for _, item := range q.Select {
		if item.Sub != nil {
			return badRequest("FEATURENOTENABLED", "Aggregate Relationships not supported in Bulk Query")
		}
	}
	if q.GroupBy != nil || hasAggregate(q) {
		return badRequest("FEATURENOTENABLED", "Aggregate Queries not supported in Bulk Query")
	}
	if q.Offset > 0 {
		return badRequest("FEATURENOTENABLED", "OFFSET not supported in Bulk Query")
	}
	return nil
}

// reader reads the answer to one request.
type reader struct {
	org  *Org
	db   sqlx.QueryerContext
	user user
	opt  queryOptions
}

func (r *reader) count(ctx context.Context, tr *translator, q *soql.Query, obj *Object) (*queryResult, error) {
	s := tr.scope(q, obj)
	found, err := s.find("1", s.limit())
	if err != nil {
		return nil, err
	}
	result := &queryResult{Done: true, Object: obj.Name, version: r.opt.Version}
	if err := sqlx.GetContext(ctx, r.db, &result.TotalSize, "SELECT count(*) FROM ("+found.sql+")", found.args...); err != nil {
		return nil, fmt.Errorf("count %s: %w", obj.Name, err)
	}
	return result, nil
}

func (r *reader) aggregate(ctx context.Context, tr *translator, q *soql.Query, obj *Object) (*queryResult, error) {
	columns, groups, err := tr.aggregate(q, obj)
	if err != nil {
		return nil, err
	}
	rows, err := r.scan(ctx, columns, groups.sql, groups.args...)
	if err != nil {
		return nil, err
	}
	return &queryResult{TotalSize: len(rows), Done: true, Object: obj.Name, Columns: columns, Rows: rows, version: r.opt.Version}, nil
}

func (r *reader) records(ctx context.Context, tr *translator, q *soql.Query, obj *Object) (*queryResult, error) {
	sel, err := tr.selection(q, obj)
	if err != nil {
		return nil, err
	}
	s := tr.scope(q, obj)
	found, err := s.find(s.root.id(), s.limit())
	if err != nil {
		return nil, err
	}
	if r.opt.Check {
		return &queryResult{Done: true, Object: obj.Name, version: r.opt.Version}, nil
	}
	c := &cursor{selection: sel, userID: r.user.ID, ids: []string{}, batch: cmp.Or(r.opt.BatchSize, maxBatch)}
	if err := sqlx.SelectContext(ctx, r.db, &c.ids, found.sql, found.args...); err != nil {
		return nil, fmt.Errorf("query %s: %w", obj.Name, err)
	}
	switch {
	case r.opt.Bulk:
		c.batch = math.MaxInt
	case sel.longText > 1:
		c.batch = min(c.batch, wideBatch)
	}
	return r.page(ctx, c, 0)
}

// page reads the rows of a cursor from offset on.
func (r *reader) page(ctx context.Context, c *cursor, offset int) (*queryResult, error) {
	end := len(c.ids)
	if end-offset > c.batch {
		end = offset + c.batch
	}
	rows, err := r.fetch(ctx, c.selection, c.ids[offset:end], c.batch, true)
	if err != nil {
		return nil, err
	}
	result := &queryResult{
		TotalSize: len(c.ids), Done: offset+len(rows) == len(c.ids), Object: c.object.Name, Columns: c.columns, Rows: rows,
		shape: c.shape, version: r.opt.Version,
	}
	if !result.Done {
		result.Next = locator(r.org.cursors.put(c, r.org.now()), offset+len(rows))
	}
	return result, nil
}

func locator(id string, offset int) string { return fmt.Sprintf("%s-%d", id, offset) }

// fetch reads the records of the given ids, in their order, with their child lists, of which each begins with at most
// batch rows. With share, all rows of all levels together are to be no more than batch: then only the first records come
// back, at least one.
func (r *reader) fetch(ctx context.Context, sel *selection, ids []string, batch int, share bool) ([]resultRow, error) {
	lists := make([]map[string][]string, len(sel.children))
	for i, child := range sel.children {
		var err error
		if lists[i], err = r.childIDs(ctx, child, ids); err != nil {
			return nil, err
		}
	}
	if share {
		total := 0
		for i, id := range ids {
			total++
			for _, list := range lists {
				total += min(len(list[id]), batch)
			}
			if total > batch && i > 0 {
				ids = ids[:i]
				break
			}
		}
	}
	if len(ids) == 0 {
		return []resultRow{}, nil
	}
	rows, err := r.scan(ctx, sel.columns, sel.rows, jsonArray(ids))
	if err != nil {
		return nil, err
	}
	for i, child := range sel.children {
		if err := r.attach(ctx, child, ids, lists[i], rows, batch); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func jsonArray[T any](values []T) string {
	b, err := json.Marshal(values)
	if err != nil { // strings, numbers and booleans always marshal
		panic(err)
	}
	return string(b)
}

// childIDs returns the ids of a child list by parent.
func (r *reader) childIDs(ctx context.Context, child *childQuery, parents []string) (map[string][]string, error) {
	rows, err := r.db.QueryxContext(ctx, child.find.sql, append([]any{jsonArray(parents)}, child.find.args...)...)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", child.name, err)
	}
	defer rows.Close()
	lists := map[string][]string{}
	for rows.Next() {
		var parent, id string
		if err := rows.Scan(&parent, &id); err != nil {
			return nil, fmt.Errorf("query %s: %w", child.name, err)
		}
		if child.limit < 0 || len(lists[parent]) < child.limit {
			lists[parent] = append(lists[parent], id)
		}
	}
	return lists, rows.Err()
}

// attach reads the child lists of rows and hangs them on.
func (r *reader) attach(ctx context.Context, child *childQuery, parents []string, lists map[string][]string, rows []resultRow, batch int) error {
	var ids []string
	for _, parent := range parents {
		ids = append(ids, lists[parent][:min(len(lists[parent]), batch)]...)
	}
	records, err := r.fetch(ctx, child.selection, ids, batch, false)
	if err != nil {
		return err
	}
	for i, parent := range parents {
		list := lists[parent]
		if len(list) == 0 {
			rows[i].children = append(rows[i].children, nil)
			continue
		}
		n := min(len(list), batch)
		result := &queryResult{TotalSize: len(list), Done: n == len(list), Object: child.object.Name, Columns: child.columns,
			Rows: records[:n], shape: child.shape, version: r.opt.Version}
		if !result.Done {
			c := &cursor{selection: child.selection, userID: r.user.ID, ids: list, batch: batch}
			result.Next = locator(r.org.cursors.put(c, r.org.now()), n)
		}
		records = records[n:]
		rows[i].children = append(rows[i].children, result)
	}
	return nil
}

// scan reads the rows of a statement and gives the values their types.
func (r *reader) scan(ctx context.Context, columns []column, statement string, args ...any) ([]resultRow, error) {
	rows, err := r.db.QueryxContext(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	defer rows.Close()
	result := []resultRow{}
	for rows.Next() {
		values, err := rows.SliceScan()
		if err != nil {
			return nil, fmt.Errorf("read rows: %w", err)
		}
		for i, c := range columns {
			values[i] = c.Type.typed(values[i])
		}
		result = append(result, resultRow{Values: values})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return result, nil
}

// typed returns a stored value as an answer shows it.
func (t FieldType) typed(v any) any {
	switch stored := v.(type) {
	case int64:
		if t == TypeBoolean || t == TypeAny {
			return stored != 0
		}
	case string:
		if t == TypeDateTime {
			return stored + "Z"
		}
	}
	return v
}

// queryMore answers the next page that a locator stands for.
func (o *Org) queryMore(ctx context.Context, u user, locator string, opt queryOptions) (*queryResult, *apiError) {
	c, offset, ok := o.cursors.find(locator, u.ID, o.now())
	if !ok {
		return nil, badRequest("INVALID_QUERY_LOCATOR", "invalid query locator")
	}
	var result *queryResult
	err := o.read(ctx, func(db sqlx.QueryerContext) (err error) {
		result, err = (&reader{org: o, db: db, user: u, opt: opt}).page(ctx, c, offset)
		return err
	})
	if err != nil {
		return nil, asAPIError(err)
	}
	return result, nil
}

func (o *Org) queryRoutes(mux *http.ServeMux) {
	for _, resource := range []string{"query", "queryAll"} {
		mux.Handle("GET /services/data/{version}/"+resource, o.authenticated(o.handleQuery))
		mux.Handle("GET /services/data/{version}/"+resource+"/{locator}", o.authenticated(o.handleQueryMore))
	}
}

var batchSizeOption = regexp.MustCompile(`batchSize\s*=\s*(\d+)`)

func (o *Org) handleQuery(w http.ResponseWriter, r *http.Request, u user, version string) {
	text := r.URL.Query().Get("q")
	if text == "" {
		writeError(w, badRequest("MALFORMED_QUERY", "A query string has to be specified"))
		return
	}
	opt := queryOptions{Version: version, All: strings.HasSuffix(r.URL.Path, "/queryAll")}
	if m := batchSizeOption.FindStringSubmatch(r.Header.Get("Sforce-Query-Options")); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			n = maxBatch
		}
		opt.BatchSize = min(max(n, minBatch), maxBatch)
	}
	result, apiErr := o.query(r.Context(), u, text, opt)
	writeResult(w, result, apiErr)
}

func (o *Org) handleQueryMore(w http.ResponseWriter, r *http.Request, u user, version string) {
	result, apiErr := o.queryMore(r.Context(), u, r.PathValue("locator"), queryOptions{Version: version})
	writeResult(w, result, apiErr)
}

func writeResult(w http.ResponseWriter, result *queryResult, apiErr *apiError) {
	if apiErr != nil {
		writeError(w, apiErr)
		return
	}
	writeJSON(w, http.StatusOK, result)
}
