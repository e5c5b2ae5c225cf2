package hubspot

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"handoff/connectors"
	"handoff/crm"
)

// kind is a kind of record around a deal.
type kind struct {
	object     string
	part       crm.Part // what of the snapshot is missing without it
	stamp      string   // property that moves when a record changes
	properties []string
}

const modified = "hs_lastmodifieddate"

// dealCount is how many deals a contact or a company is on.
const dealCount = "num_associated_deals"

// The kinds of records around a deal.
const (
	contacts = "contacts"
	notes    = "notes"
	calls    = "calls"
	meetings = "meetings"
	emails   = "emails"
	tasks    = "tasks"
)

var contactKind = kind{contacts, crm.PartContacts, "lastmodifieddate", []string{
	"firstname", "lastname", "jobtitle", "email", "phone", "mobilephone", "hs_buying_role", "hs_email_bounce", "hs_email_hard_bounce_reason_enum"}}

var companyKind = kind{companies, crm.PartFields, modified, []string{"name"}}

var kinds = []kind{
	contactKind,
	companyKind,
	{notes, crm.PartNotes, modified, []string{"hs_note_body", "hs_timestamp", ownerID}},
	{calls, crm.PartTasks, modified, []string{"hs_call_title", "hs_call_body", "hs_timestamp", ownerID}},
	{meetings, crm.PartEvents, modified, []string{
		"hs_meeting_title", "hs_meeting_body", "hs_internal_meeting_notes", "hs_meeting_start_time", "hs_timestamp", "hs_activity_type", "hs_attendee_owner_ids", ownerID}},
	{emails, crm.PartEmails, modified, []string{"hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_headers", "hs_timestamp"}},
	{tasks, crm.PartTasks, modified, []string{"hs_task_subject", "hs_task_body", ownerID}},
}

// owners is no kind of record around a deal, but names the people of all the others.
var owners = kind{object: "owners", part: crm.PartFields}

const ownerID = "hubspot_owner_id"

// dealColumns are the properties of a deal that are no mapped facts; tracked are those whose history is read.
var (
	dealColumns = []string{"dealname", "dealstage", isWon, amount, "deal_currency_code", closeDate, pipelineID, dealType, ownerID, mergedIDs}
	tracked     = []string{"dealstage", ownerID}
)

// reader reads deals against one schema.
type reader struct {
	*Client
	schema *schema
	people people
	missed map[string]bool // owners, users and stages that records name and schema does not list

	mu     sync.Mutex
	lost   map[string]crm.Part // what a missing scope keeps from us, by kind of record; "": nothing that a score depends on
	closed *connectors.Error   // why companies cannot be read; nil: they can, as far as they were
}

// open describes the portal for one pull.
func (c *Client) open(ctx context.Context) (*reader, error) {
	s, err := c.describe(ctx)
	if err != nil {
		return nil, err
	}
	return c.reader(ctx, s), nil
}

// reader returns a reader of deals by a schema.
func (c *Client) reader(ctx context.Context, s *schema) *reader {
	r := &reader{Client: c, schema: s, people: newPeople(s.Owners), missed: map[string]bool{}, lost: map[string]crm.Part{}}
	if s.hidden != nil {
		r.lose(ctx, companyKind, s.hidden)
	}
	if s.unnamed != nil {
		r.lose(ctx, owners, s.unnamed)
	}
	return r
}

// forbidden returns the refusal of a call that a scope or a feature is missing for; nil: err is something else.
func forbidden(err error) *connectors.Error {
	if e := (*connectors.Error)(nil); errors.As(err, &e) && e.Status == http.StatusForbidden {
		return e
	}
	return nil
}

// lose notes that a kind of record cannot be read in this pull, and says so once.
func (r *reader) lose(ctx context.Context, k kind, why *connectors.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.object == companies {
		r.closed = why
		if !r.schema.missesCompanies() {
			k.part = ""
		}
	}
	if _, told := r.lost[k.object]; !told {
		r.lost[k.object] = k.part
		r.cfg.Log.WarnContext(ctx, "a part of the deals cannot be read", "object", k.object, "part", k.part, "why", why.Error())
	}
}

func (r *reader) sees(k kind) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, lost := r.lost[k.object]
	return !lost
}

// forget clears the watermarks of what cannot be read: once a gap is closed, all of it is news. They are not left out, as those
// that were saved before would stand then.
func (r *reader) forget(marks crm.Watermarks) {
	for _, k := range kinds {
		if !r.sees(k) {
			marks[k.object] = crm.Watermark{}
		}
	}
}

// forgotten reports whether a kind has no watermark: it was not readable until now.
func forgotten(since crm.Watermarks, k kind) bool { return since[k.object].Time.IsZero() }

// unread lists the parts that are missing from every deal of this pull.
func (r *reader) unread() []crm.Part {
	parts := slices.DeleteFunc(slices.Sorted(maps.Values(r.lost)), func(p crm.Part) bool { return p == "" })
	return slices.Compact(parts)
}

// around is everything around a chunk of deals.
type around struct {
	links   map[string]map[string][]link // by kind, then by deal
	records map[string]map[string]object // by kind, then by id
	people  map[string][]link            // contacts, by meeting, call or task
	kept    map[string]map[string]bool   // by kind, then by deal: nothing has changed there, and nothing was read
	held    map[string]*crm.Snapshot     // by deal
}

const opRead = "read deals"

// deals reads those of the deals, maxDeals at most, that are won and pass the filters, whole and in order of ids. What n knows
// not to have changed is not read again; nil: nothing is known. It also returns all deals that are there.
func (r *reader) deals(ctx context.Context, ids []string, n *news) ([]connectors.Record, map[string]object, error) {
	columns, history := r.schema.columns(deals, dealColumns...), slices.Clone(tracked)
	for _, f := range r.schema.own[crm.DealObject] {
		columns, history = append(columns, f.property), append(history, f.property)
	}
	if r.cfg.CaseAsOf {
		columns = append(columns, caseAsOf)
	}
	found, links, err := r.singly(ctx, ids, columns, history, n)
	if links == nil && err == nil {
		found, err = r.batch(ctx, opRead, deals, ids, columns, history)
	}
	if err != nil {
		return nil, nil, err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !r.ours(found[id]) })
	a, err := r.around(ctx, ids, links, n)
	if err != nil {
		return nil, nil, err
	}
	for {
		var records []connectors.Record
		for _, id := range ids {
			records = append(records, r.record(found[id], a))
		}
		outdated := r.schema.outdated(deals, columns, found) || r.schema.outdated(companies, r.schema.columns(companies, companyKind.properties...), a.records[companies])
		if again, err := r.contradicted(ctx, outdated); err != nil || !again {
			return records, found, err
		}
	}
}

// contradicted reports whether the schema was read again, because it is outdated or the records name somebody or something that
// the portal did not list. What HubSpot does not list then either is not asked for again.
func (r *reader) contradicted(ctx context.Context, outdated bool) (bool, error) {
	for _, id := range r.schema.Unlisted {
		delete(r.missed, id)
	}
	if len(r.missed) == 0 && !outdated {
		return false, nil
	}
	var err error
	if !r.schema.fresh {
		clear(r.missed)
		if r.schema, err = r.describeAnew(ctx); err == nil {
			r.people = newPeople(r.schema.Owners)
		}
		return true, err
	}
	d := *r.schema.description
	d.Unlisted = append(slices.Clone(d.Unlisted), sortedKeys(r.missed)...)
	known := *r.schema
	known.description, r.schema = &d, &known
	return false, r.keep(ctx, r.schema)
}

// owner returns an owner by id; "": nobody.
func (r *reader) owner(id string) owner { return seek(r, r.people.byID, id) }

// user returns the owner who is a user; "": nobody.
func (r *reader) user(id string) owner { return seek(r, r.people.byUser, id) }

// stage returns the label of a stage, or its id where it has none.
func (r *reader) stage(id string) string { return cmp.Or(seek(r, r.schema.stages, id), id) }

func seek[V any](r *reader, listed map[string]V, id string) V {
	v, ok := listed[id]
	if !ok && id != "" {
		r.missed[id] = true
	}
	return v
}

// around reads what is associated with the deals; links are those that were read with them, by kind.
func (r *reader) around(ctx context.Context, ids []string, links map[string]map[string][]link, n *news) (*around, error) {
	a := &around{links: links, records: map[string]map[string]object{}}
	if links == nil {
		var err error
		if a.links, err = r.links(ctx, ids); err != nil {
			return nil, err
		}
	}
	n.keep(ids, a)
	records := make([]map[string]object, len(kinds))
	g, gctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		due := map[string][]link{}
		for _, id := range ids {
			if !a.kept[k.object][id] {
				due[id] = a.links[k.object][id]
			}
		}
		g.Go(func() (err error) {
			records[i], err = r.records(gctx, k, targets(due))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, k := range kinds {
		a.records[k.object] = records[i]
	}
	return a, r.readPeople(ctx, a)
}

// links reads which records belong to the deals, by kind and deal.
func (r *reader) links(ctx context.Context, ids []string) (map[string]map[string][]link, error) {
	found := make([]map[string][]link, len(kinds))
	g, gctx := errgroup.WithContext(ctx)
	for i, k := range kinds {
		g.Go(func() (err error) {
			found[i], err = r.linked(gctx, deals, ids, k)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	links := map[string]map[string][]link{}
	for i, k := range kinds {
		links[k.object] = found[i]
	}
	return links, nil
}

// linked reads which records of a kind belong to those of another. What we may not read is a gap.
func (r *reader) linked(ctx context.Context, from string, ids []string, k kind) (map[string][]link, error) {
	if !r.sees(k) {
		return nil, nil
	}
	links, err := r.associations(ctx, opRead, from, k.object, ids)
	return links, r.tolerate(ctx, k, err)
}

// records reads the records of a kind. What we may not read is a gap.
func (r *reader) records(ctx context.Context, k kind, ids []string) (map[string]object, error) {
	if !r.sees(k) {
		return map[string]object{}, nil
	}
	columns := k.properties
	if k.object == companies {
		columns = r.schema.columns(companies, columns...)
	}
	records, err := r.batch(ctx, opRead, k.object, ids, columns, nil)
	if records == nil {
		records = map[string]object{}
	}
	return records, r.tolerate(ctx, k, err)
}

// tolerate makes a gap of the refusal of a kind; any other error is returned.
func (r *reader) tolerate(ctx context.Context, k kind, err error) error {
	if refused := forbidden(err); refused != nil {
		r.lose(ctx, k, refused)
		return nil
	}
	return err
}

// readPeople reads whom meetings, calls and tasks were with: contacts that need not be on the deal.
func (r *reader) readPeople(ctx context.Context, a *around) error {
	a.people = map[string][]link{}
	for _, kind := range []string{meetings, calls, tasks} { // ids of different kinds never meet
		links, err := r.linked(ctx, kind, slices.Sorted(maps.Keys(a.records[kind])), contactKind)
		if err != nil {
			return err
		}
		strangers := slices.DeleteFunc(targets(links), func(id string) bool { _, read := a.records[contacts][id]; return read })
		guests, err := r.records(ctx, contactKind, strangers)
		if err != nil {
			return err
		}
		maps.Copy(a.people, links)
		maps.Copy(a.records[contacts], guests)
	}
	return nil
}

// of returns the records of a kind that were read and belong to a deal, oldest first.
func (a *around) of(kind, deal string) []object {
	var all []object
	if a.kept[kind][deal] { // another deal may have some of them, too
		return nil
	}
	for _, l := range a.links[kind][deal] {
		if o, ok := a.records[kind][l.id]; ok { // else it was deleted between two calls
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(x, y object) int { return compareIDs(string(x.ID), string(y.ID)) })
	return all
}
