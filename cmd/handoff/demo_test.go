package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemoKeepsEdits plays the person at the demo's terminal: set an item of the worst deal, see it kept, clear it, see it
// computed again, leave.
func TestDemoKeepsEdits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	screen := &script{steps: []step{
		{"Ctrl-C ends the demo", func(text string) {
			page := regexp.MustCompile(`(http://127[^/\s]+)/(006\w+)`).FindStringSubmatch(text)
			edit(t, page[1], page[2], `{"Handoff_Item_1_1__c": 2}`)
		}},
		{"item_1_1 = 2, set by Casey CSM at ", func(text string) {
			page := regexp.MustCompile(`(http://127[^/\s]+)/(006\w+)`).FindStringSubmatch(text)
			edit(t, page[1], page[2], `{"Handoff_Item_1_1__c": null}`)
		}},
		{"item_1_1 is computed again", func(string) { cancel() }},
	}}
	a := &app{stdout: screen, stderr: io.Discard, env: env(), clock: time.Now, log: newLogger(io.Discard, 0)}
	if err := a.demo(ctx, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if len(screen.steps) > 0 {
		t.Errorf("never saw %q in\n%s", screen.steps[0].line, screen.seen.String())
	}
}

// script is a screen that does the next step as soon as it shows what that waits for.
type script struct {
	seen  bytes.Buffer
	steps []step
}

type step struct {
	line string
	do   func(text string)
}

func (s *script) Write(b []byte) (int, error) {
	s.seen.Write(b)
	if len(s.steps) > 0 && strings.Contains(s.seen.String(), s.steps[0].line) {
		next := s.steps[0]
		s.steps = s.steps[1:]
		next.do(s.seen.String())
	}
	return len(b), nil
}

// edit changes an opportunity of the sandbox at url as another user would.
func edit(t *testing.T, url, id, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url+"/_sandbox/records/Opportunity/"+id, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("edit: HTTP %d", res.StatusCode)
	}
}
