// Package jobs holds what runs, one file a job. A job knows a CRM only as connectors' interfaces and the database only as
// Store.
package jobs
