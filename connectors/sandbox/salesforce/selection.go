package salesforce

import (
	"fmt"
	"slices"
	"strings"

	"handoff/connectors/sandbox/salesforce/soql"
)

// selection is a query's SELECT list made ready: it reads the records of given ids.
type selection struct {
	object   *Object
	columns  []column
	shape    *shape
	children []*childQuery
	rows     string // SQL that takes a JSON array of ids and keeps its order; values as columns say, then those of shapes
	longText int    // how many custom long text fields are among the columns
}

// childQuery is a subquery in a SELECT list.
type childQuery struct {
	*selection
	name  string    // of the relationship
	find  statement // takes a JSON array of the parents' ids; yields parent id and id
	limit int       // rows a parent; -1: all
}

// shape is the form of a record in JSON.
type shape struct {
	key      string // under which it stands in the record above; "" for the record itself
	id, kind int    // which values hold the record's id and its object's name
	members  []member
}

// member is one entry of a record: a column, a parent or a child list.
type member struct {
	column int
	parent *shape // nil: not a parent
	child  int    // index of a child list, from 1; 0: not one
	key    string // of a child list
}

// selector builds a selection.
type selector struct {
	*scope
	sel    *selection
	exprs  []string // SQL of the columns
	hidden []string // SQL of what shapes need
	shapes map[*node]*shape
	seen   map[string]bool // names of the columns
}

// selection translates the SELECT list of a query without aggregates.
func (tr *translator) selection(q *soql.Query, obj *Object) (*selection, error) {
	b := &selector{scope: tr.scope(q, obj), sel: &selection{object: obj}, shapes: map[*node]*shape{}, seen: map[string]bool{}}
	b.sel.shape = b.shape(b.root, nil)
	for _, item := range q.Select {
		if err := b.add(item); err != nil {
			return nil, err
		}
	}
	if len(b.sel.children) > maxSubqueries {
		return nil, badRequest("MALFORMED_QUERY", fmt.Sprintf("The query has more than %d child relationships", maxSubqueries))
	}
	if len(b.shapes)-1 > maxParents {
		return nil, badRequest("MALFORMED_QUERY", fmt.Sprintf("The query has more than %d parent relationships", maxParents))
	}
	// Values of shapes are counted from behind the columns.
	for _, s := range b.shapes {
		s.id, s.kind = s.id+len(b.exprs), s.kind+len(b.exprs)
	}
	// CROSS JOIN makes SQLite take the ids in their order.
	b.sel.rows = fmt.Sprintf("SELECT %s FROM json_each(?) AS ids CROSS JOIN %s AS %s ON %s = ids.value%s ORDER BY ids.key",
		strings.Join(append(b.exprs, b.hidden...), ", "), obj.Name, b.root.kinds[0].alias, b.root.id(), b.joins.String())
	return b.sel, nil
}

func (b *selector) add(item soql.Item) error {
	switch {
	case item.Sub != nil:
		return b.addChildren(item.Sub)
	case item.Fields != "":
		return b.addFields(item)
	case item.Alias != "":
		return b.fail("MALFORMED_QUERY", item.Pos, "only aggregate expressions use field aliasing")
	}
	return b.addOperand(item.Operand)
}

func (b *selector) addOperand(o soql.Operand) error {
	v, err := b.resolve(o)
	if err != nil {
		return err
	}
	s := b.path(v.node)
	name := v.name
	if v.node != b.root {
		name = b.pathName(v.node) + "." + v.name
	}
	if b.seen[name] {
		return b.fail("MALFORMED_QUERY", o.Pos, "duplicate field selected: %s", v.name)
	}
	b.seen[name] = true
	expr := v.sql
	if v.typ == TypeBase64 { // shown as the address of the bytes
		expr = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN %s END", v.sql, v.node.id())
	}
	if v.field != nil && v.field.Custom() && v.field.LongText() {
		b.sel.longText++
	}
	s.members = append(s.members, member{column: len(b.exprs)})
	b.exprs = append(b.exprs, expr)
	b.sel.columns = append(b.sel.columns, column{Name: name, Type: v.typ, key: v.name})
	return nil
}

// addFields adds what FIELDS() stands for and is not selected yet.
func (b *selector) addFields(item soql.Item) error {
	if item.Fields != "STANDARD" && (b.query.Limit < 0 || b.query.Limit > 200) {
		return b.fail("MALFORMED_QUERY", item.Pos, "The SOQL FIELDS function must have a LIMIT of at most 200")
	}
	for _, f := range b.root.object.Fields {
		if !b.view.sees(b.root.object, f) || b.seen[f.Name] ||
			item.Fields == "STANDARD" && f.Custom() || item.Fields == "CUSTOM" && !f.Custom() {
			continue
		}
		if err := b.addOperand(soql.Operand{Path: []string{f.Name}, Pos: item.Pos}); err != nil {
			return err
		}
	}
	return nil
}

// path returns the shape of a node, adding it and those on the way to it to the shapes above.
func (b *selector) path(n *node) *shape {
	if s, ok := b.shapes[n]; ok {
		return s
	}
	return b.shape(n, b.path(n.above))
}

func (b *selector) pathName(n *node) string {
	if n.above == b.root {
		return n.name
	}
	return b.pathName(n.above) + "." + n.name
}

func (b *selector) shape(n *node, above *shape) *shape {
	s := &shape{key: n.name, id: len(b.hidden), kind: len(b.hidden) + 1}
	b.hidden = append(b.hidden, n.id(), n.typeName())
	b.shapes[n] = s
	if above != nil {
		above.members = append(above.members, member{parent: s})
	}
	return s
}

func (b *selector) addChildren(q *soql.Query) error {
	child, fk := b.child(b.root.object, q.From)
	if child == nil {
		return b.fail("INVALID_TYPE", q.FromPos, "Didn't understand relationship '%s' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.", q.From)
	}
	if q.GroupBy != nil || hasAggregate(q) || q.Offset > 0 {
		return b.fail("MALFORMED_QUERY", q.FromPos, "a subquery can have no aggregate and no OFFSET")
	}
	sel, err := b.translator.selection(q, child)
	if err != nil {
		return err
	}
	s := b.translator.scope(q, child)
	key := s.root.column(fk)
	find, err := s.find(key+", "+s.root.id(), "", key+" IN (SELECT value FROM json_each(?))")
	if err != nil {
		return err
	}
	b.sel.children = append(b.sel.children, &childQuery{selection: sel, name: fk.Children, find: find, limit: q.Limit})
	b.sel.shape.members = append(b.sel.shape.members, member{child: len(b.sel.children), key: fk.Children})
	return nil
}

// child finds a child relationship of an object by its name: the object at its end and that object's reference back.
func (tr *translator) child(parent *Object, relationship string) (*Object, *Field) {
	for _, obj := range tr.org.objects {
		for _, f := range obj.Fields {
			if strings.EqualFold(f.Children, relationship) && slices.Contains(f.ReferenceTo, parent.Name) && tr.view.access(obj).read && tr.view.sees(obj, f) {
				return obj, f
			}
		}
	}
	return nil, nil
}

func hasAggregate(q *soql.Query) bool {
	return slices.ContainsFunc(q.Select, func(i soql.Item) bool { return isAggregate(i.Operand) })
}

// aggregate translates a query with aggregates. The statement yields the columns.
func (tr *translator) aggregate(q *soql.Query, obj *Object) ([]column, statement, error) {
	s := tr.scope(q, obj)
	s.grouped = true
	var groups []string
	for _, o := range q.GroupBy {
		v, err := s.resolve(o)
		if err != nil {
			return nil, statement{}, err
		}
		if isAggregate(o) || v.field != nil && !v.field.groupable() {
			return nil, statement{}, s.fail("MALFORMED_QUERY", o.Pos, "field '%s' can not be grouped in a query call", v.name)
		}
		groups = append(groups, v.sql)
	}
	resolve := func(o soql.Operand) (value, error) {
		v, err := s.resolve(o)
		if err == nil && !isAggregate(o) && !slices.Contains(groups, v.sql) {
			err = s.fail("MALFORMED_QUERY", o.Pos, "Field must be grouped or aggregated: %s", v.name)
		}
		return v, err
	}
	var columns []column
	var exprs []string
	for _, item := range q.Select {
		if item.Sub != nil || item.Fields != "" {
			return nil, statement{}, s.fail("MALFORMED_QUERY", item.Pos, "a grouped query selects fields and aggregates only")
		}
		v, err := resolve(item.Operand)
		if err != nil {
			return nil, statement{}, err
		}
		name := v.name
		switch {
		case item.Alias != "":
			name = item.Alias
		case item.Operand.Func != "":
			name = fmt.Sprintf("expr%d", countFunctions(columns))
		}
		if slices.ContainsFunc(columns, func(c column) bool { return strings.EqualFold(c.Name, name) }) {
			return nil, statement{}, s.fail("MALFORMED_QUERY", item.Pos, "duplicate alias: %s", name)
		}
		columns = append(columns, column{Name: name, Type: v.typ, key: name, unnamed: item.Alias == "" && item.Operand.Func != ""})
		exprs = append(exprs, v.sql)
	}
	for _, o := range q.OrderBy {
		if _, err := resolve(o.Operand); err != nil {
			return nil, statement{}, err
		}
	}
	tail := ""
	if groups != nil {
		tail = " GROUP BY " + strings.Join(groups, ", ")
	}
	var having []any
	if q.Having != nil {
		c, args, err := s.condition(q.Having)
		if err != nil {
			return nil, statement{}, err
		}
		tail, having = tail+" HAVING "+c, args
	}
	where, args, err := s.where()
	if err != nil {
		return nil, statement{}, err
	}
	order, err := s.orderBy()
	if err != nil {
		return nil, statement{}, err
	}
	sql := "SELECT " + strings.Join(exprs, ", ") + s.from() + where + tail + order + s.limit()
	return columns, statement{sql, append(args, having...)}, nil
}

// countFunctions counts the columns named exprN so far.
func countFunctions(columns []column) int {
	n := 0
	for _, c := range columns {
		if c.unnamed {
			n++
		}
	}
	return n
}
