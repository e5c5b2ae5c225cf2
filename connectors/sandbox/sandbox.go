// Package sandbox runs emulated CRMs over real HTTP on this machine: for demos, for tests, and for trying a configuration
// before it meets a real CRM.
package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"handoff/connectors/sandbox/control"
	"handoff/connectors/sandbox/deals"
	"handoff/connectors/sandbox/hubspot"
	"handoff/connectors/sandbox/salesforce"
	"handoff/crm"
)

// The addresses that the emulated CRMs listen on by default.
const (
	DefaultSalesforce = "127.0.0.1:18181"
	DefaultHubSpot    = "127.0.0.1:18182"
)

// Options say what the CRMs hold and how they behave. Only Now is required.
type Options struct {
	// Addresses to listen on. "": the default; port 0: a free one.
	Salesforce string
	HubSpot    string

	// The deals that the CRMs hold: Cases, then Generate made ones by Seed. Without either, the demo's sixty.
	Cases    []*crm.Snapshot
	Generate int
	Seed     int64

	Latency  time.Duration // every API call takes so much longer
	NoLimits bool          // calls do not count against a limit
	NoLog    bool          // keep no log of calls; without it their bodies stay in memory
	Now      func() time.Time

	// Sleep waits, by the clock of Now, until a change may be committed that a fault puts off; nil: time.Sleep.
	Sleep func(time.Duration)
}

// Sandbox is a set of running CRMs.
type Sandbox struct {
	salesforce *server
	hubspot    *server
}

// Start loads the CRMs and returns when they listen. ctx bounds the loading; Close ends them.
func Start(ctx context.Context, opts Options) (*Sandbox, error) {
	s := &Sandbox{
		salesforce: &server{name: "Salesforce", flag: "--salesforce", open: func() (emulator, error) { return salesforce.New(opts.Now) }},
		hubspot:    &server{name: "HubSpot", flag: "--hubspot", open: func() (emulator, error) { return hubspot.New(opts.Now) }},
	}
	err := s.salesforce.listen(ctx, cmp.Or(opts.Salesforce, DefaultSalesforce))
	if err == nil {
		err = s.hubspot.listen(ctx, cmp.Or(opts.HubSpot, DefaultHubSpot))
	}
	if err == nil {
		var loading errgroup.Group
		loading.Go(func() error { return s.salesforce.load(ctx, opts) })
		loading.Go(func() error { return s.hubspot.load(ctx, opts) })
		err = loading.Wait()
	}
	if err != nil {
		return nil, errors.Join(err, s.salesforce.abandon(), s.hubspot.abandon())
	}
	s.salesforce.serve(opts)
	s.hubspot.serve(opts)
	return s, nil
}

// SalesforceURL is the address of the emulated Salesforce, such as "http://127.0.0.1:18181".
func (s *Sandbox) SalesforceURL() string { return s.salesforce.url }

// HubSpotURL is the address of the emulated HubSpot, such as "http://127.0.0.1:18182".
func (s *Sandbox) HubSpotURL() string { return s.hubspot.url }

// Close lets the calls at hand finish, until ctx ends, and frees everything.
func (s *Sandbox) Close(ctx context.Context) error {
	return errors.Join(s.salesforce.close(ctx), s.hubspot.close(ctx))
}

// deals returns new values on each call: each CRM has its own.
func (o Options) deals() []*crm.Snapshot {
	if o.Cases == nil && o.Generate == 0 {
		return deals.Demo()
	}
	all := append([]*crm.Snapshot(nil), o.Cases...)
	return append(all, deals.Generate(o.Generate, o.Seed, o.Now())...)
}

// emulator is an emulated CRM.
type emulator interface {
	NoLimits()
	Load(context.Context, []*crm.Snapshot) error
	Control() control.CRM
	Close() error
}

// server is one CRM on its listener.
type server struct {
	name string
	flag string // what a person sets to choose another address
	open func() (emulator, error)

	listener net.Listener
	url      string
	crm      emulator
	http     *http.Server
	served   chan error // yields one value when the server has stopped
}

func (s *server) listen(ctx context.Context, addr string) (err error) {
	s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use, perhaps by another sandbox. Stop that, or choose another address with %s, such as %[2]s 127.0.0.1:0 for any free port", addr, s.flag)
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %q, which %s sets: %w", addr, s.flag, err)
	}
	s.url = "http://" + s.listener.Addr().String()
	return nil
}

func (s *server) load(ctx context.Context, opts Options) error {
	crm, err := s.open()
	if err != nil {
		return fmt.Errorf("start the %s sandbox: %w", s.name, err)
	}
	s.crm = crm
	if opts.NoLimits {
		crm.NoLimits()
	}
	if err := crm.Load(ctx, opts.deals()); err != nil {
		return fmt.Errorf("start the %s sandbox: %w", s.name, err)
	}
	return nil
}

// abandon frees what there is of a server that does not serve.
func (s *server) abandon() (err error) {
	if s.listener != nil {
		err = s.listener.Close()
	}
	if s.crm != nil {
		err = errors.Join(err, s.crm.Close())
	}
	return err
}

func (s *server) serve(opts Options) {
	handler := control.New(s.crm.Control(), control.Options{Latency: opts.Latency, NoLog: opts.NoLog, Sleep: opts.Sleep})
	s.http = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	s.served = make(chan error, 1)
	go func() { s.served <- s.http.Serve(s.listener) }()
}

func (s *server) close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if ctx.Err() != nil { // a connection that a client opened and never used holds Shutdown up for seconds
		err = s.http.Close()
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.crm.Close())
}
