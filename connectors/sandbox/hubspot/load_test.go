package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"handoff/connectors/sandbox/deals"
	"handoff/crm"
)

// loadDay is when the tests of loading take place: after everything in the demo's deals.
var loadDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func loaded(t testing.TB, cases ...*crm.Snapshot) *Portal {
	t.Helper()
	p, err := New(func() time.Time { return loadDay })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Load(context.Background(), cases); err != nil {
		t.Fatal(err)
	}
	return p
}

// row is a stored record by the names of its properties.
type row map[string]string

func (r row) moment(name string) *time.Time {
	if at, err := time.Parse(momentForm, r[name]); err == nil {
		return &at
	}
	return nil
}

func (r row) number(name string) *float64 {
	if n, err := strconv.ParseFloat(r[name], 64); err == nil {
		return &n
	}
	return nil
}

// rows reads what an SQL statement selects.
func rows(t testing.TB, p *Portal, query string, args ...any) []row {
	t.Helper()
	result, err := p.db.Queryx(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer result.Close()
	var all []row
	for result.Next() {
		values := map[string]any{}
		if err := result.MapScan(values); err != nil {
			t.Fatal(err)
		}
		r := row{}
		for name, v := range values {
			if v != nil {
				r[name] = fmt.Sprint(v)
			}
		}
		all = append(all, r)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// of reads the records of a kind that hang on another record, in the order of their ids.
func of(t testing.TB, p *Portal, from, id, to string) []row {
	t.Helper()
	return rows(t, p, fmt.Sprintf(`SELECT * FROM %s WHERE hs_object_id IN (SELECT to_id FROM association WHERE from_object = ? AND from_id = ? AND to_object = ?)
		ORDER BY hs_object_id`, to), from, id, to)
}

// ownerOf returns the name and the address of an owner; nobody's are empty.
func (p *Portal) ownerOf(id string) (name, email string) {
	i := slices.IndexFunc(p.owners, func(o *owner) bool { return o.ID == id })
	if i < 0 {
		return "", ""
	}
	return strings.TrimSpace(p.owners[i].FirstName + " " + p.owners[i].LastName), p.owners[i].Email
}

// readBack reads every deal as somebody who knows the portal finds it.
func readBack(t testing.TB, p *Portal) map[string]*crm.Snapshot {
	t.Helper()
	byCase := map[string]*crm.Snapshot{}
	for _, d := range rows(t, p, "SELECT * FROM deals") {
		s := &crm.Snapshot{ID: d["case_id"], AsOf: d.moment("case_as_of"), Deal: crm.Deal{
			Name: d["dealname"], Stage: p.stage(d["dealstage"]).Label, Won: d["hs_is_closed_won"] == "true", Amount: d.number("amount"),
			Currency: d["deal_currency_code"], ARR: d.number("hs_arr"), Owner: &crm.User{}, Fields: map[string]string{},
		}}
		s.Deal.Owner.Name, _ = p.ownerOf(d[ownerProperty])
		if at := d.moment("closedate"); at != nil {
			day := crm.NewDate(at.Date())
			s.Deal.CloseDate = &day
		}
		if n := d.number("term_months"); n != nil {
			months := int(*n)
			s.Deal.TermMonths = &months
		}
		if d["csm"] != "" || d["csm_assigned_at"] != "" {
			s.Deal.CSM = &crm.CSM{AssignedAt: d.moment("csm_assigned_at")}
			s.Deal.CSM.Name, s.Deal.CSM.Email = p.ownerOf(d["csm"])
		}
		for _, name := range crm.FieldNames {
			if text := d[textHome(name)]; text != "" {
				s.Deal.Fields[name] = text
			}
		}
		for _, c := range of(t, p, "deals", d[idProperty], "companies") {
			s.Deal.Account = c["name"]
		}
		for _, c := range of(t, p, "deals", d[idProperty], "contacts") {
			contact := crm.Contact{Name: strings.TrimSpace(c["firstname"] + " " + c["lastname"]), Title: c["jobtitle"], Email: c["email"], Phone: c["phone"],
				EmailBounced: c["hs_email_bounce"] == "1"}
			for _, a := range rows(t, p, "SELECT type_id FROM association WHERE from_object = 'deals' AND from_id = ? AND to_object = 'contacts' AND to_id = ? AND category = ?",
				d[idProperty], c[idProperty], byUser) {
				l, _ := p.label("deals", "contacts", func(l label) bool { return l.Category == byUser && strconv.Itoa(l.TypeID) == a["type_id"] })
				contact.Roles = append(contact.Roles, l.Text)
			}
			s.Contacts = append(s.Contacts, contact)
		}
		for _, n := range of(t, p, "deals", d[idProperty], "notes") {
			note := crm.Note{At: n.moment("hs_timestamp"), Body: n["hs_note_body"]}
			note.Author, _ = p.ownerOf(n[ownerProperty])
			if title, body, ok := strings.Cut(strings.TrimPrefix(note.Body, "<p><strong>"), "</strong></p>"); ok && strings.HasPrefix(note.Body, "<p><strong>") {
				note.Title, note.Body = html.UnescapeString(title), body
			}
			note.Body = plain(note.Body)
			s.Notes = append(s.Notes, note)
		}
		for object, a := range map[string]struct {
			kind                  crm.Kind
			subject, body, moment string
		}{
			"emails":   {crm.Email, "hs_email_subject", "hs_email_html", "hs_timestamp"},
			"calls":    {crm.Call, "hs_call_title", "hs_call_body", "hs_timestamp"},
			"meetings": {crm.Meeting, "hs_meeting_title", "hs_meeting_body", "hs_meeting_start_time"},
			"tasks":    {crm.Task, "hs_task_subject", "hs_task_body", "hs_createdate"},
		} {
			for _, e := range of(t, p, "deals", d[idProperty], object) {
				if e["hs_activity_type"] == "Kickoff" {
					s.Deal.KickoffAt = e.moment(a.moment)
					continue
				}
				activity := crm.Activity{Kind: a.kind, At: e.moment(a.moment), Subject: e[a.subject], Body: plain(e[a.body])}
				if a.kind == crm.Email {
					activity.From, activity.To = headers(t, e["hs_email_headers"])
				} else {
					_, activity.From = p.ownerOf(e[ownerProperty])
					for _, c := range of(t, p, object, e[idProperty], "contacts") {
						activity.To = append(activity.To, c["email"])
					}
				}
				s.Activities = append(s.Activities, activity)
			}
		}
		byCase[s.ID] = s
	}
	return byCase
}

func headers(t testing.TB, text string) (from string, to []string) {
	t.Helper()
	var h struct{ From, To any }
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatalf("headers of an e-mail: %v: %s", err, text)
	}
	from, _ = h.From.(map[string]any)["email"].(string)
	for _, a := range h.To.([]any) {
		to = append(to, a.(map[string]any)["email"].(string))
	}
	return from, to
}

// plain takes back what made a plain body HTML; a body with any other markup stays as it is.
func plain(body string) string {
	text := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(body, "<p>"), "</p>"), "<br>", "\n")
	if strings.ContainsAny(text, "<>") {
		return body
	}
	return html.UnescapeString(text)
}

// carried returns a case as HubSpot can carry it and plain shows it.
func carried(s *crm.Snapshot) *crm.Snapshot {
	c := *s
	c.Deal.ID, c.Expected = "", nil
	c.Deal.Owner = &crm.User{Name: s.Deal.Owner.Name}
	c.Deal.Fields = map[string]string{}
	for name, text := range s.Deal.Fields {
		if text != "" {
			c.Deal.Fields[name] = text
		}
	}
	c.Notes = slices.Clone(s.Notes)
	for i := range c.Notes {
		c.Notes[i].Body = plain(c.Notes[i].Body)
	}
	return &c
}

var sameSnapshot = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }), // roles, receivers
	cmpopts.SortSlices(func(a, b crm.Activity) bool {
		return cmp.Or(a.At.Compare(*b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject)) < 0
	}),
	gocmp.Comparer(func(a, b crm.Date) bool { return a == b }),
}

func TestLoadReadsBack(t *testing.T) {
	for name, cases := range map[string][]*crm.Snapshot{"demo": deals.Demo(), "generated": deals.Generate(200, 3, loadDay)} {
		t.Run(name, func(t *testing.T) {
			got := readBack(t, loaded(t, cases...))
			if len(got) != len(cases) {
				t.Errorf("%d dealRecords, want %d", len(got), len(cases))
			}
			for _, s := range cases {
				if diff := gocmp.Diff(carried(s), got[s.ID], sameSnapshot); diff != "" {
					t.Errorf("%s (-case +portal):\n%s", s.ID, diff)
				}
			}
		})
	}
}

// TestLoadSpreads holds the demo's deals against the records where they must be found.
func TestLoadSpreads(t *testing.T) {
	p := loaded(t, deals.Demo()...)
	for query, want := range map[string]int{
		"deals":                                 60,
		"companies":                             60,
		"deals WHERE hs_is_closed_won = 'true'": 57,
		"deals WHERE hs_is_closed = 'false'":    2,
		"deals WHERE dealstage GLOB '*[^0-9]*'": 0,
		"deals WHERE hs_lastmodifieddate > '2026-11-21T12:00:00.000Z'": 0,
		"contacts WHERE hs_email_bounce > 0":                           2,
		"notes":                                                        73,
		"notes WHERE hs_note_body LIKE '<p><strong>%'":                 50,
		"calls": 10,
		"tasks": 3,
		"tasks WHERE hs_timestamp > hs_createdate":    3,
		"meetings WHERE hs_activity_type = 'Kickoff'": 22,
		"meetings WHERE hs_activity_type IS NULL":     5,
		"emails": 21,
		"emails WHERE hs_email_direction = 'INCOMING_EMAIL'":        9,
		"emails WHERE hs_email_text IS NULL AND hs_email_html > ''": 0,
	} {
		if got := len(rows(t, p, "SELECT hs_object_id FROM "+query)); got != want {
			t.Errorf("%s: %d rows, want %d", query, got, want)
		}
	}
	former := 0
	for _, o := range p.owners {
		if o.Archived {
			former++
		}
	}
	if former == 0 || former > len(p.owners)/8 {
		t.Errorf("%d of %d owners have left", former, len(p.owners))
	}
}

func TestLoadNobodysDeal(t *testing.T) {
	p := loaded(t, &crm.Snapshot{ID: "bare", Deal: crm.Deal{ID: "1", Won: true}})
	got := rows(t, p, "SELECT dealname, dealstage, hs_is_closed_won, closedate, createdate, hubspot_owner_id, amount, csm FROM deals")
	want := []row{{"dealstage": strconv.Itoa(firstStage), "hs_is_closed_won": "true", "createdate": "2026-11-21T12:00:00.000Z"}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A label stands once in a pipeline; whoever has it in another sense goes to another pipeline.
func TestLoadStagesThatClash(t *testing.T) {
	deal := func(id, stage string, won bool) *crm.Snapshot {
		return &crm.Snapshot{ID: id, Deal: crm.Deal{ID: id, Stage: stage, Won: won}}
	}
	p := loaded(t, deal("1", "Signed", false), deal("2", "Signed", true), deal("3", "SIGNED", true), deal("4", "VERLOREN", false), deal("5", "Open", false))
	got := map[string]string{}
	for _, d := range rows(t, p, "SELECT * FROM deals") {
		s := p.stage(d["dealstage"])
		if d["pipeline"] != p.pipelineOf(s.ID) {
			t.Errorf("deal %s is in pipeline %s and in a stage of another", d["case_id"], d["pipeline"])
		}
		i := slices.IndexFunc(p.pipelines, func(l *pipeline) bool { return l.ID == d["pipeline"] })
		got[d["case_id"]] = fmt.Sprintf("%s: %s won=%v closed=%v", p.pipelines[i].Label, s.Label, s.Metadata.won(), s.Metadata.closed())
	}
	want := map[string]string{
		"1": "New business, team 3: Signed won=false closed=false", "2": "New business: Signed won=true closed=true",
		"3": "New business, team 2: SIGNED won=true closed=true", "4": "New business: VERLOREN won=false closed=true",
		"5": "New business: Open won=false closed=false",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadTexts(t *testing.T) {
	p := loaded(t, &crm.Snapshot{ID: "texts", Deal: crm.Deal{ID: "1", Stage: "Open", Fields: map[string]string{
		"description": "d", "next_step": "n", "use_case": "u", "our own field!": "o", "amount": "a", "empty": "", "é": "x",
	}}})
	got := rows(t, p, "SELECT description, hs_next_step, use_case, text_our_own_field, amount, text_amount, text_ FROM deals")
	want := []row{{"description": "d", "hs_next_step": "n", "use_case": "u", "text_our_own_field": "o", "text_amount": "a", "text_": "x"}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadNotes(t *testing.T) {
	at := time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC)
	p := loaded(t, &crm.Snapshot{ID: "notes", Deal: crm.Deal{ID: "1"}, Notes: []crm.Note{
		{At: &at, Body: "a < b & c\n<who@x.example>"}, {At: &at, Title: "R&D <call>", Body: "<p>rich&nbsp;<b>text</b></p>"}, {At: &at, Title: "Only that"}, {At: &at},
	}})
	var got []string
	for _, n := range rows(t, p, "SELECT hs_note_body FROM notes ORDER BY hs_object_id") {
		got = append(got, n["hs_note_body"])
	}
	want := []string{"<p>a &lt; b &amp; c<br>&lt;who@x.example&gt;</p>", "<p><strong>R&amp;D &lt;call&gt;</strong></p><p>rich&nbsp;<b>text</b></p>",
		"<p><strong>Only that</strong></p>", ""}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadRoles(t *testing.T) {
	p := loaded(t, &crm.Snapshot{ID: "roles", Deal: crm.Deal{ID: "1"}, Contacts: []crm.Contact{
		{Name: "Ann Lee", Roles: []string{"Champion", "Economic Buyer"}}, {Name: "Bo", Roles: []string{"Champion"}}, {Email: "nobody@x.example"},
	}})
	var got []string
	for _, c := range rows(t, p, "SELECT * FROM contacts ORDER BY hs_object_id") {
		text := c["firstname"] + "/" + c["lastname"] + ":"
		for _, a := range rows(t, p, "SELECT category, type_id FROM association WHERE from_object = 'deals' AND to_object = 'contacts' AND to_id = ? ORDER BY 1, 2", c[idProperty]) {
			l, _ := p.label("deals", "contacts", func(l label) bool { return l.Category == a["category"] && strconv.Itoa(l.TypeID) == a["type_id"] })
			text += " " + l.Category + " " + strconv.Quote(l.Text)
		}
		got = append(got, text)
	}
	want := []string{`Ann/Lee: HUBSPOT_DEFINED "" USER_DEFINED "Champion" USER_DEFINED "Economic Buyer"`, `/Bo: HUBSPOT_DEFINED "" USER_DEFINED "Champion"`, `/: HUBSPOT_DEFINED ""`}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadHistory(t *testing.T) {
	moved, won := time.Date(2026, 8, 3, 9, 0, 0, 0, time.UTC), time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	closed := crm.NewDate(2026, 9, 1)
	p := loaded(t, &crm.Snapshot{ID: "history", Deal: crm.Deal{ID: "1", Stage: "Closed Won", Won: true, CloseDate: &closed, Owner: &crm.User{Name: "Ann Lee"}}, History: []crm.Change{
		{Field: "owner", At: &moved, By: "Kim Sun", From: "Bob Orr", To: "Ann Lee"},
		{Field: "stage", At: &won, By: "Ann Lee", From: "Verbal", To: "Closed Won"},
	}})
	for property, want := range map[string][]string{
		"dealstage":   {"Verbal by Ann Lee", "Closed Won by Ann Lee at 2026-09-01T09:00:00.000Z"},
		ownerProperty: {"Bob Orr by Kim Sun", "Ann Lee by Kim Sun at 2026-08-03T09:00:00.000Z"},
	} {
		var got []string
		for i, h := range rows(t, p, "SELECT value, at, user_id FROM history WHERE object = 'deals' AND property = ? ORDER BY at", property) {
			value, _ := p.ownerOf(h["value"])
			if s := p.stage(h["value"]); s != nil {
				value = s.Label
			}
			by := slices.IndexFunc(p.owners, func(o *owner) bool { return strconv.FormatInt(o.UserIDIncludingInactive, 10) == h["user_id"] })
			text := value + " by " + p.owners[by].FirstName + " " + p.owners[by].LastName
			if i > 0 {
				text += " at " + h["at"]
			}
			got = append(got, text)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", property, diff)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	cases := deals.Generate(1000, 1, loadDay)
	for b.Loop() {
		p, err := New(func() time.Time { return loadDay })
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Load(context.Background(), cases); err != nil {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
