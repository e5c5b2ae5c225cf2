package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

func (a *app) checkCommand() *cobra.Command {
	var connection string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find out what would keep a run from doing its work",
		Long: `Looks at the configuration and the store, and in each CRM at login, permissions, fields and quota. Of
everything that is wrong it says where it is and what to do about it. Nothing in a CRM is changed.

It exits with 1 if there is any problem (✗), with 0 if there are only warnings (!).`,
		Example: `  handoff check
  handoff check --connection salesforce
  handoff check --json | jq 'select(.severity == "problem")'`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadConfig(a.env)
			if err != nil {
				return err
			}
			all := cfg.Connections
			if err := cfg.narrow(connection); err != nil {
				return useError{err}
			}
			return a.check(cmd.Context(), cfg, all, asJSON)
		},
	}
	cmd.Flags().StringVar(&connection, "connection", "", "only this connection")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// check prints what it finds on this machine and in the CRM of each connection of cfg, which may be some of all there are. Its
// error is errReported if any of that is a problem.
func (a *app) check(ctx context.Context, cfg *Config, all []Connection, asJSON bool) error {
	fields := jobs.Fields(cfg.Engine.Scorecard())
	checkups, err := a.checkups(ctx, cfg.Connections, fields)
	if err != nil {
		return err
	}
	chapters := []chapter{{title: "this machine", findings: a.checkMachine(ctx, cfg)}}
	var costs []usage // of all; nil: the store does not tell
	if chapters[0].worst() < connectors.Problem {
		if costs, err = usages(ctx, cfg.StoreURL, all, a.clock()); err != nil {
			return err
		}
	}
	found, places := make([]connectors.Checkup, len(all)), make([]int, len(checkups)) // by place in all; of those that are checked
	for i, conn := range cfg.Connections {
		places[i] = slices.IndexFunc(all, func(other Connection) bool { return other.Name == conn.Name })
		found[places[i]] = checkups[i]
	}
	for i := range cfg.Connections {
		conn := &cfg.Connections[i]
		findings := slices.Concat(checkups[i].Findings, overlaps(cfg.Connections, checkups, i), conn.check(a.clock()))
		if costs != nil {
			findings = append(findings, forecast(all, found, costs, places[i]))
		}
		for k := range findings {
			findings[k].Place = conn.place(findings[k].Place)
		}
		chapters = append(chapters, chapter{conn.Name, conn.Name + " (" + conn.URL + ")", findings})
	}
	if asJSON {
		err = printFindingsJSON(a.stdout, chapters)
	} else {
		printChapters(a.stdout, chapters)
	}
	for _, c := range chapters {
		if err == nil && c.worst() == connectors.Problem {
			err = errReported
		}
	}
	return err
}

// checkMachine looks at what a run needs beside a CRM.
func (a *app) checkMachine(ctx context.Context, cfg *Config) []connectors.Finding {
	findings := []connectors.Finding{checkStore(ctx, cfg.StoreURL)}
	if cfg.Listen != "" {
		findings = append(findings, checkListen(ctx, cfg.Listen))
	}
	if cfg.Slack != nil {
		findings = append(findings, connectors.Finding{Place: "slack.webhook", Text: "looks like the address of a webhook; nothing was posted to try it"})
	}
	return findings
}

// checkStore opens the store, which makes its file where there is none.
func checkStore(ctx context.Context, url string) connectors.Finding {
	f := connectors.Finding{Place: "store.url"}
	db, err := openHistory(ctx, url)
	if err == nil {
		err = errors.Join(db.TryWrite(ctx), db.Close())
	}
	if err == nil {
		f.Text = strings.TrimPrefix(url, "sqlite:") + " can be read and written"
		return f
	}
	f.Severity, f.Text = connectors.Problem, err.Error()
	if e := (*historyError)(nil); errors.As(err, &e) {
		f.Text, f.Remedy = e.Err.Error(), e.Remedy
	}
	return f
}

// checkups looks at all CRMs at the same time.
func (a *app) checkups(ctx context.Context, list []Connection, fields []crm.FieldSpec) ([]connectors.Checkup, error) {
	checkups, failed := make([]connectors.Checkup, len(list)), make([]error, len(list))
	bar := a.newProgress("check")
	defer bar.done()
	finished := make(chan struct{})
	for i := range list {
		go func() {
			checkups[i], failed[i] = a.checkup(ctx, &list[i], fields)
			finished <- struct{}{}
		}()
	}
	for n := range list {
		bar.set(n, len(list))
		<-finished
	}
	return checkups, errors.Join(failed...)
}

func (a *app) checkup(ctx context.Context, conn *Connection, fields []crm.FieldSpec) (connectors.Checkup, error) {
	c, err := a.connect(conn, fields, nil)
	if err != nil {
		return connectors.Checkup{}, err
	}
	checkup, err := c.Check(ctx)
	return checkup, placed(conn, err)
}

// check says what a connection will do by its configuration.
func (conn *Connection) check(now time.Time) []connectors.Finding {
	findings := []connectors.Finding{
		{Place: "schedule", Text: "next run: " + conn.next(conn.Schedule, now).Format("Mon 2 Jan 15:04 ") + conn.TimeZone},
		{Place: "since", Text: "a first run reads deals won since " + conn.Since.From(now).UTC().Format(time.DateOnly) + ", and none from before"},
	}
	if !conn.WriteBack {
		findings = append(findings, connectors.Finding{Place: "write_back", Text: "off; handoff reads and scores, and changes no deal",
			Remedy: "Look at `handoff run --once --dry-run`; when you like what it would write, set write_back = true"})
	}
	return findings
}

// overlaps warns where the i-th connection and another one would handle the same deals.
func overlaps(list []Connection, checkups []connectors.Checkup, i int) []connectors.Finding {
	var findings []connectors.Finding
	conn, found := &list[i], checkups[i]
	for j := range list {
		other := &list[j]
		if i == j {
			continue
		}
		if found.Account != "" && conn.CRM == other.CRM && found.Account == checkups[j].Account && !conn.excludes(other) {
			findings = append(findings, connectors.Finding{Severity: connectors.Warning, Place: "pipelines",
				Text:   fmt.Sprintf("connection %s reads the same %s, and neither pipelines nor deal_types keep their deals apart: both would score and write the same deals", other.Name, crms[conn.CRM].account),
				Remedy: "Give each of the two pipelines or deal_types that the other does not have, or remove one of them"})
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(found.Mirrored)) {
		for j := range list {
			if i != j && list[j].CRM == kind && found.Mirrored[kind] > 0 {
				findings = append(findings, connectors.Finding{Severity: connectors.Warning, Place: "pipelines",
					Text: fmt.Sprintf("%s of %s are copies of deals in %s, and connection %s reads those too: each would be scored and announced twice",
						count(found.Mirrored[kind], "won deal"), conn.Name, crms[kind].name, list[j].Name),
					Remedy: "Filter one of the two by pipelines, or remove it"})
			}
		}
	}
	return findings
}

// excludes reports whether the filters of two connections let no deal pass both.
func (conn *Connection) excludes(other *Connection) bool {
	return apart(conn.Pipelines, other.Pipelines) || apart(conn.DealTypes, other.DealTypes)
}

// apart reports whether two filters have nothing in common. An empty one lets everything pass.
func apart(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	return !slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return strings.EqualFold(x, y) })
	})
}
