package connectortest

import (
	"sync"
	"time"
)

// Clock is a clock that moves by hand. It may be used concurrently.
type Clock struct {
	mu       sync.Mutex
	changed  *sync.Cond // the time, or how many sleep
	now      time.Time
	sleeping int
}

// NewClock returns a clock that stands at a moment after all demo deals.
func NewClock() *Clock {
	c := &Clock{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.changed.Broadcast()
}

// Sleep waits until the clock has been moved on by d.
func (c *Clock) Sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sleeping++
	c.changed.Broadcast()
	for end := c.now.Add(d); c.now.Before(end); {
		c.changed.Wait()
	}
	c.sleeping--
}

// AwaitSleepers waits until so many sleep.
func (c *Clock) AwaitSleepers(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sleeping < n {
		c.changed.Wait()
	}
}
