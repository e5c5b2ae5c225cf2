package hubspot

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/pages"
)

//go:embed pages
var pageFiles embed.FS

var (
	dealTemplate = pages.Parse(pageFiles, "pages/deal.html")

	site = &pages.Site{Name: "Sandbox portal", Deal: "deal", Deals: "deals", Account: "company", User: pageUserName, Theme: pageTheme()}
)

func pageTheme() fs.FS {
	theme, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		panic(err) // "pages" is a valid path
	}
	return theme
}

// pageRoutes adds the pages on which a person looks at deals as in a CRM, and edits them. They are no part of the API.
func (p *Portal) pageRoutes(mux *http.ServeMux) {
	deal := dealPath("{id}")
	pages.Handle(mux, "GET /{$}", p.showDeals)
	pages.Handle(mux, "GET /{id}", p.findRecord)
	pages.Handle(mux, "GET "+deal, p.showDeal)
	pages.Handle(mux, "POST "+deal, p.editDeal)
	site.HandleAssets(mux)
}

// dealPath returns the address of a deal's page.
func dealPath(id string) string { return fmt.Sprintf("/contacts/%d/record/0-3/%s", portalID, id) }

// findRecord redirects from an id to the record's page.
func (p *Portal) findRecord(w http.ResponseWriter, r *http.Request) {
	found, err := p.records(r.Context(), p.object("deals"), []string{r.PathValue("id")}, false, wanted{})
	switch {
	case err != nil:
		pages.Render(w, http.StatusInternalServerError, dealTemplate, nil, err)
	case len(found) == 0:
		site.RenderProblem(w, http.StatusNotFound, "No such page", "The sandbox has pages for deals only: /{id} leads to one.")
	default:
		http.Redirect(w, r, dealPath(found[0].ID), http.StatusFound)
	}
}

// ownPrefix begins the names of the properties that hold a deal's handoff scorecard.
const ownPrefix = "handoff_"

// dealRow is a deal of the list as it is read.
type dealRow struct {
	ID, Name, Company, Owner, Closed, Amount, Currency, Score, Max, Rating, Health, Ghost string
}

func (p *Portal) showDeals(w http.ResponseWriter, r *http.Request) {
	wanted := pages.ParseWanted(r)
	var count int
	var lines []pages.Line
	var scored bool
	err := p.read(func() (err error) {
		scored = p.object("deals").property(ownPrefix+"score") != nil
		count, lines, err = p.dealLines(r.Context(), wanted)
		return err
	})
	site.RenderList(w, wanted, count, lines, scored, err)
}

// dealLines returns how many won deals match, and those of the wanted page, the newest first. The caller holds p's lock.
func (p *Portal) dealLines(ctx context.Context, wanted pages.Wanted) (count int, lines []pages.Line, err error) {
	column := func(name string) string {
		if p.object("deals").property(name) == nil {
			return "''"
		}
		return "coalesce(" + name + ", '')"
	}
	from := fmt.Sprintf(`FROM (SELECT CAST(hs_object_id AS TEXT) AS id, coalesce(dealname, '') AS name, coalesce(hubspot_owner_id, '') AS owner,
			coalesce(substr(closedate, 1, 10), '') AS closed, coalesce(amount, '') AS amount, coalesce(deal_currency_code, '') AS currency,
			%s AS score, %s AS max, %s AS rating, %s AS health, %s AS ghost,
			coalesce((SELECT c.name FROM association a JOIN companies c ON c.hs_object_id = a.to_id WHERE a.from_object = 'deals'
				AND a.from_id = deals.hs_object_id AND a.to_object = 'companies' ORDER BY a.type_id LIMIT 1), '') AS company
		FROM deals WHERE _archived_at IS NULL AND hs_is_closed_won = 'true')`,
		column(ownPrefix+"score"), column(ownPrefix+"max"), column(ownPrefix+"rating"), column(ownPrefix+"health"), column(ownPrefix+"ghost"))
	var args []any
	if wanted.Query != "" {
		owners := []string{""}
		for _, o := range p.owners {
			if strings.Contains(strings.ToLower(o.name()), strings.ToLower(wanted.Query)) {
				owners = append(owners, o.ID)
			}
		}
		where, whereArgs, err := sqlx.In(` WHERE name LIKE ? ESCAPE '\' OR company LIKE ? ESCAPE '\' OR owner <> '' AND owner IN (?)`, wanted.Like(), wanted.Like(), owners)
		if err != nil {
			return 0, nil, err
		}
		from, args = from+where, whereArgs
	}
	if err := p.db.GetContext(ctx, &count, "SELECT count(*) "+from, args...); err != nil {
		return 0, nil, err
	}
	var rows []dealRow
	if err := p.db.SelectContext(ctx, &rows, "SELECT * "+from+" ORDER BY closed DESC, id LIMIT ? OFFSET ?", append(args, pages.PerPage, wanted.From)...); err != nil {
		return 0, nil, err
	}
	for _, row := range rows {
		lines = append(lines, pages.Line{URL: dealPath(row.ID), Name: row.Name, Account: row.Company, Owner: p.ownerName(row.Owner), CloseDate: row.Closed,
			Amount: money(row.Amount, row.Currency), Score: row.Score, Max: row.Max, Badges: pages.Badges(row.Rating, row.Health, row.Ghost == "true")})
	}
	return count, lines, nil
}

// money returns an amount as people read it, "" where there is none.
func money(amount, currency string) string {
	n, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return amount
	}
	return pages.Money(n, currency)
}

// name returns what people call the owner.
func (o *owner) name() string {
	if name := strings.TrimSpace(o.FirstName + " " + o.LastName); name != "" {
		return name
	}
	return o.Email
}

// ownerName returns the name of the owner with that id, the id where there is no such owner.
func (p *Portal) ownerName(id string) string {
	i := slices.IndexFunc(p.owners, func(o *owner) bool { return o.ID == id })
	if i < 0 {
		return id
	}
	return p.owners[i].name()
}

// userName returns the name of the user with that id, or of the integration.
func (p *Portal) userName(id int64) string {
	i := slices.IndexFunc(p.owners, func(o *owner) bool { return o.UserIDIncludingInactive == id })
	switch {
	case id == integration:
		return "Integration"
	case i < 0:
		return strconv.FormatInt(id, 10)
	}
	return p.owners[i].name()
}
