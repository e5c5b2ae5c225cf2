package salesforce

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	cursorLife = 48 * time.Hour
	cursorIDs  = 5_000_000 // ids in all cursors; when there are more, the oldest cursors are lost
)

// cursor is a query with more rows than one page. It holds their ids: a page shows the rows as they are when it is read.
type cursor struct {
	*selection
	id      string
	userID  string
	ids     []string
	batch   int
	expires time.Time
}

// cursors are the open cursors. The zero value holds none.
type cursors struct {
	mu     sync.Mutex
	byID   map[string]*cursor
	oldest []*cursor
	ids    int
	serial int64
}

// put keeps a cursor and returns its id. Doing it again changes nothing.
func (cs *cursors) put(c *cursor, now time.Time) string {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.id != "" {
		return c.id
	}
	cs.serial++
	c.id, c.expires = newID("01g", cs.serial), now.Add(cursorLife)
	if cs.byID == nil {
		cs.byID = map[string]*cursor{}
	}
	cs.byID[c.id] = c
	cs.oldest = append(cs.oldest, c)
	cs.ids += len(c.ids)
	for len(cs.oldest) > 1 && (cs.ids > cursorIDs || cs.oldest[0].expires.Before(now)) {
		delete(cs.byID, cs.oldest[0].id)
		cs.ids -= len(cs.oldest[0].ids)
		cs.oldest = cs.oldest[1:]
	}
	return c.id
}

// find returns the cursor of a user's locator, and where in it the locator's page begins.
func (cs *cursors) find(locator, userID string, now time.Time) (c *cursor, offset int, ok bool) {
	id, from, _ := strings.Cut(locator, "-")
	offset, err := strconv.Atoi(from)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c = cs.byID[id]
	if err != nil || c == nil || c.userID != userID || offset < 0 || offset > len(c.ids) || c.expires.Before(now) {
		return nil, 0, false
	}
	return c, offset, true
}
