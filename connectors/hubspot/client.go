// Package hubspot reads won deals from HubSpot and writes our own properties back.
//
// A search tells ids, in order of ids, because it lags behind, ends at 10,000 rows and is no snapshot; values come from
// batch reads.
package hubspot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
	"golang.org/x/time/rate"

	"handoff/connectors"
	"handoff/crm"
)

// DefaultURL is where HubSpot's API is.
const DefaultURL = "https://api.hubapi.com"

// DefaultAPIVersion is the release of HubSpot's API that this package was written for. It also speaks 2026-03.
const DefaultAPIVersion = "2026-09"

// apiVersionForm is how releases are named, for time.Parse.
const apiVersionForm = "2006-01"

// DefaultOverlap covers how far a search is usually behind, and changes that were under way when it was asked.
const DefaultOverlap = 30 * time.Minute

// Config says which portal to read and what in it.
type Config struct {
	URL   string // "": DefaultURL
	Token string // of a service key, or of a private app

	APIVersion string // release of the API, such as "2026-09"; "": DefaultAPIVersion

	// Which won deals. An empty filter passes every one.
	Since     time.Time // first window: deals that were closed since then
	Pipelines []string  // labels or ids
	DealTypes []string  // labels or values of dealtype

	Overlap time.Duration // how far a pull reaches back before the one before it; 0: DefaultOverlap

	// Fields names the properties that a deal's facts are read from, by neutral name: crm.FieldNames, "arr", "term_months",
	// "csm" and "csm_assigned_at". A value is the name of a property of the deal, or of its company ("company.csm"), and has
	// to exist. For names that are left out, the fields of
	// Methodology and DefaultFields are tried.
	Fields      map[string]string
	Methodology string // one of connectors.Methodologies; "": none

	// HandoffFields overrides the names of our own properties, by neutral name. "health" names the property on both objects.
	HandoffFields map[string]string
	Specs         []crm.FieldSpec // our own properties

	Memory connectors.Memory // nil: none

	// Searches paces searches, which an account has few of: connections to one account share it. nil: one of its own.
	Searches *rate.Limiter

	CaseAsOf bool // case_as_of of a deal is the as-of time of its snapshot; for sandboxes on this machine

	Patience time.Duration // how long one answer may take to its last byte; 0: a minute

	Now   func() time.Time                           // paces searches; nil: time.Now
	Sleep func(context.Context, time.Duration) error // waits between attempts and searches; nil: by a timer
	Log   *slog.Logger                               // nil: slog.Default()
}

// Client is a connection to one portal. Its methods may be called concurrently.
type Client struct {
	cfg       Config
	specs     map[crm.Object][]ownField
	transport *transport
	rest      *resty.Client

	mu     sync.Mutex
	schema *schema   // as last described; nil: not yet
	doubt  bool      // schema may not hold any more
	resume time.Time // no call goes before
}

var _ connectors.Connector = (*Client)(nil)

// ownField is one of our fields with the name of its property.
type ownField struct {
	crm.FieldSpec
	property string
}

// New returns a client for the portal; it makes no call. Its error says what is wrong with cfg.
func New(cfg Config) (*Client, error) {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if u, err := url.Parse(cfg.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("hubspot: the address of the API must look like %q", DefaultURL)
	}
	if cfg.Token == "" {
		return nil, errors.New("hubspot: a token is needed: create a service key under Development > Keys > Service keys")
	}
	if cfg.APIVersion == "" {
		cfg.APIVersion = DefaultAPIVersion
	}
	if _, err := time.Parse(apiVersionForm, cfg.APIVersion); err != nil {
		return nil, fmt.Errorf("hubspot: the API version must look like %q", DefaultAPIVersion)
	}
	for _, name := range sortedKeys(cfg.Fields) {
		if _, known := DefaultFields[name]; !known {
			return nil, fmt.Errorf("hubspot: unknown deal field %q", name)
		}
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = DefaultOverlap
	}
	if cfg.Patience == 0 {
		cfg.Patience = slowest
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = connectors.Sleep
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Searches == nil {
		cfg.Searches = NewSearches()
	}
	c := &Client{cfg: cfg, specs: ownFields(cfg), transport: newTransport(cfg.Log)}
	c.rest = resty.NewWithClient(&http.Client{Transport: c.transport, CheckRedirect: connectors.NoRedirect, Timeout: cfg.Patience}).SetLogger(connectors.Silence{}).
		SetBaseURL(cfg.URL).SetAuthToken(cfg.Token).SetHeader("Accept", "application/json").SetResponseBodyLimit(maxAnswer)
	return c, nil
}

// NewSearches returns what paces the searches of one account.
func NewSearches() *rate.Limiter { return rate.NewLimiter(searchesPerSecond, 1) }

// api returns the path of an area of the CRM's API, such as "objects".
func (c *Client) api(area, below string) string {
	path := "/crm/" + area + "/" + c.cfg.APIVersion
	if below != "" {
		path += "/" + below
	}
	return path
}

// Calls is how many API calls were sent.
func (c *Client) Calls() int { return int(c.transport.calls.Load()) }

const ownPrefix = "handoff_" // of the names that our properties have unless the configuration names others

func ownFields(cfg Config) map[crm.Object][]ownField {
	own := map[crm.Object][]ownField{}
	for _, spec := range cfg.Specs {
		name := cfg.HandoffFields[spec.Name]
		if name == "" {
			name = ownPrefix + spec.Name
		}
		own[spec.Object] = append(own[spec.Object], ownField{spec, name})
	}
	return own
}

// The object types that carry our fields, as HubSpot names them.
const (
	deals     = "deals"
	companies = "companies"
)

var objectTypes = map[crm.Object]string{crm.DealObject: deals, crm.AccountObject: companies}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
