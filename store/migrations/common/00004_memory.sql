-- +goose Up
-- What the connector of a connection wants to know in its next run; nothing is lost with it but calls.
CREATE TABLE memory (
    connection TEXT  NOT NULL PRIMARY KEY,
    data       BYTEA NOT NULL
);
