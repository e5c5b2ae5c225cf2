package connectors

import (
	"maps"
	"slices"
)

// Facts finds out where each fact of a deal is read from: known names the fields that people usually keep it in, chosen
// the one that the configuration names instead. find looks a field up. Facts that no field holds are absent; missing are
// those whose chosen field does not exist, in order.
func Facts[F any](known map[string][]string, chosen map[string]string, find func(field string) (F, bool)) (facts map[string][]F, missing []string) {
	facts = map[string][]F{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		candidates := known[name]
		if chosen[name] != "" {
			candidates = []string{chosen[name]}
		}
		for _, candidate := range candidates {
			if f, ok := find(candidate); ok {
				facts[name] = append(facts[name], f)
			}
		}
		if chosen[name] != "" && facts[name] == nil {
			missing = append(missing, name)
		}
	}
	return facts, missing
}
