package connectortest

import (
	"os"
	"strconv"
	"testing"
)

// Interleavings is how many interleavings of writers and pulls a test tries: HANDOFF_INTERLEAVINGS, or else so many that
// nobody waits for them.
func Interleavings(t *testing.T) int {
	t.Helper()
	text := os.Getenv("HANDOFF_INTERLEAVINGS")
	if text == "" {
		return 100
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("HANDOFF_INTERLEAVINGS: %v", err)
	}
	return n
}
