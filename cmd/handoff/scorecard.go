package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"handoff/rules"
)

func (a *app) scorecardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scorecard",
		Short: "Show, check, try and compare scorecards",
		Long: `A scorecard is a file: what is asked, what a complete answer holds, which words give it away, and what
the totals mean. docs/scorecards.md says how to make one of your own; no programming is needed.`,
		Example: `  handoff scorecard show
  handoff scorecard lint scorecard.toml     # what is wrong with it, and what to do
  handoff scorecard test scorecard.toml     # its examples, with the points that they get
  handoff scorecard diff scorecard.toml     # how it differs from the built-in one`,
	}
	cmd.AddCommand(a.scorecardShowCommand(), a.scorecardLintCommand(), a.scorecardTestCommand(), a.scorecardDiffCommand())
	return cmd
}

// scorecardFiles reads a scorecard file and the files of the folder languages beside it. Its error is a useError.
func scorecardFiles(path string) (card rules.File, languages []rules.File, err error) {
	if card, err = readFile(path); err != nil {
		return card, nil, err
	}
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(path), "languages", "*.toml"))
	if err != nil {
		return card, nil, useError{fmt.Errorf("%s: %w", path, err)}
	}
	for _, path := range paths {
		f, err := readFile(path)
		if err != nil {
			return card, nil, err
		}
		languages = append(languages, f)
	}
	return card, languages, nil
}

func readFile(path string) (rules.File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return rules.File{}, useError{fmt.Errorf("%s: %w", path, cause(err))}
	}
	return rules.File{Name: path, Data: data}, nil
}

// loadScorecard reads a scorecard file with its languages. Its error is a useError that lists every problem.
func loadScorecard(path string) (*rules.Scorecard, error) {
	card, languages, err := scorecardFiles(path)
	if err != nil {
		return nil, err
	}
	sc, err := rules.ParseScorecard(card.Name, card.Data, languages...)
	if err != nil {
		return nil, useError{err}
	}
	return sc, nil
}

// configuredEngine returns the engine of the configuration, or the built-in one where nobody named a configuration and
// there is none.
func (a *app) configuredEngine() (*rules.Engine, error) {
	path, named := a.configFile()
	if _, err := os.Stat(path); !named && errors.Is(err, fs.ErrNotExist) {
		return newEngine()
	}
	cfg, err := a.loadConfig(nil)
	if err != nil {
		return nil, err
	}
	return cfg.Engine, nil
}

func (a *app) scorecardShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print a scorecard: its items, what fills them, and what totals mean",
		Long: `Prints the scorecard that deals are scored by, or that of a file: each item with its question and what
it takes for one point and for two, and the bands of the total.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var sc *rules.Scorecard
			if len(args) > 0 {
				var err error
				if sc, err = loadScorecard(args[0]); err != nil {
					return err
				}
			} else {
				engine, err := a.configuredEngine()
				if err != nil {
					return err
				}
				sc = engine.Scorecard()
			}
			v := newScorecardView(sc)
			if asJSON {
				return printJSON(a.stdout, v)
			}
			a.showScorecard(&v)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// scorecardView is a scorecard for its readers. Its JSON form is that of `handoff scorecard show --json`.
type scorecardView struct {
	Title      string         `json:"title"`
	Version    string         `json:"version"`
	Max        int            `json:"max"`
	Categories []categoryView `json:"categories"`
	Items      []itemView     `json:"items"`
	Ratings    []ratingView   `json:"ratings"`
	Ghost      ghostView      `json:"ghost"`
}

type categoryView struct {
	Name  string `json:"name"`
	Items int    `json:"items"`
	Max   int    `json:"max"`
	Small bool   `json:"small"` // also in the version for small deals
}

type itemView struct {
	ID       string `json:"id"`
	Category string `json:"category"`
	Title    string `json:"title"`
	Question string `json:"question"`
	Partial  string `json:"partial"`
	Complete string `json:"complete"`
	Remedy   string `json:"remedy"`
}

type ratingView struct {
	Name   string `json:"name"`
	From   int    `json:"from"` // percent
	Health string `json:"health"`
	Action string `json:"action"`
}

type ghostView struct {
	BusinessDays int     `json:"business_days"`
	Signals      float64 `json:"signals"`
}

func newScorecardView(sc *rules.Scorecard) scorecardView {
	v := scorecardView{Title: sc.Title, Version: sc.Version(), Max: sc.Max(), Ghost: ghostView(sc.Ghost)}
	for _, c := range sc.Categories {
		v.Categories = append(v.Categories, categoryView{c.Name, c.Items, c.Max, sc.InSmall(c.Name)})
	}
	for _, it := range sc.Items {
		partial, complete := sc.Needs(it)
		v.Items = append(v.Items, itemView{it.ID, it.Category, it.Title, it.Question, partial, complete, it.Remedy})
	}
	for _, r := range sc.Ratings {
		v.Ratings = append(v.Ratings, ratingView{r.Name, r.From, r.Health, r.Action})
	}
	return v
}

func (a *app) showScorecard(v *scorecardView) {
	fmt.Fprintf(a.stdout, "%s  (%s, %d points)\n\n", plain(v.Title), count(len(v.Items), "item"), v.Max)
	items := newTable("item", "asks", "1 point", "2 points")
	small, smallMax := []string{}, 0
	for _, c := range v.Categories {
		for _, it := range v.Items {
			if it.Category == c.Name {
				items.row(it.ID+" "+it.Title, it.Question, it.Partial, it.Complete)
			}
		}
		if c.Small {
			small, smallMax = append(small, c.Name), smallMax+c.Max
		}
	}
	items.print(a.stdout)
	fmt.Fprintln(a.stdout)
	ratings := newTable("rating", "from", "points", "health", "what to do")
	for _, r := range v.Ratings {
		ratings.row(r.Name, strconv.Itoa(r.From)+" %", strconv.Itoa((r.From*v.Max+99)/100), r.Health, r.Action)
	}
	ratings.print(a.stdout)
	noun := "items"
	if v.Ghost.Signals == 1 {
		noun = "item"
	}
	fmt.Fprintf(a.stdout, "\nGhost handoff: useful context on fewer than %g %s, %s after the close.\n",
		v.Ghost.Signals, noun, count(v.Ghost.BusinessDays, "business day"))
	if len(small) > 0 {
		fmt.Fprintf(a.stdout, "Deals below min_amount: %s alone, %d points; ratings by percent.\n", plain(strings.Join(small, " and ")), smallMax)
	}
}

func (a *app) scorecardLintCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE",
		Short: "Say what is wrong with a scorecard file, and what to do",
		Long: `Reads a scorecard file with the languages beside it and says everything that is wrong: file, line and
column, the problem, the remedy. Its examples run as well. Exit code 1: something is wrong.`,
		Args: takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			card, languages, err := scorecardFiles(args[0])
			if err != nil {
				return err
			}
			sc, err := rules.ParseScorecard(card.Name, card.Data, languages...)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s is in order: %s, %d points, version %s.\n", args[0], count(len(sc.Items), "item"), sc.Max(), sc.Version())
			return nil
		},
	}
}

func (a *app) scorecardTestCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test FILE",
		Short: "Run the examples of a scorecard file",
		Long: `Scores each example of a scorecard file and compares its points with those that it must get. Exit code
1: one got others.`,
		Args: takes("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			card, languages, err := scorecardFiles(args[0])
			if err != nil {
				return err
			}
			results, err := rules.RunExamples(card.Name, card.Data, languages...)
			if err != nil {
				return err
			}
			return a.reportExamples(results, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// exampleLine is the outcome of an example. Its JSON form is that of `handoff scorecard test --json`.
type exampleLine struct {
	Item   string `json:"item"`
	Place  string `json:"place"`
	Text   string `json:"text"`
	Field  string `json:"field,omitempty"`
	Want   int    `json:"want"`
	Got    int    `json:"got"`
	Pass   bool   `json:"pass"`
	Reason string `json:"reason"`
}

func (a *app) reportExamples(results []rules.ExampleResult, asJSON bool) error {
	failed := 0
	t := newTable("item", "example", "wanted", "got", "", "reason", "place")
	for i := range results {
		r := &results[i]
		line := exampleLine{r.Item.ID, r.Place(), r.Example.Text, r.Example.Field, r.Example.Points, r.Points, r.Passed(), r.Reason}
		mark := "pass"
		if !line.Pass {
			mark = "FAIL"
			failed++
		}
		if asJSON {
			if err := printJSON(a.stdout, line); err != nil {
				return err
			}
			continue
		}
		t.row(line.Item, line.Text, strconv.Itoa(line.Want), strconv.Itoa(line.Got), mark, line.Reason, line.Place)
	}
	if !asJSON {
		t.print(a.stdout)
		fmt.Fprintf(a.stdout, "\n%s, %d failed.\n", count(len(results), "example"), failed)
	}
	if failed > 0 {
		return errReported
	}
	return nil
}

func (a *app) scorecardDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff A [B]",
		Short: "Show how scorecard B differs from A, or A from the built-in one",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := rules.Builtin()
			if len(args) == 2 {
				from, err = loadScorecard(args[0])
			}
			if err != nil {
				return err
			}
			to, err := loadScorecard(args[len(args)-1])
			if err != nil {
				return err
			}
			diff := rules.Diff(from, to)
			if asJSON {
				return printJSON(a.stdout, diff...)
			}
			if len(diff) == 0 {
				fmt.Fprintln(a.stdout, "No difference.")
				return nil
			}
			t := newTable("where", "what", "before", "after")
			for _, d := range diff {
				t.row(d.Where, d.What, strings.Join(d.Removed, ", "), strings.Join(d.Added, ", "))
			}
			t.print(a.stdout)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}
