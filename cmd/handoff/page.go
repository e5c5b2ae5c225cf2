package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"os"
)

//go:embed pages
var pageFiles embed.FS

// writePage writes the page of pages/name to a file: self-contained, with nothing that a browser would fetch. Only the owner
// may read it, for it is about customers.
func writePage(file, name string, data any) error {
	t, err := template.New("layout.html").Funcs(template.FuncMap{"text": plain, "count": count, "add": func(a, b int) int { return a + b }}).
		ParseFS(pageFiles, "pages/layout.html", "pages/style.css", "pages/"+name)
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	if err := os.WriteFile(file, page.Bytes(), 0o600); err != nil {
		return useError{fmt.Errorf("--html: %s: %w", file, cause(err))}
	}
	return nil
}
