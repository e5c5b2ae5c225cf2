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

// sureMargin is how often points must be right, among the tuning deals, to be called sure.
const sureMargin = 0.965

func learn(dir string) error {
	sc, err := rules.Builtin()
	if err != nil {
		return err
	}
	engine := rules.NewEngine(sc)
	texts, err := readTexts(engine, filepath.Join(dir, "testdata"))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d windows of labelled texts\n", len(texts))
	w := learnTerms(texts)
	deals, err := readDeals(filepath.Join(dir, "testdata"))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d labelled deals\n", len(deals))
	sure := learnDecisions(engine.WithWording(w, 1), w, deals)
	return write(filepath.Join(dir, "scorecards", "wording"), w, sure)
}

// write writes the files of a wording in place of those that are there.
func write(dir string, w rules.Wording, sure float64) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for id, it := range w {
		if err := writeFile(filepath.Join(dir, id+".terms.tsv"), func(f *os.File) error { return it.WriteTerms(f, id) }); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, "decisions.tsv"), func(f *os.File) error { return w.WriteDecisions(f, sure) })
}

func writeFile(name string, fill func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return err
	}
	return f.Close()
}
