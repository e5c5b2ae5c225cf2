package rules

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Difference is something in which a scorecard differs from another, in the words of those who keep scorecards.
type Difference struct {
	Where   string   `json:"where"`   // "item 1.5 Competitor considered"
	What    string   `json:"what"`    // "cues en"; empty: all of it
	Removed []string `json:"removed"` // what only the first has; never nil
	Added   []string `json:"added"`   // what only the second has; never nil
}

// Diff returns how b differs from a: first what stands in b, in its order, then what is only in a.
func Diff(a, b *Scorecard) []Difference {
	was, is := a.parts(), b.parts()
	diff := []Difference{}
	for _, p := range is {
		i := slices.IndexFunc(was, func(o part) bool { return o.id == p.id })
		if i < 0 {
			diff = append(diff, Difference{Where: p.where, Removed: []string{}, Added: []string{p.where}})
			continue
		}
		diff = append(diff, p.since(was[i])...)
	}
	for _, p := range was {
		if !slices.ContainsFunc(is, func(o part) bool { return o.id == p.id }) {
			diff = append(diff, Difference{Where: p.where, Removed: []string{p.where}, Added: []string{}})
		}
	}
	return diff
}

// part is a piece of a scorecard that has a name of its own.
type part struct {
	id    string
	where string // for people
	says  []aspect
}

// aspect is one key of a part, with its values.
type aspect struct {
	what   string
	values []string
}

// since returns how p differs from the same part of another scorecard.
func (p part) since(was part) []Difference {
	var diff []Difference
	find := func(list []aspect, what string) []string {
		for _, a := range list {
			if a.what == what {
				return a.values
			}
		}
		return nil
	}
	compare := func(what string, old, now []string) {
		d := Difference{Where: p.where, What: what, Removed: []string{}, Added: []string{}}
		for _, v := range old {
			if !slices.Contains(now, v) {
				d.Removed = append(d.Removed, v)
			}
		}
		for _, v := range now {
			if !slices.Contains(old, v) {
				d.Added = append(d.Added, v)
			}
		}
		if len(d.Removed)+len(d.Added) > 0 {
			diff = append(diff, d)
		}
	}
	for _, a := range p.says {
		compare(a.what, find(was.says, a.what), a.values)
	}
	for _, a := range was.says {
		if find(p.says, a.what) == nil {
			compare(a.what, a.values, nil)
		}
	}
	return diff
}

// parts takes the scorecard apart, in the order in which a person reads it.
func (s *Scorecard) parts() []part {
	all := []part{
		{"scorecard", "scorecard", []aspect{{"title", []string{s.Title}}, {"products", s.Products}}},
		{"ghost", "ghost rule", aspects(s.Ghost)},
		{"small", "small version", aspects(s.Small)},
	}
	for _, r := range s.Ratings {
		all = append(all, part{"rating " + r.Name, "rating " + r.Name, aspects(r)})
	}
	for _, it := range s.Items {
		all = append(all, part{"item " + it.ID, "item " + it.ID + " " + it.Title, aspects(*it)})
	}
	for _, sl := range s.Slots {
		all = append(all, part{"slot " + sl.Name, "slot " + sl.Name, aspects(sl)})
	}
	for _, l := range s.engine.langs {
		all = append(all, part{"language " + l.Code, "language " + l.Code, aspects(*l)})
	}
	return all
}

// inWords are the names of keys for people, where the key itself says too little.
var inWords = map[string]string{
	"from": "from percent", "partial": "needed for 1 point", "complete": "needed for 2 points", "about": "found by",
	"all": "filled by all of", "example": "examples", "business_days": "business days after the close", "signals": "items with context",
}

// aspects lists the keys of a block of a scorecard file that have a value.
func aspects(block any) []aspect {
	v := reflect.ValueOf(block)
	var all []aspect
	add := func(what string, values ...string) {
		if len(values) > 0 {
			all = append(all, aspect{what, values})
		}
	}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		what := cmp.Or(inWords[key], key)
		switch value := v.Field(i).Interface().(type) {
		case string:
			if value != "" {
				add(what, value)
			}
		case int:
			add(what, strconv.Itoa(value))
		case bool:
			if value {
				add(what, "yes")
			}
		case []string:
			add(what, value...)
		case [][]string:
			add(what, slices.Concat(value...)...)
		case map[string][]string:
			for _, k := range slices.Sorted(maps.Keys(value)) {
				add(what+" "+k, value[k]...)
			}
		case []Example:
			texts := make([]string, len(value))
			for i, ex := range value {
				texts[i] = fmt.Sprintf("%d: %s", ex.Points, ex.Text)
			}
			add(what, texts...)
		}
	}
	return all
}
