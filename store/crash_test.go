package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"handoff/crm"
	"handoff/jobs"
)

const (
	crashEnv   = "HANDOFF_STORE_CRASH" // the store that a child of the test writes to
	crashDeals = 40
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		if err := saveForever(path, os.Args[1], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// saveForever saves the same deals of a connection over and over, each time with a new card, write and message, and finishes the
// writes of every other round. It says on out which round is committed, and ends after the given number of them.
func saveForever(path, arg string, out io.Writer) error {
	var connection string
	var rounds int
	if _, err := fmt.Sscanf(arg, "%d:%s", &rounds, &connection); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	run, err := db.BeginRun(ctx, jobs.Run{Connection: connection, Job: "score", StartedAt: at(7, 0)})
	if err != nil {
		return err
	}
	held, err := db.Handoffs(ctx, connection, []string{"0"})
	if err != nil {
		return err
	}
	round, written := 0, crm.Values{}
	if h := held["0"]; h != nil {
		round, written = h.Version, h.Written
	}
	for last := round + rounds; round < last; {
		round++
		score := strconv.Itoa(round)
		changes := make([]jobs.Change, crashDeals)
		writes := make([]jobs.Write, crashDeals)
		for i := range changes {
			h := deal(strconv.Itoa(i))
			h.Connection, h.InputHash, h.Card.Total, h.Merged["score"], h.Pending = connection, score, round, score, true
			h.Written = written
			changes[i] = intent(h, crm.Values{"score": score})
			changes[i].Message.Key = fmt.Sprint(connection, "/", i, "/", round)
		}
		if err := db.Save(ctx, run, changes); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, round); err != nil {
			return err
		}
		if round%2 == 0 {
			for i := range writes {
				writes[i] = *changes[i].Write
				writes[i].State = jobs.WriteDone
			}
			if err := db.FinishWrites(ctx, writes); err != nil {
				return err
			}
			written = crm.Values{"score": score}
		}
	}
	return db.Close()
}

// child starts a process that runs saveForever.
func child(t *testing.T, path, connection string, rounds int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], fmt.Sprintf("%d:%s", rounds, connection))
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// TestCrash kills a process again and again while it saves. No round that it said was committed may be missing, and none may be
// there in part.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		cmd, lines := child(t, path, "acme", 1<<30)
		committed := 0
		for range 1 + random.IntN(6) {
			if !lines.Scan() {
				t.Fatal("the child ended by itself")
			}
			committed = must[int](t)(strconv.Atoi(lines.Text()))
		}
		insideRound := time.Duration(random.Int64N(int64(8 * time.Millisecond)))
		time.AfterFunc(insideRound, func() {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		})
		for lines.Scan() {
			committed = must[int](t)(strconv.Atoi(lines.Text()))
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		checkRounds(t, path, "acme", committed)
	}
}

// TestTwoProcesses lets two processes create one store and write to it at the same time.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff.db")
	const rounds = 25
	var wg sync.WaitGroup
	for _, connection := range []string{"acme", "globex"} {
		cmd, lines := child(t, path, connection, rounds)
		wg.Go(func() {
			for lines.Scan() {
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s: %v", connection, err)
			}
		})
	}
	wg.Wait()
	checkRounds(t, path, "acme", rounds)
	checkRounds(t, path, "globex", rounds)
}

// checkRounds opens the store and checks that it holds whole rounds of saveForever, at least as many as were committed.
func checkRounds(t *testing.T, path, connection string, committed int) {
	t.Helper()
	ctx := t.Context()
	db, err := Open(ctx, "sqlite:"+path)
	check(t, err)
	defer func() { check(t, db.Close()) }()
	var problem string
	check(t, db.writer.Get(&problem, "PRAGMA integrity_check"))
	if problem != "ok" {
		t.Fatal(problem)
	}
	list := must[[]jobs.Handoff](t)(db.List(ctx, jobs.Filter{Connection: connection}))
	if len(list) != crashDeals {
		t.Fatalf("%d deals, want %d", len(list), crashDeals)
	}
	round := list[0].Version
	if round < committed || round > committed+1 {
		t.Fatalf("the store holds %d rounds, %d were committed", round, committed)
	}
	finished, _ := strconv.Atoi(list[0].Written["score"])
	if finished > round || finished%2 == 1 {
		t.Errorf("deal 0 of round %d was written in round %d", round, finished)
	}
	for _, h := range list {
		score := strconv.Itoa(round)
		if h.Version != round || h.Card.Total != round || h.InputHash != score || h.Merged["score"] != score {
			t.Errorf("deal %s: version %d, card %d, snapshot %s, merged %s; want round %d", h.DealID, h.Version, h.Card.Total, h.InputHash, h.Merged["score"], round)
		}
		if n, _ := strconv.Atoi(h.Written["score"]); n != finished || h.Pending == (finished == round) {
			t.Errorf("deal %s: written in round %d, pending %v; want round %d of %d", h.DealID, n, h.Pending, finished, round)
		}
		versions := must[[]jobs.Version](t)(db.Versions(ctx, connection, h.DealID))
		writes := must[[]jobs.Write](t)(db.Writes(ctx, connection, crm.Ref{Object: crm.DealObject, ID: h.DealID}))
		if len(versions) != round || len(writes) != round {
			t.Fatalf("deal %s: %d versions and %d writes; want %d of each", h.DealID, len(versions), len(writes), round)
		}
		for i := range round {
			n := round - i
			done := writes[i].State == jobs.WriteDone
			if versions[i].Version != n || versions[i].Card.Total != n || writes[i].After["score"] != strconv.Itoa(n) ||
				done && (n > finished || n%2 == 1) || n == finished && !done {
				t.Errorf("deal %s, round %d: version %d with card %d, write %+v", h.DealID, n, versions[i].Version, versions[i].Card.Total, writes[i])
			}
		}
	}
	var messages int
	check(t, db.reader.Get(&messages, db.reader.Rebind("SELECT COUNT(*) FROM outbox WHERE connection = ?"), connection))
	if messages != round*crashDeals {
		t.Errorf("%d messages, want %d", messages, round*crashDeals)
	}
}
