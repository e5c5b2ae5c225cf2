package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"handoff/jobs"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	check(t, os.WriteFile(file, []byte("these are the deals of this quarter, not a database"), 0o600))
	for _, c := range []struct {
		name, url string
		want      []string
	}{
		{"an unknown scheme", "postgres://revops:hunter2@db/handoff", []string{`"sqlite:FILE"`}},
		{"no scheme", "handoff.db", []string{`"sqlite:FILE"`}},
		{"a missing folder", "sqlite:" + dir + "/missing/handoff.db", []string{dir + "/missing", "there is no folder", "Create it, or name another file in url under [store]"}},
		{"a file for a folder", "sqlite:" + file + "/handoff.db", []string{file, "is not a folder", "name a file in a folder that exists"}},
		{"a folder for a file", "sqlite:" + dir, []string{dir, "is a directory. Let the user that handoff runs as write the file"}},
		{"another kind of file", "sqlite:" + file, []string{file, "file is not a database. Restore a backup"}},
	} {
		db, err := Open(t.Context(), c.url)
		if err == nil {
			t.Errorf("%s: no error; closed with %v", c.name, db.Close())
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password", c.name)
		}
	}
}

// TestOpenRefusesWithoutPermission opens a store in a folder that may not be written, as an ordinary user: root may write
// everywhere.
func TestOpenRefusesWithoutPermission(t *testing.T) {
	dir, err := os.MkdirTemp("", "handoff-store-") // t.TempDir's parents are closed to other users
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	check(t, os.Chmod(dir, 0o555))
	cmd := exec.Command(os.Args[0], "1:acme")
	if os.Geteuid() == 0 {
		self := filepath.Join(dir, "self")
		binary := must[[]byte](t)(os.ReadFile(os.Args[0]))
		check(t, os.WriteFile(self, binary, 0o555))
		cmd.Path = self
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), crashEnv+"="+dir+"/handoff.db")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "permission denied. Let the user that handoff runs as write the file and its folder") || !strings.Contains(string(out), dir) {
		t.Errorf("error %v: %s", err, out)
	}
}

func TestOpenRefusesNewerTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	db := openTemp(t, path)
	if _, err := db.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, TRUE)`); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), "sqlite:"+path)
	if err == nil || !strings.Contains(err.Error(), "a newer version of handoff wrote it (tables 999, this version knows") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

func TestOpenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), `a "strange" name?mode=memory&x=%41#1.db`)
	for i := range 3 {
		db, err := Open(t.Context(), "sqlite:"+path)
		check(t, err)
		save(t, db, begin(t, db), deal(fmt.Sprint(i)))
		all, _, err := db.CountHandoffs(t.Context(), "acme")
		if err != nil || all != i+1 {
			t.Errorf("opened %d times: %d handoffs, error %v", i+1, all, err)
		}
		check(t, db.Close())
	}
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v: others may read customers' data", info.Mode())
	}
}

func TestPragmas(t *testing.T) {
	db := openTemp(t, filepath.Join(t.TempDir(), "handoff.db"))
	const full = 2
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": fmt.Sprint(full), "foreign_keys": "1", "busy_timeout": "10000",
	} {
		var got string
		check(t, db.writer.Get(&got, "PRAGMA "+pragma))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := db.reader.Exec("DELETE FROM runs"); err == nil {
		t.Error("the reader may write")
	}
}

func TestLockedStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	first := openTemp(t, path)
	save(t, first, begin(t, first), deal("d"))
	tx, err := first.writer.Begin()
	check(t, err)
	defer func() { check(t, tx.Rollback()) }()
	second := openTemp(t, path) // which has nothing to write
	if _, err := second.writer.Exec("PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	_, err = second.BeginRun(t.Context(), jobs.Run{Connection: "acme"})
	if err == nil || !strings.Contains(err.Error(), `Look whether a second "handoff run" is using it`) {
		t.Errorf("a write beside another's transaction: error %v", err)
	}
	if err := second.TryWrite(t.Context()); err == nil || !strings.Contains(err.Error(), "another program has held it") {
		t.Errorf("trying to write beside another's transaction: error %v", err)
	}
	if got := load(t, second, "d"); got.DealID != "d" {
		t.Errorf("a read beside a transaction: %+v", got)
	}
}

func TestAdvice(t *testing.T) {
	for code, want := range map[sqlite3.ErrNo]string{
		sqlite3.ErrBusy:     "another program has held it",
		sqlite3.ErrReadonly: "Let the user that handoff runs as write",
		sqlite3.ErrFull:     "Look whether the disk is full",
		sqlite3.ErrCorrupt:  "Restore a backup",
	} {
		cause := sqlite3.Error{Code: code}
		err := adviseSQLite(fmt.Errorf("exec: %w", cause))
		if !strings.Contains(err.Error(), want) || !errors.Is(err, cause) {
			t.Errorf("%v: %q, want it to say %q and to wrap the cause", code, err, want)
		}
	}
	other := errors.New("other")
	if err := adviseSQLite(other); !errors.Is(err, other) || err.Error() != "other" {
		t.Errorf("another error became %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	one, other := openTemp(t, path), openTemp(t, path)
	unlock := must[func() error](t)(one.Lock(t.Context(), "acme"))
	brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := other.Lock(brief, "acme"); err == nil {
		t.Error("a lock is held twice")
	}
	if waited := time.Since(began); waited > patience/2 {
		t.Errorf("told to stop after 100 ms, it waited for %v", waited)
	}
	check(t, must[func() error](t)(other.Lock(t.Context(), "globex"))())
	check(t, unlock())
	check(t, must[func() error](t)(other.Lock(t.Context(), "acme"))())
}
