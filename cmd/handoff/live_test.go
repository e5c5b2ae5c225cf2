//go:build live

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
)

// This file is compiled by `make live-test` alone: it calls a real org or portal, which the environment names.

// liveCRM is how the environment names a CRM to try.
type liveCRM struct {
	name     string
	required []string // variables without which there is nothing to try
	deal     string   // variable with the id of the deal whose field is changed for a moment
	section  string   // of the configuration, without its heading
}

func liveCRMs() []liveCRM {
	salesforce := liveCRM{
		name: "salesforce", deal: "HANDOFF_LIVE_SALESFORCE_DEAL",
		required: []string{"HANDOFF_LIVE_SALESFORCE_URL", "HANDOFF_LIVE_SALESFORCE_CLIENT_ID", "HANDOFF_LIVE_SALESFORCE_CLIENT_SECRET"},
	}
	salesforce.section = fmt.Sprintf("crm = \"salesforce\"\nurl = %q\nclient_id = %q\nclient_secret = \"env:HANDOFF_LIVE_SALESFORCE_CLIENT_SECRET\"\n",
		os.Getenv("HANDOFF_LIVE_SALESFORCE_URL"), os.Getenv("HANDOFF_LIVE_SALESFORCE_CLIENT_ID"))
	hubspot := liveCRM{
		name: "hubspot", deal: "HANDOFF_LIVE_HUBSPOT_DEAL", required: []string{"HANDOFF_LIVE_HUBSPOT_TOKEN"},
		section: "crm = \"hubspot\"\ntoken = \"env:HANDOFF_LIVE_HUBSPOT_TOKEN\"\n",
	}
	if url := os.Getenv("HANDOFF_LIVE_HUBSPOT_URL"); url != "" {
		hubspot.section += fmt.Sprintf("url = %q\n", url)
	}
	return []liveCRM{salesforce, hubspot}
}

// TestLive tries each CRM that the environment names: the check, a pull of a few deals, and one field of one deal there and
// back. It shows counts and our own texts, never what a deal's notes say.
func TestLive(t *testing.T) {
	for _, l := range liveCRMs() {
		t.Run(l.name, func(t *testing.T) {
			var unset []string
			for _, variable := range l.required {
				if os.Getenv(variable) == "" {
					unset = append(unset, variable)
				}
			}
			switch {
			case len(unset) == len(l.required):
				t.Skipf("not tried: set %s to try it (docs/SETUP.md)", strings.Join(l.required, ", "))
			case len(unset) > 0:
				t.Fatalf("also set %s (docs/SETUP.md)", strings.Join(unset, ", "))
			}
			ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
			defer cancel()
			t.Run("check", func(t *testing.T) { l.check(ctx, t) })
			t.Run("reads", func(t *testing.T) { l.reads(ctx, t) })
			t.Run("one field there and back", func(t *testing.T) { l.thereAndBack(ctx, t) })
		})
	}
}

// write makes a configuration file with the connection, whose first run goes back as far as since.
func (l liveCRM) write(t *testing.T, since string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("[connections."+l.name+"]\n"+l.section+"since = \""+since+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// connect returns the connector of the connection. It makes no call yet.
func (l liveCRM) connect(t *testing.T, since string) connectors.Connector {
	t.Helper()
	a := &app{stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, clock: time.Now, configPath: l.write(t, since), log: newLogger(os.Stderr, 0)}
	cfg, err := a.loadConfig(a.env)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.connect(&cfg.Connections[0], jobs.Fields(engine.Scorecard()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l liveCRM) check(ctx context.Context, t *testing.T) {
	var out bytes.Buffer
	code := run(ctx, []string{"--config", l.write(t, "1d"), "check"}, strings.NewReader(""), &out, &out, os.LookupEnv, time.Now)
	t.Logf("handoff check:\n%s", out.String())
	if code != exitDone {
		t.Errorf("handoff check: exit %d", code)
	}
}

var errEnough = errors.New("enough deals are read")

// reads pulls the first batch of the deals that were won last, from the shortest window that holds any.
func (l liveCRM) reads(ctx context.Context, t *testing.T) {
	for _, window := range []string{"1d", "7d", "30d", "90d"} {
		c := l.connect(t, window)
		var read []connectors.Record
		err := c.Pull(ctx, nil, func(b connectors.Batch) error {
			if read = b.Records; len(read) > 0 {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
		if len(read) == 0 {
			t.Logf("no deal was won within %s (%s)", window, count(c.Calls(), "call"))
			continue
		}
		contacts, notes, activities, unread := 0, 0, 0, map[crm.Part]int{}
		for _, r := range read {
			contacts += len(r.Snapshot.Contacts)
			notes += len(r.Snapshot.Notes)
			activities += len(r.Snapshot.Activities)
			for _, part := range r.Snapshot.Unread {
				unread[part]++
			}
		}
		t.Logf("%s, won within %s, with %s, %s, %s (%s)", count(len(read), "deal"), window,
			count(contacts, "contact"), count(notes, "note"), count(activities, "activity record"), count(c.Calls(), "call"))
		for part, deals := range unread {
			t.Logf("not read: %s of %s", part, count(deals, "deal"))
		}
		return
	}
}

// probed is the field that is changed for a moment, by its neutral name and its label: no score depends on it.
const (
	probed      = "next_action"
	probedLabel = "Handoff Next Action"
)

const probe = "This text is from make live-test, which puts back what stood here before."

// thereAndBack writes one field of the deal that the environment names, reads it, and puts back what was there, whatever
// happens in between.
func (l liveCRM) thereAndBack(ctx context.Context, t *testing.T) {
	deal := os.Getenv(l.deal)
	if deal == "" {
		t.Fatalf("%s is not set: put the record id of a deal into it whose field %q may be changed for a moment. Nothing was written", l.deal, probedLabel)
	}
	c := l.connect(t, "1d")
	get := func(ctx context.Context) (id, value string, err error) {
		found, err := c.ReadValues(ctx, crm.DealObject, []string{deal})
		if err != nil {
			return "", "", err
		}
		for id, values := range found { // one, whose id may be in a longer form
			value, there := values[probed]
			if !there {
				return "", "", fmt.Errorf("deal %s has no field %q that we may see: see `handoff setup`", deal, probedLabel)
			}
			return id, value, nil
		}
		return "", "", fmt.Errorf("there is no deal %s that we may see", deal)
	}
	put := func(ctx context.Context, id, value string) error {
		outcomes, err := c.Write(ctx, []crm.Update{{Ref: crm.Ref{Object: crm.DealObject, ID: id}, Values: crm.Values{probed: value}}})
		if err == nil && outcomes[0].Err != nil {
			err = outcomes[0].Err
		}
		return err
	}

	id, before, err := get(ctx)
	switch {
	case err != nil:
		t.Fatalf("%v. Nothing was written", err)
	case before == probe:
		t.Fatalf("deal %s still holds the text of a live-test that was killed: clear it, and the next run computes it again. Nothing was written", deal)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		for range 3 {
			err := put(ctx, id, before)
			if err == nil {
				var now string
				if _, now, err = get(ctx); err == nil && now == before {
					t.Logf("deal %s holds again what it held before", deal)
					return
				}
			}
			t.Logf("not put back yet (%v)", err)
		}
		t.Errorf("deal %s is NOT as it was: set the field %q to %q by hand", deal, probedLabel, before)
	}()
	if err := put(ctx, id, probe); err != nil {
		t.Fatal(err)
	}
	if _, now, err := get(ctx); err != nil || now != probe {
		t.Fatalf("written %q, read %q (%v)", probe, now, err)
	}
	t.Logf("deal %s: the field was written and read back", deal)
}
