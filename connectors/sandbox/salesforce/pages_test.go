package salesforce

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// visit answers a request for a page as a browser on the same site sends it.
func visit(t *testing.T, o *Org, method, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, r)
	return w
}

func addFields(t *testing.T, o *Org, fields ...Field) {
	t.Helper()
	for _, f := range fields {
		if err := o.addField(context.Background(), "Opportunity", f); err != nil {
			t.Fatal(err)
		}
	}
}

var handoffFields = []Field{
	{Name: "Handoff_Score__c", Label: "Handoff Score", Type: TypeDouble, Precision: 3, Guarded: true},
	{Name: "Handoff_Deal_Context__c", Label: "Handoff Deal Context", Type: TypeDouble, Precision: 3, Guarded: true},
	{Name: "Handoff_Item_1_1__c", Label: "1.1 Use case", Help: "What problem, and why this product", Type: TypeDouble, Precision: 3, Guarded: true},
	{Name: "Handoff_Rating__c", Label: "Handoff Rating", Type: TypePicklist, Values: []string{"Excellent", "Incomplete"}, Restricted: true, Guarded: true},
	{Name: "Handoff_Ghost__c", Label: "Ghost Handoff", Type: TypeBoolean, Default: false, Guarded: true},
	{Name: "Handoff_Next_Action__c", Label: "Handoff Next Action", Type: TypeString, Length: 255, Guarded: true},
	{Name: "Handoff_Scored_At__c", Label: "Handoff Scored At", Type: TypeDateTime, Guarded: true},
	{Name: "Handoff_Gaps__c", Label: "Handoff Gaps", Type: TypeTextArea, Length: 32768, Guarded: true},
}

func opportunityID(t *testing.T, o *Org, caseID string) string {
	t.Helper()
	return records(t, o, "SELECT Id FROM Opportunity WHERE Case_Id__c = '"+caseID+"'")[0].text("Id")
}

func TestDealsPage(t *testing.T) {
	o := loaded(t, deals.Demo()...)
	for name, c := range map[string]struct {
		path       string
		want, lack []string
	}{
		"first page":        {"/", []string{"57 deals", "Halberd Credit - Collections AI", "1–50 of 57", "?from=50"}, []string{"Handoff</th>"}},
		"second page":       {"/?from=50", []string{"51–57 of 57", `href="/"`}, []string{"?from=100"}},
		"by account":        {"/?q=spedition+brandl", []string{"1 deal", "Brandl Zeitfenster 2026"}, []string{"Loopline"}},
		"by owner":          {"/?q=dana+ruiz", []string{"Loopline Software - Forecasting 31 seats"}, nil},
		"no wildcards":      {"/?q=%25", []string{"0 deals", "No won opportunity matches."}, nil},
		"markup is escaped": {"/?q=%3Cscript%3E", []string{"&lt;script&gt;"}, []string{"<script>"}},
		"page out of range": {"/?from=-5", []string{"1–50 of 57"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := visit(t, o, "GET", c.path, nil)
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
	o := loaded(t, deals.Demo()...)
	path := dealPath(opportunityID(t, o, "dev-001"))
	if body := visit(t, o, "GET", path, nil).Body.String(); strings.Contains(body, "Scorecard") || strings.Contains(body, "Handoff_") {
		t.Error("a scorecard is shown before its fields exist")
	}
	addFields(t, o, handoffFields...)
	if body := visit(t, o, "GET", path, nil).Body.String(); !strings.Contains(body, "Not scored yet") {
		t.Error("a card without a score does not say so")
	}
	o.db.MustExec("UPDATE Opportunity SET Handoff_Score__c = 31, Handoff_Deal_Context__c = 1, Handoff_Item_1_1__c = 1, Handoff_Rating__c = 'Excellent', Handoff_Ghost__c = 1")
	body := visit(t, o, "GET", path, nil).Body.String()
	for _, s := range []string{"<b>31</b>", `<span class="badge good">Excellent</span>`, `<span class="badge bad">Ghost</span>`, "Deal Context <span>1 / 2</span>",
		"1.1 Use case", "What problem, and why this product", "Marcus Whitfield", "Fenn &amp; Moss", "Automated Process", "Kickoff", "Negotiation/Review → Closed Won"} {
		if !strings.Contains(body, s) {
			t.Errorf("no %q on the page", s)
		}
	}
	if list := visit(t, o, "GET", "/", nil).Body.String(); !strings.Contains(list, "<b>31</b>") || !strings.Contains(list, "Ghost") {
		t.Error("the list does not show the score")
	}
}

// A reader must find each field that can be edited, once.
func TestDealPageOffersEachFieldOnce(t *testing.T) {
	o := loaded(t, deals.Demo()[0])
	addFields(t, o, append(handoffFields, Field{Name: "Handoff_Unheard_Of__c", Type: TypeString, Length: 20}, Field{Name: "Our_Own__c", Type: TypeString, Length: 20})...)
	body := visit(t, o, "GET", dealPath(opportunityID(t, o, "dev-001")), nil).Body.String()
	for _, f := range o.object("Opportunity").Fields {
		want := 0
		if f.Custom() && f.Name != "CSM__c" && !strings.HasPrefix(f.Name, "Case_") || f.Name == "NextStep" || f.Name == "StageName" || f.Name == "Amount" {
			want = 1
		}
		if got := strings.Count(body, `name="field" value="`+f.Name+`"`); got != want && (want == 1 || got > 1) {
			t.Errorf("%s can be edited in %d places, want %d", f.Name, got, want)
		}
	}
}

func TestDealPageIsSafe(t *testing.T) {
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	const evil = `<script>alert(1)</script>`
	o := loaded(t, &crm.Snapshot{ID: "evil", Deal: crm.Deal{ID: "1", Name: evil, Account: evil, Stage: evil, Won: true, Owner: &crm.User{Name: evil},
		Fields: map[string]string{"use_case": evil, "description": evil}},
		Contacts:   []crm.Contact{{Name: evil, Title: evil, Email: evil, Phone: evil, Roles: []string{evil}}},
		Notes:      []crm.Note{{At: &at, Author: evil, Title: evil, Body: "<p>a<b>b</b>" + evil + `<img src=x onerror=alert(1)><a href="http://x.example">c</a></p>`}, {At: &at, Body: evil}, {At: &at, Body: evil}},
		Activities: []crm.Activity{{Kind: crm.Email, At: &at, Subject: evil, Body: evil, From: evil, To: []string{evil}}, {Kind: crm.Meeting, At: &at, Subject: evil, Body: evil}},
	})
	w := visit(t, o, "GET", dealPath(opportunityID(t, o, "evil")), nil)
	body := w.Body.String()
	for _, s := range []string{"<script", "onerror", "<img", "x.example"} {
		if strings.Contains(body, s) {
			t.Errorf("%s on the page", s)
		}
	}
	if !strings.Contains(body, "<p>a<b>b</b>c</p>") {
		t.Error("a rich note lost its layout")
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") {
		t.Errorf("Content-Security-Policy %q", got)
	}
}

func TestEditDeal(t *testing.T) {
	o := loaded(t, deals.Demo()...)
	addFields(t, o, handoffFields...)
	id := opportunityID(t, o, "dev-001")
	for name, c := range map[string]struct {
		field, value string
		stored       any // nil: refused
		problem      string
	}{
		"number":             {"Handoff_Item_1_1__c", "2", 2.0, ""},
		"picklist":           {"Handoff_Rating__c", "Incomplete", "Incomplete", ""},
		"checkbox":           {"Handoff_Ghost__c", "true", int64(1), ""},
		"moment":             {"Handoff_Scored_At__c", "2026-11-20T08:30", "2026-11-20T08:30:00", ""},
		"lines":              {"Handoff_Gaps__c", "a\r\nb", "a\nb", ""},
		"standard field":     {"NextStep", "Call <Ann>", "Call <Ann>", ""},
		"stage":              {"StageName", "Closed Lost", "Closed Lost", ""},
		"too long":           {"Handoff_Next_Action__c", strings.Repeat("x", 300), nil, "too large"},
		"not in the list":    {"Handoff_Rating__c", "Splendid", nil, "restricted picklist"},
		"required":           {"StageName", "", nil, "Stage"},
		"set by the system":  {"IsWon", "true", nil, ""},
		"no number":          {"Handoff_Score__c", "many", nil, ""},
		"field that is gone": {"Handoff_Gone__c", "1", nil, "no such field"},
	} {
		t.Run(name, func(t *testing.T) {
			w := visit(t, o, "POST", dealPath(id), url.Values{"field": {c.field}, "value": {c.value}})
			if c.stored == nil {
				if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Not saved") || !strings.Contains(w.Body.String(), c.problem) {
					t.Errorf("HTTP %d, want 422 with %q:\n%s", w.Code, c.problem, w.Body)
				}
				return
			}
			if want := dealPath(id) + "?saved=" + c.field + "#" + c.field; w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
				t.Fatalf("HTTP %d to %q, want 303 to %q:\n%s", w.Code, w.Header().Get("Location"), want, w.Body)
			}
			got := struct {
				Value any    `db:"value"`
				By    string `db:"by"`
			}{}
			err := o.db.Get(&got, "SELECT o."+c.field+" AS value, u.Name AS by FROM Opportunity o JOIN User u ON u.Id = o.LastModifiedById WHERE o.Id = ?", id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(c.stored, got.Value); diff != "" || got.By != "Casey CSM" {
				t.Errorf("saved by %s (-want +got):\n%s", got.By, diff)
			}
			page, _, _ := strings.Cut(w.Header().Get("Location"), "#")
			if body := visit(t, o, "GET", page, nil).Body.String(); !strings.Contains(body, `role="status">Saved: `) {
				t.Error("the page does not say that it was saved")
			}
		})
	}
	r := httptest.NewRequest("POST", dealPath(id), strings.NewReader("field=NextStep&value=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if o.Handler().ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("an edit from another site: HTTP %d, want 403", w.Code)
	}
}

func TestPagePaths(t *testing.T) {
	o := loaded(t, deals.Demo()[0])
	id := opportunityID(t, o, "dev-001")
	for path, want := range map[string]int{
		"/" + id: http.StatusFound, "/" + id[:15]: http.StatusFound, "/" + integrationUserID: http.StatusNotFound, "/favicon.ico": http.StatusNotFound,
		dealPath(id): http.StatusOK, dealPath("0065e0000099999AAA"): http.StatusNotFound, "/pages/style.css": http.StatusOK, "/pages/icon.svg": http.StatusOK, "/pages/deal.html": http.StatusNotFound,
	} {
		if w := visit(t, o, "GET", path, nil); w.Code != want {
			t.Errorf("GET %s: HTTP %d, want %d", path, w.Code, want)
		}
	}
	if calls := o.calls.used(o.now()); calls != 0 {
		t.Errorf("the pages count as %d API calls", calls)
	}
}
