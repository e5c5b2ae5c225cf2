// Package sandbox runs emulated CRMs over real HTTP on this machine: for demos, for tests, and for trying a configuration
// before it meets a real CRM.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"handoff/connectors/sandbox/control"
	"handoff/connectors/sandbox/deals"
	"handoff/connectors/sandbox/salesforce"
	"handoff/crm"
)

// DefaultSalesforce is the address that the emulated Salesforce listens on by default.
const DefaultSalesforce = "127.0.0.1:18181"

// Options say what the CRMs hold and how they behave. Only Now is required.
type Options struct {
	Salesforce string // address to listen on; "": DefaultSalesforce; port 0: a free one

	// The deals that the CRMs hold: Cases, then Generate made ones by Seed. Without either, the demo's sixty.
	Cases    []*crm.Snapshot
	Generate int
	Seed     int64

	Latency  time.Duration // every API call takes so much longer
	NoLimits bool          // calls do not count against a daily limit
	NoLog    bool          // keep no log of calls; without it their bodies stay in memory
	Now      func() time.Time
}

// Sandbox is a set of running CRMs.
type Sandbox struct {
	salesforce *server
}

// Start loads the CRMs and returns when they listen. ctx bounds the loading; Close ends them.
func Start(ctx context.Context, opts Options) (*Sandbox, error) {
	addr := opts.Salesforce
	if addr == "" {
		addr = DefaultSalesforce
	}
	l, err := listen(ctx, addr, "--salesforce")
	if err != nil {
		return nil, err
	}
	org, err := loadSalesforce(ctx, opts)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("start the Salesforce sandbox: %w", err)
	}
	handler := control.New(org.Control(), control.Options{Latency: opts.Latency, NoLog: opts.NoLog})
	return &Sandbox{salesforce: serve(l, handler, org.Close)}, nil
}

// SalesforceURL is the address of the emulated Salesforce, such as "http://127.0.0.1:18181".
func (s *Sandbox) SalesforceURL() string { return s.salesforce.url }

// Close lets the calls at hand finish, until ctx ends, and frees everything.
func (s *Sandbox) Close(ctx context.Context) error { return s.salesforce.close(ctx) }

func loadSalesforce(ctx context.Context, opts Options) (*salesforce.Org, error) {
	org, err := salesforce.New(opts.Now)
	if err != nil {
		return nil, err
	}
	if opts.NoLimits {
		org.NoLimits()
	}
	if err := org.Load(ctx, opts.deals()); err != nil {
		return nil, errors.Join(err, org.Close())
	}
	return org, nil
}

// deals returns new values on each call: each CRM has its own.
func (o Options) deals() []*crm.Snapshot {
	if len(o.Cases) == 0 && o.Generate == 0 {
		return deals.Demo()
	}
	all := append([]*crm.Snapshot(nil), o.Cases...)
	return append(all, deals.Generate(o.Generate, o.Seed, o.Now())...)
}

// listen opens addr; flag is what a person sets to choose another one.
func listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use, perhaps by another sandbox. Stop that, or choose another address with %s, such as %s 127.0.0.1:0 for any free port", addr, flag, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q, which %s sets: %w", addr, flag, err)
	}
	return l, nil
}

// server is one CRM on its listener.
type server struct {
	url    string
	http   *http.Server
	free   func() error // frees what the handler uses
	served chan error   // yields one value when the server has stopped
}

func serve(l net.Listener, h http.Handler, free func() error) *server {
	s := &server{
		url:    "http://" + l.Addr().String(),
		http:   &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		free:   free,
		served: make(chan error, 1),
	}
	go func() { s.served <- s.http.Serve(l) }()
	return s
}

func (s *server) close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if ctx.Err() != nil { // a connection that a client opened and never used holds Shutdown up for seconds
		err = s.http.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.free())
}
