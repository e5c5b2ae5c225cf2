// Package deals holds the deals that the sandbox shows: the demo's labelled cases, and any number of generated ones.
package deals

import (
	"bytes"
	_ "embed"
	"fmt"

	"handoff/crm"
)

//go:embed demo.jsonl
var demo []byte

// Demo returns the sixty deals of the demo, with their labels, as new values on each call.
func Demo() []*crm.Snapshot {
	var all []*crm.Snapshot
	for s, err := range crm.ReadCases(bytes.NewReader(demo)) {
		if err != nil {
			panic(fmt.Sprintf("deals: demo.jsonl: %v", err))
		}
		all = append(all, s)
	}
	return all
}
