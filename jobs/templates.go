package jobs

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"unicode"

	"handoff/rules"
)

// A text that stands on many deals word for word is a template: filled in once and pasted since, it says nothing of the deal at
// hand, however specific it sounds. That cannot be seen from one deal, so the rules do not know it, and it never changes points:
// the items that rest on such a text are to be checked, no more.
//
// A run finds the templates once it has done its work, and the next one goes by them: so it does not matter in which order deals are
// scored, how many at a time, or how often a run is killed. What a CRM holds of deals scored before follows when they are scored
// again, not by itself: a run without news writes nothing. What is shown from the store is marked when it is shown.
const (
	// TemplateDeals is from how many deals of a connection on a text is a template. A few deals may share one with good reason,
	// such as the same customer's.
	TemplateDeals = 5
	// templateWords is from how many words on the same text is no coincidence: "Signed, standard terms, net 30" is one.
	templateWords = 8
)

// textHash identifies the words of a text, whatever stands between them; none: they are too few to tell.
func textHash(text string) []int64 {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if len(words) < templateWords {
		return nil
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return []int64{int64(binary.BigEndian.Uint64(sum[:8]))} //nolint:gosec // any 64 bits do
}

// MarkTemplates marks the evidence of h's card that is one of the templates, given by their hashes, and has the items that rest on it
// checked. It returns the hashes of all texts that the card rests on, in order: of quotes and of whole records. Contact records do not
// count, for one person may be on many deals.
func (h *Handoff) MarkTemplates(templates map[int64]bool) []int64 {
	texts := map[int64]bool{}
	type source struct {
		rules.Origin
		hashes []int64 // of all of its text
	}
	sources := map[string]source{} // by record, for one is quoted many times
	for i := range h.Card.Items {
		it := &h.Card.Items[i]
		for k := range it.Evidence {
			ev := &it.Evidence[k]
			src := sources[ev.Record]
			if !src.Holds(ev.Quote) {
				src.Origin, _ = rules.OriginOf(h.Snapshot, *ev)
				src.hashes = textHash(src.Text)
				sources[ev.Record] = src
			}
			if src.Kind == rules.ContactOrigin {
				continue
			}
			for _, hash := range slices.Concat(src.hashes, textHash(ev.Quote)) {
				texts[hash] = true
				if templates[hash] {
					ev.Template, it.Sure = true, false
				}
			}
		}
	}
	list := slices.AppendSeq(make([]int64, 0, len(texts)), maps.Keys(texts))
	slices.Sort(list)
	return list
}
