package hubspot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"handoff/connectors"
)

const (
	attempts     = 5
	firstBackoff = 500 * time.Millisecond
	longestWait  = time.Minute // a CRM that asks for more is asked again by the next run
)

// retry calls attempt until it succeeds, again says that trying on is of no use, or it has been tried often enough.
// It returns the last error.
func (c *Client) retry(ctx context.Context, again func(error) bool, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || n == attempts || !again(err) {
			return err
		}
		pause := pause(err, n)
		if pause > longestWait {
			return err
		}
		if stopped := c.cfg.Sleep(ctx, pause); stopped != nil {
			return fmt.Errorf("%w, while waiting after: %w", stopped, err)
		}
	}
}

// pause is how long to wait after attempt n. A limit passes when its window does.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func pause(err error, n int) time.Duration {
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) {
		return backoff(n)
	}
	switch {
	case e.RetryAfter > 0:
		return e.RetryAfter
	case e.Code == policySecondly:
		return time.Duration(n) * time.Second
	case e.Status == http.StatusTooManyRequests:
		return time.Duration(n) * 10 * time.Second
	case e.Status == http.StatusLocked:
		return 2*time.Second + backoff(n)
	}
	return backoff(n)
}

// backoff doubles with each attempt; the jitter keeps clients that failed together from coming back together.
func backoff(n int) time.Duration {
	d := firstBackoff << (n - 1)
	return d/2 + rand.N(d/2)
}
