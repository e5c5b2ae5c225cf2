// Package soql parses SOQL, Salesforce's query language, into a syntax tree. It knows no schema.
//
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
package soql

// Query is a SELECT statement or a subquery.
type Query struct {
	Select  []Item
	From    string // sObject; in a SELECT list's subquery the name of a child relationship
	FromPos int
	Alias   string    // "": none
	Where   Expr      // nil: none
	GroupBy []Operand // nil: none
	Having  Expr      // nil: none
	OrderBy []Order
	Limit   int // -1: none
	Offset  int
}

// Item is one entry of a SELECT list: an operand, a subquery or FIELDS().
type Item struct {
	Operand Operand
	Alias   string // of an operand; "": none
	Sub     *Query // nil: not a subquery
	Fields  string // "ALL", "STANDARD" or "CUSTOM"; "": not FIELDS()
	Pos     int
}

// Operand is a field, reached over relationships, and perhaps a function of it.
type Operand struct {
	Func string   // in upper case, such as "COUNT"; "": none
	Path []string // as written; nil: COUNT()
	Pos  int      // of the path, or of the function where there is no path
}

// Order is one entry of ORDER BY.
type Order struct {
	Operand
	Desc      bool
	NullsLast bool
}

// Expr is a condition: And, Or, Not or *Compare.
type Expr interface{ expr() }

// And holds when all of its conditions do.
type And []Expr

// Or holds when one of its conditions does.
type Or []Expr

// Not holds when X does not.
type Not struct{ X Expr }

// Compare compares an operand with values.
type Compare struct {
	Left   Operand
	Op     string  // = != < <= > >= LIKE IN "NOT IN" INCLUDES EXCLUDES
	Values []Value // one, or several for a list
	Sub    *Query  // the other side of a semi-join or an anti-join; nil: Values
}

func (And) expr()      {}
func (Or) expr()       {}
func (Not) expr()      {}
func (*Compare) expr() {}

// Kind is the kind of a literal.
type Kind int

// The kinds of literals.
const (
	Null        Kind = iota
	String           // Text is what stands between the quotes, escapes resolved
	Number           // Text is as written
	Bool             // Text is "true" or "false"
	Date             // Text is as written, "2006-01-02"
	DateTime         // Text is as written, RFC 3339 but for "+0000"
	DateLiteral      // Text is the name in upper case, such as "LAST_N_DAYS"; N its number
)

// Value is a literal.
type Value struct {
	Kind    Kind
	Text    string
	Pattern string // of a string: the LIKE pattern it spells, where a backslash escapes %, _ and itself
	N       int
	Pos     int
}
