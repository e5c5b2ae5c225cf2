package salesforce

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"handoff/connectors/sandbox/salesforce/soql"
)

// condition translates a condition into SQL that is true or not; SOQL knows no third value.
func (s *scope) condition(x soql.Expr) (string, []any, error) {
	switch x := x.(type) {
	case soql.And:
		return s.junction(x, " AND ")
	case soql.Or:
		return s.junction(x, " OR ")
	case soql.Not:
		c, args, err := s.condition(x.X)
		return "(" + c + ") IS NOT TRUE", args, err
	case *soql.Compare:
		return s.compare(x)
	}
	panic(fmt.Sprintf("soql: unknown condition %T", x))
}

func (s *scope) junction(list []soql.Expr, word string) (string, []any, error) {
	parts := make([]string, len(list))
	var args []any
	for i, x := range list {
		c, a, err := s.condition(x)
		if err != nil {
			return "", nil, err
		}
		parts[i], args = "("+c+")", append(args, a...)
	}
	return balanced(parts, word), args, nil
}

// balanced joins conditions as a tree of little depth: SQLite limits how deep an expression may be, and a OR b OR c … is
// as deep as it is long.
func balanced(parts []string, word string) string {
	if len(parts) < 3 {
		return strings.Join(parts, word)
	}
	half := len(parts) / 2
	return "(" + balanced(parts[:half], word) + ")" + word + "(" + balanced(parts[half:], word) + ")"
}

func (s *scope) compare(c *soql.Compare) (string, []any, error) {
	var left value
	if c.Left.Path == nil && s.grouped { // COUNT()
		left = value{sql: "count(*)", name: "COUNT()", typ: TypeInt}
	} else {
		var err error
		if left, err = s.resolve(c.Left); err != nil {
			return "", nil, err
		}
	}
	if left.field != nil && !left.field.Filterable() {
		return "", nil, s.fail("INVALID_FIELD", c.Left.Pos, "field '%s' can not be filtered in a query call", left.name)
	}
	if c.Sub != nil {
		return s.semiJoin(c, left)
	}
	switch c.Op {
	case "IN", "NOT IN":
		return s.in(c, left)
	case "LIKE":
		v := c.Values[0]
		if !isText(left.typ) || v.Kind != soql.String {
			return "", nil, s.fail("INVALID_QUERY_FILTER_OPERATOR", c.Left.Pos, "invalid operator on %s field", left.typ)
		}
		return left.sql + ` LIKE ? ESCAPE '\'`, []any{v.Pattern}, nil
	case "INCLUDES", "EXCLUDES": // of multi-select picklists, which the org has none of
		return "", nil, s.fail("INVALID_QUERY_FILTER_OPERATOR", c.Left.Pos, "invalid operator on %s field", left.typ)
	}
	return s.relation(c.Op, left, c.Values[0])
}

// relation translates = != < <= > >=.
func (s *scope) relation(op string, left value, v soql.Value) (string, []any, error) {
	if v.Kind == soql.DateLiteral && (left.typ == TypeDate || left.typ == TypeDateTime) {
		return s.dateRange(op, left, v)
	}
	arg, err := s.argument(left, v)
	if err != nil {
		return "", nil, err
	}
	switch {
	case arg == nil && op == "=":
		return left.sql + " IS NULL", nil, nil
	case arg == nil && op == "!=":
		return left.sql + " IS NOT NULL", nil, nil
	case arg == nil:
		return "FALSE", nil, nil
	case op == "!=":
		return fmt.Sprintf("%s <> ? OR %[1]s IS NULL", left.collated()), []any{arg}, nil
	}
	return fmt.Sprintf("%s %s ?", left.collated(), op), []any{arg}, nil
}

// collated returns the SQL for a comparison with v: where the column's own collation does not reach, it is repeated.
func (v value) collated() string {
	if isText(v.typ) && v.node != nil && len(v.node.kinds) > 1 {
		return v.sql + " COLLATE NOCASE"
	}
	return v.sql
}

func isText(t FieldType) bool {
	switch t {
	case TypeString, TypeTextArea, TypePicklist, TypeCombobox, TypeEmail, TypePhone, TypeURL:
		return true
	}
	return false
}

// argument returns a literal as it is compared with a field; nil is null.
func (s *scope) argument(left value, v soql.Value) (any, error) {
	if v.Kind == soql.Null {
		return nil, nil
	}
	mismatch := func(typ, how string) error {
		return s.fail("INVALID_FIELD", v.Pos, "value of filter criterion for field '%s' must be of type %s and should %s", left.name, typ, how)
	}
	const bare, quoted = "not be enclosed in quotes", "be enclosed in quotes"
	switch left.typ {
	case TypeID, TypeReference:
		id, ok := fullID(v.Text)
		switch {
		case v.Kind != soql.String:
			return nil, mismatch("string", quoted)
		case v.Text == "":
			return nil, nil
		case !ok:
			return nil, s.fail("INVALID_QUERY_FILTER_OPERATOR", v.Pos, "invalid ID field: %s", v.Text)
		}
		return id, nil
	case TypeBoolean:
		if v.Kind != soql.Bool {
			return nil, mismatch("boolean", bare)
		}
		return v.Text == "true", nil
	case TypeInt, TypeDouble, TypePercent, TypeCurrency:
		n, err := strconv.ParseFloat(v.Text, 64)
		if v.Kind != soql.Number || err != nil {
			return nil, mismatch(string(left.typ), bare)
		}
		return n, nil
	case TypeDate:
		if v.Kind != soql.Date {
			return nil, mismatch("date", bare)
		}
		return v.Text, nil
	case TypeDateTime:
		if v.Kind != soql.DateTime {
			return nil, mismatch("dateTime", bare)
		}
		t, err := v.Time()
		return t.Format(storedTime + ".999999999"), err
	}
	if v.Kind != soql.String {
		return nil, mismatch("string", quoted)
	}
	if v.Text == "" { // there is no empty text, only null
		return nil, nil
	}
	return v.Text, nil
}

// in translates IN and NOT IN with a list of literals. NOT IN holds for null unless the list has null.
func (s *scope) in(c *soql.Compare, left value) (string, []any, error) {
	list, null := []any{}, false
	for _, v := range c.Values {
		if v.Kind == soql.DateLiteral {
			return "", nil, s.fail("MALFORMED_QUERY", v.Pos, "unexpected token: '%s'", v.Text)
		}
		arg, err := s.argument(left, v)
		if err != nil {
			return "", nil, err
		}
		if arg == nil {
			null = true
			continue
		}
		list = append(list, arg)
	}
	// One argument, however long the list: SQLite limits how many there are.
	args := []any{jsonArray(list)}
	in := left.collated() + " IN (SELECT value FROM json_each(?))"
	if null {
		in += fmt.Sprintf(" OR %s IS NULL", left.sql)
	}
	if c.Op == "NOT IN" {
		return "(" + in + ") IS NOT TRUE", args, nil
	}
	return in, args, nil
}

// semiJoin translates IN and NOT IN with a query, which must yield ids.
func (s *scope) semiJoin(c *soql.Compare, left value) (string, []any, error) {
	obj := s.view.object(c.Sub.From)
	if obj == nil {
		return "", nil, s.failType(c.Sub)
	}
	isID := func(t FieldType) bool { return t == TypeID || t == TypeReference }
	if len(c.Sub.Select) != 1 || c.Sub.Select[0].Sub != nil || c.Sub.Select[0].Fields != "" {
		return "", nil, s.fail("MALFORMED_QUERY", c.Sub.FromPos, "a semi join sub-select must select exactly one field")
	}
	if c.Op != "IN" && c.Op != "NOT IN" || c.Sub.GroupBy != nil || c.Sub.OrderBy != nil || c.Sub.Limit >= 0 || c.Sub.Offset > 0 {
		return "", nil, s.fail("MALFORMED_QUERY", c.Sub.FromPos, "a semi join sub-select has nothing but SELECT, FROM and WHERE")
	}
	inner := s.translator.scope(c.Sub, obj)
	selected, err := inner.resolve(c.Sub.Select[0].Operand)
	if err != nil {
		return "", nil, err
	}
	if !isID(selected.typ) || !isID(left.typ) {
		return "", nil, s.fail("MALFORMED_QUERY", c.Left.Pos, "The inner and outer selects should be on fields of type ID or reference: '%s'", left.name)
	}
	where, args, err := inner.where(selected.sql + " IS NOT NULL")
	if err != nil {
		return "", nil, err
	}
	in := fmt.Sprintf("%s IN (SELECT %s%s%s)", left.sql, selected.sql, inner.from(), where)
	if c.Op == "NOT IN" {
		return "(" + in + ") IS NOT TRUE", args, nil
	}
	return in, args, nil
}

// dateRange translates a comparison with a date literal, which means the days from start up to but not including end.
func (s *scope) dateRange(op string, left value, v soql.Value) (string, []any, error) {
	start, end := literalRange(s.now, v)
	layout := storedDate
	if left.typ == TypeDateTime {
		layout = storedTime
	}
	from, to := start.Format(layout), end.Format(layout)
	switch op {
	case "=":
		return fmt.Sprintf("%s >= ? AND %[1]s < ?", left.sql), []any{from, to}, nil
	case "!=":
		return fmt.Sprintf("%s < ? OR %[1]s >= ? OR %[1]s IS NULL", left.sql), []any{from, to}, nil
	case "<":
		return left.sql + " < ?", []any{from}, nil
	case "<=":
		return left.sql + " < ?", []any{to}, nil
	case ">":
		return left.sql + " >= ?", []any{to}, nil
	}
	return left.sql + " >= ?", []any{from}, nil
}

// literalRange returns the first day of a date literal and the day after its last, in GMT, the org's time zone. Weeks
// begin on Sunday; the fiscal year is the calendar year.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
func literalRange(now time.Time, v soql.Value) (start, end time.Time) {
	y, m, d := now.UTC().Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	tomorrow := today.AddDate(0, 0, 1)
	switch v.Text {
	case "YESTERDAY":
		return today.AddDate(0, 0, -1), today
	case "TODAY":
		return today, tomorrow
	case "TOMORROW":
		return tomorrow, tomorrow.AddDate(0, 0, 1)
	case "LAST_90_DAYS":
		return today.AddDate(0, 0, -90), tomorrow
	case "NEXT_90_DAYS":
		return tomorrow, tomorrow.AddDate(0, 0, 90)
	case "LAST_N_DAYS":
		return today.AddDate(0, 0, -v.N), tomorrow
	case "NEXT_N_DAYS":
		return tomorrow, tomorrow.AddDate(0, 0, v.N)
	case "N_DAYS_AGO":
		return today.AddDate(0, 0, -v.N), today.AddDate(0, 0, 1-v.N)
	}
	text := strings.TrimSuffix(strings.ReplaceAll(v.Text, "FISCAL_", ""), "S")
	var after func(n int) time.Time // the first day of the nth period after this one
	switch {
	case strings.Contains(text, "WEEK"):
		after = func(n int) time.Time { return today.AddDate(0, 0, 7*n-int(today.Weekday())) }
	case strings.Contains(text, "MONTH"):
		after = func(n int) time.Time { return time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC) }
	case strings.Contains(text, "QUARTER"):
		after = func(n int) time.Time { return time.Date(y, (m-1)/3*3+1+time.Month(3*n), 1, 0, 0, 0, 0, time.UTC) }
	default:
		after = func(n int) time.Time { return time.Date(y+n, 1, 1, 0, 0, 0, 0, time.UTC) }
	}
	switch {
	case strings.HasPrefix(text, "LAST_N_"):
		return after(-v.N), after(0)
	case strings.HasPrefix(text, "NEXT_N_"):
		return after(1), after(1 + v.N)
	case strings.HasPrefix(text, "N_"):
		return after(-v.N), after(1 - v.N)
	case strings.HasPrefix(text, "LAST_"):
		return after(-1), after(0)
	case strings.HasPrefix(text, "NEXT_"):
		return after(1), after(2)
	}
	return after(0), after(1)
}
