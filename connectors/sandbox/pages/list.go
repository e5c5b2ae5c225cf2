package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// PerPage is how many deals a page of the list shows.
const PerPage = 50

// Wanted says which part of the list a reader wants.
type Wanted struct {
	Query string // "": every won deal
	From  int    // how many to pass over
}

// ParseWanted reads what a request for the list wants.
func ParseWanted(r *http.Request) Wanted {
	from, err := strconv.Atoi(r.FormValue("from"))
	if err != nil || from < 0 {
		from = 0
	}
	return Wanted{Query: strings.TrimSpace(r.FormValue("q")), From: from}
}

// likeEscaper keeps the wildcards of LIKE from meaning anything in what a person typed.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Like returns the pattern of SQL's LIKE … ESCAPE '\' for texts that hold the query.
func (w Wanted) Like() string { return "%" + likeEscaper.Replace(w.Query) + "%" }

// address returns the address of the list from another deal on.
func (w Wanted) address(from int) string {
	values := url.Values{}
	if w.Query != "" {
		values.Set("q", w.Query)
	}
	if from > 0 {
		values.Set("from", strconv.Itoa(from))
	}
	if len(values) == 0 {
		return "/"
	}
	return "/?" + values.Encode()
}

// Line is a deal of the list.
type Line struct {
	URL       string
	Name      string
	Account   string
	Owner     string
	CloseDate string
	Amount    string
	Score     string // "": not scored
	Max       string
	Badges    []Badge
}

// list is a page of won deals.
type list struct {
	Frame
	Wanted
	Count          string
	Scored         bool
	Lines          []Line
	Previous, Next string // addresses; "": there is none
	Range          string
}

// RenderList answers with a page of the count deals that match. scored: the handoff fields exist.
func (s *Site) RenderList(w http.ResponseWriter, wanted Wanted, count int, lines []Line, scored bool, err error) {
	page := list{Frame: s.Frame("Won " + s.Deals), Wanted: wanted, Scored: scored, Lines: lines, Count: fmt.Sprintf("%d deals", count),
		Range: fmt.Sprintf("%d–%d of %d", wanted.From+1, wanted.From+len(lines), count)}
	if count == 1 {
		page.Count = "1 deal"
	}
	if wanted.From > 0 {
		page.Previous = wanted.address(max(0, wanted.From-PerPage))
	}
	if wanted.From+len(lines) < count && len(lines) > 0 {
		page.Next = wanted.address(wanted.From + PerPage)
	}
	Render(w, http.StatusOK, listTemplate, page, err)
}
