// Package pages is what the record pages of the emulated CRMs have in common: how a person looks at won deals as in a CRM, and
// edits their fields as a user other than the integration's. It knows no CRM; each gives the pages its words and its look.
package pages

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

//go:embed files
var files embed.FS

var (
	listTemplate    = Parse(files, "files/list.html")
	problemTemplate = Parse(files, "files/problem.html")
)

// Parse returns the page whose "content" a template file defines. The file may use the templates "badge", "field", "card",
// "contact" and "history". A file that does not parse panics.
func Parse(from fs.FS, name string) *template.Template {
	t := template.New("layout.html").Funcs(template.FuncMap{"capital": capital})
	t = template.Must(t.ParseFS(files, "files/layout.html", "files/parts.html"))
	return template.Must(t.ParseFS(from, name))
}

// capital returns a word as a heading begins with it.
func capital(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// Site is the record pages of one CRM.
type Site struct {
	Name    string // of the whole, such as "Sandbox org"
	Deal    string // what the CRM calls a deal, such as "opportunity"
	Deals   string // and several
	Account string // what it calls a deal's company, such as "account"
	User    string // the name of who looks at the pages
	Theme   fs.FS  // holds theme.css, what is the CRM's own about the look, and icon.svg
}

// Frame is what every page shows around its content.
type Frame struct {
	Site  *Site
	Title string
}

// Frame returns the frame of a page.
func (s *Site) Frame(title string) Frame { return Frame{s, title} }

// Handle adds a page. Forms of other sites are refused, and no page loads anything from elsewhere.
func Handle(mux *http.ServeMux, pattern string, page http.HandlerFunc) {
	mux.Handle(pattern, http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		page(w, r)
	})))
}

// HandleAssets adds what the pages load, below /pages/.
func (s *Site) HandleAssets(mux *http.ServeMux) {
	common, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // "files" is a valid path
	}
	for name, from := range map[string]fs.FS{"style.css": common, "theme.css": s.Theme, "icon.svg": s.Theme} {
		Handle(mux, "GET /pages/"+name, http.StripPrefix("/pages/", http.FileServerFS(from)).ServeHTTP)
	}
}

// Render answers with a page, or with a 500 where err or the page's own failure left none.
func Render(w http.ResponseWriter, status int, t *template.Template, data any, err error) {
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

// RenderProblem answers with a page that only says what is wrong.
func (s *Site) RenderProblem(w http.ResponseWriter, status int, title, text string) {
	Render(w, status, problemTemplate, struct {
		Frame
		Text string
	}{s.Frame(title), text}, nil)
}

// Submitted returns what a field's form sent: the field's name and its new value.
func Submitted(w http.ResponseWriter, r *http.Request) (field, value string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		return "", "", err
	}
	return r.PostForm.Get("field"), strings.ReplaceAll(r.PostForm.Get("value"), "\r\n", "\n"), nil
}

// RedirectSaved leads from a form that was saved to the page at path, which then finds the field's name under "saved".
func RedirectSaved(w http.ResponseWriter, r *http.Request, path, field string) {
	name := url.QueryEscape(field)
	http.Redirect(w, r, path+"?saved="+name+"#"+name, http.StatusSeeOther)
}
