package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"handoff/crm"
)

// writers are those whose deals decisions are learned from. All others are held out.
var writers = []string{"demo", "mail-and-calls", "terse-and-mixed", "werkbank", "northlight", "tresmares", "brightwell"}

// nobody is the writer of the boundary examples, none of which is held out.
const nobody = -1

// deal is a labelled deal.
type deal struct {
	writer   int // index in writers, or nobody
	snapshot *crm.Snapshot
	scores   map[string]int // labels by item; a boundary example has one
}

// readDeals reads the deals of the writers and the boundary examples.
func readDeals(dir string) ([]deal, error) {
	var out []deal
	for i, w := range writers {
		name := filepath.Join(dir, "cases", w+".jsonl")
		if w == "demo" {
			name = filepath.Join(dir, "../../connectors/sandbox/deals/demo.jsonl")
		}
		deals, err := readFile(name, i)
		if err != nil {
			return nil, err
		}
		out = append(out, deals...)
	}
	examples, err := filepath.Glob(filepath.Join(dir, "boundaries", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, name := range examples {
		deals, err := readFile(name, nobody)
		if err != nil {
			return nil, err
		}
		out = append(out, deals...)
	}
	return out, nil
}

func readFile(name string, writer int) ([]deal, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []deal
	for s, err := range crm.ReadLabelled(f) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var expected struct {
			Scores map[string]int `json:"scores"`
		}
		if err := json.Unmarshal(s.Expected, &expected); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, s.ID, err)
		}
		out = append(out, deal{writer, s, expected.Scores})
	}
	return out, nil
}
