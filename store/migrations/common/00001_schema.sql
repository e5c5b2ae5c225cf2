-- Moments are Unix milliseconds; days are text, YYYY-MM-DD; values, edits, cards and summaries are JSON.

-- +goose Up
CREATE TABLE runs (
    id         INTEGER PRIMARY KEY,
    connection TEXT    NOT NULL,
    job        TEXT    NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT,
    summary    TEXT    NOT NULL DEFAULT '{}',
    error      TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE watermarks (
    connection TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    time       BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    PRIMARY KEY (connection, object)
);

-- name, close_date and health repeat what snapshots and merged say, for searching and sorting: name in lower case,
-- close_date empty where the deal has none, health as it should stand in the CRM, empty where that is not known.
CREATE TABLE handoffs (
    connection TEXT    NOT NULL,
    deal_id    TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    close_date TEXT    NOT NULL,
    health     TEXT    NOT NULL,
    flagged    BOOLEAN NOT NULL,
    finalised  BOOLEAN NOT NULL,
    reopened   BOOLEAN NOT NULL,
    pending    BOOLEAN NOT NULL,
    due_at     BIGINT,
    rulebook   TEXT    NOT NULL,
    as_of      BIGINT  NOT NULL,
    version    INTEGER NOT NULL,
    parked     TEXT    NOT NULL,
    merged     TEXT    NOT NULL,
    written    TEXT    NOT NULL,
    edits      TEXT    NOT NULL,
    PRIMARY KEY (connection, deal_id)
);
CREATE INDEX handoffs_by_name ON handoffs (name);
CREATE INDEX handoffs_by_account ON handoffs (connection, account_id, close_date, deal_id)
    WHERE NOT reopened AND health <> '';

-- The latest snapshot of each deal. data is JSON, compressed with gzip.
CREATE TABLE snapshots (
    connection TEXT  NOT NULL,
    deal_id    TEXT  NOT NULL,
    hash       TEXT  NOT NULL,
    data       BYTEA NOT NULL,
    PRIMARY KEY (connection, deal_id),
    FOREIGN KEY (connection, deal_id) REFERENCES handoffs
);

-- Every card that a deal ever had.
CREATE TABLE scorecards (
    connection TEXT    NOT NULL,
    deal_id    TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    run_id     BIGINT  NOT NULL REFERENCES runs,
    as_of      BIGINT  NOT NULL,
    input_hash TEXT    NOT NULL,
    rulebook   TEXT    NOT NULL,
    card       TEXT    NOT NULL,
    PRIMARY KEY (connection, deal_id, version),
    FOREIGN KEY (connection, deal_id) REFERENCES handoffs
);

-- health is the one in written, empty where there is none.
CREATE TABLE accounts (
    connection TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    health     TEXT    NOT NULL,
    written    TEXT    NOT NULL,
    edits      TEXT    NOT NULL,
    PRIMARY KEY (connection, account_id)
);

-- The ledger: what we intended to change in a CRM, and what became of it.
CREATE TABLE writes (
    id            INTEGER PRIMARY KEY,
    run_id        BIGINT NOT NULL REFERENCES runs,
    connection    TEXT   NOT NULL,
    object        TEXT   NOT NULL,
    record_id     TEXT   NOT NULL,
    before_values TEXT   NOT NULL,
    after_values  TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    detail        TEXT   NOT NULL,
    intended_at   BIGINT NOT NULL
);
CREATE INDEX writes_by_record ON writes (connection, object, record_id, id);
CREATE INDEX writes_open ON writes (connection, id) WHERE state = 'intended';

-- A message that was sent stays without its text, so that the same finding is not sent again.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,
    connection TEXT    NOT NULL,
    deal_id    TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    tried_at   BIGINT,
    sent_at    BIGINT
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
