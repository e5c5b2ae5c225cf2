-- +goose Up
-- undoes is the run whose values a write takes back; 0: it is a write of scores.
ALTER TABLE writes ADD COLUMN undoes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX writes_by_run ON writes (run_id, object, record_id);

-- held is the run that was rolled back on a record, while no run may write to it again; 0: runs may.
ALTER TABLE handoffs ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
