package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"handoff/jobs"
)

// Slack posts messages to an incoming webhook of Slack, or of anything that takes the same form (Mattermost, Rocket.Chat).
type Slack struct {
	url    string // a secret: whoever knows it may post
	client *http.Client
}

var _ jobs.Notifier = (*Slack)(nil)

const (
	slackTimeout = 10 * time.Second

	// Longest texts of a header and of a section block, from https://docs.slack.dev/reference/block-kit/blocks/.
	slackHeader  = 150
	slackSection = 3000
)

// NewSlack returns a notifier for the webhook at the given address, which must be an absolute http or https URL. The
// error does not repeat it.
func NewSlack(webhook string) (*Slack, error) {
	u, err := url.Parse(webhook)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("slack: the webhook is not a URL; copy it whole from the app's page Incoming Webhooks, as https://hooks.slack.com/services/…")
	}
	return &Slack{url: webhook, client: &http.Client{
		Timeout: slackTimeout,
		// A redirect would turn the message into a GET, which looks like success.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name implements jobs.Notifier.
func (s *Slack) Name() string { return "slack" }

// Notify implements jobs.Notifier. The message's key travels as Idempotency-Key, for receivers that know it.
func (s *Slack) Notify(ctx context.Context, m jobs.Message) (retry bool, err error) {
	client := *s.client
	client.Transport = keyed{client.Transport, m.Key}
	err = slack.PostWebhookCustomHTTPContext(ctx, s.url, &client, slackMessage(m))
	if err == nil {
		return false, nil
	}
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return true, fmt.Errorf("too many messages; it takes more in %s", limited.RetryAfter)
	}
	var status slack.StatusCodeError
	if errors.As(err, &status) {
		switch {
		case status.Code/100 == 2: // slack-go knows 200 only; others of its kind answer 201 or 204
			return false, nil
		case status.Code >= 500, status.Code == http.StatusTooManyRequests, status.Code == http.StatusRequestTimeout:
			return true, fmt.Errorf("the webhook answers HTTP %d", status.Code)
		}
		return false, fmt.Errorf("the webhook answers HTTP %d; check that it still exists and is allowed to post to its channel", status.Code)
	}
	var failed *url.Error
	if errors.As(err, &failed) { // its text holds the address
		err = failed.Err
	}
	return true, fmt.Errorf("the webhook cannot be reached: %w", err)
}

// keyed adds the key to a request. slack-go leaves no other way to set a header.
type keyed struct {
	next http.RoundTripper
	key  string
}

func (k keyed) RoundTrip(req *http.Request) (*http.Response, error) {
	next := k.next
	if next == nil {
		next = http.DefaultTransport
	}
	req = req.Clone(req.Context())
	req.Header.Set("Idempotency-Key", k.key)
	return next.RoundTrip(req)
}

// slackMessage lays m out. Its text comes from a CRM: as plain text, nothing in it mentions people, links or formats.
func slackMessage(m jobs.Message) *slack.WebhookMessage {
	plain := func(s string, limit int) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, shorten(s, limit), false, false)
	}
	return &slack.WebhookMessage{
		Text: slackutilsx.EscapeMessage(m.Title), // for notifications on a phone, and for receivers that know no blocks
		Blocks: &slack.Blocks{BlockSet: []slack.Block{
			slack.NewHeaderBlock(plain(m.Title, slackHeader)),
			slack.NewSectionBlock(plain(m.Body, slackSection), nil, nil),
		}},
	}
}

// shorten cuts s to at most limit characters, on a whole line where there is one.
func shorten(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	head := string(r[:limit-1])
	if i := strings.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i]
	}
	return head + "…"
}
