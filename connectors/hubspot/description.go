package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// description is what a portal says of itself: seven calls, for what changes rarely. Runs go by one that is up to a day old,
// unless something contradicts it: a record that lacks a property, or names an owner or a stage that is not listed; a call that
// is refused.
type description struct {
	Access     string // to what portal, and as whom: a fingerprint
	ReadAt     time.Time
	Portal     string                // its id; "": HubSpot does not tell
	Properties map[string][]property // by object type
	Pipelines  []pipeline
	Owners     []owner
	Unlisted   []string // owners, users and stages that records name and no list holds

	// What is refused. Such a description is never used again: the scope may be there by the next run.
	hidden  *connectors.Error // the properties of companies
	closed  *connectors.Error // the records of companies
	unnamed *connectors.Error // owners
}

const descriptionLife = 24 * time.Hour

// access is the fingerprint of how we get in.
func (c *Client) access() string {
	sum := sha256.Sum256([]byte(c.cfg.URL + "\n" + c.cfg.APIVersion + "\n" + c.cfg.Token))
	return hex.EncodeToString(sum[:8])
}

// portal identifies the portal. Where HubSpot does not tell, a new token may lead to another one.
func (d *description) portal() string {
	if d.Portal == "" {
		return d.Access
	}
	return d.Portal
}

// describe returns the schema, which has to hold what the configuration names, from a description that leaves nothing to be
// wished for and is not too old; otherwise HubSpot is asked.
func (c *Client) describe(ctx context.Context) (*schema, error) {
	s := c.current()
	if s == nil {
		d, err := c.recall(ctx)
		if err != nil {
			return nil, err
		}
		if d != nil {
			s = c.resolve(d)
		}
	}
	if s == nil || c.doubted() || !s.whole() || s.Access != c.access() || c.cfg.Now().Sub(s.ReadAt) >= descriptionLife {
		return c.describeAnew(ctx)
	}
	older := *s
	older.fresh = false
	c.use(&older)
	return &older, nil
}

// recall returns the description that was kept last, in whatever process; nil: there is none.
func (c *Client) recall(ctx context.Context) (*description, error) {
	if c.cfg.Memory == nil {
		return nil, nil
	}
	data, err := c.cfg.Memory.Recall(ctx)
	if err != nil {
		return nil, err
	}
	if d := (&description{}); json.Unmarshal(data, d, lenient) == nil { // else another version of handoff wrote it
		return d, nil
	}
	return nil, nil
}

// described returns the schema as last described in this process.
func (c *Client) described(ctx context.Context) (*schema, error) {
	if s := c.current(); s != nil {
		return s, nil
	}
	return c.describe(ctx)
}

func (c *Client) current() *schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.schema
}

func (c *Client) doubted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doubt
}

func (c *Client) use(s *schema) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema, c.doubt = s, false
}

// describeAnew asks HubSpot.
func (c *Client) describeAnew(ctx context.Context) (*schema, error) {
	s, err := c.survey(ctx)
	if err == nil && len(s.unmet) > 0 {
		err = s.unmet[0]
	}
	if err != nil {
		return nil, err
	}
	d := s.description
	if d.Owners, err = c.listOwners(ctx); forbidden(err) == nil && err != nil {
		return nil, err
	}
	d.unnamed = forbidden(err)
	if d.Portal, err = c.portalID(ctx); forbidden(err) != nil || status(err) == http.StatusNotFound || errors.Is(err, connectors.ErrRetry) {
		d.Portal, err = c.portalBefore(ctx, d.Access)
	}
	if err != nil {
		return nil, err
	}
	if len(s.own[crm.AccountObject]) > 0 { // definitions open with other scopes than records, and a run without news meets none of these
		if err = c.try(ctx, c.listOne(companies)); forbidden(err) == nil && err != nil {
			return nil, err
		}
		d.closed = forbidden(err)
	}
	s.fresh = true
	return s, c.keep(ctx, s)
}

// keep uses the schema from now on, in later runs too if it is whole.
func (c *Client) keep(ctx context.Context, s *schema) error {
	c.use(s)
	if c.cfg.Memory == nil || !s.whole() {
		return nil
	}
	data, err := json.Marshal(s.description, lenient, json.Deterministic(true))
	if err != nil {
		return err
	}
	return c.cfg.Memory.Remember(ctx, data)
}

// mistrust makes the next pull ask HubSpot, in whatever process. It returns err, and what keeps it from that.
func (c *Client) mistrust(ctx context.Context, err error) error {
	c.mu.Lock()
	c.doubt = true
	c.mu.Unlock()
	if c.cfg.Memory == nil {
		return err
	}
	return errors.Join(err, c.cfg.Memory.Remember(context.WithoutCancel(ctx), nil))
}

// tellClosed has Unusable tell that companies turned out to be closed to us, if so, whatever the portal was described as.
func (r *reader) tellClosed() {
	if r.closed == nil {
		return
	}
	r.Client.mu.Lock()
	defer r.Client.mu.Unlock()
	d, s := *r.Client.schema.description, *r.Client.schema
	d.closed, s.description = r.closed, &d
	r.Client.schema = &s
}

// whole reports whether the portal shows and holds all that we want.
func (s *schema) whole() bool {
	if len(s.unmet) > 0 || s.hidden != nil || s.closed != nil || s.unnamed != nil {
		return false
	}
	for _, bad := range s.flaws {
		if len(bad) > 0 {
			return false
		}
	}
	return true
}

// outdated reports whether records that were read with these properties lack one that the portal listed earlier: unset ones come
// as null, those that do not exist not at all.
func (s *schema) outdated(kind string, properties []string, records map[string]object) bool {
	if s.fresh {
		return false
	}
	for _, o := range records {
		for _, name := range properties {
			_, listed := s.properties[kind][name]
			if _, there := o.Properties[name]; listed && !there {
				return true
			}
		}
	}
	return false
}

// survey reads which properties and pipelines there are.
func (c *Client) survey(ctx context.Context) (*schema, error) {
	d := &description{Access: c.access(), ReadAt: c.cfg.Now(), Properties: map[string][]property{}}
	for _, kind := range []string{deals, companies} {
		p, err := fetch[property](ctx, c, call{op: opDescribe, method: http.MethodGet, path: c.api("properties", kind), repeatable: true})
		if refused := forbidden(err); refused != nil {
			if refused.Code == missingScopes { // HubSpot names one that is for definitions alone; that of the records opens these, too
				refused.Remedy = fmt.Sprintf("Add to the service key, under %s: crm.objects.%s.read", serviceKeys, kind)
			}
			if kind == companies {
				d.hidden = refused
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		d.Properties[kind] = p.Results
	}
	p, err := fetch[pipeline](ctx, c, call{op: opDescribe, method: http.MethodGet, path: c.api("pipelines", deals), repeatable: true})
	if err != nil {
		return nil, err
	}
	d.Pipelines = p.Results
	return c.resolve(d), nil
}

// portalID asks for the id of the portal.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
func (c *Client) portalID(ctx context.Context) (string, error) {
	var account struct {
		ID text `json:"portalId"`
	}
	r := call{op: opDescribe, method: http.MethodGet, path: c.accountDetails(), repeatable: true}
	err := c.send(ctx, r, func(_ http.Header, body []byte) error {
		if err := json.Unmarshal(body, &account, lenient); err != nil {
			return connectors.Garbled(crmName, r.op, err)
		}
		return nil
	})
	return string(account.ID), err
}

// portalBefore returns the id of the portal as it was told last to whom has the same access; "": it was not.
func (c *Client) portalBefore(ctx context.Context, access string) (string, error) {
	if s := c.current(); s != nil {
		return s.Portal, nil
	}
	d, err := c.recall(ctx)
	if err != nil || d == nil || d.Access != access {
		return "", err
	}
	return d.Portal, nil
}

func (c *Client) accountDetails() string { return "/account-info/" + c.cfg.APIVersion + "/details" }

// owner is a user who may own records.
type owner struct {
	ID    text   `json:"id"`
	User  text   `json:"userIdIncludingInactive"`
	First string `json:"firstName"`
	Last  string `json:"lastName"`
	Email string `json:"email"`
}

func (o owner) name() string { return strings.TrimSpace(o.First + " " + o.Last) }

// listOwners lists the owners of the portal, former ones first.
func (c *Client) listOwners(ctx context.Context) ([]owner, error) {
	var all []owner
	for _, archived := range []string{"true", "false"} {
		owners, err := list[owner](ctx, c, "read owners", c.api("owners", ""), url.Values{"archived": {archived}})
		if err != nil {
			return nil, err
		}
		all = append(all, owners...)
	}
	return all, nil
}

// people are the owners of a portal, former ones too.
type people struct{ byID, byUser map[string]owner }

// newPeople indexes owners; who came back counts as present, that is by the later entry.
func newPeople(owners []owner) people {
	p := people{map[string]owner{}, map[string]owner{}}
	for _, o := range owners {
		p.byID[string(o.ID)] = o
		if o.User != "" {
			p.byUser[string(o.User)] = o
		}
	}
	return p
}
