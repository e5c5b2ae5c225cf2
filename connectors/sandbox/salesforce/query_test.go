package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var integration = user{ID: integrationUserID}

// moment reads a moment of 2026 written "11-20 08:30:00".
func moment(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", "2026-"+s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// queryOrg holds a few records around two accounts. Its clock stands at 2026-11-21 12:00.
func queryOrg(t testing.TB) *Org {
	t.Helper()
	o, err := New(func() time.Time { return today })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	err = o.bulkInsert(context.Background(), func(insert insertFunc) error {
		add := func(object string, sys system, values map[string]any) string {
			id, err := insert(object, values, sys)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		on := func(s string) system { return system{CreatedDate: moment(t, s)} }
		eve := add("User", on("01-01 00:00:00"), map[string]any{"FirstName": "Eve", "LastName": "Ames", "Username": "eve@x.example", "Email": "eve@x.example", "IsActive": true})
		acme := add("Account", on("01-02 00:00:00"), map[string]any{"Name": "Acme", "OwnerId": eve, "Industry": "Retail"})
		zeta := add("Account", on("01-03 00:00:00"), map[string]any{"Name": "zeta 100%_x O'Neil", "NumberOfEmployees": 12})
		a := add("Opportunity", on("11-20 08:30:00"), map[string]any{"Name": "A", "AccountId": acme, "StageName": "Closed Won", "Amount": 1500.0, "CloseDate": moment(t, "11-20 00:00:00"), "OwnerId": eve, "Use_Case__c": "calls"})
		b := add("Opportunity", on("11-21 00:00:00"), map[string]any{"Name": "B", "AccountId": acme, "StageName": "Closed Won", "CloseDate": moment(t, "02-03 00:00:00"), "OwnerId": eve})
		add("Opportunity", on("11-21 09:00:00"), map[string]any{"Name": "C", "AccountId": zeta, "StageName": "Prospecting", "Amount": 20.5, "CloseDate": moment(t, "12-31 00:00:00")})
		ana := add("Contact", on("02-01 00:00:00"), map[string]any{"FirstName": "Ana", "LastName": "Ruiz", "Email": "ana@acme.example", "Title": "CFO", "AccountId": acme})
		add("OpportunityContactRole", on("02-02 00:00:00"), map[string]any{"OpportunityId": a, "ContactId": ana, "Role": "Decision Maker", "IsPrimary": true})
		add("Task", on("03-01 00:00:00"), map[string]any{"Subject": "Call A", "WhatId": a, "WhoId": ana, "Status": "Completed", "TaskSubtype": "Call"})
		add("Task", on("03-02 00:00:00"), map[string]any{"Subject": "Mail acme", "WhatId": acme})
		add("Task", on("03-03 00:00:00"), map[string]any{"Subject": "Alone"})
		note := add("ContentNote", on("04-01 00:00:00"), map[string]any{"Title": "Kick-off", "Content": []byte("<p>Hello &amp; welcome</p>")})
		add("ContentDocumentLink", on("04-01 00:00:00"), map[string]any{"ContentDocumentId": note, "LinkedEntityId": b})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// answer returns the rows of an answer, the values of each joined by "|".
func answer(t testing.TB, o *Org, text string, opt queryOptions) []string {
	t.Helper()
	result, apiErr := o.query(context.Background(), integration, text, opt)
	if apiErr != nil {
		t.Fatalf("%s: %v", text, apiErr)
	}
	lines := []string{}
	for _, row := range result.Rows {
		var values []string
		for i := range result.Columns {
			values = append(values, fmt.Sprint(row.Values[i]))
		}
		lines = append(lines, strings.Join(values, "|"))
	}
	return lines
}

func TestQuery(t *testing.T) {
	o := queryOrg(t)
	tests := []struct {
		name, soql string
		want       []string
	}{
		{"all in the order they were made", "SELECT Name FROM Opportunity", []string{"A", "B", "C"}},
		{"types", "SELECT IsWon, Amount, CloseDate, CreatedDate, FiscalQuarter, ExpectedRevenue FROM Opportunity WHERE Name = 'a'",
			[]string{"true|1500|2026-11-20|2026-11-20T08:30:00Z|4|1500"}},
		{"alias", "SELECT o.Name, o.Account.Name FROM Opportunity o WHERE o.Name = 'A'", []string{"A|Acme"}},
		{"object name before field", "SELECT Opportunity.Name FROM Opportunity LIMIT 1", []string{"A"}},
		{"five levels", "SELECT Opportunity.Account.Owner.Manager.Manager.Name FROM OpportunityContactRole", []string{"<nil>"}},
		{"polymorphic", "SELECT Subject, What.Type, What.Name, Who.Name, Who.Email FROM Task ORDER BY Subject",
			[]string{"Alone|<nil>|<nil>|<nil>|<nil>", "Call A|Opportunity|A|Ana Ruiz|ana@acme.example", "Mail acme|Account|Acme|<nil>|<nil>"}},
		{"polymorphic filter", "SELECT Subject FROM Task WHERE What.Type = 'opportunity'", []string{"Call A"}},
		{"polymorphic order", "SELECT Subject FROM Task WHERE What.Name != null ORDER BY What.Name DESC", []string{"Mail acme", "Call A"}},

		{"text ignores case", "SELECT Name FROM Account WHERE Name = 'ACME'", []string{"Acme"}},
		{"escaped quote", `SELECT Name FROM Account WHERE Name = 'zeta 100%_x O\'Neil'`, []string{"zeta 100%_x O'Neil"}},
		{"like", "SELECT Name FROM Account WHERE Name LIKE 'A_m%'", []string{"Acme"}},
		{"like ignores case", "SELECT Name FROM Account WHERE Name LIKE 'ACM%'", []string{"Acme"}},
		{"like escaped", `SELECT Name FROM Account WHERE Name LIKE '%100\%\_x%'`, []string{"zeta 100%_x O'Neil"}},
		{"like escaped matches only itself", `SELECT Name FROM Account WHERE Name LIKE 'A\_me'`, []string{}},
		{"not equal holds for null", "SELECT Name FROM Account WHERE Industry != 'Bank'", []string{"Acme", "zeta 100%_x O'Neil"}},
		{"null", "SELECT Name FROM Account WHERE Industry = null", []string{"zeta 100%_x O'Neil"}},
		{"empty text is null", "SELECT Name FROM Account WHERE Industry = ''", []string{"zeta 100%_x O'Neil"}},
		{"not null", "SELECT Name FROM Account WHERE Industry <> null", []string{"Acme"}},
		{"not holds for null", "SELECT Name FROM Account WHERE NOT Industry LIKE 'R%'", []string{"zeta 100%_x O'Neil"}},
		{"in", "SELECT Name FROM Opportunity WHERE Name IN ('a', 'c', 'x')", []string{"A", "C"}},
		{"in with null", "SELECT Name FROM Opportunity WHERE Amount IN (1500, null)", []string{"A", "B"}},
		{"not in holds for null", "SELECT Name FROM Opportunity WHERE Amount NOT IN (1500)", []string{"B", "C"}},
		{"number", "SELECT Name FROM Opportunity WHERE Amount >= 20.5 AND Amount < 1500", []string{"C"}},
		{"boolean", "SELECT Name FROM Opportunity WHERE IsWon = TRUE AND (Amount > 1 OR Name = 'B')", []string{"A", "B"}},
		{"parent", "SELECT Name FROM Opportunity WHERE Account.Owner.Name = 'Eve Ames'", []string{"A", "B"}},
		{"id of 15", "SELECT Name FROM Opportunity WHERE Id = '" + newID("006", 2)[:15] + "'", []string{"B"}},
		{"id order", "SELECT Name FROM Opportunity WHERE Id > '" + newID("006", 1) + "' ORDER BY Id DESC", []string{"C", "B"}},
		{"semi-join", "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)", []string{"Acme"}},
		{"notes linked since", "SELECT ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId IN (SELECT Id FROM Opportunity) AND ContentDocument.FileType = 'SNOTE' AND " +
			"(SystemModstamp > 2026-04-01T00:00:00Z OR (SystemModstamp = 2026-04-01T00:00:00Z AND Id > '06A000000000000')) ORDER BY SystemModstamp, Id LIMIT 5", []string{"Kick-off"}},
		{"anti-join", "SELECT Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)", []string{"zeta 100%_x O'Neil"}},

		{"date", "SELECT Name FROM Opportunity WHERE CloseDate > 2026-02-03 AND CloseDate <= 2026-11-20", []string{"A"}},
		{"datetime with offset", "SELECT Name FROM Opportunity WHERE CreatedDate = 2026-11-20T09:30:00+01:00", []string{"A"}},
		{"datetime with fraction", "SELECT Name FROM Opportunity WHERE CreatedDate > 2026-11-20T08:29:59.999Z AND CreatedDate < 2026-11-20T08:30:00.001Z", []string{"A"}},
		{"keyset", "SELECT Name FROM Opportunity WHERE SystemModstamp > 2026-11-20T08:30:00Z OR (SystemModstamp = 2026-11-20T08:30:00Z AND Id > '" + newID("006", 1) + "')", []string{"B", "C"}},
		{"today", "SELECT Name FROM Opportunity WHERE CreatedDate = TODAY", []string{"B", "C"}},
		{"yesterday", "SELECT Name FROM Opportunity WHERE CreatedDate = YESTERDAY", []string{"A"}},
		{"before today", "SELECT Name FROM Opportunity WHERE CloseDate < TODAY", []string{"A", "B"}},
		{"last n days", "SELECT Name FROM Opportunity WHERE CloseDate = LAST_N_DAYS:1", []string{"A"}},
		{"this month", "SELECT Name FROM Opportunity WHERE CloseDate = THIS_MONTH", []string{"A"}},
		{"next month", "SELECT Name FROM Opportunity WHERE CloseDate = NEXT_MONTH", []string{"C"}},
		{"n months ago", "SELECT Name FROM Opportunity WHERE CloseDate = N_MONTHS_AGO:9", []string{"B"}},
		{"this fiscal year", "SELECT Name FROM Opportunity WHERE CloseDate = THIS_FISCAL_YEAR", []string{"A", "B", "C"}},
		{"not this quarter", "SELECT Name FROM Opportunity WHERE CloseDate != THIS_QUARTER", []string{"B"}},
		{"date function", "SELECT Name FROM Opportunity WHERE CALENDAR_MONTH(CloseDate) = 2", []string{"B"}},

		{"nulls first", "SELECT Name FROM Opportunity ORDER BY Amount", []string{"B", "C", "A"}},
		{"nulls first descending", "SELECT Name FROM Opportunity ORDER BY Amount DESC", []string{"B", "A", "C"}},
		{"nulls last", "SELECT Name FROM Opportunity ORDER BY Amount NULLS LAST", []string{"C", "A", "B"}},
		{"limit and offset", "SELECT Name FROM Opportunity ORDER BY Name LIMIT 1 OFFSET 1", []string{"B"}},
		{"offset alone", "SELECT Name FROM Opportunity ORDER BY Name OFFSET 2", []string{"C"}},

		{"groups", "SELECT StageName, COUNT(Id), SUM(Amount) total FROM Opportunity GROUP BY StageName ORDER BY COUNT(Id) DESC", []string{"Closed Won|2|1500", "Prospecting|1|20.5"}},
		{"groups of a parent", "SELECT Account.Name, MAX(CloseDate) FROM Opportunity GROUP BY Account.Name ORDER BY Account.Name", []string{"Acme|2026-11-20", "zeta 100%_x O'Neil|2026-12-31"}},
		{"having", "SELECT AccountId FROM Opportunity GROUP BY AccountId HAVING COUNT(Id) > 1 AND MIN(CloseDate) < 2026-03-01", []string{newID("001", 1)}},
		{"one group", "SELECT COUNT(Amount), COUNT_DISTINCT(StageName), AVG(Amount) FROM Opportunity", []string{"2|2|760.25"}},
		{"groups by year", "SELECT CALENDAR_YEAR(CreatedDate) y, COUNT(Id) FROM Task GROUP BY CALENDAR_YEAR(CreatedDate)", []string{"2026|3"}},

		{"note", "SELECT Title, TextPreview, FileType, ContentSize FROM ContentNote", []string{"Kick-off|Hello & welcome|SNOTE|26"}},
		{"note of a record", "SELECT ContentDocument.Title, LinkedEntity.Name FROM ContentDocumentLink WHERE LinkedEntityId = '" + newID("006", 2) + "' AND ContentDocument.FileType = 'SNOTE'", []string{"Kick-off|B"}},
		{"custom relationship", "SELECT CSM__r.Name FROM Opportunity WHERE Name = 'A'", []string{"<nil>"}},
		{"whole object", "SELECT FIELDS(CUSTOM) FROM Account LIMIT 1", []string{"<nil>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, answer(t, o, tt.soql, queryOptions{Version: "62.0"})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.soql, diff)
			}
		})
	}
}

func TestQueryErrors(t *testing.T) {
	o := queryOrg(t)
	tests := []struct{ name, soql, code, message string }{
		{"malformed", "SELECT Id, FROM Opportunity", "MALFORMED_QUERY", "\nSELECT Id, FROM Opportunity\n           ^\nERROR at Row:1:Column:12\nunexpected token: 'FROM'"},
		{"object", "SELECT Id FROM Bogus__c", "INVALID_TYPE", "sObject type 'Bogus__c' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name."},
		{"field", "SELECT Bogus__c FROM Opportunity", "INVALID_FIELD", "\nSELECT Bogus__c FROM Opportunity\n       ^\nERROR at Row:1:Column:8\nNo such column 'Bogus__c' on entity 'Opportunity'. If you are attempting to use a custom field, be sure to append the '__c'"},
		{"field of a parent", "SELECT Account.Bogus FROM Opportunity", "INVALID_FIELD", "No such column 'Bogus' on entity 'Account'"},
		{"field of a polymorphic parent", "SELECT What.Amount FROM Task", "INVALID_FIELD", "No such column 'Amount' on entity 'Name'"},
		{"relationship", "SELECT Nope.Name FROM Opportunity", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."},
		{"child relationship", "SELECT (SELECT Id FROM Nopes) FROM Opportunity", "INVALID_TYPE", "Didn't understand relationship 'Nopes' in FROM part of query call."},
		{"six levels", "SELECT Opportunity.Account.Owner.Manager.Manager.Manager.Name FROM OpportunityContactRole", "MALFORMED_QUERY", "at most 5 levels"},
		{"twice", "SELECT Name, name FROM Opportunity", "MALFORMED_QUERY", "duplicate field selected: Name"},
		{"alias of a field", "SELECT Name n FROM Opportunity", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"},
		{"filter on long text", "SELECT Id FROM Opportunity WHERE Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"},
		{"sort by long text", "SELECT Id FROM Opportunity ORDER BY Use_Case__c", "MALFORMED_QUERY", "field 'Use_Case__c' can not be sorted in a query call"},
		{"group by a moment", "SELECT CreatedDate FROM Opportunity GROUP BY CreatedDate", "MALFORMED_QUERY", "field 'CreatedDate' can not be grouped in a query call"},
		{"quoted date", "SELECT Id FROM Opportunity WHERE CloseDate = '2026-01-01'", "INVALID_FIELD", "value of filter criterion for field 'CloseDate' must be of type date and should not be enclosed in quotes"},
		{"date for a moment", "SELECT Id FROM Opportunity WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"},
		{"quoted boolean", "SELECT Id FROM Opportunity WHERE IsWon = 'true'", "INVALID_FIELD", "must be of type boolean"},
		{"bare text", "SELECT Id FROM Opportunity WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"},
		{"bad id", "SELECT Id FROM Opportunity WHERE AccountId = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"},
		{"like on an id", "SELECT Id FROM Opportunity WHERE Id LIKE '006%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"},
		{"ungrouped", "SELECT Name, COUNT(Id) FROM Opportunity", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"},
		{"aggregate in where", "SELECT Name FROM Opportunity WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "Invalid Aggregate Function: COUNT"},
		{"count in where", "SELECT Name FROM Opportunity WHERE COUNT() > 1", "MALFORMED_QUERY", "unexpected token: 'COUNT'"},
		{"sum of text", "SELECT SUM(Name) FROM Opportunity", "MALFORMED_QUERY", "does not support aggregate operator SUM"},
		{"one alias twice", "SELECT MIN(Amount) a, MAX(Amount) A FROM Opportunity", "MALFORMED_QUERY", "duplicate alias: A"},
		{"offset", "SELECT Id FROM Opportunity OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"},
		{"fields without limit", "SELECT FIELDS(ALL) FROM Opportunity", "MALFORMED_QUERY", "must have a LIMIT of at most 200"},
		{"links without a filter", "SELECT Id FROM ContentDocumentLink LIMIT 5", "MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter"},
		{"links or", "SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = null OR ShareType = 'V'", "MALFORMED_QUERY", "Implementation restriction"},
		{"documents of links", "SELECT Id FROM ContentDocumentLink WHERE ContentDocument.FileType = 'SNOTE'", "MALFORMED_QUERY", "Implementation restriction"},
		{"semi-join or", "SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Opportunity)", "MALFORMED_QUERY", "not allowed with the 'OR' operator"},
		{"semi-join in parentheses", "SELECT Id FROM Account WHERE Name = 'a' AND (NOT Id IN (SELECT AccountId FROM Opportunity))", "MALFORMED_QUERY", "only allowed at the top level"},
		{"semi-join in a semi-join", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE Id IN (SELECT OpportunityId FROM OpportunityHistory))", "MALFORMED_QUERY", "Nesting"},
		{"three semi-joins", "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity) AND Id IN (SELECT AccountId FROM Contact) AND Id IN (SELECT AccountId FROM Opportunity)", "MALFORMED_QUERY", "Maximum 2"},
		{"semi-join on text", "SELECT Id FROM Account WHERE Name IN (SELECT Name FROM Opportunity)", "MALFORMED_QUERY", "should be on fields of type ID or reference"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, err := o.query(context.Background(), integration, tt.soql, queryOptions{Version: "62.0"})
			if err == nil {
				t.Fatalf("answered with %d rows", len(result.Rows))
			}
			if err.Status != 400 || err.Code != tt.code || !strings.Contains(err.Message, tt.message) {
				t.Errorf("got %d %s %q, want 400 %s with %q", err.Status, err.Code, err.Message, tt.code, tt.message)
			}
		})
	}
}

func TestQueryJSON(t *testing.T) {
	o := queryOrg(t)
	tests := []struct{ name, soql, want string }{
		{"record", "SELECT Id, Amount, IsWon, CreatedDate, NextStep, Account.Name, Owner.Name, Account.Owner.Email FROM Opportunity WHERE Name = 'A'", `{"totalSize":1,"done":true,"records":[{
			"attributes":{"type":"Opportunity","url":"/services/data/v62.0/sobjects/Opportunity/0065e0000000001AAA"},
			"Id":"0065e0000000001AAA","Amount":1500.0,"IsWon":true,"CreatedDate":"2026-11-20T08:30:00.000+0000","NextStep":null,
			"Account":{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/0015e0000000001AAA"},"Name":"Acme",
				"Owner":{"attributes":{"type":"User","url":"/services/data/v62.0/sobjects/User/0055e0000000003AAA"},"Email":"eve@x.example"}},
			"Owner":{"attributes":{"type":"User","url":"/services/data/v62.0/sobjects/User/0055e0000000003AAA"},"Name":"Eve Ames"}}]}`},
		{"children", "SELECT Name, (SELECT Role, Contact.Title FROM OpportunityContactRoles) FROM Opportunity WHERE Name < 'C'", `{"totalSize":2,"done":true,"records":[
			{"attributes":{"type":"Opportunity","url":"/services/data/v62.0/sobjects/Opportunity/0065e0000000001AAA"},"Name":"A",
				"OpportunityContactRoles":{"totalSize":1,"done":true,"records":[
					{"attributes":{"type":"OpportunityContactRole","url":"/services/data/v62.0/sobjects/OpportunityContactRole/00K5e0000000001EAA"},"Role":"Decision Maker",
						"Contact":{"attributes":{"type":"Contact","url":"/services/data/v62.0/sobjects/Contact/0035e0000000001AAA"},"Title":"CFO"}}]}},
			{"attributes":{"type":"Opportunity","url":"/services/data/v62.0/sobjects/Opportunity/0065e0000000002AAA"},"Name":"B","OpportunityContactRoles":null}]}`},
		{"no parent", "SELECT Subject, What.Name FROM Task WHERE WhatId = null", `{"totalSize":1,"done":true,"records":[
			{"attributes":{"type":"Task","url":"/services/data/v62.0/sobjects/Task/00T5e0000000003EAA"},"Subject":"Alone","What":null}]}`},
		{"polymorphic parent", "SELECT What.Name FROM Task WHERE Subject = 'Call A'", `{"totalSize":1,"done":true,"records":[
			{"attributes":{"type":"Task","url":"/services/data/v62.0/sobjects/Task/00T5e0000000001EAA"},
				"What":{"attributes":{"type":"Opportunity","url":"/services/data/v62.0/sobjects/Opportunity/0065e0000000001AAA"},"Name":"A"}}]}`},
		{"groups", "SELECT StageName, COUNT(Id), MAX(Amount) m FROM Opportunity GROUP BY StageName HAVING COUNT(Id) = 2", `{"totalSize":1,"done":true,"records":[
			{"attributes":{"type":"AggregateResult"},"StageName":"Closed Won","expr0":2,"m":1500.0}]}`},
		{"count", "SELECT COUNT() FROM Opportunity LIMIT 2", `{"totalSize":2,"done":true,"records":[]}`},
		{"bytes", "SELECT Content FROM ContentNote", `{"totalSize":1,"done":true,"records":[
			{"attributes":{"type":"ContentNote","url":"/services/data/v62.0/sobjects/ContentNote/0695e0000000001AAA"},
				"Content":"/services/data/v62.0/sobjects/ContentNote/0695e0000000001AAA/Content"}]}`},
		{"nothing", "SELECT Id FROM Event", `{"totalSize":0,"done":true,"records":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, apiErr := o.query(context.Background(), integration, tt.soql, queryOptions{Version: "62.0"})
			if apiErr != nil {
				t.Fatal(apiErr)
			}
			got, err := jsonv2.Marshal(result)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("\n", "", "\t", "").Replace(tt.want)
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestQueryAll(t *testing.T) {
	o := queryOrg(t)
	if _, err := o.deleteRecords(context.Background(), integration, []row{{ID: newID("006", 1)}}, false); err != nil {
		t.Fatal(err)
	}
	const soql = "SELECT Name, IsDeleted FROM Opportunity"
	if diff := cmp.Diff([]string{"B|false", "C|false"}, answer(t, o, soql, queryOptions{})); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"A|true", "B|false", "C|false"}, answer(t, o, soql, queryOptions{All: true})); diff != "" {
		t.Errorf("queryAll (-want +got):\n%s", diff)
	}
}

// readPages reads all pages of an answer: how many rows each has, and how many rows their child lists hold together.
func readPages(t *testing.T, o *Org, first *queryResult) (sizes []int, children int) {
	t.Helper()
	for page := first; ; {
		sizes = append(sizes, len(page.Rows))
		for _, row := range page.Rows {
			for _, list := range row.children {
				if list == nil {
					continue
				}
				children += len(list.Rows)
				if list.Next != "" {
					more, apiErr := o.queryMore(context.Background(), integration, list.Next, queryOptions{})
					if apiErr != nil {
						t.Fatal(apiErr)
					}
					moreSizes, _ := readPages(t, o, more)
					for _, n := range moreSizes {
						children += n
					}
				}
			}
		}
		if page.Done != (page.Next == "") {
			t.Fatalf("done is %v with locator %q", page.Done, page.Next)
		}
		if page.Done {
			return sizes, children
		}
		var apiErr *apiError
		if page, apiErr = o.queryMore(context.Background(), integration, page.Next, queryOptions{}); apiErr != nil {
			t.Fatal(apiErr)
		}
	}
}

func TestPaging(t *testing.T) {
	o := queryOrg(t)
	account := newID("001", 1)
	err := o.bulkInsert(context.Background(), func(insert insertFunc) error {
		for i := range 300 {
			contact, err := insert("Contact", map[string]any{"LastName": fmt.Sprint("L", i), "AccountId": account}, system{})
			if err != nil {
				return err
			}
			for range 3 {
				if _, err := insert("Task", map[string]any{"Subject": "t", "WhoId": contact}, system{}); err != nil {
					return err
				}
			}
		}
		for range 250 {
			if _, err := insert("Opportunity", map[string]any{"Name": "n", "StageName": "Prospecting", "AccountId": account}, system{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, soql string
		batch      int
		sizes      []int
		children   int
	}{
		{"one page", "SELECT Id FROM Contact", 0, []int{301}, 0},
		{"pages", "SELECT Id FROM Contact", 200, []int{200, 101}, 0},
		{"limit", "SELECT Id FROM Contact LIMIT 200", 200, []int{200}, 0},
		{"child rows count", "SELECT Id, (SELECT Id FROM Tasks) FROM Contact ORDER BY Id DESC", 200, []int{50, 50, 50, 50, 50, 50, 1}, 901},
		{"child lists page on their own", "SELECT Id, (SELECT Id FROM Contacts) FROM Account", 200, []int{1, 1}, 301},
		{"children of each parent are limited", "SELECT Id, (SELECT Id FROM Tasks LIMIT 1) FROM Contact", 400, []int{200, 101}, 301},
		{"two custom long texts make small pages", "SELECT Use_Case__c, Champion__c FROM Opportunity", 0, []int{200, 53}, 0},
		{"one does not", "SELECT Use_Case__c, Description FROM Opportunity", 0, []int{253}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first, apiErr := o.query(context.Background(), integration, tt.soql, queryOptions{BatchSize: tt.batch})
			if apiErr != nil {
				t.Fatal(apiErr)
			}
			sizes, children := readPages(t, o, first)
			if diff := cmp.Diff(tt.sizes, sizes); diff != "" || children != tt.children {
				t.Errorf("%d child rows, want %d; pages (-want +got):\n%s", children, tt.children, diff)
			}
		})
	}
}

func TestQueryMoreRefused(t *testing.T) {
	o := queryOrg(t)
	c := &cursor{userID: integrationUserID, ids: []string{newID("006", 1)}, selection: &selection{object: o.object("Opportunity")}}
	id := o.cursors.put(c, today)
	expired := &cursor{userID: integrationUserID, ids: []string{newID("006", 1)}}
	expiredID := o.cursors.put(expired, today.Add(-49*time.Hour))
	for name, locator := range map[string]string{
		"unknown": newID("01g", 99) + "-200", "no offset": id, "outside": id + "-2", "negative": id + "--1", "expired": expiredID + "-0",
	} {
		if _, err := o.queryMore(context.Background(), integration, locator, queryOptions{}); err == nil || err.Code != "INVALID_QUERY_LOCATOR" {
			t.Errorf("%s: %v, want INVALID_QUERY_LOCATOR", name, err)
		}
	}
	if _, err := o.queryMore(context.Background(), user{ID: adminUserID}, id+"-0", queryOptions{}); err == nil || err.Code != "INVALID_QUERY_LOCATOR" {
		t.Errorf("another user: %v, want INVALID_QUERY_LOCATOR", err)
	}
}

// Whatever parses is answered or refused in Salesforce's words, never with an internal error.
func FuzzQuery(f *testing.F) {
	for _, text := range []string{
		"SELECT Id, Account.Owner.Name, (SELECT Id FROM Tasks WHERE What.Name LIKE 'x%' ORDER BY Who.Name LIMIT 2) FROM Opportunity o WHERE (IsWon = true OR NOT Amount > 5) AND Id NOT IN ('006000000000001') ORDER BY Account.Name DESC NULLS LAST LIMIT 10 OFFSET 1",
		"SELECT StageName, COUNT(Id), SUM(Amount) s FROM Opportunity WHERE CloseDate = LAST_N_QUARTERS:2 GROUP BY StageName HAVING MAX(CreatedDate) > 2026-01-01T00:00:00Z ORDER BY COUNT(Id)",
		"SELECT COUNT() FROM Task WHERE WhoId IN (SELECT Id FROM Contact WHERE DAY_ONLY(CreatedDate) = TODAY)",
		"SELECT FIELDS(ALL) FROM ContentVersion LIMIT 3", "SELECT toLabel(StageName) FROM Opportunity",
		"SELECT Id FROM ContentDocumentLink WHERE COUNT() = 1", "SELECT Id FROM ContentNote ORDER BY Content",
	} {
		f.Add(text)
	}
	o := queryOrg(f)
	f.Fuzz(func(t *testing.T, text string) {
		result, err := o.query(context.Background(), integration, text, queryOptions{Version: "62.0"})
		if err != nil {
			if err.Status != 400 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		b, jsonErr := jsonv2.Marshal(result)
		if jsonErr != nil || !json.Valid(b) {
			t.Fatalf("%q: %v: %s", text, jsonErr, b)
		}
	})
}
