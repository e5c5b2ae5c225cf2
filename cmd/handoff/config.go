package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

// Config is a configuration file, checked and with every default in place. config.example.toml explains each key.
type Config struct {
	StoreURL    string  // "sqlite:" and an absolute path
	Listen      string  // address that the service answers GET /healthz at; "": none
	Slack       *Secret // webhook that findings are posted to; nil: nowhere
	Engine      *rules.Engine
	Connections []Connection
}

// Connection is one CRM that deals are pulled from.
type Connection struct {
	Name         string
	CRM          string // one of crms
	URL          string
	Token        Secret // HubSpot's service key
	Auth         string // Salesforce: one of knownAuths
	ClientID     string
	ClientSecret Secret
	Username     string
	Password     Secret
	PrivateKey   Secret // in PEM
	APIVersion   string // of the CRM; "" is the connector's choice
	Spool        string // file for what a first run reads in bulk: beside the store

	Schedule  string // cron line
	Reconcile string // cron line of the reconciliation
	TimeZone  string // IANA name

	Since      since
	Overlap    time.Duration // 0 is the connector's choice
	Pipelines  []string
	DealTypes  []string
	MinAmount  *float64 // deals below it are scored by the version for small deals; nil: none is
	QuotaShare int      // percent of the CRM's API calls a day at which a run stops
	WriteBack  bool
	AlertsFrom *crm.Date // nil: from the first successful run on
	AsOf       asOf

	Methodology   string            // one of connectors.Methodologies; "": none
	Fields        map[string]string // the CRM's field for a neutral deal field
	HandoffFields map[string]string // the CRM's field for one of ours
}

// since is where a first run begins: a day, or so long before it.
type since struct {
	Day    *crm.Date
	Window time.Duration
}

// From returns the moment that a first run at now reads from.
func (s since) From(now time.Time) time.Time {
	if s.Day != nil {
		return s.Day.Time()
	}
	return now.Add(-s.Window)
}

// asOf is the moment that scores are for, in place of the clock: At, or each deal's own where Case is set. The zero value
// is the clock.
type asOf struct {
	At   *time.Time
	Case bool
}

// parseAsOf reads "case", a date or a moment in RFC 3339; "" is the clock.
func parseAsOf(s string) (asOf, error) {
	if s == "" {
		return asOf{}, nil
	}
	if s == "case" {
		return asOf{Case: true}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return asOf{At: &t}, nil
		}
	}
	return asOf{}, fmt.Errorf(`%q is not a moment. Write it as "2026-10-15T09:00:00Z" or "2026-10-15", or "case" for each deal's own`, s)
}

const (
	defaultConfigPath = "config.toml"
	defaultStore      = "sqlite:handoff.db"
	defaultSchedule   = "0 7 * * *"
	defaultReconcile  = "30 3 * * *"
	defaultWindow     = 90 * 24 * time.Hour
	defaultQuotaShare = 80 // percent
)

// loadConfig reads and checks a configuration file. Its error is a useError that lists every problem. With a nil env
// secrets are left out, for commands that do not call a CRM.
func loadConfig(path string, env lookupEnv) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, useError{fmt.Errorf("%s: %w. Copy config.example.toml to it and fill it in, or name another file with --config", path, cause(err))}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	top, bad := parseDocument(data)
	if bad != nil {
		return nil, useError{&configError{path, []problem{*bad}}}
	}
	c := &configReader{dir: dir, env: env}
	card, err := c.scorecard(top.sub("scorecard"))
	if err != nil {
		return nil, err
	}
	c.card = card
	for _, spec := range jobs.Fields(card) {
		c.ownFields = append(c.ownFields, spec.Name)
	}
	cfg := c.config(top)
	cfg.Engine = rules.NewEngine(card)
	if err := top.doc.err(path); err != nil {
		return nil, useError{err}
	}
	return cfg, nil
}

// connection returns the connection of that name. Its error says which there are.
func (c *Config) connection(name string) (*Connection, error) {
	var names []string
	for i := range c.Connections {
		if c.Connections[i].Name == name {
			return &c.Connections[i], nil
		}
		names = append(names, c.Connections[i].Name)
	}
	return nil, fmt.Errorf("there is no connection %q. %s", name, rules.Suggest(name, names))
}

// narrow keeps the connection of that name alone, as --connection asks; "" keeps all.
func (c *Config) narrow(name string) error {
	if name == "" {
		return nil
	}
	conn, err := c.connection(name)
	if err != nil {
		return fmt.Errorf("--connection: %w", err)
	}
	c.Connections = []Connection{*conn}
	return nil
}

// configReader turns a document into a Config.
type configReader struct {
	dir       string // that relative paths start at
	card      *rules.Scorecard
	env       lookupEnv
	ownFields []string // neutral names of our own fields
}

func (c *configReader) config(top *section) *Config {
	cfg := &Config{StoreURL: c.store(top.sub("store"))}

	server := top.sub("server")
	listen, ok := server.text("listen", exampleListen)
	if ok && !isListenAddress(listen) {
		server.problem("listen", "%q is not an address to listen at. Write listen = %q", listen, exampleListen)
	}
	cfg.Listen = listen
	server.done()

	slack := top.sub("slack")
	if slack.has("webhook") {
		webhook := c.secret(slack, "webhook")
		if err := checkURL(webhook.Reveal()); err != nil && webhook.Reveal() != "" {
			slack.problem("webhook", "the secret is not the address of a webhook: it should start with https://. Copy it from the Slack app, under Incoming Webhooks")
		}
		cfg.Slack = &webhook
	}
	slack.done()

	connections := top.sub("connections")
	for _, name := range connections.keys() {
		if !connectionName.MatchString(name) {
			connections.problem(name, "%q is no name for a connection. Use letters, digits, - and _", name)
		}
		conn := c.connection(name, connections.sub(name))
		conn.Spool = filepath.Join(filepath.Dir(strings.TrimPrefix(cfg.StoreURL, "sqlite:")), name+".spool")
		cfg.Connections = append(cfg.Connections, conn)
	}
	if len(cfg.Connections) == 0 {
		top.problem("connections", "no CRM is configured. Add a section [connections.NAME]; config.example.toml shows one")
	}
	top.done()
	return cfg
}

// scorecard reads the scorecard that deals are scored by; its error is that of loadScorecard.
func (c *configReader) scorecard(s *section) (*rules.Scorecard, error) {
	file, _ := s.text("file", "scorecard.toml")
	s.done()
	if file == "" {
		return rules.Builtin()
	}
	path := c.path(file)
	card, err := loadScorecard(path)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, f := range jobs.Fields(card) {
		if f.Object == crm.DealObject && taken[f.Name] {
			return nil, useError{fmt.Errorf("%s: handoff has another use for the field %s, so no category can be called that. Choose another name", path, f.Name)}
		}
		taken[f.Name] = true
	}
	return card, nil
}

// path returns a path of the configuration as seen from where the program runs.
func (c *configReader) path(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(c.dir, file)
}

const exampleListen = "127.0.0.1:8080"

func isListenAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, convErr := strconv.ParseUint(port, 10, 16)
	return err == nil && convErr == nil && n > 0
}

func (c *configReader) store(s *section) string {
	raw, ok := s.text("url", defaultStore)
	s.done()
	if !ok {
		raw = defaultStore
	}
	file, ok := strings.CutPrefix(raw, "sqlite:")
	if !ok || file == "" {
		s.problem("url", `this version keeps its history in SQLite. Write "sqlite:FILE"`) // the text may carry a password
		return ""
	}
	return "sqlite:" + c.path(file)
}

var connectionName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (c *configReader) connection(name string, s *section) Connection {
	conn := Connection{
		Name:      name,
		Pipelines: s.texts("pipelines", "New business"),
		DealTypes: s.texts("deal_types", "New Business"),
		MinAmount: s.amount("min_amount"),
		WriteBack: s.flag("write_back"),
	}
	conn.CRM = choice(s, "crm", "", slices.Sorted(maps.Keys(crms)))
	kind, known := crms[conn.CRM]
	if known {
		kind.login(c, s, &conn)
	} else {
		s.asked = s.keys() // which of them belong to the CRM is not known
	}
	if a := conn.MinAmount; a != nil && !(*a >= 0 && *a <= math.MaxFloat64) {
		s.problem("min_amount", "not an amount. Write min_amount = 5000")
	} else if a != nil && len(c.card.Small.Categories) == 0 {
		s.problem("min_amount", "the scorecard has no version for deals below it. Add [small] with its categories to the scorecard, or leave min_amount out")
	}
	if word, ok := s.text("methodology", "meddpicc"); ok && !slices.Contains(connectors.Methodologies(), word) {
		s.problem("methodology", "%q is not known here. This version knows %s", word, quoted(connectors.Methodologies()))
	} else {
		conn.Methodology = word
	}
	conn.QuotaShare = defaultQuotaShare
	if n, ok := value[int64](s, "quota_share", "a whole number", "80"); ok {
		if n < 1 || n > 100 {
			s.problem("quota_share", "%d is not between 1 and 100 percent. Write quota_share = %d", n, defaultQuotaShare)
		}
		conn.QuotaShare = int(n)
	}
	c.schedule(s, &conn)
	c.window(s, &conn)
	c.asOf(s, &conn)
	if known {
		conn.Fields = mapping(s.sub("fields"), kind.fields(), kind.example)
		own := s.sub("handoff_fields")
		conn.HandoffFields = mapping(own, c.ownFields, kind.ownExample)
		distinct(own, conn.HandoffFields, kind.ownSuffix, kind.ownExample)
	}
	s.done()
	return conn
}

// choice reads one of a few words; otherwise is the value of an absent key, and where it is empty the key is required.
func choice(s *section, key, otherwise string, known []string) string {
	word, ok := s.text(key, known[0])
	switch {
	case ok && !slices.Contains(known, word):
		s.problem(key, "%q is not known here. This version knows %s", word, quoted(known))
	case !ok && !s.has(key) && otherwise == "":
		s.problem(key, "missing. Write %s = %q; this version knows %s", key, known[0], quoted(known))
	case !ok:
		return otherwise
	}
	return word
}

func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = strconv.Quote(w)
	}
	return strings.Join(q, ", ")
}

func (c *configReader) secret(s *section, key string) Secret {
	ref, ok := s.text(key, "env:NAME")
	if !ok {
		return Secret{}
	}
	secret, err := readSecret(ref, c.dir, c.env)
	if err != nil {
		s.problem(key, "%v", err)
	}
	return secret
}

func (c *configReader) schedule(s *section, conn *Connection) {
	conn.TimeZone = "UTC"
	if zone, ok := s.text("time_zone", "Europe/London"); ok {
		if err := checkSchedule("@daily", zone); err != nil {
			s.problem("time_zone", "%v", err)
		}
		conn.TimeZone = zone
	}
	conn.Schedule = cronLine(s, "schedule", defaultSchedule)
	conn.Reconcile = cronLine(s, "reconcile", defaultReconcile)
}

// cronLine reads a key that says when a job runs.
func cronLine(s *section, key, otherwise string) string {
	line, ok := s.text(key, otherwise)
	if !ok {
		return otherwise
	}
	if err := checkSchedule(line, ""); err != nil {
		s.problem(key, "%v", err)
	}
	return line
}

func (c *configReader) window(s *section, conn *Connection) {
	conn.Since.Window = defaultWindow
	if raw, ok := s.text("since", "90d"); ok {
		if day, err := crm.ParseDate(raw); err == nil {
			conn.Since = since{Day: &day}
		} else if d, err := parseDuration(raw); err == nil {
			conn.Since = since{Window: d}
		} else {
			s.problem("since", `%q is neither a length of time nor a date. Write "90d" or "2026-01-01"`, raw)
		}
	}
	if raw, ok := s.text("overlap", "5m"); ok {
		d, err := parseDuration(raw)
		if err != nil {
			s.problem("overlap", `%q is no length of time. Write it as "30s", "5m" or "2h"`, raw)
		}
		conn.Overlap = d
	}
	if raw, ok := s.text("alerts_from", "2026-01-01"); ok {
		day, err := crm.ParseDate(raw)
		if err != nil {
			s.problem("alerts_from", "%v. Write alerts_from = \"2026-01-01\"", err)
		}
		conn.AlertsFrom = &day
	}
}

// parseDuration reads whole days ("90d") and what time.ParseDuration reads; more than nothing.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n <= 0 || n > 36500 {
			return 0, errors.New("not a number of days")
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = errors.New("not a length of time")
	}
	return d, err
}

func (c *configReader) asOf(s *section, conn *Connection) {
	raw, _ := s.text("as_of", "case")
	at, err := parseAsOf(raw)
	if err == nil && at != (asOf{}) {
		err = conn.allowsAsOf()
	}
	if err != nil {
		s.problem("as_of", "%v", err)
	}
	conn.AsOf = at
}

// allowsAsOf reports an error unless the connection's CRM is a sandbox on this machine: scores for another moment than now
// have no place in a real CRM.
func (conn *Connection) allowsAsOf() error {
	u, err := url.Parse(conn.URL)
	if err != nil || !isLoopback(u.Hostname()) {
		return errors.New("another moment than now is for `handoff sandbox` on this machine alone, and would put wrong scores into a real CRM. Leave it out")
	}
	return nil
}

// mapping reads a section of names, each of which must be one of known.
func mapping(s *section, known []string, example string) map[string]string {
	names := map[string]string{}
	for _, key := range s.keys() {
		if !slices.Contains(known, key) {
			s.problem(key, "unknown field. %s", rules.Suggest(key, known))
		}
		name, ok := s.text(key, example)
		if ok && name == "" {
			s.problem(key, "empty. Write the CRM's name of the field, such as %s = %q, or leave the line out", key, example)
		}
		names[key] = name
	}
	return names
}

// distinct refuses a CRM field without the suffix of custom ones, which handoff would overwrite, and one that two of ours
// would share.
func distinct(s *section, names map[string]string, suffix, example string) {
	owner := map[string]string{}
	for _, key := range s.keys() {
		name := names[key]
		folded := strings.ToLower(name)
		switch other, taken := owner[folded]; {
		case name == "":
		case !strings.HasSuffix(folded, suffix):
			s.problem(key, "%q is not a custom field; handoff would overwrite what you keep there. Name a field of its own, such as %s = %q", name, key, example)
		case taken:
			s.problem(key, "%q already holds %s. Each needs a field of its own", name, other)
		}
		owner[folded] = key
	}
}
