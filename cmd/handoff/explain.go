package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func (a *app) explainCommand() *cobra.Command {
	var page string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain DEAL",
		Short: "Show a deal's scorecard with evidence, edits and history",
		Long: `Shows the stored scorecard of a deal, what a person should check first: the points of each item, who
gave them, why, the sentences they rest on in the record that they come from, and the question for
what is missing; what people changed; and what was written when. --html writes the same as a page
that needs nothing else, to read, send or print.
DEAL is the CRM's record id, "connection:id", or the exact name of the deal.`,
		Example: `  handoff explain "Northwind - Platform"
  handoff explain 0065g00000ABCDEAA4 --html northwind.html
  handoff explain salesforce:0065g00000ABCDEAA4 --json | jq .card.items`,
		Args: takes("DEAL: an id, connection:id or an exact name in quotes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if page == "-" && asJSON {
				return useError{errors.New("--html - and --json both take standard output; choose one")}
			}
			cfg, err := a.loadConfig(nil)
			if err != nil {
				return err
			}
			e, err := a.explanation(cmd.Context(), cfg, args[0])
			if err != nil {
				return err
			}
			switch page {
			case "":
			case "-":
				return e.printPage(a.stdout)
			default:
				if err := writePage(page, "explain.html", e.page()); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(a.stdout, e)
			}
			e.print(a.sheet())
			return nil
		},
	}
	cmd.Flags().StringVar(&page, "html", "", "also write the card to this file, as one page that needs nothing else; - prints that page alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// explanation reads what the store holds of a deal.
func (a *app) explanation(ctx context.Context, cfg *Config, deal string) (e *explanation, err error) {
	db, err := openHistory(ctx, cfg.StoreURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := db.Find(ctx, deal)
	if err != nil {
		return nil, err
	}
	switch len(found) {
	case 0:
		return nil, useError{fmt.Errorf("no scored deal is called %q. `handoff deals` lists them; a deal is scored once it is Closed Won and a run has seen it", deal)}
	case 1:
	default:
		t := newTable("deal", "name", "account", "closed")
		for _, h := range found {
			t.row(h.Connection+":"+h.DealID, h.Snapshot.Deal.Name, h.Snapshot.Deal.Account, day(h.Snapshot.Deal.CloseDate))
		}
		t.print(a.stdout)
		return nil, useError{fmt.Errorf("%q could be any of these %d deals. Name one as in the first column", deal, len(found))}
	}
	h := &found[0]
	writes, err := db.Writes(ctx, h.Connection, crm.Ref{Object: crm.DealObject, ID: h.DealID})
	if err != nil {
		return nil, err
	}
	if !h.Finalised {
		templates, err := db.Templates(ctx, h.Connection)
		if err != nil {
			return nil, err
		}
		h.MarkTemplates(templates)
	}
	return newExplanation(cfg.Engine, h, writes), nil
}

// explanation is all that is stored of a deal's score. Its JSON form is that of `handoff explain --json`.
type explanation struct {
	dealRow
	AsOf       time.Time            `json:"as_of"`
	Version    int                  `json:"version"`
	Acceptance string               `json:"acceptance"`
	Finalised  bool                 `json:"finalised"`
	Reopened   bool                 `json:"reopened"`
	Gone       jobs.Gone            `json:"gone,omitzero"` // why its record is not in the CRM any more; absent: it is
	Heir       string               `json:"heir,omitzero"` // the deal that it was merged into
	Parked     string               `json:"parked,omitempty"`
	Held       int64                `json:"held,omitzero"` // the run that was rolled back on it
	Card       *rules.Card          `json:"card"`          // with people's points in place
	Check      []string             `json:"check"`         // ids of the items that a person should check
	Records    map[string]recordRow `json:"records"`       // what evidence comes from, by its record
	Edits      map[string]jobs.Edit `json:"edits"`         // people's values by field
	Writes     []writeLine          `json:"writes"`

	items  []explainedItem // in the order of the card
	fields []crm.FieldSpec
}

type recordRow struct {
	Kind   string     `json:"kind"`
	Title  string     `json:"title,omitempty"`
	Author string     `json:"author,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

type writeLine struct {
	At     time.Time       `json:"at"`
	Run    int64           `json:"run"`
	Undoes int64           `json:"undoes,omitzero"` // the run that it took back
	State  jobs.WriteState `json:"state"`
	Detail string          `json:"detail,omitempty"`
	Before crm.Values      `json:"before"`
	After  crm.Values      `json:"after"`
}

// first reports whether the record held nothing of ours before: then the fields are the card, which is shown already.
func (l *writeLine) first() bool {
	for _, value := range l.Before {
		if value != "" && value != "false" { // a checkbox is never empty
			return false
		}
	}
	return true
}

func (l *writeLine) summary() string {
	s := fmt.Sprintf("run %d, %s, %s", l.Run, l.State, count(len(l.After), "field"))
	if l.Undoes != 0 {
		s += fmt.Sprintf(", rollback of run %d", l.Undoes)
	}
	if l.first() {
		s += ", none of which had a value before"
	}
	if l.Detail != "" {
		s += "; the CRM says: " + plain(l.Detail)
	}
	return s
}

func newExplanation(engine *rules.Engine, h *jobs.Handoff, writes []jobs.Write) *explanation {
	sc := engine.Scorecard()
	e := &explanation{
		dealRow: newDealRow(engine, h), AsOf: h.AsOf, Version: h.Version, Acceptance: h.Merged["acceptance"], Finalised: h.Finalised, Reopened: h.Reopened, Gone: h.Gone, Heir: h.Heir,
		Held: h.Held, Card: h.Edited(engine), Check: []string{}, Records: map[string]recordRow{}, Edits: h.Edits, fields: jobs.Fields(sc),
	}
	if h.Parked != nil {
		e.Parked = h.Parked.String()
	}
	for i := range e.Card.Items {
		it := &e.Card.Items[i]
		spec := sc.Item(it.ID)
		if spec == nil {
			continue
		}
		item := explainItem(it, spec, h.Card.Items[i].Score, h.Edits)
		item.Sources = e.sources(h.Snapshot, it.Evidence)
		if item.Check {
			e.Check = append(e.Check, it.ID)
		}
		e.items = append(e.items, item)
	}
	for _, w := range writes {
		e.Writes = append(e.Writes, writeLine{w.At, w.RunID, w.Undoes, w.State, w.Detail, w.Before, w.After})
	}
	return e
}

// explainedItem is an item as people read it. Text in it is safe to print.
type explainedItem struct {
	ID, Title, Category string

	Points  string // "?" while it is not read
	By      string // who set the points; empty: they are computed
	Check   bool   // a person should check it
	Reason  string
	Ask     string // the question that is open; empty: none
	Sources []quotedRecord
}

// quotedRecord is a record that evidence comes from.
type quotedRecord struct {
	Label   string // "Note “Kick-off”, by Dana Ruiz, 2026-09-28"
	ID      string // the CRM's; empty for a field of the deal
	Excerpt excerpt
	Warning string // what is doubtful about it; empty: nothing
}

// explainItem explains it, which has the points that people see, from what was computed and what people set.
func explainItem(it *rules.Item, spec *rules.ItemSpec, computed int, edits map[string]jobs.Edit) explainedItem {
	e := explainedItem{ID: it.ID, Title: spec.Title, Category: spec.Category, Points: strconv.Itoa(it.Score), Reason: plain(it.Reason)}
	edit, set := edits[jobs.ItemField(it.ID)]
	switch {
	case edit.Ignored != "":
		e.By = fmt.Sprintf("computed; %q, %s, does not count: %s", plain(edit.Value), plain(by(edit)), plain(edit.Ignored))
		set = false
	case set:
		e.By = fmt.Sprintf("%s (computed: %d)", plain(by(edit)), computed)
	}
	switch {
	case it.NotRead:
		e.Points = "?"
	case it.Score < 2:
		e.Ask = spec.Question
	}
	e.Check = jobs.ToCheck(it, set)
	return e
}

// sources returns the records that evidence comes from, in its order, and notes them in e.Records.
func (e *explanation) sources(s *crm.Snapshot, evidence []rules.Evidence) []quotedRecord {
	type place struct {
		quotedRecord
		text   string // the title or the text of the record
		quotes []string
	}
	var places []place
	for _, ev := range evidence {
		p := place{quotedRecord: quotedRecord{Label: plain(ev.Source), ID: plain(ev.Record)}}
		if o, ok := rules.OriginOf(s, ev); ok {
			e.Records[o.ID] = recordRow{o.Kind, o.Title, o.Author, o.At}
			p.Label, p.text = labelOf(&o), o.Text
			if !strings.Contains(o.Text, ev.Quote) && strings.Contains(o.Title, ev.Quote) {
				p.text = o.Title
			}
			if o.Kind == rules.FieldOrigin {
				p.ID = ""
			}
		}
		i := slices.IndexFunc(places, func(q place) bool { return q.Label == p.Label && q.ID == p.ID && q.text == p.text })
		if i < 0 {
			i, places = len(places), append(places, p)
		}
		places[i].quotes = append(places[i].quotes, ev.Quote)
		if ev.Template {
			places[i].Warning = fmt.Sprintf("The same words are on %d or more deals of %s: a template?", jobs.TemplateDeals, e.Connection)
		}
	}
	var records []quotedRecord
	for _, p := range places {
		p.Excerpt = newExcerpt(p.text, p.quotes)
		records = append(records, p.quotedRecord)
	}
	return records
}

// labelOf names a record for people.
func labelOf(o *rules.Origin) string {
	label := strings.ToUpper(o.Kind[:1]) + o.Kind[1:]
	if o.Kind == string(crm.Email) {
		label = "E-mail"
	}
	if o.Title != "" {
		label += " “" + plain(o.Title) + "”"
	}
	if o.Author != "" {
		label += ", by " + plain(o.Author)
	}
	if o.At != nil {
		label += ", " + o.At.UTC().Format(time.DateOnly)
	}
	return label
}

// fact is a line of the header.
type fact struct{ Name, Value string }

// facts says what there is to know of the deal and its card as a whole.
func (e *explanation) facts() []fact {
	var facts []fact
	add := func(name, value string) { facts = append(facts, fact{name, plain(value)}) }
	add("Account", e.Account)
	add("AE", e.AE)
	add("CSM", e.CSM)
	add("Closed", day(e.CloseDate))
	if e.Total == nil {
		add("Total", "not read: "+e.Why)
	} else {
		add("Total", fmt.Sprintf("%s  %s, %s", e.total(), e.Rating, e.Health))
		ghost := []string{string(e.Ghost)}
		if !e.Reopened { // the reasons are the kept card's, which a reopened deal's flag no longer follows
			ghost = append(ghost, e.Card.GhostReasons...)
		}
		add("Ghost", strings.Join(ghost, "; "))
	}
	add("Scored", fmt.Sprintf("as of %s, version %d", e.AsOf.UTC().Format(stamp), e.Version))
	add("Acceptance", e.Acceptance)
	if e.Finalised {
		add("State", "finalised: frozen by its CSM")
	}
	if e.Reopened {
		add("State", whereabouts(e.Gone, e.Heir)+"; the card is kept as it was")
	}
	if e.Held != 0 {
		add("Held", fmt.Sprintf("run %d was rolled back; nothing is written until `handoff rollback %d --release` lets it go", e.Held, e.Held))
	}
	if e.Parked != "" {
		add("Parked", fmt.Sprintf("the CRM refused the last write: %s. `handoff deals --parked` says what to do, and when it is tried again", e.Parked))
	}
	return facts
}

// howToCheck says what to look for in items to check.
const howToCheck = "The rules are not sure of these. Where words are quoted, see whether they mean what they were taken for; where none are, " +
	"see whether the record says it in words that the rules do not know."

// toCheck returns the items that a person should check.
func (e *explanation) toCheck() []explainedItem {
	return slices.DeleteFunc(slices.Clone(e.items), func(it explainedItem) bool { return !it.Check })
}

// itemsOf returns the items of a category.
func (e *explanation) itemsOf(category string) []explainedItem {
	return slices.DeleteFunc(slices.Clone(e.items), func(it explainedItem) bool { return it.Category != category })
}

// otherEdits says what people set in fields other than items'.
func (e *explanation) otherEdits() []string {
	var lines []string
	for _, field := range slices.Sorted(maps.Keys(e.Edits)) {
		if !slices.ContainsFunc(e.Card.Items, func(it rules.Item) bool { return jobs.ItemField(it.ID) == field }) {
			lines = append(lines, fmt.Sprintf("%s = %s, %s", field, brief(e.Edits[field].Value), plain(by(e.Edits[field]))))
		}
	}
	return lines
}

const stamp = "2006-01-02 15:04 MST"

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

func day(d *crm.Date) string {
	if d == nil {
		return "no date"
	}
	return d.String()
}
