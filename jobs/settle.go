package jobs

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
	"handoff/rules"
)

// score returns the handoff of a won deal as it was just read, scored again where anything that its card rests on has
// changed. prev is what we hold of it, nil for a new one. A finalised card is not scored again.
func (r *scoring) score(prev *Handoff, s crm.Snapshot, account string, now crm.Values) *Handoff {
	if prev == nil {
		prev = &Handoff{Connection: r.Connection, DealID: s.Deal.ID}
	}
	h := *prev
	h.Reopened, h.Gone, h.Heir = false, "", ""
	if h.Card != nil && finalised(&h, now) {
		return &h
	}
	h.AccountID = account
	switch hash := s.Hash(); {
	case hash != h.InputHash:
		r.sum.Pulled++
		h.Snapshot, h.InputHash, h.Parked = &s, hash, nil
		r.rescore(&h)
	case r.stale(&h):
		r.rescore(&h)
	}
	return &h
}

func finalised(h *Handoff, now crm.Values) bool {
	if v, visible := now[fieldFinalised]; visible {
		return v == "true"
	}
	return h.Finalised
}

// stale reports whether the card of h would come out differently although its snapshot is the same.
func (r *scoring) stale(h *Handoff) bool {
	if h.Finalised || h.Reopened {
		return false
	}
	return h.Rulebook != r.rulebook || h.DueAt != nil && !r.AsOf(h.Snapshot).Before(*h.DueAt)
}

func (r *scoring) rescore(h *Handoff) {
	r.sum.Scored++
	h.AsOf = r.AsOf(h.Snapshot)
	h.Card = r.Engine.Score(h.Snapshot, h.AsOf)
	h.Texts = h.MarkTemplates(r.templates)
	h.DueAt = h.Card.DueAt
	h.Rulebook = r.rulebook
}

// settle merges what is computed for h with what its record holds now, and says what is to be saved and written; false:
// nothing has changed. prev is what we held so far, nil for a new deal.
func (r *scoring) settle(prev, h *Handoff, now crm.Values, who authors) (Change, bool) {
	if prev == nil {
		prev = &Handoff{}
	}
	c := Change{Handoff: h, NewVersion: !sameCard(prev.Card, h.Card)}
	h.Finalised = finalised(prev, now)
	if !h.Finalised && !h.Reopened && h.Card.Unread() {
		r.unread.add(h.DealID, h.Snapshot.Unread)
	}
	if h.Finalised && prev.Finalised {
		c.Write = r.deliver(h, now, who)
	} else {
		ours := *prev
		ours.Written = afresh(prev.Written, now, prev.Edits)
		computed, card := r.compute(&ours, h, now)
		who.earlier = prev.Edits
		m := merge(prev.Merged, ours.Written, now, computed, prev.Edits, who.of)
		if !h.Finalised {
			r.adopted.count(prev, now, computed, m)
		}
		h.Merged, h.Written, h.Edits = m.Values, m.Written, m.Edits
		for _, it := range h.Card.Items {
			field := ItemField(it.ID)
			if e, ok := h.Edits[field]; ok {
				if _, valid := points(e.Value); !valid {
					e.Ignored = ignored(e.Value)
					h.Edits[field] = e
				}
			}
		}
		h.Pending = len(m.Send) > 0 || hides(computed, now)
		if len(m.Send) > 0 && r.mayWrite(h) && !h.Parked.waits(m.Send, r.Clock()) {
			c.Write = r.intend(crm.Ref{Object: crm.DealObject, ID: h.DealID}, now, m.Send, h.Parked)
			maps.Copy(h.Merged, c.Write.After)
		}
		c.Message = r.finding(prev, h, card, c.NewVersion)
	}
	if !h.Pending {
		h.Parked = nil
	}
	if c.Write == nil && sameState(prev, h) {
		return Change{}, false
	}
	r.flag(prev, h)
	return c, true
}

// mayWrite reports whether a write on h may be intended. A dry run shows what would be written once h is let go.
func (r *scoring) mayWrite(h *Handoff) bool { return r.WriteBack && (h.Held == 0 || r.DryRun) }

// deliver makes good for a card that was frozen while some of its fields could not be written: it returns the write of those
// that can be by now, nil where there are none. Nothing else of h changes.
func (r *scoring) deliver(h *Handoff, now crm.Values, who authors) *Write {
	debt := owed(h)
	h.Pending = false
	if h.Reopened || len(debt) == 0 {
		return nil
	}
	seen := maps.Clone(now)
	maps.DeleteFunc(seen, func(field, _ string) bool { _, due := debt[field]; return !due })
	who.earlier = h.Edits
	m := merge(h.Merged, h.Written, seen, debt, h.Edits, who.of)
	h.Merged, h.Written, h.Edits = m.Values, m.Written, m.Edits
	h.Pending = len(m.Send) > 0 || hides(debt, now)
	if len(m.Send) == 0 || !r.mayWrite(h) || h.Parked.waits(m.Send, r.Clock()) {
		return nil
	}
	w := r.intend(crm.Ref{Object: crm.DealObject, ID: h.DealID}, now, m.Send, h.Parked)
	maps.Copy(h.Merged, w.After)
	return w
}

// owed returns the fields of h that should hold what they were never seen to hold: neither written nor set by a person.
func owed(h *Handoff) crm.Values {
	debt := maps.Clone(h.Merged)
	maps.DeleteFunc(debt, func(field, want string) bool {
		_, edited := h.Edits[field]
		return edited || field == fieldScoredAt || field == fieldAcceptance || field == fieldFinalised || same(h.Written[field], want)
	})
	return debt
}

// compute returns what our fields on the deal should hold, before people's edits of them; card is what people should
// see, with their edits counted. A card is finalised with the points that the CRM shows at that moment.
func (r *scoring) compute(prev, h *Handoff, now crm.Values) (values crm.Values, card *rules.Card) {
	if h.Reopened {
		if h.Finalised {
			return nil, h.Card
		}
		return crm.Values{fieldGhost: "false", fieldReason: ""}, h.Card
	}
	values = itemValues(h.Card)
	seen := crm.Values{}
	for field, e := range prev.Edits { // what a person set counts, also while we may not see it
		seen[field] = e.Value
	}
	maps.Copy(seen, now)
	set, shown := map[string]int{}, map[string]int{}
	for _, it := range h.Card.Items {
		field := ItemField(it.ID)
		n, ok := points(seen[field])
		if !ok {
			continue
		}
		shown[it.ID] = n
		if judge(field, prev.Written, seen, values) == theirs {
			set[it.ID] = n
		}
	}
	card = r.Engine.Override(h.Card, set)
	maps.Copy(values, cardValues(r.Engine, card, h.Snapshot.Unread, set))
	if h.Finalised {
		values[fieldFinalScore] = strconv.Itoa(r.Engine.Override(h.Card, shown).Total)
	}
	return values, card
}

// intend returns the write that sets the given fields, with the moment of scoring beside them. earlier is the refusal of the write
// before; nil: it was not refused.
func (r *scoring) intend(ref crm.Ref, now, send crm.Values, earlier *Refusal) *Write {
	w := &Write{
		RunID: r.id, Connection: r.Connection, Ref: ref, State: WriteIntended, At: r.Clock(), Refusal: earlier,
		Before: crm.Values{}, After: maps.Clone(send),
	}
	stamp := w.At.UTC().Format(time.RFC3339)
	if current, visible := now[fieldScoredAt]; visible && current != stamp {
		w.After[fieldScoredAt] = stamp
	}
	for field := range w.After {
		w.Before[field] = now[field]
	}
	return w
}

// hides reports whether a field that should hold something cannot be seen: it becomes visible when an administrator says
// so, which is no news of the deal.
func hides(computed, now crm.Values) bool {
	for field := range computed {
		if _, visible := now[field]; !visible {
			return true
		}
	}
	return false
}

func sameCard(a, b *rules.Card) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// sameState reports whether saving h in place of prev would change nothing.
func sameState(prev, h *Handoff) bool {
	return prev.Card == h.Card && prev.InputHash == h.InputHash && prev.Rulebook == h.Rulebook && prev.AccountID == h.AccountID &&
		prev.Finalised == h.Finalised && prev.Reopened == h.Reopened && prev.Gone == h.Gone && prev.Heir == h.Heir && prev.Pending == h.Pending && prev.Parked == h.Parked &&
		maps.Equal(prev.Merged, h.Merged) && maps.Equal(prev.Written, h.Written) &&
		maps.EqualFunc(prev.Edits, h.Edits, func(a, b Edit) bool {
			return a.Value == b.Value && a.By == b.By && a.At.Equal(b.At) && a.Exact == b.Exact && a.Ignored == b.Ignored
		})
}

// adoption watches for a store that was lost: deals that we scored before, as the CRM shows, and know nothing about.
// Taking all that differs there for people's edits would silently freeze it.
type adoption struct {
	held              int // handoffs that the store held when the run began
	unknown           int // deals scored before that it knows nothing about
	compared, differs int // their field values, and those that are not what would be written
}

func (a *adoption) count(prev *Handoff, now, computed crm.Values, m merged) {
	if len(prev.Written) > 0 || now[fieldScoredAt] == "" {
		return
	}
	a.unknown++
	a.differs += len(m.Edits)
	for field := range computed {
		if now[field] != "" {
			a.compared++
		}
	}
}

// refused reports whether a person has to decide: nearly all deals scored before are unknown to the store, and more than
// 5 % of their values differ.
func (a *adoption) refused() bool {
	return a.unknown >= 9*a.held && a.differs*20 > a.compared
}

func (a *adoption) err() error {
	return &connectors.Error{
		Op: "take over the scores that are there", CRM: "handoff", Class: connectors.ErrConfig,
		Message: fmt.Sprintf("%d of %d field values on deals scored earlier differ from what would be written, and the store knows nothing of them", a.differs, a.compared),
		Remedy:  "If the store was lost, run once with --adopt: what differs is then kept as edited by people. If another store wrote them, correct url under [store]",
	}
}
