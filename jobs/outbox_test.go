package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/jobs"
)

// recorder is a notifier that answers as told, by key; a key that it does not know is taken.
type recorder struct {
	got    []string
	answer map[string]answer
}

type answer struct {
	retry bool
	err   error
}

func (r *recorder) Name() string { return "recorder" }

func (r *recorder) Notify(_ context.Context, m jobs.Message) (bool, error) {
	r.got = append(r.got, m.Key)
	a := r.answer[m.Key]
	return a.retry, a.err
}

// outbox is a world with a message about each of three new deals.
func outbox(t *testing.T) *world {
	w := newWorld(t)
	since := w.now
	w.job.AlertsFrom = &since
	w.crm.size = 3
	for _, id := range []string{"d1", "d2", "d3"} {
		w.crm.put(emptyDeal(id), "")
	}
	w.run()
	return w
}

func (w *world) drain(r *recorder) (sent int, err error) {
	r.got = nil
	return jobs.DrainOutbox(w.t.Context(), w.db, []jobs.Notifier{r}, w.clock)
}

const (
	about1 = "acme/d1/incomplete/1"
	about2 = "acme/d2/incomplete/1"
	about3 = "acme/d3/incomplete/1"
)

func TestDrainSendsEachMessageOnce(t *testing.T) {
	w := outbox(t)
	r := &recorder{}
	if sent, err := w.drain(r); sent != 3 || err != nil {
		t.Errorf("%d sent, %v", sent, err)
	}
	if diff := cmp.Diff([]string{about1, about2, about3}, r.got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if sent, err := w.drain(r); sent != 0 || err != nil || len(r.got) != 0 {
		t.Errorf("again: %d sent, %v, %v", sent, r.got, err)
	}
}

func TestDrainWithoutNotifiersLetsMessagesGo(t *testing.T) {
	w := outbox(t)
	if sent, err := jobs.DrainOutbox(t.Context(), w.db, nil, w.clock); sent != 0 || err != nil || len(w.messages()) != 0 {
		t.Errorf("%d sent, %v, %d left", sent, err, len(w.messages()))
	}
}

func TestDrainTriesAgainAfterGrowingPauses(t *testing.T) {
	w := outbox(t)
	down := answer{true, errors.New("out of reach")}
	r := &recorder{answer: map[string]answer{about1: down}}
	for _, rest := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		sent, err := w.drain(r)
		if sent != 0 || err == nil || !cmp.Equal(r.got, []string{about1}) {
			t.Fatalf("%d sent, %v, %v; want the first message tried, and no other while its receiver is out of reach", sent, r.got, err)
		}
		w.now = w.now.Add(rest - time.Second)
		r.answer = nil
		r.answer = map[string]answer{about1: down, about2: down}
		if m := w.messages(); m[0].Key != about1 || m[0].Attempts == 0 {
			t.Fatalf("message %+v", m[0])
		}
		w.now = w.now.Add(time.Second)
	}
	r.answer = nil
	if sent, err := w.drain(r); sent != 3 || err != nil {
		t.Errorf("%d sent, %v", sent, err)
	}
}

func TestDrainKeepsWhatIsRefused(t *testing.T) {
	w := outbox(t)
	r := &recorder{answer: map[string]answer{about2: {false, errors.New("the webhook answers HTTP 404")}}}
	sent, err := w.drain(r)
	if sent != 2 || len(r.got) != 3 {
		t.Errorf("%d sent of %v, want the others sent", sent, r.got)
	}
	const says = `drain outbox: recorder: "Incomplete handoff: Deal d2" is refused and stays in the outbox: the webhook answers HTTP 404`
	if err == nil || err.Error() != says {
		t.Errorf("error %v, want %s", err, says)
	}
	if sent, err := w.drain(r); sent != 0 || err != nil || len(r.got) != 0 {
		t.Errorf("at once: %d sent, %v, %v; want it left alone for a while", sent, r.got, err)
	}
	w.now = w.now.Add(time.Hour)
	r.answer = nil
	if sent, err := w.drain(r); sent != 1 || err != nil {
		t.Errorf("when the webhook is there again: %d sent, %v", sent, err)
	}
}

func TestDrainStopsWithItsContext(t *testing.T) {
	w := outbox(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := &cancelling{cancel: cancel}
	sent, err := jobs.DrainOutbox(ctx, w.db, []jobs.Notifier{r}, w.clock)
	if sent != 1 || !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "refused") {
		t.Errorf("%d sent, %v; want the message at hand marked as sent", sent, err)
	}
	if n := len(w.messages()); n != 2 {
		t.Errorf("%d messages left, want 2", n)
	}
}

// cancelling is a notifier during whose first message the process is told to stop.
type cancelling struct {
	recorder
	cancel func()
}

func (c *cancelling) Notify(ctx context.Context, m jobs.Message) (bool, error) {
	c.cancel()
	return c.recorder.Notify(ctx, m)
}
