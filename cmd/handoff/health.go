package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/jobs"
)

// health is what GET /healthz answers.
type health struct {
	Status      string             `json:"status"` // healthy, or failing where any connection is not OK
	Connections []connectionHealth `json:"connections"`
}

const (
	healthy = "ok"
	failing = "failing"
)

type connectionHealth struct {
	Connection string     `json:"connection"`
	LastRun    *time.Time `json:"last_run"` // when the last one ended; null: none has yet
	OK         bool       `json:"ok"`       // the last one of each job left nothing to do for a person, or there was none
	Error      string     `json:"error"`    // what it left, or why it did not finish
	NextRun    time.Time  `json:"next_run"`
}

// health says how the last runs of the connections went, by the store: whoever ran them.
func (s *service) health(ctx context.Context) (health, error) {
	last, err := s.db.LastRuns(ctx, jobs.ScoreJob)
	reconciled, reconciledErr := s.db.LastRuns(ctx, jobs.ReconcileJob)
	h := health{Status: healthy}
	for i := range s.cfg.Connections {
		conn := &s.cfg.Connections[i]
		run := last[conn.Name]
		c := connectionHealth{Connection: conn.Name, LastRun: run.EndedAt, OK: true, NextRun: conn.next(conn.Schedule, s.clock())}
		for _, run := range []jobs.Run{reconciled[conn.Name], run} { // what the latter says matters more
			if why := cmp.Or(run.Error, run.Summary.Left); why != "" && !run.Summary.Interrupted {
				h.Status, c.OK, c.Error = failing, false, why
			}
		}
		h.Connections = append(h.Connections, c)
	}
	return h, errors.Join(err, reconciledErr)
}

func (s *service) serveHealth(w http.ResponseWriter, r *http.Request) {
	h, err := s.health(r.Context())
	if err != nil {
		s.log.Error("the store does not say how the last runs went", "error", err)
		http.Error(w, "the store cannot be read", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if h.Status != healthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := printJSON(w, h); err != nil {
		s.log.Info("answer to GET /healthz", "error", err)
	}
}

// serveHTTP answers at a listener until ctx ends; then calls at hand have a moment to finish.
func (s *service) serveHTTP(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	server := &http.Server{
		Handler: mux, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelInfo),
		ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		stopped <- server.Shutdown(brief)
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// listen binds the address of the service. Nil: it is bound; else the finding says why it cannot be.
func listen(ctx context.Context, address string) (net.Listener, *connectors.Finding) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	f := &connectors.Finding{Severity: connectors.Problem, Place: "server.listen"}
	if errors.Is(err, syscall.EADDRINUSE) {
		f.Text, f.Remedy = address+" is in use by another program", "End that program, or write another port"
		return nil, f
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err
	}
	f.Text, f.Remedy = fmt.Sprintf("cannot listen at %s: %v", address, err), fmt.Sprintf("Write an address of this machine with a port from 1024 on, such as %q", exampleListen)
	return nil, f
}

// checkListen says whether the service could listen at the address, or does so already.
func checkListen(ctx context.Context, address string) connectors.Finding {
	l, bad := listen(ctx, address)
	switch {
	case bad == nil:
		f := connectors.Finding{Place: "server.listen", Text: address + " is free"}
		if err := l.Close(); err != nil {
			f.Severity, f.Text = connectors.Problem, err.Error()
		}
		return f
	case isOurs(ctx, address):
		return connectors.Finding{Place: "server.listen", Text: "a handoff service is running at " + address}
	}
	return *bad
}

// isOurs reports whether what listens at the address is a service of handoff.
func isOurs(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var h health
	err = json.UnmarshalRead(http.MaxBytesReader(nil, res.Body, 1<<20), &h)
	return err == nil && (h.Status == healthy || h.Status == failing) && len(h.Connections) > 0
}
