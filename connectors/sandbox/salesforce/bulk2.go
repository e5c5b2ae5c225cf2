package salesforce

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The states of a Bulk API 2.0 job.
const (
	jobOpen           = "Open"
	jobUploadComplete = "UploadComplete"
	jobInProgress     = "InProgress"
	jobComplete       = "JobComplete"
	jobFailed         = "Failed"
	jobAborted        = "Aborted"
)

// The kinds of Bulk API 2.0 jobs, as jobType names them.
const (
	queryJobs  = "V2Query"
	ingestJobs = "V2Ingest"
)

// jobInfo is what the API tells about a job.
type jobInfo struct {
	ID                     string  `json:"id"`
	Operation              string  `json:"operation"`
	Object                 string  `json:"object,omitzero"`
	CreatedByID            string  `json:"createdById"`
	CreatedDate            string  `json:"createdDate"`
	SystemModstamp         string  `json:"systemModstamp"`
	State                  string  `json:"state"`
	ExternalIDFieldName    string  `json:"externalIdFieldName,omitzero"`
	ConcurrencyMode        string  `json:"concurrencyMode"`
	ContentType            string  `json:"contentType"`
	APIVersion             float64 `json:"apiVersion"`
	ContentURL             string  `json:"contentUrl,omitzero"`
	LineEnding             string  `json:"lineEnding"`
	ColumnDelimiter        string  `json:"columnDelimiter"`
	JobType                string  `json:"jobType"`
	NumberRecordsProcessed int     `json:"numberRecordsProcessed"`
	NumberRecordsFailed    *int    `json:"numberRecordsFailed,omitzero"` // ingest only
	Retries                int     `json:"retries"`
	TotalProcessingTime    int     `json:"totalProcessingTime"` // milliseconds
	ErrorMessage           string  `json:"errorMessage,omitzero"`
}

// bulkJob is one job. The lock of its bulkJobs guards it.
type bulkJob struct {
	info    jobInfo
	owner   user
	version string // of the API that it was made with
	csv     csvFormat
	stop    context.CancelFunc // ends the work on it; nil: there was none yet

	result *queryResult // of a query, once it is complete

	upload   []byte    // of an ingest job, as it came; nil: nothing yet
	table    *csvTable // upload, once it is read
	outcomes []saved   // of the first rows of table; the others are not processed
}

// bulkJobs are the jobs of an org. They stop with it.
type bulkJobs struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu   sync.Mutex
	jobs []*bulkJob // oldest first
	last int64      // number of the newest job's id
}

func newBulkJobs() *bulkJobs {
	b := new(bulkJobs)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// close ends the work on all jobs and waits for it.
func (b *bulkJobs) close() {
	b.cancel()
	b.work.Wait()
}

func (o *Org) bulkRoutes(mux *http.ServeMux) {
	const queries, ingests = "/services/data/{version}/jobs/query", "/services/data/{version}/jobs/ingest"
	mux.Handle("POST "+queries, o.authenticated(o.createQueryJob))
	mux.Handle("GET "+queries+"/{id}/results", o.authenticated(o.queryJobResults))
	mux.Handle("POST "+ingests, o.authenticated(o.createIngestJob))
	mux.Handle("PUT "+ingests+"/{id}/batches", o.authenticated(o.uploadBatch))
	mux.Handle("GET "+ingests+"/{id}/{results}", o.authenticated(o.ingestJobResults))
	for path, kind := range map[string]string{queries: queryJobs, ingests: ingestJobs} {
		mux.Handle("GET "+path, o.authenticated(o.listJobs(kind)))
		mux.Handle("GET "+path+"/{id}", o.authenticated(o.showJob(kind)))
		mux.Handle("PATCH "+path+"/{id}", o.authenticated(o.changeJob(kind)))
		mux.Handle("DELETE "+path+"/{id}", o.authenticated(o.deleteJob(kind)))
	}
}

// jobRequest is what a client may ask of a new job.
type jobRequest struct {
	Operation           string `json:"operation"`
	Object              string `json:"object"`
	Query               string `json:"query"`
	ExternalIDFieldName string `json:"externalIdFieldName"`
	ContentType         string `json:"contentType"`
	LineEnding          string `json:"lineEnding"`
	ColumnDelimiter     string `json:"columnDelimiter"`
}

// newJob checks what query and ingest jobs have in common and returns a job that is not listed yet.
func (o *Org) newJob(kind, state, version string, u user, req jobRequest) (*bulkJob, *apiError) {
	if req.ContentType != "" && req.ContentType != "CSV" {
		return nil, invalidJob("The contentType " + req.ContentType + " is not supported; Bulk API 2.0 supports CSV only")
	}
	format, err := newCSVFormat(req.ColumnDelimiter, req.LineEnding)
	if err != nil {
		return nil, invalidJob(err.Error())
	}
	number, err := strconv.ParseFloat(version, 64)
	if err != nil {
		return nil, invalidJob("The API version " + version + " is not a number")
	}
	now := jsonTime(o.now())
	return &bulkJob{owner: u, version: version, csv: format, info: jobInfo{
		Operation:       req.Operation,
		CreatedByID:     u.ID,
		CreatedDate:     now,
		SystemModstamp:  now,
		State:           state,
		ConcurrencyMode: "Parallel",
		ContentType:     "CSV",
		APIVersion:      number,
		LineEnding:      format.lineEndingName,
		ColumnDelimiter: format.delimiterName,
		JobType:         kind,
	}}, nil
}

// add lists a job under a new id.
func (b *bulkJobs) add(j *bulkJob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	j.info.ID = newID("750", b.last)
	if j.info.JobType == ingestJobs {
		j.info.ContentURL = "services/data/v" + j.version + "/jobs/ingest/" + j.info.ID + "/batches"
	}
	b.jobs = append(b.jobs, j)
}

// find returns a job by its id of 15 or 18 characters. The caller holds the lock.
func (b *bulkJobs) find(kind, id string) (*bulkJob, *apiError) {
	i := slices.IndexFunc(b.jobs, func(j *bulkJob) bool {
		return j.info.JobType == kind && (j.info.ID == id || j.info.ID[:15] == id)
	})
	if i < 0 {
		return nil, errNoResource
	}
	return b.jobs[i], nil
}

// start does work on a job in the background. The caller holds the lock, work does not. What work returns, to be called
// with the lock, is dropped when the job was aborted meanwhile.
func (o *Org) start(j *bulkJob, work func(context.Context) (finish func())) {
	ctx, cancel := context.WithCancel(o.bulk.ctx)
	j.stop = cancel
	begun := o.now()
	o.bulk.work.Go(func() {
		defer cancel()
		o.bulk.mu.Lock()
		if j.info.State == jobUploadComplete {
			j.info.State = jobInProgress
		}
		o.bulk.mu.Unlock()
		finish := work(ctx)
		o.bulk.mu.Lock()
		defer o.bulk.mu.Unlock()
		if ctx.Err() == nil {
			finish()
			j.info.TotalProcessingTime = int(o.now().Sub(begun).Milliseconds())
			j.info.SystemModstamp = jsonTime(o.now())
		}
	})
}

func (o *Org) listJobs(kind string) userHandler {
	return func(w http.ResponseWriter, _ *http.Request, _ user, _ string) {
		o.bulk.mu.Lock()
		defer o.bulk.mu.Unlock()
		page := struct {
			Done           bool      `json:"done"`
			Records        []jobInfo `json:"records"`
			NextRecordsURL *string   `json:"nextRecordsUrl"`
		}{Done: true, Records: []jobInfo{}}
		for _, j := range o.bulk.jobs {
			if j.info.JobType == kind {
				page.Records = append(page.Records, j.info)
			}
		}
		writeJSON(w, http.StatusOK, page)
	}
}

func (o *Org) showJob(kind string) userHandler {
	return func(w http.ResponseWriter, r *http.Request, _ user, _ string) {
		o.bulk.mu.Lock()
		defer o.bulk.mu.Unlock()
		j, err := o.bulk.find(kind, r.PathValue("id"))
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, j.info)
	}
}

// changeJob aborts a job, or closes an ingest job for uploads, which starts it.
func (o *Org) changeJob(kind string) userHandler {
	return func(w http.ResponseWriter, r *http.Request, _ user, _ string) {
		var req struct {
			State string `json:"state"`
		}
		if err := readJSON(r, &req); err != nil {
			writeError(w, err)
			return
		}
		o.bulk.mu.Lock()
		defer o.bulk.mu.Unlock()
		j, err := o.bulk.find(kind, r.PathValue("id"))
		if err == nil {
			err = o.setState(j, req.State)
		}
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, j.info)
	}
}

func (o *Org) setState(j *bulkJob, state string) *apiError {
	switch {
	case state == jobAborted && j.ended():
		return invalidJobState("Aborting already Completed Job not allowed")
	case state == jobAborted:
		if j.stop != nil {
			j.stop()
		}
		j.info.State = jobAborted
	case state == jobUploadComplete && j.info.JobType == ingestJobs:
		if j.info.State != jobOpen {
			return invalidJobState("Closing already Completed Job not allowed")
		}
		if j.upload == nil {
			return invalidJobState("No data was uploaded for job " + j.info.ID)
		}
		j.info.State = jobUploadComplete
		o.start(j, func(ctx context.Context) func() { return o.ingest(ctx, j) })
	default:
		return invalidJob("Invalid job state in request: " + state)
	}
	j.info.SystemModstamp = jsonTime(o.now())
	return nil
}

func (j *bulkJob) ended() bool {
	return j.info.State == jobComplete || j.info.State == jobFailed || j.info.State == jobAborted
}

func (o *Org) deleteJob(kind string) userHandler {
	return func(w http.ResponseWriter, r *http.Request, _ user, _ string) {
		o.bulk.mu.Lock()
		defer o.bulk.mu.Unlock()
		j, err := o.bulk.find(kind, r.PathValue("id"))
		if err == nil && !j.ended() {
			err = invalidJobState("The job is in state " + j.info.State + "; only a job that has ended can be deleted")
		}
		if err != nil {
			writeError(w, err)
			return
		}
		o.bulk.jobs = slices.DeleteFunc(o.bulk.jobs, func(other *bulkJob) bool { return other == j })
		w.WriteHeader(http.StatusNoContent)
	}
}

// jsonTime is how a moment stands in JSON.
func jsonTime(t time.Time) string { return t.UTC().Format(storedTime) + ".000+0000" }

func invalidJob(message string) *apiError {
	return badRequest("INVALIDJOB", message)
}

func invalidJobState(message string) *apiError {
	return badRequest("INVALIDJOBSTATE", message)
}

// oneOf returns the word of the list that equals s in any case of letters; the first for "", "" for none.
func oneOf(s string, words ...string) string {
	if s == "" {
		return words[0]
	}
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return w
		}
	}
	return ""
}
