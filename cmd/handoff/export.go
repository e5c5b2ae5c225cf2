package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"handoff/jobs"
)

// An export is a Salesforce project in source format, which a file in its root tells.
// https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_ws_config.htm
const (
	projectFile   = "sfdx-project.json"
	projectName   = "handoff"
	projectSource = "force-app"
)

// export writes what setup would create in Salesforce into dir, a folder for each connection where there are several.
func (a *app) export(cfg *Config, dir string) error {
	var exported []*Connection
	for i := range cfg.Connections {
		if conn := &cfg.Connections[i]; crms[conn.CRM].export != nil {
			exported = append(exported, conn)
		}
	}
	if len(exported) == 0 {
		return useError{errors.New("--export is for Salesforce, and there is no connection to it. `handoff setup` is for any CRM")}
	}
	for _, conn := range exported {
		files, err := crms[conn.CRM].export(a, conn, jobs.Fields(cfg.Engine.Scorecard()))
		if err != nil {
			return placed(conn, err)
		}
		to := dir
		if len(exported) > 1 {
			to = filepath.Join(dir, conn.Name)
		}
		if err := writeProject(to, files); err != nil {
			return fmt.Errorf("--export: %w", err)
		}
		fmt.Fprintf(a.stdout, "%s: %s written to %s. README.md in there says how an admin deploys them.\n", conn.Name, count(len(files), "file"), to)
	}
	fmt.Fprintln(a.stdout, "Once they are deployed, `handoff setup` says what is left to do, if anything.")
	return nil
}

// writeProject writes files, by path, into a folder that is new, empty, or an earlier export, which they replace.
func writeProject(dir string, files map[string][]byte) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := checkProject(root); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	// The file that tells an export comes first, so that one that is interrupted is known for what it is.
	if err := root.WriteFile(projectFile, files[projectFile], 0o644); err != nil {
		return err
	}
	if err := root.RemoveAll(projectSource); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checkProject returns an error unless a folder is empty or an earlier export.
func checkProject(root *os.Root) error {
	held, err := fs.ReadDir(root.FS(), ".")
	if err != nil || len(held) == 0 {
		return err
	}
	var project struct {
		Name string `json:"name"`
	}
	text, err := root.ReadFile(projectFile)
	if err == nil {
		err = json.Unmarshal(text, &project)
	}
	if err != nil || project.Name != projectName {
		return errors.New("holds something else than an earlier export, which stays untouched. Name a new folder")
	}
	return nil
}
