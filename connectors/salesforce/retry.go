package salesforce

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"handoff/connectors"
)

const (
	attempts     = 5
	firstBackoff = 500 * time.Millisecond
	longestWait  = time.Minute // a CRM that asks for more is asked again by the next run
)

// temporary reports whether trying again may help. A lost cursor stays lost.
func temporary(err error) bool {
	return errors.Is(err, connectors.ErrRetry) && code(err) != invalidLocator
}

// retry calls attempt until it succeeds, again says that trying on is of no use, or it has been tried often enough.
// It returns the last error.
func (c *Client) retry(ctx context.Context, again func(error) bool, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n == attempts || !again(err) {
			return err
		}
		pause := backoff(n)
		if e := (*connectors.Error)(nil); errors.As(err, &e) && e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		if pause > longestWait {
			return err
		}
		if stopped := c.sleep(ctx, pause); stopped != nil {
			return fmt.Errorf("%w, while waiting after: %w", stopped, err)
		}
	}
}

// backoff doubles with each attempt; the jitter keeps clients that failed together from coming back together.
func backoff(n int) time.Duration {
	d := firstBackoff << (n - 1)
	return d/2 + rand.N(d/2)
}
