package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// faultTable holds outcomes by call and by class; faultTables by CRM, then by the title of the routine.
type (
	faultTable  map[string]map[string]outcome
	faultTables map[string]map[string]faultTable
)

func (t faultTable) add(call, class string, o outcome) {
	if t[call] == nil {
		t[call] = map[string]outcome{}
	}
	t[call][class] = o
}

func (t faultTables) add(connection, title string, table faultTable) {
	if t[connection] == nil {
		t[connection] = map[string]faultTable{}
	}
	t[connection][title] = table
}

// tableMark begins what TestFaults writes of docs/faults.md.
const tableMark = "<!-- From here on TestFaults writes. -->\n"

// readTables reads what writeTables wrote.
func readTables(text string) faultTables {
	tables := faultTables{}
	connection, title := "", ""
	var columns []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			connection = strings.ToLower(strings.TrimSpace(name))
		}
		if name, ok := strings.CutPrefix(line, "### "); ok {
			title = strings.TrimSpace(name)
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), " |"), " | ")
		if cells[0] == "| Call" {
			columns = cells
		}
		call, ok := strings.CutPrefix(cells[0], "| `")
		if !ok || len(cells) != len(columns) {
			continue
		}
		table := tables[connection][title]
		if table == nil {
			table = faultTable{}
			tables.add(connection, title, table)
		}
		for i, class := range columns[1:] {
			table.add(strings.TrimSuffix(call, "`"), class, outcome(cells[i+1]))
		}
	}
	return tables
}

// writeTables writes each table with the classes that can happen to any of its calls.
func writeTables(tables faultTables) string {
	var b strings.Builder
	for _, connection := range slices.Sorted(maps.Keys(faultClasses)) {
		fmt.Fprintf(&b, "\n## %s\n\n", crms[connection].name)
		for _, class := range faultClasses[connection] {
			fmt.Fprintf(&b, "- **%s**: %s\n", class.name, class.meaning)
		}
		for _, r := range routines {
			table, ok := tables[connection][r.title]
			if !ok {
				continue
			}
			calls := slices.Sorted(maps.Keys(table))
			var columns []string
			for _, class := range faultClasses[connection] {
				// A table that was read, not made, lacks the columns that it needs none of.
				if slices.ContainsFunc(calls, func(call string) bool { return !slices.Contains([]outcome{nowhere, ""}, table[call][class.name]) }) {
					columns = append(columns, class.name)
				}
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| Call | %s |\n|---|%s\n", r.title, r.about, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
			for _, call := range calls {
				fmt.Fprintf(&b, "| `%s` |", call)
				for _, class := range columns {
					b.WriteString(" " + string(table[call][class]) + " |")
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}
