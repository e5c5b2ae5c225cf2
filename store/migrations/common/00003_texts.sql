-- +goose Up
-- The texts that the latest card of each deal rests on, as hashes.
CREATE TABLE texts (
    connection TEXT   NOT NULL,
    deal_id    TEXT   NOT NULL,
    hash       BIGINT NOT NULL,
    PRIMARY KEY (connection, deal_id, hash),
    FOREIGN KEY (connection, deal_id) REFERENCES handoffs
);
CREATE INDEX texts_by_hash ON texts (connection, hash);

-- The texts that were on many deals when the last run had done its work.
CREATE TABLE templates (
    connection TEXT   NOT NULL,
    hash       BIGINT NOT NULL,
    PRIMARY KEY (connection, hash)
);

-- What cards from before rest on is known once they are made again, which the next run does.
UPDATE handoffs SET rulebook = '';
