package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func (a *app) explainCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain DEAL",
		Short: "Show a deal's scorecard with evidence, edits and history",
		Long: `Shows the stored scorecard of a deal: the points of each item, who gave them, why, the passages they
rest on, and the question for what is missing; what people changed; and what was written when.
DEAL is the CRM's record id, "connection:id", or the exact name of the deal.`,
		Example: `  handoff explain "Northwind - Platform"
  handoff explain 0065g00000ABCDEAA4
  handoff explain salesforce:0065g00000ABCDEAA4 --json | jq .card.items`,
		Args: takes("DEAL: an id, connection:id or an exact name in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfig(nil)
			if err != nil {
				return err
			}
			return a.explain(cmd.Context(), cfg, args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (a *app) explain(ctx context.Context, cfg *Config, deal string, asJSON bool) (err error) {
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := db.Find(ctx, deal)
	if err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return useError{fmt.Errorf("no scored deal is called %q. `handoff deals` lists them; a deal is scored once it is Closed Won and a run has seen it", deal)}
	case 1:
	default:
		t := newTable("deal", "name", "account", "closed")
		for _, h := range found {
			t.row(h.Connection+":"+h.DealID, h.Snapshot.Deal.Name, h.Snapshot.Deal.Account, day(h.Snapshot.Deal.CloseDate))
		}
		t.print(a.stdout)
		return useError{fmt.Errorf("%q could be any of these %d deals. Name one as in the first column", deal, len(found))}
	}
	h := &found[0]
	writes, err := db.Writes(ctx, h.Connection, crm.Ref{Object: crm.DealObject, ID: h.DealID})
	if err != nil {
		return err
	}
	e := newExplanation(cfg.Engine, h, writes)
	if asJSON {
		return printJSON(a.stdout, e)
	}
	e.print(a.stdout, cfg.Engine.Scorecard())
	return nil
}

// explanation is all that is stored of a deal's score. Its JSON form is that of `handoff explain --json`.
type explanation struct {
	dealRow
	AsOf       time.Time            `json:"as_of"`
	Version    int                  `json:"version"`
	Acceptance string               `json:"acceptance"`
	Finalised  bool                 `json:"finalised"`
	Reopened   bool                 `json:"reopened"`
	Parked     string               `json:"parked,omitempty"`
	Card       *rules.Card          `json:"card"`  // with people's points in place
	Edits      map[string]jobs.Edit `json:"edits"` // people's values by field
	Writes     []writeLine          `json:"writes"`

	computed map[string]int // points of each item as computed
}

type writeLine struct {
	At     time.Time       `json:"at"`
	Run    int64           `json:"run"`
	State  jobs.WriteState `json:"state"`
	Detail string          `json:"detail,omitempty"`
	Before crm.Values      `json:"before"`
	After  crm.Values      `json:"after"`
}

func newExplanation(engine *rules.Engine, h *jobs.Handoff, writes []jobs.Write) explanation {
	e := explanation{
		dealRow: newDealRow(engine, h), AsOf: h.AsOf, Version: h.Version, Acceptance: h.Merged["acceptance"], Finalised: h.Finalised, Reopened: h.Reopened,
		Parked: h.Parked, Card: h.Edited(engine), Edits: h.Edits, computed: map[string]int{},
	}
	for _, it := range h.Card.Items {
		e.computed[it.ID] = it.Score
	}
	for _, w := range writes {
		e.Writes = append(e.Writes, writeLine{w.At, w.RunID, w.State, w.Detail, w.Before, w.After})
	}
	return e
}

const (
	stamp     = "2006-01-02 15:04 MST"
	lineWidth = 100
)

func (e *explanation) print(w io.Writer, sc *rules.Scorecard) {
	fmt.Fprintf(w, "%s  (%s:%s)\n\n", plain(e.Name), e.Connection, e.ID)
	e.printHeader(w)
	for _, c := range e.Card.Categories {
		fmt.Fprintf(w, "\n%s  %d/%d\n", c.Name, c.Points, c.Max)
		for i := range e.Card.Items {
			if spec := sc.Item(e.Card.Items[i].ID); spec != nil && spec.Category == c.Name {
				e.printItem(w, &e.Card.Items[i], spec)
			}
		}
	}
	e.printEdits(w)
	e.printWrites(w, jobs.Fields(sc))
}

func (e *explanation) printHeader(w io.Writer) {
	pair := func(name, value string) { fmt.Fprintf(w, "  %-11s %s\n", name, plain(value)) }
	pair("Account", e.Account)
	pair("AE", e.AE)
	pair("CSM", e.CSM)
	pair("Closed", day(e.CloseDate))
	if e.Total == nil {
		pair("Total", "not read: "+e.Why)
	} else {
		pair("Total", fmt.Sprintf("%d/%d  %s, %s", *e.Total, e.Max, e.Rating, e.Health))
		ghost := []string{string(e.Ghost)}
		if !e.Reopened { // the reasons are the kept card's, which a reopened deal's flag no longer follows
			ghost = append(ghost, e.Card.GhostReasons...)
		}
		pair("Ghost", strings.Join(ghost, "; "))
	}
	pair("Scored", fmt.Sprintf("as of %s, version %d", e.AsOf.UTC().Format(stamp), e.Version))
	pair("Acceptance", e.Acceptance)
	if e.Finalised {
		pair("State", "finalised: frozen by its CSM")
	}
	if e.Reopened {
		pair("State", "not a won deal of this connection any more; the card is kept as it was")
	}
	if e.Parked != "" {
		pair("Parked", "the CRM refused the last write: "+e.Parked)
	}
}

func (e *explanation) printItem(w io.Writer, it *rules.Item, spec *rules.ItemSpec) {
	mark := fmt.Sprint(it.Score)
	if it.NotRead {
		mark = "?"
	}
	fmt.Fprintf(w, "  %s  %s %s\n", mark, it.ID, spec.Title)
	if edit, ok := e.Edits[jobs.ItemField(it.ID)]; ok {
		note := fmt.Sprintf("%s (computed: %d)", by(edit), e.computed[it.ID])
		if edit.Ignored != "" {
			note = fmt.Sprintf("computed; %q, %s, does not count: %s", edit.Value, by(edit), edit.Ignored)
		}
		indent(w, "scored    ", note)
	} else if !it.NotRead {
		indent(w, "scored    ", "computed")
	}
	indent(w, "because   ", it.Reason)
	for _, ev := range it.Evidence {
		indent(w, "evidence  ", fmt.Sprintf("“%s” (%s)", plain(ev.Quote), plain(ev.Source)))
	}
	if it.Score < 2 && !it.NotRead {
		indent(w, "ask       ", spec.Question)
	}
	if !it.Sure {
		indent(w, "check     ", "the record can be read in more than one way; a person should look")
	}
}

// by says who made an edit and when, as exactly as the CRM tells.
func by(e jobs.Edit) string {
	at := e.At.UTC().Format(stamp)
	switch {
	case e.By == "":
		return "set by a person, before " + at
	case e.Exact:
		return fmt.Sprintf("set by %s at %s", e.By, at)
	}
	return fmt.Sprintf("set by %s or later, before %s", e.By, at)
}

// printEdits lists what people set in fields other than items'.
func (e *explanation) printEdits(w io.Writer) {
	var fields []string
	for field := range e.Edits {
		if !slices.ContainsFunc(e.Card.Items, func(it rules.Item) bool { return jobs.ItemField(it.ID) == field }) {
			fields = append(fields, field)
		}
	}
	if len(fields) == 0 {
		return
	}
	slices.Sort(fields)
	fmt.Fprintln(w, "\nSet by people, and kept")
	for _, field := range fields {
		fmt.Fprintf(w, "  %s = %s, %s\n", field, brief(e.Edits[field].Value), plain(by(e.Edits[field])))
	}
}

func (e *explanation) printWrites(w io.Writer, fields []crm.FieldSpec) {
	if len(e.Writes) == 0 {
		fmt.Fprintln(w, "\nNothing has been written to the CRM yet.")
		return
	}
	fmt.Fprintln(w, "\nWritten to the CRM")
	for _, l := range e.Writes {
		fmt.Fprintf(w, "  %s  run %d, %s, %s\n", l.At.UTC().Format(stamp), l.Run, l.State, count(len(l.After), "field"))
		if l.Detail != "" {
			fmt.Fprintf(w, "    the CRM says: %s\n", plain(l.Detail))
		}
		printChanges(w, fields, l.Before, l.After)
	}
}

// indent prints s behind a label, wrapped at words.
func indent(w io.Writer, label, s string) {
	for line := range strings.Lines(text.WrapSoft(plain(s), lineWidth-len("       ")-len(label))) {
		fmt.Fprintf(w, "       %s%s\n", label, strings.TrimSpace(line))
		label = strings.Repeat(" ", len(label))
	}
}

func day(d *crm.Date) string {
	if d == nil {
		return "no date"
	}
	return d.String()
}
