package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	_ "time/tzdata" // time zones also where the machine has none

	"github.com/robfig/cron/v3"
)

// Job is something to run again and again.
type Job struct {
	Name     string
	Spec     string // five cron fields, or @hourly, @daily, @weekly, @monthly, @every 15m
	TimeZone string // IANA name, in whose local time Spec is; empty: UTC

	// Run does the work once. When ctx is cancelled it finishes what it has at hand and returns.
	Run func(ctx context.Context) error

	// Again says, to begin with and after each run, when the job is to run beside its times; the zero time: never. It may be nil.
	Again func(ctx context.Context) time.Time
}

// Validate says what is wrong with a spec or a time zone, and what would be right.
func Validate(spec, timeZone string) error {
	_, err := parse(spec, timeZone)
	return err
}

// Next returns when a job of this spec and time zone runs first after the given time, in that zone; the zero time where
// Validate refuses them.
func Next(spec, timeZone string, after time.Time) time.Time {
	schedule, err := parse(spec, timeZone)
	zone, zoneErr := time.LoadLocation(timeZone)
	if err != nil || zoneErr != nil {
		return time.Time{}
	}
	return schedule.Next(after.In(zone))
}

func parse(spec, timeZone string) (cron.Schedule, error) {
	// "Local" would mean another time on another machine.
	if _, err := time.LoadLocation(timeZone); err != nil || timeZone == "Local" {
		return nil, fmt.Errorf(`%q is not a time zone. Write one like "Europe/London" or "America/New_York"`, timeZone)
	}
	if timeZone == "" {
		timeZone = "UTC"
	}
	if strings.Contains(spec, "TZ=") {
		return nil, fmt.Errorf("schedule %q holds a time zone. Write that under time_zone", spec)
	}
	schedule, err := cron.ParseStandard("CRON_TZ=" + timeZone + " " + strings.TrimSpace(spec))
	if err != nil {
		return nil, fmt.Errorf(`schedule %q cannot be read (%w). Write five fields, minute hour day month weekday, such as "0 7 * * 1-5", or "@every 15m"`, spec, err)
	}
	anyDay := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	if schedule.Next(anyDay).IsZero() {
		return nil, fmt.Errorf("schedule %q names a day that never comes. Correct its day or its month", spec)
	}
	return schedule, nil
}

// Run runs the jobs at their times until ctx is cancelled, then waits for those that are running. A job that is still
// running at its next tick skips that tick. It returns an error only when a job's schedule is wrong; then nothing ran.
func Run(ctx context.Context, log *slog.Logger, jobs []Job) error {
	c := cron.New(cron.WithLogger(cron.DiscardLogger))
	for _, job := range jobs {
		schedule, err := parse(job.Spec, job.TimeZone)
		if err != nil {
			return fmt.Errorf("job %s: %w", job.Name, err)
		}
		l := cronLog{log.With("job", job.Name)}
		once := cron.NewChain(cron.SkipIfStillRunning(l), cron.Recover(l)) // a panic must not look like a job that runs for ever
		var early cron.EntryID
		plan := func() {}
		work := once.Then(cron.FuncJob(func() {
			run(ctx, l.log, job)
			plan()
		}))
		if job.Again != nil {
			plan = func() {
				c.Remove(early)
				early = c.Schedule(moment(job.Again(ctx)), work)
			}
			plan()
		}
		c.Schedule(schedule, work)
	}
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
	return nil
}

func run(ctx context.Context, log *slog.Logger, job Job) {
	switch err := job.Run(ctx); {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		log.Info("job interrupted", "reason", err)
	default:
		log.Error("job failed; it runs again at its next time", "error", err)
	}
}

// moment is a schedule of one time.
type moment time.Time

// Next implements cron.Schedule.
func (m moment) Next(after time.Time) time.Time {
	if at := time.Time(m); after.Before(at) {
		return at
	}
	return time.Time{}
}

// cronLog carries what cron has to say about one job to our log.
type cronLog struct{ log *slog.Logger }

// Info is called only for a tick that is skipped.
func (l cronLog) Info(string, ...any) {
	l.log.Warn("job is still running; this tick is skipped")
}

func (l cronLog) Error(err error, _ string, _ ...any) {
	l.log.Error("job panicked", "error", err)
}
