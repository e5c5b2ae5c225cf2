package soql

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func field(pos int, path ...string) Operand { return Operand{Path: path, Pos: pos} }

func selects(operands ...Operand) []Item {
	var items []Item
	for _, o := range operands {
		items = append(items, Item{Operand: o, Pos: o.Pos})
	}
	return items
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       *Query
	}{
		{"fields", "select Id, Account.Owner.Name from Contact", &Query{
			Select: selects(field(7, "Id"), field(11, "Account", "Owner", "Name")), From: "Contact", FromPos: 35, Limit: -1,
		}},
		{"alias", "SELECT o.Id FROM Opportunity o LIMIT 5 OFFSET 2", &Query{
			Select: selects(field(7, "o", "Id")), From: "Opportunity", FromPos: 17, Alias: "o", Limit: 5, Offset: 2,
		}},
		{"count", "SELECT COUNT() FROM Task", &Query{
			Select: selects(Operand{Func: "COUNT", Pos: 7}), From: "Task", FromPos: 20, Limit: -1,
		}},
		{"fields function", "SELECT FIELDS(standard) FROM Task LIMIT 10", &Query{
			Select: []Item{{Fields: "STANDARD", Pos: 7}}, From: "Task", FromPos: 29, Limit: 10,
		}},
		{"subquery", "SELECT (SELECT Id FROM Tasks LIMIT 1) FROM Account", &Query{
			Select: []Item{{Sub: &Query{Select: selects(field(15, "Id")), From: "Tasks", FromPos: 23, Limit: 1}, Pos: 7}},
			From:   "Account", FromPos: 43, Limit: -1,
		}},
		{"groups", "SELECT Type, max(Amount) m FROM Opportunity GROUP BY Type HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC NULLS LAST", &Query{
			Select: []Item{{Operand: field(7, "Type"), Pos: 7}, {Operand: Operand{Func: "MAX", Path: []string{"Amount"}, Pos: 17}, Alias: "m", Pos: 13}},
			From:   "Opportunity", FromPos: 32, GroupBy: []Operand{field(53, "Type")}, Limit: -1,
			Having:  &Compare{Left: Operand{Func: "COUNT", Path: []string{"Id"}, Pos: 71}, Op: ">", Values: []Value{{Kind: Number, Text: "1", Pos: 77}}},
			OrderBy: []Order{{Operand: Operand{Func: "COUNT", Path: []string{"Id"}, Pos: 94}, Desc: true, NullsLast: true}},
		}},
		{"conditions", "SELECT Id FROM Task WHERE (a = 1 OR b <> null) AND NOT c LIKE 'x%'", &Query{
			Select: selects(field(7, "Id")), From: "Task", FromPos: 15, Limit: -1,
			Where: And{
				Or{
					&Compare{Left: field(27, "a"), Op: "=", Values: []Value{{Kind: Number, Text: "1", Pos: 31}}},
					&Compare{Left: field(36, "b"), Op: "!=", Values: []Value{{Kind: Null, Text: "NULL", Pos: 41}}},
				},
				Not{&Compare{Left: field(55, "c"), Op: "LIKE", Values: []Value{{Kind: String, Text: "x%", Pattern: "x%", Pos: 62}}}},
			},
		}},
		{"semi-join", "SELECT Id FROM Task WHERE WhatId NOT IN (SELECT Id FROM Account)", &Query{
			Select: selects(field(7, "Id")), From: "Task", FromPos: 15, Limit: -1,
			Where: &Compare{Left: field(26, "WhatId"), Op: "NOT IN",
				Sub: &Query{Select: selects(field(48, "Id")), From: "Account", FromPos: 56, Limit: -1}},
		}},
		{"words that are names too", "SELECT Group.Name, Type FROM User ORDER BY Type USING", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.text)
			if tt.want == nil {
				if err == nil {
					t.Fatalf("parsed to %+v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	tests := []struct {
		text string
		want Value
	}{
		{`'it\'s \\ \"q\"'`, Value{Kind: String, Text: `it's \ "q"`, Pattern: `it's \\ "q"`}},
		{`'100\% \_x %'`, Value{Kind: String, Text: `100% _x %`, Pattern: `100\% \_x %`}},
		{`'a\nb\tc'`, Value{Kind: String, Text: "a\nb\tc", Pattern: "a\nb\tc"}},
		{`''`, Value{Kind: String}},
		{`-12.5`, Value{Kind: Number, Text: "-12.5"}},
		{`TRUE`, Value{Kind: Bool, Text: "true"}},
		{`2026-02-03`, Value{Kind: Date, Text: "2026-02-03"}},
		{`2026-02-03T04:05:06Z`, Value{Kind: DateTime, Text: "2026-02-03T04:05:06Z"}},
		{`2026-02-03T04:05:06.000+0100`, Value{Kind: DateTime, Text: "2026-02-03T04:05:06.000+0100"}},
		{`last_n_days:30`, Value{Kind: DateLiteral, Text: "LAST_N_DAYS", N: 30}},
		{`THIS_QUARTER`, Value{Kind: DateLiteral, Text: "THIS_QUARTER"}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			const head = "SELECT Id FROM Task WHERE a = "
			q, err := Parse(head + tt.text)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Pos = len(head)
			if diff := cmp.Diff(tt.want, q.Where.(*Compare).Values[0]); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "unexpected token: '<EOF>'"},
		{"no select", "SELEC Id FROM Task", "unexpected token: 'SELEC'"},
		{"no from", "SELECT Id FRM Task", "unexpected token: 'Task'"},
		{"star", "SELECT * FROM Task", "unexpected token: '*'"},
		{"stray comma", "SELECT Id, FROM Task", "unexpected token: 'FROM'"},
		{"unterminated string", "SELECT Id FROM Task WHERE a = 'x", "line 1:32 mismatched character '<EOF>' expecting '''"},
		{"unknown escape", `SELECT Id FROM Task WHERE a = 'x\q'`, `Illegal character sequence '\q' in string literal`},
		{"and beside or", "SELECT Id FROM Task WHERE a = 1 AND b = 2 OR c = 3", "unexpected token: 'OR'"},
		{"or beside and", "SELECT Id FROM Task WHERE a = 1 OR b = 2 AND c = 3", "unexpected token: 'AND'"},
		{"empty list", "SELECT Id FROM Task WHERE a IN ()", "unexpected token: ')'"},
		{"bind variable", "SELECT Id FROM Task WHERE a = :x", "unexpected token: ':'"},
		{"not a date", "SELECT Id FROM Task WHERE a = 2026-02-30", "Invalid date: 2026-02-30"},
		{"not a number", "SELECT Id FROM Task WHERE a = 12x", "unexpected token: '12x'"},
		{"unknown character", "SELECT Id FROM Task WHERE a = 1;", "line 1:31 no viable alternative at character ';'"},
		{"limit without number", "SELECT Id FROM Task LIMIT all", "unexpected token: 'all'"},
		{"clauses out of order", "SELECT Id FROM Task LIMIT 1 WHERE a = 1", "unexpected token: 'WHERE'"},
		{"two statements", "SELECT Id FROM Task SELECT Id FROM Task", "unexpected token: 'SELECT'"},
		{"deep", "SELECT Id FROM Task WHERE " + strings.Repeat("(", 200) + "a = 1" + strings.Repeat(")", 200), "query is nested too deeply"},
		{"long string", "SELECT Id FROM Task WHERE a = '" + strings.Repeat("ü", 4001) + "'", "string literal is longer than 4000 characters"},
		{"long statement", "SELECT Id FROM Task WHERE a IN (" + strings.Repeat("1,", 50_000) + "1)", "SOQL statements cannot be longer than 100000 characters."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := Parse(tt.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %+v and error %v, want an *Error", q, err)
			}
			if e.Message != tt.want {
				t.Errorf("message %q, want %q", e.Message, tt.want)
			}
		})
	}
}

func TestLongestStringAndStatement(t *testing.T) {
	for _, text := range []string{
		"SELECT Id FROM Task WHERE a = '" + strings.Repeat("ü", 4000) + "'",
		"SELECT Id FROM Task WHERE a IN (" + strings.Repeat("1,", 49_900) + "1)",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

func TestAt(t *testing.T) {
	tests := []struct {
		name, text string
		pos        int
		want       string
	}{
		{"first row", "SELECT Bogus FROM Task", 7, "\nSELECT Bogus FROM Task\n       ^\nERROR at Row:1:Column:8\nno"},
		{"second row", "SELECT Id\nFROM Bogus", 15, "\nFROM Bogus\n     ^\nERROR at Row:2:Column:6\nno"},
		{"end", "SELECT", 6, "\nSELECT\n      ^\nERROR at Row:1:Column:7\nno"},
		{"long row", strings.Repeat("x", 100), 60, "\n" + strings.Repeat("x", 80) + "\n" + strings.Repeat(" ", 40) + "^\nERROR at Row:1:Column:61\nno"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := At(tt.text, tt.pos, "no"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"SELECT Id, (SELECT Id FROM Tasks), COUNT(Id) n FROM Opportunity o WHERE a = 'x\\'y' AND (b IN (1, 2) OR NOT c LIKE 'z%')",
		"SELECT FIELDS(ALL) FROM Task WHERE d > LAST_N_DAYS:3 GROUP BY e HAVING MAX(f) != 2026-01-01T00:00:00+01:00 ORDER BY g DESC NULLS LAST LIMIT 1 OFFSET 2",
		"SELECT a FROM b WHERE c INCLUDES ('x;y') WITH SECURITY_ENFORCED FOR VIEW", "((((", "'\\", "SELECT \xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err == nil {
			if len(q.Select) == 0 || q.From == "" {
				t.Errorf("%q parsed to an incomplete tree", text)
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Message == "" || e.Pos < 0 || e.Pos > len(text) {
			t.Fatalf("%q: error %#v", text, err)
		}
		At(text, e.Pos, e.Message)
	})
}
