package rules

import (
	"slices"
	"strings"
)

// needs says what the kinds of items that are not judged by slots want for 1 point and for 2.
var needs = map[string][2]string{
	kindPerson:   {"who it is by name, or which role", "name, title, e-mail or phone, and what there is to know about them"},
	kindObjector: {"who objected, or that nobody did", "who objected, with title and concern, or how it is known that nobody did"},
	kindContacts: {"some e-mail or phone", "e-mail and phone of everyone in a role"},
	kindClosing:  {"a note after the close that says how it closed or what was negotiated", "a note after the close that says both"},
	kindStage:    {"Closed Won, with some of close date, ARR and contract term", "Closed Won, with close date, ARR and contract term"},
}

// Needs says in words what an item of the scorecard wants for 1 point and for 2.
func (s *Scorecard) Needs(it *ItemSpec) (partial, complete string) {
	if n, ok := needs[it.Kind]; ok {
		return n[0], n[1]
	}
	return s.inWords(it.Partial), s.inWords(it.Complete)
}

func (s *Scorecard) inWords(slots []string) string {
	parts := make([]string, len(slots))
	for i, names := range slots {
		var either []string
		for name := range strings.SplitSeq(names, "|") {
			if says := s.engine.slots[name].says; !slices.Contains(either, says) {
				either = append(either, says)
			}
		}
		parts[i] = strings.Join(either, " or ")
	}
	return strings.Join(parts, "; ")
}
