package salesforce

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

//go:embed pages
var pageFiles embed.FS

var (
	dealsTemplate   = parsePage("deals.html")
	dealTemplate    = parsePage("deal.html")
	problemTemplate = parsePage("problem.html")
)

func parsePage(name string) *template.Template {
	return template.Must(template.ParseFS(pageFiles, "pages/layout.html", "pages/"+name))
}

// pageUser is who looks at the record pages and edits there: never the user of the integration.
var pageUser = user{ID: adminUserID, AllFields: true}

// pageRoutes adds the pages on which a person looks at deals as in a CRM, and edits them. They are no part of the API.
func (o *Org) pageRoutes(mux *http.ServeMux) {
	assets, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		panic(err) // "pages" is a valid path
	}
	guard := http.NewCrossOriginProtection()
	handle := func(pattern string, h http.Handler) {
		mux.Handle(pattern, guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Referrer-Policy", "same-origin")
			h.ServeHTTP(w, r)
		})))
	}
	const deal = "/lightning/r/Opportunity/{id}/view"
	handle("GET /{$}", http.HandlerFunc(o.showDeals))
	handle("GET /{id}", http.HandlerFunc(o.findRecord))
	handle("GET "+deal, http.HandlerFunc(o.showDeal))
	handle("POST "+deal, http.HandlerFunc(o.editDeal))
	for _, name := range []string{"style.css", "icon.svg"} {
		handle("GET /pages/"+name, http.StripPrefix("/pages/", http.FileServerFS(assets)))
	}
}

// frame is what every page shows around its content.
type frame struct {
	Title string
	User  string
}

func (o *Org) frame(ctx context.Context, db sqlx.QueryerContext, title string) (frame, error) {
	f := frame{Title: title}
	err := sqlx.GetContext(ctx, db, &f.User, "SELECT Name FROM User WHERE Id = ?", pageUser.ID)
	return f, err
}

// render answers with a page; a page that fails answers 500 whole.
func render(w http.ResponseWriter, status int, t *template.Template, data any, err error) {
	var page bytes.Buffer
	if err == nil {
		err = t.Execute(&page, data)
	}
	if err != nil {
		slog.Error("sandbox: record page failed", "err", err)
		http.Error(w, "This page could not be made; the sandbox's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the reader may have gone
}

type problemPage struct {
	frame
	Text string
}

func (o *Org) showProblem(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	page := problemPage{Text: text}
	err := o.read(r.Context(), func(db sqlx.QueryerContext) (err error) {
		page.frame, err = o.frame(r.Context(), db, title)
		return err
	})
	render(w, status, problemTemplate, page, err)
}

// dealPath returns the address of an opportunity's page.
func dealPath(id string) string { return "/lightning/r/Opportunity/" + id + "/view" }

// findRecord redirects from an id to the record's page.
func (o *Org) findRecord(w http.ResponseWriter, r *http.Request) {
	id, ok := fullID(r.PathValue("id"))
	if !ok || !strings.HasPrefix(id, "006") {
		o.showProblem(w, r, http.StatusNotFound, "No such page", "The sandbox has pages for opportunities only: /{id} leads to one.")
		return
	}
	http.Redirect(w, r, dealPath(id), http.StatusFound)
}

// badge is a short word in colour.
type badge struct{ Text, Tone string }

// tones says how good a value of a picklist of ours is. Other values are shown without colour.
var tones = map[string]string{
	"Excellent": "good", "Acceptable": "good", "Below Standard": "fair", "Incomplete": "bad",
	"Green": "good", "Yellow": "fair", "Red": "bad",
	"Accepted": "good", "Re-handoff requested": "bad",
}

func toneBadge(text string) badge { return badge{text, tones[text]} }

func ghostBadge(ghost bool) badge {
	if !ghost {
		return badge{}
	}
	return badge{"Ghost", "bad"}
}

// dealsPerPage is how many deals a page of the list shows.
const dealsPerPage = 50

type dealsPage struct {
	frame
	Query          string
	Count          string
	Scored         bool // the Handoff fields exist
	Deals          []dealLine
	Previous, Next string // addresses; "": there is none
	Range          string
}

type dealLine struct {
	ID        string
	Name      string
	Account   string
	Owner     string
	CloseDate string
	Amount    *float64
	Currency  string
	Score     *float64
	Max       *float64
	Rating    string
	Health    string
	Ghost     bool
}

// URL returns the address of the deal's page.
func (d dealLine) URL() string { return dealPath(d.ID) }

// Money returns the deal's amount; "" where there is none.
func (d dealLine) Money() string {
	if d.Amount == nil {
		return ""
	}
	return money(*d.Amount, d.Currency)
}

// Badges returns what the deal's score means.
func (d dealLine) Badges() []badge {
	return []badge{toneBadge(d.Rating), toneBadge(d.Health), ghostBadge(d.Ghost)}
}

// money returns an amount with its digits in groups, such as "USD 48,000" or "USD 48,000.50".
func money(amount float64, currency string) string {
	text := strconv.FormatFloat(amount, 'f', -1, 64)
	sign, digits := "", text
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, digits = "-", rest
	}
	whole, fraction, fractional := strings.Cut(digits, ".")
	if fractional {
		fraction = "." + fraction
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return strings.TrimSpace(currency + " " + sign + whole + fraction)
}

// likeEscaper keeps the wildcards of LIKE from meaning anything in what a person typed.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (o *Org) showDeals(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	page := dealsPage{Query: strings.TrimSpace(r.FormValue("q"))}
	from, err := strconv.Atoi(r.FormValue("from"))
	if err != nil || from < 0 {
		from = 0
	}
	err = o.read(ctx, func(db sqlx.QueryerContext) error {
		opportunity := o.object("Opportunity")
		column := func(name, otherwise string) string {
			if opportunity.Field(name) == nil {
				return otherwise
			}
			return fmt.Sprintf("coalesce(o.%s, %s)", name, otherwise)
		}
		page.Scored = opportunity.Field("Handoff_Score__c") != nil
		where := `FROM Opportunity o LEFT JOIN Account a ON a.Id = o.AccountId LEFT JOIN User u ON u.Id = o.OwnerId
			WHERE o.IsWon AND NOT o.IsDeleted`
		var args []any
		if page.Query != "" {
			pattern := "%" + likeEscaper.Replace(page.Query) + "%"
			where += ` AND (o.Name LIKE ? ESCAPE '\' OR a.Name LIKE ? ESCAPE '\' OR u.Name LIKE ? ESCAPE '\')`
			args = append(args, pattern, pattern, pattern)
		}
		var count int
		if err := sqlx.GetContext(ctx, db, &count, "SELECT count(*) "+where, args...); err != nil {
			return err
		}
		query := fmt.Sprintf(`SELECT o.Id AS id, o.Name AS name, coalesce(a.Name, '') AS account, coalesce(u.Name, '') AS owner,
				coalesce(o.CloseDate, '') AS closedate, o.Amount AS amount, coalesce(o.CurrencyIsoCode, '') AS currency,
				%s AS score, %s AS max, %s AS rating, %s AS health, %s AS ghost
			%s ORDER BY o.CloseDate DESC, o.Id LIMIT ? OFFSET ?`,
			column("Handoff_Score__c", "NULL"), column("Handoff_Max__c", "NULL"), column("Handoff_Rating__c", "''"),
			column("Handoff_Health__c", "''"), column("Handoff_Ghost__c", "0"), where)
		if err := sqlx.SelectContext(ctx, db, &page.Deals, query, append(args, dealsPerPage, from)...); err != nil {
			return err
		}
		page.Count = fmt.Sprintf("%d deals", count)
		if count == 1 {
			page.Count = "1 deal"
		}
		page.Range = fmt.Sprintf("%d–%d of %d", from+1, from+len(page.Deals), count)
		if from > 0 {
			page.Previous = dealsPath(page.Query, max(0, from-dealsPerPage))
		}
		if from+len(page.Deals) < count && len(page.Deals) > 0 {
			page.Next = dealsPath(page.Query, from+dealsPerPage)
		}
		page.frame, err = o.frame(ctx, db, "Won opportunities")
		return err
	})
	render(w, http.StatusOK, dealsTemplate, page, err)
}

func dealsPath(query string, from int) string {
	values := url.Values{}
	if query != "" {
		values.Set("q", query)
	}
	if from > 0 {
		values.Set("from", strconv.Itoa(from))
	}
	if len(values) == 0 {
		return "/"
	}
	return "/?" + values.Encode()
}
