package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"handoff/crm"
	"handoff/jobs"
	"handoff/rules"
)

func (a *app) dealsCommand() *cobra.Command {
	var filter jobs.Filter
	var asJSON, parked bool
	cmd := &cobra.Command{
		Use:   "deals",
		Short: "List the scored deals, those to look at, or those that the CRM refuses to write",
		Long: `Lists the deals of the last runs with total, rating and ghost flag. --flagged shows those that a
manager should look at: ghost handoffs, cards rated Incomplete, and small deals with an empty category.
--parked shows the deals and accounts whose last write the CRM refused, in its own words, with what to do
about it and when it is tried again: soon where another process held the record, after an hour and then
ever later where a rule refused it, after a day where it waits for an approval; and with the next run
once anyone changes the record, its score changes, or an option or a field was missing.
"handoff setup --apply" has all of them tried again.`,
		Example: `  handoff deals --flagged
  handoff deals --parked
  handoff deals --connection salesforce --json | jq 'select(.total < 20) | .name'`,
		Args: takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if parked && filter.Flagged {
				return useError{errors.New("--flagged lists deals by their score, --parked by what the CRM refused. Use one of them")}
			}
			cfg, err := a.loadConfig(nil)
			if err != nil {
				return err
			}
			if _, err := cfg.connection(filter.Connection); filter.Connection != "" && err != nil {
				return useError{fmt.Errorf("--connection: %w", err)}
			}
			db, err := openHistory(cmd.Context(), cfg.StoreURL)
			if err != nil {
				return err
			}
			list := a.deals
			if parked {
				list = a.parked
			}
			return errors.Join(list(cmd.Context(), cfg, db, filter, asJSON), db.Close())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&filter.Flagged, "flagged", false, "only those that a manager should look at")
	flags.BoolVar(&parked, "parked", false, "those whose last write the CRM refused, and accounts")
	flags.StringVar(&filter.Connection, "connection", "", "only this connection")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func (a *app) deals(ctx context.Context, cfg *Config, db *history, filter jobs.Filter, asJSON bool) error {
	list, err := db.List(ctx, filter)
	if err != nil {
		return err
	}
	rows := make([]dealRow, len(list))
	for i := range list {
		rows[i] = newDealRow(cfg.Engine, &list[i])
	}
	if asJSON {
		return printJSON(a.stdout, rows...)
	}
	switch {
	case len(rows) > 0:
		printDeals(a.stdout, rows)
	case filter.Flagged:
		fmt.Fprintln(a.stdout, "No deal is flagged.")
	default:
		fmt.Fprintln(a.stdout, "No deal has been scored yet. `handoff run --once` does it.")
	}
	return nil
}

// dealRow is a deal in a list. Its JSON form is that of `handoff deals --json`.
type dealRow struct {
	Connection string      `json:"connection"`
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Account    string      `json:"account"`
	CloseDate  *crm.Date   `json:"close_date"`
	Total      *int        `json:"total"` // null: parts of the record are not read
	Max        int         `json:"max"`
	Small      bool        `json:"small,omitzero"` // by the version for small deals, whose points do not compare with the others'
	Rating     string      `json:"rating"`
	Health     string      `json:"health"`
	Ghost      rules.Ghost `json:"ghost"`
	Flagged    bool        `json:"flagged"`
	Why        string      `json:"why"`
	AE         string      `json:"ae"`
	CSM        string      `json:"csm"`
}

func newDealRow(engine *rules.Engine, h *jobs.Handoff) dealRow {
	deal, card := &h.Snapshot.Deal, h.Edited(engine)
	row := dealRow{
		Connection: h.Connection, ID: h.DealID, Name: deal.Name, Account: deal.Account, CloseDate: deal.CloseDate,
		Max: card.Max, Small: card.Small, Flagged: h.Flagged(), Why: why(h, card),
	}
	if deal.Owner != nil {
		row.AE = deal.Owner.Name
	}
	if deal.CSM != nil {
		row.CSM = deal.CSM.Name
	}
	if !card.Unread() {
		row.Total, row.Rating, row.Health, row.Ghost = &card.Total, card.Rating, card.Health, card.Ghost
	}
	if h.Reopened {
		row.Ghost = rules.GhostNo
	}
	return row
}

// why says in a few words what is wrong with a handoff; empty: nothing to act on.
func why(h *jobs.Handoff, card *rules.Card) string {
	switch {
	case h.Reopened:
		return whereabouts(h.Gone, h.Heir)
	case card.Unread():
		return "parts of the record could not be read"
	case card.Ghost == rules.GhostYes && len(card.GhostReasons) > 0:
		return fmt.Sprintf("%s (%s)", card.GhostReasons[0], card.GhostReasons[len(card.GhostReasons)-1])
	case !h.Flagged():
		return ""
	}
	weak := slices.Clone(card.Categories)
	slices.SortStableFunc(weak, func(a, b rules.Category) int { return a.Points*b.Max - b.Points*a.Max })
	parts := make([]string, 0, 2)
	for _, c := range weak[:min(2, len(weak))] {
		parts = append(parts, fmt.Sprintf("%s %d/%d", c.Name, c.Points, c.Max))
	}
	return strings.Join(parts, ", ")
}

// whereabouts says why a deal is none of ours any more.
func whereabouts(gone jobs.Gone, heir string) string {
	switch gone {
	case jobs.GoneDeleted:
		return "deleted in the CRM"
	case jobs.GoneMerged:
		return "merged into deal " + heir
	case jobs.GoneMissing:
		return "not to be found in the CRM any more: removed for good, or hidden from the user that handoff logs in as"
	}
	return "not a won deal of this connection any more"
}

func printDeals(w io.Writer, rows []dealRow) {
	t := newTable("deal", "account", "connection", "total", "rating", "ghost", "why", "AE / CSM")
	for _, r := range rows {
		t.row(r.Name, r.Account, r.Connection, r.total(), r.Rating, string(r.Ghost), r.Why, people(r.AE, r.CSM))
	}
	t.print(w)
}

func (r *dealRow) total() string {
	if r.Total == nil {
		return "not read"
	}
	return points(*r.Total, r.Max, r.Small)
}

func people(ae, csm string) string {
	if csm == "" {
		csm = "no CSM"
	}
	if ae == "" {
		ae = "no AE"
	}
	return ae + " / " + csm
}
