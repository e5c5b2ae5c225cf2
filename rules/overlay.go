package rules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// overlay changes a scorecard by the blocks of another file. A key that a block gives takes the place of the base's, and
// all others stay; a list of words (overlay:"add") adds to the base's, and a word with a "-" in front is taken out of it.
type overlay struct{ errs []error }

// lay returns the base with the blocks of over laid on those of the same name, and the new ones behind. name returns the
// name of a block and where it stands.
func lay[T any](o *overlay, base, over []T, name func(*T) (string, *place)) []T {
	seen := map[string]bool{}
	for i := range over {
		id, at := name(&over[i])
		if seen[id] {
			o.errs = append(o.errs, at.error(fmt.Sprintf("%q stands twice in this file", id), "make one block of the two"))
		}
		seen[id] = true
		j := slices.IndexFunc(base, func(b T) bool {
			other, _ := name(&b)
			return other == id
		})
		if j < 0 {
			base = append(base, over[i])
			continue
		}
		o.change(reflect.ValueOf(&base[j]), reflect.ValueOf(&over[i]), *at)
		_, was := name(&base[j])
		*was = *at
	}
	return base
}

// change lays the block over, which stands at at, on base; both are pointers to structs of the same type.
func (o *overlay) change(base, over reflect.Value, at place) {
	for base.Kind() == reflect.Pointer {
		base, over = base.Elem(), over.Elem()
	}
	for i := range base.NumField() {
		f := base.Type().Field(i)
		key, how := f.Tag.Get("toml"), f.Tag.Get("overlay")
		if key == "" || key == "-" || how == "-" || !at.gives(key) {
			continue
		}
		to, from := base.Field(i), over.Field(i)
		switch {
		case how == "add":
			o.add(to.Addr().Interface(), from.Interface(), at.key(key))
		case to.Kind() == reflect.Struct:
			o.change(to.Addr(), from.Addr(), at.key(key))
		default:
			to.Set(from)
		}
	}
}

// add adds words to a list, or to the lists by language, that base points to.
func (o *overlay) add(base, over any, at place) {
	switch base := base.(type) {
	case *[]string:
		*base = o.words(*base, over.([]string), at)
	case *map[string][]string:
		if *base == nil {
			*base = map[string][]string{}
		}
		lists := over.(map[string][]string)
		for _, lang := range slices.Sorted(maps.Keys(lists)) {
			(*base)[lang] = o.words((*base)[lang], lists[lang], at.key(lang))
		}
	}
}

func (o *overlay) words(base, over []string, at place) []string {
	for _, w := range over {
		out, taken := strings.CutPrefix(w, "-")
		i := slices.Index(base, out)
		switch {
		case taken && i < 0:
			o.errs = append(o.errs, at.value(w).error(fmt.Sprintf("the base has no %q here to take out", out), Suggest(out, base)))
		case taken:
			base = slices.Delete(base, i, i+1)
		case i < 0:
			base = append(base, w)
		}
	}
	return base
}

// without leaves the named items and categories out of base.
func (o *overlay) without(base *scorecardFile, names []string, at place) {
	for _, name := range names {
		known := len(base.Items)
		base.Items = slices.DeleteFunc(base.Items, func(it *ItemSpec) bool { return it.ID == name || it.Category == name })
		if len(base.Items) == known {
			var all []string
			for _, it := range base.Items {
				all = append(all, it.ID, it.Category)
			}
			slices.Sort(all)
			o.errs = append(o.errs, at.value(name).error(fmt.Sprintf("the base has no item or category %q", name), Suggest(name, slices.Compact(all))))
		}
	}
	base.Categories = slices.DeleteFunc(base.Categories, func(c CategorySpec) bool {
		return !slices.ContainsFunc(base.Items, func(it *ItemSpec) bool { return it.Category == c.Name })
	})
	base.Small.Categories = slices.DeleteFunc(base.Small.Categories, func(name string) bool { return !hasCategory(base.Categories, name) })
}

func hasCategory(list []CategorySpec, name string) bool {
	return slices.ContainsFunc(list, func(c CategorySpec) bool { return c.Name == name })
}
