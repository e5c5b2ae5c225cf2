package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name, spec, zone string
		wrong            string // a part of the error; empty: none
	}{
		{name: "weekdays at seven", spec: "0 7 * * 1-5", zone: "America/New_York"},
		{name: "no zone is UTC", spec: "*/15 * * * *"},
		{name: "a duration", spec: "@every 15m"},
		{name: "a word", spec: "@daily", zone: "Europe/London"},
		{name: "29 February comes", spec: "0 0 29 2 *"},
		{name: "space around", spec: " 0 7 * * * "},
		{name: "empty", spec: "", wrong: `schedule "" cannot be read`},
		{name: "six fields", spec: "0 0 7 * * *", wrong: `Write five fields`},
		{name: "minute 60", spec: "60 * * * *", wrong: "above maximum"},
		{name: "30 February", spec: "0 0 30 2 *", wrong: "never comes"},
		{name: "unknown zone", spec: "@daily", zone: "Mars/Base", wrong: `"Mars/Base" is not a time zone. Write one like`},
		{name: "the machine's own zone", spec: "@daily", zone: "Local", wrong: `"Local" is not a time zone`},
		{name: "zone in the schedule", spec: "CRON_TZ=Asia/Tokyo 0 7 * * *", wrong: "Write that under time_zone"},
		{name: "zone without a schedule", spec: "TZ=UTC", wrong: "Write that under time_zone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Validate(tt.spec, tt.zone)
			if tt.wrong == "" && err != nil {
				t.Errorf("Validate: %v", err)
			}
			if tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("Validate: %v, want it to say %q", err, tt.wrong)
			}
		})
	}
}

func TestNext(t *testing.T) {
	friday := time.Date(2026, time.March, 27, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ name, spec, zone, want string }{
		{"no zone is UTC", "0 7 * * *", "", "2026-03-28T07:00:00Z"},
		{"after the weekend, and after the clocks changed", "0 7 * * 1-5", "Europe/London", "2026-03-30T07:00:00+01:00"},
		{"a duration", "@every 15m", "UTC", "2026-03-27T12:15:00Z"},
	} {
		if got := Next(tt.spec, tt.zone, friday).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if next := Next("soon", "UTC", friday); !next.IsZero() {
		t.Errorf("a schedule that cannot be read has a next time, %v", next)
	}
}

func FuzzValidate(f *testing.F) {
	f.Add("0 7 * * 1-5", "Europe/London")
	f.Add("@every -5m", "")
	f.Add("TZ=", "UTC")
	f.Add("*/0 * * * *", "UTC")
	f.Fuzz(func(t *testing.T, spec, zone string) {
		schedule, err := parse(spec, zone)
		if err != nil {
			return
		}
		now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
		if next := schedule.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("parse(%q, %q): after %v comes %v", spec, zone, now, next)
		}
	})
}

// bench runs jobs in a bubble whose clock starts at midnight UTC on 1 January 2000, a Saturday, and returns what is
// logged. They are stopped after the given time.
func bench(t *testing.T, stopAfter time.Duration, jobs ...Job) string {
	t.Helper()
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	ctx, cancel := context.WithTimeout(t.Context(), stopAfter)
	defer cancel()
	if err := Run(ctx, log, jobs); err != nil {
		t.Fatal(err)
	}
	return logged.String()
}

func TestRunInTimeZones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var ticks []string
		at := func(name, spec, zone string) Job {
			return Job{Name: name, Spec: spec, TimeZone: zone, Run: func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				ticks = append(ticks, name+" "+time.Now().UTC().Format("2 15:04"))
				return nil
			}}
		}
		bench(t, 72*time.Hour-time.Second,
			at("newyork", "0 7 * * 1", "America/New_York"),
			at("tokyo", "30 7 * * *", "Asia/Tokyo"),
			at("utc", "0 6 1 * *", ""),
		)
		want := []string{"utc 1 06:00", "tokyo 1 22:30", "tokyo 2 22:30", "newyork 3 12:00", "tokyo 3 22:30"}
		if diff := cmp.Diff(want, ticks); diff != "" {
			t.Errorf("ticks (-want +got):\n%s", diff)
		}
	})
}

func TestRunSkipsTicksWhileAJobIsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, other := 0, 0
		logged := bench(t, 10*time.Minute+30*time.Second,
			Job{Name: "slow", Spec: "* * * * *", Run: func(context.Context) error {
				started++
				time.Sleep(150 * time.Second)
				return nil
			}},
			Job{Name: "other", Spec: "* * * * *", Run: func(context.Context) error {
				other++
				return nil
			}},
		)
		if started != 4 || other != 10 { // at 1, 4, 7 and 10 minutes
			t.Errorf("the slow job started %d times and the other %d times, want 4 and 10", started, other)
		}
		if n := strings.Count(logged, `msg="job is still running; this tick is skipped" job=slow`); n != 6 {
			t.Errorf("%d skipped ticks in the log, want 6:\n%s", n, logged)
		}
	})
}

// TestRunsAgain: a job runs beside its times when it says so; what it says after a run replaces what it said before.
func TestRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ticks []string
		again := []time.Duration{20 * time.Minute, 100 * time.Minute, 10 * time.Minute, 40 * time.Minute, 70 * time.Minute}
		bench(t, 4*time.Hour-time.Second, Job{Name: "score", Spec: "@hourly",
			Run: func(context.Context) error {
				ticks = append(ticks, time.Now().UTC().Format("15:04"))
				return nil
			},
			Again: func(context.Context) time.Time {
				if len(again) == 0 {
					return time.Time{}
				}
				after := again[0]
				again = again[1:]
				return time.Now().Add(after)
			}})
		if diff := cmp.Diff([]string{"00:20", "01:00", "01:10", "01:50", "02:00", "03:00"}, ticks); diff != "" {
			t.Errorf("ticks (-want +got):\n%s", diff)
		}
	})
}

func TestRunWaitsForRunningJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped, finished time.Time
		logged := bench(t, 90*time.Second, Job{Name: "score", Spec: "* * * * *", Run: func(ctx context.Context) error {
			<-ctx.Done()
			stopped = time.Now()
			time.Sleep(5 * time.Second) // the deal at hand
			finished = time.Now()
			return fmt.Errorf("interrupted: %w", ctx.Err())
		}})
		if got := time.Since(stopped); got != 5*time.Second || finished.IsZero() {
			t.Errorf("Run returned %v after the stop, want 5s, when the job had finished", got)
		}
		if !strings.Contains(logged, `level=INFO msg="job interrupted" job=score`) || strings.Contains(logged, "ERROR") {
			t.Errorf("an interrupted job is no error:\n%s", logged)
		}
	})
}

func TestRunGoesOnAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		logged := bench(t, 150*time.Second, Job{Name: "score", Spec: "* * * * *", Run: func(context.Context) error {
			runs++
			if runs == 1 {
				panic("boom")
			}
			return errors.New("the CRM is down")
		}})
		if runs != 2 {
			t.Errorf("%d runs, want 2", runs)
		}
		for _, want := range []string{`msg="job panicked" job=score error=boom`, `error="the CRM is down"`} {
			if !strings.Contains(logged, want) {
				t.Errorf("the log lacks %s:\n%s", want, logged)
			}
		}
	})
}

func TestRunRefusesAWrongSchedule(t *testing.T) {
	err := Run(t.Context(), slog.New(slog.DiscardHandler), []Job{{Name: "score acme", Spec: "soon"}})
	if err == nil || !strings.Contains(err.Error(), "job score acme: schedule \"soon\"") {
		t.Errorf("Run: %v", err)
	}
}
