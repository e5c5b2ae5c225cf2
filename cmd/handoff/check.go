package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"handoff/connectors"
)

// settings are the keys of a connection's section that a finding or an error may point at.
var settings = []string{
	"url", "auth", "client_id", "client_secret", "username", "password", "token", "api_version",
	"schedule", "time_zone", "since", "overlap", "pipelines", "deal_types", "min_amount", "write_back",
}

// place says where to look, as a person knows it: a key of the connection with its path in the configuration file, anything
// else as the CRM calls it.
func (conn *Connection) place(where string) string {
	section, _, _ := strings.Cut(where, ".")
	if slices.Contains(settings, where) || section == "fields" || section == "handoff_fields" {
		return "connections." + conn.Name + "." + where
	}
	return where
}

// placed says of an error from a connection where to look: at the key of the configuration that the connector names, else at
// the connection. Nil stays nil.
func placed(conn *Connection, err error) error {
	if err == nil {
		return nil
	}
	where := "connections." + conn.Name
	if e := (*connectors.Error)(nil); errors.As(err, &e) && e.Setting != "" {
		where = conn.place(e.Setting)
	}
	return fmt.Errorf("%s: %w", where, err)
}
