package salesforce

import (
	"context"
	"slices"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// around is everything around a chunk of deals.
type around struct {
	roles    map[string][]roleRow // all by opportunity
	legacy   map[string][]legacyNoteRow
	links    map[string][]noteLinkRow
	tasks    map[string][]taskRow
	events   map[string][]eventRow
	emails   map[string][]emailRow
	stages   map[string][]stageRow
	changes  map[string][]fieldChangeRow
	notes    map[string]contentNoteRow // by document
	bodies   map[string]body           // of notes, by document; absent: not read
	invitees map[string][]inviteeRow   // by event
	gaps     gaps
}

// deals reads the deals with these ids, maxIDs at most, that are won and pass the filters, whole and in order of ids.
func (r *reader) deals(ctx context.Context, ids []string) ([]connectors.Record, error) {
	const op = "read deals"
	a := &around{gaps: gaps{}}
	r.hides(ctx, a.gaps)
	deals := &selection[row]{}
	if r.spool != nil {
		deals.rows = rows[row](ctx, r.spool, opportunity, ids)
	} else {
		deals.soql = selectFrom(opportunity, r.schema.columns, all(anyOf("Id", ids), r.won()), "")
	}
	roles := pick[roleRow](ctx, r, contactRoles, ids, a.gaps)
	legacy := pick[legacyNoteRow](ctx, r, legacyNotes, ids, a.gaps)
	tasks := pick[taskRow](ctx, r, tasks, ids, a.gaps)
	events := pick[eventRow](ctx, r, events, ids, a.gaps)
	emails := pick[emailRow](ctx, r, emails, ids, a.gaps)
	stages := pick[stageRow](ctx, r, stages, ids, a.gaps)
	changes := pick[fieldChangeRow](ctx, r, r.tracked(), ids, a.gaps)
	// Links are asked for in any case: where notes are not off, but hidden from us, there are links to them.
	r.readable(ctx, contentNotes, a.gaps)
	links := pick[noteLinkRow](ctx, r, noteLinks, ids, a.gaps)
	parts := []part{deals, roles, legacy, links, tasks, events, emails, stages, changes}
	if _, err := r.read(ctx, op, parts...); err != nil {
		return nil, err
	}
	if deals.err != nil {
		return nil, deals.err
	}
	a.roles = group(roles.settle(ctx, r, a.gaps), func(x roleRow) string { return x.OpportunityID })
	a.legacy = group(legacy.settle(ctx, r, a.gaps), func(x legacyNoteRow) string { return x.ParentID })
	a.links = group(links.settle(ctx, r, a.gaps), func(x noteLinkRow) string { return x.LinkedEntityID })
	a.tasks = group(tasks.settle(ctx, r, a.gaps), func(x taskRow) string { return x.WhatID })
	a.events = group(events.settle(ctx, r, a.gaps), func(x eventRow) string { return x.WhatID })
	a.emails = group(emails.settle(ctx, r, a.gaps), func(x emailRow) string { return x.RelatedToID })
	a.stages = group(stages.settle(ctx, r, a.gaps), func(x stageRow) string { return x.OpportunityID })
	a.changes = group(changes.settle(ctx, r, a.gaps), func(x fieldChangeRow) string { return x.OpportunityID })

	if err := r.further(ctx, op, a, links.rows, events.rows); err != nil {
		return nil, err
	}
	if err := r.readBodies(ctx, a, deals.rows); err != nil {
		return nil, err
	}
	if r.spool != nil && r.spool.err != nil {
		return nil, r.spool.err
	}
	byID := make(map[string]row, len(deals.rows))
	for _, d := range deals.rows {
		byID[d.text("Id")] = d
	}
	var records []connectors.Record
	for _, id := range ids {
		if d, ok := byID[id]; ok {
			records = append(records, r.record(d, a))
		}
	}
	return records, nil
}

// hides notes fields of a deal that we would read facts from and cannot see.
func (r *reader) hides(ctx context.Context, g gaps) {
	if lost := slices.DeleteFunc(slices.Clone(r.schema.hidden), func(name string) bool { return !holdsFact(name) }); len(lost) > 0 {
		r.gap(ctx, source{object: opportunity, part: crm.PartFields}, g, seeField+": "+strings.Join(lost, ", "))
	}
}

// further reads what hangs on the children of the deals: who was invited to events, and the notes behind their links.
func (r *reader) further(ctx context.Context, op string, a *around, links []noteLinkRow, events []eventRow) error {
	var eventIDs, documents []string
	for _, e := range events {
		eventIDs = append(eventIDs, e.ID)
	}
	for _, l := range links {
		documents = append(documents, l.DocumentID)
	}
	var invited []*sourced[inviteeRow]
	var notes []*sourced[contentNoteRow]
	var parts []part
	for ids := range slices.Chunk(eventIDs, maxIDs) {
		invited = append(invited, pick[inviteeRow](ctx, r, invitees, ids, a.gaps))
		parts = append(parts, invited[len(invited)-1])
	}
	for ids := range slices.Chunk(unique(documents), maxIDs) {
		notes = append(notes, pick[contentNoteRow](ctx, r, contentNotes, ids, a.gaps))
		parts = append(parts, notes[len(notes)-1])
	}
	if _, err := r.read(ctx, op, parts...); err != nil {
		return err
	}
	var all []inviteeRow
	for _, s := range invited {
		all = append(all, s.settle(ctx, r, a.gaps)...)
	}
	a.invitees = group(all, func(x inviteeRow) string { return x.EventID })
	a.notes = map[string]contentNoteRow{}
	for _, s := range notes {
		for _, n := range s.settle(ctx, r, a.gaps) {
			a.notes[n.ID] = n
		}
	}
	return nil
}

// won is the condition that a deal is won and one of ours.
func (c *Client) won() string { return all("IsWon = true", c.ours()) }

// ours is the condition that a deal passes the filters; "": every one does.
func (c *Client) ours() string {
	var types, pipelines string
	if len(c.cfg.DealTypes) > 0 {
		types = anyOf("Type", c.cfg.DealTypes)
	}
	if len(c.cfg.Pipelines) > 0 {
		pipelines = anyOf("RecordType.Name", c.cfg.Pipelines)
	}
	return all(types, pipelines)
}

// tracked is the history of the fields that we ask after: the owner, and our own.
func (r *reader) tracked() source {
	s := fieldChanges
	fields := []string{"Owner"}
	for _, name := range sortedKeys(r.schema.own[crm.DealObject]) {
		fields = append(fields, r.schema.own[crm.DealObject][name])
	}
	s.where = anyOf("Field", fields)
	return s
}

// sourced is a selection that reads a source.
type sourced[T any] struct {
	selection[T]
	source source
}

// pick selects the rows of a source that belong to the parents; those that were read in bulk are there at once.
func pick[T any](ctx context.Context, r *reader, s source, parents []string, g gaps) *sourced[T] {
	picked := &sourced[T]{selection[T]{soql: r.statement(ctx, s, parents, g)}, s}
	if picked.soql != "" && r.spool != nil && r.spool.fetched[s.object] {
		picked.soql, picked.rows = "", rows[T](ctx, r.spool, s.object, parents)
	}
	return picked
}

// settle returns the rows; a refused selection is a gap.
func (s *sourced[T]) settle(ctx context.Context, r *reader, g gaps) []T {
	if s.err != nil && !(s.source.feature && absent(s.err)) {
		r.gap(ctx, s.source, g, s.err.Error())
	}
	return s.rows
}

func group[T any](rows []T, by func(T) string) map[string][]T {
	m := map[string][]T{}
	for _, r := range rows {
		m[by(r)] = append(m[by(r)], r)
	}
	return m
}

// unique sorts values and drops doubles.
func unique(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
