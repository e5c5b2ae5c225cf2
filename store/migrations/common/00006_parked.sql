-- +goose Up
-- parked is what the CRM said when it refused the last write to a record, as JSON; empty: it did not. What it said before
-- this is asked for again: those deals are pending.
UPDATE handoffs SET parked = '';
ALTER TABLE accounts ADD COLUMN parked TEXT NOT NULL DEFAULT '';
