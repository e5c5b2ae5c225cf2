package salesforce

import (
	"context"
	"maps"
	"slices"
	"time"

	"handoff/crm"
)

// feed is one kind of record whose changes are news of a deal. Changes of a child leave the stamp of its deal alone, so
// each kind has a watermark of its own.
type feed struct {
	object  string // the kind
	part    crm.Part
	through string // the record that ties it to a deal, where that is one below it; "": the object itself
	columns []string
	where   string
}

// coreFeeds exist in every org; as many as one composite takes, so that they are listed in the call that describes the
// org.
var coreFeeds = []feed{
	{object: opportunity, part: crm.PartFields, columns: []string{"IsWon", "IsDeleted"}},
	{object: "OpportunityContactRole", part: crm.PartContacts, columns: []string{"OpportunityId"}, where: "Opportunity.IsWon = true"},
	{object: "Contact", part: crm.PartContacts, through: "OpportunityContactRole", columns: []string{"OpportunityId"}, where: "Opportunity.IsWon = true"},
	{object: "Task", part: crm.PartTasks, columns: []string{"WhatId"}, where: ofDeal("What")},
	{object: "Event", part: crm.PartEvents, columns: []string{"WhatId"}, where: ofDeal("What")},
}

// feeds are those of this org: a kind of record that we do not read brings no news.
func (c *Client) feeds(s *schema) []feed {
	feeds := slices.Clone(coreFeeds)
	add := func(reads bool, f feed) {
		if reads {
			feeds = append(feeds, f)
		}
	}
	described := func(object string) bool { return !s.objects[object].off() }
	add(described("Note"), feed{object: "Note", part: crm.PartNotes, columns: []string{"ParentId"}, where: ofDeal("Parent")})
	add(described("ContentNote"), feed{object: "ContentDocument", part: crm.PartNotes, through: noteLinks.object, columns: []string{"LinkedEntityId"}, where: c.linked()})
	add(described("ContentNote"), feed{object: noteLinks.object, part: crm.PartNotes, columns: []string{"LinkedEntityId"}, where: c.linked()})
	add(described("EventRelation"), feed{object: "EventRelation", part: crm.PartEvents, columns: []string{"Event.WhatId"}, where: "Event.WhatId != null"})
	add(described("EmailMessage"), feed{object: "EmailMessage", part: crm.PartEmails, columns: []string{"RelatedToId"}, where: ofDeal("RelatedTo")})
	add(s.reads("Account"), feed{object: "Account", part: crm.PartFields, through: opportunity, columns: []string{"IsWon"}, where: c.won()})
	add(s.reads("Contract"), feed{object: "Contract", part: crm.PartFields, through: opportunity, columns: []string{"IsWon"}, where: c.won()})
	return feeds
}

// ofDeal is the condition that a relationship, which may lead to records of many kinds, leads to an opportunity: most tasks and
// e-mails of an org may be those of cases.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_relationships_and_polymorph_keys.htm
func ofDeal(relationship string) string { return relationship + ".Type = " + quote(opportunity) }

// linked is the condition that a link leads from a won deal to a note: the note may be older than the link. Salesforce
// refuses to list links that are not filtered by what they link, and takes a semi-join for such a filter.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
func (c *Client) linked() string {
	return all("LinkedEntityId IN ("+selectFrom(opportunity, []string{"Id"}, c.won(), "")+")", noteLinks.where)
}

// list is one page of a feed, by keyset: a cursor that is lost, or that outlives its rows, would be of no use here.
type list struct {
	selection[row]
	feed  feed
	mark  crm.Watermark // that it lies behind
	until time.Time     // rows stamped before; zero: all
}

func (f feed) after(mark crm.Watermark, until time.Time) *list {
	from, stamp := f.object, "SystemModstamp"
	if f.through != "" {
		from, stamp = f.through, f.object+"."+stamp
	}
	columns := append([]string{"Id", stamp}, f.columns...)
	soql := selectFrom(from, columns, all(f.where, beyond(stamp, mark), before(stamp, until)), "ORDER BY "+stamp+", Id LIMIT "+number(pageSize))
	return &list{selection[row]{soql: soql, all: true, narrows: true}, f, mark, until}
}

// end is the watermark of the last row; the row itself lies behind none.
func (l *list) end() crm.Watermark {
	last := l.rows[len(l.rows)-1]
	way := []string{"SystemModstamp"}
	if l.feed.through != "" {
		way = []string{l.feed.object, "SystemModstamp"}
	}
	mark := crm.Watermark{ID: last.text("Id")}
	if at := last.moment(way...); at != nil {
		mark.Time = *at
	}
	return mark
}

// following returns what is to be listed after l: the page behind it or, where Salesforce ran out of time, a part of it; nil:
// nothing, or it is refused. Windows of time that are listed well get longer again.
func (l *list) following(now time.Time) *list {
	until := l.until
	if until.IsZero() {
		until = now
	}
	span := until.Sub(latest(l.mark.Time, founded))
	switch {
	case l.timedOut() && span > shortestSpan:
		return l.feed.after(l.mark, until.Add(max(span/narrowing, shortestSpan)-span))
	case l.err != nil:
		return nil
	case len(l.rows) == pageSize:
		return l.feed.after(l.end(), l.until)
	case l.until.IsZero():
		return nil
	}
	if until = until.Add(max(widening*span, shortestSpan)); !until.Before(now) {
		until = time.Time{}
	}
	return l.feed.after(crm.Watermark{Time: l.until}, until)
}

// begin lists a feed from its watermark, less the overlap. A feed without one was not readable until now: it is listed
// from the beginning of the first window.
func (c *Client) begin(f feed, since crm.Watermarks) *list {
	if mark, ok := since[f.object]; ok {
		return f.after(crm.Watermark{Time: mark.Time.Add(-c.cfg.Overlap)}, time.Time{})
	}
	return f.after(crm.Watermark{Time: c.cfg.Since}, time.Time{})
}

// follow reads the rest of the lists, of which those of coreFeeds are read already, and collects the news. It returns
// the watermarks that hold once the news is saved. A feed without a watermark waits for the end of a sweep, which reads all of
// it anyway.
func (r *reader) follow(ctx context.Context, since crm.Watermarks, lists []*list) (*news, crm.Watermarks, error) {
	n := &news{won: map[string]bool{}, left: map[string]bool{}, linked: map[string]bool{}, deals: map[string]bool{}, unlisted: gaps{}}
	from, _ := newsSince(since)
	marks := maps.Clone(since)
	var next []*list
	for _, f := range r.feeds(r.schema)[len(coreFeeds):] {
		next = append(next, r.begin(f, from))
	}
	if sweeping(since) || since[readsMark].ID != r.reads() {
		waits := func(l *list) bool { _, ok := since[l.feed.object]; return !ok }
		lists, next = slices.DeleteFunc(lists, waits), slices.DeleteFunc(next, waits)
	}
	for len(lists) > 0 {
		for _, l := range lists {
			object := l.feed.object
			switch following := l.following(r.now); {
			case following != nil:
				next = append(next, following)
			case l.err != nil && (object == opportunity || l.timedOut()):
				return nil, nil, l.err
			case l.err != nil: // its watermark stays, so that nothing is missed once it may be listed
				r.log.WarnContext(ctx, "what is new cannot be listed, and is read when its deals have other news", "object", object, "why", l.err)
				if !r.schema.lacks(l.feed.part) { // else the deals tell
					n.unlisted[l.feed.part] = true
				}
				continue
			default:
				marks[object] = crm.Watermark{Time: latest(from[object].Time, r.seen)}
			}
			for _, row := range l.rows {
				n.add(row)
			}
		}
		if _, err := r.read(ctx, "list what changed", parts(next)...); err != nil {
			return nil, nil, err
		}
		lists, next = next, nil
	}
	marks[readsMark] = crm.Watermark{Time: marks[opportunity].Time, ID: since[readsMark].ID}
	if sweeping(since) {
		marks[opportunity] = since[opportunity]
	}
	return n, marks, nil
}

// latest keeps a watermark from moving back: the clocks of Salesforce's servers may differ.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func parts[P part](concrete []P) []part {
	all := make([]part, len(concrete))
	for i, p := range concrete {
		all[i] = p
	}
	return all
}

// news is what the lists brought, by what leads to deals.
type news struct {
	won    map[string]bool // deals that are won
	left   map[string]bool // deals that are not
	linked map[string]bool // deals that a list of won ones led to
	deals  map[string]bool // deals that may be either

	unlisted gaps // news of these could not be listed
}

func (n *news) add(r row) {
	if id := r.text("Id"); isDeal(id) {
		if r.flag("IsWon") && !r.flag("IsDeleted") {
			n.won[id] = true
		} else {
			n.left[id] = true
		}
		return
	}
	if id := r.text("LinkedEntityId"); isDeal(id) {
		n.linked[id] = true
	}
	for _, way := range [][]string{{"OpportunityId"}, {"WhatId"}, {"ParentId"}, {"RelatedToId"}, {"Event", "WhatId"}} {
		if id := r.text(way...); isDeal(id) {
			n.deals[id] = true
		}
	}
}

// locate returns the ids of the won deals that the news is of, sorted.
func (r *reader) locate(ctx context.Context, n *news) ([]string, error) {
	maps.DeleteFunc(n.linked, func(id string, _ bool) bool { return n.left[id] })
	maps.DeleteFunc(n.deals, func(id string, _ bool) bool { return n.won[id] || n.left[id] || n.linked[id] })
	var searches []*selection[row]
	for chunk := range slices.Chunk(sortedKeys(n.deals), maxIDs) {
		searches = append(searches, &selection[row]{soql: selectFrom(opportunity, []string{"Id"}, all(anyOf("Id", chunk), r.won()), ""), all: true})
	}
	if _, err := r.read(ctx, "find the deals of what changed", parts(searches)...); err != nil {
		return nil, err
	}
	won := slices.Concat(sortedKeys(n.won), sortedKeys(n.linked))
	for _, s := range searches {
		for _, found := range s.rows { // what is refused has none: a gap, told of when deals are read
			won = append(won, found.text("Id"))
		}
	}
	return unique(won), nil
}
