package hubspot

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// names are the deals of the fixture, by the last digit of their ids.
func (l found) names() string {
	var names []string
	for _, r := range l.Results {
		names = append(names, map[string]string{wonID: "won", lostID: "lost", openID: "open"}[r.ID])
	}
	return strings.Join(names, " ")
}

func TestFilters(t *testing.T) {
	t.Parallel()
	tests := []struct{ filter, want string }{
		{`{"propertyName":"hs_is_closed_won","operator":"EQ","value":"true"}`, "won"},
		{`{"propertyName":"hs_is_closed","operator":"EQ","value":"true"}`, "won lost"},
		{`{"propertyName":"dealname","operator":"EQ","value":"BETA"}`, "lost"},
		{`{"propertyName":"dealname","operator":"NEQ","value":"BETA"}`, "won open"},
		{`{"propertyName":"dealname","operator":"GT","value":"Beta"}`, "open"},
		{`{"propertyName":"dealname","operator":"IN","values":["beta","gamma"]}`, "lost open"},
		{`{"propertyName":"dealname","operator":"IN","values":["Gamma"]}`, ""}, // texts want lower case
		{`{"propertyName":"dealstage","operator":"IN","values":["closedwon","zzz"]}`, "won"},
		{`{"propertyName":"dealstage","operator":"EQ","value":"CLOSEDWON"}`, ""}, // enumerations keep case
		{`{"propertyName":"dealstage","operator":"NOT_IN","values":["closedwon"]}`, "lost open"},
		{`{"propertyName":"amount","operator":"LT","value":"10000"}`, "lost"},
		{`{"propertyName":"amount","operator":"EQ","value":"9000.0"}`, "lost"},
		{`{"propertyName":"amount","operator":"NEQ","value":"9000"}`, "won"}, // one without a value does not match
		{`{"propertyName":"amount","operator":"IN","values":["48000","1"]}`, "won"},
		{`{"propertyName":"amount","operator":"BETWEEN","value":"9000","highValue":"48000"}`, "won lost"},
		{`{"propertyName":"amount","operator":"HAS_PROPERTY"}`, "won lost"},
		{`{"propertyName":"amount","operator":"NOT_HAS_PROPERTY"}`, "open"},
		{`{"propertyName":"hs_object_id","operator":"GT","value":"30000000001"}`, "lost open"},
		{`{"propertyName":"hs_object_id","operator":"IN","values":["30000000001","30000000003"]}`, "won open"},
		{`{"propertyName":"hs_lastmodifieddate","operator":"GTE","value":"2026-10-03T09:00:00Z"}`, "won open"},
		{`{"propertyName":"hs_lastmodifieddate","operator":"GT","value":"1791018000000"}`, "open"},
		{`{"propertyName":"closedate","operator":"EQ","value":"2026-10-02"}`, "won"},
		{`{"propertyName":"num_associated_contacts","operator":"GTE","value":"2"}`, "won"},
		{`{"propertyName":"dealname","operator":"CONTAINS_TOKEN","value":"platform"}`, "won"},
		{`{"propertyName":"dealname","operator":"CONTAINS_TOKEN","value":"plat"}`, ""},
		{`{"propertyName":"dealname","operator":"CONTAINS_TOKEN","value":"plat*"}`, "won"},
		{`{"propertyName":"dealname","operator":"NOT_CONTAINS_TOKEN","value":"acme"}`, "lost open"},
		{`{"propertyName":"amount","operator":"NOT_CONTAINS_TOKEN","value":"1"}`, "won lost"},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			t.Parallel()
			got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", `{"filterGroups":[{"filters":[`+tt.filter+`]}]}`)
			if got.names() != tt.want || got.Total != len(strings.Fields(tt.want)) {
				t.Errorf("got %q, total %d, want %q", got.names(), got.Total, tt.want)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	id := func(id string) string {
		return `{"filters":[{"propertyName":"hs_object_id","operator":"EQ","value":"` + id + `"}]}`
	}
	tests := []struct {
		name, body, want string
		total            int
		after            string
	}{
		{"everything", `{}`, "won lost open", 3, ""},
		{"groups are alternatives", `{"filterGroups":[` + id(wonID) + `,` + id(openID) + `]}`, "won open", 2, ""},
		{"filters all hold", `{"filterGroups":[{"filters":[{"propertyName":"amount","operator":"GT","value":"1"},{"propertyName":"amount","operator":"LT","value":"10000"}]}]}`, "lost", 1, ""},
		{"a page", `{"limit":2,"sorts":["hs_object_id"]}`, "won lost", 3, "2"},
		{"the next page", `{"limit":2,"after":"2","sorts":["hs_object_id"]}`, "open", 3, ""},
		{"cursor as a number", `{"limit":2,"after":2}`, "open", 3, ""},
		{"count only", `{"limit":0}`, "", 3, "0"},
		{"descending", `{"sorts":["-amount"]}`, "won lost open", 3, ""},
		{"sort as an object", `{"sorts":[{"propertyName":"dealname","direction":"DESCENDING"}]}`, "open lost won", 3, ""},
		{"ascending object", `{"sorts":[{"propertyName":"amount","direction":"ASCENDING"}]}`, "open lost won", 3, ""},
		{"query", `{"query":"gam"}`, "open", 1, ""},
		{"query of nothing", `{"query":"  "}`, "won lost open", 3, ""},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", tt.body)
			after := ""
			if got.Paging != nil {
				after = got.Paging.Next.After
			}
			if got.names() != tt.want || got.Total != tt.total || after != tt.after {
				t.Errorf("got %q, total %d, after %q, want %q, %d, %q", got.names(), got.Total, after, tt.want, tt.total, tt.after)
			}
		})
	}
}

func TestSearchAnswer(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.call("POST", dealRecords+"/search", `{"query":"gamma","properties":["dealname","amount","hs_closed_won_date","no_such"]}`).Body.String()
	want := `{"total":1,"results":[{"id":"30000000003","properties":{"amount":null,"createdate":"2026-10-04T09:00:00.000Z","dealname":"Gamma","hs_closed_won_date":null,"hs_lastmodifieddate":"2026-10-04T09:00:00.000Z","hs_object_id":"30000000003"},"createdAt":"2026-10-04T09:00:00.000Z","updatedAt":"2026-10-04T09:00:00.000Z","archived":false}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestSearchRefused(t *testing.T) {
	t.Parallel()
	filters := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"propertyName":"dealname","operator":"EQ","value":"x"},`, n), ",")
	}
	filter := func(s string) string { return `{"filterGroups":[{"filters":[` + s + `]}]}` }
	group := `{"filters":[` + filters(4) + `]}`
	tests := []struct{ name, body, want string }{
		{"large page", `{"limit":201}`, "The limit must be from 0 to 200, not 201"},
		{"negative page", `{"limit":-1}`, "The limit must be from 0 to 200, not -1"},
		{"beyond the cap", `{"limit":100,"after":"9901"}`, "Paging beyond 10000 results is not supported: after 9901, limit 100"},
		{"far beyond the cap", `{"after":"9223372036854775807"}`, "Paging beyond 10000 results is not supported: after 9223372036854775807, limit 10"},
		{"bad cursor", `{"after":"x"}`, `Invalid paging cursor "x"`},
		{"operator", filter(`{"propertyName":"dealname","operator":"LIKE","value":"x"}`), "Invalid input JSON: Cannot deserialize value of type `OperatorEnum` from String \"LIKE\""},
		{"property", filter(`{"propertyName":"nope","operator":"EQ","value":"x"}`), `There was a problem with the request. Property "nope" does not exist on deals.`},
		{"sort", `{"sorts":["nope"]}`, `There was a problem with the request. Property "nope" does not exist on deals.`},
		{"no value", filter(`{"propertyName":"amount","operator":"GT"}`), "The filter GT of amount lacks a value"},
		{"no high value", filter(`{"propertyName":"amount","operator":"BETWEEN","value":"1"}`), "The filter BETWEEN of amount lacks a value"},
		{"no values", filter(`{"propertyName":"amount","operator":"IN","value":"1"}`), "The filter IN of amount lacks values"},
		{"word for number", filter(`{"propertyName":"amount","operator":"GT","value":"many"}`), `"many" is not a valid value of amount: it must be a number`},
		{"word for id", filter(`{"propertyName":"hs_object_id","operator":"IN","values":["1","x"]}`), `"x" is not a valid value of hs_object_id: it must be a whole number`},
		{"word for moment", filter(`{"propertyName":"closedate","operator":"GT","value":"x"}`), `"x" is not a valid value of closedate: it must be a date or milliseconds since 1970`},
		{"many sorts", `{"sorts":["amount","dealname"]}`, "A search has at most one sort, not 2"},
		{"many groups", `{"filterGroups":[{},{},{},{},{},{}]}`, "A search has at most 5 filter groups, not 6"},
		{"many filters", filter(filters(7)), "A search has at most 6 filters in a group and 18 in all"},
		{"many filters in all", `{"filterGroups":[` + strings.Join([]string{group, group, group, group, group}, ",") + `]}`, "A search has at most 6 filters in a group and 18 in all"},
		{"long query", `{"query":"` + strings.Repeat("x", 3001) + `"}`, "The query has at most 3000 characters"},
	}
	a := newAPI(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, want := a.refusal("POST", dealRecords+"/search", tt.body), "400 VALIDATION_ERROR "+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestContainsToken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    any
		pattern string
		want    bool
	}{
		{nil, "*", false}, {"", "*", false}, {"Acme", "", false},
		{"Ann@Example.com", "*@example.com", true}, {"Ann@Example.com", "example", true}, {"Ann@Example.com", "ann@example.com", true},
		{"Acme GmbH", "gmbh acme", true}, {"Acme GmbH", "acme inc", false},
		{"aba", "a*a", true}, {"a", "a*a", false}, {"abcbd", "a*b*d", true}, {"abcbd", "a*d*b", false}, {"x", "**", true},
	}
	for _, tt := range tests {
		if got := containsToken(tt.text, tt.pattern); got != tt.want {
			t.Errorf("containsToken(%v, %q) = %v", tt.text, tt.pattern, got)
		}
	}
}

// What a call changes under a lag shows in searches later than in reads, and all at once.
func TestIndexLag(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	search := func() string {
		t.Helper()
		got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", `{"properties":["dealname"]}`)
		var names []string
		for _, r := range got.Results {
			names = append(names, *r.Properties["dealname"])
		}
		return strings.Join(names, ", ")
	}
	rename := func(name string) {
		t.Helper()
		get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+openID, `{"properties":{"dealname":"`+name+`"}}`)
	}
	expect := func(when, want string) {
		t.Helper()
		if got := search(); got != want {
			t.Errorf("%s: searches see %q, want %q", when, got, want)
		}
	}
	const rest = "Acme GmbH - Platform, beta, "

	a.fault(`{"method":"PATCH|POST","path":"/crm/objects/2026-09/deals(/\\d+)?","lag_ms":60000}`)
	rename("Delta")
	get[answer](a, http.StatusCreated, "POST", dealRecords, `{"properties":{"dealname":"New"}}`)
	if got := a.values(openID, "dealname")[0]; got != "Delta" {
		t.Errorf("a read sees %q", got)
	}
	expect("at once", rest+"Gamma")
	a.wait(30 * time.Second)
	rename("Epsilon")
	expect("after a second change", rest+"Gamma")
	a.call("DELETE", "/_sandbox/faults", "")
	rename("Zeta")
	expect("after a change without lag", rest+"Gamma")
	a.wait(59 * time.Second)
	expect("just before the end", rest+"Gamma, New")
	a.wait(time.Second)
	expect("at the end", rest+"Zeta, New")
	rename("Eta")
	expect("later", rest+"Eta, New")

	a.fault(`{"method":"DELETE","lag_ms":60000}`)
	if w := a.call("DELETE", dealRecords+"/"+openID, ""); w.Code != http.StatusNoContent {
		t.Fatalf("archive: %d %s", w.Code, w.Body)
	}
	expect("archived", rest+"Eta, New")
	a.wait(time.Minute)
	expect("archived long ago", rest+"New")
}

// Whatever a client searches for is found or refused.
func FuzzSearch(f *testing.F) {
	for _, op := range []string{"EQ", "IN", "BETWEEN", "CONTAINS_TOKEN", "NOT_IN", "HAS_PROPERTY"} {
		f.Add("dealname", op, "acme*", "z", "-amount")
		f.Add("amount", op, "1e5", "", "hs_object_id")
		f.Add("closedate", op, "1790845200123", "2026-10-01", "closedate")
	}
	f.Add(`a" OR 1=1 --`, "EQ", "'", `"`, `-a"`)
	f.Fuzz(func(t *testing.T, property, operator, value, high, sort string) {
		a := fuzzAPI(t)
		body := fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":%s,"operator":%s,"value":%[3]s,"highValue":%[4]s,"values":[%[3]s,%[4]s]}]}],"sorts":[%[5]s]}`,
			quote(property), quote(operator), quote(value), quote(high), quote(sort))
		w := a.call("POST", dealRecords+"/search", body)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", body, w.Code, w.Body)
		}
	})
}

// A body is an answer or a 400, whatever it holds.
func FuzzBody(f *testing.F) {
	for _, body := range []string{`{"inputs":[{"id":"30000000001","properties":{"amount":1,"dealname":null}}]}`, `{"filterGroups":[{"filters":[]}],"after":1}`,
		`{"name":"x","label":"X","groupName":"dealinformation","type":"enumeration","fieldType":"select","options":[{"label":"A","value":"a"}]}`,
		`{"properties":{},"associations":[{"to":{"id":"10000000001"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":3}]}]}`, `[`, `{"inputs":{}}`} {
		f.Add(body)
	}
	paths := []string{dealRecords, dealRecords + "/search", dealRecords + "/batch/read", dealRecords + "/batch/update", dealRecords + "/batch/create", dealRecords + "/batch/archive",
		dealsToContacts + "/batch/read", dealProperties, dealProperties + "/batch/create", dealProperties + "/groups"}
	f.Fuzz(func(t *testing.T, body string) {
		a := fuzzAPI(t)
		for _, path := range paths {
			if w := a.call("POST", path, body); w.Code >= http.StatusInternalServerError {
				t.Errorf("%s %s: status %d: %s", path, body, w.Code, w.Body)
			}
		}
	})
}

func FuzzMatchesWild(f *testing.F) {
	f.Add("acme", "a*e")
	f.Add("aba", "a*a")
	f.Add("x", "**")
	f.Fuzz(func(t *testing.T, word, pattern string) {
		if !utf8.ValidString(word) || !utf8.ValidString(pattern) {
			return
		}
		want := regexp.MustCompile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`).MatchString(word)
		if got := matchesWild(word, pattern); got != want {
			t.Errorf("matchesWild(%q, %q) = %v", word, pattern, got)
		}
	})
}

// HubSpot's Salesforce sync says which opportunity a deal is a copy of.
func TestSyncedDeals(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const synced = `{"filterGroups":[{"filters":[{"propertyName":"hs_salesforceopportunityid","operator":"HAS_PROPERTY"}]}],"properties":["hs_salesforceopportunityid"]}`
	if got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", synced); got.Total != 0 {
		t.Errorf("%d deals are copies, want none", got.Total)
	}
	if w := a.call("PATCH", "/_sandbox/records/deals/"+wonID, `{"hs_salesforceopportunityid":"0065e00000AbCdEAAV"}`); w.Code != http.StatusNoContent {
		t.Fatalf("edit: %d %s", w.Code, w.Body)
	}
	got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", synced)
	if got.Total != 1 || got.Results[0].ID != wonID || *got.Results[0].Properties["hs_salesforceopportunityid"] != "0065e00000AbCdEAAV" {
		t.Errorf("found %+v, want %s", got, wonID)
	}
}
