package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
)

// demoPause is how long the demo on a terminal waits between two runs.
const demoPause = 5 * time.Second

func (a *app) demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See the whole idea in two minutes, on this machine alone",
		Long: `Starts an emulated Salesforce and an emulated HubSpot on this machine, each with the same 60
realistic deals, creates handoff's fields in both, runs once, and shows what came of it. On a
terminal the CRMs then stay up, and handoff keeps running every few seconds: edit an item as a CSM
would, and see it kept. Nothing leaves this machine, and nothing stays on it.`,
		Example: `  handoff demo
  handoff demo --once      # exit after printing`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.verbose == 0 {
				a.log = newLogger(io.Discard, 0)
			}
			if once || !isTerminal(a.stdout) {
				return a.demo(cmd.Context(), 0)
			}
			return a.demo(cmd.Context(), demoPause)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "exit after printing; the default without a terminal")
	return cmd
}

// demo shows the demo, then stays up until ctx ends and runs again and again with pause in between; 0: it ends.
func (a *app) demo(ctx context.Context, pause time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "handoff-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	crms, err := a.demoCRMs(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, closeSandbox(crms)) }()
	hook, err := listenForSlack(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = errors.Join(err, hook.close()) }()

	cfg, err := demoConfig(crms, hook, filepath.Join(dir, "config.toml"))
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	fmt.Fprintln(a.stdout, "Two CRMs, each with the same 60 deals, run on this machine alone:")
	for _, conn := range cfg.Connections {
		fmt.Fprintf(a.stdout, "  %-10s  %s\n", conn.Name, conn.URL)
	}
	fmt.Fprintln(a.stdout, "\nSetup creates handoff's fields in them:")
	if err := a.demoSetup(ctx, cfg); err != nil {
		return err
	}
	s, err := a.openService(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()

	fmt.Fprintln(a.stdout, "\nOne run pulls the won deals, scores each handoff and writes the results back:")
	if err := s.once(ctx, jobs.ScoreJob, false); err != nil {
		return err
	}
	d := &demoView{service: s, config: filepath.Join(dir, "config.toml")}
	worst, err := d.results(ctx, hook)
	if err != nil {
		return err
	}
	if pause == 0 {
		d.farewell(worst[0])
		return nil
	}
	d.welcome(worst)
	return d.watch(ctx, pause)
}

// demoCRMs starts the sandbox where its documentation says, or where there is room.
func (a *app) demoCRMs(ctx context.Context) (*crmSandbox, error) {
	if s, err := startSandbox(ctx, sandboxOptions{Now: a.clock}); err == nil {
		return s, nil
	}
	return startSandbox(ctx, sandboxOptions{Now: a.clock, Salesforce: "127.0.0.1:0", HubSpot: "127.0.0.1:0"})
}

// demoConfig is the sandbox's own configuration, with findings from the first run on and sent to hook.
func demoConfig(s *crmSandbox, hook *slackStandIn, path string) (*Config, error) {
	if err := s.WriteConfig(path); err != nil {
		return nil, err
	}
	cfg, err := loadConfig(path, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg.Slack = &Secret{hook.url}
	from := crm.NewDate(2000, time.January, 1)
	for i := range cfg.Connections {
		cfg.Connections[i].AlertsFrom = &from
	}
	return cfg, nil
}

// demoSetup applies the setup and says so in a line rather than in one for each field.
func (a *app) demoSetup(ctx context.Context, cfg *Config) error {
	stdout := a.stdout
	a.stdout = io.Discard
	err := a.setup(ctx, cfg, nil, setupFlags{apply: true})
	a.stdout = stdout
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%d fields in each, and the permission to see them.\n", len(jobs.Fields(cfg.Engine.Scorecard())))
	return nil
}

// demoView shows what runs made of the demo's deals.
type demoView struct {
	*service
	config string // path of a configuration that works while the demo is up
}

// results shows the flagged deals and what a manager is told, and returns the deal that needs most, as each CRM has it.
func (d *demoView) results(ctx context.Context, hook *slackStandIn) (worst []dealRow, err error) {
	flagged, err := d.db.List(ctx, jobs.Filter{Flagged: true})
	if err != nil {
		return nil, err
	}
	if len(flagged) == 0 {
		return nil, errors.New("demo: no deal is flagged, which the demo's deals should be")
	}
	rows := make([]dealRow, len(flagged))
	for i := range flagged {
		rows[i] = newDealRow(d.engine, &flagged[i])
	}
	together := sideBySide(rows)
	fmt.Fprintf(d.stdout, "\n%s a manager should look at, worst first:\n\n", count(len(together), "deal"))
	printDeals(d.stdout, together)
	messages, last := hook.received()
	if messages > 0 {
		fmt.Fprintf(d.stdout, "\nA Slack channel would have got %s. The last one:\n\n", count(messages, "message"))
		for _, line := range last {
			fmt.Fprintf(d.stdout, "  | %s\n", plain(line))
		}
	}
	for _, r := range rows {
		if r.Name == rows[0].Name && r.Account == rows[0].Account {
			worst = append(worst, r)
		}
	}
	return worst, nil
}

// sideBySide makes one row of those that tell the same of one deal in several CRMs.
func sideBySide(rows []dealRow) []dealRow {
	var together []dealRow
	for _, r := range rows {
		same := func(o dealRow) bool {
			return o.Name == r.Name && o.Account == r.Account && o.total() == r.total() && o.Rating == r.Rating && o.Ghost == r.Ghost && o.Why == r.Why
		}
		if i := slices.IndexFunc(together, same); i >= 0 {
			together[i].Connection += ", " + r.Connection
		} else {
			together = append(together, r)
		}
	}
	return together
}

// welcome says where to look while the demo stays up.
func (d *demoView) welcome(worst []dealRow) {
	fmt.Fprintln(d.stdout, "\nWhere to look next")
	for _, r := range worst {
		i := slices.IndexFunc(d.cfg.Connections, func(c Connection) bool { return c.Name == r.Connection })
		fmt.Fprintf(d.stdout, "  %-28s %s/%s\n", "the worst deal in "+r.Connection, d.cfg.Connections[i].URL, r.ID)
	}
	fmt.Fprintf(d.stdout, `  why it scores as it does     %s --config %s explain %s:%s
  score deals from a file      %[1]s score FILE      (docs/cases.md says what goes into it)
  your own CRM                 README.md, "Against your own CRM"
`, program(), d.config, worst[0].Connection, worst[0].ID)
}

// farewell says where to look once the demo has left nothing behind.
func (d *demoView) farewell(worst dealRow) {
	fmt.Fprintf(d.stdout, `
The demo is over and has left nothing behind. Where to look next
  edit a deal in the CRM       %[1]s demo      in a terminal, where the CRMs stay up
  the same, step by step       %[1]s sandbox --write-config sandbox.toml      and beside it:
                               %[1]s --config sandbox.toml setup --apply
                               %[1]s --config sandbox.toml run --once
                               %[1]s --config sandbox.toml explain %[2]s:%[3]s
  score deals from a file      %[1]s score FILE      (docs/cases.md says what goes into it)
  your own CRM                 README.md, "Against your own CRM"
`, program(), worst.Connection, worst.ID)
}

// program is how this program can be called from where we are.
func program() string {
	name := os.Args[0]
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(name) {
		return name
	}
	if rel, err := filepath.Rel(here, name); err == nil && len(rel) < len(name) {
		return rel
	}
	return name
}

// watch keeps running, and tells of what people edit, until ctx ends.
func (d *demoView) watch(ctx context.Context, pause time.Duration) error {
	fmt.Fprintf(d.stdout, `
The CRMs stay up, and handoff runs every %s. Try it: open the page of a deal, set one of its items
to 2 as a CSM would, and save. The next run keeps your value, counts it, and says so here. Clear the field to
hand it back. Ctrl-C ends the demo and removes everything.

`, pause)
	known, err := d.edits(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintln(d.stdout)
			return nil
		case <-tick.C:
		}
		for i := range d.crms {
			if _, err := d.job(i).Run(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
		if ctx.Err() != nil {
			continue
		}
		now, err := d.edits(ctx)
		if err != nil {
			return err
		}
		for key, line := range now {
			if known[key] != line {
				fmt.Fprintf(d.stdout, "%s  %s\n", d.clock().Format(time.TimeOnly), line)
			}
		}
		for key := range known {
			if _, kept := now[key]; !kept {
				fmt.Fprintf(d.stdout, "%s  %s: %s is computed again\n", d.clock().Format(time.TimeOnly), key.deal, key.field)
			}
		}
		known = now
	}
}

type editKey struct{ deal, field string } // the deal in words that are safe to print

// edits describes each edit that people have made so far.
func (d *demoView) edits(ctx context.Context) (map[editKey]string, error) {
	list, err := d.db.List(ctx, jobs.Filter{})
	if err != nil {
		return nil, err
	}
	found := map[editKey]string{}
	for i := range list {
		h := &list[i]
		for field, edit := range h.Edits {
			row := newDealRow(d.engine, h)
			deal := fmt.Sprintf("%s (%s)", plain(row.Name), row.Connection)
			text := fmt.Sprintf("%s: %s = %s, %s: kept", deal, field, brief(edit.Value), by(edit))
			switch {
			case edit.Ignored != "":
				text += ", but not counted: " + edit.Ignored
			case row.Total != nil:
				text += ", total now " + row.total()
			}
			found[editKey{deal, field}] = plain(text)
		}
	}
	return found, nil
}

// slackStandIn takes what would go to a Slack channel.
type slackStandIn struct {
	url    string
	server *http.Server

	mu       sync.Mutex
	messages int
	last     []string // lines of the last message
}

func listenForSlack(ctx context.Context) (*slackStandIn, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &slackStandIn{url: "http://" + l.Addr().String()}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Second}
	go func() { _ = s.server.Serve(l) }() // ends with close, which has the error that counts
	return s, nil
}

func (s *slackStandIn) close() error { return s.server.Close() }

// ServeHTTP implements http.Handler.
func (s *slackStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Blocks []struct {
			Text struct {
				Text string `json:"text"`
			} `json:"text"`
		} `json:"blocks"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&message); err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages++
	s.last = nil
	for _, b := range message.Blocks {
		s.last = append(s.last, strings.Split(b.Text.Text, "\n")...)
	}
	fmt.Fprint(w, "ok")
}

// received returns how many messages came, and the lines of the last.
func (s *slackStandIn) received() (int, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages, s.last
}
