package hubspot

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"handoff/connectors"
	"handoff/crm"
)

type bytesMemory struct {
	data   []byte
	broken error
}

var _ connectors.Memory = (*bytesMemory)(nil)

func (m *bytesMemory) Recall(context.Context) ([]byte, error) { return m.data, m.broken }

func (m *bytesMemory) Remember(_ context.Context, data []byte) error {
	m.data = data
	return m.broken
}

func (m *bytesMemory) Snapshots(context.Context, []string) (map[string]*crm.Snapshot, error) {
	return nil, m.broken
}

// TestRemembered: labels that are no good text are remembered, the token is not, and a memory that fails is no secret.
func TestRemembered(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/details") {
			say(w, 200, `{"portalId":7}`)
			return
		}
		say(w, 200, `{"results":[{"id":"1","name":"dealname","label":"Caf`+"\xe9"+`"}]}`)
	})
	m := &bytesMemory{}
	for i, calls := range []int{6, 0} { // no field of ours is on companies
		s.asked = nil
		c := s.client(t, func(cfg *Config) { cfg.Memory = m })
		if d, err := c.describe(t.Context()); err != nil || d.Portal != "7" || len(s.asked) != calls {
			t.Errorf("time %d: %v, %d calls, want %d", i, err, len(s.asked), calls)
		}
	}
	if text := string(m.data); text == "" || strings.Contains(text, "secret-token") {
		t.Errorf("remembered %s", text)
	}
	m.broken = errors.New("disk full")
	if _, err := s.client(t, func(cfg *Config) { cfg.Memory = m }).describe(t.Context()); !errors.Is(err, m.broken) {
		t.Errorf("got %v", err)
	}
}
