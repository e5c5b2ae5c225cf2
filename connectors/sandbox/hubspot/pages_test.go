package hubspot

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// visit answers a request for a page as a browser on the same site sends it.
func (a *api) visit(method, path string, form url.Values) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	return w
}

// loadedAPI returns a portal that holds cases, beside the deals of every new api.
func loadedAPI(t *testing.T, cases ...*crm.Snapshot) *api {
	t.Helper()
	a := newAPI(t)
	if err := a.portal.Load(t.Context(), cases); err != nil {
		t.Fatal(err)
	}
	return a
}

// defineHandoff makes some of the properties that setup makes.
func (a *api) defineHandoff() {
	a.t.Helper()
	get[group](a, http.StatusCreated, "POST", dealProperties+"/groups", `{"name":"handoff","label":"Handoff"}`)
	var inputs []string
	for _, p := range []struct{ name, label, kind, field, more string }{
		{"handoff_score", "Handoff Score", "number", "number", ""},
		{"handoff_deal_context", "Handoff Deal Context", "number", "number", ""},
		{"handoff_item_1_1", "1.1 Use case", "number", "number", `,"description":"What problem, and why this product"`},
		{"handoff_rating", "Handoff Rating", "enumeration", "select", `,"options":[{"label":"Excellent","value":"Excellent"},{"label":"Not complete","value":"Incomplete"}]`},
		{"handoff_ghost", "Ghost Handoff", "bool", "booleancheckbox", `,"options":[{"label":"Yes","value":"true"},{"label":"No","value":"false"}]`},
		{"handoff_next_action", "Handoff Next Action", "string", "text", ""},
		{"handoff_scored_at", "Handoff Scored At", "datetime", "date", ""},
		{"handoff_gaps", "Handoff Gaps", "string", "textarea", ""},
	} {
		inputs = append(inputs, fmt.Sprintf(`{"name":%q,"label":%q,"groupName":"handoff","type":%q,"fieldType":%q%s}`, p.name, p.label, p.kind, p.field, p.more))
	}
	get[batchAnswer[property]](a, http.StatusOK, "POST", dealProperties+"/batch/create", `{"inputs":[`+strings.Join(inputs, ",")+`]}`)
}

// dealOf returns the id of the deal that a case was loaded as.
func (a *api) dealOf(caseID string) string {
	a.t.Helper()
	got := get[found](a, http.StatusOK, "POST", dealRecords+"/search", `{"filterGroups":[{"filters":[{"propertyName":"case_id","operator":"EQ","value":"`+caseID+`"}]}]}`)
	if got.Total != 1 {
		a.t.Fatalf("case %s is %d deals", caseID, got.Total)
	}
	return got.Results[0].ID
}

func TestDealsPage(t *testing.T) {
	t.Parallel()
	a := loadedAPI(t, deals.Demo()...)
	for name, c := range map[string]struct {
		path       string
		want, lack []string
	}{
		"first page":        {"/", []string{"58 deals", "Halberd Credit - Collections AI", "1–50 of 58", "?from=50", "USD 48,000", "Won deals"}, []string{"Handoff</th>"}},
		"second page":       {"/?from=50", []string{"51–58 of 58", `href="/"`}, []string{"?from=100"}},
		"by company":        {"/?q=spedition+brandl", []string{"1 deal", "Brandl Zeitfenster 2026"}, []string{"Loopline"}},
		"by owner":          {"/?q=dana+ruiz", []string{"Loopline Software - Forecasting 31 seats"}, []string{"Acme GmbH"}},
		"won deals only":    {"/?q=gamma", []string{"0 deals"}, nil},
		"no wildcards":      {"/?q=%25", []string{"0 deals", "No won deal matches."}, nil},
		"markup is escaped": {"/?q=%3Cscript%3E", []string{"&lt;script&gt;"}, []string{"<script>"}},
		"page out of range": {"/?from=-5", []string{"1–50 of 58"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := a.visit("GET", c.path, nil)
			if w.Code != http.StatusOK {
				t.Fatalf("HTTP %d: %s", w.Code, w.Body)
			}
			for _, s := range c.want {
				if !strings.Contains(w.Body.String(), s) {
					t.Errorf("no %q on the page", s)
				}
			}
			for _, s := range c.lack {
				if strings.Contains(w.Body.String(), s) {
					t.Errorf("%q on the page", s)
				}
			}
		})
	}
}

func TestDealPageShowsTheCardOnceItExists(t *testing.T) {
	t.Parallel()
	a := loadedAPI(t, deals.Demo()...)
	id := a.dealOf("dev-001")
	if body := a.visit("GET", dealPath(id), nil).Body.String(); strings.Contains(body, "Scorecard") || strings.Contains(body, "handoff_") {
		t.Error("a scorecard is shown before its properties exist")
	}
	a.defineHandoff()
	if body := a.visit("GET", dealPath(id), nil).Body.String(); !strings.Contains(body, "Not scored yet") {
		t.Error("a card without a score does not say so")
	}
	const scores = `{"properties":{"handoff_score":"31","handoff_deal_context":"1","handoff_item_1_1":"1","handoff_rating":"Excellent","handoff_ghost":"true"}}`
	get[answer](a, http.StatusOK, "PATCH", dealRecords+"/"+id, scores)
	a.wait(time.Minute)
	a.call("PATCH", "/_sandbox/records/deals/"+id, `{"handoff_rating":"Incomplete"}`)
	body := a.visit("GET", dealPath(id), nil).Body.String()
	for _, s := range []string{"<b>31</b>", `<span class="badge bad">Ghost</span>`, "Deal Context <span>1 / 2</span>", "1.1 Use case", "What problem, and why this product",
		"Marcus Whitfield", ">Champion</span>", "Fenn &amp; Moss", "Kickoff", "Loopline Software", "Contract review → Closed Won",
		"Excellent → Not complete", "Casey CSM", "Integration", "2026-11-20 12:01"} {
		if !strings.Contains(body, s) {
			t.Errorf("no %q on the page", s)
		}
	}
	if list := a.visit("GET", "/", nil).Body.String(); !strings.Contains(list, "<b>31</b>") || !strings.Contains(list, ">Ghost<") {
		t.Error("the list does not show the score")
	}
	a.call("DELETE", dealProperties+"/handoff_score", "")
	if body := a.visit("GET", dealPath(id), nil).Body.String(); strings.Contains(body, "31</b>") {
		t.Error("an archived property is shown")
	}
	if list := a.visit("GET", "/", nil).Body.String(); strings.Contains(list, "<b>31</b>") {
		t.Error("an archived property is on the list")
	}
}

// A reader must find each property that can be edited, once, and none that is hidden.
func TestDealPageOffersEachPropertyOnce(t *testing.T) {
	t.Parallel()
	a := loadedAPI(t, deals.Demo()[0])
	a.defineHandoff()
	for _, name := range []string{"handoff_unheard_of", "our_own", "out_of_sight"} {
		get[property](a, http.StatusCreated, "POST", dealProperties,
			fmt.Sprintf(`{"name":%q,"label":"L","groupName":"handoff","type":"string","fieldType":"text","hidden":%v}`, name, name == "out_of_sight"))
	}
	body := a.visit("GET", dealPath(a.dealOf("dev-001")), nil).Body.String()
	for _, pr := range a.portal.object("deals").Properties {
		want := 0
		if !pr.HubSpotDefined && pr.Name != "out_of_sight" && !strings.HasPrefix(pr.Name, "case_") || pr.Name == "dealstage" || pr.Name == "amount" || pr.Name == "hubspot_owner_id" {
			want = 1
		}
		if got := strings.Count(body, `name="field" value="`+pr.Name+`"`); got != want && (want == 1 || got > 1) {
			t.Errorf("%s can be edited in %d places, want %d", pr.Name, got, want)
		}
	}
	for _, s := range []string{`<option value="0">0</option><option value="1">1</option><option value="2">2</option>`, // an item
		`<option value="Incomplete">Not complete</option>`, `<input type="checkbox" name="value" value="true">`, `<textarea name="value"`} {
		if !strings.Contains(body, s) {
			t.Errorf("no control %s", s)
		}
	}
}

func TestDealPageIsSafe(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	const evil = `<script>alert(1)</script>`
	a := loadedAPI(t, &crm.Snapshot{ID: "evil", Deal: crm.Deal{ID: "1", Name: evil, Account: evil, Stage: evil, Won: true, Owner: &crm.User{Name: evil},
		Fields: map[string]string{"use_case": evil, "description": evil}},
		Contacts: []crm.Contact{{Name: evil, Title: evil, Email: evil, Phone: evil, Roles: []string{evil}}},
		Notes:    []crm.Note{{At: &at, Author: evil, Title: evil, Body: "<p>a<b>b</b>" + evil + `<img src=x onerror=alert(1)><a href="http://x.example">c</a></p>`}, {At: &at, Body: evil}},
		Activities: []crm.Activity{{Kind: crm.Email, At: &at, Subject: evil, Body: evil, From: evil, To: []string{evil}}, {Kind: crm.Meeting, At: &at, Subject: evil, Body: evil},
			{Kind: crm.Call, At: &at, Subject: evil, Body: evil}, {Kind: crm.Task, At: &at, Subject: evil, Body: evil}},
	})
	id := a.dealOf("evil")
	// What clients write is trusted no more than what is loaded.
	for object, body := range map[string]string{
		"notes":  `"hs_note_body":"<p onclick=alert(1)>x</p><script>alert(1)</script>"`,
		"emails": `"hs_email_text":"<img src=x onerror=alert(1)>","hs_email_headers":"<script>"`,
	} {
		get[answer](a, http.StatusCreated, "POST", "/crm/v3/objects/"+object, `{"properties":{"hs_timestamp":"2026-10-01",`+body+`},
			"associations":[{"to":{"id":"`+id+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":`+map[string]string{"notes": "214", "emails": "210"}[object]+`}]}]}`)
	}
	w := a.visit("GET", dealPath(id), nil)
	body := w.Body.String()
	for _, s := range []string{"<script", "onclick", "<img", "x.example"} {
		if strings.Contains(body, s) {
			t.Errorf("%s on the page", s)
		}
	}
	for _, s := range []string{"<p>a<b>b</b>c</p>", "&lt;img src=x onerror=alert(1)&gt;"} {
		if !strings.Contains(body, s) {
			t.Errorf("no %s on the page", s)
		}
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") {
		t.Errorf("Content-Security-Policy %q", got)
	}
}

func TestEditDeal(t *testing.T) {
	t.Parallel()
	a := loadedAPI(t, deals.Demo()[0])
	a.defineHandoff()
	id := a.dealOf("dev-001")
	for name, c := range map[string]struct {
		property, value string
		stored          string // "": refused
		problem         string
	}{
		"item":                  {"handoff_item_1_1", "2", "2", ""},
		"cleared":               {"handoff_item_1_1", "", "<nil>", ""},
		"picklist":              {"handoff_rating", "Incomplete", "Incomplete", ""},
		"checkbox":              {"handoff_ghost", "true", "true", ""},
		"checkbox, off":         {"handoff_ghost", "", "false", ""},
		"moment":                {"handoff_scored_at", "2026-11-20T08:30", "2026-11-20T08:30:00.000Z", ""},
		"moment with seconds":   {"handoff_scored_at", "2026-11-20T08:30:15", "2026-11-20T08:30:15.000Z", ""},
		"lines":                 {"handoff_gaps", "a\r\nb", "a\nb", ""},
		"standard property":     {"hs_next_step", "Call <Ann>", "Call <Ann>", ""},
		"stage":                 {"dealstage", "closedlost", "closedlost", ""},
		"owner":                 {"hubspot_owner_id", repID, repID, ""},
		"not in the list":       {"handoff_rating", "Splendid", "", "not one of the allowed options"},
		"no such stage":         {"dealstage", "nowhere", "", "not one of the allowed options"},
		"set by the system":     {"hs_is_closed_won", "true", "", "read only"},
		"no number":             {"handoff_score", "many", "", "many was not a valid number."},
		"no moment":             {"handoff_scored_at", "soon", "", "soon was not a valid long."},
		"property that is gone": {"handoff_gone", "1", "", "no such property"},
	} {
		t.Run(name, func(t *testing.T) {
			w := a.visit("POST", dealPath(id), url.Values{"field": {c.property}, "value": {c.value}})
			if c.stored == "" {
				if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Not saved") || !strings.Contains(w.Body.String(), c.problem) {
					t.Errorf("HTTP %d, want 422 with %q:\n%s", w.Code, c.problem, w.Body)
				}
				return
			}
			if want := dealPath(id) + "?saved=" + c.property + "#" + c.property; w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
				t.Fatalf("HTTP %d to %q, want 303 to %q:\n%s", w.Code, w.Header().Get("Location"), want, w.Body)
			}
			if diff := cmp.Diff([]string{c.stored, "5000001"}, a.values(id, c.property, updatedBy)); diff != "" {
				t.Errorf("saved, and by whom (-want +got):\n%s", diff)
			}
			page, _, _ := strings.Cut(w.Header().Get("Location"), "#")
			if body := a.visit("GET", page, nil).Body.String(); !strings.Contains(body, `role="status">Saved: `) {
				t.Error("the page does not say that it was saved")
			}
		})
	}
	r := httptest.NewRequest("POST", dealPath(id), strings.NewReader("field=hs_next_step&value=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if a.h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("an edit from another site: HTTP %d, want 403", w.Code)
	}
	if w := a.visit("POST", dealPath(nowhere), url.Values{"field": {"amount"}, "value": {"1"}}); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Not saved") {
		t.Errorf("an edit of a deal that is gone: HTTP %d, want 404", w.Code)
	}
}

func TestPagePaths(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for path, want := range map[string]int{
		"/" + wonID: http.StatusFound, "/" + annID: http.StatusNotFound, "/" + nowhere: http.StatusNotFound, "/favicon.ico": http.StatusNotFound,
		dealPath(wonID): http.StatusOK, dealPath(openID): http.StatusOK, dealPath(nowhere): http.StatusNotFound, dealPath("x"): http.StatusNotFound,
		"/contacts/48120917/record/0-3/" + wonID: http.StatusOK, "/contacts/1/record/0-3/" + wonID: http.StatusNotFound,
		"/pages/style.css": http.StatusOK, "/pages/theme.css": http.StatusOK, "/pages/icon.svg": http.StatusOK, "/pages/deal.html": http.StatusNotFound,
	} {
		if w := a.visit("GET", path, nil); w.Code != want {
			t.Errorf("GET %s: HTTP %d, want %d", path, w.Code, want)
		}
	}
	if got, want := a.visit("GET", "/"+wonID, nil).Header().Get("Location"), "/contacts/48120917/record/0-3/"+wonID; got != want {
		t.Errorf("/{id} leads to %s, want %s", got, want)
	}
	if got, want := a.call("GET", "/_sandbox/requests", "").Body.String(), `{"total":0,"by_route":{}}`; got != want {
		t.Errorf("the pages count as API calls: %s", got)
	}
}
