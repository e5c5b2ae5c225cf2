package soql

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a statement.
// https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
const (
	maxStatement = 100_000 // characters
	maxString    = 4_000   // characters of a string in WHERE
	maxDepth     = 100     // nested parentheses; ours
)

// Parse parses one statement. Its error is an *Error.
func Parse(text string) (*Query, error) {
	if utf8.RuneCountInString(text) > maxStatement {
		return nil, &Error{Message: "SOQL statements cannot be longer than 100000 characters."}
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokEOF {
		return nil, p.unexpected()
	}
	return q, nil
}

type parser struct {
	tokens []token
	next   int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokEOF {
		p.next++
	}
	return t
}

func (p *parser) unexpected() error {
	t := p.peek()
	return &Error{fmt.Sprintf("unexpected token: '%s'", t), t.pos}
}

// is reports whether the next tokens are these keywords or punctuation marks.
func (p *parser) is(texts ...string) bool {
	for i, text := range texts {
		j := p.next + i
		if j >= len(p.tokens) || p.tokens[j].kind == tokString || !strings.EqualFold(p.tokens[j].text, text) {
			return false
		}
	}
	return true
}

// accept takes these keywords or punctuation marks if they come next.
func (p *parser) accept(texts ...string) bool {
	if !p.is(texts...) {
		return false
	}
	p.next += len(texts)
	return true
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

// enter guards the recursion: every enter that succeeds is followed by a leave.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return &Error{"query is nested too deeply", p.peek().pos}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// reserved words cannot be names.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_reservedkeywords.htm
var reserved = []string{"AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST",
	"LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH"}

// clauses are the words that may follow FROM; an alias cannot be one of them.
var clauses = []string{"ORDER", "OFFSET", "FOR", "ALL", "UPDATE"}

func isOneOf(words []string, text string) bool {
	return slices.Contains(words, strings.ToUpper(text))
}

func (p *parser) name() (token, error) {
	t := p.peek()
	if t.kind != tokWord || isOneOf(reserved, t.text) && !(p.next+1 < len(p.tokens) && p.tokens[p.next+1].text == ".") {
		return t, p.unexpected()
	}
	return p.take(), nil
}

// alias takes the alias that may follow an object or a SELECT list's entry; "": there is none.
func (p *parser) alias() string {
	if t := p.peek(); t.kind == tokWord && !isOneOf(reserved, t.text) && !isOneOf(clauses, t.text) {
		return p.take().text
	}
	return ""
}

func (p *parser) query() (*Query, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()

	q := &Query{Limit: -1}
	if err := p.expect("SELECT"); err != nil {
		return nil, err
	}
	for {
		item, err := p.item()
		if err != nil {
			return nil, err
		}
		q.Select = append(q.Select, item)
		if !p.accept(",") {
			break
		}
	}
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	from, err := p.name()
	if err != nil {
		return nil, err
	}
	q.From, q.FromPos, q.Alias = from.text, from.pos, p.alias()
	if p.accept("USING", "SCOPE") {
		if _, err := p.name(); err != nil {
			return nil, err
		}
	}
	return q, p.clauses(q)
}

// clauses parses what follows FROM, in its fixed order.
func (p *parser) clauses(q *Query) (err error) {
	if p.accept("WHERE") {
		if q.Where, err = p.expr(); err != nil {
			return err
		}
	}
	if p.accept("WITH") && !p.accept("SECURITY_ENFORCED") && !p.accept("USER_MODE") && !p.accept("SYSTEM_MODE") {
		return p.unexpected()
	}
	if p.accept("GROUP", "BY") {
		for {
			o, err := p.operand()
			if err != nil {
				return err
			}
			q.GroupBy = append(q.GroupBy, o)
			if !p.accept(",") {
				break
			}
		}
		if p.accept("HAVING") {
			if q.Having, err = p.expr(); err != nil {
				return err
			}
		}
	}
	if p.accept("ORDER", "BY") {
		for {
			o, err := p.order()
			if err != nil {
				return err
			}
			q.OrderBy = append(q.OrderBy, o)
			if !p.accept(",") {
				break
			}
		}
	}
	if p.accept("LIMIT") {
		if q.Limit, err = p.count(); err != nil {
			return err
		}
	}
	if p.accept("OFFSET") {
		if q.Offset, err = p.count(); err != nil {
			return err
		}
	}
	if p.accept("FOR") && !p.accept("VIEW") && !p.accept("REFERENCE") {
		return p.unexpected()
	}
	return nil
}

func (p *parser) item() (Item, error) {
	pos := p.peek().pos
	switch {
	case p.is("(", "SELECT"):
		p.take()
		sub, err := p.query()
		if err != nil {
			return Item{}, err
		}
		return Item{Sub: sub, Pos: pos}, p.expect(")")
	case p.accept("FIELDS", "("):
		t := p.peek()
		kind := strings.ToUpper(t.text)
		if kind != "ALL" && kind != "STANDARD" && kind != "CUSTOM" {
			return Item{}, p.unexpected()
		}
		p.take()
		return Item{Fields: kind, Pos: pos}, p.expect(")")
	}
	o, err := p.operand()
	if err != nil {
		return Item{}, err
	}
	return Item{Operand: o, Alias: p.alias(), Pos: pos}, nil
}

func (p *parser) operand() (Operand, error) {
	first, err := p.name()
	if err != nil {
		return Operand{}, err
	}
	if !p.accept("(") {
		path, err := p.path(first)
		return Operand{Path: path, Pos: first.pos}, err
	}
	o := Operand{Func: strings.ToUpper(first.text), Pos: first.pos}
	if o.Func == "COUNT" && p.accept(")") {
		return o, nil
	}
	field, err := p.name()
	if err != nil {
		return Operand{}, err
	}
	o.Pos = field.pos
	if o.Path, err = p.path(field); err != nil {
		return Operand{}, err
	}
	return o, p.expect(")")
}

func (p *parser) path(first token) ([]string, error) {
	path := []string{first.text}
	for p.accept(".") {
		t := p.peek()
		if t.kind != tokWord {
			return nil, p.unexpected()
		}
		path = append(path, p.take().text)
	}
	return path, nil
}

func (p *parser) order() (Order, error) {
	operand, err := p.operand()
	if err != nil {
		return Order{}, err
	}
	o := Order{Operand: operand}
	if !p.accept("ASC") {
		o.Desc = p.accept("DESC")
	}
	if p.accept("NULLS") {
		if o.NullsLast = p.accept("LAST"); !o.NullsLast {
			return o, p.expect("FIRST")
		}
	}
	return o, nil
}

func (p *parser) count() (int, error) {
	t := p.peek()
	n, err := strconv.Atoi(t.text)
	if t.kind != tokNumber || err != nil || n < 0 {
		return 0, p.unexpected()
	}
	p.take()
	return n, nil
}

// expr parses a condition. AND and OR do not bind differently: they cannot stand side by side.
func (p *parser) expr() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()

	first, err := p.condition()
	if err != nil {
		return nil, err
	}
	list, word := []Expr{first}, "AND"
	if p.is("OR") {
		word = "OR"
	}
	for p.accept(word) {
		x, err := p.condition()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	switch {
	case p.is("AND"), p.is("OR"):
		return nil, p.unexpected()
	case len(list) == 1:
		return first, nil
	case word == "OR":
		return Or(list), nil
	}
	return And(list), nil
}

func (p *parser) condition() (Expr, error) {
	switch {
	case p.accept("NOT"):
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		x, err := p.condition()
		return Not{x}, err
	case p.accept("("):
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	}
	return p.compare()
}

func (p *parser) compare() (Expr, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	c := &Compare{Left: left}
	switch {
	case p.accept("NOT", "IN"):
		c.Op = "NOT IN"
	case p.is("IN"), p.is("LIKE"), p.is("INCLUDES"), p.is("EXCLUDES"),
		p.is("="), p.is("!="), p.is("<"), p.is("<="), p.is(">"), p.is(">="):
		c.Op = strings.ToUpper(p.take().text)
	case p.accept("<>"):
		c.Op = "!="
	default:
		return nil, p.unexpected()
	}
	switch c.Op {
	case "IN", "NOT IN", "INCLUDES", "EXCLUDES":
		return c, p.list(c)
	}
	v, err := p.value()
	c.Values = []Value{v}
	return c, err
}

// list parses what stands behind IN: values or a query.
func (p *parser) list(c *Compare) (err error) {
	if err := p.expect("("); err != nil {
		return err
	}
	if p.is("SELECT") {
		if c.Sub, err = p.query(); err != nil {
			return err
		}
		return p.expect(")")
	}
	for {
		v, err := p.value()
		if err != nil {
			return err
		}
		c.Values = append(c.Values, v)
		if !p.accept(",") {
			return p.expect(")")
		}
	}
}

var (
	numberForm   = regexp.MustCompile(`^[+-]?\d+(\.\d*)?$`)
	dateForm     = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	dateTimeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$`)
	literalForm  = regexp.MustCompile(`^(YESTERDAY|TODAY|TOMORROW|(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR)|(LAST|NEXT)_90_DAYS)$`)
	literalNForm = regexp.MustCompile(`^(LAST|NEXT)_N_(DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS)$|^N_(DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS)_AGO$`)
)

func (p *parser) value() (Value, error) {
	t := p.peek()
	v := Value{Text: t.text, Pos: t.pos}
	switch t.kind {
	case tokString:
		if utf8.RuneCountInString(t.text) > maxString {
			return v, &Error{fmt.Sprintf("string literal is longer than %d characters", maxString), t.pos}
		}
		var err error
		v.Kind = String
		if v.Text, v.Pattern, err = unescape(t); err != nil {
			return v, err
		}
	case tokNumber:
		switch {
		case numberForm.MatchString(t.text):
			v.Kind = Number
		case dateForm.MatchString(t.text):
			v.Kind = Date
			if _, err := time.Parse(time.DateOnly, t.text); err != nil {
				return v, &Error{fmt.Sprintf("Invalid date: %s", t.text), t.pos}
			}
		case dateTimeForm.MatchString(t.text):
			v.Kind = DateTime
			if _, err := v.Time(); err != nil {
				return v, &Error{fmt.Sprintf("Invalid datetime: %s", t.text), t.pos}
			}
		default:
			return v, p.unexpected()
		}
	case tokWord:
		v.Text = strings.ToUpper(t.text)
		switch {
		case v.Text == "NULL":
			v.Kind = Null
		case v.Text == "TRUE", v.Text == "FALSE":
			v.Kind, v.Text = Bool, strings.ToLower(t.text)
		case literalForm.MatchString(v.Text):
			v.Kind = DateLiteral
		case literalNForm.MatchString(v.Text):
			v.Kind = DateLiteral
			p.take()
			if err := p.expect(":"); err != nil {
				return v, err
			}
			n, err := strconv.Atoi(p.peek().text)
			if err != nil || n < 1 || n > 10_000 {
				return v, p.unexpected()
			}
			v.N = n
		default:
			return v, p.unexpected()
		}
	default:
		return v, p.unexpected()
	}
	p.take()
	return v, nil
}

// Time returns the moment of a DateTime.
func (v Value) Time() (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, strings.ToUpper(v.Text)); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a datetime", v.Text)
}
