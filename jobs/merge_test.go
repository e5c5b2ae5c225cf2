package jobs

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
	"handoff/crm"
)

// side is one side of a field: a value, or not known.
type side struct {
	value string
	known bool
}

func is(value string) side { return side{value, true} }

var unknown side

func (s side) values(field string) crm.Values {
	if !s.known {
		return crm.Values{}
	}
	return crm.Values{field: s.value}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name                   string
		field                  string
		written, now, computed side
		want                   verdict
	}{
		{"not visible", "item_1_1", is("1"), unknown, is("2"), left},
		{"never visible", "item_1_1", unknown, unknown, is("2"), left},

		{"ours, no change", "item_1_1", is("1"), is("1"), is("1"), stands},
		{"ours, changed", "item_1_1", is("1"), is("1"), is("2"), due},
		{"ours, to be emptied", "ghost_reason", is("no note"), is("no note"), is(""), due},
		{"ours, empty, no change", "ghost_reason", is(""), is(""), is(""), stands},
		{"ours, empty, to be filled", "ghost_reason", is(""), is(""), is("no note"), due},
		{"ours, not computed", "score", is("20"), is("20"), unknown, left},

		{"handed back", "item_1_1", is("1"), is(""), is("1"), due},
		{"handed back, changed meanwhile", "item_1_1", is("1"), is(""), is("2"), due},
		{"handed back, to be empty", "ghost_reason", is("no note"), is(""), is(""), stands},
		{"handed back, not computed", "item_1_1", is("1"), is(""), unknown, left},

		{"a person's, as computed now", "item_1_1", is("1"), is("2"), is("2"), stands},
		{"a person's", "item_1_1", is("1"), is("2"), is("1"), theirs},
		{"a person's, changed meanwhile", "item_1_1", is("0"), is("2"), is("1"), theirs},
		{"a person's, not computed", "item_1_1", is("1"), is("2"), unknown, theirs},
		{"a person's, where we left it empty", "ghost_reason", is(""), is("they met"), is(""), theirs},
		{"a person unticked", "ghost", is("true"), is("false"), is("true"), theirs},
		{"a person ticked", "ready", is("false"), is("true"), is("false"), theirs},

		{"first time, empty", "item_1_1", unknown, is(""), is("0"), due},
		{"first time, empty and to stay so", "ghost_reason", unknown, is(""), is(""), stands},
		{"first time, checkbox to tick", "ghost", unknown, is("false"), is("true"), due},
		{"first time, checkbox to stay", "ghost", unknown, is("false"), is("false"), stands},
		{"first time, checkbox without a value", "ghost", unknown, is(""), is("false"), due},
		{"first time, ticked", "ghost", unknown, is("true"), is("false"), theirs},
		{"first time, as computed", "item_1_1", unknown, is("2"), is("2"), stands},
		{"first time, other", "item_1_1", unknown, is("2"), is("1"), theirs},
		{"first time, not computed", "item_1_1", unknown, is("2"), unknown, left},
		{"first time, empty and not computed", "item_1_1", unknown, is(""), unknown, left},

		{"line ends as Salesforce keeps them", "gaps", is("a\nb"), is("a\r\nb"), is("a\nb"), stands},
		{"line ends, changed", "gaps", is("a\nb"), is("a\r\nb "), is("c"), due},

		{"acceptance at first", "acceptance", unknown, is(""), is("Pending"), due},
		{"acceptance set by a person first", "acceptance", unknown, is("Accepted"), is("Pending"), peoples},
		{"acceptance set by a person", "acceptance", is("Pending"), is("Accepted"), is("Pending"), peoples},
		{"acceptance cleared", "acceptance", is("Pending"), is(""), is("Pending"), peoples},
		{"finalised without a value", "finalised", unknown, is(""), is("false"), due},
		{"finalised", "finalised", unknown, is("true"), is("false"), peoples},
		{"not finalised", "finalised", unknown, is("false"), is("false"), peoples},
		{"finalised again", "finalised", is("false"), is("true"), is("false"), peoples},

		{"the stamp goes along", "scored_at", is("2026-01-01T00:00:00Z"), is(""), unknown, left},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(tt.field, tt.written.values(tt.field), tt.now.values(tt.field), tt.computed.values(tt.field))
			if got != tt.want {
				t.Errorf("written %v, now %v, computed %v: %d, want %d", tt.written, tt.now, tt.computed, got, tt.want)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	before := crm.Values{"item_1_2": "1", "rating": "Acceptable", "health": "Green"}
	written := crm.Values{"item_1_1": "0", "item_1_2": "1", "item_1_3": "1", "rating": "Acceptable"}
	now := crm.Values{"item_1_1": "2", "item_1_2": "1", "item_1_3": "", "item_1_4": "1", "rating": "Acceptable", "acceptance": "Accepted", "scored_at": ""}
	computed := crm.Values{"item_1_1": "1", "item_1_2": "2", "item_1_3": "1", "item_1_4": "1", "item_1_5": "0", "acceptance": "Pending"}
	got := merge(before, written, now, computed, nil, func(field, value string) Edit { return Edit{Value: value, By: field} })
	want := merged{
		Values: crm.Values{
			"item_1_1": "2", // kept
			"item_1_2": "2", // written
			"item_1_3": "1", // handed back
			"item_1_4": "1", // adopted
			"item_1_5": "0", // not visible
			"rating":   "Acceptable", "health": "Green", "acceptance": "Accepted", "scored_at": "",
		},
		Written: crm.Values{"item_1_1": "0", "item_1_2": "1", "item_1_3": "1", "item_1_4": "1", "rating": "Acceptable", "acceptance": "Accepted"},
		Send:    crm.Values{"item_1_2": "2", "item_1_3": "1"},
		Edits:   map[string]Edit{"item_1_1": {Value: "2", By: "item_1_1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merge (-want +got):\n%s", diff)
	}
	if len(written) != 4 || len(before) != 3 {
		t.Error("merge changed what it was given")
	}
}

func TestAuthors(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, time.May, n, 9, 0, 0, 0, time.UTC) }
	tracked := []connectors.FieldEdit{
		{Field: "item_1_1", Value: "1", By: "Ana", At: day(1)},
		{Field: "item_1_1", Value: "2", By: "Ben", At: day(2)},
		{Field: "item_1_2", Value: "2", By: "Cleo", At: day(3)},
	}
	guess := Edit{Value: "2", By: "Dan", At: day(9)}
	tests := []struct {
		name string
		who  authors
		want Edit
	}{
		{"tracked by the CRM", authors{tracked: tracked, by: "Dan", at: day(9)}, Edit{Value: "2", By: "Ben", At: day(2), Exact: true}},
		{"the last tracked value is another", authors{tracked: tracked[:1], by: "Dan", at: day(9)}, guess},
		{"not tracked", authors{by: "Dan", at: day(9)}, guess},
		{"known from an earlier run", authors{earlier: map[string]Edit{"item_1_1": guess}, by: "Eve", at: day(10)}, guess},
		{"edited again since", authors{earlier: map[string]Edit{"item_1_1": {Value: "1", By: "Eve", At: day(4)}}, by: "Dan", at: day(9)}, guess},
		{"tracked, guessed before", authors{earlier: map[string]Edit{"item_1_1": guess}, tracked: tracked}, Edit{Value: "2", By: "Ben", At: day(2), Exact: true}},
		{"no idea", authors{at: day(9)}, Edit{Value: "2", At: day(9)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.who.of("item_1_1", "2")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestArrived(t *testing.T) {
	stamped := crm.Values{"item_1_1": "1", "score": "20", "scored_at": "2026-05-01T09:00:00Z"}
	bare := crm.Values{"item_1_1": "1", "score": "20"}
	tests := []struct {
		name       string
		after, now crm.Values
		want       bool
	}{
		{"as sent", stamped, stamped, true},
		{"edited since", stamped, crm.Values{"item_1_1": "2", "score": "20", "scored_at": "2026-05-01T09:00:00Z"}, true},
		{"never sent, a person set the same item", stamped, crm.Values{"item_1_1": "1", "score": "18", "scored_at": ""}, false},
		{"no stamp, as sent", bare, bare, true},
		{"no stamp, edited since", bare, crm.Values{"item_1_1": "2", "score": "20"}, true},
		{"no stamp, never sent", bare, crm.Values{"item_1_1": "0", "score": "18"}, false},
		{"the record is gone", bare, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := arrived(&Write{After: tt.after}, tt.now); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestAfresh(t *testing.T) {
	written := crm.Values{"scored_at": "2026-06-01T09:00:00Z", "score": "12", "ghost": "true", "acceptance": "Pending"}
	unticked := map[string]Edit{"ghost": {Value: "false"}}
	for name, c := range map[string]struct {
		now, want crm.Values
		edits     map[string]Edit
	}{
		"as we left it":         {written, written, nil},
		"unticked by a person":  {crm.Values{"scored_at": "2026-06-01T09:00:00Z", "ghost": "false", "score": ""}, written, nil},
		"no stamp to be seen":   {crm.Values{"ghost": "false", "score": ""}, written, nil},
		"made again":            {crm.Values{"scored_at": "", "score": "", "ghost": "false", "acceptance": ""}, crm.Values{}, nil},
		"made again and edited": {crm.Values{"scored_at": "", "score": "7", "ghost": "false", "acceptance": ""}, crm.Values{"score": "12"}, nil},
		"edited before":         {crm.Values{"scored_at": "", "score": "", "ghost": "false", "acceptance": ""}, crm.Values{"ghost": "true"}, unticked},
	} {
		if diff := cmp.Diff(c.want, afresh(written, c.now, c.edits)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := afresh(crm.Values{"score": "12"}, crm.Values{"scored_at": "", "score": ""}, nil); len(got) != 1 {
		t.Errorf("a stamp that was never written is not gone: %v", got)
	}
}
