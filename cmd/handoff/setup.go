package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// setupFlags are the flags of `handoff setup`.
type setupFlags struct {
	apply, remove, json bool
	connection, export  string
	layouts             []string
}

func (a *app) setupCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Create handoff's fields in the CRM, or take them away",
		Long: `Shows what is still to be created in each configured CRM: the custom fields and what makes them
visible; and which fields of yours Sales fills in, so that handoff can read them. Nothing is changed.

With --apply the plan is carried out. Running it again is harmless: it does only what is missing, also
after it was interrupted. With --remove all of it is taken away again, with the values in the fields; on
a terminal you are asked before that.

Where handoff shall not have the right to customise Salesforce, --export writes the same as a project in
source format, which an admin deploys. It needs neither secrets nor the CRM.`,
		Example: `  handoff setup                                      # the plan; changes nothing
  handoff setup --apply --layout "Opportunity Layout"
  handoff setup --export handoff-salesforce          # for an admin to deploy
  handoff setup --remove`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return useError{err}
			}
			env := a.env
			if f.export != "" {
				env = nil
			}
			cfg, err := a.loadConfig(env)
			if err != nil {
				return err
			}
			all := slices.Clone(cfg.Connections)
			if err := cfg.narrow(f.connection); err != nil {
				return useError{err}
			}
			if f.export != "" {
				return a.export(cfg, f.export)
			}
			return a.setup(cmd.Context(), cfg, all, f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.apply, "apply", false, "carry the plan out")
	flags.BoolVar(&f.remove, "remove", false, "take away what --apply has made, and the values in it")
	flags.StringArrayVar(&f.layouts, "layout", nil, "Salesforce: also show the fields on this page `layout`, such as \"Opportunity Layout\"; may be repeated")
	flags.StringVar(&f.connection, "connection", "", "only this connection")
	flags.StringVar(&f.export, "export", "", "write the Salesforce part into this `folder`, for an admin to deploy; calls no CRM")
	flags.BoolVar(&f.json, "json", false, "print JSON, a line for each step")
	return cmd
}

// check refuses flags that do not go together.
func (f setupFlags) check() error {
	switch {
	case f.apply && f.remove:
		return errors.New("--apply creates what --remove takes away. Use one of them")
	case f.export != "" && (f.apply || f.remove || f.json):
		return errors.New("--export writes files and changes nothing in a CRM. Use it without --apply, --remove and --json")
	case f.export != "" && len(f.layouts) > 0:
		return errors.New("--export makes no call, and a layout can only be deployed as a whole. Leave --layout out: README.md in the export says how an admin adds the fields")
	case f.remove && len(f.layouts) > 0:
		return errors.New("--remove takes the fields off every layout. Use it without --layout")
	}
	return nil
}

// setup plans each connection and, where the flags say so, carries the plans out. A connection that fails does not keep
// another from its turn. all are the connections of the configuration, also those that the flags leave out.
func (a *app) setup(ctx context.Context, cfg *Config, all []Connection, f setupFlags) error {
	fields := jobs.Fields(cfg.Engine.Scorecard())
	var err error
	var shared map[string][]string
	if f.remove {
		if shared, err = a.sharing(ctx, all, fields); err != nil {
			return err
		}
	}
	var failed []error
	steps := 0
	for i := range cfg.Connections {
		s := &setup{app: a, setupFlags: f, conn: &cfg.Connections[i], storeURL: cfg.StoreURL}
		s.shared = shared[s.conn.Name]
		if s.crm, err = a.connect(s.conn, fields, nil); err != nil {
			failed = append(failed, err)
			continue
		}
		failed = append(failed, placed(s.conn, s.run(ctx)))
		steps += len(s.plan.Steps)
	}
	err = errors.Join(failed...)
	switch {
	case err != nil || f.json || f.remove:
	case steps > 0 && !f.apply:
		fmt.Fprintln(a.stdout, "Nothing has been changed. The same command with --apply carries this out.")
	default:
		fmt.Fprintln(a.stdout, "Next: `handoff check` looks at all that a run needs, `handoff run --once --dry-run` shows what one would write.")
	}
	return err
}

// sharing returns, for each connection, the names of the others that are connections to the same account, as far as the CRMs
// tell. None is asked where the CRMs of all are different.
func (a *app) sharing(ctx context.Context, all []Connection, fields []crm.FieldSpec) (map[string][]string, error) {
	var list []Connection
	for i := range all {
		if slices.ContainsFunc(all, func(c Connection) bool { return c.Name != all[i].Name && c.CRM == all[i].CRM }) {
			list = append(list, all[i])
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	checkups, err := a.checkups(ctx, list, fields)
	if err != nil {
		return nil, err
	}
	shared := map[string][]string{}
	for i := range list {
		for j := range list {
			if account := checkups[i].Account; i != j && account != "" && list[i].CRM == list[j].CRM && account == checkups[j].Account {
				shared[list[i].Name] = append(shared[list[i].Name], list[j].Name)
			}
		}
	}
	return shared, nil
}

// setup is the setup of one connection.
type setup struct {
	*app
	setupFlags
	conn     *Connection
	crm      connectors.Provisioner
	storeURL string
	shared   []string // names of other connections to the same account

	plan  connectors.Plan
	lines []string // that show the plan's steps
}

// run plans, and shows the plan or carries it out.
func (s *setup) run(ctx context.Context) (err error) {
	if s.remove {
		s.plan, err = s.crm.PlanRemoval(ctx)
	} else {
		s.plan, err = s.crm.Plan(ctx, connectors.SetupOptions{Layouts: s.layouts})
	}
	if err != nil {
		return err
	}
	s.lines = stepLines(s.plan.Steps)
	if len(s.shared) > 0 && len(s.plan.Steps) > 0 {
		fmt.Fprintf(s.stderr, "%s: the same %s is that of %s, which loses its fields and their values, too\n",
			s.conn.Name, crms[s.conn.CRM].account, strings.Join(s.shared, ", "))
	}
	if !s.json {
		if !s.apply && !s.remove {
			failed := s.showUse(ctx) // the plan stands without
			defer func() { err = errors.Join(err, failed) }()
		}
		s.introduce()
	}
	ask := s.remove && isTerminal(s.stdin)
	if !s.apply {
		if err := s.printSteps(); err != nil {
			return err
		}
	}
	switch {
	case len(s.plan.Steps) == 0:
	case ask && !s.confirmed(ctx):
		fmt.Fprintln(s.stderr, "Nothing has been removed.")
		return nil
	case s.apply || s.remove:
		s.compareAgain(ctx)
		if err := s.carryOut(ctx); err != nil {
			return err
		}
	}
	return s.printByHand()
}

// introduce says what is to come.
func (s *setup) introduce() {
	steps := len(s.plan.Steps)
	fmt.Fprintf(s.stdout, "%s (%s): ", s.conn.Name, s.conn.URL)
	switch {
	case s.remove && steps == 0:
		fmt.Fprintln(s.stdout, "nothing of handoff's is left there.")
	case s.remove:
		fmt.Fprintf(s.stdout, "%s. The values in the fields are lost with them.\n", count(steps, "step"))
	case steps == 0:
		fmt.Fprintln(s.stdout, "everything is in place.")
	default:
		fmt.Fprintf(s.stdout, "%s to do\n", count(steps, "step"))
	}
}

// confirmed asks whether to remove what the plan names.
func (s *setup) confirmed(ctx context.Context) bool {
	fmt.Fprintf(s.stderr, "Type remove to delete all of this in %s, or anything else to leave it: ", s.conn.Name)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.stdin).ReadString('\n') // what could not be read is not a yes
		answer <- strings.TrimSpace(line)
	}()
	select {
	case word := <-answer:
		return word == "remove"
	case <-ctx.Done():
		return false
	}
}

// compareAgain makes the next run look at deals without news, too: a field that is made again is empty. It comes before the
// steps, so that none is forgotten when they are interrupted. Setup does not depend on it, and may run where the store is not.
func (s *setup) compareAgain(ctx context.Context) {
	if file, isFile := strings.CutPrefix(s.storeURL, "sqlite:"); isFile {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) { // nothing is scored yet
			return
		}
	}
	db, err := openHistory(ctx, s.storeURL)
	if err == nil {
		for _, name := range append(s.shared, s.conn.Name) {
			err = errors.Join(err, db.CompareAgain(ctx, name))
		}
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "%s: deals that are scored already and have no news are not looked at again: %s\n", s.conn.Name, plain(err.Error()))
	}
}

// carryOut does the steps in order and prints each when it is done.
func (s *setup) carryOut(ctx context.Context) error {
	for i, step := range s.plan.Steps {
		if err := s.crm.Apply(ctx, step); err != nil {
			return fmt.Errorf("%s %s: %w\n%d of %d steps are done and stay so; the same command goes on from there",
				step.What, plain(step.Target), err, i, len(s.plan.Steps))
		}
		if err := s.printStep(i, true); err != nil {
			return err
		}
	}
	return nil
}

// stepLine is a step in the JSON of `handoff setup --json`.
type stepLine struct {
	Connection string `json:"connection"`
	Change     string `json:"change"` // "+", "~" or "-"
	What       string `json:"what"`
	Target     string `json:"target"`
	Detail     string `json:"detail"`
	Done       bool   `json:"done"`
}

// byHandLine is what a person has to do, in the JSON of `handoff setup --json`.
type byHandLine struct {
	Connection string `json:"connection"`
	ByHand     string `json:"by_hand"`
}

// printSteps prints the steps that are to do.
func (s *setup) printSteps() error {
	for i := range s.plan.Steps {
		if err := s.printStep(i, false); err != nil {
			return err
		}
	}
	return nil
}

func (s *setup) printStep(i int, done bool) error {
	step := s.plan.Steps[i]
	if s.json {
		return printJSON(s.stdout, stepLine{s.conn.Name, string(rune(step.Change)), step.What, step.Target, step.Detail, done})
	}
	if done {
		total := strconv.Itoa(len(s.lines))
		fmt.Fprintf(s.stdout, "  %*d/%s", len(total), i+1, total)
	}
	fmt.Fprintf(s.stdout, "  %s\n", s.lines[i])
	return nil
}

func (s *setup) printByHand() error {
	if s.json {
		for _, sentence := range s.plan.ByHand {
			if err := printJSON(s.stdout, byHandLine{s.conn.Name, sentence}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.plan.ByHand) > 0 {
		heading := "To do by hand:"
		if len(s.plan.Steps) == 0 {
			heading = "To do by hand, unless it is done:" // no API tells
		}
		fmt.Fprintf(s.stdout, "\n%s\n", heading)
	}
	for _, sentence := range s.plan.ByHand {
		sentence = plain(sentence)
		if width := terminalWidth(s.stdout); width > 0 {
			sentence = strings.ReplaceAll(plainLines(text.WrapSoft(sentence, width-len("  - "))), "\n", "\n    ")
		}
		fmt.Fprintf(s.stdout, "  - %s\n", sentence)
	}
	fmt.Fprintln(s.stdout)
	return nil
}

// stepLines shows each step on a line like that of a diff, with columns in line.
func stepLines(steps []connectors.Step) []string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(w, "%c %s\t%s\t%s\n", s.Change, plain(s.What), plain(s.Target), plain(s.Detail))
	}
	_ = w.Flush() // into memory
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}

// showUse shows which fields deal facts are read from, and which others they could be read from, or says that it cannot yet:
// whoever sets up need not be able to read deals before.
func (s *setup) showUse(ctx context.Context) error {
	profile, err := s.crm.Profile(ctx)
	if e := (*connectors.Error)(nil); errors.As(err, &e) && errors.Is(err, connectors.ErrConfig) {
		fmt.Fprintf(s.stdout, "%s: which fields Sales fills in is shown here once deals can be read (%s).\n\n", s.conn.Name, plain(e.Message))
		return nil
	}
	if err != nil {
		return err
	}
	facts := crms[s.conn.CRM].fields()
	proposed := connectors.Propose(profile, facts)
	t := newTable("fact", "field", "label", "filled", "")
	row := func(fact string, f connectors.FieldUse, use string) {
		t.row(fact, f.Name, f.Label, fmt.Sprintf("%d of %d", f.Filled, profile.Deals), use)
	}
	for _, fact := range facts {
		for _, f := range profile.Fields {
			switch {
			case f.Feeds != fact:
			case profile.Sparse(f):
				row(fact, f, "read, but hardly ever filled in")
			default:
				row(fact, f, "read")
			}
		}
		for _, m := range proposed {
			if m.Fact == fact {
				row(fact, m.Field, "proposed")
			}
		}
	}
	if profile.Deals == 0 || t.rows == 0 {
		return nil
	}
	fmt.Fprintf(s.stdout, "%s: where Sales records what handoff looks for, on the newest %s:\n\n", s.conn.Name, count(profile.Deals, "won deal"))
	t.print(s.stdout)
	if len(proposed) > 0 {
		fmt.Fprintf(s.stdout, "\nTo have what is proposed read, paste this below [connections.%s.fields] in the configuration:\n\n", s.conn.Name)
		for _, m := range proposed {
			fmt.Fprintf(s.stdout, "%s = %q\n", m.Fact, plain(m.Field.Name))
		}
	}
	fmt.Fprintln(s.stdout)
	return nil
}
