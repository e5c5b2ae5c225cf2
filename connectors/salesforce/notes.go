package salesforce

import (
	"cmp"
	"context"
	"errors"
	"html"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"golang.org/x/sync/errgroup"

	"handoff/connectors"
	"handoff/crm"
)

// The text of a ContentNote is a call of its own where its preview is not all of it, and a first pull may find tens of
// thousands of them. So a version that was read before is not read again, a pull spends a share of the quota at most, and
// what it leaves is not read until one of the pulls after it.

const (
	blobsAtOnce = 8
	fullPreview = 255    // UTF-16 units at least
	bodiesShare = 0.1    // of the org's calls a day that a pull may spend on bodies of notes
	leastQuota  = 15_000 // calls a day that every org has
)

// notesMark is the watermark of the newest deal with notes that were left for want of quota; all that are older may have
// some. Its time is zero where there is none.
const notesMark = "handoff.notes"

// body is the text of a note.
type body struct {
	text    string
	version string // "": the preview is all of it
}

// short reports whether the preview is all that a note says: it is not full, and its lines are paragraphs. It has no tags,
// and what stands below which heading tells the item that it is about.
func (n contentNoteRow) short() bool {
	units := len(utf16.Encode([]rune(n.TextPreview)))
	paragraphs := 1 + strings.Count(n.TextPreview, "\n")
	return units < fullPreview && n.ContentSize <= len(html.EscapeString(n.TextPreview))+paragraphs*len("<p></p>")
}

// bodies is how many bodies a pull may read.
func (c *Client) bodies() int {
	return int(c.bodiesShare * float64(cmp.Or(c.quota().Limit, leastQuota)))
}

// readBodies fills in the bodies of the notes around deals, those of the newest deals first. A body that we are refused,
// or that is left to a later pull, stays absent.
func (r *reader) readBodies(ctx context.Context, a *around, deals []row) error {
	a.bodies = map[string]body{}
	versions := map[string]string{}  // by document
	of := map[string]crm.Watermark{} // the newest deal of a document
	var documents []string
	for _, d := range slices.SortedFunc(slices.Values(deals), func(x, y row) int { return newer(markOf(x), markOf(y)) }) {
		for _, l := range a.links[d.text("Id")] {
			n, ok := a.notes[l.DocumentID]
			switch {
			case !ok || l.Document == nil || versions[n.ID] != "":
			case n.short():
				a.bodies[n.ID] = body{text: n.TextPreview}
			default:
				versions[n.ID], of[n.ID] = l.Document.Version, markOf(d)
				documents = append(documents, n.ID)
			}
		}
	}
	held, err := r.held(ctx, of)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for _, document := range documents {
		version := versions[document]
		text, ok := held[version]
		switch {
		case ok:
			mu.Lock()
			a.bodies[document] = body{text, version}
			mu.Unlock()
		case r.bodiesLeft == 0:
			r.leave(of[document])
		default:
			r.bodiesLeft--
			g.Go(func() error {
				text, err := r.blob(ctx, "read a note", r.base+"/sobjects/ContentVersion/"+version+"/VersionData")
				if errors.Is(err, connectors.ErrConfig) && !lockedOut(err) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				a.bodies[document] = body{text, version}
				return err
			})
		}
	}
	return g.Wait()
}

// held returns the bodies of the notes of deals that were read before, by version.
func (r *reader) held(ctx context.Context, deals map[string]crm.Watermark) (map[string]string, error) {
	if r.cfg.Memory == nil || len(deals) == 0 {
		return nil, nil
	}
	var ids []string
	for _, d := range deals {
		ids = append(ids, d.ID)
	}
	snapshots, err := r.cfg.Memory.Snapshots(ctx, unique(ids))
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, s := range snapshots {
		for _, n := range s.Notes {
			if n.Version != "" {
				texts[n.Version] = n.Body
			}
		}
	}
	return texts, nil
}

// leave notes that a body of a deal is left to a later pull.
func (r *reader) leave(deal crm.Watermark) {
	r.bodiesUnread++
	r.unread = newest(r.unread, deal)
}

// catchUp yields the deals from the one of pending on whose notes earlier pulls have left, newest first, as far as the
// quota for it reaches.
func (r *reader) catchUp(ctx context.Context, pending crm.Watermark, yield func(connectors.Batch) error) error {
	if pending.Time.IsZero() || r.bodiesLeft == 0 {
		return nil
	}
	day := date(pending.Time)
	scope := all(r.won(), r.window(), either("CloseDate < "+day, all("CloseDate = "+day, "Id <= "+quote(pending.ID))))
	at := crm.Watermark{}
	for {
		list, _, err := r.listWon(ctx, scope, at, false)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(list, maxDeals) {
			records, err := r.deals(ctx, ids(chunk))
			if err != nil {
				return err
			}
			at = chunk[len(chunk)-1].mark()
			pending = at
			if r.bodiesUnread > 0 {
				pending = r.unread
			}
			if err := yield(connectors.Batch{Records: records, Watermarks: crm.Watermarks{notesMark: pending}}); err != nil || r.bodiesUnread > 0 {
				return err
			}
		}
		if len(list) < pageSize {
			return yield(connectors.Batch{Watermarks: crm.Watermarks{notesMark: {}}})
		}
	}
}

// tellLeft says how many bodies are left.
func (r *reader) tellLeft(ctx context.Context) {
	if r.bodiesUnread > 0 {
		r.log.WarnContext(ctx, "notes are left to the next run, which goes on with the newest deals: one run may use so many calls for them",
			"notes", r.bodiesUnread, "calls", r.bodies())
	}
}

// newer orders deals newest first; the zero watermark is the oldest.
func newer(a, b crm.Watermark) int {
	return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID))
}

func newest(a, b crm.Watermark) crm.Watermark { return slices.MinFunc([]crm.Watermark{a, b}, newer) }

// markOf is the place of a deal in the order of a sweep.
func markOf(deal row) crm.Watermark {
	var closed time.Time
	if at := deal.moment("CloseDate"); at != nil {
		closed = *at
	}
	return crm.Watermark{Time: closed, ID: deal.text("Id")}
}
