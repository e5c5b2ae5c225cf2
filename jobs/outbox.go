package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Notifier sends messages to people.
type Notifier interface {
	// Name says where messages go, such as "slack". It names no secret.
	Name() string

	// Notify sends one message. A message that comes again carries the same Key. retry says whether the same message
	// may be accepted later; the text of err names no secret.
	Notify(ctx context.Context, m Message) (retry bool, err error)
}

const (
	drainLimit = 500 // messages tried in one go
	firstPause = time.Minute
	lastPause  = 24 * time.Hour
)

// DrainOutbox sends the unsent messages, oldest first, each to all notifiers, and returns how many were sent. A message
// that one of them does not take stays in the outbox and is sent again, to all of them and with the same Key, by a
// later call: a minute after the first attempt, then after twice the time, up to a day, so that nothing is lost while
// an address is wrong. The error tells what was not taken. Without notifiers the messages are let go: a channel that is
// configured later begins with what is new.
func DrainOutbox(ctx context.Context, store Store, notifiers []Notifier, clock func() time.Time) (sent int, err error) {
	messages, err := store.Unsent(ctx, drainLimit)
	if err != nil {
		return 0, fmt.Errorf("drain outbox: %w", err)
	}
	var problems []error
	for _, m := range messages {
		if clock().Before(m.TriedAt.Add(pause(m.Attempts))) {
			continue
		}
		if err := ctx.Err(); err != nil {
			problems = append(problems, err)
			break
		}
		retry, failed := notifyAll(ctx, notifiers, m)
		if err := store.MarkSent(context.WithoutCancel(ctx), m.ID, clock(), failed); err != nil {
			problems = append(problems, failed, err)
			break
		}
		if failed == nil {
			if len(notifiers) > 0 {
				sent++
			}
			continue
		}
		problems = append(problems, failed)
		if retry { // out of reach for the others as well
			break
		}
	}
	if err := errors.Join(problems...); err != nil {
		return sent, fmt.Errorf("drain outbox: %w", err)
	}
	return sent, nil
}

func notifyAll(ctx context.Context, notifiers []Notifier, m Message) (retry bool, failed error) {
	for _, n := range notifiers {
		again, err := n.Notify(ctx, m)
		if err == nil {
			continue
		}
		how := "is refused and stays in the outbox"
		if again {
			how = "is sent again later"
		}
		retry = retry || again
		failed = errors.Join(failed, fmt.Errorf("%s: %q %s: %w", n.Name(), m.Title, how, err))
	}
	return retry, failed
}

// pause is how long a message rests after its last attempt in vain.
func pause(attempts int) time.Duration {
	if attempts == 0 {
		return 0
	}
	return min(firstPause<<min(attempts-1, 20), lastPause)
}
