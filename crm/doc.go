// Package crm holds the facts about a won deal in the words of the field, independent of the CRM that they came from:
// the snapshot that a scorecard is computed from, and the fields and updates that carry the result back.
//
// Everything in a snapshot comes from a CRM and is untrusted text.
package crm
