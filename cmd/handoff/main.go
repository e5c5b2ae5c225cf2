// Command handoff scores Closed-Won deals by the quality of their sales handoff and writes the result back into the CRM.
//
// See README.md, and `handoff help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	exitDone  = 0
	exitIssue = 1 // something needs a person: a connection did not finish, rows are parked, a bad input line
	exitUse   = 2 // wrong use, which a bad configuration is too
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, time.Now)
	stop()
	os.Exit(code)
}

// run is the whole program: it carries out args and returns the exit code. Cancelling ctx ends it cleanly.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env lookupEnv, clock func() time.Time) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, env: env, clock: clock}
	return a.main(ctx, args)
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitDone
	case !a.started:
		fmt.Fprintf(a.stderr, "%s: %v\n`%s --help` shows examples.\n", cmd.CommandPath(), err, cmd.CommandPath())
		return exitUse
	case !errors.Is(err, errReported):
		fmt.Fprintln(a.stderr, plainLines(err.Error()))
	}
	if use := (useError{}); errors.As(err, &use) {
		return exitUse
	}
	return exitIssue
}

// lookupEnv reads an environment variable, as os.LookupEnv does.
type lookupEnv func(name string) (value string, ok bool)

// app is what every command has at hand.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            lookupEnv
	clock          func() time.Time

	// How connectors wait: for one answer of a CRM, and between attempts; and from how many deals on they read in bulk, in
	// pages of how many rows. The zero values leave it to them.
	patience           time.Duration
	sleep              func(context.Context, time.Duration) error
	bulkFrom, bulkRows int

	searches sync.Map // *rate.Limiter by hubspotAccess

	started    bool // a command's own code has begun: arguments and flags were in order
	configPath string
	verbose    int
	log        *slog.Logger
}

// useError is an error of the person who called: wrong arguments, wrong configuration.
type useError struct{ error }

func (e useError) Unwrap() error { return e.error }

// errReported ends a command with exit code 1 when everything there is to say has been printed.
var errReported = errors.New("reported")

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "handoff",
		Short: "Scores sales handoffs and writes the result back into the CRM",
		Long: `handoff reads Closed-Won deals with their contacts, notes and activities from a CRM, scores
how well Sales handed each one over to Customer Success, flags ghost handoffs, and writes
scores and health back into fields of the CRM.

New here? "handoff demo" shows the whole idea in two minutes, on this machine alone.`,
		Example: `  handoff demo                          # see it work
  handoff setup                         # what would be created in the CRM
  handoff check                         # what would keep a run from doing its work
  handoff run --once --dry-run          # what would be written
  handoff explain "Northwind - Platform"`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRun: func(*cobra.Command, []string) {
			a.started = true
			a.log = newLogger(a.stderr, a.verbose)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.configPath, "config", "", `configuration file (default: $HANDOFF_CONFIG, else "config.toml")`)
	flags.CountVarP(&a.verbose, "verbose", "v", "log what happens to stderr; twice for every detail")
	root.AddCommand(a.demoCommand(), a.setupCommand(), a.checkCommand(), a.runCommand(), a.explainCommand(), a.dealsCommand(),
		a.scoreCommand(), a.scorecardCommand(), a.calibrateCommand(), a.backtestCommand(), a.rollbackCommand(), a.sandboxCommand())
	return root
}

// takes says that a command has one argument, and in its message what that is.
func takes(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("takes one argument, %s; got %d", what, len(args))
	}
}

// takesNothing says that a command has no arguments.
func takesNothing(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("takes no arguments, only flags; got %q", args[0])
}

// loadConfig reads the configuration that --config or HANDOFF_CONFIG names. With a nil env secrets are left out.
func (a *app) loadConfig(env lookupEnv) (*Config, error) {
	path, _ := a.configFile()
	return loadConfig(path, env)
}

// configFile is the path of the configuration, and whether the person who called named it.
func (a *app) configFile() (path string, named bool) {
	path = a.configPath
	if path == "" {
		path, _ = a.env("HANDOFF_CONFIG")
	}
	if path == "" {
		return defaultConfigPath, false
	}
	return path, true
}

// newLogger logs to w: what a service should say when w is not a terminal, and on a terminal, where a person watches the
// progress instead, only warnings. Each -v adds a level.
func newLogger(w io.Writer, verbose int) *slog.Logger {
	level := slog.LevelInfo
	if isTerminal(w) {
		level = slog.LevelWarn
	}
	switch {
	case verbose == 1:
		level = slog.LevelInfo
	case verbose > 1:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// isTerminal reports whether a person sees what is written to w as it comes.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
