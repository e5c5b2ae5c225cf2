package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// house says which of our own folders each folder may import, and which packages of the standard library it may not.
// A folder's line covers what lies below it, unless that has a line of its own.
var house = map[string]struct {
	may   []string
	never []string
}{
	"crm":                      {may: nil},
	"rules":                    {may: []string{"crm"}, never: []string{"net", "net/http", "net/smtp", "net/rpc", "os", "database/sql", "log", "log/slog", "context"}},
	"connectors":               {may: []string{"crm"}},
	"connectors/hubspot":       {may: []string{"connectors", "crm"}},
	"connectors/salesforce":    {may: []string{"connectors", "crm"}},
	"connectors/sandbox":       {may: []string{"connectors/sandbox", "crm"}},
	"connectors/connectortest": {may: []string{"connectors", "connectors/sandbox", "crm"}},
	"jobs":                     {may: []string{"crm", "rules", "connectors"}, never: []string{"net/http", "database/sql"}},
	"store":                    {may: []string{"jobs", "rules", "crm"}},
	"scheduler":                {may: []string{"jobs"}},
	"notify":                   {may: []string{"crm", "rules", "jobs"}},
	"cmd":                      {may: []string{"*"}},
}

// TestHouse reads the import rules of README.md, "The house", and fails when an arrow points outward.
func TestHouse(t *testing.T) {
	for _, p := range packages(t) {
		folder := lineFor(p.dir)
		if folder == "" {
			t.Errorf("%s lies in no folder of the house: see CONTRIBUTING.md", p.dir)
			continue
		}
		rule := house[folder]
		for _, imp := range p.imports {
			own, isOwn := strings.CutPrefix(imp, "handoff/")
			switch {
			case isOwn && !mayImport(rule.may, folder, own):
				t.Errorf("%s imports %s, which folder %s may not", p.dir, own, folder)
			case !isOwn && slices.Contains(rule.never, imp):
				t.Errorf("%s imports %s, which folder %s never does", p.dir, imp, folder)
			case imp == "handoff/connectors/connectortest":
				t.Errorf("%s imports connectortest outside a test", p.dir)
			}
		}
	}
}

// TestWireNamesConcreteTypes checks that one file alone joins the parts together.
func TestWireNamesConcreteTypes(t *testing.T) {
	concrete := []string{"handoff/connectors/hubspot", "handoff/connectors/salesforce", "handoff/store", "handoff/notify", "handoff/scheduler"}
	out, err := exec.Command("grep", "-lE", `"(`+strings.Join(concrete, "|")+`)"`, "-r", "--include=*.go", ".").Output()
	if err != nil {
		t.Fatalf("no file of cmd/handoff wires the parts together: %v", err)
	}
	for _, file := range strings.Fields(string(out)) {
		if f := path.Base(file); f != "wire.go" && !strings.HasSuffix(f, "_test.go") {
			t.Errorf("%s names a concrete type's package; only wire.go does", f)
		}
	}
}

// TestDocsNameTests: a test that docs/ names as the proof of something exists.
func TestDocsNameTests(t *testing.T) {
	const root = "../.."
	named := regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
	defined := map[string]bool{}
	pages := map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		page := filepath.Dir(file) == filepath.Join(root, "docs") && strings.HasSuffix(file, ".md")
		if err != nil || !page && !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		if page {
			pages[file] = string(text)
			return err
		}
		for _, m := range testFunction.FindAllSubmatch(text, -1) {
			defined[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for file, text := range pages {
		for _, name := range named.FindAllString(text, -1) {
			if !defined[name] {
				t.Errorf("%s names %s, which is no test", file, name)
			}
		}
	}
}

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)

type pkg struct {
	dir     string
	imports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "handoff/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var found []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		found = append(found, pkg{strings.TrimPrefix(p.ImportPath, "handoff/"), p.Imports})
	}
	if len(found) < 8 {
		t.Fatalf("go list found only %d packages", len(found))
	}
	return found
}

// lineFor returns the most specific line of the house for a package's folder.
func lineFor(dir string) string {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := house[dir]; ok {
			return dir
		}
	}
	return ""
}

func mayImport(may []string, folder, own string) bool {
	if slices.Contains(may, "*") || own == folder || strings.HasPrefix(own, folder+"/") && lineFor(own) == folder {
		return true
	}
	return slices.Contains(may, lineFor(own))
}
