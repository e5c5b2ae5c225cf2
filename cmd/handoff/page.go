package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"os"

	"handoff/rules"
)

//go:embed pages
var pageFiles embed.FS

// pageFuncs are what pages may call; text makes text from outside safe to show.
var pageFuncs = template.FuncMap{
	"text": plain, "count": count, "ofAll": ofAll, "score": score, "tone": tone,
	"next": func(i int) int { return i + 1 },
}

// writePage writes the page of pages/name to a file that only its owner may read, for it is about customers.
func writePage(file, name string, data any) error {
	page, err := renderPage(name, data)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return useError{fmt.Errorf("--html: %s: %w", file, cause(err))}
	}
	return nil
}

// renderPage returns the page of pages/name: self-contained, with nothing that a browser would fetch.
func renderPage(name string, data any) ([]byte, error) {
	t, err := template.New("layout.html").Funcs(pageFuncs).
		ParseFS(pageFiles, "pages/layout.html", "pages/style.css", "pages/"+name)
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, data); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return page.Bytes(), nil
}

// tone is the class in style.css for points or a health.
func tone(value string) string {
	switch value {
	case "2", rules.Green:
		return "good"
	case "1", rules.Yellow:
		return "fair"
	case "0", rules.Red:
		return "bad"
	}
	return ""
}
