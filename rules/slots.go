package rules

// slot is something that an answer can contain.
type slot struct {
	says string
	fill func(p *passage) bool // nil: cued
	cue  int                   // index of the slot that cues fill
	cued bool
	all  []string // slots that fill it together
}

// factSlots are the slots that code fills, by the name that a scorecard calls them.
var factSlots = map[string]slot{
	"mention":       {says: "anything about it", fill: func(*passage) bool { return true }},
	"date":          {says: "a date", fill: func(p *passage) bool { return p.facts.dates > 0 }},
	"upcoming date": {says: "a day after the close", fill: func(p *passage) bool { return p.upcoming && p.src.field == "" }},
	"period":        {says: "a month, quarter or season", fill: func(p *passage) bool { return p.facts.periods > 0 }},
	"duration":      {says: "how long", fill: func(p *passage) bool { return p.facts.durations > 0 }},
	"time": {says: "when", fill: func(p *passage) bool {
		return p.facts.dates+p.facts.periods+p.facts.durations+p.facts.weekdays > 0
	}},
	"figure":   {says: "a figure", fill: func(p *passage) bool { return p.facts.figures > 0 }},
	"amount":   {says: "the amount", fill: func(p *passage) bool { return p.facts.money+p.facts.percents+p.facts.figures > 0 }},
	"system":   {says: "the systems by name", fill: hasSystem},
	"version":  {says: "the version", fill: func(p *passage) bool { return p.facts.versions > 0 }},
	"name":     {says: "a name", fill: func(p *passage) bool { return p.facts.names+p.facts.systems > 0 }},
	"specific": {says: "specifics: who, how much, when", fill: isSpecific},
	"constraint": {says: "the constraint: how long, when, how much", fill: func(p *passage) bool {
		f := p.facts
		return len(p.words) >= 3 && f.figures+f.dates+f.durations+f.weekdays > 0 && f.figures+f.dates+f.durations+f.weekdays+f.versions > f.versions
	}},
	"product": {says: "a system known by name", fill: func(p *passage) bool { return p.facts.systems > 0 }},
	"detail":  {says: "detail", fill: func(p *passage) bool { return len(p.words) >= 6 }},
}

// isSpecific reports whether p says more than that there is something: it has figures, dates or names, or goes into
// detail without vague words.
func isSpecific(p *passage) bool {
	f := p.facts
	if len(p.words) >= 4 && f.figures+f.dates+f.durations+f.weekdays+f.versions > 0 {
		return true
	}
	return !p.has(vague) && (len(p.words) >= 12 || len(p.words) >= 7 && f.systems+f.names+f.periods > 1)
}

func hasSystem(p *passage) bool {
	return p.facts.systems > 0 || p.facts.names > 0
}
