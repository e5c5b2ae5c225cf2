package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

// Bulk API 2.0 reads all rows of a query as one job, in pages as large as one asks for and in no order.
// https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm

const (
	bulkFrom  = 2000   // deals; so few are there sooner by REST
	bulkRows  = 25_000 // of a page of results, wide ones too: they pass through a stream
	firstPoll = time.Second
	lastPoll  = 30 * time.Second
	stuck     = 30 * time.Minute // waited for one job
)

const opBulk = "read in bulk"

func (c *Client) jobs() string { return c.base + "/jobs/query" }

// startJob returns the id of a new job for a query. A job that was started twice, because the first answer was lost, does
// no harm: Salesforce deletes it after a week.
func (c *Client) startJob(ctx context.Context, q bulkQuery) (string, error) {
	operation := "query"
	if q.all {
		operation = "queryAll"
	}
	body, err := json.Marshal(map[string]string{"operation": operation, "query": q.soql}, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	var job struct {
		ID string `json:"id"`
	}
	err = c.do(ctx, call{op: opBulk, method: http.MethodPost, path: c.jobs(), body: body, repeatable: true}, func(_ http.Header, body []byte) error {
		if err := json.Unmarshal(body, &job, lenient); err != nil || job.ID == "" {
			return connectors.Garbled(crmName, opBulk, errors.Join(err, errors.New("no job in it")))
		}
		return nil
	})
	return job.ID, err
}

// awaitJob returns once the results of a job are there. A poll that fails says nothing about the job.
func (c *Client) awaitJob(ctx context.Context, id string) error {
	pause := firstPoll
	for waited := time.Duration(0); ; waited += pause {
		state, message, err := c.jobState(ctx, id)
		switch {
		case err != nil && !errors.Is(err, connectors.ErrRetry):
			return err
		case state == "JobComplete":
			return nil
		case state == "Failed" || state == "Aborted":
			return fmt.Errorf("the job ended as %s: %s", state, connectors.Clip(message))
		case waited >= stuck:
			return fmt.Errorf("the job is not done after %v", stuck)
		}
		if err := c.sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, lastPoll)
	}
}

// jobState returns the state of a job, and what Salesforce says of one that failed.
func (c *Client) jobState(ctx context.Context, id string) (state, message string, err error) {
	var job struct {
		State   string `json:"state"`
		Message string `json:"errorMessage"`
	}
	err = c.do(ctx, call{op: opBulk, method: http.MethodGet, path: c.jobs() + "/" + id, repeatable: true}, func(_ http.Header, body []byte) error {
		if err := json.Unmarshal(body, &job, lenient); err != nil {
			return connectors.Garbled(crmName, opBulk, err)
		}
		return nil
	})
	return job.State, job.Message, err
}

// csvPage is a page of results: CSV with a header row and so many records.
type csvPage struct {
	csv     io.Reader
	records int
	next    string // locator of the page behind it; "": it is the last
}

// jobPage hands a page of so many rows of the results of a job to accept, perhaps once more from its beginning after a failure.
// locator "": the first.
func (c *Client) jobPage(ctx context.Context, id, locator string, rows int, accept func(csvPage) error) error {
	query := url.Values{"maxRecords": {strconv.Itoa(rows)}}
	if locator != "" {
		query.Set("locator", locator)
	}
	get := call{op: opBulk, method: http.MethodGet, path: c.jobs() + "/" + id + results + "?" + query.Encode(), repeatable: true}
	stream := func(ctx context.Context, s session, r call) (http.Header, []byte, error) {
		resp, err := c.rest.R().SetContext(ctx).SetAuthToken(s.token).SetDoNotParseResponse(true).Execute(r.method, s.instance+r.path)
		if err != nil {
			return nil, nil, connectors.Unreachable(ctx, crmName, r.op, err)
		}
		defer resp.RawBody().Close()
		if !resp.IsSuccess() {
			body, err := io.ReadAll(io.LimitReader(resp.RawBody(), maxRefusal))
			if err != nil {
				return nil, nil, connectors.Unreachable(ctx, crmName, r.op, err)
			}
			return nil, nil, refusal(r.op, resp.StatusCode(), resp.Header(), body)
		}
		records, err := strconv.Atoi(resp.Header().Get("Sforce-NumberOfRecords"))
		if err != nil {
			return nil, nil, connectors.Garbled(crmName, r.op, err)
		}
		next := resp.Header().Get("Sforce-Locator")
		if next == "null" {
			next = ""
		}
		return resp.Header(), nil, accept(csvPage{resp.RawBody(), records, next})
	}
	return c.send(ctx, get, stream, func(http.Header, []byte) error { return nil })
}

// results ends the path of a page of results, which may be larger than other answers.
const results = "/results"

// dropJob deletes a job. One that has not ended is aborted first; it may have ended just then.
func (c *Client) dropJob(ctx context.Context, id string, ended bool) error {
	path := c.jobs() + "/" + id
	nothing := func(http.Header, []byte) error { return nil }
	var kept error
	if !ended {
		kept = c.do(ctx, call{op: opBulk, method: http.MethodPatch, path: path, body: []byte(`{"state":"Aborted"}`), repeatable: true}, nothing)
	}
	if err := c.do(ctx, call{op: opBulk, method: http.MethodDelete, path: path, repeatable: true}, nothing); err != nil {
		return errors.Join(kept, err)
	}
	return nil
}
