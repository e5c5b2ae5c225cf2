// Package store keeps in a database what runs know: snapshots, scorecards, people's edits, the ledger of writes,
// watermarks, what connectors remember, and the outbox.
//
// The SQL is the same text for every database: `?` for values, ON CONFLICT for upserts, no vendor's types or functions.
// What differs lies in one file a database, and in a folder of migrations/ laid over migrations/common.
package store
