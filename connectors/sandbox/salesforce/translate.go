package salesforce

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"handoff/connectors/sandbox/salesforce/soql"
)

// How far a query may reach.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_query_limits.htm
const (
	maxLevels     = 5 // up
	maxParents    = 55
	maxSubqueries = 20
	maxOffset     = 2_000
)

// nameObject is what a reference to several kinds of objects leads to: the fields that they share.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_name.htm
var nameObject = &Object{Name: "Name", Fields: []*Field{
	id(), text("Name", 255), picklist("Type"), text("FirstName", 40), text("LastName", 80), email("Email"), phone("Phone"),
	text("Title", 128), text("Username", 80), boolean("IsActive"), text("Alias", 8),
}}

// translator turns one SOQL statement into SQL. It holds what is the same for all of its queries.
type translator struct {
	org      *Org
	view     view
	now      time.Time
	text     string // the statement, for errors
	deleted  bool   // rows in the recycle bin too
	archived bool   // archived activities too
	aliases  int
}

// fail refuses the statement because of what stands at pos.
func (tr *translator) fail(code string, pos int, format string, args ...any) error {
	return badRequest(code, soql.At(tr.text, pos, fmt.Sprintf(format, args...)))
}

func (tr *translator) failType(q *soql.Query) error {
	return tr.fail("INVALID_TYPE", q.FromPos, "%s", invalidType(q.From).Message)
}

func (tr *translator) alias() string {
	tr.aliases++
	return fmt.Sprintf("t%d", tr.aliases)
}

// scope is one FROM with what is joined to it.
type scope struct {
	*translator
	query   *soql.Query
	root    *node
	joins   strings.Builder
	grouped bool // aggregates may stand here
}

// node is a place in a scope: the object in FROM, or one reached over a relationship.
type node struct {
	name    string // of the relationship; "" for the object in FROM
	object  *Object
	kinds   []kind // the tables behind it: several where a reference is polymorphic
	parents map[string]*node
	above   *node // nil: the object in FROM
	level   int
}

// kind is one table behind a node.
type kind struct {
	object *Object
	alias  string
}

func (tr *translator) scope(q *soql.Query, obj *Object) *scope {
	return &scope{translator: tr, query: q, root: &node{object: obj, kinds: []kind{{obj, tr.alias()}}, parents: map[string]*node{}}}
}

// from returns the FROM clause; call it when all operands are resolved.
func (s *scope) from() string {
	k := s.root.kinds[0]
	return fmt.Sprintf(" FROM %s AS %s%s", k.object.Name, k.alias, s.joins.String())
}

// id returns the SQL for the id of the node's record.
func (n *node) id() string { return n.column(idField) }

var idField = id()

// typeName returns the SQL for the name of the record's object.
func (n *node) typeName() string {
	if len(n.kinds) == 1 {
		return fmt.Sprintf("'%s'", n.kinds[0].object.Name)
	}
	var b strings.Builder
	b.WriteString("CASE")
	for _, k := range n.kinds {
		fmt.Fprintf(&b, " WHEN %s.Id IS NOT NULL THEN '%s'", k.alias, k.object.Name)
	}
	return b.String() + " END"
}

// column returns the SQL for a field of the node's record.
func (n *node) column(f *Field) string {
	if len(n.kinds) == 1 {
		return n.kinds[0].alias + "." + f.Name
	}
	if f.Name == "Type" {
		return n.typeName()
	}
	parts := []string{"NULL"}
	for _, k := range n.kinds {
		name := f.Name
		if name == "Name" {
			name = k.object.NameField
		}
		if k.object.Field(name) != nil {
			parts = append(parts, k.alias+"."+name)
		}
	}
	return "coalesce(NULL, " + strings.Join(parts, ", ") + ")"
}

// parent returns the node that a relationship of n leads to, joining it first if need be.
func (s *scope) parent(n *node, relationship string, pos int) (*node, error) {
	key := strings.ToLower(relationship)
	if p, ok := n.parents[key]; ok {
		return p, nil
	}
	f := n.object.Parent(relationship)
	// What a reference to several kinds of objects leads to is Name, which everybody reads.
	hidden := f != nil && len(f.ReferenceTo) == 1 && s.view.object(f.ReferenceTo[0]) == nil
	if f == nil || hidden || !s.view.sees(n.object, f) {
		return nil, s.fail("INVALID_FIELD", pos, "Didn't understand relationship '%s' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", relationship)
	}
	if n.level == maxLevels {
		return nil, s.fail("MALFORMED_QUERY", pos, "a relationship path may have at most %d levels", maxLevels)
	}
	p := &node{name: f.Relationship, parents: map[string]*node{}, above: n, level: n.level + 1, object: nameObject}
	for _, to := range f.ReferenceTo {
		p.kinds = append(p.kinds, kind{s.org.object(to), s.alias()})
	}
	if len(p.kinds) == 1 {
		p.object = p.kinds[0].object
	}
	reference := n.column(f)
	for _, k := range p.kinds {
		fmt.Fprintf(&s.joins, " LEFT JOIN %s AS %s ON %[2]s.Id = %[3]s", k.object.Name, k.alias, reference)
	}
	n.parents[key] = p
	return p, nil
}

// value is an operand in SQL.
type value struct {
	sql   string
	name  string // as the field is called in its declared case
	typ   FieldType
	field *Field // nil: not a plain field
	node  *node
}

// functions are the date functions, with the SQL for their argument and their type.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_date_functions.htm
var functions = map[string]struct {
	sql string
	typ FieldType
}{
	"CALENDAR_YEAR":    {"CAST(strftime('%%Y', %s) AS INTEGER)", TypeInt},
	"CALENDAR_QUARTER": {"(CAST(strftime('%%m', %s) AS INTEGER) + 2) / 3", TypeInt},
	"CALENDAR_MONTH":   {"CAST(strftime('%%m', %s) AS INTEGER)", TypeInt},
	"FISCAL_YEAR":      {"CAST(strftime('%%Y', %s) AS INTEGER)", TypeInt},
	"FISCAL_QUARTER":   {"(CAST(strftime('%%m', %s) AS INTEGER) + 2) / 3", TypeInt},
	"FISCAL_MONTH":     {"CAST(strftime('%%m', %s) AS INTEGER)", TypeInt},
	"DAY_IN_MONTH":     {"CAST(strftime('%%d', %s) AS INTEGER)", TypeInt},
	"DAY_IN_WEEK":      {"CAST(strftime('%%w', %s) AS INTEGER) + 1", TypeInt},
	"DAY_IN_YEAR":      {"CAST(strftime('%%j', %s) AS INTEGER)", TypeInt},
	"HOUR_IN_DAY":      {"CAST(strftime('%%H', %s) AS INTEGER)", TypeInt},
	"DAY_ONLY":         {"substr(%s, 1, 10)", TypeDate},
}

// aggregates are the functions of groups. The type "" stands for the argument's.
var aggregates = map[string]struct {
	sql string
	typ FieldType
}{
	"COUNT":          {"count(%s)", TypeInt},
	"COUNT_DISTINCT": {"count(DISTINCT %s)", TypeInt},
	"SUM":            {"sum(%s)", ""},
	"AVG":            {"avg(%s)", TypeDouble},
	"MIN":            {"min(%s)", ""},
	"MAX":            {"max(%s)", ""},
}

// resolve finds the field that an operand means.
func (s *scope) resolve(o soql.Operand) (value, error) {
	if o.Path == nil {
		return value{}, s.fail("MALFORMED_QUERY", o.Pos, "unexpected token: '%s'", o.Func)
	}
	path, n := o.Path, s.root
	if len(path) > 1 && (strings.EqualFold(path[0], s.query.Alias) || strings.EqualFold(path[0], s.query.From)) && n.object.Parent(path[0]) == nil {
		path = path[1:]
	}
	for _, relationship := range path[:len(path)-1] {
		var err error
		if n, err = s.parent(n, relationship, o.Pos); err != nil {
			return value{}, err
		}
	}
	f := s.view.field(n.object, path[len(path)-1])
	if f == nil {
		return value{}, s.fail("INVALID_FIELD", o.Pos, "No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.", path[len(path)-1], n.object.Name)
	}
	v := value{sql: n.column(f), name: f.Name, typ: f.Type, field: f, node: n}
	if sql := s.isArchived(n); f.Name == "IsArchived" && sql != "" {
		v.sql = sql
	}
	if o.Func == "" || o.Func == "TOLABEL" && f.Type == TypePicklist {
		return v, nil
	}
	return s.apply(o, v)
}

// apply puts a function around a field.
func (s *scope) apply(o soql.Operand, v value) (value, error) {
	form, known := functions[o.Func]
	ofDate := v.typ == TypeDate || v.typ == TypeDateTime
	if !known {
		if form, known = aggregates[o.Func]; !known || !s.grouped {
			return v, s.fail("MALFORMED_QUERY", o.Pos, "Invalid Aggregate Function: %s", o.Func)
		}
		numeric := v.typ == TypeInt || v.typ == TypeDouble || v.typ == TypePercent || v.typ == TypeCurrency
		if !v.field.Filterable() || v.typ == TypeBoolean || (o.Func == "SUM" || o.Func == "AVG") && !numeric {
			return v, s.fail("MALFORMED_QUERY", o.Pos, "field %s does not support aggregate operator %s", v.name, o.Func)
		}
	} else if !ofDate {
		return v, s.fail("INVALID_FIELD", o.Pos, "field %s does not support the function %s", v.name, o.Func)
	}
	v.sql, v.field = fmt.Sprintf(form.sql, v.sql), nil
	if form.typ != "" {
		v.typ = form.typ
	}
	return v, nil
}

func isAggregate(o soql.Operand) bool {
	_, ok := aggregates[o.Func]
	return ok
}

// where returns the WHERE clause of the scope's query, with the extra conditions, and its arguments.
func (s *scope) where(extra ...string) (string, []any, error) {
	parts := extra
	deleted := s.root.object.Field("IsDeleted")
	if !s.deleted && deleted != nil {
		parts = append(parts, "NOT "+s.root.column(deleted))
	}
	if archived := s.isArchived(s.root); !s.archived && archived != "" {
		parts = append(parts, "NOT "+archived)
	}
	var args []any
	if s.query.Where != nil {
		grouped := s.grouped
		s.grouped = false
		c, a, err := s.condition(s.query.Where)
		s.grouped = grouped
		if err != nil {
			return "", nil, err
		}
		parts, args = append(parts, "("+c+")"), a
	}
	if parts == nil {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args, nil
}

// orderBy returns the ORDER BY clause. Nulls come first unless the query says otherwise.
func (s *scope) orderBy() (string, error) {
	if s.query.OrderBy == nil {
		return "", nil
	}
	var parts []string
	for _, o := range s.query.OrderBy {
		v, err := s.resolve(o.Operand)
		if err != nil {
			return "", err
		}
		if v.field != nil && !v.field.Filterable() {
			return "", s.fail("MALFORMED_QUERY", o.Pos, "field '%s' can not be sorted in a query call", v.name)
		}
		part := v.collated()
		if o.Desc {
			part += " DESC"
		}
		if o.NullsLast {
			part += " NULLS LAST"
		} else {
			part += " NULLS FIRST"
		}
		parts = append(parts, part)
	}
	return " ORDER BY " + strings.Join(parts, ", "), nil
}

func (s *scope) limit() string {
	if s.query.Limit < 0 && s.query.Offset == 0 {
		return ""
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", s.query.Limit, s.query.Offset)
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

// find returns the statement that finds the query's rows, in order: the given columns of each. The arguments of the
// extra conditions come before the statement's.
func (s *scope) find(columns, tail string, extra ...string) (statement, error) {
	if s.query.Offset > maxOffset {
		return statement{}, badRequest("NUMBER_OUTSIDE_VALID_RANGE", fmt.Sprintf("Maximum SOQL offset allowed is %d", maxOffset))
	}
	where, args, err := s.where(extra...)
	if err != nil {
		return statement{}, err
	}
	order, err := s.orderBy()
	if err != nil {
		return statement{}, err
	}
	return statement{"SELECT " + columns + s.from() + where + order + tail, args}, nil
}

// restrictLinks asks of a query on ContentDocumentLink what Salesforce asks of users without "Query All Files": it names
// ids of links, documents or records; and only with records may it look at the documents' fields.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
func restrictLinks(q *soql.Query, obj *Object) error {
	if obj.Name != "ContentDocumentLink" {
		return nil
	}
	conditions := conjuncts(q.Where)
	names := func(fields ...string) bool {
		return slices.ContainsFunc(conditions, func(x soql.Expr) bool {
			c, ok := x.(*soql.Compare)
			return ok && (c.Op == "=" || c.Op == "IN") && slices.ContainsFunc(fields, func(f string) bool {
				return len(c.Left.Path) > 0 && strings.EqualFold(c.Left.Path[len(c.Left.Path)-1], f) && !isDocumentField(c)
			})
		})
	}
	ofDocument := slices.ContainsFunc(conditions, func(x soql.Expr) bool {
		c, ok := x.(*soql.Compare)
		return ok && isDocumentField(c)
	})
	if !names("Id", "LinkedEntityId", "ContentDocumentId") || ofDocument && !names("LinkedEntityId") {
		return badRequest("MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.")
	}
	return nil
}

// restrictJoins refuses semi-joins and anti-joins anywhere but among the conditions that all must hold, and more than two of
// them.
// https://developer.salesforce.com/docs/platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select-comparisonoperators.html
func restrictJoins(q *soql.Query) error {
	if or, ok := q.Where.(soql.Or); ok && slices.ContainsFunc(or, joins) {
		return badRequest("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator")
	}
	found := 0
	for _, x := range conjuncts(q.Where) {
		c, ok := x.(*soql.Compare)
		switch {
		case !joins(x):
		case !ok:
			return badRequest("MALFORMED_QUERY", "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions.")
		case slices.ContainsFunc(conjuncts(c.Sub.Where), joins):
			return badRequest("MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported")
		default:
			found++
		}
	}
	if found > 2 {
		return badRequest("MALFORMED_QUERY", "Maximum 2 semi join sub-selects are allowed")
	}
	return nil
}

// conjuncts are the conditions that all must hold where x does; nil holds.
func conjuncts(x soql.Expr) []soql.Expr {
	switch x := x.(type) {
	case nil:
		return nil
	case soql.And:
		return x
	}
	return []soql.Expr{x}
}

// joins reports whether there is a semi-join in a condition.
func joins(x soql.Expr) bool {
	switch x := x.(type) {
	case soql.And:
		return slices.ContainsFunc(x, joins)
	case soql.Or:
		return slices.ContainsFunc(x, joins)
	case soql.Not:
		return joins(x.X)
	case *soql.Compare:
		return x.Sub != nil
	}
	return false
}

func isDocumentField(c *soql.Compare) bool {
	return slices.ContainsFunc(c.Left.Path[:max(0, len(c.Left.Path)-1)], func(p string) bool { return strings.EqualFold(p, "ContentDocument") })
}

// malformed turns a parser's error into the answer to the client.
func malformed(text string, err error) *apiError {
	var e *soql.Error
	if errors.As(err, &e) {
		return badRequest("MALFORMED_QUERY", soql.At(text, e.Pos, e.Message))
	}
	return asAPIError(err)
}
