package rules

// slot is something that an answer can contain.
type slot struct {
	says string                // completes "missing …"
	fill func(p *passage) bool // nil: its cues fill it, or the slots of all
	cue  int                   // index among the scorecard's own slots
	all  []string
	when *expression // nil: passages fill it
}

// factSlots are the slots that code fills, by the name that a scorecard calls them.
var factSlots = map[string]slot{
	"mention":    {says: "anything about it", fill: func(*passage) bool { return true }},
	"detail":     {says: "more than a few words", fill: func(p *passage) bool { return len(p.words) >= 6 }},
	"specific":   {says: "who, how much or when", fill: isSpecific},
	"constraint": {says: "how long, how much or when", fill: isConstraint},
	"date":       {says: "a date", fill: func(p *passage) bool { return p.facts.dates > 0 }},
	"period":     {says: "a month, quarter or season", fill: func(p *passage) bool { return p.facts.periods > 0 }},
	"duration":   {says: "how long", fill: func(p *passage) bool { return p.facts.durations > 0 }},
	"time":       {says: "when", fill: func(p *passage) bool { return p.facts.times() > 0 }},
	"soon":       {says: "a day after the close", fill: func(p *passage) bool { return p.soon && p.src.field == "" }},
	"figure":     {says: "a figure", fill: func(p *passage) bool { return p.facts.figures > 0 }},
	"money":      {says: "the amount", fill: func(p *passage) bool { return p.facts.money+p.facts.percents > 0 }},
	"version":    {says: "the version", fill: func(p *passage) bool { return p.facts.versions > 0 }},
	"product":    {says: "a system known by name", fill: func(p *passage) bool { return p.facts.systems > 0 }},
	"system":     {says: "the systems by name", fill: hasName},
	"name":       {says: "a name", fill: hasName},
}

// times counts what says when.
func (f *facts) times() int32 { return f.dates + f.periods + f.durations + f.weekdays }

func hasName(p *passage) bool { return p.facts.systems+p.facts.names > 0 }

// isSpecific reports whether p says more than that there is something: it has figures, dates or names, or goes into
// detail without vague words.
func isSpecific(p *passage) bool {
	f := p.facts
	if len(p.words) >= 4 && f.firm() > f.systems {
		return true
	}
	return !p.has(vague) && (len(p.words) >= 12 || len(p.words) >= 7 && f.systems+f.names+f.periods > 1)
}

// isConstraint reports whether p measures what it speaks of, in time or in numbers.
func isConstraint(p *passage) bool {
	f := p.facts
	return len(p.words) >= 3 && f.figures+f.dates+f.durations+f.weekdays > f.versions
}
