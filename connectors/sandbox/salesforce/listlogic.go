package salesforce

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// checkLogic refuses a filter logic that does not combine each of n filters, counted from 1: "(1 OR 2) AND 3". AND and OR
// do not stand side by side without parentheses. "" is good: all filters apply.
func checkLogic(text string, n int) error {
	if text == "" {
		return nil
	}
	p := &logicParser{tokens: logicToken.FindAllString(text, -1), used: make([]bool, n)}
	if strings.Join(p.tokens, "") != strings.Join(strings.Fields(text), "") {
		return errors.New("only numbers, AND, OR, NOT and parentheses can stand here")
	}
	if err := p.expression(); err != nil {
		return err
	}
	if t := p.peek(); t != "" {
		return fmt.Errorf("unexpected %s", t)
	}
	for i, used := range p.used {
		if !used {
			return fmt.Errorf("filter %d is not used", i+1)
		}
	}
	return nil
}

var logicToken = regexp.MustCompile(`(?i)\d+|\b(?:AND|OR|NOT)\b|[()]`)

// logicParser reads
//
//	expression = term { "AND" term } | term { "OR" term }
//	term       = "NOT" term | "(" expression ")" | number
type logicParser struct {
	tokens []string
	used   []bool // by filter
	depth  int
}

// peek returns the next token in capitals, "" at the end.
func (p *logicParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return strings.ToUpper(p.tokens[0])
}

func (p *logicParser) expression() error {
	if err := p.term(); err != nil {
		return err
	}
	operator := p.peek()
	for p.peek() == "AND" || p.peek() == "OR" {
		if p.peek() != operator {
			return errors.New("AND and OR side by side need parentheses")
		}
		p.tokens = p.tokens[1:]
		if err := p.term(); err != nil {
			return err
		}
	}
	return nil
}

// maxLogicDepth is more than the filters of a view can use.
const maxLogicDepth = 100

func (p *logicParser) term() error {
	if p.depth++; p.depth > maxLogicDepth {
		return errors.New("nested too deep")
	}
	defer func() { p.depth-- }()
	t := p.peek()
	if t == "" {
		return errors.New("it ends too early")
	}
	p.tokens = p.tokens[1:]
	switch t {
	case "NOT":
		return p.term()
	case "(":
		if err := p.expression(); err != nil {
			return err
		}
		if p.peek() != ")" {
			return errors.New("a parenthesis is not closed")
		}
		p.tokens = p.tokens[1:]
		return nil
	}
	i, err := strconv.Atoi(t)
	switch {
	case err != nil:
		return fmt.Errorf("unexpected %s", t)
	case i < 1 || i > len(p.used):
		return fmt.Errorf("there is no filter %d", i)
	}
	p.used[i-1] = true
	return nil
}
