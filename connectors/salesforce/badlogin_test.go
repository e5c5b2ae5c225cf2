package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// keeping is the memory of a connection from one process to the next.
type keeping struct {
	data   []byte
	broken error
}

func (k *keeping) Recall(context.Context) ([]byte, error) { return k.data, k.broken }

func (k *keeping) Remember(_ context.Context, data []byte) error {
	k.data = data
	return k.broken
}

func (k *keeping) Snapshots(context.Context, []string) (map[string]*crm.Snapshot, error) {
	return nil, k.broken
}

// guarded is an org that takes one password, and a user who is locked out or not.
func guarded(t *testing.T, locked *bool) *stub {
	s := newStub(t)
	s.login = func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "right" || *locked {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"authentication failure"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token","instance_url":%q,"id":"x/00D/005"}`, s.URL)
	}
	s.api = func(http.ResponseWriter, *http.Request) {}
	return s
}

// TestBadLogins: a password that was refused is sent ever more rarely, whatever runs are scheduled, in one process or many.
func TestBadLogins(t *testing.T) {
	for _, processes := range []string{"one process", "one for each run"} {
		t.Run(processes, func(t *testing.T) {
			t.Parallel()
			locked := true
			s, m, now := guarded(t, &locked), &keeping{}, noon
			password := "wrong"
			client := func() *Client {
				return s.client(t, func(c *Config) {
					c.Auth, c.Username, c.Password, c.Memory, c.Now = Password, "u", password, m, func() time.Time { return now }
				})
			}
			c := client()
			run := func(logins int64) error {
				t.Helper()
				if processes != "one process" {
					c = client()
				}
				before := s.logins.Load()
				c.reopen() // as a pull does
				err := get(c)
				if n := s.logins.Load() - before; n != logins {
					t.Errorf("%d logins after %v, want %d", n, now.Sub(noon), logins)
				}
				return err
			}
			const m15, h = 15 * time.Minute, time.Hour
			for _, wait := range []time.Duration{0, m15, 2 * m15, h, 2 * h, 4 * h, 8 * h, 12 * h, 12 * h} {
				if wait > 0 {
					now = now.Add(wait - time.Second)
					_ = run(0)
					now = now.Add(time.Second)
				}
				err := run(1)
				if e := refused(err); e == nil || !errors.Is(err, connectors.ErrConfig) || e.Setting != "password" || e.Message != "authentication failure" {
					t.Errorf("got %v", err)
				}
			}
			const want = "Salesforce: log in: authentication failure; refused 9 times, it is not sent again before 23 November 15:45 UTC unless it changes, " +
				"lest the user be locked out (invalid_grant). Correct user name or password"
			if err := run(0); !errors.Is(err, connectors.ErrConfig) || !strings.HasPrefix(err.Error(), want) || refused(err).Setting != "password" {
				t.Errorf("got %v", err)
			}
			if strings.Contains(string(m.data), "wrong") || strings.Contains(string(m.data), "hunter2") {
				t.Errorf("it remembers a secret: %s", m.data)
			}
			locked, password = false, "right"
			c = client()
			if err := run(1); err != nil || m.data != nil {
				t.Errorf("the right password: %v, remembered %q", err, m.data)
			}
		})
	}
}

func TestBadLoginIsHeeded(t *testing.T) {
	wrong := func(c *Config) { c.Auth, c.Username, c.Password = Password, "u", "wrong" }
	for _, tc := range []struct {
		name          string
		first, second func(*Config)
		want          int64 // logins of the two
	}{
		{"the same", wrong, func(*Config) {}, 1},
		{"another password", wrong, func(c *Config) { c.Password = "also wrong" }, 2},
		{"another user", wrong, func(c *Config) { c.Username = "v" }, 2},
		{"another flow", wrong, func(c *Config) { c.ClientID = "other" }, 2},
		{"a later time", wrong, func(c *Config) { c.Now = func() time.Time { return noon.Add(badLoginWait) } }, 2},
		{"without a memory", wrong, func(c *Config) { c.Memory = nil }, 2},
		{"a memory of another version", wrong, func(c *Config) { c.Memory = &keeping{data: []byte("{")} }, 2},
		{"client credentials", func(*Config) {}, func(*Config) {}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			locked := true
			s, m := guarded(t, &locked), &keeping{}
			base := func(c *Config) { c.Memory, c.Now = m, func() time.Time { return noon } }
			for _, changes := range [][]func(*Config){{base, tc.first}, {base, tc.first, tc.second}} {
				if err := get(s.client(t, changes...)); !errors.Is(err, connectors.ErrConfig) {
					t.Errorf("got %v", err)
				}
			}
			if n := s.logins.Load(); n != tc.want {
				t.Errorf("%d logins, want %d", n, tc.want)
			}
		})
	}
	t.Run("a memory that fails", func(t *testing.T) {
		locked := true
		s, m := guarded(t, &locked), &keeping{broken: errors.New("the disk is full")}
		if err := get(s.client(t, wrong, func(c *Config) { c.Memory = m })); !errors.Is(err, m.broken) || s.logins.Load() != 0 {
			t.Errorf("%d logins, %v", s.logins.Load(), err)
		}
	})
}
