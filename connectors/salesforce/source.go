package salesforce

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

// source is one kind of record around a deal.
type source struct {
	object  string
	part    crm.Part // what of the snapshot is missing without it
	feature bool     // an org need not have it; its absence is no gap
	parent  string   // field that ties a row to the record it is read for
	columns []string // "X?" may be hidden from us without a loss
	where   string
	order   string

	// archived: Salesforce archives rows that are a year old, and lists them to queryAll alone, among deleted ones. It does
	// not say what becomes of the invitees of archived events.
	// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_archive.htm
	archived bool

	// all is the condition in bulk, where no ids are named; "": the row's deal is one of those that are read.
	all string
}

// kept is the condition that a row is not deleted.
const kept = "IsDeleted = false"

var (
	contactRoles = source{object: "OpportunityContactRole", part: crm.PartContacts, parent: "OpportunityId", order: "CreatedDate, Id", columns: []string{
		"Id", "OpportunityId", "Role", "CreatedDate", "ContactId", "Contact.FirstName", "Contact.LastName", "Contact.Title", "Contact.Email", "Contact.Phone",
		"Contact.MobilePhone", "Contact.EmailBouncedDate?", "Contact.CreatedDate"}}
	legacyNotes = source{object: "Note", part: crm.PartNotes, parent: "ParentId", order: "CreatedDate, Id", columns: []string{
		"Id", "ParentId", "Title", "Body", "CreatedDate", "CreatedBy.Name"}}
	// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
	noteLinks = source{object: "ContentDocumentLink", part: crm.PartNotes, parent: "LinkedEntityId", where: "ContentDocument.FileType = 'SNOTE'", columns: []string{
		"LinkedEntityId", "ContentDocumentId", "ContentDocument.LatestPublishedVersionId"}}
	contentNotes = source{object: "ContentNote", part: crm.PartNotes, feature: true, parent: "Id", all: "Id != null", columns: []string{
		"Id", "Title", "TextPreview", "ContentSize", "CreatedDate", "CreatedBy.Name"}}
	tasks = source{object: "Task", part: crm.PartTasks, archived: true, parent: "WhatId", where: kept, order: "CreatedDate, Id", columns: []string{
		"Id", "WhatId", "Subject", "Description", "TaskSubtype?", "CreatedDate", "Owner.Email"}}
	events = source{object: "Event", part: crm.PartEvents, archived: true, parent: "WhatId", where: kept, order: "StartDateTime, Id", columns: []string{
		"Id", "WhatId", "Subject", "Description", "Type", "StartDateTime", "Owner.Email"}}
	invitees = source{object: "EventRelation", part: crm.PartEvents, archived: true, feature: true, parent: "EventId", where: kept, order: "CreatedDate, Id", all: "Event.WhatId != null", columns: []string{
		"EventId", "Relation.Email"}}
	emails = source{object: "EmailMessage", part: crm.PartEmails, feature: true, parent: "RelatedToId", order: "MessageDate, Id", columns: []string{
		"Id", "RelatedToId", "ActivityId", "MessageDate", "Subject", "TextBody", "HtmlBody", "FromAddress", "ToAddress"}}
	stages = source{object: "OpportunityHistory", part: crm.PartHistory, parent: "OpportunityId", order: "CreatedDate, Id", columns: []string{
		"OpportunityId", "StageName", "CreatedDate", "CreatedBy.Name"}}
	fieldChanges = source{object: "OpportunityFieldHistory", part: crm.PartHistory, feature: true, parent: "OpportunityId", order: "CreatedDate, Id", columns: []string{
		"OpportunityId", "Field", "OldValue", "NewValue", "CreatedDate", "CreatedById", "CreatedBy.Name"}}
)

// sources are those that are described, in the order in which a person should hear of what they lack.
var sources = []source{contactRoles, legacyNotes, contentNotes, tasks, events, invitees, emails, fieldChanges}

// gaps collects the parts that could not be read.
type gaps map[crm.Part]bool

func (g gaps) parts() []crm.Part { return slices.Sorted(maps.Keys(g)) }

// reader reads deals against one schema.
type reader struct {
	*Client
	schema *schema
	me     string          // id of the integration user
	org    string          // id of the org; "": the login did not tell
	told   map[string]bool // objects whose gap is logged already

	spool *spool // what was read in bulk; nil: nothing
	days  int    // close dates that one list of deals covers; 0: all

	// Bodies of notes: how many may still be read, how many are left to later pulls, and the newest deal that has some.
	bodiesLeft, bodiesUnread int
	unread                   crm.Watermark

	// By Salesforce's clock. Rows saved up to seen can be seen by what is read after open; the overlap makes up for a
	// horizon that is not told.
	now, seen time.Time
}

// open describes the org for one pull. more is read in the same call, behind the horizon: what is saved between the two
// does not count as seen.
func (c *Client) open(ctx context.Context, more ...part) (*reader, error) {
	login, err := c.session(ctx) // tells the time
	if err != nil {
		return nil, err
	}
	h := &horizon{now: c.orgTime()}
	s, now, err := c.describe(ctx, append([]part{h}, more...)...)
	if err != nil {
		return nil, err
	}
	me, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	return &reader{Client: c, schema: s, me: me, org: login.org, told: map[string]bool{}, bodiesLeft: c.bodies(), now: now, seen: h.before(now)}, nil
}

// statement is the SOQL that reads a source for the given parents; "": it cannot be read, or nothing asks for it. What
// is hidden of it counts as a gap.
func (r *reader) statement(ctx context.Context, s source, parents []string, g gaps) string {
	if len(parents) == 0 || !r.readable(ctx, s, g) {
		return ""
	}
	columns, lost := r.schema.choose(s.object, s.columns)
	if lost != nil {
		r.gap(ctx, s, g, seeField+": "+strings.Join(lost, ", "))
	}
	order := ""
	if s.order != "" {
		order = "ORDER BY " + s.order
	}
	return selectFrom(s.object, columns, all(anyOf(s.parent, parents), s.where), order)
}

// readable reports whether the org has the source and lets us see it.
func (r *reader) readable(ctx context.Context, s source, g gaps) bool {
	d := r.schema.objects[s.object]
	switch {
	case d == nil || !d.off(): // what is not described exists in every org
		return true
	case !(s.feature && absent(d.err)):
		r.gap(ctx, s, g, d.err.Error())
	}
	return false
}

// absent reports whether an error says that there is no such object, which is also what an org says of a feature that
// is off.
func absent(err *connectors.Error) bool { return err.Code == "INVALID_TYPE" || err.Code == "NOT_FOUND" }

// gap notes that a part is not read, and says so once a pull.
func (r *reader) gap(ctx context.Context, s source, g gaps, why string) {
	g[s.part] = true
	if !r.told[s.object] {
		r.told[s.object] = true
		r.log.WarnContext(ctx, "a part of the deals cannot be read", "object", s.object, "part", s.part, "why", why)
	}
}
