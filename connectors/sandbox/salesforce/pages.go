package salesforce

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/pages"
)

//go:embed pages
var pageFiles embed.FS

var (
	dealTemplate = pages.Parse(pageFiles, "pages/deal.html")

	site = &pages.Site{Name: "Sandbox org", Deal: "opportunity", Deals: "opportunities", Account: "account", User: adminFirstName + " " + adminLastName, Theme: pageTheme()}
)

func pageTheme() fs.FS {
	theme, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		panic(err) // "pages" is a valid path
	}
	return theme
}

// pageUser is who looks at the record pages and edits there: never the user of the integration.
var pageUser = user{ID: adminUserID, AllFields: true}

// pageRoutes adds the pages on which a person looks at deals as in a CRM, and edits them. They are no part of the API.
func (o *Org) pageRoutes(mux *http.ServeMux) {
	deal := dealPath("{id}")
	pages.Handle(mux, "GET /{$}", o.showDeals)
	pages.Handle(mux, "GET /{id}", o.findRecord)
	pages.Handle(mux, "GET "+deal, o.showDeal)
	pages.Handle(mux, "POST "+deal, o.editDeal)
	site.HandleAssets(mux)
}

// dealPath returns the address of an opportunity's page.
func dealPath(id string) string { return "/lightning/r/Opportunity/" + id + "/view" }

// findRecord redirects from an id to the record's page.
func (o *Org) findRecord(w http.ResponseWriter, r *http.Request) {
	id, ok := fullID(r.PathValue("id"))
	if !ok || !strings.HasPrefix(id, "006") {
		site.RenderProblem(w, http.StatusNotFound, "No such page", "The sandbox has pages for opportunities only: /{id} leads to one.")
		return
	}
	http.Redirect(w, r, dealPath(id), http.StatusFound)
}

// dealRow is an opportunity of the list as it is read.
type dealRow struct {
	ID, Name, Account, Owner, CloseDate, Currency, Rating, Health string
	Amount, Score, Max                                            *float64
	Ghost                                                         bool
}

func (row dealRow) line() pages.Line {
	line := pages.Line{URL: dealPath(row.ID), Name: row.Name, Account: row.Account, Owner: row.Owner, CloseDate: row.CloseDate,
		Score: points(row.Score), Max: points(row.Max), Badges: pages.Badges(row.Rating, row.Health, row.Ghost)}
	if row.Amount != nil {
		line.Amount = pages.Money(*row.Amount, row.Currency)
	}
	return line
}

// points returns a number as people read it; "" where there is none.
func points(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

func (o *Org) showDeals(w http.ResponseWriter, r *http.Request) {
	wanted := pages.ParseWanted(r)
	var count int
	var lines []pages.Line
	var scored bool
	err := o.read(r.Context(), func(db sqlx.QueryerContext) (err error) {
		scored = o.object("Opportunity").Field("Handoff_Score__c") != nil
		count, lines, err = o.dealLines(r.Context(), db, wanted)
		return err
	})
	site.RenderList(w, wanted, count, lines, scored, err)
}

// dealLines returns how many won opportunities match, and those of the wanted page, the newest first.
func (o *Org) dealLines(ctx context.Context, db sqlx.QueryerContext, wanted pages.Wanted) (count int, lines []pages.Line, err error) {
	column := func(name, otherwise string) string {
		if o.object("Opportunity").Field(name) == nil {
			return otherwise
		}
		return fmt.Sprintf("coalesce(o.%s, %s)", name, otherwise)
	}
	where := `FROM Opportunity o LEFT JOIN Account a ON a.Id = o.AccountId LEFT JOIN User u ON u.Id = o.OwnerId
		WHERE o.IsWon AND NOT o.IsDeleted`
	var args []any
	if wanted.Query != "" {
		where += ` AND (o.Name LIKE ? ESCAPE '\' OR a.Name LIKE ? ESCAPE '\' OR u.Name LIKE ? ESCAPE '\')`
		args = append(args, wanted.Like(), wanted.Like(), wanted.Like())
	}
	if err := sqlx.GetContext(ctx, db, &count, "SELECT count(*) "+where, args...); err != nil {
		return 0, nil, err
	}
	query := fmt.Sprintf(`SELECT o.Id AS id, o.Name AS name, coalesce(a.Name, '') AS account, coalesce(u.Name, '') AS owner,
			coalesce(o.CloseDate, '') AS closedate, o.Amount AS amount, coalesce(o.CurrencyIsoCode, '') AS currency,
			%s AS score, %s AS max, %s AS rating, %s AS health, %s AS ghost
		%s ORDER BY o.CloseDate DESC, o.Id LIMIT ? OFFSET ?`,
		column("Handoff_Score__c", "NULL"), column("Handoff_Max__c", "NULL"), column("Handoff_Rating__c", "''"),
		column("Handoff_Health__c", "''"), column("Handoff_Ghost__c", "0"), where)
	var rows []dealRow
	if err := sqlx.SelectContext(ctx, db, &rows, query, append(args, pages.PerPage, wanted.From)...); err != nil {
		return 0, nil, err
	}
	for _, row := range rows {
		lines = append(lines, row.line())
	}
	return count, lines, nil
}
