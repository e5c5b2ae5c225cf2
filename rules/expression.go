package rules

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"handoff/crm"
)

// facets is what an expression sees of a record. What the CRM does not hold is absent: a condition on it does not hold.
type facets struct {
	Deal       dealFacet       `expr:"deal"`
	Contacts   []contactFacet  `expr:"contacts"`
	Notes      []noteFacet     `expr:"notes"`
	Activities []activityFacet `expr:"activities"`
	AsOf       time.Time       `expr:"as_of"`
}

type dealFacet struct {
	Name          string            `expr:"name"`
	Account       string            `expr:"account"`
	Stage         string            `expr:"stage"`
	Won           bool              `expr:"won"`
	Amount        *float64          `expr:"amount"`
	Currency      string            `expr:"currency"`
	ARR           *float64          `expr:"arr"`
	TermMonths    *int              `expr:"term_months"`
	CloseDate     *time.Time        `expr:"close_date"`
	Owner         string            `expr:"owner"`
	CSM           string            `expr:"csm"`
	CSMAssignedAt *time.Time        `expr:"csm_assigned_at"`
	KickoffAt     *time.Time        `expr:"kickoff_at"`
	Fields        map[string]string `expr:"fields"`
}

type contactFacet struct {
	Name  string   `expr:"name"`
	Title string   `expr:"title"`
	Email string   `expr:"email"`
	Phone string   `expr:"phone"`
	Roles []string `expr:"roles"`
}

type noteFacet struct {
	At     *time.Time `expr:"at"`
	Author string     `expr:"author"`
	Title  string     `expr:"title"`
	Body   string     `expr:"body"`
}

type activityFacet struct {
	Kind    string     `expr:"kind"`
	At      *time.Time `expr:"at"`
	Subject string     `expr:"subject"`
	Body    string     `expr:"body"`
	From    string     `expr:"from"`
	To      []string   `expr:"to"`
}

// facets returns what expressions see of the record; what is dated after as-of is left out.
func (r *record) facets() *facets {
	d := &r.s.Deal
	f := &facets{AsOf: r.asOf, Deal: dealFacet{
		Name: d.Name, Account: d.Account, Stage: d.Stage, Won: d.Won, Amount: d.Amount, Currency: d.Currency, ARR: d.ARR,
		TermMonths: d.TermMonths, KickoffAt: d.KickoffAt, Fields: d.Fields,
	}}
	if d.CloseDate != nil {
		day := d.CloseDate.Time()
		f.Deal.CloseDate = &day
	}
	if d.Owner != nil {
		f.Deal.Owner = d.Owner.Name
	}
	if d.CSM != nil {
		f.Deal.CSM, f.Deal.CSMAssignedAt = d.CSM.Name, d.CSM.AssignedAt
	}
	for i := range r.s.Contacts {
		c := &r.s.Contacts[i]
		f.Contacts = append(f.Contacts, contactFacet{c.Name, c.Title, c.Email, c.Phone, c.Roles})
	}
	later := func(at *time.Time) bool { return at != nil && at.After(r.asOf) }
	for i := range r.s.Notes {
		if n := &r.s.Notes[i]; !later(n.At) {
			f.Notes = append(f.Notes, noteFacet{n.At, n.Author, n.Title, PlainText(n.Body)})
		}
	}
	for i := range r.s.Activities {
		if a := &r.s.Activities[i]; !later(a.At) {
			f.Activities = append(f.Activities, activityFacet{string(a.Kind), a.At, a.Subject, PlainText(a.Body), a.From, a.To})
		}
	}
	return f
}

// expression is a condition over a record.
type expression struct {
	program *vm.Program
	fields  []string // deal fields that it reads
	clock   bool     // it reads as_of
}

// holds evaluates the expression. Where it asks for something that is absent, it does not hold.
func (e *expression) holds(f *facets) bool {
	v, err := expr.Run(e.program, f)
	held, ok := v.(bool)
	return err == nil && ok && held
}

// An expression costs at most so much: its text and its parts are few, and it goes through each list a fixed number of
// times.
const (
	maxExpression = 1000 // bytes
	maxNodes      = 100
)

// functions are those of the expression language that a condition needs; none of them builds up large values.
var functions = []string{"all", "any", "none", "one", "count", "filter", "len", "lower", "trim", "abs"}

const daysFunction = "days"

// days returns the whole days from one moment to another; an error if one of them is absent.
func days(params ...any) (any, error) {
	from, ok := params[0].(time.Time)
	to, also := params[1].(time.Time)
	if !ok || !also {
		return nil, errors.New("a moment is absent")
	}
	return int(to.Sub(from).Hours() / 24), nil
}

// expressionError is what is wrong with an expression.
type expressionError struct {
	at              int // byte
	problem, remedy string
}

// compileExpression compiles a condition and checks its types and its cost.
func compileExpression(text string) (*expression, *expressionError) {
	if len(text) > maxExpression {
		return nil, &expressionError{0, fmt.Sprintf("an expression of more than %d characters", maxExpression), "make several slots of it"}
	}
	guard := &guard{expression: &expression{}}
	options := []expr.Option{
		expr.Env(&facets{}), expr.AsBool(), expr.MaxNodes(maxNodes), expr.Patch(guard), expr.DisableAllBuiltins(),
		expr.Function(daysFunction, days, new(func(from, to time.Time) int)),
	}
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	switch wrong := (*file.Error)(nil); {
	case guard.wrong != nil:
		guard.wrong.at = byteOf(text, guard.wrong.at)
		return nil, guard.wrong
	case errors.As(err, &wrong):
		e := inPlainWords(wrong.Message)
		e.at = byteOf(text, wrong.From)
		return nil, e
	case err != nil:
		return nil, inPlainWords(err.Error())
	}
	guard.expression.program = program
	return guard.expression, nil
}

// byteOf returns where the n-th rune of text begins.
func byteOf(text string, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// guard refuses what could cost more than a few walks over the record, and notes what an expression reads.
type guard struct {
	expression *expression
	wrong      *expressionError // its place counts runes
}

func (g *guard) refuse(node ast.Node, problem, remedy string) {
	if g.wrong == nil {
		g.wrong = &expressionError{node.Location().From, problem, remedy}
	}
}

// Visit implements ast.Visitor.
func (g *guard) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BinaryNode:
		if _, constant := n.Right.(*ast.StringNode); n.Operator == "matches" && !constant {
			g.refuse(n.Right, "a pattern that is not written out", `write it in quotes: … matches "(?i)go.?live"`)
		}
		if n.Operator == ".." || n.Operator == "**" || n.Operator == "^" {
			g.refuse(n, fmt.Sprintf("%q has no place in a condition", n.Operator), "compare with >= and <=")
		}
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		g.refuse(n, "a condition has no variables", "write it as one comparison, or make several slots")
	case *ast.PredicateNode:
		inner := ast.Find(n.Node, func(m ast.Node) bool {
			id, ok := m.(*ast.IdentifierNode)
			_, nested := m.(*ast.PredicateNode)
			return nested || ok && slices.Contains([]string{"contacts", "notes", "activities"}, id.Value)
		})
		if inner != nil {
			g.refuse(inner, "a list inside of a list", "ask for each in a slot of its own")
		}
	case *ast.IdentifierNode:
		g.expression.clock = g.expression.clock || n.Value == "as_of"
	case *ast.MemberNode:
		g.member(n)
	}
}

func (g *guard) member(n *ast.MemberNode) {
	name, ok := n.Property.(*ast.StringNode)
	fields, isMember := n.Node.(*ast.MemberNode)
	if !isMember {
		return
	}
	if of, isName := fields.Property.(*ast.StringNode); !isName || of.Value != "fields" {
		return
	}
	switch {
	case !ok:
		g.refuse(n.Property, "a field's name that is not written out", "write deal.fields.use_case")
	case !slices.Contains(crm.FieldNames, name.Value):
		g.refuse(n.Property, fmt.Sprintf("there is no deal field %q", name.Value), Suggest(name.Value, crm.FieldNames))
	default:
		g.expression.fields = append(g.expression.fields, name.Value)
	}
}

var (
	unknownName  = regexp.MustCompile(`^unknown name (\S+)`)
	unknownField = regexp.MustCompile(`^type (\S+) has no field (\S+)`)
	mismatched   = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types (.+) and (.+)\)`)
	notBool      = regexp.MustCompile(`^expected bool, but got (.+)`)
	notArgument  = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\S+)`)
)

// inPlainWords turns the compiler's message into one without Go types, with what to do.
func inPlainWords(message string) *expressionError {
	if m := unknownName.FindStringSubmatch(message); m != nil {
		known := append(membersOf(reflect.TypeFor[facets]()), append(functions, daysFunction)...)
		return &expressionError{0, fmt.Sprintf("there is no %q", m[1]), Suggest(m[1], known)}
	}
	if m := unknownField.FindStringSubmatch(message); m != nil {
		for _, t := range []reflect.Type{reflect.TypeFor[dealFacet](), reflect.TypeFor[contactFacet](), reflect.TypeFor[noteFacet](), reflect.TypeFor[activityFacet]()} {
			if t.String() == m[1] {
				return &expressionError{0, fmt.Sprintf("%s has no %q", kindOf(m[1]), m[2]), Suggest(m[2], membersOf(t))}
			}
		}
	}
	if m := mismatched.FindStringSubmatch(message); m != nil {
		return &expressionError{0, fmt.Sprintf("%s compares %s with %s", m[1], kindOf(m[2]), kindOf(m[3])), "compare like with like; text stands in quotes, numbers do not"}
	}
	if m := notBool.FindStringSubmatch(message); m != nil {
		return &expressionError{0, fmt.Sprintf("this is %s, not a condition", kindOf(m[1])), "compare it with something: deal.amount > 5000"}
	}
	if m := notArgument.FindStringSubmatch(message); m != nil {
		return &expressionError{0, fmt.Sprintf("%s takes no %s here", m[3], strings.TrimPrefix(kindOf(m[1]), "a ")), "days takes two moments: days(deal.close_date, as_of)"}
	}
	if strings.Contains(message, `Operator("=")`) {
		return &expressionError{0, "= does not compare", "write == for equal, != for not equal"}
	}
	message, _, _ = strings.Cut(message, "\n")
	return &expressionError{0, "this is no condition: " + message, "docs/scorecards.md shows some that are"}
}

// membersOf lists the names by which an expression reads a struct's fields.
func membersOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("expr"))
	}
	return names
}

// kindOf names a Go type in words.
func kindOf(goType string) string {
	switch t := strings.TrimLeft(goType, "*"); {
	case t == "string":
		return "text"
	case t == "bool":
		return "yes or no"
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "float"):
		return "a number"
	case t == "time.Time":
		return "a moment"
	case t == "time.Duration":
		return "a length of time"
	case strings.HasPrefix(t, "[]"):
		return "a list"
	case strings.HasPrefix(t, "map["):
		return "the fields"
	case t == "nil":
		return "nothing"
	case strings.HasSuffix(t, "Facet"):
		return "a " + strings.TrimSuffix(strings.TrimPrefix(t, "rules."), "Facet")
	}
	return "something else"
}
