package jobs

import (
	"time"

	"handoff/rules"
)

// Filter says which handoffs a list shows.
type Filter struct {
	Connection string // empty: every connection
	Flagged    bool   // only those that a manager should look at (Handoff.Flagged)
}

// Version is one version of a deal's scorecard. It is never changed once saved.
type Version struct {
	Version   int         // 1 for the first
	Card      *rules.Card // without DueAt
	AsOf      time.Time
	InputHash string // of the snapshot that Card was computed from
	Rulebook  string
	RunID     int64
	CreatedAt time.Time // when its run started
}

// Flagged reports whether a manager should look at the deal: it shows as a ghost or Incomplete, people's edits counted, and
// is still Closed Won.
func (h *Handoff) Flagged() bool { return alarmOf(h) != calm }
