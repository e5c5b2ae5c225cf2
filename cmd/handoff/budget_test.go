package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"handoff/crm"
)

// TestBudgets counts in the CRM's own log what whole runs cost, each in a process of its own: a first sync, one without news, one
// after a note was changed, and one after people changed every third deal. HANDOFF_BUDGET_DEALS sets another number of deals;
// `make budgets` tries several, up to 10,000.
func TestBudgets(t *testing.T) { overBoth(t, testBudgets) }

func testBudgets(t *testing.T, connection string) {
	deals := setting(t, "HANDOFF_BUDGET_DEALS", 250)
	l := newLab(t, connection, "--generate", strconv.Itoa(deals), "--seed", "7", "--no-limits")
	l.handoff(0, "setup", "--apply", "--connection", connection)
	quiet, long := map[string]int{"salesforce": 3, "hubspot": 8}[connection], 0
	if connection == "salesforce" {
		long = l.longNotes()
	}
	read := 0 // lines of the log
	spent := func(what string) *spending {
		t.Helper()
		s := newSpending(connection)
		read = l.spend(s, read)
		t.Logf("%s of %d deals: %v", what, deals, s)
		if most := s.fewestWrites() + 1; s.writes > most {
			t.Errorf("%s: %d writes, want %d at most", what, s.writes, most)
		}
		return s
	}
	others := func() { read = l.spend(newSpending(connection), read) } // whose calls are not counted

	others()
	l.run()
	first := spent("first sync")
	if got, most := 100*(first.lists+first.bulk), 115*first.pages()+400*len(first.jobs); got > most {
		t.Errorf("first sync: %d calls that list and %d in bulk, for %d pages and %d objects in bulk", first.lists, first.bulk, first.pages(), len(first.jobs))
	}
	if wrote := first.written[crm.DealObject]; wrote < deals*95/100 {
		t.Errorf("first sync: %d deals are written", wrote)
	}
	for version, n := range first.bodies {
		if n > 1 {
			t.Errorf("first sync: note %s is read %d times", version, n)
		}
	}
	if len(first.bodies) != long {
		t.Errorf("first sync: %d notes are read, want the %d that are longer than a preview", len(first.bodies), long)
	}

	l.run()
	none := spent("our own writes alone")
	for tries := 0; none.reads() > quiet && tries < 10; tries++ { // they are news as long as they are newer than the overlap
		l.run()
		none = spent("no news")
	}
	if none.reads() > quiet || none.writes > 0 {
		t.Errorf("no news: %d calls, want %d, and %d writes, want none", none.reads(), quiet, none.writes)
	}

	l.changeNote()
	others()
	changed := l.run()
	if note := spent("a changed note"); changed.Pulled != 1 || note.reads()+note.writes > quiet+5 {
		t.Errorf("a changed note: %d deals, %d calls, want %d and 5 more at most", changed.Pulled, note.reads()+note.writes, quiet)
	}

	for i, r := range l.crm.records(crm.DealObject) {
		switch {
		case i%3 > 0 || r.values["score"] == "":
		case r.values["item_2_1"] == "2":
			l.crm.edit(r.id, map[string]any{"item_2_1": 0})
		default:
			l.crm.edit(r.id, map[string]any{"item_2_1": 2})
		}
	}
	others()
	l.run()
	if wrote := spent("news of every third deal").written[crm.DealObject]; wrote < deals/4 {
		t.Errorf("news of every third deal: %d are written", wrote)
	}
}

// spending is what the calls to a CRM were for, those for tokens left out.
type spending struct {
	connection string
	lists      int                // calls that are none of the others: descriptions and present values count, too
	bulk       int                // jobs made, pages of their results, jobs deleted
	jobs       map[string]bool    // objects that were read in bulk
	polls      int                // of jobs
	bodies     map[string]int     // calls for the text of a note, by its version
	rows       map[listing]rowIDs // that lists brought
	writes     int                // calls
	written    map[crm.Object]int // records
	took       func(*lab, *entry) // counts a call
}

// listing is what lists are about, and how many rows a call for it brings at most.
type listing struct {
	of   string
	page int
}

type rowIDs = map[string]bool

func newSpending(connection string) *spending {
	s := &spending{connection: connection, jobs: map[string]bool{}, bodies: map[string]int{}, rows: map[listing]rowIDs{}, written: map[crm.Object]int{}}
	s.took = map[string]func(*lab, *entry){"salesforce": s.takeSalesforce, "hubspot": s.takeHubSpot}[connection]
	return s
}

// spend counts the calls of the log from the given line on, and returns how long the log is now.
func (l *lab) spend(s *spending, from int) (length int) {
	l.t.Helper()
	res := l.send(l.t.Context(), "GET", "/_sandbox/log", "", "", "")
	defer res.Body.Close()
	for lines := bufio.NewReader(res.Body); ; length++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return length
		}
		if err != nil {
			l.t.Fatal(err)
		}
		if length < from {
			continue
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			l.t.Fatalf("request log: %v: %.200s", err, line)
		}
		s.took(l, &e)
	}
}

func (s *spending) row(of string, page int, id string) {
	at := listing{of, page}
	if s.rows[at] == nil {
		s.rows[at] = rowIDs{}
	}
	s.rows[at][id] = true
}

// pages is the sum of rows / page size, rounded up, over all that was listed.
func (s *spending) pages() (n int) {
	for of, ids := range s.rows {
		n += (len(ids) + of.page - 1) / of.page
	}
	return n
}

// reads are all calls but writes.
func (s *spending) reads() int {
	n := s.lists + s.bulk + s.polls
	for _, calls := range s.bodies {
		n += calls
	}
	return n
}

// fewestWrites is how many calls carry what was written: 200 records of any kind on Salesforce, 100 of one on HubSpot.
func (s *spending) fewestWrites() int {
	deals, accounts := s.written[crm.DealObject], s.written[crm.AccountObject]
	if s.connection == "salesforce" {
		return (deals + accounts + 199) / 200
	}
	return (deals+99)/100 + (accounts+99)/100
}

func (s *spending) String() string {
	return fmt.Sprintf("%d calls that list %d pages, %d in bulk for %d objects beside %d polls, %d notes, %d writes of %d deals and %d accounts",
		s.lists, s.pages(), s.bulk, len(s.jobs), s.polls, len(s.bodies), s.writes, s.written[crm.DealObject], s.written[crm.AccountObject])
}

var fromObject = regexp.MustCompile(` FROM (\w+)`)

// soqlPage is how many rows a page of SOQL holds at most. Rows with several long texts, as deals are, come 200 a page: they are
// counted as if they did not.
const soqlPage = 2000

type soqlRow struct{ Attributes struct{ Type, URL string } }

func (s *spending) takeSalesforce(l *lab, e *entry) {
	l.t.Helper()
	_, job, bulk := strings.Cut(e.Path, "/jobs/query")
	switch {
	case strings.HasSuffix(e.Path, "/oauth2/token"):
	case strings.HasSuffix(e.Path, "/VersionData"):
		s.bodies[e.Path]++
	case e.Method == "PATCH" && strings.HasSuffix(e.Path, "/composite/sobjects"):
		var sent struct{ Records []soqlRow }
		l.unwrap(e.RequestBody, &sent)
		s.writes++
		for _, r := range sent.Records {
			s.written[map[string]crm.Object{"Opportunity": crm.DealObject, "Account": crm.AccountObject}[r.Attributes.Type]]++
		}
	case bulk && e.Method == "POST":
		var asked struct{ Query string }
		l.unwrap(e.RequestBody, &asked)
		s.bulk++
		s.jobs[fromObject.FindStringSubmatch(asked.Query)[1]] = true
	case bulk && e.Method == "GET" && !strings.HasSuffix(job, "/results"):
		s.polls++
	case bulk:
		s.bulk++
	default:
		s.lists++
		var answer struct {
			Records           []soqlRow
			CompositeResponse []struct{ Body json.RawMessage }
		}
		if !strings.HasSuffix(e.Path, "/composite") && !strings.Contains(e.Path, "/query") {
			return
		}
		l.unwrap(e.ResponseBody, &answer)
		for _, part := range answer.CompositeResponse {
			var list struct{ Records []soqlRow }
			if json.Unmarshal(part.Body, &list) == nil { // else it lists nothing
				answer.Records = append(answer.Records, list.Records...)
			}
		}
		for _, r := range answer.Records {
			s.row(r.Attributes.Type, soqlPage, r.Attributes.URL)
		}
	}
}

// takeHubSpot counts a search as a list of deals or whatever it looks for, which tells ids, 200 of them; a batch read as a list of the
// records, of which 100 come, or 50 with their history; an association as a list of a row for each record that it is read for, of
// which a thousand can be asked about. Everything else, such as the list of owners, comes on a page.
func (s *spending) takeHubSpot(l *lab, e *entry) {
	l.t.Helper()
	var sent struct {
		Inputs                []struct{ ID string }
		PropertiesWithHistory []string
	}
	var answer struct{ Results []struct{ ID string } }
	if object, ok := strings.CutSuffix(e.Path, "/batch/update"); ok {
		l.unwrap(e.RequestBody, &sent)
		s.writes++
		s.written[map[string]crm.Object{"deals": crm.DealObject, "companies": crm.AccountObject}[object[strings.LastIndex(object, "/")+1:]]] += len(sent.Inputs)
		return
	}
	s.lists++
	switch {
	case strings.Contains(e.Path, "/associations/"):
		l.unwrap(e.RequestBody, &sent)
		for _, in := range sent.Inputs {
			s.row(e.Path, 1000, in.ID)
		}
	case strings.HasSuffix(e.Path, "/batch/read"):
		l.unwrap(e.RequestBody, &sent)
		l.unwrap(e.ResponseBody, &answer)
		page := 100
		if len(sent.PropertiesWithHistory) > 0 {
			page = 50
		}
		for _, r := range answer.Results {
			s.row(e.Path, page, r.ID)
		}
	case strings.HasSuffix(e.Path, "/search"):
		l.unwrap(e.ResponseBody, &answer)
		for _, r := range answer.Results {
			s.row(e.Path, 200, r.ID)
		}
	default:
		s.row(e.Path, 1, e.Query)
	}
}

// soql returns all rows that a query finds on Salesforce.
func (l *lab) soql(query string) (rows []map[string]any) {
	l.t.Helper()
	for path := salesforceAPI + "/query?q=" + url.QueryEscape(query); path != ""; {
		var page struct {
			Records        []map[string]any
			NextRecordsURL string
		}
		l.call("GET", path, l.crm.(*salesforceView).token, "", "", &page)
		rows, path = append(rows, page.Records...), page.NextRecordsURL
	}
	return rows
}

const linkedNotes = "SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Opportunity WHERE IsWon = true)"

// longNotes counts the notes of won deals that are longer than their preview.
func (l *lab) longNotes() (n int) {
	l.t.Helper()
	linked := map[any]bool{}
	for _, link := range l.soql(linkedNotes) {
		linked[link["ContentDocumentId"]] = true
	}
	for _, note := range l.soql("SELECT Id, TextPreview FROM ContentNote") {
		if text := note["TextPreview"].(string); linked[note["Id"]] && len([]rune(text)) == 255 {
			n++
		}
	}
	return n
}

// changeNote gives a note of a won deal another text, which is longer than a preview.
func (l *lab) changeNote() {
	l.t.Helper()
	text := "<p>Go-live is on 9 November 2026, agreed with their IT.</p>" + strings.Repeat("<p>All else is as it was.</p>", 20)
	if l.connection == "salesforce" {
		version, err := json.Marshal(map[string]any{"ContentDocumentId": l.soql(linkedNotes + " LIMIT 1")[0]["ContentDocumentId"],
			"Title": "Talk", "PathOnClient": "Talk.snote", "VersionData": base64.StdEncoding.EncodeToString([]byte(text))})
		if err != nil {
			l.t.Fatal(err)
		}
		l.call("POST", salesforceAPI+"/sobjects/ContentVersion", l.crm.(*salesforceView).token, "application/json", string(version), nil)
		return
	}
	var notes struct{ Results []struct{ ID string } }
	l.call("GET", "/crm/objects/2026-09/notes?limit=1", hubspotToken, "", "", &notes)
	l.editRecord("notes", notes.Results[0].ID, map[string]any{"hs_note_body": text})
}
