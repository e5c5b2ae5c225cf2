package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// Most tests wait, for limits of CRMs and for locks, rather than compute; -parallel on the command line still counts.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"handoff": main})
}

// TestScript runs the commands as a person would. Beside testscript's own commands a script has
//
//	exits CODE COMMAND...   run a command that must exit with this code
//	sandbox FLAGS...        run `handoff sandbox` until the script ends, with $WORK/config.toml written by it
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: exits CODE COMMAND...")
				}
				err := ts.Exec(args[1], args[2:]...)
				got := 0
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					got = exit.ExitCode()
				} else if err != nil {
					ts.Fatalf("%v", err)
				}
				if strconv.Itoa(got) != args[0] {
					ts.Fatalf("exit code %d, want %s", got, args[0])
				}
			},
			"sandbox": func(ts *testscript.TestScript, _ bool, args []string) {
				stop, err := startTestSandbox(ts.MkAbs("config.toml"), args...)
				if err != nil {
					ts.Fatalf("%v", err)
				}
				ts.Defer(func() { ts.Check(stop()) })
			},
		},
	})
}

// startTestSandbox runs `handoff sandbox` on free ports in this process, and returns once it is ready.
func startTestSandbox(config string, flags ...string) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	stdout, w := io.Pipe()
	var stderr bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		args := append([]string{"sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0", "--write-config", config}, flags...)
		exit <- run(ctx, args, strings.NewReader(""), w, &stderr, env(), time.Now)
		w.Close()
	}()
	stop = func() error {
		cancel()
		if code := <-exit; code != exitDone {
			return errors.New("sandbox: exit " + strconv.Itoa(code) + ": " + stderr.String())
		}
		return nil
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		cancel()
		return nil, errors.Join(err, stop(), errors.New("sandbox: not ready but "+strconv.Quote(line)))
	}
	return stop, nil
}

// TestServiceStopsCleanly checks that the service ends with its context, as SIGTERM ends it.
func TestServiceStopsCleanly(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.toml")
	stop, err := startTestSandbox(config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	code := run(ctx, []string{"--config", config, "run"}, strings.NewReader(""), io.MultiWriter(&out, onWrite(cancel)), io.Discard, env(), time.Now)
	if want := "hubspot: runs at \"*/15 * * * *\" and reconciles at \"30 3 * * *\", UTC time\nsalesforce: runs at \"*/15 * * * *\" and reconciles at \"30 3 * * *\", UTC time\n"; code != exitDone || out.String() != want {
		t.Errorf("exit %d and %q, want 0 and %q", code, out.String(), want)
	}
}

// onWrite is a writer that calls f.
type onWrite func()

func (f onWrite) Write(b []byte) (int, error) { f(); return len(b), nil }
