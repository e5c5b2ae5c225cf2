package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"handoff/connectors"
)

// settings are the keys of every connection that a finding or an error may point at, beside those of the CRM's login.
var settings = []string{"url", "schedule", "reconcile", "time_zone", "since", "overlap", "pipelines", "deal_types", "min_amount", "quota_share", "write_back"}

// place says where to look, as a person knows it: a key of the connection with its path in the configuration file, the CRM
// as a whole as the connection to it, anything else as the CRM calls it.
func (conn *Connection) place(where string) string {
	if where == crms[conn.CRM].name {
		return "connections." + conn.Name
	}
	section, _, _ := strings.Cut(where, ".")
	if slices.Contains(settings, where) || slices.Contains(crms[conn.CRM].loginKeys, where) || section == "fields" || section == "handoff_fields" {
		return "connections." + conn.Name + "." + where
	}
	return where
}

// placed says of an error from a connection where to look: at the key of the configuration that the connector names, else at
// the connection. Nil stays nil.
func placed(conn *Connection, err error) error {
	if err == nil {
		return nil
	}
	where := "connections." + conn.Name
	if e := (*connectors.Error)(nil); errors.As(err, &e) && e.Setting != "" {
		where = conn.place(e.Setting)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// chapter is what was found in one place.
type chapter struct {
	connection string // "": this machine
	title      string
	findings   []connectors.Finding // with the places as people know them
}

func (c chapter) worst() connectors.Severity {
	worst := connectors.Fine
	for _, f := range c.findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// severities are the names in JSON and the marks on a page.
var severities = map[connectors.Severity]struct{ name, mark string }{
	connectors.Fine:    {"ok", "✓"},
	connectors.Warning: {"warning", "!"},
	connectors.Problem: {"problem", "✗"},
}

// printChapters prints what was found for people, and the sum of it.
func printChapters(w io.Writer, chapters []chapter) {
	counts := map[connectors.Severity]int{}
	for _, c := range chapters {
		fmt.Fprintln(w, plain(c.title))
		notices := fold(c.findings)
		printNotices(w, notices)
		fmt.Fprintln(w)
		for _, n := range notices {
			counts[n.severity]++
		}
	}
	var sum []string
	if n := counts[connectors.Problem]; n > 0 {
		sum = append(sum, count(n, "problem"))
	}
	if n := counts[connectors.Warning]; n > 0 {
		sum = append(sum, count(n, "warning"))
	}
	if len(sum) == 0 {
		sum = []string{"Everything is in order."}
	}
	fmt.Fprintln(w, strings.Join(sum, ", "))
}

// notice is a finding, with all the places where the same was found.
type notice struct {
	severity     connectors.Severity
	text, remedy string
	places       []string
}

// fold makes one notice of findings that say the same, in the order of the first of them.
func fold(findings []connectors.Finding) []notice {
	var notices []notice
	for _, f := range findings {
		i := slices.IndexFunc(notices, func(n notice) bool {
			return n.severity == f.Severity && n.text == f.Text && n.remedy == f.Remedy
		})
		if i < 0 {
			i = len(notices)
			notices = append(notices, notice{severity: f.Severity, text: f.Text, remedy: f.Remedy})
		}
		if f.Place != "" && !slices.Contains(notices[i].places, f.Place) {
			notices[i].places = append(notices[i].places, f.Place)
		}
	}
	return notices
}

// mostPlaces is how many places of a notice are listed.
const mostPlaces = 6

func printNotices(w io.Writer, notices []notice) {
	for _, n := range notices {
		places := strings.Join(n.places[:min(mostPlaces, len(n.places))], ", ")
		if more := len(n.places) - mostPlaces; more > 0 {
			places += fmt.Sprintf(" and %d more", more)
		}
		if places != "" {
			places += ": "
		}
		fmt.Fprintf(w, "  %s %s\n", severities[n.severity].mark, plain(places+n.text))
		if n.remedy != "" {
			fmt.Fprintf(w, "    → %s\n", plain(n.remedy))
		}
	}
}

// findingLine is a finding as `handoff check --json` prints it.
type findingLine struct {
	Connection string `json:"connection"` // "": this machine
	Severity   string `json:"severity"`
	Place      string `json:"place"`
	Text       string `json:"text"`
	Remedy     string `json:"remedy"`
}

func printFindingsJSON(w io.Writer, chapters []chapter) error {
	var lines []findingLine
	for _, c := range chapters {
		for _, f := range c.findings {
			lines = append(lines, findingLine{c.connection, severities[f.Severity].name, f.Place, f.Text, f.Remedy})
		}
	}
	return printJSON(w, lines...)
}
