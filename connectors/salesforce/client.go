// Package salesforce reads won deals from Salesforce and writes our own fields back.
//
// Tokens and note bodies travel by resty; everything else goes through simpleforce, over a transport of ours that gives
// it what it lacks: the caller's context, limits, and errors that keep what Salesforce said.
package salesforce

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/golang-jwt/jwt/v5"

	"handoff/connectors"
	"handoff/crm"
)

// The ways to log in.
const (
	ClientCredentials = "client_credentials" // an External Client App with a run-as user; the default
	JWT               = "jwt"                // an External Client App with a certificate, whose private key signs the login
	Password          = "password"           // OAuth username-password, for connected apps of old orgs
	SOAP              = "soap"               // SOAP login(), which ends with Summer '27
)

// shortestKey is the length of the RSA keys that Salesforce makes itself, in bits.
const shortestKey = 2048

// DefaultAPIVersion is the oldest version that has all that we use.
const DefaultAPIVersion = "62.0"

// DefaultOverlap covers the longest transaction that is usual in an org: a row is stamped when it is saved, but seen when
// its transaction ends.
const DefaultOverlap = 15 * time.Minute

// Config says which org to read, as whom, and what in it.
type Config struct {
	URL        string // My Domain, such as "https://acme.my.salesforce.com"
	Auth       string // "": ClientCredentials
	APIVersion string // "": DefaultAPIVersion

	ClientID     string // all but SOAP
	ClientSecret string // ClientCredentials and Password
	Username     string // all but ClientCredentials
	Password     string // Password and SOAP; ends with the security token, if there is one
	PrivateKey   string // JWT: an RSA key in PEM

	// Which won deals. An empty filter passes every one.
	Since       time.Time // first window: deals that were closed, or changed their stage, since then
	Pipelines   []string  // names of record types
	DealTypes   []string  // values of Opportunity.Type
	NeedsAmount bool      // deals whose amount we may not see are of no use

	Overlap time.Duration // how far a pull reaches back before the one before it; 0: DefaultOverlap

	// Fields names the fields that a deal's facts are read from, by neutral name: crm.FieldNames, "arr", "term_months",
	// "csm" and "csm_assigned_at". A value is the API name of a field of the Opportunity, or of its account or contract
	// ("Account.CSM__c"), and has to exist. For names that are left out, the fields of
	// Methodology and DefaultFields are tried.
	Fields      map[string]string
	Methodology string // one of connectors.Methodologies; "": none

	// HandoffFields overrides the API names of our own fields, by neutral name. "health" names the field on both objects.
	HandoffFields map[string]string
	Specs         []crm.FieldSpec // our own fields

	CaseAsOf bool // Case_As_Of__c of a deal is the as-of time of its snapshot; for sandboxes on this machine

	Memory connectors.Memory // spares the bodies of notes that were read before; nil: none was

	// Spool is the file that holds what a first sync of many deals has read in bulk, until it is done; "": nothing is read in
	// bulk. A sync that was killed goes on with it. No two clients may share it.
	Spool string

	// When a first sync reads in bulk: above so many deals, 0: 2,000; in pages of so many rows, 0: 25,000.
	BulkFrom int
	BulkRows int

	Patience time.Duration // how long one answer may take to its last byte; 0: three minutes

	Now   func() time.Time                           // this machine's clock; nil: time.Now
	Sleep func(context.Context, time.Duration) error // waits between attempts; nil: by a timer
	Log   *slog.Logger                               // nil: slog.Default()
}

// Client is a connection to one org. Its methods may be called concurrently.
type Client struct {
	cfg       Config
	base      string // path of the REST API, such as "/services/data/v62.0"
	specs     map[crm.Object][]ownField
	transport *transport
	rest      *resty.Client
	sleep     func(context.Context, time.Duration) error
	log       *slog.Logger

	bodiesShare float64 // of the org's daily calls that a pull may spend on bodies of notes

	key *rsa.PrivateKey // signs JWT logins; nil: there are none

	login   chan struct{} // held while what follows is read or changed: one login at a time
	current session
	closed  error     // why nothing is sent before reopens; nil: nothing was refused
	reopens time.Time // by this machine's clock

	mu     sync.Mutex
	schema *schema // as last described; nil: not yet
}

var _ connectors.Connector = (*Client)(nil)

// ownField is one of our fields with its API name.
type ownField struct {
	crm.FieldSpec
	API     string
	renamed bool // by the configuration
}

// New returns a client for the org; it makes no call. Its error says what is wrong with cfg.
func New(cfg Config) (*Client, error) {
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if u, err := url.Parse(cfg.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New(`salesforce: the address of the org must look like "https://acme.my.salesforce.com"`)
	}
	if cfg.Auth == "" {
		cfg.Auth = ClientCredentials
	}
	if cfg.APIVersion == "" {
		cfg.APIVersion = DefaultAPIVersion
	}
	if cfg.Overlap == 0 {
		cfg.Overlap = DefaultOverlap
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Patience == 0 {
		cfg.Patience = slowest
	}
	cfg.BulkFrom, cfg.BulkRows = cmp.Or(cfg.BulkFrom, bulkFrom), cmp.Or(cfg.BulkRows, bulkRows)
	if cfg.Sleep == nil {
		cfg.Sleep = connectors.Sleep
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	version, err := strconv.ParseFloat(cfg.APIVersion, 64)
	if err != nil || version < 62 {
		return nil, fmt.Errorf("salesforce: API version %q: 62.0 or later is needed", cfg.APIVersion)
	}
	var key *rsa.PrivateKey
	switch {
	case !slices.Contains([]string{ClientCredentials, JWT, Password, SOAP}, cfg.Auth):
		return nil, fmt.Errorf("salesforce: unknown login %q", cfg.Auth)
	case cfg.Auth == JWT:
		if cfg.ClientID == "" || cfg.Username == "" {
			return nil, fmt.Errorf("salesforce: login %q needs a client id and a user name", cfg.Auth)
		}
		if key, err = jwt.ParseRSAPrivateKeyFromPEM([]byte(cfg.PrivateKey)); err != nil || key.N.BitLen() < shortestKey {
			return nil, fmt.Errorf(`salesforce: private_key is no RSA key of %d bits in PEM form without a passphrase. Make one with "openssl genrsa -out FILE %[1]d"`, shortestKey)
		}
	case cfg.Auth != SOAP && (cfg.ClientID == "" || cfg.ClientSecret == ""):
		return nil, fmt.Errorf("salesforce: login %q needs a client id and a client secret", cfg.Auth)
	case cfg.Auth != ClientCredentials && (cfg.Username == "" || cfg.Password == ""):
		return nil, fmt.Errorf("salesforce: login %q needs a user name and a password", cfg.Auth)
	case cfg.Auth == SOAP && version >= 65: // https://help.salesforce.com/s/articleView?id=005132110
		return nil, errors.New("salesforce: SOAP login does not exist from API version 65.0 on: set the version to 64.0, or log in by client credentials")
	}
	for _, name := range sortedKeys(cfg.Fields) {
		if _, known := DefaultFields[name]; !known {
			return nil, fmt.Errorf("salesforce: unknown deal field %q", name)
		}
	}
	c := &Client{
		cfg: cfg, base: "/services/data/v" + cfg.APIVersion, bodiesShare: bodiesShare, sleep: cfg.Sleep, log: cfg.Log,
		specs: ownFields(cfg), key: key, login: make(chan struct{}, 1), transport: newTransport(cfg.Log, cfg.Patience, cfg.Now),
	}
	c.rest = resty.NewWithClient(&http.Client{Transport: c.transport, CheckRedirect: connectors.NoRedirect}).SetLogger(connectors.Silence{})
	return c, nil
}

// Calls is how many API calls were sent, those for tokens left out.
func (c *Client) Calls() int { return int(c.transport.calls.Load()) }

// orgTime is the time by Salesforce's clock, as far as an answer has told: this machine's may be off.
func (c *Client) orgTime() time.Time { return c.cfg.Now().Add(time.Duration(c.transport.skew.Load())) }

// quota is that of the org, as the last answer told.
func (c *Client) quota() connectors.Quota {
	q := c.transport.quota.Load()
	if q == nil {
		return connectors.Quota{}
	}
	return *q
}

func ownFields(cfg Config) map[crm.Object][]ownField {
	own := map[crm.Object][]ownField{}
	for _, spec := range cfg.Specs {
		api, renamed := cfg.HandoffFields[spec.Name]
		if api == "" {
			api = ownName(spec.Name)
		}
		own[spec.Object] = append(own[spec.Object], ownField{spec, api, renamed})
	}
	return own
}

// ownName makes "Handoff_Item_1_1__c" of "item_1_1".
func ownName(neutral string) string {
	words := strings.Split(neutral, "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return "Handoff_" + strings.Join(words, "_") + "__c"
}

// sobjects are the sObjects that carry our fields.
var sobjects = map[crm.Object]string{crm.DealObject: "Opportunity", crm.AccountObject: "Account"}
