package salesforce

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
)

// createQueryJob refuses at once what cannot run; the rest runs in the background.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_create_job.htm
func (o *Org) createQueryJob(w http.ResponseWriter, r *http.Request, u user, version string) {
	var req jobRequest
	if err := readJSON(r, &req); err != nil {
		writeError(w, err)
		return
	}
	if req.Operation != "query" && req.Operation != "queryAll" {
		writeError(w, invalidJob("The operation of a query job is query or queryAll, not "+strconv.Quote(req.Operation)))
		return
	}
	j, err := o.newJob(queryJobs, jobUploadComplete, version, u, req)
	if err != nil {
		writeError(w, err)
		return
	}
	opt := queryOptions{Version: version, All: req.Operation == "queryAll", Bulk: true, Check: true}
	plan, err := o.query(r.Context(), u, req.Query, opt)
	if err != nil {
		writeError(w, err)
		return
	}
	opt.Check = false
	j.info.Object = plan.Object
	o.bulk.add(j)
	o.bulk.mu.Lock()
	defer o.bulk.mu.Unlock()
	o.start(j, func(ctx context.Context) func() {
		result, err := o.query(ctx, u, req.Query, opt)
		return func() {
			if err != nil {
				j.info.State, j.info.ErrorMessage = jobFailed, err.Error()
				return
			}
			j.result = result
			j.info.State, j.info.NumberRecordsProcessed = jobComplete, len(result.Rows)
		}
	})
	writeJSON(w, http.StatusOK, j.info)
}

// queryJobResults serves a page of at most maxRecords rows, all of them without it. A locator stays good as long as the
// job exists.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
func (o *Org) queryJobResults(w http.ResponseWriter, r *http.Request, _ user, version string) {
	o.bulk.mu.Lock()
	j, err := o.bulk.find(queryJobs, r.PathValue("id"))
	switch {
	case err != nil:
	case j.version != version:
		err = &apiError{
			Status: http.StatusConflict, Code: "API_VERSION_MISMATCH",
			Message: "The job was created with API version " + j.version + "; get its results with the same version",
		}
	case j.result == nil:
		err = invalidJobState("The job is in state " + j.info.State + "; results are available in state " + jobComplete)
	}
	o.bulk.mu.Unlock()
	if err != nil {
		writeError(w, err)
		return
	}
	from, to, err := resultPage(r.FormValue("locator"), r.FormValue("maxRecords"), len(j.result.Rows))
	if err != nil {
		writeError(w, err)
		return
	}
	next := "null"
	if to < len(j.result.Rows) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(to)))
	}
	w.Header().Set("Content-Type", "text/csv")
	w.Header().Set("Sforce-Locator", next)
	w.Header().Set("Sforce-NumberOfRecords", strconv.Itoa(to-from))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(j.resultCSV(from, to))
}

// resultPage returns which of n rows a page holds.
func resultPage(locator, maxRecords string, n int) (from, to int, _ *apiError) {
	to = n
	if locator != "" {
		text, err := base64.RawURLEncoding.DecodeString(locator)
		if err == nil {
			from, err = strconv.Atoi(string(text))
		}
		if err != nil || from < 0 || from > n {
			return 0, 0, badRequest("INVALID_QUERY_LOCATOR", "invalid query locator")
		}
	}
	if maxRecords != "" {
		size, err := strconv.Atoi(maxRecords)
		if err != nil || size < 1 {
			return 0, 0, invalidJob("maxRecords must be a positive number, not " + strconv.Quote(maxRecords))
		}
		to = from + min(size, n-from)
	}
	return from, to, nil
}

func (j *bulkJob) resultCSV(from, to int) []byte {
	cells := make([]string, len(j.result.Columns))
	for i, c := range j.result.Columns {
		cells[i] = c.Name
	}
	b := j.csv.appendRow(nil, cells...)
	for _, row := range j.result.Rows[from:to] {
		for i, c := range j.result.Columns {
			cells[i] = csvCell(row.Values[i], c.Type)
		}
		b = j.csv.appendRow(b, cells...)
	}
	return b
}
