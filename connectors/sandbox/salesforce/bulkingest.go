package salesforce

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

// ingestChunk is how many rows are saved in one transaction, as Salesforce does.
const ingestChunk = 200

const internalFailure = "InternalServerError : "

// createIngestJob opens a job for an upload.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/create_job.htm
func (o *Org) createIngestJob(w http.ResponseWriter, r *http.Request, u user, version string) {
	var req jobRequest
	if err := readJSON(r, &req); err != nil {
		writeError(w, err)
		return
	}
	j, err := o.newJob(ingestJobs, jobOpen, version, u, req)
	if err == nil {
		err = o.aim(r.Context(), j, u, req)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	o.bulk.add(j)
	writeJSON(w, http.StatusOK, j.info)
}

// aim sets what an ingest job works on.
func (o *Org) aim(ctx context.Context, j *bulkJob, u user, req jobRequest) *apiError {
	if !slices.Contains([]string{"insert", "update", "upsert", "delete"}, req.Operation) {
		return invalidJob("Unsupported operation of an ingest job: " + strconv.Quote(req.Operation))
	}
	var object *Object
	var key *Field
	err := o.read(ctx, func(db sqlx.QueryerContext) error {
		view, err := o.view(ctx, db, u)
		if object = view.object(req.Object); object != nil {
			key = object.Field(req.ExternalIDFieldName)
		}
		return err
	})
	if err != nil {
		return asAPIError(err)
	}
	if object == nil || object.ReadOnly {
		return badRequest("INVALIDENTITY", "Entity '"+req.Object+"' is not supported by the Bulk API.")
	}
	j.info.Object = object.Name
	j.info.NumberRecordsFailed = new(int)
	if req.Operation == "upsert" {
		if key == nil || key.Type != TypeID && !(key.Custom() && (key.Type == TypeString || key.Type == TypeEmail)) {
			return invalidJob("The externalIdFieldName of an upsert must be Id or an external id, not " + strconv.Quote(req.ExternalIDFieldName))
		}
		j.info.ExternalIDFieldName = key.Name
	}
	return nil
}

// uploadBatch takes a job's only upload.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
func (o *Org) uploadBatch(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		writeError(w, badRequest("INVALIDBATCH", "The upload broke off: "+err.Error()))
		return
	}
	o.bulk.mu.Lock()
	defer o.bulk.mu.Unlock()
	j, aerr := o.bulk.find(ingestJobs, r.PathValue("id"))
	switch {
	case aerr != nil:
	case j.info.State != jobOpen:
		aerr = invalidJobState("The job is in state " + j.info.State + "; data can be uploaded in state " + jobOpen)
	case j.upload != nil:
		aerr = invalidJobState("Found multiple contents for job: <" + j.info.ID + ">; data can be uploaded once")
	}
	if aerr != nil {
		writeError(w, aerr)
		return
	}
	j.upload = data
	w.WriteHeader(http.StatusCreated)
}

// ingest works through a job's upload.
func (o *Org) ingest(ctx context.Context, j *bulkJob) (finish func()) {
	failed := func(message string) func() {
		return func() { j.info.State, j.info.ErrorMessage = jobFailed, message }
	}
	table, err := j.csv.read(j.upload)
	if err != nil {
		return failed(err.Error())
	}
	if message, err := o.badHeader(ctx, j, table.Header); err != nil {
		return failed(internalFailure + err.Error())
	} else if message != "" {
		return failed(message)
	}
	o.bulk.mu.Lock()
	j.table = table
	o.bulk.mu.Unlock()
	for rows := range slices.Chunk(table.Rows, ingestChunk) {
		if ctx.Err() != nil {
			return nil
		}
		outcomes, err := o.ingestRows(ctx, j, table.Header, rows)
		if err != nil {
			return failed(internalFailure + err.Error())
		}
		o.bulk.mu.Lock()
		j.outcomes = append(j.outcomes, outcomes...)
		j.info.NumberRecordsProcessed += len(outcomes)
		for _, out := range outcomes {
			if len(out.Errors) > 0 {
				*j.info.NumberRecordsFailed++
			}
		}
		o.bulk.mu.Unlock()
	}
	return func() { j.info.State = jobComplete }
}

// badHeader says why a file with these columns cannot be processed; "": it can.
func (o *Org) badHeader(ctx context.Context, j *bulkJob, header []string) (message string, err error) {
	if j.info.Operation == "delete" {
		if len(header) != 1 || !strings.EqualFold(header[0], "Id") {
			return "InvalidBatch : The 'delete' batch must contain only ids", nil
		}
		return "", nil
	}
	err = o.read(ctx, func(db sqlx.QueryerContext) error {
		v, err := o.view(ctx, db, j.owner)
		for i, name := range header {
			if v.field(o.object(j.info.Object), name) == nil {
				message = "InvalidBatch : Field name not found : " + name
			} else if slices.ContainsFunc(header[:i], func(other string) bool { return strings.EqualFold(other, name) }) {
				message = "InvalidBatch : Duplicate field name found : " + name
			}
		}
		return err
	})
	return message, err
}

// ingestRows saves some rows and returns what became of each.
func (o *Org) ingestRows(ctx context.Context, j *bulkJob, header []string, cells [][]string) ([]saved, error) {
	rows := make([]row, len(cells))
	for i, line := range cells {
		rows[i] = ingestRow(j.info.Object, header, line)
	}
	switch j.info.Operation {
	case "insert":
		return o.createRecords(ctx, j.owner, rows, false)
	case "update":
		return o.updateRecords(ctx, j.owner, rows, false)
	case "delete":
		return o.deleteRecords(ctx, j.owner, rows, false)
	}
	return o.upsertRecords(ctx, j.owner, j.info.ExternalIDFieldName, rows)
}

// ingestRow turns a line into a row: an empty cell leaves a field alone, #N/A sets it to null.
func ingestRow(object string, header, cells []string) row {
	r := row{Object: object, Values: map[string]any{}}
	for i, cell := range cells {
		switch {
		case strings.EqualFold(header[i], "Id"):
			r.ID = cell
		case cell == "#N/A":
			r.Values[header[i]] = nil
		case cell != "":
			r.Values[header[i]] = cell
		}
	}
	return r
}

// ingestJobResults serves the rows of one kind, each as it was uploaded, behind what became of it.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm
func (o *Org) ingestJobResults(w http.ResponseWriter, r *http.Request, _ user, _ string) {
	o.bulk.mu.Lock()
	defer o.bulk.mu.Unlock()
	j, err := o.bulk.find(ingestJobs, r.PathValue("id"))
	var csv []byte
	if err == nil {
		switch strings.ToLower(r.PathValue("results")) {
		case "successfulresults":
			csv = j.successful()
		case "failedresults":
			csv = j.failed()
		case "unprocessedrecords":
			csv = j.unprocessed()
		default:
			err = errNoResource
		}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv")
	w.Header().Set("Sforce-Locator", "null")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(csv) // the client may be gone, which is its own affair
}

func (j *bulkJob) successful() []byte {
	b := j.csv.appendRow(nil, append([]string{"sf__Id", "sf__Created"}, j.header()...)...)
	for i, out := range j.outcomes {
		if len(out.Errors) == 0 {
			b = j.csv.appendRow(b, append([]string{out.ID, strconv.FormatBool(out.Created)}, j.table.Rows[i]...)...)
		}
	}
	return b
}

func (j *bulkJob) failed() []byte {
	b := j.csv.appendRow(nil, append([]string{"sf__Id", "sf__Error"}, j.header()...)...)
	for i, out := range j.outcomes {
		if len(out.Errors) > 0 {
			e := out.Errors[0]
			text := e.StatusCode + ":" + e.Message + ":" + strings.Join(e.Fields, ",") + " --"
			b = j.csv.appendRow(b, append([]string{out.ID, text}, j.table.Rows[i]...)...)
		}
	}
	return b
}

// unprocessed returns the upload as it is where it could not be read.
func (j *bulkJob) unprocessed() []byte {
	if j.table == nil {
		return j.upload
	}
	b := j.csv.appendRow(nil, j.table.Header...)
	for _, cells := range j.table.Rows[len(j.outcomes):] {
		b = j.csv.appendRow(b, cells...)
	}
	return b
}

// header returns the columns of the upload; nil while it is not read.
func (j *bulkJob) header() []string {
	if j.table == nil {
		return nil
	}
	return j.table.Header
}
