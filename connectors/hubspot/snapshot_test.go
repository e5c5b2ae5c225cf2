package hubspot

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

func TestCutTitle(t *testing.T) {
	long := "<p><b>" + strings.Repeat("word ", 60) + "</b></p><p>x</p>"
	for _, tc := range []struct{ name, note, title, body string }{
		{"paragraph", "<p><strong>Close &amp; handoff</strong></p><p>Signed.</p>", "Close & handoff", "<p>Signed.</p>"},
		{"b and a break", "<div><b>Close</b><br>Signed.</div>", "Close", "Signed.</div>"},
		{"heading", "\n<div class=\"x\"><h2><strong>Close</strong></h2>Signed.</div>", "Close", "Signed.</div>"},
		{"blocks within blocks", "<div><div><b>Close</b></div> </div><ul><li>Signed.</li></ul>", "Close", "<ul><li>Signed.</li></ul>"},
		{"a list follows", "<b>Close</b><ul><li>Signed.</li></ul>", "Close", "<ul><li>Signed.</li></ul>"},
		{"span inside", "<p><strong><span style=\"color:red\">Close</span></strong></p>Signed.", "Close", "Signed."},
		{"span around", "<p><span><b>Close</b></span>:</p>Signed", "Close", "Signed"},
		{"plain text follows", "<b>Close</b>\nSigned.", "Close", "Signed."},
		{"nothing follows", "<p><strong>Signed.</strong></p><p> </p>", "", "<p><strong>Signed.</strong></p><p> </p>"},
		{"too long", long, "", long},
		{"bold word at the start", "<p><strong>Marcus</strong> signed.</p>", "", "<p><strong>Marcus</strong> signed.</p>"},
		{"two bold words", "<p><b>Marcus</b> and <b>Harriet</b></p>x", "", "<p><b>Marcus</b> and <b>Harriet</b></p>x"},
		{"bold later", "<p>Signed.</p><p><strong>Close</strong></p>x", "", "<p>Signed.</p><p><strong>Close</strong></p>x"},
		{"plain", "Signed last night.\nMore.", "", "Signed last night.\nMore."},
		{"empty", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if title, body := cutTitle(tc.note); title != tc.title || body != tc.body {
				t.Errorf("got %q and %q", title, body)
			}
		})
	}
}

func FuzzCutTitle(f *testing.F) {
	f.Add("<p><strong>Close</strong></p><p>Signed.</p>")
	f.Add("<div><b>Close</b><br>Signed.</div>")
	f.Add(strings.Repeat("<p>", 100) + strings.Repeat("<b>", 100))
	f.Fuzz(func(t *testing.T, note string) {
		title, body := cutTitle(note)
		if !strings.HasSuffix(note, body) || title == "" && body != note && plain(body) == "" {
			t.Fatalf("%q and %q", title, body)
		}
	})
}

// TestFacts: a fact comes from the first of its properties that holds something, of the deal or its company, in words.
func TestFacts(t *testing.T) {
	r := &reader{
		missed: map[string]bool{},
		people: people{byID: map[string]owner{"70": {ID: "70", First: "Lee", Last: "Park", Email: "lee@own.example"}}},
		schema: &schema{
			stages: map[string]string{"104": "Won it"},
			facts: map[string][]fact{
				"csm":             {{deals, property{Name: "csm", Extern: true}}, {companies, property{Name: "csm", Extern: true}}},
				"csm_assigned_at": {{deals, property{Name: "csm_at"}}, {companies, property{Name: "csm_at"}}},
				"term_months":     {{deals, property{Name: "term"}}},
				"arr":             {{deals, property{Name: "arr"}}, {deals, property{Name: "hs_arr"}}},
				"competitors":     {{deals, property{Name: "competitors", Options: []option{{Label: "Clari Inc.", Value: "clari"}, {Label: "Gong", Value: "gong"}}}}},
				"champion":        {{deals, property{Name: "champion"}}},
				"use_case":        {{deals, property{Name: "use_case"}}},
			},
		},
	}
	deal := object{ID: "1", Properties: map[string]text{"dealname": "A", "dealstage": "104", isWon: "true", amount: "48000.5", "closedate": "2026-09-30T12:00:00Z",
		ownerID: "71", "csm": "", "term": "11.6", "arr": "", "hs_arr": "24000", "competitors": "clari;gong;other", "champion": "Marcus; RevOps", "use_case": ""}}
	company := object{ID: "2", Properties: map[string]text{"name": "Loopline", "csm": "70", "csm_at": "2026-10-01T09:00:00Z"}}
	worth, arr, months, at := 48000.5, 24000.0, 12, time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	day := crm.NewDate(2026, 9, 30)
	want := crm.Deal{
		ID: "1", Name: "A", Account: "Loopline", Stage: "Won it", Won: true, Amount: &worth, ARR: &arr, TermMonths: &months, CloseDate: &day,
		Owner:  &crm.User{ID: "71"},
		CSM:    &crm.CSM{ID: "70", Name: "Lee Park", Email: "lee@own.example", AssignedAt: &at},
		Fields: map[string]string{"competitors": "Clari Inc.; Gong; other", "champion": "Marcus; RevOps"},
	}
	if diff := cmp.Diff(want, r.deal(deal, company), cmp.Comparer(func(a, b crm.Date) bool { return a == b })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFormsOfValues: a number may be empty, and a day be in milliseconds, whatever their properties' types say.
// https://github.com/airbytehq/airbyte/pull/10576
func TestFormsOfValues(t *testing.T) {
	worth, day := 48000.5, crm.NewDate(2026, 9, 30)
	for _, tc := range []struct {
		name, properties string
		amount           *float64
		closed           *crm.Date
	}{
		{"texts", `{"amount":"48000.5","closedate":"2026-09-30T12:00:00.000Z"}`, &worth, &day},
		{"milliseconds in a text", `{"amount":"48000.50","closedate":"1790726400000"}`, &worth, &day},
		{"numbers", `{"amount":48000.5,"closedate":1790726400000}`, &worth, &day},
		{"a day", `{"amount":"4.80005e4","closedate":"2026-09-30"}`, &worth, &day},
		{"empty", `{"amount":"","closedate":""}`, nil, nil},
		{"blank", `{"amount":" ","closedate":" "}`, nil, nil},
		{"unset", `{"amount":null,"closedate":null}`, nil, nil},
		{"absent", `{}`, nil, nil},
		{"words", `{"amount":"many","closedate":"soon"}`, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var o object
			if err := json.Unmarshal([]byte(`{"id":"1","properties":`+tc.properties+`}`), &o, lenient); err != nil {
				t.Fatal(err)
			}
			got := (&reader{schema: &schema{}}).deal(o, object{})
			if diff := cmp.Diff(tc.amount, got.Amount); diff != "" {
				t.Errorf("amount, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tc.closed, got.CloseDate, cmp.Comparer(func(a, b crm.Date) bool { return a == b })); diff != "" {
				t.Errorf("close date, -want +got:\n%s", diff)
			}
		})
	}
}

// TestAround: of several companies the primary one counts, and a contact without a label has the roles it says of itself.
func TestAround(t *testing.T) {
	a := &around{
		links: map[string]map[string][]link{
			companies: {"1": {{"9", nil}, {"10", []string{"Primary"}}}, "2": {{"11", nil}, {"9", nil}}},
			contacts:  {"1": {{"21", nil}, {"20", []string{"Champion"}}, {"22", nil}}},
		},
		records: map[string]map[string]object{
			companies: {"9": {ID: "9"}, "10": {ID: "10"}, "11": {ID: "11"}},
			contacts: {
				"20": {ID: "20", Created: "2026-01-02T00:00:00Z", Properties: map[string]text{"firstname": "Ann", "hs_buying_role": "END_USER", "hs_email_bounce": "0"}},
				"21": {ID: "21", Created: "2026-01-01T00:00:00Z", Properties: map[string]text{"lastname": "Bee", "hs_buying_role": "DECISION_MAKER;BUDGET_HOLDER", "hs_email_bounce": "2",
					"mobilephone": "+1"}},
			}, // 22 was deleted meanwhile
		},
	}
	for deal, want := range map[string]text{"1": "10", "2": "9", "3": ""} {
		if got := primary(a, deal).ID; got != want {
			t.Errorf("company of %s: %q, want %q", deal, got, want)
		}
	}
	want := []crm.Contact{
		{ID: "21", Name: "Bee", Phone: "+1", Roles: []string{"Decision maker", "Budget holder"}, EmailBounced: true},
		{ID: "20", Name: "Ann", Roles: []string{"Champion"}},
	}
	if diff := cmp.Diff(want, roster(a, "1")); diff != "" {
		t.Errorf("contacts, -want +got:\n%s", diff)
	}
}

func TestAddresses(t *testing.T) {
	for _, tc := range []struct {
		name, headers, from string
		to                  []string
	}{
		{"both", `{"from":{"email":"dana@own.example","firstName":"Dana"},"to":[{"email":"a@x.example"},{"firstName":"B"},{"email":"c@x.example"}],"cc":[]}`,
			"dana@own.example", []string{"a@x.example", "c@x.example"}},
		{"none", ``, "", nil},
		{"not JSON", `From: dana@own.example`, "", nil},
		{"no receiver", `{"from":{"email":"dana@own.example"}}`, "dana@own.example", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, to := addresses(tc.headers)
			if from != tc.from || !slices.Equal(to, tc.to) {
				t.Errorf("got %q, %q", from, to)
			}
		})
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add(`{"from":{"email":"a@b"},"to":[{"email":"c@d"}]}`)
	f.Fuzz(func(t *testing.T, headers string) {
		if _, to := addresses(headers); slices.Contains(to, "") {
			t.Fatal("an empty address")
		}
	})
}
