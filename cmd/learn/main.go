// Learn makes the wording of the built-in scorecard: what words tell about each item, from labelled texts, and how that
// and the rules together decide, from labelled deals. It reads and writes files below rules, and gives the same output
// for the same input. Deals of writers that are held out for validation are not read.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"handoff/rules"
)

func main() {
	dir := flag.String("rules", "rules", "the folder of the rules")
	flag.Parse()
	if err := learn(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "learn:", err)
		os.Exit(1)
	}
}

func learn(dir string) error {
	sc, err := rules.Builtin()
	if err != nil {
		return err
	}
	engine := rules.NewEngine(sc)
	data := filepath.Join(dir, "testdata")
	deals, err := readDeals(data)
	if err != nil {
		return err
	}
	plain, err := readTexts(engine.WithWording(&rules.Wording{}), data, deals)
	if err != nil {
		return err
	}
	known := knownWords(plain)
	texts, err := readTexts(engine.WithWording(&rules.Wording{Known: known}), data, deals)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d windows of labelled texts, %d labelled deals and examples\n", len(texts), len(deals))
	w := &rules.Wording{Known: known, Items: learnTerms(texts, func(string) bool { return true })}
	clues := make([]map[string][]float64, len(deals))
	for g := range groups {
		held := map[string]bool{}
		for _, writer := range groups[g] {
			held[writer] = true
		}
		other := engine.WithWording(&rules.Wording{Known: known, Items: learnTerms(texts, func(writer string) bool { return !held[writer] })})
		for i, d := range deals {
			if d.group == g || d.group < 0 && i%len(groups) == g {
				clues[i] = other.Clues(d.snapshot, *d.snapshot.AsOf)
			}
		}
	}
	probable := learnDecisions(w.Items, deals, clues)
	w.Sure = leastSure(deals, probable)
	w.Idle = idleWords(sc, deals, clues, probable)
	out := filepath.Join(dir, "scorecards", "wording")
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, data := range w.Files() {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
