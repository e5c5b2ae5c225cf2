-- +goose Up
-- gone is why the record of a deal is not in the CRM any more, empty: it is; heir is the deal that it was merged into.
ALTER TABLE handoffs ADD COLUMN gone TEXT NOT NULL DEFAULT '';
ALTER TABLE handoffs ADD COLUMN heir TEXT NOT NULL DEFAULT '';
