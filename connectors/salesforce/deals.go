package salesforce

import (
	"context"
	"errors"
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

// maxDeals are read together: so many that the queries for what is around them fill composites.
const maxDeals = 2 * maxIDs

// deals reads the deals with these ids, maxDeals at most, that are won and pass the filters, whole and in order of ids.
func (r *reader) deals(ctx context.Context, ids []string) ([]connectors.Record, error) {
	const op = "read deals"
	a := &around{gaps: gaps{}}
	r.hides(ctx, a.gaps)
	deals := &sourced[row]{}
	for chunk := range slices.Chunk(ids, maxWide) {
		deals.add(ctx, r, opportunity, chunk, selectFrom(opportunity, r.schema.columns, all(anyOf("Id", chunk), r.won()), ""))
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
	asked := slices.Concat(parts(deals.selections), parts(roles.selections), parts(legacy.selections), parts(links.selections), parts(tasks.selections),
		parts(events.selections), parts(emails.selections), parts(stages.selections), parts(changes.selections))
	if _, err := r.read(ctx, op, asked...); err != nil {
		return nil, err
	}
	found, err := deals.rows()
	if err != nil {
		return nil, err
	}
	a.roles = group(roles.settle(ctx, r, a.gaps), func(x roleRow) string { return x.OpportunityID })
	a.legacy = group(legacy.settle(ctx, r, a.gaps), func(x legacyNoteRow) string { return x.ParentID })
	a.links = group(links.settle(ctx, r, a.gaps), func(x noteLinkRow) string { return x.LinkedEntityID })
	a.tasks = group(tasks.settle(ctx, r, a.gaps), func(x taskRow) string { return x.WhatID })
	a.events = group(events.settle(ctx, r, a.gaps), func(x eventRow) string { return x.WhatID })
	a.emails = group(emails.settle(ctx, r, a.gaps), func(x emailRow) string { return x.RelatedToID })
	a.stages = group(stages.settle(ctx, r, a.gaps), func(x stageRow) string { return x.OpportunityID })
	a.changes = group(changes.settle(ctx, r, a.gaps), func(x fieldChangeRow) string { return x.OpportunityID })

	if err := r.further(ctx, op, a); err != nil {
		return nil, err
	}
	if err := r.readBodies(ctx, a, found); err != nil {
		return nil, err
	}
	if r.spool != nil && r.spool.err != nil {
		return nil, r.spool.err
	}
	byID := make(map[string]row, len(found))
	for _, d := range found {
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
func (r *reader) further(ctx context.Context, op string, a *around) error {
	var eventIDs, documents []string
	for _, deal := range a.events {
		for _, e := range deal {
			eventIDs = append(eventIDs, e.ID)
		}
	}
	for _, deal := range a.links {
		for _, l := range deal {
			documents = append(documents, l.DocumentID)
		}
	}
	invited := pick[inviteeRow](ctx, r, invitees, unique(eventIDs), a.gaps)
	notes := pick[contentNoteRow](ctx, r, contentNotes, unique(documents), a.gaps)
	if _, err := r.read(ctx, op, slices.Concat(parts(invited.selections), parts(notes.selections))...); err != nil {
		return err
	}
	a.invitees = group(invited.settle(ctx, r, a.gaps), func(x inviteeRow) string { return x.EventID })
	a.notes = map[string]contentNoteRow{}
	for _, n := range notes.settle(ctx, r, a.gaps) {
		a.notes[n.ID] = n
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

// sourced reads a source, maxIDs parents in each selection.
type sourced[T any] struct {
	source     source
	selections []*selection[T]
}

// pick selects the rows of a source that belong to the parents.
func pick[T any](ctx context.Context, r *reader, s source, parents []string, g gaps) *sourced[T] {
	picked := &sourced[T]{source: s}
	for chunk := range slices.Chunk(parents, maxIDs) {
		picked.add(ctx, r, s.object, chunk, r.statement(ctx, s, chunk, g))
	}
	return picked
}

// add adds the selection of the rows of an object that belong to the parents; those that were read in bulk are there at once.
func (s *sourced[T]) add(ctx context.Context, r *reader, object string, parents []string, soql string) {
	selected := &selection[T]{soql: soql, all: s.source.archived}
	if soql != "" && r.spool != nil && r.spool.fetched[object] {
		selected.soql, selected.rows = "", rows[T](ctx, r.spool, object, parents)
	}
	s.selections = append(s.selections, selected)
}

// rows returns those that were read; an error says that some were refused.
func (s *sourced[T]) rows() (all []T, err error) {
	for _, selected := range s.selections {
		if selected.err != nil {
			return nil, selected.err
		}
		all = append(all, selected.rows...)
	}
	return all, nil
}

// settle returns the rows; a refused selection is a gap.
func (s *sourced[T]) settle(ctx context.Context, r *reader, g gaps) []T {
	all, err := s.rows()
	if refused := (*connectors.Error)(nil); errors.As(err, &refused) && !(s.source.feature && absent(refused)) {
		r.gap(ctx, s.source, g, refused.Error())
	}
	return all
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
