-- +goose Up
-- unread is whether a part of the deal that counts could not be read when it was last scored. Of cards from before, the next
-- scoring says so.
ALTER TABLE handoffs ADD COLUMN unread BOOLEAN NOT NULL DEFAULT FALSE;
