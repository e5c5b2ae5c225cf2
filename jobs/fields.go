package jobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"handoff/crm"
	"handoff/rules"
)

// Neutral names of our fields in a CRM, beside one for each category and each item (categoryField, ItemField).
const (
	fieldScore      = "score"
	fieldMax        = "max"
	fieldFinalScore = "final_score"
	fieldRating     = "rating"
	fieldHealth     = "health"
	fieldAcceptance = "acceptance" // people's, after its first value
	fieldGhost      = "ghost"
	fieldComplete   = "complete"
	fieldReady      = "ready"
	fieldFinalised  = "finalised" // people's, after its first value
	fieldGaps       = "gaps"
	fieldItemNotes  = "item_notes"
	fieldReason     = "ghost_reason"
	fieldAction     = "next_action"
	fieldScoredAt   = "scored_at"
)

// The first values of the fields that belong to people.
const (
	acceptancePending = "Pending"
	notFinalised      = "false"
)

// The room that the CRMs give to labels, help, lines and texts, in UTF-16 code units.
const (
	labelLength = 40
	helpLength  = 510
	lineLength  = 255
	textLength  = 32768
)

// categoryField names the field of a category's sum: "Deal Context" is in deal_context.
func categoryField(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", "_")
}

// ItemField names the field of an item's points: item 1.5 is in item_1_5.
func ItemField(id string) string {
	return "item_" + strings.ReplaceAll(id, ".", "_")
}

// Fields returns the fields that we own in a CRM when deals are scored by sc, in the order in which a person reads them.
func Fields(sc *rules.Scorecard) []crm.FieldSpec {
	health := []string{rules.Green, rules.Yellow, rules.Red}
	var ratings []string
	for _, r := range sc.Ratings {
		ratings = append(ratings, r.Name)
	}
	fields := []crm.FieldSpec{
		{Name: fieldScore, Label: "Handoff Score", Type: crm.Number, Help: "What the record tells Customer Success about this deal, in points. It follows the record until the card is finalised."},
		{Name: fieldMax, Label: "Handoff Maximum", Type: crm.Number, Help: "The points that a complete handoff of this deal would have."},
		{Name: fieldFinalScore, Label: "Handoff Final Score", Type: crm.Number, Help: "The score at the moment when the CSM finalised the card. It does not change after that."},
		{Name: fieldRating, Label: "Handoff Rating", Type: crm.Picklist, Options: ratings, Help: "What the score means; Handoff Next Action says what to do about it."},
		{Name: fieldHealth, Label: "Handoff Health", Type: crm.Picklist, Options: health, Help: "Green: onboarding may begin. Yellow: the AE joins the kickoff. Red: the handoff is incomplete or a ghost."},
		{Name: fieldAcceptance, Label: "Handoff Acceptance", Type: crm.Picklist, Options: []string{acceptancePending, "Accepted", "Re-handoff requested"}, Help: "Set by the CSM who takes the deal over."},
		{Name: fieldGhost, Label: "Ghost Handoff", Type: crm.Checkbox, Help: "Closed Won, the time for a handoff has passed, and nothing useful was passed on. Handoff Ghost Reason says why."},
		{Name: fieldReason, Label: "Handoff Ghost Reason", Type: crm.Text, Help: "Why this deal counts as a ghost handoff."},
		{Name: fieldAction, Label: "Handoff Next Action", Type: crm.Text, Help: "What to do next with this handoff."},
		{Name: fieldGaps, Label: "Handoff Gaps", Type: crm.LongText, Help: "What Customer Success still needs to know from the AE."},
		{Name: fieldComplete, Label: "Handoff Complete", Type: crm.Checkbox, Help: "No category of the scorecard is empty."},
		{Name: fieldReady, Label: "Handoff Ready", Type: crm.Checkbox, Help: "The score is high enough for onboarding to begin."},
		{Name: fieldFinalised, Label: "Handoff Finalised", Type: crm.Checkbox, Help: "Ticked by the CSM after the kickoff: freezes the card and keeps its score as the final score."},
	}
	for _, c := range sc.Categories {
		fields = append(fields, crm.FieldSpec{Name: categoryField(c.Name), Label: "Handoff " + c.Name, Type: crm.Number,
			Help: fmt.Sprintf("The points of this category, %d at most.", c.Max)})
	}
	for _, it := range sc.Items {
		fields = append(fields, crm.FieldSpec{Name: ItemField(it.ID), Label: it.ID + " " + it.Title, Type: crm.Number,
			Help: it.Help + " 0, 1 or 2; a value that you set is kept and counts. Clear it to have it computed again."})
	}
	fields = append(fields,
		crm.FieldSpec{Name: fieldItemNotes, Label: "Handoff Item Notes", Type: crm.LongText, Help: "What is there and what is missing, item by item."},
		crm.FieldSpec{Name: fieldScoredAt, Label: "Handoff Scored At", Type: crm.DateTime, Help: "When these fields last changed."},
	)
	for i := range fields {
		f := &fields[i]
		f.Object = crm.DealObject
		f.Label, f.Help = line(f.Label, labelLength), line(f.Help, helpLength)
		switch f.Type {
		case crm.Text:
			f.Length = lineLength
		case crm.LongText:
			f.Length = textLength
		}
	}
	return append(fields, crm.FieldSpec{Object: crm.AccountObject, Name: fieldHealth, Label: "Handoff Health", Type: crm.Picklist, Options: health,
		Help: "The handoff health of this account's latest won deal."})
}

// itemValues returns the points of the items of card that were read, by field.
func itemValues(card *rules.Card) crm.Values {
	v := crm.Values{}
	for _, it := range card.Items {
		if !it.NotRead {
			v[ItemField(it.ID)] = strconv.Itoa(it.Score)
		}
	}
	return v
}

// cardValues returns what follows from the items of card, by field. Of a card with items that are not read, that is only
// what does not depend on them. set holds the ids of the items that a person scored.
func cardValues(e *rules.Engine, card *rules.Card, unread []crm.Part, set map[string]int) crm.Values {
	sc := e.Scorecard()
	v := crm.Values{
		fieldMax:        strconv.Itoa(card.Max),
		fieldGaps:       gaps(sc, card, set),
		fieldItemNotes:  itemNotes(sc, card, unread, set),
		fieldAcceptance: acceptancePending,
		fieldFinalised:  notFinalised,
		fieldFinalScore: "",
	}
	if card.Small { // what is not asked of a small deal stays empty, also where it was asked before
		for _, c := range sc.Categories {
			v[categoryField(c.Name)] = ""
		}
		for _, it := range sc.Items {
			if !sc.InSmall(it.Category) {
				v[ItemField(it.ID)] = ""
			}
		}
	}
	open := map[string]bool{} // categories with items that are not read
	for _, it := range card.Items {
		if spec := sc.Item(it.ID); spec != nil && it.NotRead {
			open[spec.Category] = true
		}
	}
	for _, c := range card.Categories {
		if !open[c.Name] {
			v[categoryField(c.Name)] = strconv.Itoa(c.Points)
		}
	}
	if card.Unread() {
		v[fieldAction] = line(notReadAction(unread), lineLength)
		return v
	}
	v[fieldScore] = strconv.Itoa(card.Total)
	v[fieldRating] = card.Rating
	v[fieldHealth] = card.Health
	v[fieldComplete] = strconv.FormatBool(card.Complete)
	v[fieldReady] = strconv.FormatBool(rules.Ready(card))
	v[fieldGhost] = strconv.FormatBool(card.Ghost == rules.GhostYes)
	v[fieldReason] = ""
	if card.Ghost == rules.GhostYes {
		v[fieldReason] = line(strings.Join(card.GhostReasons, "; "), lineLength)
	}
	v[fieldAction] = line(nextAction(sc, card), lineLength)
	return v
}

// nextAction says what to do about a card. There are no published bands for small deals, so an empty category comes first.
func nextAction(sc *rules.Scorecard, card *rules.Card) string {
	action := sc.Action(card.Rating)
	if empty := card.Empty(); card.Small && len(empty) > 0 {
		action = fmt.Sprintf("Nothing on %s: ask the AE. %s", strings.Join(empty, " and "), action)
	}
	return action
}

func notReadAction(unread []crm.Part) string {
	return "Not scored in full: handoff could not read " + partNames(unread) + ". An administrator of the CRM can give it access; `handoff check` says how."
}

func partNames(parts []crm.Part) string {
	if len(parts) == 0 {
		return "a part of the record"
	}
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = string(p)
	}
	return strings.Join(names, ", ")
}

// ToCheck reports whether a person should check an item: the rules are not sure of it, and its points are theirs, not set by a person.
func ToCheck(it *rules.Item, byPerson bool) bool { return !it.Sure && !it.NotRead && !byPerson }

// gaps lists the questions that are still open, one a line, free of points and grades: what a person should check first,
// then what nobody has answered, then what is answered in part. What is not read may be answered, and says so.
func gaps(sc *rules.Scorecard, card *rules.Card, set map[string]int) string {
	var groups [3][]string
	for _, it := range card.Items {
		spec := sc.Item(it.ID)
		if spec == nil {
			continue
		}
		question := spec.Title + ": " + spec.Question
		_, byPerson := set[it.ID]
		if it.NotRead && !byPerson {
			question = "Could not be read: " + question
		}
		switch {
		case ToCheck(&it, byPerson):
			check := "Please check. "
			if it.OnTemplate() {
				check = "Please check, for the same words are on several deals. "
			}
			groups[0] = append(groups[0], check+question)
		case it.Score == 0:
			groups[1] = append(groups[1], question)
		case it.Score == 1:
			groups[2] = append(groups[2], question)
		}
	}
	return text(slices.Concat(groups[0], groups[1], groups[2]), textLength)
}

// itemNotes gives the reason for each item below full points, one a line.
func itemNotes(sc *rules.Scorecard, card *rules.Card, unread []crm.Part, set map[string]int) string {
	var notes []string
	for _, it := range card.Items {
		spec := sc.Item(it.ID)
		if spec == nil || it.Score == 2 {
			continue
		}
		reason := it.Reason
		if score, ok := set[it.ID]; ok {
			reason = fmt.Sprintf("Set to %d by a person", score)
		} else if it.NotRead {
			reason = "Could not be read: " + partNames(unread)
		}
		notes = append(notes, it.ID+" "+spec.Title+". "+reason)
	}
	return text(notes, textLength)
}

// line returns s on one line of at most limit, cut at a word, without characters that CRMs drop or refuse.
func line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || unicode.Is(unicode.Noncharacter_Code_Point, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), limit)
}

// text returns the lines as one text of at most limit, cut at a word.
func text(lines []string, limit int) string {
	clean := make([]string, len(lines))
	for i, l := range lines {
		clean[i] = line(l, limit)
	}
	return cut(strings.Join(clean, "\n"), limit)
}

const ellipsis = "…"

// cut shortens s to at most limit UTF-16 code units, the way CRMs count, and marks the cut. Salesforce keeps a line break
// as two characters, so it counts as two.
func cut(s string, limit int) string {
	used, word := 0, 0 // code units so far; where the last word that fits ends
	fits := 0          // where a cut inside a word would be
	for i, r := range s {
		if (r == ' ' || r == '\n') && used < limit {
			word = i
		}
		if used < limit {
			fits = i
		}
		if r == '\n' {
			used++
		}
		used += utf16.RuneLen(r)
	}
	switch {
	case used <= limit:
		return s
	case word > 0:
		return s[:word] + ellipsis
	}
	return s[:fits] + ellipsis
}
