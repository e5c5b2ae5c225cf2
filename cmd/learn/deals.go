package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"handoff/crm"
	"handoff/rules"
)

// groups are the writers whose deals are learned from, in groups that are held out together to see how well decisions
// carry over to others. Deals of all other writers are for validation.
var groups = [][]string{
	{"demo"},
	{"mail-and-calls", "werkbank", "harbourline", "lumen", "mistral", "amber", "otter", "vesper", "fjord", "onyx", "yarrow", "juno", "hazel"},
	{"terse-and-mixed", "tresmares", "prairie", "alpen", "basalt", "birch", "cedar", "pebble", "meadow", "delta", "cove", "clover", "fennel", "gorse", "linden", "cactus"},
	{"northlight", "brightwell", "shorthand", "quarry", "willow", "ember", "flint", "sierra", "lagoon", "maple", "mica", "teal", "rook", "heron", "raven"},
}

// examples is the writer of the boundary examples: all of them help decide, whichever group is held out.
const examples = "examples"

// deal is a labelled deal.
type deal struct {
	writer   string
	group    int // index in groups; -1: none
	snapshot *crm.Snapshot
	scores   map[string]int // labels by item; a boundary example has one
	ghost    bool           // or pending
}

// readDeals reads the deals of the writers and the boundary examples.
func readDeals(dir string) ([]deal, error) {
	var out []deal
	for g, writers := range groups {
		for _, w := range writers {
			name := filepath.Join(dir, "cases", w+".jsonl")
			if w == "demo" {
				name = filepath.Join(dir, "../../connectors/sandbox/deals/demo.jsonl")
			}
			deals, err := readFile(name, w, g)
			if err != nil {
				return nil, err
			}
			out = append(out, deals...)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "boundaries", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		deals, err := readFile(name, examples, -1)
		if err != nil {
			return nil, err
		}
		out = append(out, deals...)
	}
	return out, nil
}

func readFile(name, writer string, group int) ([]deal, error) {
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
			Ghost  rules.Ghost    `json:"ghost"`
		}
		if err := json.Unmarshal(s.Expected, &expected); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, s.ID, err)
		}
		out = append(out, deal{writer, group, s, expected.Scores, expected.Ghost == rules.GhostYes || expected.Ghost == rules.GhostPending})
	}
	return out, nil
}
