package salesforce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// job creates a job and returns its id.
func (a *api) job(kind, request string) string {
	a.t.Helper()
	var j jobInfo
	a.into(&j, "POST", "jobs/"+kind, request)
	return j.ID
}

// query creates a query job and waits for its end.
func (a *api) queryJob(operation, soql string) string {
	a.t.Helper()
	request, err := json.Marshal(jobRequest{Operation: operation, Query: soql})
	if err != nil {
		a.t.Fatal(err)
	}
	id := a.job("query", string(request))
	a.org.bulk.work.Wait()
	return id
}

// ingestJob creates an ingest job, uploads data and waits for its end.
func (a *api) ingestJob(request, data string) jobInfo {
	a.t.Helper()
	id := a.job("ingest", request)
	if r := a.call("PUT", "jobs/ingest/"+id+"/batches", data); r.Status != http.StatusCreated {
		a.t.Fatalf("upload: HTTP %d: %s", r.Status, r.Text)
	}
	a.setState(id, jobUploadComplete)
	a.org.bulk.work.Wait()
	return a.show("ingest", id)
}

func (a *api) setState(id, state string) {
	a.t.Helper()
	var j jobInfo
	a.into(&j, "PATCH", "jobs/ingest/"+id, `{"state":"`+state+`"}`)
}

func (a *api) show(kind, id string) jobInfo {
	a.t.Helper()
	var j jobInfo
	a.into(&j, "GET", "jobs/"+kind+"/"+id, "")
	return j
}

func (a *api) text(path string) string {
	a.t.Helper()
	r := a.call("GET", path, "")
	if r.Status != http.StatusOK {
		a.t.Fatalf("GET %s: HTTP %d: %s", path, r.Status, r.Text)
	}
	return r.Text
}

func TestQueryJob(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	parent := a.create("Account", `{"Name":"A \"quoted\", Ltd"}`)
	var ids []string
	for i := range 3 {
		ids = append(ids, a.create("Account", fmt.Sprintf(`{"Name":"Child %d","ParentId":"%s","AnnualRevenue":%d}`, i, parent, 1000*i)))
	}
	var created jobInfo
	a.into(&created, "POST", "jobs/query", `{"operation":"query","query":"SELECT Id, Name, Parent.Name, AnnualRevenue, Phone, CreatedDate, IsDeleted FROM Account WHERE ParentId != null ORDER BY Name"}`)
	want := jobInfo{
		ID: created.ID, Operation: "query", Object: "Account", CreatedByID: integrationUserID, CreatedDate: "2026-11-21T10:00:00.000+0000",
		SystemModstamp: "2026-11-21T10:00:00.000+0000", State: "UploadComplete", ConcurrencyMode: "Parallel", ContentType: "CSV",
		APIVersion: 62, LineEnding: "LF", ColumnDelimiter: "COMMA", JobType: "V2Query",
	}
	if diff := cmp.Diff(want, created); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	a.org.bulk.work.Wait()
	want.State, want.NumberRecordsProcessed = "JobComplete", 3
	if diff := cmp.Diff(want, a.show("query", created.ID)); diff != "" {
		t.Errorf("complete (-want +got):\n%s", diff)
	}

	results := "jobs/query/" + created.ID + "/results"
	header := `"Id","Name","Parent.Name","AnnualRevenue","Phone","CreatedDate","IsDeleted"` + "\n"
	line := func(i int) string {
		return fmt.Sprintf(`"%s","Child %d","A ""quoted"", Ltd","%d","","2026-11-21T10:00:00.000Z","false"`+"\n", ids[i], i, 1000*i)
	}
	tests := []struct{ name, query, body, locator, records string }{
		{"one page without maxRecords", "", header + line(0) + line(1) + line(2), "null", "3"},
		{"first page", "?maxRecords=2", header + line(0) + line(1), "Mg", "2"},
		{"second page", "?maxRecords=2&locator=Mg", header + line(2), "null", "1"},
		{"first page again", "?maxRecords=2", header + line(0) + line(1), "Mg", "2"},
		{"rest without maxRecords", "?locator=Mg", header + line(2), "null", "1"},
		{"more than there are", "?maxRecords=99", header + line(0) + line(1) + line(2), "null", "3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := a.call("GET", results+tt.query, "")
			if diff := cmp.Diff(tt.body, r.Text); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if got := r.Header.Get("Sforce-Locator"); got != tt.locator {
				t.Errorf("Sforce-Locator %q, want %q", got, tt.locator)
			}
			if got := r.Header.Get("Sforce-NumberOfRecords"); got != tt.records {
				t.Errorf("Sforce-NumberOfRecords %q, want %q", got, tt.records)
			}
			if got := r.Header.Get("Content-Type"); got != "text/csv" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
	refusals := []struct {
		path, code string
		status     int
	}{
		{results + "?locator=x!", "INVALID_QUERY_LOCATOR", 400},
		{results + "?locator=OTk", "INVALID_QUERY_LOCATOR", 400},
		{results + "?maxRecords=0", "INVALIDJOB", 400},
		{"/services/data/v61.0/" + results, "API_VERSION_MISMATCH", 409},
		{"jobs/ingest/" + created.ID, "NOT_FOUND", 404},
	}
	for _, tt := range refusals {
		if status, code := a.refused("GET", tt.path, ""); status != tt.status || code != tt.code {
			t.Errorf("%s: %d %s, want %d %s", tt.path, status, code, tt.status, tt.code)
		}
	}

	var list struct {
		Done    bool
		Records []jobInfo
	}
	a.into(&list, "GET", "jobs/query", "")
	if !list.Done || len(list.Records) != 1 || list.Records[0].ID != created.ID {
		t.Errorf("list: %+v", list)
	}
	if r := a.call("DELETE", "jobs/query/"+created.ID, ""); r.Status != http.StatusNoContent {
		t.Errorf("delete: HTTP %d", r.Status)
	}
	if status, code := a.refused("GET", results, ""); status != 404 || code != "NOT_FOUND" {
		t.Errorf("after delete: %d %s", status, code)
	}
}

func TestQueryJobOfNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.queryJob("query", "SELECT Id FROM Account")
	r := a.call("GET", "jobs/query/"+id+"/results?maxRecords=5", "")
	if r.Text != "\"Id\"\n" || r.Header.Get("Sforce-Locator") != "null" || r.Header.Get("Sforce-NumberOfRecords") != "0" {
		t.Errorf("got %q %v", r.Text, r.Header)
	}
}

func TestQueryAllJob(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create("Account", `{"Name":"gone"}`)
	if r := a.call("DELETE", "sobjects/Account/"+id, ""); r.Status != http.StatusNoContent {
		t.Fatalf("delete: HTTP %d: %s", r.Status, r.Text)
	}
	for operation, want := range map[string]int{"query": 0, "queryAll": 1} {
		job := a.queryJob(operation, "SELECT Id FROM Account")
		if got := a.show("query", job).NumberRecordsProcessed; got != want {
			t.Errorf("%s: %d rows, want %d", operation, got, want)
		}
	}
}

func TestQueryJobRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ name, request, code string }{
		{"malformed", `{"operation":"query","query":"SELEC Id"}`, "MALFORMED_QUERY"},
		{"unknown field", `{"operation":"query","query":"SELECT Bogus__c FROM Account"}`, "INVALID_FIELD"},
		{"unknown object", `{"operation":"query","query":"SELECT Id FROM Bogus__c"}`, "INVALID_TYPE"},
		{"subquery", `{"operation":"query","query":"SELECT Id, (SELECT Id FROM Contacts) FROM Account"}`, "FEATURENOTENABLED"},
		{"group", `{"operation":"query","query":"SELECT Name FROM Account GROUP BY Name"}`, "FEATURENOTENABLED"},
		{"aggregate", `{"operation":"query","query":"SELECT COUNT(Id) FROM Account"}`, "FEATURENOTENABLED"},
		{"offset", `{"operation":"query","query":"SELECT Id FROM Account OFFSET 5"}`, "FEATURENOTENABLED"},
		{"typeof", `{"operation":"query","query":"SELECT TYPEOF What WHEN Account THEN Phone END FROM Task"}`, "MALFORMED_QUERY"},
		{"operation", `{"operation":"insert","query":"SELECT Id FROM Account"}`, "INVALIDJOB"},
		{"content type", `{"operation":"query","query":"SELECT Id FROM Account","contentType":"JSON"}`, "INVALIDJOB"},
		{"delimiter", `{"operation":"query","query":"SELECT Id FROM Account","columnDelimiter":"DOT"}`, "INVALIDJOB"},
		{"broken JSON", `{"operation"`, "JSON_PARSER_ERROR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, code := a.refused("POST", "jobs/query", tt.request); status != 400 || code != tt.code {
				t.Errorf("%d %s, want 400 %s", status, code, tt.code)
			}
		})
	}
}

func TestIngestUpdate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	one, two := a.create("Account", `{"Name":"One","Phone":"1"}`), a.create("Account", `{"Name":"Two","Phone":"2"}`)
	j := a.ingestJob(`{"object":"account","operation":"update","lineEnding":"CRLF","columnDelimiter":"SEMICOLON"}`,
		"Id;Phone;Description;NumberOfEmployees\r\n"+one+";;\"a; \"\"b\"\"\nc\";7\r\n"+two+";#N/A;;\r\n"+two+";;;many\r\n001000000000001AAA;1;;\r\n")
	if j.State != "JobComplete" || j.Object != "Account" || j.NumberRecordsProcessed != 4 || *j.NumberRecordsFailed != 2 {
		t.Errorf("job: %+v", j)
	}
	path := "jobs/ingest/" + j.ID
	want := "\"sf__Id\";\"sf__Created\";\"Id\";\"Phone\";\"Description\";\"NumberOfEmployees\"\r\n" +
		fmt.Sprintf("\"%s\";\"false\";\"%[1]s\";\"\";\"a; \"\"b\"\"\nc\";\"7\"\r\n\"%s\";\"false\";\"%[2]s\";\"#N/A\";\"\";\"\"\r\n", one, two)
	if diff := cmp.Diff(want, a.text(path+"/successfulResults")); diff != "" {
		t.Errorf("successful (-want +got):\n%s", diff)
	}
	failed := strings.Split(a.text(path+"/failedResults"), "\r\n")
	if len(failed) != 4 || failed[0] != `"sf__Id";"sf__Error";"Id";"Phone";"Description";"NumberOfEmployees"` ||
		!strings.Contains(failed[1], ":NumberOfEmployees --\";\""+two+`";"";"";"many"`) ||
		!strings.HasPrefix(failed[2], `"";"INVALID_CROSS_REFERENCE_KEY:`) && !strings.HasPrefix(failed[2], `"001000000000001AAA";"INVALID_CROSS_REFERENCE_KEY:`) {
		t.Errorf("failed: %q", failed)
	}
	if got, want := a.text(path+"/unprocessedrecords"), "\"Id\";\"Phone\";\"Description\";\"NumberOfEmployees\"\r\n"; got != want {
		t.Errorf("unprocessed: %q", got)
	}

	rows := a.text("jobs/query/" + a.queryJob("query", "SELECT Phone, Description, NumberOfEmployees FROM Account ORDER BY Name") + "/results")
	if want := "\"Phone\",\"Description\",\"NumberOfEmployees\"\n\"1\",\"a; \"\"b\"\"\nc\",\"7\"\n\"\",\"\",\"\"\n"; rows != want {
		t.Errorf("stored: %q, want %q", rows, want)
	}
}

func TestIngestInsertAndDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var data strings.Builder
	data.WriteString("Name,Phone\n")
	for i := range 450 {
		fmt.Fprintf(&data, "Account %d,%d\n", i, i)
	}
	data.WriteString(",no name\n")
	j := a.ingestJob(`{"object":"Account","operation":"insert"}`, data.String())
	if j.State != "JobComplete" || j.NumberRecordsProcessed != 451 || *j.NumberRecordsFailed != 1 {
		t.Fatalf("insert: %+v", j)
	}
	if failed := a.text("jobs/ingest/" + j.ID + "/failedResults"); !strings.Contains(failed, "\n\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\",\"\",\"no name\"\n") {
		t.Errorf("failed: %s", failed)
	}
	made := strings.Split(strings.TrimSpace(a.text("jobs/ingest/"+j.ID+"/successfulResults")), "\n")[1:]
	if len(made) != 450 || !strings.HasSuffix(made[449], `","true","Account 449","449"`) {
		t.Fatalf("%d made, the last %q", len(made), made[len(made)-1])
	}

	var ids strings.Builder
	ids.WriteString("Id\n")
	for _, line := range made[:300] {
		id, _, _ := strings.Cut(line, ",")
		ids.WriteString(id + "\n")
	}
	j = a.ingestJob(`{"object":"Account","operation":"delete"}`, ids.String())
	if j.State != "JobComplete" || j.NumberRecordsProcessed != 300 || *j.NumberRecordsFailed != 0 {
		t.Errorf("delete: %+v", j)
	}
	if got := a.show("query", a.queryJob("query", "SELECT Id FROM Account")).NumberRecordsProcessed; got != 150 {
		t.Errorf("%d accounts left, want 150", got)
	}
}

func TestIngestUpsert(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	deal := a.create("Opportunity", `{"Name":"Old","StageName":"Closed Won","CloseDate":"2026-01-02","Case_Id__c":"C-1"}`)
	twin := `{"Name":"Twin","StageName":"Closed Won","CloseDate":"2026-01-02","Case_Id__c":"C-3"}`
	first, second := a.create("Opportunity", twin), a.create("Opportunity", twin)
	j := a.ingestJob(`{"object":"Opportunity","operation":"upsert","externalIdFieldName":"case_id__c"}`,
		"Case_Id__c,Name,StageName,CloseDate\n"+
			"c-1,New,,\n"+
			"C-2,Made,Closed Won,2026-01-03\n"+
			"C-2,Again,Closed Won,2026-01-03\n"+
			"C-3,Which,,\n"+
			",None,Closed Won,2026-01-03\n")
	if j.State != "JobComplete" || j.ExternalIDFieldName != "Case_Id__c" || *j.NumberRecordsFailed != 3 {
		t.Fatalf("job: %+v", j)
	}
	successful := strings.Split(strings.TrimSpace(a.text("jobs/ingest/"+j.ID+"/successfulResults")), "\n")
	if len(successful) != 3 || successful[1] != `"`+deal+`","false","c-1","New","",""` || !strings.HasSuffix(successful[2], `","true","C-2","Made","Closed Won","2026-01-03"`) {
		t.Errorf("successful: %q", successful)
	}
	want := `"sf__Id","sf__Error","Case_Id__c","Name","StageName","CloseDate"
"","DUPLICATE_VALUE:Duplicate external id specified: c-2:Case_Id__c --","C-2","Again","Closed Won","2026-01-03"
"","DUPLICATE_EXTERNAL_ID:More than one record found for external id field: [` + first + ", " + second + `]:Case_Id__c --","C-3","Which","",""
"","MISSING_ARGUMENT:Case_Id__c not specified: --","","None","Closed Won","2026-01-03"
`
	if diff := cmp.Diff(want, a.text("jobs/ingest/"+j.ID+"/failedResults")); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

func TestIngestFails(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ name, request, data, message string }{
		{"unknown field", `{"object":"Account","operation":"insert"}`, "Name,Bogus\nA,1\n", "InvalidBatch : Field name not found : Bogus"},
		{"field twice", `{"object":"Account","operation":"insert"}`, "Name,NAME\nA,1\n", "InvalidBatch : Duplicate field name found : NAME"},
		{"more than ids", `{"object":"Account","operation":"delete"}`, "Id,Name\n001000000000001AAA,A\n", "InvalidBatch : The 'delete' batch must contain only ids"},
		{"line ending", `{"object":"Account","operation":"insert"}`, "Name\r\nA\r\n", "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"},
		{"uneven", `{"object":"Account","operation":"insert"}`, "Name\nA,B\n", "InvalidBatch : Failed to parse the file: record on line 2: wrong number of fields"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := a.ingestJob(tt.request, tt.data)
			if j.State != "Failed" || j.ErrorMessage != tt.message {
				t.Errorf("%s %q, want Failed %q", j.State, j.ErrorMessage, tt.message)
			}
			if got := a.text("jobs/ingest/" + j.ID + "/unprocessedrecords"); got != tt.data {
				t.Errorf("unprocessed: %q, want the upload %q", got, tt.data)
			}
		})
	}
}

func TestIngestRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ name, request, code string }{
		{"operation", `{"object":"Account","operation":"query"}`, "INVALIDJOB"},
		{"object", `{"object":"Bogus__c","operation":"insert"}`, "INVALIDENTITY"},
		{"read-only object", `{"object":"OpportunityHistory","operation":"insert"}`, "INVALIDENTITY"},
		{"upsert without key", `{"object":"Account","operation":"upsert"}`, "INVALIDJOB"},
		{"upsert by something else", `{"object":"Account","operation":"upsert","externalIdFieldName":"Name"}`, "INVALIDJOB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, code := a.refused("POST", "jobs/ingest", tt.request); status != 400 || code != tt.code {
				t.Errorf("%d %s, want 400 %s", status, code, tt.code)
			}
		})
	}
}

func TestIngestStates(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	refused := func(what, method, path, body, code string) {
		t.Helper()
		if status, got := a.refused(method, path, body); status != 400 || got != code {
			t.Errorf("%s: %d %s, want 400 %s", what, status, got, code)
		}
	}
	id := a.job("ingest", `{"object":"Account","operation":"insert"}`)
	path := "jobs/ingest/" + id
	if got, want := a.show("ingest", id).ContentURL, "services/data/v62.0/jobs/ingest/"+id+"/batches"; got != want {
		t.Errorf("contentUrl %q, want %q", got, want)
	}
	refused("close without data", "PATCH", path, `{"state":"UploadComplete"}`, "INVALIDJOBSTATE")
	refused("unknown state", "PATCH", path, `{"state":"JobComplete"}`, "INVALIDJOB")
	refused("delete while open", "DELETE", path, "", "INVALIDJOBSTATE")
	if r := a.call("PUT", path+"/batches", "Name\nA\n"); r.Status != http.StatusCreated {
		t.Fatalf("upload: HTTP %d", r.Status)
	}
	refused("second upload", "PUT", path+"/batches", "Name\nB\n", "INVALIDJOBSTATE")
	a.setState(id, jobAborted)
	refused("abort again", "PATCH", path, `{"state":"Aborted"}`, "INVALIDJOBSTATE")
	refused("close after abort", "PATCH", path, `{"state":"UploadComplete"}`, "INVALIDJOBSTATE")
	refused("upload after abort", "PUT", path+"/batches", "Name\nC\n", "INVALIDJOBSTATE")
	if got, want := a.text(path+"/unprocessedrecords"), "Name\nA\n"; got != want {
		t.Errorf("unprocessed %q, want %q", got, want)
	}
	if r := a.call("DELETE", path, ""); r.Status != http.StatusNoContent {
		t.Errorf("delete: HTTP %d", r.Status)
	}
}

// An aborted job stops where it is.
func TestIngestAbort(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.job("ingest", `{"object":"Account","operation":"insert"}`)
	if r := a.call("PUT", "jobs/ingest/"+id+"/batches", "Name\nA\n"); r.Status != http.StatusCreated {
		t.Fatalf("upload: HTTP %d: %s", r.Status, r.Text)
	}
	a.org.mu.Lock() // holds the work up
	a.setState(id, jobUploadComplete)
	a.setState(id, jobAborted)
	a.org.mu.Unlock()
	a.org.bulk.work.Wait()
	if j := a.show("ingest", id); j.State != "Aborted" || j.NumberRecordsProcessed != 0 {
		t.Errorf("job: %+v", j)
	}
	if got := a.show("query", a.queryJob("query", "SELECT Id FROM Account")).NumberRecordsProcessed; got != 0 {
		t.Errorf("%d accounts made, want none", got)
	}
}
